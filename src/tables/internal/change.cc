#include "tables/internal/change.h"

#include <algorithm>
#include <set>

#include "fmt/format.h"
#include "tables/internal/errors.h"
#include "tables/internal/snapshot_builder.h"
#include "tables/internal/table_builder.h"

namespace tarn::tables {

namespace {

Status check_file(const DataFile& file, FileContent content, const std::string& location,
                  std::set<std::string>* paths) {
    if (file.content != content)
        return invalid(fmt::format("{}: a file of another kind was expected", file.path));
    if (!file.path.starts_with(location + "/"))
        return invalid(fmt::format("{}: a table's files lie below {}", file.path, location));
    if (file.record_count < 0 || file.file_size_bytes < 0)
        return invalid(fmt::format("{}: negative number of rows or bytes", file.path));
    if (!paths->insert(file.path).second) return invalid(fmt::format("{}: added twice", file.path));
    return {};
}

Status expire(const std::vector<int64_t>& ids, TableMetadata* metadata) {
    const std::set<int64_t> expired(ids.begin(), ids.end());
    if (metadata->current_snapshot_id && expired.count(*metadata->current_snapshot_id) > 0)
        return invalid("the current snapshot can't expire");
    for (const auto& [name, ref] : metadata->refs)
        if (expired.count(ref.snapshot_id) > 0)
            return invalid(
                fmt::format("snapshot {} can't expire: \"{}\" names it", ref.snapshot_id, name));
    std::erase_if(metadata->snapshots, [&](const SnapshotPtr& snapshot) {
        return expired.count(snapshot->snapshot_id) > 0;
    });
    // What was current before a gap can't be told any more, as Java has it.
    auto& log = metadata->snapshot_log;
    const auto gap = std::find_if(log.rbegin(), log.rend(), [&](const SnapshotLogEntry& entry) {
        return expired.count(entry.snapshot_id) > 0;
    });
    log.erase(log.begin(), gap.base());
    return {};
}

/// Everything of a change but its rows.
Status apply_definition(const TableChange& change, TableMetadata* metadata) {
    if (!change.schema.empty()) TARN_CHECK_OK(apply_schema_steps(metadata, change.schema));
    if (change.partition) TARN_CHECK_OK(set_partition_spec(metadata, *change.partition));
    for (const auto& [name, value] : change.set_properties) metadata->properties[name] = value;
    for (const auto& name : change.remove_properties) metadata->properties.erase(name);
    if (!change.expire_snapshots.empty()) TARN_CHECK_OK(expire(change.expire_snapshots, metadata));
    return {};
}

bool changes_definition(const TableMetadata& before, const TableMetadata& after) {
    return before.current_schema_id != after.current_schema_id ||
           before.default_spec_id != after.default_spec_id ||
           before.properties != after.properties ||
           before.snapshots.size() != after.snapshots.size();
}

/// Nothing but compaction came between.
bool same_rows(const TableMetadata& now, const TableMetadata& base) {
    SnapshotPtr snapshot = now.current_snapshot();
    const int64_t then = base.current_snapshot_id.value_or(-1);
    while (snapshot != nullptr && snapshot->snapshot_id != then) {
        if (snapshot->operation() != "replace" || !snapshot->parent_snapshot_id) return false;
        snapshot = now.find_snapshot(*snapshot->parent_snapshot_id);
        if (snapshot == nullptr) return false;  // expired meanwhile
    }
    return snapshot != nullptr || !base.current_snapshot_id;
}

/// Remembers the file that is replaced, and lets go of the oldest.
void extend_metadata_log(const TableMetadata& before, const std::string& location,
                         int64_t entries_max, TableMetadata* after,
                         std::vector<std::string>* purge) {
    auto& log = after->metadata_log;
    log.push_back({before.last_updated_ms, location});
    const auto keep = static_cast<size_t>(std::clamp<int64_t>(entries_max, 1, 10'000));
    if (log.size() <= keep) return;
    const auto end = log.end() - static_cast<std::ptrdiff_t>(keep);
    for (auto entry = log.begin(); entry != end; ++entry) purge->push_back(entry->metadata_file);
    log.erase(log.begin(), end);
}

}  // namespace

Result<TablePtr> with_schema_steps(const TablePtr& table, const std::vector<SchemaStep>& steps) {
    auto metadata = std::make_shared<TableMetadata>(*table->metadata);
    TARN_CHECK_OK(apply_schema_steps(metadata.get(), steps));
    auto changed = std::make_shared<TableState>(*table);
    changed->metadata = std::move(metadata);
    return TablePtr(std::move(changed));
}

Status check_change(const TableChange& change) {
    TARN_ASSERT(change.table != nullptr);
    const std::string& location = change.table->metadata->location;
    std::set<std::string> paths;
    for (const auto& file : change.append)
        TARN_CHECK_OK(check_file(file, FileContent::data, location, &paths));
    for (const auto& file : change.position_deletes)
        TARN_CHECK_OK(check_file(file, FileContent::position_deletes, location, &paths));
    if (change.create && (change.changes_rows_of_base() || !change.expire_snapshots.empty()))
        return invalid("a table that is being created has nothing to remove yet");
    return {};
}

Result<Prepared> prepare_change(const Catalog& catalog, const CommitterOptions& options,
                                const MetadataPtr& current, const std::string& metadata_location,
                                const TableChange& change, int64_t now_ms) {
    Prepared prepared;
    if (change.decided_by_base && !same_rows(*current, *change.table->metadata))
        return Error(
            Code::conflict,
            fmt::format("table {}: rows came or went meanwhile", change.table->info.full_name()),
            "rows_changed");
    auto next = std::make_shared<TableMetadata>(*current);
    next->format_version = 2;
    TARN_CHECK_OK(apply_definition(change, next.get()));
    if (change.makes_snapshot())
        TARN_CHECK_OK(
            build_snapshot(catalog, options, *current, change, now_ms, next.get(), &prepared));
    prepared.changed =
        change.create || change.makes_snapshot() || changes_definition(*current, *next);
    prepared.metadata_location = metadata_location;
    if (!prepared.changed) {
        prepared.metadata = current;
        return prepared;
    }
    next->last_updated_ms = std::max({now_ms, current->last_updated_ms, next->last_updated_ms});
    if (!change.create)
        extend_metadata_log(
            *current, metadata_location,
            next->property_number("write.metadata.previous-versions-max", options.metadata_log_max),
            next.get(), &prepared.purge);
    prepared.purge.insert(prepared.purge.end(), change.purge.begin(), change.purge.end());
    const int64_t version = change.create ? 0 : metadata_version(metadata_location) + 1;
    prepared.metadata_location = metadata_path(next->location, version);
    prepared.files.push_back({prepared.metadata_location, metadata_json(*next)});
    prepared.metadata = std::move(next);
    return prepared;
}

}  // namespace tarn::tables
