#include "tables/internal/rows_check.h"

#include "fmt/format.h"

namespace tarn::tables {

namespace {

const std::string* bound_of(const FieldBounds& bounds, int field_id) {
    for (const auto& [id, bound] : bounds)
        if (id == field_id) return &bound;
    return nullptr;
}

Error rows_changed(const TableChange& change, const std::string& path) {
    return Error(Code::conflict,
                 fmt::format("table {}: rows in {} were changed by someone else since this "
                             "transaction began: try again",
                             change.table->info.full_name(), path),
                 "rows_changed");
}

/// The files of the base whose rows the change takes to be as they were.
PathSet touched_files(const TableChange& change) {
    PathSet touched(change.remove_files.begin(), change.remove_files.end());
    touched.insert(change.deletes_from.begin(), change.deletes_from.end());
    // Delete files that only take the place of others say nothing new of the rows.
    if (!change.replace)
        for (const auto& file : change.position_deletes)
            if (file.referenced_data_file) touched.insert(*file.referenced_data_file);
    for (const auto& file : change.append) touched.erase(file.path);
    return touched;
}

/// True when the snapshot that added the file only wrote rows and deletions anew that were there.
bool by_replacement(const TableMetadata& current, const ManifestEntry& entry) {
    const SnapshotPtr snapshot = current.find_snapshot(entry.snapshot_id);
    return snapshot != nullptr && snapshot->operation() == "replace";
}

/// Nobody else may have deleted rows of the touched files after the base.
Status check_new_deletes(const TableMetadata& current, const Manifest& manifest,
                         int64_t base_sequence, const PathSet& touched,
                         const TableChange& change) {
    for (const auto& entry : manifest.entries) {
        if (entry.status == EntryStatus::deleted || entry.file_sequence_number <= base_sequence ||
            by_replacement(current, entry))
            continue;
        if (entry.file.content == FileContent::equality_deletes)
            return rows_changed(change, entry.file.path);
        if (const std::string* only = only_data_file(entry.file)) {
            if (touched.count(*only) > 0) return rows_changed(change, *only);
            continue;
        }
        for (const auto& path : touched)
            if (may_delete_from(entry.file, path)) return rows_changed(change, path);
    }
    return {};
}

}  // namespace

const std::string* only_data_file(const DataFile& deletes) {
    if (deletes.referenced_data_file) return &*deletes.referenced_data_file;
    const std::string* lower = bound_of(deletes.lower_bounds, kDeletePathFieldId);
    const std::string* upper = bound_of(deletes.upper_bounds, kDeletePathFieldId);
    // Equal bounds of sixteen characters or fewer may have been cut; paths are longer.
    return lower != nullptr && upper != nullptr && *lower == *upper && lower->size() > kBoundLength
               ? lower
               : nullptr;
}

bool may_delete_from(const DataFile& deletes, const std::string& path) {
    if (deletes.referenced_data_file) return *deletes.referenced_data_file == path;
    const std::string* lower = bound_of(deletes.lower_bounds, kDeletePathFieldId);
    const std::string* upper = bound_of(deletes.upper_bounds, kDeletePathFieldId);
    return (lower == nullptr || *lower <= path) && (upper == nullptr || *upper >= path);
}

Status check_rows_unchanged(const Catalog& catalog, const TableMetadata& current,
                            const std::vector<ManifestFile>& manifests, const TableChange& change) {
    const TableMetadata& base = *change.table->metadata;
    if (base.current_snapshot_id == current.current_snapshot_id) return {};
    const SnapshotPtr base_snapshot = base.current_snapshot();
    const int64_t base_sequence = base_snapshot == nullptr ? 0 : base_snapshot->sequence_number;
    const PathSet touched = touched_files(change);
    PathSet missing = touched;
    for (const auto& info : manifests) {
        if (!info.has_live_files()) continue;
        const bool deletes = info.content == ManifestContent::deletes;
        TARN_TRY(manifest, catalog.load_manifest(info));
        if (deletes && info.sequence_number > base_sequence)
            TARN_CHECK_OK(check_new_deletes(current, *manifest, base_sequence, touched, change));
        for (const auto& entry : manifest->entries)
            if (entry.status != EntryStatus::deleted && !missing.empty())
                missing.erase(entry.file.path);
    }
    if (!missing.empty()) return rows_changed(change, *missing.begin());
    return {};
}

}  // namespace tarn::tables
