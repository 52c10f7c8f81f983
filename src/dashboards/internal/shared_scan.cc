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

struct Wanted {
    Keys keys;
    std::set<std::string> aggregates;
};

/// What a chart needs of a scan; nullopt when it has to be asked for alone.
std::optional<Wanted> wanted_by(Page& page, const ChartSpec& chart) {
    Rollup rollup;
    const auto query = make_query_over(rollup, chart, page.filters,
                                       [&](const std::string& relation) { return page.describe(relation); }, page.options.rows_max);
    if (!query.ok() || !rollup.fits()) return std::nullopt;
    return Wanted{{rollup.keys().begin(), rollup.keys().end()}, {rollup.partials().begin(), rollup.partials().end()}};
}

struct Planned {
    Scan scan;
    std::optional<Keys> keys;  // nullopt: a chart that has to be asked for alone
};

/// Charts of one table under one condition.
void plan_table(Page& page, const std::vector<size_t>& charts, std::vector<Planned>& out) {
    std::vector<size_t> places;
    std::vector<Keys> sharing;
    std::vector<std::set<std::string>> aggregates;
    for (const size_t place : charts) {
        auto wanted = wanted_by(page, page.spec.charts[place]);
        if (!wanted) {
            out.push_back({{{place}, {}}, std::nullopt});
            continue;
        }
        places.push_back(place);
        sharing.push_back(std::move(wanted->keys));
        aggregates.push_back(std::move(wanted->aggregates));
    }
    const bool differ = std::adjacent_find(sharing.begin(), sharing.end(), std::not_equal_to<>()) != sharing.end();
    const auto name = parse_name(page.spec.charts[charts[0]].from);
    std::map<std::string, double> values;
    if (differ && name.ok()) values = count_values(page, quoted_name(*name), sharing);
    for (const auto& scan : share_aggregates(share_scans(sharing, values), sharing, aggregates)) {
        Planned& made = out.emplace_back(Planned{{}, Keys{}});
        for (const size_t i : scan) {
            made.scan.charts.push_back(places[i]);
            made.keys->insert(sharing[i].begin(), sharing[i].end());
        }
    }
}

/// The values of filters are those of all rows: a scan that is not narrowed has them among its keys.
void plan_choices(Page& page, std::vector<Planned>& scans) {
    for (const auto& [name, values] : page.filters)
        if (!values.empty()) return;
    for (size_t i = 0; i < page.spec.filters.size(); ++i) {
        const std::string& filter = page.spec.filters[i];
        const auto scan = std::find_if(scans.begin(), scans.end(), [&](const Planned& one) {
            if (!one.keys || one.scan.charts.size() < 2 || !one.keys->contains(quoted_name(filter))) return false;
            const ChartSpec& first = page.spec.charts[one.scan.charts[0]];
            const auto source = std::find_if(page.spec.charts.begin(), page.spec.charts.end(), [&](const ChartSpec& chart) { return has_column(page, chart, filter); });
            return first.where.empty() && source->from == first.from;
        });
        if (scan != scans.end()) scan->scan.filters.push_back(i);
    }
}

/// Makes the scan's query one that answers all: rows of number and place, and each part's columns beside those of the others.
void put_parts(const std::vector<ChartQuery>& queries, ChartQuery& scan) {
    std::string parts;
    scan.limit = 0;
    for (size_t i = 0; i < queries.size(); ++i) {
        const std::string number = std::to_string(i);
        std::string names;
        for (size_t column = 0; column < queries[i].columns.size(); ++column)
            names += (column == 0 ? "c" : ", c") + number + "_" + std::to_string(column);
        parts += (i == 0 ? "select " : " union all by name select ") + number +
                 "::int as chart, row_number() over () as place, * from (" + queries[i].sql + ") as c(" + names + ")";
        scan.limit += queries[i].limit + 1;
    }
    scan.sql = "with " + std::string(Rollup::kName) + " as materialized (" + scan.sql + ") select * from (" + parts +
               ") order by chart, place";
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

std::vector<Scan> plan_scans(Page& page, const std::vector<size_t>& charts) {
    std::vector<std::vector<size_t>> tables;
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
    std::vector<Planned> scans;
    for (const auto& list : tables) {
        if (list.size() == 1)
            scans.push_back({{list, {}}, std::nullopt});
        else
            plan_table(page, list, scans);
    }
    plan_choices(page, scans);
    std::vector<Scan> out;
    for (auto& one : scans) out.push_back(std::move(one.scan));
    // The longest first, so that no thread is left alone with it.
    std::stable_sort(out.begin(), out.end(), [](const Scan& a, const Scan& b) { return a.charts.size() > b.charts.size(); });
    return out;
}

bool has_column(Page& page, const ChartSpec& chart, const std::string& column) {
    const auto name = parse_name(chart.from);
    if (!chart.sql.empty() || !name.ok()) return false;
    const auto columns = page.describe(quoted_name(*name));
    return columns.ok() && std::any_of(columns->begin(), columns->end(), [&](const auto& one) { return one.name == column; });
}

bool answer_together(Page& page, const Scan& scan, std::vector<ChartData>& charts, std::vector<ChartData>& filters) {
    const auto begin = page.parts.clock.steady();
    const auto describe = [&](const std::string& relation) { return page.describe(relation); };
    Rollup rollup;
    std::vector<ChartQuery> queries;
    std::vector<ChartData*> out;
    for (const size_t place : scan.charts) {
        auto query = make_query_over(rollup, page.spec.charts[place], page.filters, describe, page.options.rows_max);
        if (!query.ok() || !rollup.fits()) return false;
        queries.push_back(std::move(query).value());
        out.push_back(&charts[place]);
    }
    for (const size_t place : scan.filters) {
        queries.push_back(make_choices_over(rollup, page.spec.filters[place], kChoicesMax));
        out.push_back(&filters[place]);
    }
    auto all_of_them = make_scan_query(rollup, page.spec.charts[scan.charts[0]], page.filters, describe);
    if (!all_of_them.ok()) return false;
    put_parts(queries, *all_of_them);
    ChartData all;
    if (!page.run(*all_of_them, all).ok()) return false;
    size_t first = 2;
    for (size_t i = 0; i < queries.size(); ++i) {
        take_part(all, queries[i], i, first, *out[i]);
        first += queries[i].columns.size();
        out[i]->milliseconds = milliseconds_since(page.parts.clock, begin);
    }
    return true;
}

}  // namespace tarn::dashboards
