#include "dashboards/internal/chart_sql.h"

#include <algorithm>

#include "dashboards/internal/names.h"
#include "dashboards/internal/rollup.h"

namespace tarn::dashboards {
namespace {

using Columns = std::vector<query::ResultColumn>;
using Kind = ChartSpec::Kind;

bool is_number(const query::Type& type) {
    using K = query::Kind;
    return type.kind == K::int16 || type.kind == K::int32 || type.kind == K::int64 || type.kind == K::float32 ||
           type.kind == K::float64 || type.kind == K::decimal;
}
constexpr uint64_t kSplitRowsMax = 5'000;

const query::ResultColumn* find(const Columns& columns, std::string_view name) {
    for (const auto& column : columns)
        if (column.name == name) return &column;
    return nullptr;
}

uint64_t default_limit(Kind kind) {
    switch (kind) {
        case Kind::number:
            return 30;  // the points before it, when it has by:
        case Kind::line:
        case Kind::area:
            return 180;
        case Kind::bar:
        case Kind::stacked:
            return 20;
        case Kind::scatter:
            return 1'000;
        case Kind::heatmap:
            return 60;
        case Kind::table:
            return 50;
        case Kind::map:
            return 2'000;
    }
    return 50;
}

/// p10 and p90, alone or in a function: the band around a forecast.
Role role_of(const std::string& measure) {
    const std::string column = column_of(measure);
    if (column == "p10" || column == "p05" || column == "p25") return Role::low;
    if (column == "p90" || column == "p95" || column == "p75") return Role::high;
    return Role::measure;
}

std::string label_of(const std::string& expression, const std::string& label) {
    if (!label.empty()) return label;
    const std::string column = column_of(expression);
    return column.empty() ? expression : column;
}

/// Builds one query; the state that its parts share.
class Builder {
 public:
    Builder(const ChartSpec& chart, const Filters& filters, const Describe& describe,
            uint64_t rows_max)
        : chart_(chart), filters_(filters), describe_(describe) {
        query_.limit =
            std::min(chart.limit == 0 ? default_limit(chart.kind) : chart.limit, rows_max);
        query_.limit_is_a_cut =
            chart.kind == Kind::table || chart.kind == Kind::bar || chart.kind == Kind::map ||
            (chart.kind == Kind::stacked && chart.split.empty()) || chart.kind == Kind::scatter;
        if (!chart.split.empty()) query_.limit_is_a_cut = false;
    }

    /// Over the groups of a scan that several charts share, whose columns are gathered in `rollup`.
    Result<ChartQuery> build_over(Rollup& rollup) {
        rollup_ = &rollup;
        return build();
    }

    /// " where ..." of the charts that share a scan, with its parameters.
    Result<ChartQuery> build_scan(const Rollup& rollup) {
        TARN_TRY(name, parse_name(chart_.from));
        TARN_TRY(columns, describe_(quoted_name(name)));
        const std::string where = conditions(columns, nullptr);
        return done(rollup.sql(quoted_name(name), where));
    }

    Result<ChartQuery> build() {
        if (!chart_.sql.empty()) {
            from_ = "(" + chart_.sql + "\n) as chart";
        } else {
            TARN_TRY(name, parse_name(chart_.from));
            database_ = name.first;
            from_ = quoted_name(name);
        }
        TARN_TRY(columns, describe_(from_));
        columns_ = std::move(columns);
        where_ = conditions(columns_, &query_.filters_ignored);
        if (rollup_ != nullptr) {
            from_ = Rollup::kName;
            where_.clear();
            query_.parameters.clear();
            query_.parameter_types.clear();
        }
        if (!chart_.sql.empty()) return from_sql();
        if (!chart_.split.empty()) return split();
        switch (chart_.kind) {
            case Kind::number:
                return number();
            case Kind::line:
            case Kind::area:
                return line();
            case Kind::bar:
            case Kind::stacked:
                return bar();
            case Kind::scatter:
                return scatter();
            case Kind::heatmap:
                break;
            case Kind::table:
                return table();
            case Kind::map:
                return map();
        }
        return Error(Code::internal, "a chart of no kind");
    }

