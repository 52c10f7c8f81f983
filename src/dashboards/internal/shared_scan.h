// Charts of one table, answered by one scan of it (internal/rollup.h).
#pragma once

#include <vector>

#include "dashboards/internal/page.h"

namespace tarn::dashboards {

inline constexpr uint64_t kChoicesMax = 500;

/// What is asked at once. Charts and filters are numbers of the page's.
struct Scan {
    std::vector<size_t> charts;  // of one table under one condition
    /// Their values are among the keys of the charts.
    std::vector<size_t> filters;
};

/// How the charts at these places of the page, and its filters, are asked for. Looks at the first rows of a table where it has to
/// know how many groups there would be.
std::vector<Scan> plan_scans(Page& page, const std::vector<size_t>& charts);

/// Rows of all charts into `charts`, by place, and values of the filters into `filters`. False (and nothing is changed): they have
/// to be asked for one by one; an error is one chart's.
bool answer_together(Page& page, const Scan& scan, std::vector<ChartData>& charts, std::vector<ChartData>& filters);

/// Whether the viewer sees such a column in the chart's table; not of a chart that is made by sql.
bool has_column(Page& page, const ChartSpec& chart, const std::string& column);

}  // namespace tarn::dashboards
