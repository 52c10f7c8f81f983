// What a lakefile says of a dashboard, in plain values. A chart is one SELECT that is made here from a few words; it runs
// with the viewer's own grants.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tarn::dashboards {

struct ChartSpec {
    enum class Kind : uint8_t { number, line, bar, table, map, area, stacked, scatter, heatmap };
    enum class Width : uint8_t { automatic, third, half, full };

    std::string title;
    Kind kind = Kind::table;
    std::vector<std::string> measures;  // expressions: "count(*)", "units"; map: the place to show
    std::string by;                     // x axis: a column
    std::string split;                  // one series for each of its values; heatmap: the y axis
    std::string spark;                  // table: a measure over `by`, drawn small in each row
    Width width = Width::automatic;     // of the page's row
    std::string from;                   // table
    std::string where;                  // SQL condition
    std::vector<std::string> columns;   // table
    std::string order;                  // "hours_to_empty", "day desc"
    uint64_t limit = 0;                 // 0: the default of the kind
    std::string colour;                 // map
    std::string sql;                    // instead of from/where/by
    std::string unit;                   // "units", "h", "%": shown beside values

    bool operator==(const ChartSpec&) const = default;
};

struct DashboardSpec {
    std::string name;
    std::string title;
    std::vector<std::string> filters;  // columns that the viewer may narrow by
    std::vector<ChartSpec> charts;
    std::vector<std::string> embed;    // origins whose pages may frame it: "https://intranet.example"

    bool operator==(const DashboardSpec&) const = default;
};

/// Table ("main.sales") -> name -> SQL aggregate: what a number of it means is said once.
using Measures = std::map<std::string, std::map<std::string, std::string>>;

/// As a lakefile has it: "stacked", "half" ("" for automatic).
const char* word(ChartSpec::Kind kind);
const char* word(ChartSpec::Width width);

}  // namespace tarn::dashboards