 private:
    /// The owner's words for a value: a column is quoted, anything else is SQL.
    std::string expression(const std::string& text) {
        const std::string sql = find(columns_, text) != nullptr ? quoted_name(text) : "(" + text + "\n)";
        return rollup_ == nullptr ? sql : rollup_->key(sql);
    }
    /// A bare number column is summed; whoever wants something else says so: avg(celsius).
    std::string aggregate(const std::string& text, const char* function = "sum") {
        const auto* column = find(columns_, text);
        const std::string sql = column == nullptr          ? "(" + text + "\n)"
                                : is_number(column->type) ? std::string(function) + "(" + quoted_name(text) + ")"
                                                          : "max(" + quoted_name(text) + ")";
        return rollup_ == nullptr ? sql : rollup_->over_groups(sql);
    }
    /// " where ..." of the owner's condition and of the filters whose column is there; those that
    /// are not go to `ignored`.
    std::string conditions(const Columns& columns, std::vector<std::string>* ignored,
                           bool with_where = true) {
        std::string out;
        // The line break ends a comment that the owner's text may end in.
        if (with_where && !chart_.where.empty()) out = " where (" + chart_.where + "\n)";
        for (const auto& [name, values] : filters_) {
            if (values.empty()) continue;
            const auto* column = find(columns, name);
            if (column == nullptr) {
                if (ignored != nullptr) ignored->push_back(name);
                continue;
            }
            out += (out.empty() ? " where " : " and ") + one_of(*column, values);
        }
        return out;
    }
    std::string one_of(const query::ResultColumn& column, const std::vector<std::string>& values) {
        std::string out = quoted_name(column.name) + " in (";
        for (size_t i = 0; i < values.size(); ++i) {
            query_.parameters.push_back(values[i]);
            query_.parameter_types.push_back(column.type);
            out += (i == 0 ? "$" : ", $") + std::to_string(query_.parameters.size()) +
                   "::" + query::sql_name(column.type);
        }
        return out + ")";
    }
    std::string limit() const {
        return " limit " + std::to_string(query_.limit + (query_.limit_is_a_cut ? 1 : 0));
    }
    void add_column(std::string name, Role role, std::string of = {}) {
        query_.columns.push_back({std::move(name), {}, role, std::move(of)});
    }
    ChartQuery done(std::string sql) {
        query_.sql = std::move(sql);
        return std::move(query_);
    }

    Result<ChartQuery> from_sql() {
        for (size_t i = 0; i < columns_.size(); ++i) {
            const bool plain = chart_.kind == Kind::table || chart_.kind == Kind::map ||
                               (chart_.kind == Kind::number && columns_.size() == 1);
            Role role = plain ? Role::value : i == 0 ? Role::x : role_of(columns_[i].name);
            if (!plain && i == 1 && (!chart_.split.empty() || chart_.kind == Kind::heatmap))
                role = Role::series;
            add_column(columns_[i].name, role);
        }
        const std::string order = chart_.order.empty() ? "" : " order by " + chart_.order + "\n";
        return done("select * from " + from_ + where_ + order + limit());
    }

    Result<ChartQuery> number() {
        const auto [measure, label] = split_label(chart_.measures[0]);
        if (!chart_.by.empty()) {
            add_column(chart_.by, Role::x);
            add_column(label_of(measure, label), Role::value);
            return done("select * from (select " + expression(chart_.by) + " as x, " +
                        aggregate(measure) + " as value from " + from_ + where_ +
                        " group by 1 having x is not null order by x desc" + limit() +
                        ") as newest order by x");
        }
        add_column(label_of(measure, label), Role::value);
        return done("select " + aggregate(measure) + " as value from " + from_ + where_);
    }

    Result<ChartQuery> bar() {
        std::string sql = "select " + expression(chart_.by) + " as x";
        add_column(chart_.by, Role::x);
        for (size_t i = 0; i < chart_.measures.size(); ++i) {
            const auto [measure, label] = split_label(chart_.measures[i]);
            sql += ", " + aggregate(measure) + " as m" + std::to_string(i);
            add_column(label_of(measure, label), Role::measure);
        }
        const std::string order =
            chart_.order.empty() ? "m0 desc nulls last, x" : chart_.order + "\n";
        return done(sql + " from " + from_ + where_ + " group by 1 order by " + order + limit());
    }

    /// Whether the x axis is time: then the newest are shown, otherwise the largest.
    bool in_time() const {
        if (chart_.kind == Kind::line || chart_.kind == Kind::area) return true;
        const auto* column = find(columns_, chart_.by);
        return column != nullptr ? is_time(column->type)
                                 : chart_.by.find("date_trunc") != std::string::npos;
    }

