// Planning: manifests are opened only where their partition ranges allow a match; delete files are
// found by the data file that they name, else by partition.
#include "tables/scan.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "fmt/format.h"
#include "tables/internal/partition_key.h"
#include "tables/internal/prune.h"
#include "tables/internal/rows_check.h"

namespace tarn::tables {

namespace {

struct DeleteFile {
    DataFilePtr file;
    int64_t sequence_number = 0;
};

/// The live delete files of a snapshot, by what they can apply to.
class DeleteIndex {
 public:
    Status add(const ManifestPtr& manifest) {
        for (const auto& entry : manifest->entries) {
            if (entry.status == EntryStatus::deleted) continue;
            if (entry.file.content == FileContent::equality_deletes)
                return Error(
                    Code::unimplemented,
                    fmt::format(
                        "{}: equality deletes are not supported; compact the table with the engine "
                        "that wrote them",
                        entry.file.path));
            DeleteFile found{DataFilePtr(manifest, &entry.file), entry.sequence_number};
            if (const std::string* only = only_data_file(entry.file))
                by_path_[*only].push_back(std::move(found));
            else
                by_partition_[partition_key(entry.file.spec_id, entry.file.partition)].push_back(
                    std::move(found));
        }
        return {};
    }

    void apply(ScanTask* task) const {
        const auto add = [&](const std::vector<DeleteFile>& candidates) {
            for (const auto& candidate : candidates)
                if (candidate.sequence_number >= task->sequence_number &&
                    may_delete_from(*candidate.file, task->file->path))
                    task->deletes.push_back(candidate.file);
        };
        if (!by_path_.empty()) {
            const auto found = by_path_.find(task->file->path);
            if (found != by_path_.end()) add(found->second);
        }
        if (!by_partition_.empty()) {
            const auto found =
                by_partition_.find(partition_key(task->file->spec_id, task->file->partition));
            if (found != by_partition_.end()) add(found->second);
        }
    }

 private:
    std::unordered_map<std::string, std::vector<DeleteFile>> by_path_;
    std::unordered_map<std::string, std::vector<DeleteFile>> by_partition_;
};

Result<SnapshotPtr> snapshot_for(const TableState& table, const ScanOptions& options) {
    const TableMetadata& metadata = *table.metadata;
    if (options.snapshot_id) {
        SnapshotPtr found = metadata.find_snapshot(*options.snapshot_id);
        if (found != nullptr) return found;
        return Error(Code::not_found,
                     fmt::format("table {} has no snapshot {}: it may have expired",
                                 table.info.full_name(), *options.snapshot_id),
                     "no_such_snapshot");
    }
    if (options.as_of) {
        SnapshotPtr found = metadata.snapshot_at(*options.as_of);
        if (found != nullptr) return found;
        return Error(Code::not_found,
                     fmt::format("table {} has no snapshot as old as {}", table.info.full_name(),
                                 format_iso8601(*options.as_of)),
                     "no_such_snapshot");
    }
    return metadata.current_snapshot();
}

bool time_travels(const ScanOptions& options) {
    return options.snapshot_id || options.as_of;
}

void add_tasks(const ManifestPtr& manifest, const Pruner& pruner, ScanPlan* plan) {
    for (const auto& entry : manifest->entries) {
        if (entry.status == EntryStatus::deleted) continue;
        ++plan->files_total;
        if (!pruner.may_match(entry.file)) {
            ++plan->files_pruned;
            continue;
        }
        plan->tasks.push_back({DataFilePtr(manifest, &entry.file), entry.sequence_number, {}});
        plan->records += entry.file.record_count;
        plan->bytes += entry.file.file_size_bytes;
    }
}

}  // namespace

Result<ScanPlan> plan_scan(const Catalog& catalog, const TablePtr& table,
                           const ScanOptions& options) {
    const TableMetadata& metadata = *table->metadata;
    ScanPlan plan;
    TARN_TRY(snapshot, snapshot_for(*table, options));
    plan.snapshot = snapshot;
    const Schema* schema = nullptr;
    if (time_travels(options) && snapshot->schema_id)
        schema = metadata.find_schema(*snapshot->schema_id);
    plan.schema = schema == nullptr ? metadata.schema() : *schema;
    TARN_TRY(manifests, catalog.load_manifest_list(snapshot));

    std::map<int, Pruner> pruners;
    DeleteIndex deletes;
    for (const auto& info : *manifests) {
        if (!info.has_live_files()) continue;
        if (info.content == ManifestContent::deletes) {
            TARN_TRY(manifest, catalog.load_manifest(info));
            TARN_CHECK_OK(deletes.add(manifest));
            continue;
        }
        const PartitionSpec* spec = metadata.find_spec(info.spec_id);
        if (spec == nullptr)
            return Error(Code::corrupted, fmt::format("{}: partition spec {} is not known",
                                                      info.path, info.spec_id));
        auto pruner = pruners.find(info.spec_id);
        if (pruner == pruners.end())
            pruner = pruners
                         .emplace(info.spec_id, Pruner(options.filter, plan.schema, *spec,
                                                       partition_types(*spec, metadata.schemas),
                                                       options.with_columns))
                         .first;
        if (!pruner->second.may_match(info)) {
            const auto files = static_cast<uint64_t>(info.added_files + info.existing_files);
            plan.files_total += files;
            plan.files_pruned += files;
            continue;
        }
        TARN_TRY(manifest, catalog.load_manifest(info));
        add_tasks(manifest, pruner->second, &plan);
    }
    for (auto& task : plan.tasks) deletes.apply(&task);
    std::stable_sort(
        plan.tasks.begin(), plan.tasks.end(),
        [](const ScanTask& a, const ScanTask& b) { return a.sequence_number < b.sequence_number; });
    return plan;
}

Result<std::optional<int64_t>> known_row_count(const Catalog& catalog, const TablePtr& table) {
    TARN_TRY(manifests, catalog.load_manifest_list(table->current_snapshot()));
    int64_t rows = 0;
    for (const auto& info : *manifests) {
        if (!info.has_live_files()) continue;
        if (info.content == ManifestContent::deletes) return std::optional<int64_t>();
        rows += info.added_rows + info.existing_rows;
    }
    return std::optional<int64_t>(rows);
}

}  // namespace tarn::tables
