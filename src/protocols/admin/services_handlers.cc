// What runs by declaration: sources, steps and their runs, models, alerts.
#include <algorithm>
#include <map>
#include <set>

#include "events/alerts.h"
#include "flows/graph.h"
#include "ingest/sources.h"
#include "models/registry.h"
#include "protocols/admin/internal/api.h"
#include "protocols/admin/internal/sight.h"

namespace tarn::admin {
namespace {

constexpr size_t kListMax = 1000;
constexpr size_t kOpenMax = 10'000;  // alerts in one answer; a thousand rules may have as many each
constexpr const char* kHidden = "it failed; why is told to who sees all of the tables behind it";

Json time_or_null(Timestamp at) {
    return at.micros == 0 ? Json() : Json(format_iso8601(at));
}

Json optional_time(const std::optional<Timestamp>& at) {
    return at ? Json(format_iso8601(*at)) : Json();
}

Json text_as_json(const std::string& text) {
    Json parsed = Json::parse(text, nullptr, false);
    return parsed.is_discarded() ? Json(text) : parsed;
}

Json snapshot_json(const std::optional<int64_t>& snapshot) {
    // Beyond 2^53: a text, as in answers to SQL.
    return snapshot ? Json(std::to_string(*snapshot)) : Json();
}

/// `output` as for the step. Counts, warnings and errors of a table speak of its rows.
Json run_json(const flows::RunRecord& run, const std::optional<flows::TableRef>& output,
              Sight& sight) {
    std::vector<flows::TableRef> behind;
    for (const auto& input : run.inputs) behind.push_back(input.name);
    if (output) behind.push_back(*output);
    Json out = {{"step", run.step},
                {"run", run.number},
                {"cause", flows::to_string(run.cause)},
                {"outcome", flows::to_string(run.outcome)},
                {"started", format_iso8601(run.started)},
                {"ended", time_or_null(run.ended)},
                {"mode", run.mode},
                {"output_snapshot", snapshot_json(run.output_snapshot)},
                {"inputs", Json::array()}};
    for (const auto& input : run.inputs)
        if (sight.any(input.name))
            out["inputs"].push_back({{"table", input.name.full_name()},
                                     {"before", snapshot_json(input.before)},
                                     {"now", snapshot_json(input.now)}});
    if (!sight.whole(behind)) {
        out["error"] = run.error.empty() ? "" : kHidden;
        return out;
    }
    out["rows_read"] = run.result.rows_read;
    out["rows_written"] = run.result.rows_written;
    out["rows_set_aside"] = run.result.rows_set_aside;
    out["bytes_written"] = run.result.bytes_written;
    out["warnings"] = run.result.warnings;
    out["error"] = run.error;
    return out;
}

/// A step that makes no table (an alert) is seen by name.
bool is_seen(const flows::StepStatus& step, Sight& sight) {
    return !step.output || sight.any(*step.output);
}

Json step_json(const flows::StepStatus& step, Sight& sight) {
    Json out = {{"step", step.name},
                {"state", flows::to_string(step.state)},
                {"table", step.output ? Json(step.output->full_name()) : Json()},
                {"inputs", Json::array()},
                {"blocked_by", step.blocked_by},
                {"waits_for", step.waits_for},
                {"failures", step.failures},
                {"next", optional_time(step.next)},
                {"last", step.last ? run_json(*step.last, step.output, sight) : Json()}};
    for (const auto& input : step.inputs)
        if (sight.any(input)) out["inputs"].push_back(input.full_name());
    if (step.output && !sight.whole(*step.output)) return out;
    if (!step.progress_what.empty())
        out["progress"] = {{"what", step.progress_what},
                           {"done", step.progress_done},
                           {"total", step.progress_total}};
    return out;
}

/// A position and an error may hold values, and counts are statistics: they are for who sees the
/// table whole.
Json source_table_json(const ingest::TableStatus& table, bool whole) {
    Json out = {{"table", table.database + "." + table.name},
                {"last_commit", time_or_null(table.last_commit)}};
    if (!whole) {
        out["last_error"] = table.last_error.empty() ? "" : kHidden;
        return out;
    }
    out["rows"] = table.rows;
    out["rows_estimated"] = table.rows_estimated;
    out["bytes"] = table.bytes;
    out["rows_rejected"] = table.rows_rejected;
    out["backlog"] = table.backlog;
    out["position"] = table.position;
    out["newest"] = time_or_null(table.newest);
    out["last_error"] = table.last_error;
    return out;
}

Json source_json(const ingest::SourceStatus& source, Sight& sight) {
    Json tables = Json::array();
    std::vector<flows::TableRef> all;
    for (const auto& table : source.tables) {
        all.push_back({table.database, table.name});
        if (sight.any(all.back()))
            tables.push_back(source_table_json(table, sight.whole(all.back())));
    }
    const bool told = source.last_error.empty() || sight.whole(all);
    return {{"name", source.name},
            {"kind", source.kind},
            {"state", ingest::to_string(source.state)},
            {"last_error", told ? source.last_error : kHidden},
            {"tables", std::move(tables)}};
}

Json open_alert_json(const events::OpenAlert& alert) {
    return {{"rule", alert.rule},
            {"id", alert.id},
            {"key", text_as_json(alert.key)},
            {"row", text_as_json(alert.row)},
            {"since", format_iso8601(alert.since)},
            {"told", optional_time(alert.told)},
            {"silenced_until", optional_time(alert.silenced_until)},
            {"summary", alert.summary}};
}

/// Rules whose tables the caller sees whole: an alert's row, its key and what came of it are cells.
class RuleSight {
 public:
    RuleSight(const DoorParts& parts, const security::Principal& who)
        : root_(who.is_root()), sight_(parts, who) {
        if (root_ || parts.graph == nullptr) return;
        for (auto& step : parts.graph->status())
            if (step.name.starts_with("alerts.")) inputs_[step.name.substr(7)] = std::move(step.inputs);
    }
    /// A rule that reads no table, or does not run, shows nothing: its open alerts are of another text.
    bool whole(const std::string& rule) {
        if (root_) return true;
        const auto found = inputs_.find(rule);
        return found != inputs_.end() && sight_.whole(found->second);
    }