    /// One series for each value of another column: x, series, measure.
    Result<ChartQuery> split() {
        const bool heatmap = chart_.kind == Kind::heatmap;
        const auto [measure, label] = split_label(chart_.measures[0]);
        const auto [by, by_label] = split_label(chart_.by);
        const auto [series, series_label] = split_label(chart_.split);
        add_column(label_of(by, by_label), Role::x);
        add_column(label_of(series, series_label), Role::series);
        add_column(label_of(measure, label), Role::measure);
        query_.series_max = heatmap ? 40 : 12;
        const std::string most = std::to_string(query_.series_max);
        const std::string order = in_time() ? "x desc" : "sum(m) desc nulls last, x";
        // Three parts read it: once is enough. Texts are made of groups, not of rows.
        std::string sql =
            "with b as materialized (select " + expression(by) + " as x, " +
            expression(series) + " as s, " + aggregate(measure) + " as m from " + from_ +
            where_ + " group by 1, 2), xs as (select x from b where x is not null group by x order by " +
            order + limit() + "), ss as (select s from b group by s order by sum(m) desc nulls last, s limit " +
            most + ") select b.x, coalesce(b.s::varchar, '(none)') as s, b.m from b join ss on b.s is not "
                   "distinct from ss.s where b.x in (select x from xs) order by b.x, 2";
        query_.limit = kSplitRowsMax;
        return done(std::move(sql));
    }

    /// Points: x, y and, as a third, their size; one for each value of `by`, or for each row.
    Result<ChartQuery> scatter() {
        const bool grouped = !chart_.by.empty();
        std::string list;
        if (grouped) {
            list = expression(chart_.by);
            add_column(chart_.by, Role::label);
        }
        for (size_t i = 0; i < chart_.measures.size(); ++i) {
            const auto [measure, label] = split_label(chart_.measures[i]);
            list += (list.empty() ? "" : ", ") + (grouped ? aggregate(measure, "avg")
                                                          : expression(measure));
            add_column(label_of(measure, label), i == 0 ? Role::x : Role::measure);
        }
        const std::string order = chart_.order.empty() ? "" : " order by " + chart_.order + "\n";
        return done("select " + list + " from " + from_ + where_ + (grouped ? " group by 1" : "") +
                    order + limit());
    }

    /// A table whose rows are groups, each with a measure over `by` as a list.
    Result<ChartQuery> sparks() {
        std::string list, names;
        for (const auto& one : chart_.columns) {
            const auto [text, label] = split_label(one);
            const std::string name = "c" + std::to_string(query_.columns.size());
            list += expression(text) + " as " + name + ", ";
            names += name + ", ";
            add_column(label_of(text, label), Role::value);
        }
        const auto [measure, label] = split_label(chart_.spark);
        add_column(label_of(measure, label), Role::value);
        add_column(label_of(measure, label) + " over " + chart_.by, Role::trend);
        const size_t groups = chart_.columns.size();
        std::string by_group;
        for (size_t i = 1; i <= groups + 1; ++i)
            by_group += (i == 1 ? "" : ", ") + std::to_string(i);
        const std::string order = chart_.order.empty() ? "latest desc nulls last" : chart_.order;
        return done("with b as (select " + list + expression(chart_.by) + " as x, " +
                    aggregate(measure) + " as m from " + from_ + where_ + " group by " +
                    by_group + ") select " + names +
                    "arg_max(m, x) as latest, (list(m::double order by x desc))[:40] as trend "
                    "from b group by all order by " + order + "\n" + limit());
    }

    Result<ChartQuery> table() {
        if (!chart_.spark.empty()) return sparks();
        const auto& wanted = chart_.columns.empty() ? chart_.measures : chart_.columns;
        std::string list;
        for (const auto& one : wanted) {
            const auto [text, label] = split_label(one);
            list += (list.empty() ? "" : ", ") + expression(text);
            if (!label.empty()) list += " as " + quoted_name(label);
            add_column(label, Role::value);
        }
        const std::string order = chart_.order.empty() ? "" : " order by " + chart_.order + "\n";
        return done("select " + (list.empty() ? "*" : list) + " from " + from_ + where_ + order +
                    limit());
    }

    /// A forecast that is drawn over the chart's own measures: another table with the same time
    /// column.
    struct Overlay {
        std::string select;
        std::vector<ChartColumn> columns;  // m<i>, and low and high when it has them
    };

