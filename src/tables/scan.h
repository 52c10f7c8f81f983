// Which files a query must read: the snapshot's live data files, less those that partition values
// or column bounds rule out, each with the delete files that apply to it (Iceberg spec "Scan
// Planning").
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "tables/catalog.h"

namespace tarn::tables {

/// One condition on one column; a plan's conditions are connected by AND. A condition that can't
/// prune is harmless.
struct Predicate {
    enum class Op : uint8_t { eq, ne, lt, le, gt, ge, in, is_null, not_null, starts_with };
    int field_id = 0;
    Op op = Op::eq;
    std::vector<Literal>
        values;  // in the column's type; one, several for `in`, none for the null tests
};

struct ScanOptions {
    std::optional<int64_t> snapshot_id;  // time travel; not_found when it is gone
    std::optional<Timestamp> as_of;      // time travel; not_found when the table is younger
    std::vector<Predicate> filter;
    bool with_columns =
        true;  // false: keep the pruning to the partitions (statistics are not trusted)
};

using DataFilePtr = std::shared_ptr<const DataFile>;  // keeps its manifest in memory

struct ScanTask {
    DataFilePtr file;
    int64_t sequence_number = 0;       // of the data
    std::vector<DataFilePtr> deletes;  // position deletes that may name rows of this file
};

struct ScanPlan {
    SnapshotPtr snapshot;  // null: the table has no data
    Schema schema;         // to read by: the current one, or that of the snapshot travelled to
    std::vector<ScanTask> tasks;  // oldest data first
    uint64_t files_total = 0;  // live data files of the snapshot, as far as manifests were opened
    uint64_t files_pruned = 0;
    int64_t records = 0;  // in the files of the plan, deleted rows included
    int64_t bytes = 0;
};

/// Lane: any but a loop. unimplemented: the table has equality deletes.
Result<ScanPlan> plan_scan(const Catalog& catalog, const TablePtr& table,
                           const ScanOptions& options = {});

/// The exact number of rows when it is known without reading files (no deletes, no filter); for
/// count(*).
Result<std::optional<int64_t>> known_row_count(const Catalog& catalog, const TablePtr& table);

}  // namespace tarn::tables
