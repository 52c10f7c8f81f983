#include "models/internal/outcomes.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <map>
#include <set>

#include "models/monitor.h"
#include "tables/metadata.h"

namespace tarn::models {

namespace {

using tables::TypeId;

/// (time, steps ahead): one row of the table each.
using Outcomes = std::map<std::pair<int64_t, int>, Outcome>;

/// Says whose it is: another table of that name is left alone.
constexpr const char* kModelProperty = "tarn.outcomes-of";

std::vector<OutputColumn> outcome_columns(const OutputColumn& time) {
    std::vector<OutputColumn> columns = {time,
                                         {"steps_ahead", tables::Type::of(TypeId::int32)},
                                         {"version", tables::Type::of(TypeId::int64)},
                                         {"made_at", tables::Type::of(TypeId::timestamptz)},
                                         {"forecasts", tables::Type::of(TypeId::int64)}};
    for (const char* name : {"actual", "forecast", "mae", "wape", "seasonal_naive_mae",
                             "seasonal_naive_wape", "coverage"})
        columns.push_back({name, tables::Type::of(TypeId::float64)});
    return columns;
}

/// Percent; nothing to divide by: no value.
void append_share(query::Column& column, double part, double whole) {
    if (whole > 0)
        column.append_real(100 * part / whole);
    else
        column.append_null();
}

Result<query::Chunk> chunk_of(const std::vector<OutputColumn>& columns, const Outcomes& outcomes) {
    query::Chunk chunk;
    for (const auto& column : columns) {
        TARN_TRY(type, query_type(column.type));
        chunk.columns.emplace_back(type);
    }
    for (const auto& [place, one] : outcomes) {
        const auto count = static_cast<double>(one.forecasts);
        size_t at = 0;
        for (const int64_t number :
             {one.time, int64_t{one.steps_ahead}, one.version, one.made_at, one.forecasts})
            chunk.columns[at++].append_number(number);
        chunk.columns[at++].append_real(one.actual);
        chunk.columns[at++].append_real(one.forecast);
        for (const double error : {one.error, one.seasonal_naive_error}) {
            chunk.columns[at++].append_real(error / count);
            append_share(chunk.columns[at++], error, std::fabs(one.actual));
        }
        append_share(chunk.columns[at++], static_cast<double>(one.covered), count);
    }
    return chunk;
}

/// The rows that are there. `chunk` has outcome_columns.
void take_outcomes(const query::Chunk& chunk, Outcomes& outcomes) {
    for (size_t row = 0; row < chunk.rows(); ++row) {
        const auto number = [&](size_t column) {
            return chunk.columns[column].is_null(row) ? 0 : chunk.columns[column].number(row);
        };
        const auto real = [&](size_t column) {
            return chunk.columns[column].is_null(row) ? 0 : chunk.columns[column].real(row);
        };
        Outcome one;
        one.time = number(0);
        one.steps_ahead = static_cast<int>(number(1));
        one.version = number(2);
        one.made_at = number(3);
        one.forecasts = number(4);
        const auto count = static_cast<double>(one.forecasts);
        one.actual = real(5);
        one.forecast = real(6);
        one.error = real(7) * count;
        one.seasonal_naive_error = real(9) * count;
        one.covered = std::llround(real(11) * count / 100);
        outcomes[{one.time, one.steps_ahead}] = one;
    }
}

/// The forecasts in one state of the table.
struct PastState {
    int origin =
        -1;  // the last step known when they were made; -1: of other steps than the panel's
    int64_t version = 0, made_at = 0;
    std::vector<PastForecast> forecasts;
};

/// Of times that are over.
Result<PastState> read_state(const OutcomeParts& of, int64_t snapshot_id) {
    const Panel& panel = of.data.panel;
    const size_t keys = of.columns.keys.size();
    std::string list;
    for (const auto& key : of.columns.keys) list += quoted(key.name) + ", ";
    const std::string sql = "select " + list + quoted(of.columns.time.name) + ", " +
                            quoted(of.spec.measure) + ", p10, p50, p90, version, made_at from " +
                            quoted(of.spec.name) + " at (version => " +
                            std::to_string(snapshot_id) + ")";
    PastState state;
    int64_t oldest = INT64_MAX;
    const auto take = [&](const query::Chunk& chunk) -> Status {
        if (of.cancelled()) return Error(Code::cancelled, "the run was cancelled");
        for (size_t row = 0; row < chunk.rows(); ++row) {
            const auto complete = [&](const query::Column& column) { return !column.is_null(row); };
            if (!std::all_of(chunk.columns.begin(), chunk.columns.end(), complete)) continue;
            const int64_t time = chunk.columns[keys].number(row);
            oldest = std::min(oldest, time);
            const auto version = chunk.columns[keys + 5].number(row);
            if (version >= state.version) {
                state.version = version;
                state.made_at = chunk.columns[keys + 6].number(row);
            }
            const int target = panel.step_of(time);
            if (target < 0 || target >= panel.steps()) continue;
            std::vector<std::string> key(keys);
            for (size_t k = 0; k < keys; ++k) chunk.columns[k].append_pg_text(row, key[k]);
            const int series = panel.find(key);
            if (series < 0) continue;
            const auto real = [&](size_t column) { return chunk.columns[keys + column].real(row); };
            state.forecasts.push_back(
                {static_cast<size_t>(series), target, {real(1), real(2), real(3), real(4)}});
        }
        return {};
    };
    TARN_TRY(rows, read_all(of.session, sql, take));
    static_cast<void>(rows);
    // The first step that is forecast is the one after the last that was known.
    const int first = oldest == INT64_MAX ? -1 : panel.step_of(oldest);
    state.origin = first <= 0 ? -1 : first - 1;
    return state;
}

/// Forecasts of another table than that of now have nothing to be compared with.
Result<bool> same_source(const OutcomeParts& of, int64_t version) {
    const auto found =
        of.parts.registry.version(of.spec.name.full_name(), static_cast<uint64_t>(version));
    if (!found.ok()) {
        if (found.error().code == Code::not_found) return false;
        return found.error();
    }
    return !found->trained_on.empty() && found->trained_on.front().table == of.spec.of.full_name();
}

/// What came of the forecasts in the kept states, newest first, in place of what was said of them before: what was measured may have
/// been corrected since.
Status judge_past(const OutcomeParts& of, Outcomes& outcomes) {
    const Panel& panel = of.data.panel;
    TARN_TRY(found, of.state.find_relation(of.spec.name.database, of.spec.name.table));
    if (!found || found->kind != tables::RelationKind::table) return {};
    TARN_TRY(table, of.state.load_table(*found));
    if (!same_columns(table->schema(), forecast_columns(of.spec, of.columns))) return {};
    std::set<int> origins;
    int left = forecasts_kept(of.spec.ahead);
    auto snapshot = table->current_snapshot();
    for (; snapshot && left > 0; --left) {
        TARN_TRY(past, read_state(of, snapshot->snapshot_id));
        snapshot = snapshot->parent_snapshot_id
                       ? table->metadata->find_snapshot(*snapshot->parent_snapshot_id)
                       : nullptr;
        if (past.origin < 0 || past.forecasts.empty()) continue;
        TARN_TRY(same, same_source(of, past.version));
        if (!same || !origins.insert(past.origin).second) continue;
        for (int target = past.origin + 1; target < panel.steps(); ++target)
            outcomes.erase({panel.time(target), target - past.origin});
        for (auto& one : judge(panel, of.features, past.origin, past.forecasts)) {
            one.version = past.version;
            one.made_at = past.made_at;
            outcomes[{one.time, one.steps_ahead}] = one;
        }
    }
    return {};
}

/// But for the last digits, which a table's averages do not keep of sums.
bool same_outcomes(const Outcomes& a, const Outcomes& b) {
    const auto near = [](double x, double y) { return std::fabs(x - y) <= 1e-9 * (std::fabs(x) + std::fabs(y)); };
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](const auto& x, const auto& y) {
        const Outcome &one = x.second, &other = y.second;
        return x.first == y.first && one.version == other.version && one.made_at == other.made_at && one.forecasts == other.forecasts &&
               one.covered == other.covered && near(one.actual, other.actual) && near(one.forecast, other.forecast) &&
               near(one.error, other.error) && near(one.seasonal_naive_error, other.seasonal_naive_error);
    });
}

