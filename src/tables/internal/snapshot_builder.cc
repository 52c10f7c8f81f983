#include "tables/internal/snapshot_builder.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/random.h"
#include "fmt/format.h"
#include "tables/internal/errors.h"
#include "tables/internal/rows_check.h"
#include "tables/internal/summary.h"

namespace tarn::tables {

namespace {

class Builder {
 public:
    Builder(const Catalog& catalog, const CommitterOptions& options, const TableMetadata& current,
            const TableChange& change, TableMetadata* next, Prepared* out)
        : catalog_(catalog),
          options_(options),
          current_(current),
          change_(change),
          next_(*next),
          out_(*out) {}

    Status build(int64_t now_ms) {
        const SnapshotPtr parent = current_.current_snapshot();
        TARN_TRY(before, catalog_.load_manifest_list(parent));
        if (change_.changes_rows_of_base())
            TARN_CHECK_OK(check_rows_unchanged(catalog_, current_, *before, change_));
        begin_snapshot(parent, now_ms);
        TARN_CHECK_OK(write_added(change_.append, ManifestContent::data));
        TARN_CHECK_OK(write_added(change_.position_deletes, ManifestContent::deletes));
        TARN_CHECK_OK(carry_over(*before));
        TARN_CHECK_OK(merge_small());
        finish_snapshot(parent);
        return {};
    }

 private:
    void begin_snapshot(const SnapshotPtr& parent, int64_t now_ms) {
        snapshot_.snapshot_id = fresh_snapshot_id();
        snapshot_.sequence_number = current_.last_sequence_number + 1;
        snapshot_.timestamp_ms = std::max(now_ms, parent == nullptr ? 0 : parent->timestamp_ms);
        snapshot_.schema_id = next_.current_schema_id;
        if (parent != nullptr) snapshot_.parent_snapshot_id = parent->snapshot_id;
        snapshot_.manifest_list = fmt::format("{}/metadata/snap-{}-1-{}.avro", current_.location,
                                              snapshot_.snapshot_id, commit_uuid_);
    }

    /// Random, and small enough for readers that keep numbers as doubles.
    int64_t fresh_snapshot_id() const {
        while (true) {
            const auto id = static_cast<int64_t>(load_le<uint64_t>(random_bytes(8).data()) >> 11);
            if (id > 0 && current_.find_snapshot(id) == nullptr) return id;
        }
    }

    const PartitionSpec* spec_of(int spec_id) const { return next_.find_spec(spec_id); }

    Status check_partition(const DataFile& file) const {
        const PartitionSpec* spec = spec_of(file.spec_id);
        if (spec == nullptr)
            return invalid(
                fmt::format("{}: partition spec {} is not known", file.path, file.spec_id));
        const auto types = partition_types(*spec, next_.schemas);
        bool fit = file.partition.size() == types.size();
        for (size_t i = 0; fit && i < types.size(); ++i)
            fit = file.partition[i].is_null() || fits(types[i], file.partition[i]);
        if (!fit)
            return invalid(fmt::format(
                "{}: its partition values don't fit the table's partitioning", file.path));
        return {};
    }

    /// Writes one manifest and puts it on the list.
    Status write(int spec_id, ManifestContent content, std::vector<ManifestEntry> entries) {
        for (const auto& entry : entries) TARN_CHECK_OK(check_partition(entry.file));
        const PartitionSpec& spec = *spec_of(spec_id);
        ManifestFile info;
        info.path = fmt::format("{}/metadata/{}-m{}.avro", current_.location, commit_uuid_,
                                manifest_number_++);
        info.sequence_number = snapshot_.sequence_number;
        info.added_snapshot_id = snapshot_.snapshot_id;
        std::string bytes = write_manifest({next_.schema(), spec, content},
                                           partition_types(spec, next_.schemas), entries, &info);
        out_.files.push_back({info.path, std::move(bytes)});
        out_.manifests.push_back(
            std::make_shared<const Manifest>(Manifest{info, std::move(entries)}));
        list_.push_back(std::move(info));
        return {};
    }

    Status write_added(const std::vector<DataFile>& files, ManifestContent content) {
        std::map<int, std::vector<ManifestEntry>> by_spec;
        for (const auto& file : files) {
            TARN_CHECK_OK(check_partition(file));
            summary_.added(file);
            by_spec[file.spec_id].push_back({EntryStatus::added, snapshot_.snapshot_id,
                                             snapshot_.sequence_number, snapshot_.sequence_number,
                                             file});
        }
        for (auto& [spec_id, entries] : by_spec)
            TARN_CHECK_OK(write(spec_id, content, std::move(entries)));
        return {};
    }

    /// Takes the manifests of before over; those with removed files are written again without them.
    Status carry_over(const std::vector<ManifestFile>& before) {
        PathSet removed(change_.remove_files.begin(), change_.remove_files.end());
        PathSet unseen = removed;
        for (const auto& info : before) {
            if (!info.has_live_files()) continue;
            if (removed.empty() || spec_of(info.spec_id) == nullptr) {
                list_.push_back(info);
                continue;
            }
            TARN_CHECK_OK(carry_over_one(info, removed, &unseen));
        }
        if (unseen.empty()) return {};
        return Error(Code::conflict,
                     fmt::format("table {}: {} is no longer part of it: try again",
                                 change_.table->info.full_name(), *unseen.begin()),
                     "rows_changed");
    }

