// What the manifests know of a column, in the optimizer's form: with least and greatest value it picks array joins and
// array aggregates instead of hash tables.
#pragma once

#include <vector>

#include "query/internal/duck.h"
#include "tables/scan.h"

namespace tarn::query {

/// Of integers, dates and timestamps; null when a file says nothing. Rows that were deleted only make the range wider
/// than it is, which is fine. Opens no file.
duck::unique_ptr<duck::BaseStatistics> column_statistics(const tables::Field& field,
                                                         const std::vector<const tables::DataFile*>& files);

}  // namespace tarn::query
