#include "flows/internal/changes.h"

#include <algorithm>

namespace tarn::flows {

namespace {

/// The snapshots after `before` up to the current one, newest first; nullopt: `before` is not among
/// its ancestors.
std::optional<std::vector<tables::SnapshotPtr>> between(const tables::TableState& table,
                                                        std::optional<int64_t> before) {
    std::vector<tables::SnapshotPtr> found;
    auto at = table.current_snapshot();
    while (at && (!before || at->snapshot_id != *before)) {
        found.push_back(at);
        if (!at->parent_snapshot_id) {
            at = nullptr;
            break;
        }
        at = table.metadata->find_snapshot(*at->parent_snapshot_id);
        if (!at) return std::nullopt;  // expired
    }
    if (before && !at) return std::nullopt;
    return found;
}

}  // namespace

TableChanges changes_since(const tables::TableState& table, std::optional<int64_t> before) {
    const auto snapshots = between(table, before);
    TableChanges changes;
    if (!snapshots) {
        changes.kind = TableChanges::Kind::other;
        return changes;
    }
    changes.snapshots = snapshots->size();
    for (const auto& snapshot : *snapshots) {
        const std::string operation = snapshot->operation();
        if (operation == "replace") continue;
        const auto kind =
            operation == "append" ? TableChanges::Kind::appended : TableChanges::Kind::other;
        changes.kind = std::max(changes.kind, kind);
    }
    return changes;
}

Result<AddedFiles> added_since(const tables::Catalog& catalog, const tables::TableState& table,
                               std::optional<int64_t> before) {
    auto snapshots = between(table, before);
    if (!snapshots)
        return Error{Code::not_found,
                     "the snapshots of " + table.info.full_name() + " have expired"};
    std::reverse(snapshots->begin(), snapshots->end());
    AddedFiles added;
    for (const auto& snapshot : *snapshots) {
        if (snapshot->operation() != "append") continue;
        TARN_TRY(manifests, catalog.load_manifest_list(snapshot));
        for (const auto& info : *manifests) {
            if (info.added_snapshot_id != snapshot->snapshot_id ||
                info.content != tables::ManifestContent::data)
                continue;
            TARN_TRY(manifest, catalog.load_manifest(info));
            for (const auto& entry : manifest->entries) {
                if (entry.status != tables::EntryStatus::added ||
                    entry.snapshot_id != snapshot->snapshot_id)
                    continue;
                added.files.push_back(
                    {tables::DataFilePtr(manifest, &entry.file), entry.sequence_number, {}});
                added.rows += static_cast<uint64_t>(entry.file.record_count);
            }
        }
    }
    return added;
}

}  // namespace tarn::flows
