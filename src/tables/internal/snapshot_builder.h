// A new snapshot of a table's rows: manifests written, rewritten, merged, and the list of them
// (Iceberg spec "Snapshots").
#pragma once

#include "tables/internal/change.h"

namespace tarn::tables {

/// Adds to `next` the snapshot that `change` makes of `current`, and its files to `out`. `next`
/// already has the change's schema and partition spec. conflict ("rows_changed"): others changed
/// the same files since the change's base.
Status build_snapshot(const Catalog& catalog, const CommitterOptions& options,
                      const TableMetadata& current, const TableChange& change, int64_t now_ms,
                      TableMetadata* next, Prepared* out);

}  // namespace tarn::tables