/// False: the table of that name is somebody else's.
Result<bool> read_outcomes(const OutcomeParts& of, const tables::RelationInfo& relation,
                           const std::vector<OutputColumn>& columns, Outcomes& outcomes) {
    if (relation.kind != tables::RelationKind::table) return false;
    TARN_TRY(table, of.state.load_table(relation));
    const auto& properties = table->metadata->properties;
    const auto whose = properties.find(kModelProperty);
    if (whose == properties.end() || whose->second != of.spec.name.full_name()) return false;
    // With another time column it is made anew.
    if (!same_columns(table->schema(), columns)) return true;
    TARN_TRY(rows, read_all(of.session, "select * from " + quoted(outcomes_table(of.spec)),
                            [&](const query::Chunk& chunk) {
                                take_outcomes(chunk, outcomes);
                                return Status();
                            }));
    static_cast<void>(rows);
    return true;
}

}  // namespace

int forecasts_kept(int ahead) {
    // The keeper of tables shortens a history of more than 120; a few for versions that changed
    // between two steps.
    return std::min(ahead + 10, 110);
}

std::vector<Outcome> judge(const Panel& panel, const Features& features, int origin,
                           const std::vector<PastForecast>& forecasts) {
    std::map<int, Outcome> by_target;
    for (const auto& past : forecasts) {
        if (past.target <= origin || past.target >= panel.steps()) continue;
        const float measured = panel.value(past.series, past.target);
        if (std::isnan(measured)) continue;
        const auto actual = static_cast<double>(measured);
        const float season = features.seasonal_naive(past.series, origin, past.target);
        const double naive = std::isnan(season) ? 0 : static_cast<double>(season);
        Outcome& to = by_target[past.target];
        to.time = panel.time(past.target);
        to.steps_ahead = past.target - origin;
        ++to.forecasts;
        to.actual += actual;
        to.forecast += past.outlook.mean;
        to.error += std::fabs(past.outlook.mean - actual);
        to.seasonal_naive_error += std::fabs(naive - actual);
        to.covered += past.outlook.p10 <= actual && actual <= past.outlook.p90 ? 1 : 0;
    }
    std::vector<Outcome> all;
    for (auto& [target, one] : by_target) all.push_back(one);
    return all;
}