    Result<ChartQuery> line() {
        std::string own = "select " + expression(chart_.by) + " as x";
        std::string shown = "s.x";
        std::string joins, with;
        std::vector<ChartColumn> own_columns, more_columns;
        std::string last_column;
        size_t own_count = 0, overlays = 0;
        for (const auto& text : chart_.measures) {
            const auto [measure, label] = split_label(text);
            auto overlay = find_overlay(measure, last_column);
            if (!overlay.ok()) return std::move(overlay).error();
            if (!*overlay) {
                own += ", " + aggregate(measure) + " as m" + std::to_string(own_count++);
                own_columns.push_back({label_of(measure, label), {}, role_of(measure), {}});
                const std::string column = column_of(measure);
                if (!column.empty()) last_column = column;
                continue;
            }
            if (rollup_ != nullptr) rollup_->give_up();
            if ((*overlay)->select.empty())
                continue;  // it cannot follow the filters: left out, with a note
            const std::string name = "f" + std::to_string(overlays++);
            with += ", " + name + " as (" + (*overlay)->select + ")";
            joins += " full join " + name + " on " + name +
                     ".x = " + (overlays == 1 ? "s.x" : "coalesce(" + shown + ")");
            shown += ", " + name + ".x";
            for (auto& column : (*overlay)->columns) more_columns.push_back(std::move(column));
        }
        own += " from " + from_ + where_ + " group by 1";
        std::string sql = "with s as (" + own + ")" + with + " select " +
                          (overlays == 0 ? shown : "coalesce(" + shown + ")") + " as x";
        add_column(chart_.by, Role::x);
        for (size_t i = 0; i < own_count; ++i) sql += ", s.m" + std::to_string(i);
        for (auto& column : own_columns) query_.columns.push_back(std::move(column));
        for (auto& column : more_columns) {
            sql += ", " + column.of;  // "f0.m", kept there until now
            column.of =
                column.role == Role::forecast ? "" : column.name.substr(0, column.name.rfind(' '));
            query_.columns.push_back(std::move(column));
        }
        name_bands();
        sql += " from s" + joins;
        // The newest points, in order of time.
        return done("select * from (select * from (" + sql +
                    ") as points where x is not null order by x desc" + limit() +
                    ") as newest order by x");
    }

    /// A low and a high among the chart's own measures belong to the measure before them.
    void name_bands() {
        std::string measure;
        for (auto& column : query_.columns) {
            if (column.role == Role::measure) measure = column.name;
            if ((column.role == Role::low || column.role == Role::high) && column.of.empty())
                column.of = measure;
        }
    }

    /// nullopt: the measure is the chart's own. Its select is empty when the filters cannot be
    /// followed.
    Result<std::optional<Overlay>> find_overlay(const std::string& measure,
                                                const std::string& last_column) {
        if (!is_name(measure) || find(columns_, measure) != nullptr)
            return std::optional<Overlay>();
        const std::string relation = quoted_name(Name(database_, measure));
        auto described = describe_(relation);
        // Not a table either (or not one that the viewer sees): the engine's own error on the
        // column says so.
        if (!described.ok()) return std::optional<Overlay>();
        const Columns& columns = *described;
        std::string x = find(columns, chart_.by) != nullptr ? chart_.by : "";
        std::string value = find(columns, last_column) != nullptr ? last_column : "";
        for (const auto& column : columns) {
            if (x.empty() && is_time(column.type)) x = column.name;
            if (value.empty() && (column.name == "p50" || column.name == "mean"))
                value = column.name;
        }
        if (x.empty() || value.empty())
            return Error(Code::invalid_argument,
                         measure + " is not a column of " + chart_.from +
                             ", and as a table it has no column " + chart_.by + " with " +
                             (last_column.empty() ? "a measure" : last_column) + " in it");
        Overlay overlay;
        TARN_TRY(where, overlay_conditions(measure, columns));
        if (!where) return std::optional<Overlay>(std::move(overlay));
        const std::string source = "f" + std::to_string(next_overlay_++);
        overlay.select = "select " + quoted_name(x) + " as x, sum(" + quoted_name(value) + ") as m";
        overlay.columns.push_back({measure, {}, Role::forecast, source + ".m"});
        const bool band = find(columns, "p10") != nullptr && find(columns, "p90") != nullptr;
        if (band) {
            overlay.select += ", sum(p10) as low, sum(p90) as high";
            overlay.columns.push_back({measure + " p10", {}, Role::low, source + ".low"});
            overlay.columns.push_back({measure + " p90", {}, Role::high, source + ".high"});
        }
        overlay.select += " from " + relation + *where + " group by 1";
        return std::optional<Overlay>(std::move(overlay));
    }

