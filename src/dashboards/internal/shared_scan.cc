#include "dashboards/internal/shared_scan.h"

#include <algorithm>

#include "dashboards/internal/rollup.h"

namespace tarn::dashboards {
namespace {

constexpr int kSampleRows = 50'000;
/// A table's first rows are often of one day: a time, or what is computed, has at least as many values as a year has days.
constexpr double kTimesMin = 366;

/// How many values each key has, as the table's first rows tell.
std::map<std::string, double> count_values(Page& page, const std::string& from, const std::vector<Keys>& charts) {
    std::map<std::string, double> out;
    for (const auto& keys : charts)
        for (const auto& key : keys) out[key] = 0;
    const auto columns = page.describe(from);
    if (out.empty() || !columns.ok()) return {};
    std::string counts, values;
    size_t keys = 0;
    for (const auto& [key, number] : out) {
        const std::string name = "v" + std::to_string(keys++);
        counts += (counts.empty() ? "" : ", ") + ("count(distinct " + name + ")");
        values += (values.empty() ? "" : ", ") + key + " as " + name;
    }
    ChartQuery query;
    query.sql = "select " + counts + " from (select " + values + " from " + from + " limit " + std::to_string(kSampleRows) + ")";
    query.limit = 1;
    ChartData counted;
    if (!page.run(query, counted).ok() || counted.rows->rows() != 1) return {};
    size_t place = 0;
    for (auto& [key, number] : out) {
        double least = kTimesMin;
        for (const auto& column : *columns)
            if (quoted_name(column.name) == key && !is_time(column.type)) least = 1;
        number = std::max(static_cast<double>(counted.rows->columns[place++].number(0)), least);
    }
    return out;
}

/// The keys that a chart groups by; nullopt when it has to be asked for alone.
std::optional<Keys> keys_of(Page& page, const ChartSpec& chart) {
    Rollup rollup;
    const auto query = make_query_over(rollup, chart, page.filters,
                                       [&](const std::string& relation) { return page.describe(relation); }, page.options.rows_max);
    if (!query.ok() || !rollup.fits()) return std::nullopt;
    return Keys(rollup.keys().begin(), rollup.keys().end());
}

/// Charts of one table under one condition.
void plan_table(Page& page, const std::vector<size_t>& charts, std::vector<std::vector<size_t>>& out) {
    std::vector<size_t> places;
    std::vector<Keys> sharing;
    for (const size_t place : charts) {
        auto keys = keys_of(page, page.spec.charts[place]);
        if (!keys) {
            out.push_back({place});
            continue;
        }
        places.push_back(place);
        sharing.push_back(std::move(*keys));
    }
    const bool differ = std::adjacent_find(sharing.begin(), sharing.end(), std::not_equal_to<>()) != sharing.end();
    const auto name = parse_name(page.spec.charts[charts[0]].from);
    std::map<std::string, double> values;
    if (differ && name.ok()) values = count_values(page, quoted_name(*name), sharing);
    for (const auto& scan : share_scans(sharing, values)) {
        auto& list = out.emplace_back();
        for (const size_t i : scan) list.push_back(places[i]);
    }
}

/// Takes the rows of chart number `number` out of those of all; its columns begin at `first`.
void take_part(const ChartData& all, const ChartQuery& query, size_t number, size_t first, ChartData& out) {
    auto rows = std::make_shared<query::Chunk>();
    out.columns = query.columns;
    for (size_t i = 0; i < query.columns.size(); ++i) {
        const auto& from = all.rows->columns[first + i];
        out.columns[i].type = from.type();
        auto& to = rows->columns.emplace_back(from.type());
        for (size_t row = 0; row < all.rows->rows(); ++row) {
            if (all.rows->columns[0].number(row) != static_cast<int64_t>(number)) continue;
            if (to.rows() == query.limit) {
                out.truncated = query.limit_is_a_cut;
                break;
            }
            if (from.is_null(row))
                to.append_null();
            else
                to.append(from.value(row));
        }
    }
    out.rows = std::move(rows);
    note_query(query, out);
}

}  // namespace

std::vector<std::vector<size_t>> plan_scans(Page& page, const std::vector<size_t>& charts) {
    std::vector<std::vector<size_t>> tables, out;
    for (const size_t place : charts) {
        const ChartSpec& chart = page.spec.charts[place];
        const auto same = std::find_if(tables.begin(), tables.end(), [&](const std::vector<size_t>& list) {
            const ChartSpec& first = page.spec.charts[list[0]];
            return may_share(chart) && may_share(first) && first.from == chart.from && first.where == chart.where;
        });
        if (same == tables.end())
            tables.push_back({place});
        else
            same->push_back(place);
    }
    for (const auto& list : tables) {
        if (list.size() == 1)
            out.push_back(list);
        else
            plan_table(page, list, out);
    }
    // The longest first, so that no thread is left alone with it.
    std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
    return out;
}

bool answer_together(Page& page, const std::vector<size_t>& charts, std::vector<ChartData>& out) {
    const auto begin = page.parts.clock.steady();
    const auto describe = [&](const std::string& relation) { return page.describe(relation); };
    Rollup rollup;
    std::vector<ChartQuery> queries;
    std::string parts;
    uint64_t rows_max = 0;
    for (const size_t place : charts) {
        auto query = make_query_over(rollup, page.spec.charts[place], page.filters, describe, page.options.rows_max);
        if (!query.ok() || !rollup.fits()) return false;
        const std::string number = std::to_string(queries.size());
        std::string names;
        for (size_t i = 0; i < query->columns.size(); ++i)
            names += (i == 0 ? "c" : ", c") + number + "_" + std::to_string(i);
        parts += (queries.empty() ? "select " : " union all by name select ") + number +
                 "::int as chart, row_number() over () as place, * from (" + query->sql + ") as c(" + names + ")";
        rows_max += query->limit + 1;
        queries.push_back(std::move(query).value());
    }
    auto scan = make_scan_query(rollup, page.spec.charts[charts[0]], page.filters, describe);
    if (!scan.ok()) return false;
    scan->sql = "with " + std::string(Rollup::kName) + " as materialized (" + scan->sql + ") select * from (" + parts +
                ") order by chart, place";
    scan->limit = rows_max;
    ChartData all;
    if (!page.run(*scan, all).ok()) return false;
    size_t first = 2;
    for (size_t i = 0; i < charts.size(); ++i) {
        ChartData& chart = out[charts[i]];
        take_part(all, queries[i], i, first, chart);
        first += queries[i].columns.size();
        chart.milliseconds = milliseconds_since(page.parts.clock, begin);
    }
    return true;
}

}  // namespace tarn::dashboards
