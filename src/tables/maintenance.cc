// Expiry, compaction and orphans. What may be removed is worked out before the commit; the commit
// only forgets names, and the files go later (purge.cc).
#include "tables/maintenance.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "base/log.h"
#include "tables/internal/partition_key.h"
#include "tables/internal/rows_check.h"

namespace tarn::tables {

namespace {

constexpr size_t kSnapshotsPerCommit = 200;  // so that writers wait only briefly

/// Names kept by refs, the current branch's newest, and the young.
std::vector<int64_t> expirable(const TableMetadata& metadata, const ExpireOptions& options) {
    std::unordered_set<int64_t> kept;
    for (const auto& [name, ref] : metadata.refs) kept.insert(ref.snapshot_id);
    const int64_t keep_last = std::max<int64_t>(
        options.keep_last, metadata.property_number("history.expire.min-snapshots-to-keep", 1));
    SnapshotPtr snapshot = metadata.current_snapshot();
    for (int64_t i = 0; i < keep_last && snapshot != nullptr; ++i) {
        kept.insert(snapshot->snapshot_id);
        snapshot = snapshot->parent_snapshot_id
                       ? metadata.find_snapshot(*snapshot->parent_snapshot_id)
                       : nullptr;
    }
    std::vector<int64_t> ids;
    for (const auto& candidate : metadata.snapshots)
        if (candidate->timestamp_ms * 1000 < options.older_than.micros &&
            kept.count(candidate->snapshot_id) == 0)
            ids.push_back(candidate->snapshot_id);
    return ids;
}

/// The paths of a manifest's live files.
Status add_live_files(const Catalog& catalog, const ManifestFile& info, PathSet* paths) {
    TARN_TRY(manifest, catalog.load_manifest(info));
    for (const auto& entry : manifest->entries)
        if (entry.status != EntryStatus::deleted) paths->insert(entry.file.path);
    return {};
}

/// Everything that only the snapshots in `expired` need: lists, manifests, data and delete files.
Result<std::vector<std::string>> files_of_only(const Catalog& catalog,
                                               const TableMetadata& metadata,
                                               const std::unordered_set<int64_t>& expired) {
    std::map<std::string, ManifestFile> kept, gone;
    std::vector<std::string> paths;
    for (const auto& snapshot : metadata.snapshots) {
        const bool goes = expired.count(snapshot->snapshot_id) > 0;
        if (goes) paths.push_back(snapshot->manifest_list);
        TARN_TRY(manifests, catalog.load_manifest_list(snapshot));
        for (const auto& info : *manifests) (goes ? gone : kept).emplace(info.path, info);
    }
    PathSet data;
    for (const auto& [path, info] : gone) {
        if (kept.count(path) > 0) continue;
        paths.push_back(path);
        TARN_CHECK_OK(add_live_files(catalog, info, &data));
    }
    if (data.empty()) return paths;
    PathSet needed;
    for (const auto& [path, info] : kept) TARN_CHECK_OK(add_live_files(catalog, info, &needed));
    for (const auto& path : data)
        if (needed.count(path) == 0) paths.push_back(path);
    return paths;
}

bool wants_rewrite(const ScanTask& task, const CompactionOptions& options) {
    const auto small =
        static_cast<int64_t>(static_cast<double>(options.target_file_bytes) * options.small_below);
    if (task.file->file_size_bytes < small) return true;
    int64_t deleted = 0;
    for (const auto& deletes : task.deletes)
        if (only_data_file(*deletes) != nullptr) deleted += deletes->record_count;
    return static_cast<double>(deleted) >
           options.deleted_above * static_cast<double>(task.file->record_count);
}

/// Files of one partition into groups of at most the given bytes; a lone file goes only for its
/// deleted rows.
void add_groups(const TablePtr& table, std::vector<ScanTask> tasks,
                const CompactionOptions& options, std::vector<CompactionGroup>* groups) {
    CompactionGroup group;
    const auto close = [&] {
        const bool deletes =
            std::any_of(group.files.begin(), group.files.end(),
                        [](const ScanTask& task) { return !task.deletes.empty(); });
        if (group.files.size() >= static_cast<size_t>(std::max(2, options.files_min)) ||
            (deletes && !group.files.empty()))
            groups->push_back(std::move(group));
        group = {};
    };
    for (auto& task : tasks) {
        if (!group.files.empty() &&
            group.bytes + task.file->file_size_bytes > options.group_bytes_max)
            close();
        if (group.files.empty()) {
            group.table = table;
            group.spec_id = task.file->spec_id;
            group.partition = task.file->partition;
        }
        group.bytes += task.file->file_size_bytes;
        group.files.push_back(std::move(task));
    }
    close();
}

/// Replaces a group's files. False: a writer changed them meanwhile, and they stay.
Result<bool> replace_group(Catalog& catalog, Committer& committer, const security::Caller& caller,
                           const CompactionGroup& group, std::vector<DataFile> written) {
    TableChange change;
    change.table = group.table;
    change.replace = true;
    for (const auto& task : group.files) change.remove_files.push_back(task.file->path);
    std::vector<std::string> paths;
    for (const auto& file : written) paths.push_back(file.path);
    change.append = std::move(written);
    auto result = committer.commit(caller, {std::move(change)});
    if (result.ok()) return true;
    const Status removed = catalog.files().remove(paths);
    if (!removed.ok())
        log_warning("tables", "files of a failed compaction are left",
                    {{"error", removed.error().message}});
    if (result.error().reason == "rows_changed") return false;
    return std::move(result).error();
}

}  // namespace

Result<ExpireReport> expire_snapshots(Catalog& catalog, Committer& committer,
                                      const security::Caller& caller, const TablePtr& table,
                                      const ExpireOptions& options) {
    ExpireReport report;
    while (true) {
        TARN_TRY(now, catalog.snapshot().load_table(table->info));
        const TableMetadata& metadata = *now->metadata;
        ExpireOptions effective = options;
        if (effective.older_than.micros == 0) {
            const int64_t age_ms =
                metadata.property_number("history.expire.max-snapshot-age-ms", 5 * 86'400'000ll);
            effective.older_than.micros = catalog.clock().now().micros - age_ms * 1000;
        }
        auto ids = expirable(metadata, effective);
        if (ids.empty()) return report;
        if (ids.size() > kSnapshotsPerCommit) ids.resize(kSnapshotsPerCommit);
        TableChange change;
        change.table = now;
        change.expire_snapshots = ids;
        TARN_TRY(paths, files_of_only(catalog, metadata, {ids.begin(), ids.end()}));
        change.purge = std::move(paths);
        report.files += change.purge.size();
        report.snapshots += ids.size();
        TARN_CHECK_OK(committer.commit(caller, {std::move(change)}));
    }
}

Result<std::vector<CompactionGroup>> plan_compaction(const Catalog& catalog, const TablePtr& table,
                                                     const CompactionOptions& options) {
    TARN_TRY(plan, plan_scan(catalog, table));
    std::map<std::string, std::vector<ScanTask>> by_partition;
    for (auto& task : plan.tasks) {
        if (!wants_rewrite(task, options)) continue;
        const std::string key = partition_key(task.file->spec_id, task.file->partition);
        by_partition[key].push_back(std::move(task));
    }
    std::vector<CompactionGroup> groups;
    for (auto& [key, tasks] : by_partition) add_groups(table, std::move(tasks), options, &groups);
    return groups;
}

Result<CompactionReport> compact(Catalog& catalog, Committer& committer,
                                 const security::Caller& caller, const TablePtr& table,
                                 const FileRewriter& rewrite, const CompactionOptions& options) {
    CompactionReport report;
    TARN_TRY(now, catalog.snapshot().load_table(table->info));
    TARN_TRY(groups, plan_compaction(catalog, now, options));
    for (const auto& group : groups) {
        TARN_TRY(written, rewrite(group));
        int64_t bytes_after = 0;
        for (const auto& file : written) bytes_after += file.file_size_bytes;
        const uint64_t files_after = written.size();
        TARN_TRY(replaced, replace_group(catalog, committer, caller, group, std::move(written)));
        if (!replaced) {
            ++report.groups_overtaken;
            continue;
        }
        ++report.groups;
        report.files_before += group.files.size();
        report.files_after += files_after;
        report.bytes_before += group.bytes;
        report.bytes_after += bytes_after;
    }
    return report;
}

Result<std::vector<Files::Listed>> find_orphans(const Catalog& catalog, const TablePtr& table,
                                                Timestamp older_than) {
    TARN_TRY(now, catalog.snapshot().load_table(table->info));
    const TableMetadata& metadata = *now->metadata;
    PathSet known = {now->metadata_location};
    for (const auto& entry : metadata.metadata_log) known.insert(entry.metadata_file);
    for (const auto& snapshot : metadata.snapshots) {
        known.insert(snapshot->manifest_list);
        TARN_TRY(manifests, catalog.load_manifest_list(snapshot));
        for (const auto& info : *manifests)
            if (known.insert(info.path).second)
                TARN_CHECK_OK(add_live_files(catalog, info, &known));
    }
    std::vector<Files::Listed> orphans;
    std::string after;
    while (true) {
        constexpr size_t kPage = 1000;
        TARN_TRY(page, catalog.files().list(metadata.location + "/", after, kPage));
        if (page.empty()) return orphans;
        after = page.back().path;
        for (auto& file : page)
            if (file.modified_micros < older_than.micros && known.count(file.path) == 0)
                orphans.push_back(std::move(file));
    }
}

}  // namespace tarn::tables
