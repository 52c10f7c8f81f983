// Charts of one table under one condition, answered by one scan of it (internal/rollup.h).
#pragma once

#include <vector>

#include "dashboards/internal/page.h"

namespace tarn::dashboards {

/// The charts at these places of the page, those in one list to be answered together. Looks at the first rows of a table
/// where it has to know how many groups there would be.
std::vector<std::vector<size_t>> plan_scans(Page& page, const std::vector<size_t>& charts);

/// Rows of all of them; false (and nothing is changed) when they have to be asked for one by one: an error is one chart's.
bool answer_together(Page& page, const std::vector<size_t>& charts, std::vector<ChartData>& out);

}  // namespace tarn::dashboards