    /// The filters on the forecast's own columns, or through the keys that it shares with the
    /// chart's table. nullopt: neither goes; a line of everything beside a line of a part would
    /// lie.
    Result<std::optional<std::string>> overlay_conditions(const std::string& name,
                                                          const Columns& columns) {
        std::string out;
        for (const auto& [filter, values] : filters_) {
            if (values.empty() || find(columns_, filter) == nullptr) continue;
            const std::string glue = out.empty() ? " where " : " and ";
            if (const auto* column = find(columns, filter)) {
                out += glue + one_of(*column, values);
                continue;
            }
            std::string keys;
            for (const auto& column : columns)
                if (column.name.ends_with("_id") && find(columns_, column.name) != nullptr)
                    keys += (keys.empty() ? "" : ", ") + quoted_name(column.name);
            if (keys.empty()) {
                query_.notes.push_back(name + " has no " + filter +
                                       ": it is left out while that is chosen");
                return std::optional<std::string>();
            }
            out += glue + "(" + keys + ") in (select distinct " + keys + " from " + from_ +
                   " where " + one_of(*find(columns_, filter), values) + ")";
        }
        return std::optional<std::string>(std::move(out));
    }

    /// Dots on the places of another table, joined by the first of its columns that `from` has too.
    Result<ChartQuery> map() {
        TARN_TRY(name, parse_name(chart_.measures[0]));
        const std::string places = quoted_name(name);
        TARN_TRY(columns, describe_(places));
        const auto pick = [&](std::initializer_list<const char*> names) -> std::string {
            for (const char* one : names)
                if (find(columns, one) != nullptr) return one;
            return {};
        };
        const std::string latitude = pick({"latitude", "lat"}),
                          longitude = pick({"longitude", "lon", "lng"});
        if (latitude.empty() || longitude.empty())
            return Error(Code::invalid_argument,
                         "map: " + chart_.measures[0] +
                             " needs columns latitude and longitude (or lat and lon)");
        std::string key;
        for (const auto& column : columns)
            if (key.empty() && find(columns_, column.name) != nullptr) key = column.name;
        if (key.empty())
            return Error(Code::invalid_argument, "map: " + chart_.measures[0] + " and " +
                                                     chart_.from +
                                                     " share no column to join them by");
        const std::string shown = pick({"name", "title", "city"});
        const auto [colour, label] =
            split_label(chart_.colour.empty() ? "count(*)" : chart_.colour);
        add_column(key, Role::label);
        add_column(shown.empty() ? key : shown, Role::label);
        add_column(latitude, Role::latitude);
        add_column(longitude, Role::longitude);
        add_column(label_of(colour, label), Role::measure);
        return done(
            "with d as (select " + quoted_name(key) + " as k, " + aggregate(colour, "max") +
            " as c from " + from_ + where_ + " group by 1) select p." + quoted_name(key) + ", p." +
            quoted_name(shown.empty() ? key : shown) + " as label, p." + quoted_name(latitude) + ", p." +
            quoted_name(longitude) + ", d.c from " + places + " as p join d on d.k = p." + quoted_name(key) +
            " order by d.c desc nulls last" + limit());
    }

