// The pipeline as a whole, one step with its definition, one run, and starting runs.
#include <algorithm>
#include <set>

#include "dashboards/dashboards.h"
#include "lakefile/applier.h"
#include "protocols/admin/internal/services_json.h"
#include "protocols/admin/internal/verify.h"

namespace tarn::admin {
namespace {

using Kind = flows::Refresh::Kind;

/// As one writes it in a lakefile.
std::string words_of(const flows::Refresh& refresh) {
    static constexpr const char* kDays[] = {"monday", "tuesday",  "wednesday", "thursday",
                                            "friday", "saturday", "sunday"};
    const auto span = [](std::chrono::seconds time) {
        const int64_t s = time.count();
        if (s % 86'400 == 0) return std::to_string(s / 86'400) + "d";
        if (s % 3600 == 0) return std::to_string(s / 3600) + "h";
        if (s % 60 == 0) return std::to_string(s / 60) + "m";
        return std::to_string(s) + "s";
    };
    const auto two = [](int number) {
        return std::string(number < 10 ? "0" : "") + std::to_string(number);
    };
    const std::string clock =
        two(refresh.minute_of_day / 60) + ":" + two(refresh.minute_of_day % 60);
    std::string out;
    switch (refresh.kind) {
        case Kind::on_change:
            out = "when an input changes";
            break;
        case Kind::manual:
            out = "only when asked";
            break;
        case Kind::every:
            out = "every " + span(refresh.every);
            break;
        case Kind::daily:
            out = "every day at " + clock;
            break;
        case Kind::weekly:
            out = std::string("every ") + kDays[(refresh.weekday + 6) % 7] + " at " + clock;
            break;
    }
    return out + (refresh.window ? ", the last " + span(*refresh.window) : "");
}

const char* word(flows::Consequence consequence) {
    switch (consequence) {
        case flows::Consequence::stop:
            return "stop";
        case flows::Consequence::set_aside:
            return "set_aside";
        case flows::Consequence::warn:
            return "warn";
    }
    return "";
}

Json checks_json(const std::vector<flows::Check>& checks) {
    Json out = Json::array();
    for (const auto& check : checks)
        out.push_back({{"check", check.expression}, {"consequence", word(check.consequence)}});
    return out;
}

std::string column_of(const flows::TableRef& table, const std::string& column) {
    return table.full_name() + "." + column;
}

Json definition_of(const models::ForecastSpec& spec) {
    Json out = {{"forecast", column_of(spec.of, spec.measure)},
                {"per", spec.per},
                {"ahead", spec.ahead},
                {"features", spec.features},
                {"calendar", spec.calendar},
                {"future", spec.future},
                {"retrain", words_of(spec.retrain)},
                {"parameters", spec.parameters}};
    if (!spec.lost_sales_when.empty())
        out["lost_sales"] = spec.lost_sales_table.full_name() + ": " + spec.lost_sales_when;
    return out;
}

Json definition_of(const models::StockOutSpec& spec) {
    return {{"stock_out", column_of(spec.on_hand, spec.on_hand_column)},
            {"demand", spec.demand.full_name()},
            {"incoming", spec.incoming.table.empty() ? "" : spec.incoming.full_name()},
            {"schedule", words_of(spec.refresh)}};
}

Json definition_of(const flows::TableSpec& spec) {
    return {{"sql", spec.sql},
            {"key", spec.key},
            {"schedule", words_of(spec.refresh)},
            {"partition", spec.partition},
            {"description", spec.description},
            {"checks", checks_json(spec.checks)}};
}

/// Null: nothing of that step is declared.
Json definition_of(const lakefile::Lakefile& lake, const flows::StepStatus& step) {
    if (step.output) {
        for (const auto& table : lake.tables)
            if (table.name == *step.output) return definition_of(table);
        for (const auto& model : lake.forecasts)
            if (model.name == *step.output) return definition_of(model);
        for (const auto& model : lake.stock_outs)
            if (model.name == *step.output) return definition_of(model);
    }
    for (const auto& alert : lake.alerts)
        if (step.name == "alerts." + alert.name) return alert_definition(alert);
    return {};
}

std::string kind_of(const std::string& step) {
    if (step.starts_with("models.")) return "model";
    return step.starts_with("alerts.") ? "alert" : "table";
}

std::shared_ptr<const lakefile::Lakefile> declared(const DoorParts& parts) {
    return parts.applier == nullptr ? nullptr : parts.applier->current();
}

/// A step that the caller may know of. not_found, as for one that there is not.
Result<flows::StepStatus> find_step(const std::vector<flows::StepStatus>& steps,
                                    const std::string& name, Sight& sight) {
    for (const auto& step : steps)
        if (step.name == name && is_seen(step, sight)) return step;
    return Error(Code::not_found, "there is no step \"" + name + "\"", "no_such_step");
}

bool reads(const flows::StepStatus& step, const flows::TableRef& table) {
    return std::find(step.inputs.begin(), step.inputs.end(), table) != step.inputs.end();
}

/// What hangs on `first`, itself first, in the order in which they run.
std::vector<flows::StepStatus> with_followers(const std::vector<flows::StepStatus>& steps,
                                              const std::string& first) {
    std::vector<flows::StepStatus> out;
    for (const auto& step : steps) {  // inputs before their readers
        const bool follows =
            step.name == first || std::any_of(out.begin(), out.end(), [&](const auto& before) {
                return before.output && reads(step, *before.output);
            });
        if (follows) out.push_back(step);
    }
    return out;
}

/// A range of time can be computed alone: the key has a column of time. By the table as it is.
bool takes_ranges(const DoorParts& parts, const ApiRequest& request, const flows::TableSpec& spec) {
    if (spec.key.empty() || parts.engine == nullptr) return false;
    auto session = parts.engine->connect(request.caller, spec.name.database);
    if (!session.ok()) return false;
    std::string sql = "select ";
    for (size_t i = 0; i < spec.key.size(); ++i)
        sql += (i == 0 ? "\"" : ", \"") + spec.key[i] + "\"";
    const auto statement = (*session)->prepare(sql + " from \"" + spec.name.table + "\"", {});
    if (!statement.ok()) return false;
    const auto& columns = (*statement)->columns();
    return std::any_of(columns.begin(), columns.end(), [](const auto& column) {
        const auto kind = column.type.kind;
        return kind == query::Kind::date || kind == query::Kind::timestamp ||
               kind == query::Kind::timestamptz;
    });
}

bool flag(const ApiRequest& request, const char* name) {
    const auto found = request.body.find(name);
    return found != request.body.end() && found->is_boolean() && found->get<bool>();
}

/// "2026-03-01", or with a time behind it; what it means is the step's business.
Result<std::string> day_in(const Json& range, const char* name) {
    const auto found = range.find(name);
    const std::string text =
        found != range.end() && found->is_string() ? found->get<std::string>() : "";
    const bool fits = text.size() >= 10 && text.size() <= 40 && text[4] == '-' && text[7] == '-' &&
                      text.find_first_not_of("0123456789-:. TZ+") == std::string::npos;
    if (fits) return text;
    return Error(Code::invalid_argument, std::string("range.") + name +
                                             " is a day such as 2026-03-01, or a time; the "
                                             "range ends before range.to");
}

Status start_one(const DoorParts& parts, const ApiRequest& request, const std::string& step) {
    const auto range = request.body.find("range");
    if (range == request.body.end() || range->is_null())
        return parts.graph->run_now(step, flag(request, "from_scratch"));
    if (!range->is_object() || flag(request, "from_scratch") || flag(request, "downstream"))
        return Error(Code::invalid_argument,
                     "'range' is {\"from\", \"to\"}, without from_scratch and downstream: what "
                     "reads the table follows by itself");
    TARN_TRY(from, day_in(*range, "from"));
    TARN_TRY(to, day_in(*range, "to"));
    if (from >= to)
        return Error(Code::invalid_argument, "the range is empty: range.to is after range.from");
    return parts.graph->backfill(step, {from, to});
}

}  // namespace

Json alert_definition(const events::AlertSpec& spec) {
    const auto seconds = [](std::chrono::seconds time) {
        return time.count() == 0 ? Json() : Json(time.count());
    };
    return {{"when", spec.when},
            {"while", spec.stays},
            {"for_seconds", seconds(spec.for_at_least)},
            {"recover_after_seconds", seconds(spec.recover_after)},
            {"check_every_seconds", spec.check_every.count()},
            {"one_per", spec.one_per},
            {"tells_recovery", spec.tell_recovery},
            {"run_as", spec.run_as}};
}

Result<ApiResponse> get_graph(const DoorParts& parts, ApiRequest& request) {
    if (parts.graph == nullptr) return without("tables that SQL makes");
    Sight sight(parts, request.caller.principal);
    Json steps = steps_json(parts.graph->status(), sight);
    const auto lake = declared(parts);
    for (auto& step : steps) {
        step["kind"] = kind_of(step["step"].get<std::string>());
        const auto& table = step["table"];
        if (lake == nullptr || !table.is_string()) continue;
        for (const auto& spec : lake->tables)
            if (spec.name.full_name() == table.get<std::string>()) {
                step["checks"] = spec.checks.size();
                step["schedule"] = words_of(spec.refresh);
            }
    }
    Json sources = Json::array(), boards = Json::array();
    if (parts.sources != nullptr)
        for (const auto& source : parts.sources->status()) {
            Json one = source_json(source, sight);
            one["verified"] = last_verdict_json(parts, source.name);
            // A source of which nothing is seen is no part of the caller's picture.
            if (!one["tables"].empty() || request.caller.principal.is_root())
                sources.push_back(std::move(one));
        }
    if (parts.dashboards != nullptr)
        for (const auto& board : parts.dashboards->list()) {
            TARN_TRY(versions, parts.dashboards->versions(board.name, request.caller.principal));
            Json tables = Json::array();
            for (const auto& [name, version] : versions)
                if (name.find('.') != std::string::npos) tables.push_back(name);
            boards.push_back({{"name", board.name},
                              {"title", board.title.empty() ? board.name : board.title},
                              {"tables", std::move(tables)}});
        }
    return ApiResponse{200,
                       {{"sources", std::move(sources)},
                        {"steps", std::move(steps)},
                        {"dashboards", std::move(boards)},
                        {"quiescent", parts.graph->quiescent()},
                        {"at", format_iso8601(parts.clock->now())}},
                       {}};
}

Result<ApiResponse> get_step(const DoorParts& parts, ApiRequest& request) {
    if (parts.graph == nullptr) return without("tables that SQL makes");
    Sight sight(parts, request.caller.principal);
    const auto steps = parts.graph->status();
    TARN_TRY(step, find_step(steps, request.path_values[0], sight));
    Json out = step_json(step, sight);
    out["kind"] = kind_of(step.name);
    out["readers"] = Json::array();
    for (const auto& other : steps)
        if (step.output && reads(other, *step.output) && is_seen(other, sight))
            out["readers"].push_back(other.name);
    auto behind = step.inputs;
    if (step.output) behind.push_back(*step.output);
    const auto lake = declared(parts);
    // SQL names tables and columns, and may have values in it.
    const bool whole = sight.whole(behind);
    out["definition"] = whole && lake != nullptr ? definition_of(*lake, step) : Json();
    out["definition_hidden"] = !whole;
    out["ranges"] = false;
    if (whole && lake != nullptr && step.output)
        for (const auto& table : lake->tables)
            if (table.name == *step.output) out["ranges"] = takes_ranges(parts, request, table);
    return ApiResponse{200, std::move(out), {}};
}

Result<ApiResponse> get_run(const DoorParts& parts, ApiRequest& request) {
    if (parts.graph == nullptr) return without("tables that SQL makes");
    Sight sight(parts, request.caller.principal);
    TARN_TRY(step, find_step(parts.graph->status(), request.path_values[0], sight));
    TARN_TRY(runs, parts.graph->runs(step.name, kListMax));
    for (const auto& run : runs)
        if (std::to_string(run.number) == request.path_values[1])
            return ApiResponse{200, run_json(run, step.output, sight), {}};
    return Error(Code::not_found,
                 step.name + " has no run " + request.path_values[1] +
                     " in its history, which keeps the newest 200",
                 "no_such_run");
}

Result<ApiResponse> start_run(const DoorParts& parts, ApiRequest& request) {
    if (parts.graph == nullptr) return without("tables that SQL makes");
    TARN_TRY(name, request.text("step"));
    Sight sight(parts, request.caller.principal);
    const auto steps = parts.graph->status();
    TARN_TRY(step, find_step(steps, name, sight));
    TARN_CHECK_OK(start_one(parts, request, step.name));
    Json started = Json::array({step.name});
    if (flag(request, "downstream"))
        for (const auto& follower : with_followers(steps, step.name)) {
            if (follower.name == step.name || !is_seen(follower, sight)) continue;
            // Models and alerts from scratch would forget what they learnt and told.
            const bool scratch = flag(request, "from_scratch") && kind_of(follower.name) == "table";
            TARN_CHECK_OK(parts.graph->run_now(follower.name, scratch));
            started.push_back(follower.name);
        }
    return ApiResponse{202, {{"step", step.name}, {"started", std::move(started)}}, {}};
}

}  // namespace tarn::admin
