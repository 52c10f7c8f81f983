#include "models/monitor.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "models/internal/table_io.h"

namespace tarn::models {

namespace {

constexpr size_t kColumnsMax = 50;
constexpr int kBins = 10;
constexpr double kShareMin = 1e-4;  // an empty bin: the logarithm needs something

std::string literal(const std::string& text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
    return out + "'";
}

std::string text_at(const query::Column& column, size_t row) {
    std::string out;
    if (!column.is_null(row)) column.append_pg_text(row, out);
    return out;
}

std::optional<double> number_at(const query::Column& column, size_t row) {
    if (column.is_null(row)) return std::nullopt;
    return number_of(column, row);
}

bool is_time(query::Kind kind) {
    return kind == query::Kind::date || kind == query::Kind::timestamp ||
           kind == query::Kind::timestamptz;
}

bool is_number(query::Kind kind) {
    switch (kind) {
        case query::Kind::int16:
        case query::Kind::int32:
        case query::Kind::int64:
        case query::Kind::decimal:
        case query::Kind::float32:
        case query::Kind::float64:
            return true;
        default:
            return false;
    }
}

bool is_whole(query::Kind kind) {
    return kind == query::Kind::int16 || kind == query::Kind::int32 || kind == query::Kind::int64;
}

/// Numbers as people write bounds: four digits, more of whole numbers.
std::string short_number(double number) {
    char text[32];
    const bool whole = number == std::floor(number) && std::abs(number) < 1e9;
    std::snprintf(text, sizeof text, whole ? "%.0f" : "%.4g", number);
    return text;
}

/// What is compared, as SQL over the table.
struct Plan {
    std::string table, time, time_type;
    std::vector<query::ResultColumn> columns;
    std::string trained, latest;  // conditions

