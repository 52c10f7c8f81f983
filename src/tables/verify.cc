#include "tables/verify.h"

#include <unordered_set>

#include "base/bytes.h"
#include "tables/maintenance.h"
#include "tables/object_files.h"

namespace tarn::tables {
namespace {

constexpr std::string_view kParquetMagic = "PAR1";
constexpr uint64_t kParquetTailBytes = 8;  // length of the footer, magic

class TableCheck {
 public:
    TableCheck(const Catalog& catalog, const objects::ObjectStore& objects, RelationInfo info,
               Findings& findings)
        : catalog_(catalog), objects_(objects), info_(std::move(info)), findings_(findings) {}

    void run(Timestamp orphans_before) {
        const auto table = catalog_.snapshot().load_table(info_);
        if (!table.ok()) return report(table.error());
        findings_.looked_at("tables", 0);
        for (const auto& snapshot : (*table)->metadata->snapshots) {
            if (findings_.stopped()) return;
            if (const Status fits = check_snapshot(snapshot); !fits.ok()) {
                if (is_there(snapshot)) report(fits.error(), snapshot);
            }
        }
        const auto orphans = find_orphans(catalog_, *table, orphans_before);
        if (!orphans.ok()) return;  // what it could not read is reported above
        for (const auto& orphan : *orphans)
            findings_.leftover(orphan.path,
                               "no snapshot of table " + info_.full_name() + " refers to it");
    }

 private:
    /// A table that was dropped meanwhile is no finding.
    void report(const Error& error, const SnapshotPtr& snapshot = nullptr) {
        const auto now = catalog_.snapshot().find_relation(info_.database, info_.name);
        if (now.ok() && !*now) return;
        findings_.damage(
            "table " + info_.full_name(),
            (snapshot ? "snapshot " + std::to_string(snapshot->snapshot_id) + ": " : "") +
                error.message);
    }
    /// Not expired meanwhile.
    bool is_there(const SnapshotPtr& snapshot) const {
        const auto now = catalog_.snapshot().load_table(info_);
        return !now.ok() || (*now)->metadata->find_snapshot(snapshot->snapshot_id) != nullptr;
    }

    Status check_snapshot(const SnapshotPtr& snapshot) {
        TARN_TRY(manifests, catalog_.load_manifest_list(snapshot));
        for (const auto& info : *manifests) {
            if (findings_.stopped() || !seen_.insert(info.path).second) continue;
            TARN_TRY(manifest, catalog_.load_manifest(info));
            for (const auto& entry : manifest->entries)
                if (entry.status != EntryStatus::deleted && seen_.insert(entry.file.path).second)
                    TARN_CHECK_OK(check_file(entry.file));
        }
        return ok_status();
    }

    Status check_file(const DataFile& file) {
        TARN_TRY(path, parse_object_path(file.path));
        auto reader = objects_.open(path.bucket, path.key);
        if (!reader.ok()) return std::move(reader).error().within(file.path);
        const uint64_t size = (*reader)->info().size;
        findings_.looked_at("data files", size);
        if (size != static_cast<uint64_t>(file.file_size_bytes))
            return Error(Code::corrupted, file.path + " has " + std::to_string(size) +
                                              " bytes, its manifest says " +
                                              std::to_string(file.file_size_bytes));
        if (file.format != "PARQUET") return ok_status();
        auto tail = (*reader)->read(size - std::min(size, kParquetTailBytes), kParquetTailBytes);
        if (!tail.ok()) return std::move(tail).error().within(file.path);
        if (tail->size() != kParquetTailBytes || !tail->ends_with(kParquetMagic) ||
            load_le<uint32_t>(tail->data()) + kParquetTailBytes > size)
            return Error(Code::corrupted, file.path + " does not end as a Parquet file does");
        return ok_status();
    }

    const Catalog& catalog_;
    const objects::ObjectStore& objects_;
    const RelationInfo info_;
    Findings& findings_;
    std::unordered_set<std::string> seen_;
};

}  // namespace

void verify_tables(const Catalog& catalog, const objects::ObjectStore& objects,
                   Timestamp orphans_before, Findings& findings) {
    const auto state = catalog.snapshot();
    const auto databases = state.databases();
    if (!databases.ok()) return findings.damage("catalog", databases.error().message);
    for (const auto& database : *databases) {
        const auto relations = state.relations(database.name);
        if (!relations.ok()) {
            findings.damage("database " + database.name, relations.error().message);
            continue;
        }
        for (const auto& relation : *relations)
            if (relation.kind == RelationKind::table && !findings.stopped())
                TableCheck(catalog, objects, relation, findings).run(orphans_before);
    }
}

}  // namespace tarn::tables