 private:
    const bool root_;
    Sight sight_;
    std::map<std::string, std::vector<flows::TableRef>> inputs_;
};

Json rule_json(const events::RuleStatus& rule, bool whole) {
    Json webhooks = Json::array();
    for (const auto& webhook : rule.webhooks)
        webhooks.push_back({{"target", webhook.target},
                            {"where", webhook.where},
                            {"waiting", webhook.waiting},
                            {"disabled", webhook.disabled}});
    return {{"rule", rule.rule},
            {"open", rule.open},
            {"evaluations", rule.evaluations},
            {"evaluated", optional_time(rule.evaluated)},
            {"rows_shown", whole},
            {"error", whole || rule.error.empty() ? rule.error : kHidden},
            {"warnings", whole ? rule.warnings : std::vector<std::string>()},
            {"webhooks", std::move(webhooks)}};
}

Error without(const char* what) {
    return Error(Code::unimplemented, std::string("this server was started without ") + what);
}

Result<size_t> limit_in(ApiRequest& request) {
    TARN_TRY(limit, number_in(request.http, "limit"));
    return std::min<size_t>(limit.value_or(100), kListMax);
}

}  // namespace

Result<ApiResponse> list_sources(const DoorParts& parts, ApiRequest& request) {
    if (parts.sources == nullptr) return without("sources");
    Json sources = Json::array();
    Sight sight(parts, request.caller.principal);
    for (const auto& source : parts.sources->status())
        sources.push_back(source_json(source, sight));
    return ApiResponse{200, {{"sources", sources}}, {}};
}

Result<ApiResponse> list_steps(const DoorParts& parts, ApiRequest& request) {
    if (parts.graph == nullptr) return without("tables that SQL makes");
    Json steps = Json::array();
    Sight sight(parts, request.caller.principal);
    const auto all = parts.graph->status();
    std::set<std::string> seen;
    for (const auto& step : all)
        if (is_seen(step, sight)) seen.insert(step.name);
    for (const auto& step : all) {
        if (!seen.contains(step.name)) continue;
        steps.push_back(step_json(step, sight));
        for (const char* other : {"blocked_by", "waits_for"})
            if (!seen.contains(steps.back()[other].get<std::string>())) steps.back()[other] = "";
    }
    return ApiResponse{200, {{"tables", steps}, {"quiescent", parts.graph->quiescent()}}, {}};
}

Result<ApiResponse> list_runs(const DoorParts& parts, ApiRequest& request) {
    if (parts.graph == nullptr) return without("tables that SQL makes");
    TARN_TRY(limit, limit_in(request));
    TARN_TRY(found, parts.graph->runs(request.http.query_value("step").value_or(""), limit));
    Json runs = Json::array();
    Sight sight(parts, request.caller.principal);
    std::map<std::string, std::optional<flows::TableRef>> outputs;
    for (const auto& step : parts.graph->status()) outputs[step.name] = step.output;
    for (const auto& run : found) {
        // What is declared no more is history for root: nobody knows what it made.
        const auto step = outputs.find(run.step);
        if (step == outputs.end() && !request.caller.principal.is_root()) continue;
        const auto output = step == outputs.end() ? std::nullopt : step->second;
        if (!output || sight.any(*output)) runs.push_back(run_json(run, output, sight));
    }
    return ApiResponse{200, {{"runs", runs}}, {}};
}

Result<ApiResponse> start_run(const DoorParts& parts, ApiRequest& request) {
    if (parts.graph == nullptr) return without("tables that SQL makes");
    TARN_TRY(step, request.text("step"));
    const auto scratch = request.body.find("from_scratch");
    TARN_CHECK_OK(parts.graph->run_now(
        step, scratch != request.body.end() && scratch->is_boolean() && scratch->get<bool>()));
    return ApiResponse{202, {{"step", step}}, {}};
}

Result<ApiResponse> list_models(const DoorParts& parts, ApiRequest& request) {
    if (parts.models == nullptr) return without("models");
    TARN_TRY(names, parts.models->models());
    Json models = Json::array();
    Sight sight(parts, request.caller.principal);
    for (const auto& name : names) {
        // What it learnt and how well it does is made of whole tables.
        if (!sight.whole(Sight::table_of(name))) continue;
        TARN_TRY(current, parts.models->current(name));
        TARN_TRY(versions, parts.models->versions(name, kListMax));
        models.push_back(
            {{"model", name},
             {"versions", versions.size()},
             {"current", current ? text_as_json(models::version_json(*current)) : Json()}});
    }
    return ApiResponse{200, {{"models", models}}, {}};
}

Result<ApiResponse> list_model_versions(const DoorParts& parts, ApiRequest& request) {
    if (parts.models == nullptr) return without("models");
    TARN_TRY(limit, limit_in(request));
    const auto model = Sight::table_of(request.path_values[0]);
    TARN_TRY(found, parts.models->versions(model.full_name(), limit));
    // As if there were none.
    if (!Sight(parts, request.caller.principal).whole(model)) found.clear();
    Json versions = Json::array();
    for (const auto& version : found)
        versions.push_back(text_as_json(models::version_json(version)));
    return ApiResponse{200, {{"versions", versions}}, {}};
}

Result<ApiResponse> list_alerts(const DoorParts& parts, ApiRequest& request) {
    if (parts.alerts == nullptr) return without("alerts");
    Json rules = Json::array(), open = Json::array();
    RuleSight sight(parts, request.caller.principal);
    std::vector<events::OpenAlert> shown;
    bool all = true;
    for (const auto& rule : parts.alerts->status()) {
        const bool whole = sight.whole(rule.rule);
        rules.push_back(rule_json(rule, whole));
        if (!whole) continue;
        for (auto& alert : parts.alerts->open(rule.rule)) {
            all = all && shown.size() < kOpenMax;
            if (all) shown.push_back(std::move(alert));
        }
    }
    std::stable_sort(shown.begin(), shown.end(),
                     [](const auto& a, const auto& b) { return a.since < b.since; });
    for (const auto& alert : shown) open.push_back(open_alert_json(alert));
    return ApiResponse{200, {{"alerts", rules}, {"open", open}, {"open_truncated", !all}}, {}};
}

Result<ApiResponse> list_alert_events(const DoorParts& parts, ApiRequest& request) {
    if (parts.alerts == nullptr) return without("alerts");
    TARN_TRY(limit, limit_in(request));
    TARN_TRY(found, parts.alerts->history(request.path_values[0], limit));
    const bool whole = RuleSight(parts, request.caller.principal).whole(request.path_values[0]);
    Json events = Json::array();
    for (const auto& event : found) {
        Json one = {{"kind", events::to_string(event.kind)}, {"at", format_iso8601(event.at)}};
        if (whole)
            one.update({{"id", event.id},
                        {"key", text_as_json(event.key)},
                        {"row", text_as_json(event.row)},
                        {"by", event.by}});
        events.push_back(std::move(one));
    }
    return ApiResponse{200, {{"events", events}}, {}};
}

Result<ApiResponse> list_deliveries(const DoorParts& parts, ApiRequest& request) {
    if (parts.alerts == nullptr) return without("alerts");
    TARN_TRY(limit, limit_in(request));
    TARN_TRY(found, parts.alerts->deliveries(request.path_values[0], limit));
    const bool whole = RuleSight(parts, request.caller.principal).whole(request.path_values[0]);
    Json deliveries = Json::array();
    for (const auto& delivery : found) {
        Json attempts = Json::array();
        for (const auto& attempt : delivery.attempts)
            attempts.push_back({{"at", format_iso8601(attempt.at)},
                                {"status", attempt.status},
                                {"answer", whole ? attempt.answer : ""},
                                {"took_ms", attempt.took_ms}});
        deliveries.push_back({{"id", delivery.id},
                              {"type", delivery.type},
                              {"key", whole ? text_as_json(delivery.key) : Json()},
                              {"where", delivery.where},
                              {"state", events::to_string(delivery.state)},
                              {"made", format_iso8601(delivery.made)},
                              {"next_attempt", optional_time(delivery.next_attempt)},
                              {"attempt_count", delivery.attempt_count},
                              {"attempts", std::move(attempts)}});
    }
    return ApiResponse{200, {{"deliveries", deliveries}}, {}};
}

Result<ApiResponse> silence_alert(const DoorParts& parts, ApiRequest& request) {
    if (parts.alerts == nullptr) return without("alerts");
    TARN_TRY(until_text, request.text("until"));
    TARN_TRY(until, parse_time(until_text));
    const auto key = request.body.find("key");
    const std::string key_text = key == request.body.end() ? ""
                                 : key->is_string()        ? key->get<std::string>()
                                                           : key->dump();
    TARN_CHECK_OK(parts.alerts->silence(request.caller, request.path_values[0], key_text, until));
    return ApiResponse{204, Json(), {}};
}

Result<ApiResponse> test_alert(const DoorParts& parts, ApiRequest& request) {
    if (parts.alerts == nullptr) return without("alerts");
    TARN_TRY(ids, parts.alerts->test_fire(request.caller, request.path_values[0]));
    return ApiResponse{202, {{"deliveries", ids}}, {}};
}

}  // namespace tarn::admin