    Drift drift;
};

Result<query::ResultColumn> find_column(const std::vector<query::ResultColumn>& columns,
                                        const std::string& name) {
    for (const auto& column : columns)
        if (column.name == name) return column;
    return Error(Code::not_found, "the table has no column " + name + " any more");
}

/// The compared columns and the time column, by their types of now.
Status find_columns(query::Session& session, const ForecastSpec& spec, Plan& plan) {
    plan.table = quoted(spec.of);
    TARN_TRY(statement, session.prepare("select * from " + plan.table, {}));
    const auto& all = statement->columns();
    std::string time = spec.time;
    for (const auto& column : all)
        if (time.empty() && is_time(column.type.kind)) time = column.name;
    TARN_TRY(time_column, find_column(all, time));
    plan.time = quoted(time);
    plan.time_type = query::sql_name(time_column.type);
    TARN_TRY(measure, find_column(all, spec.measure));
    plan.columns.push_back(std::move(measure));
    for (const auto& feature : spec.features) {
        auto column = find_column(all, feature);
        // A calendar is no column; a column that is gone is nothing to compare.
        if (column.ok() && plan.columns.size() < kColumnsMax)
            plan.columns.push_back(std::move(*column));
    }
    return {};
}

/// Which rows are the latest, and which those that it learnt from.
Status find_rows(query::Session& session, const ForecastSpec& spec, const VersionInfo& version,
                 Plan& plan) {
    const std::string steps = std::to_string(std::max(spec.season, 1) * 2);
    TARN_TRY(span,
             session.query("select min(t)::text, max(t)::text from (select distinct " + plan.time +
                           " as t from " + plan.table + " where " + quoted(spec.measure) +
                           " is not null order by t desc limit " + steps + ")"));
    auto& drift = plan.drift;
    drift.latest_from = text_at(span.columns[0], 0);
    drift.latest_to = text_at(span.columns[1], 0);
    drift.trained_to = version.trained_to;
    if (drift.latest_from.empty())
        return Error(Code::precondition_failed,
                     spec.of.full_name() + " has no rows to compare yet");
    const auto bound = [&](const std::string& text) {
        return literal(text) + "::" + plan.time_type;
    };
    plan.latest =
        plan.time + " between " + bound(drift.latest_from) + " and " + bound(drift.latest_to);
    plan.trained = plan.time + " <= " + bound(version.trained_to) + " and " + plan.time + " < " +
                   bound(drift.latest_from);
    TARN_TRY(counts,
             session.query("select count(*) filter (where " + plan.trained +
                           "), count(*) filter (where " + plan.latest + ") from " + plan.table));
    drift.trained_rows = static_cast<uint64_t>(counts.columns[0].number(0));
    drift.latest_rows = static_cast<uint64_t>(counts.columns[1].number(0));
    if (drift.trained_rows == 0)
        return Error(Code::precondition_failed,
                     "everything that it was trained on is among the latest " + steps +
                         " steps: there is nothing older to compare with yet");
    return {};
}

/// Counts of bins to shares and the index.
void weigh(InputDrift& input) {
    double trained = 0, latest = 0;
    for (const auto& bin : input.bins) {
        trained += bin.trained;
        latest += bin.latest;
    }
    for (auto& bin : input.bins) {
        bin.trained /= std::max(trained, 1.0);
        bin.latest /= std::max(latest, 1.0);
        const double before = std::max(bin.trained, kShareMin);
        const double now = std::max(bin.latest, kShareMin);
        input.stability_index += (now - before) * std::log(now / before);
    }
}

/// Bounds of the tenths of what it was trained on, without doubles, ascending.
Result<std::vector<double>> tenths(query::Session& session, const Plan& plan,
                                   const std::string& value, bool whole, InputDrift& input) {
    std::string sql = "select avg(x) filter (where trained), avg(x) filter (where latest)";
    for (int i = 1; i < kBins; ++i)
        sql += ", approx_quantile(x, 0." + std::to_string(i) + ") filter (where trained)";
    sql += " from (select " + value + " as x, " + plan.trained + " as trained, " + plan.latest +
           " as latest from " + plan.table + ")";
    TARN_TRY(found, session.query(sql));
    input.trained_mean = number_at(found.columns[0], 0);
    input.latest_mean = number_at(found.columns[1], 0);
    std::vector<double> out;
    for (size_t i = 2; i < found.columns.size(); ++i)
        if (const auto found_at = number_at(found.columns[i], 0);
            found_at && std::isfinite(*found_at)) {
            // Of whole numbers, "up to 7.6" is "up to 7".
            const double bound = whole ? std::floor(*found_at) : *found_at;
            if (out.empty() || bound > out.back()) out.push_back(bound);
        }
    return out;
}

/// One row for each bin: its number (-1: no value), rows before, rows now.
Status count_bins(query::Session& session, const Plan& plan, const std::string& bin_sql,
                  const std::vector<std::string>& labels, InputDrift& input) {
    TARN_TRY(found,
             session.query("select bin, count(*) filter (where trained), count(*) filter "
                           "(where latest) from (select " +
                           bin_sql + " as bin, " + plan.trained + " as trained, " + plan.latest +
                           " as latest from " + plan.table + ") group by bin order by bin"));
    for (const auto& label : labels) input.bins.push_back({label, 0, 0});
    DriftBin nothing{"no value", 0, 0};
    for (size_t row = 0; row < found.rows(); ++row) {
        const auto bin = static_cast<int64_t>(number_of(found.columns[0], row));
        const bool none = bin < 0 || bin >= static_cast<int64_t>(labels.size());
        auto& into = none ? nothing : input.bins[static_cast<size_t>(bin)];
        into.trained += number_of(found.columns[1], row);
        into.latest += number_of(found.columns[2], row);
    }
    if (nothing.trained + nothing.latest > 0) input.bins.push_back(nothing);
    weigh(input);
    return {};
}

Result<InputDrift> numeric_drift(query::Session& session, const Plan& plan,
                                 const query::ResultColumn& column) {
    InputDrift out;
    out.column = column.name;
    const std::string value = quoted(column.name) + "::double";
    TARN_TRY(bounds, tenths(session, plan, value, is_whole(column.type.kind), out));
    std::string sql = "case when " + quoted(column.name) + " is null then -1";
    std::vector<std::string> labels;
    for (size_t i = 0; i < bounds.size(); ++i) {
        char exact[40];
        std::snprintf(exact, sizeof exact, "%.17g", bounds[i]);
        sql += " when " + value + " <= " + exact + "::double then " + std::to_string(i);
        labels.push_back(i == 0 ? "up to " + short_number(bounds[0])
                                : short_number(bounds[i - 1]) + " to " + short_number(bounds[i]));
    }
    labels.push_back(bounds.empty() ? "any value" : "above " + short_number(bounds.back()));
    sql += " else " + std::to_string(bounds.size()) + " end";
    TARN_CHECK_OK(count_bins(session, plan, sql, labels, out));
    return out;
}

Result<InputDrift> word_drift(query::Session& session, const Plan& plan,
                              const query::ResultColumn& column) {
    InputDrift out;
    out.column = column.name;
    out.numeric = false;
    const std::string value = quoted(column.name) + "::text";
    TARN_TRY(found, session.query("select " + value + " as word from " + plan.table + " where " +
                                  quoted(column.name) + " is not null and (" + plan.trained +
                                  ") group by word order by count(*) desc, word limit " +
                                  std::to_string(kBins)));
    std::string sql = "case when " + quoted(column.name) + " is null then -1";
    std::vector<std::string> labels;
    for (size_t row = 0; row < found.rows(); ++row) {
        labels.push_back(text_at(found.columns[0], row));
        sql += " when " + value + " = " + literal(labels.back()) + " then " + std::to_string(row);
    }
    labels.push_back("others");
    sql += " else " + std::to_string(found.rows()) + " end";
    TARN_CHECK_OK(count_bins(session, plan, sql, labels, out));
    for (auto& bin : out.bins)
        if (bin.label.size() > 60) bin.label.resize(60);
    return out;
}

/// Rows of <name>_outcomes added up by `group` ("": all of them), in its order.
Result<std::vector<OutcomePoint>> add_outcomes(query::Session& session, const std::string& table,
                                               const std::string& group) {
    const auto share = [](const char* error) {
        return std::string("100 * sum(") + error +
               " * forecasts) / nullif(sum(abs(actual)), 0)";
    };
    const auto mean = [](const char* column) {
        return std::string("sum(") + column + " * forecasts) / sum(forecasts)";
    };
    const std::string sql = "select sum(forecasts)::bigint, " + mean("mae") + ", " +
                            mean("seasonal_naive_mae") + ", " + share("mae") + ", " +
                            share("seasonal_naive_mae") + ", " + mean("coverage") +
                            (group.empty() ? "" : ", " + group) + " from " + table +
                            (group.empty() ? " having count(*) > 0"
                                           : " group by " + group + " order by " + group);
    TARN_TRY(found, session.query(sql));
    std::vector<OutcomePoint> out;
    for (size_t row = 0; row < found.rows(); ++row) {
        OutcomePoint point;
        point.forecasts = static_cast<uint64_t>(number_of(found.columns[0], row));
        point.mae = number_at(found.columns[1], row).value_or(0);
        point.seasonal_naive_mae = number_at(found.columns[2], row).value_or(0);
        point.wape = number_at(found.columns[3], row);
        point.seasonal_naive_wape = number_at(found.columns[4], row);
        point.coverage = number_at(found.columns[5], row).value_or(0);
        if (group == "steps_ahead")
            point.steps_ahead = static_cast<int>(found.columns[6].number(row));
        else if (!group.empty())
            point.time = text_at(found.columns[6], row);
        out.push_back(std::move(point));
    }
    return out;
}

}  // namespace

Result<Drift> input_drift(query::Session& session, const ForecastSpec& spec,
                          const VersionInfo& version) {
    Plan plan;
    TARN_CHECK_OK(find_columns(session, spec, plan));
    TARN_CHECK_OK(find_rows(session, spec, version, plan));
    for (const auto& column : plan.columns) {
        auto input = is_number(column.type.kind) ? numeric_drift(session, plan, column)
                                                 : word_drift(session, plan, column);
        if (!input.ok()) return std::move(input).error().within(column.name);
        plan.drift.inputs.push_back(std::move(*input));
    }
    std::stable_sort(plan.drift.inputs.begin(), plan.drift.inputs.end(),
                     [](const InputDrift& a, const InputDrift& b) {
                         return a.stability_index > b.stability_index;
                     });
    return std::move(plan.drift);
}

Result<std::vector<ErrorPoint>> error_over_time(query::Session& session, const ForecastSpec& spec) {
    const flows::TableRef table{spec.name.database, spec.name.table + "_backtest"};
    TARN_TRY(statement, session.prepare("select * from " + quoted(table), {}));
    // round, origin, the key columns, then the time.
    const size_t place = 2 + spec.per.size();
    if (statement->columns().size() <= place)
        return Error(Code::corrupted, table.full_name() + " has other columns than a back-test");
    const std::string time = quoted(statement->columns()[place].name);
    const auto share = [](const char* column) {
        return std::string("100 * sum(abs(") + column +
               "::double - actual)) / nullif(sum(abs(actual::double)), 0)";
    };
    TARN_TRY(found, session.query("select * from (select " + time +
                                  " as at, count(*), sum(actual::double), sum(forecast::double), " +
                                  share("forecast") + ", " + share("naive") + ", " +
                                  share("seasonal_naive") +
                                  ", 100 * avg((actual between p10 and p90)::int) from " +
                                  quoted(table) + " where actual is not null group by " + time +
                                  " order by 1 desc limit 400) order by 1"));
    std::vector<ErrorPoint> out;
    for (size_t row = 0; row < found.rows(); ++row) {
        ErrorPoint point;
        point.time = text_at(found.columns[0], row);
        point.forecasts = static_cast<uint64_t>(number_of(found.columns[1], row));
        point.actual = number_at(found.columns[2], row).value_or(0);
        point.forecast = number_at(found.columns[3], row).value_or(0);
        point.model = number_at(found.columns[4], row);
        point.naive = number_at(found.columns[5], row);
        point.seasonal_naive = number_at(found.columns[6], row);
        point.covered = number_at(found.columns[7], row);
        out.push_back(std::move(point));
    }
    return out;
}

flows::TableRef outcomes_table(const ForecastSpec& spec) {
    return {spec.name.database, spec.name.table + "_outcomes"};
}

Result<OutcomeReport> outcome_report(query::Session& session, const ForecastSpec& spec) {
    const std::string table = quoted(outcomes_table(spec));
    auto statement = session.prepare("select * from " + table, {});
    if (!statement.ok()) {
        if (statement.error().reason == "42P01") return OutcomeReport();
        return std::move(statement).error();
    }
    OutcomeReport report;
    TARN_TRY(total, add_outcomes(session, table, ""));
    if (!total.empty()) report.total = std::move(total.front());
    // The first column is the time.
    TARN_TRY(by_time, add_outcomes(session, table, quoted((*statement)->columns()[0].name)));
    report.by_time = std::move(by_time);
    TARN_TRY(by_steps_ahead, add_outcomes(session, table, "steps_ahead"));
    report.by_steps_ahead = std::move(by_steps_ahead);
    return report;
}

}  // namespace tarn::models
