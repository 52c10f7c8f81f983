// The tables that a SELECT reads, also through views.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "flows/spec.h"
#include "tables/catalog.h"

namespace tarn::flows {

/// Sorted; views that exist are replaced by their tables. invalid_argument: no single SELECT.
Result<std::vector<TableRef>> tables_of(const tables::CatalogSnapshot& state,
                                        const std::string& sql, const std::string& database);

}  // namespace tarn::flows
