// One thread's part of a viewer's look at a dashboard: a session of the viewer, made when the first chart needs it, and
// what is told of a chart besides its rows.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "dashboards/dashboards.h"
#include "dashboards/internal/chart_sql.h"
#include "dashboards/internal/names.h"

namespace tarn::dashboards {

struct Page {
    const Parts& parts;
    const Options& options;
    const DashboardSpec& spec;
    const Filters& filters;
    const security::Caller& viewer;
    const std::chrono::steady_clock::time_point begun;
    const tables::CatalogSnapshot& state;
    std::unique_ptr<query::Session> session;
    std::map<std::string, std::vector<query::ResultColumn>> described;

    Result<query::Session*> connect();
    /// The columns that the viewer sees of `relation`, quoted or a SELECT in brackets.
    Result<std::vector<query::ResultColumn>> describe(const std::string& relation);
    /// The tables behind a chart: what the viewer sees of them and their state, in `chart` and in the cache's key.
    Status note_tables(const ChartSpec& chart, ChartData& out, std::string& key);
    /// Columns, rows and whether they were cut.
    Status run(const ChartQuery& query, ChartData& out);
};

/// All SQL of a chart in one text, for finding the tables that it may read.
std::string text_of(const ChartSpec& chart);
/// The tables that exist among `names`, views followed to what they stand for.
Status add_tables(const tables::CatalogSnapshot& state, const std::set<Name>& names, int depth,
                  std::map<std::string, tables::RelationInfo>& found);
/// What was left out of the filters and series, once the chart has its rows.
void note_query(const ChartQuery& query, ChartData& out);
double milliseconds_since(const Clock& clock, std::chrono::steady_clock::time_point begin);

}  // namespace tarn::dashboards