    const ChartSpec& chart_;
    const Filters& filters_;
    const Describe& describe_;
    Rollup* rollup_ = nullptr;
    ChartQuery query_;
    std::string database_ = "main";
    std::string from_, where_;
    Columns columns_;
    size_t next_overlay_ = 0;
};

}  // namespace

bool is_time(const query::Type& type) {
    return type.kind == query::Kind::date || type.kind == query::Kind::timestamp ||
           type.kind == query::Kind::timestamptz;
}

const char* word(ChartSpec::Kind kind) {
    static constexpr const char* kWords[] = {"number", "line",    "bar",     "table",  "map",
                                             "area",   "stacked", "scatter", "heatmap"};
    return kWords[static_cast<size_t>(kind)];
}

const char* word(ChartSpec::Width width) {
    static constexpr const char* kWords[] = {"", "third", "half", "full"};
    return kWords[static_cast<size_t>(width)];
}

Status check_chart(const ChartSpec& chart) {
    const auto wrong = [&](const std::string& what) {
        return Error(Code::invalid_argument, "chart '" + chart.title + "': " + what);
    };
    if (chart.title.empty()) return wrong("it needs a title");
    if (chart.sql.empty() && chart.from.empty()) return wrong("it needs from: (a table) or sql:");
    if (!chart.sql.empty() && (!chart.from.empty() || !chart.where.empty()))
        return wrong("sql: stands in place of from: and where:");
    if (!chart.from.empty()) {
        auto name = parse_name(chart.from);
        if (!name.ok()) return wrong(name.error().message);
    }
    const bool by_words = chart.sql.empty();
    if (by_words && chart.kind != Kind::table && chart.measures.empty())
        return wrong("it needs something to show");
    if (by_words && chart.kind == Kind::number && chart.measures.size() > 1)
        return wrong("number: shows one measure");
    const bool has_axis = chart.kind == Kind::line || chart.kind == Kind::bar || chart.kind == Kind::area ||
                          chart.kind == Kind::stacked || chart.kind == Kind::heatmap;
    if (by_words && has_axis && chart.by.empty())
        return wrong("it needs by: (a column for its x axis)");
    if (by_words && chart.kind == Kind::heatmap && chart.split.empty())
        return wrong("heatmap: needs split: (a column for its y axis)");
    if (by_words && !chart.split.empty() && (!has_axis || chart.measures.size() != 1))
        return wrong("split: makes series of the one measure of a line, area, bar, stacked or heatmap");
    if (by_words && chart.kind == Kind::scatter && (chart.measures.size() < 2 || chart.measures.size() > 3))
        return wrong("scatter: shows two measures, x and y, and a third as their size");
    if (!chart.spark.empty() &&
        (chart.kind != Kind::table || !by_words || chart.by.empty() || chart.columns.empty()))
        return wrong("spark: belongs to a table with columns, by: and from:");
    if (chart.kind == Kind::map) {
        if (!by_words) return wrong("map: is made of from:, not of sql:");
        auto name = parse_name(chart.measures[0]);
        if (!name.ok()) return wrong(name.error().message);
    }
    if (chart.measures.size() > 12) return wrong("it shows more than 12 measures");
    return ok_status();
}

Result<ChartQuery> make_chart_query(const ChartSpec& chart, const Filters& filters,
                                    const Describe& describe, uint64_t rows_max) {
    TARN_CHECK_OK(check_chart(chart));
    return Builder(chart, filters, describe, rows_max).build();
}

bool may_share(const ChartSpec& a) {
    const bool grouped = a.kind == Kind::scatter ? !a.by.empty() : a.kind == Kind::table ? !a.spark.empty() : a.kind != Kind::map;
    return a.sql.empty() && a.order.empty() && grouped;
}

Result<ChartQuery> make_query_over(Rollup& rollup, const ChartSpec& chart, const Filters& filters,
                                   const Describe& describe, uint64_t rows_max) {
    TARN_CHECK_OK(check_chart(chart));
    return Builder(chart, filters, describe, rows_max).build_over(rollup);
}

Result<ChartQuery> make_scan_query(const Rollup& rollup, const ChartSpec& any, const Filters& filters,
                                   const Describe& describe) {
    return Builder(any, filters, describe, 1).build_scan(rollup);
}

namespace {

ChartQuery choices_of(const std::string& column, const std::string& sql, const std::string& from, uint64_t values_max) {
    ChartQuery query;
    query.limit = values_max;
    query.limit_is_a_cut = true;
    query.columns.push_back({column, {}, Role::value, {}});
    query.sql = "select " + sql + " from " + from + " where " + sql + " is not null group by 1 order by 1 limit " +
                std::to_string(values_max + 1);
    return query;
}

}  // namespace

ChartQuery make_choices_over(Rollup& rollup, const std::string& column, uint64_t values_max) {
    return choices_of(column, rollup.key(quoted_name(column)), Rollup::kName, values_max);
}

Result<ChartQuery> make_choices_query(const ChartSpec& chart, const std::string& column, uint64_t values_max) {
    TARN_TRY(name, parse_name(chart.from));
    return choices_of(column, quoted_name(column), quoted_name(name), values_max);
}

}  // namespace tarn::dashboards