Result<std::optional<tables::TableChange>> outcome_change(const OutcomeParts& of,
                                                          std::vector<std::string>& warnings) {
    const auto name = outcomes_table(of.spec);
    const auto columns = outcome_columns(of.columns.time);
    const std::string model = of.spec.name.full_name();
    TARN_TRY(found, of.state.find_relation(name.database, name.table));
    Outcomes outcomes;
    if (found) {
        TARN_TRY(ours, read_outcomes(of, *found, columns, outcomes));
        if (!ours) {
            warnings.push_back(name.full_name() +
                               " is not this model's table: what comes of its forecasts is not "
                               "kept; rename that table");
            return std::optional<tables::TableChange>();
        }
    }
    const Outcomes before = outcomes;
    TARN_CHECK_OK(judge_past(of, outcomes));
    const int64_t since = of.data.panel.time(of.data.panel.steps() - kOutcomeSteps);
    outcomes.erase(outcomes.begin(), outcomes.lower_bound({since, INT_MIN}));
    if (same_outcomes(before, outcomes)) return std::optional<tables::TableChange>();
    TARN_TRY(chunk, chunk_of(columns, outcomes));
    TARN_TRY(change, replace_rows(of.parts, name, "What came of the forecasts of model " + model,
                                  columns, chunk, nullptr));
    change.set_properties[kModelProperty] = model;
    return std::optional<tables::TableChange>(std::move(change));
}

}  // namespace tarn::models