    static bool goes(const DataFile& file, const PathSet& removed) {
        if (removed.count(file.path) > 0) return true;
        if (file.content != FileContent::position_deletes) return false;
        const std::string* only = only_data_file(file);
        return only != nullptr && removed.count(*only) > 0;
    }

    Status carry_over_one(const ManifestFile& info, const PathSet& removed, PathSet* unseen) {
        TARN_TRY(manifest, catalog_.load_manifest(info));
        const bool affected =
            std::any_of(manifest->entries.begin(), manifest->entries.end(), [&](const auto& entry) {
                return entry.status != EntryStatus::deleted && goes(entry.file, removed);
            });
        if (!affected) {
            list_.push_back(info);
            return {};
        }
        std::vector<ManifestEntry> entries;
        for (const auto& entry : manifest->entries) {
            if (entry.status == EntryStatus::deleted) continue;
            entries.push_back(entry);
            entries.back().status = EntryStatus::existing;
            if (!goes(entry.file, removed)) continue;
            entries.back().status = EntryStatus::deleted;
            entries.back().snapshot_id = snapshot_.snapshot_id;
            unseen->erase(entry.file.path);
            summary_.removed(entry.file);
        }
        return write(info.spec_id, info.content, std::move(entries));
    }

    /// Many small manifests become few, so that a table with a commit a second stays quick to plan.
    Status merge_small() {
        const auto count_max = static_cast<size_t>(
            std::max<int64_t>(2, next_.property_number("commit.manifest.min-count-to-merge",
                                                       options_.manifests_merge_count)));
        if (list_.size() <= count_max) return {};
        const int64_t target = next_.property_number("commit.manifest.target-size-bytes",
                                                     options_.manifest_target_bytes);
        std::map<std::pair<int, ManifestContent>, std::vector<ManifestFile>> small;
        std::vector<ManifestFile> kept;
        for (auto& info : list_) {
            const bool mergeable = info.added_snapshot_id != snapshot_.snapshot_id &&
                                   info.length < target * 3 / 4 && spec_of(info.spec_id) != nullptr;
            if (mergeable)
                small[{info.spec_id, info.content}].push_back(std::move(info));
            else
                kept.push_back(std::move(info));
        }
        list_ = std::move(kept);
        for (const auto& [key, manifests] : small) TARN_CHECK_OK(merge_bins(manifests, target));
        return {};
    }

    Status merge_bins(const std::vector<ManifestFile>& manifests, int64_t target) {
        std::vector<ManifestFile> bin;
        int64_t bytes = 0;
        for (const auto& info : manifests) {
            if (!bin.empty() && bytes + info.length > target) {
                TARN_CHECK_OK(merge_bin(bin));
                bin.clear();
                bytes = 0;
            }
            bin.push_back(info);
            bytes += info.length;
        }
        return merge_bin(bin);
    }

    Status merge_bin(const std::vector<ManifestFile>& bin) {
        if (bin.size() < 2) {
            list_.insert(list_.end(), bin.begin(), bin.end());
            return {};
        }
        std::vector<ManifestEntry> entries;
        for (const auto& info : bin) {
            TARN_TRY(manifest, catalog_.load_manifest(info));
            for (const auto& entry : manifest->entries) {
                if (entry.status == EntryStatus::deleted) continue;
                entries.push_back(entry);
                entries.back().status = EntryStatus::existing;
            }
        }
        return write(bin[0].spec_id, bin[0].content, std::move(entries));
    }

    std::string operation() const {
        if (change_.replace) return "replace";
        if (!change_.changes_rows_of_base()) return "append";
        return change_.append.empty() ? "delete" : "overwrite";
    }

    void finish_snapshot(const SnapshotPtr& parent) {
        snapshot_.summary = summary_.build(operation(), parent.get(), change_.summary);
        out_.files.push_back({snapshot_.manifest_list, write_manifest_list(snapshot_, list_)});
        out_.list_path = snapshot_.manifest_list;
        out_.list = std::make_shared<const std::vector<ManifestFile>>(std::move(list_));
        next_.last_sequence_number = snapshot_.sequence_number;
        next_.last_updated_ms = snapshot_.timestamp_ms;
        next_.current_snapshot_id = snapshot_.snapshot_id;
        next_.refs["main"].snapshot_id = snapshot_.snapshot_id;
        next_.snapshot_log.push_back({snapshot_.timestamp_ms, snapshot_.snapshot_id});
        next_.snapshots.push_back(std::make_shared<const Snapshot>(std::move(snapshot_)));
    }

    const Catalog& catalog_;
    const CommitterOptions& options_;
    const TableMetadata& current_;
    const TableChange& change_;
    TableMetadata& next_;
    Prepared& out_;
    Snapshot snapshot_;
    SummaryBuilder summary_;
    std::vector<ManifestFile> list_;
    const std::string commit_uuid_ = random_uuid();
    int manifest_number_ = 0;
};

}  // namespace

Status build_snapshot(const Catalog& catalog, const CommitterOptions& options,
                      const TableMetadata& current, const TableChange& change, int64_t now_ms,
                      TableMetadata* next, Prepared* out) {
    return Builder(catalog, options, current, change, next, out).build(now_ms);
}

}  // namespace tarn::tables
