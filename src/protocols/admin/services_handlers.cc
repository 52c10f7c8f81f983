// What runs by declaration: sources, steps and their runs, models, alerts.
#include "events/alerts.h"
#include "flows/graph.h"
#include "ingest/sources.h"
#include "models/registry.h"
#include "protocols/admin/internal/api.h"

namespace tarn::admin {
namespace {

constexpr size_t kListMax = 1000;

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

Json run_json(const flows::RunRecord& run) {
    Json out = {{"step", run.step},
                {"run", run.number},
                {"cause", flows::to_string(run.cause)},
                {"outcome", flows::to_string(run.outcome)},
                {"started", format_iso8601(run.started)},
                {"ended", time_or_null(run.ended)},
                {"rows_read", run.result.rows_read},
                {"rows_written", run.result.rows_written},
                {"rows_set_aside", run.result.rows_set_aside},
                {"bytes_written", run.result.bytes_written},
                {"warnings", run.result.warnings},
                {"mode", run.mode},
                {"error", run.error},
                {"output_snapshot", snapshot_json(run.output_snapshot)},
                {"inputs", Json::array()}};
    for (const auto& input : run.inputs)
        out["inputs"].push_back({{"table", input.name.full_name()},
                                 {"before", snapshot_json(input.before)},
                                 {"now", snapshot_json(input.now)}});
    return out;
}

Json step_json(const flows::StepStatus& step) {
    Json out = {{"step", step.name},
                {"state", flows::to_string(step.state)},
                {"table", step.output ? Json(step.output->full_name()) : Json()},
                {"inputs", Json::array()},
                {"blocked_by", step.blocked_by},
                {"waits_for", step.waits_for},
                {"failures", step.failures},
                {"next", optional_time(step.next)},
                {"last", step.last ? run_json(*step.last) : Json()}};
    for (const auto& input : step.inputs) out["inputs"].push_back(input.full_name());
    if (!step.progress_what.empty())
        out["progress"] = {{"what", step.progress_what},
                           {"done", step.progress_done},
                           {"total", step.progress_total}};
    return out;
}

Json source_json(const ingest::SourceStatus& source) {
    Json tables = Json::array();
    for (const auto& table : source.tables)
        tables.push_back({{"table", table.database + "." + table.name},
                          {"rows", table.rows},
                          {"rows_estimated", table.rows_estimated},
                          {"bytes", table.bytes},
                          {"rows_rejected", table.rows_rejected},
                          {"backlog", table.backlog},
                          {"position", table.position},
                          {"newest", time_or_null(table.newest)},
                          {"last_commit", time_or_null(table.last_commit)},
                          {"last_error", table.last_error}});
    return {{"name", source.name},
            {"kind", source.kind},
            {"state", ingest::to_string(source.state)},
            {"last_error", source.last_error},
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

Json rule_json(const events::RuleStatus& rule) {
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
            {"error", rule.error},
            {"warnings", rule.warnings},
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

Result<ApiResponse> list_sources(const DoorParts& parts, ApiRequest&) {
    if (parts.sources == nullptr) return without("sources");
    Json sources = Json::array();
    for (const auto& source : parts.sources->status()) sources.push_back(source_json(source));
    return ApiResponse{200, {{"sources", sources}}, {}};
}

Result<ApiResponse> list_steps(const DoorParts& parts, ApiRequest&) {
    if (parts.graph == nullptr) return without("tables that SQL makes");
    Json steps = Json::array();
    for (const auto& step : parts.graph->status()) steps.push_back(step_json(step));
    return ApiResponse{200, {{"tables", steps}, {"quiescent", parts.graph->quiescent()}}, {}};
}

Result<ApiResponse> list_runs(const DoorParts& parts, ApiRequest& request) {
    if (parts.graph == nullptr) return without("tables that SQL makes");
    TARN_TRY(limit, limit_in(request));
    TARN_TRY(found, parts.graph->runs(request.http.query_value("step").value_or(""), limit));
    Json runs = Json::array();
    for (const auto& run : found) runs.push_back(run_json(run));
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

Result<ApiResponse> list_models(const DoorParts& parts, ApiRequest&) {
    if (parts.models == nullptr) return without("models");
    TARN_TRY(names, parts.models->models());
    Json models = Json::array();
    for (const auto& name : names) {
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
    const std::string& name = request.path_values[0];
    TARN_TRY(found, parts.models->versions(
                        name.find('.') == std::string::npos ? "main." + name : name, limit));
    Json versions = Json::array();
    for (const auto& version : found)
        versions.push_back(text_as_json(models::version_json(version)));
    return ApiResponse{200, {{"versions", versions}}, {}};
}

Result<ApiResponse> list_alerts(const DoorParts& parts, ApiRequest&) {
    if (parts.alerts == nullptr) return without("alerts");
    Json rules = Json::array(), open = Json::array();
    for (const auto& rule : parts.alerts->status()) rules.push_back(rule_json(rule));
    for (const auto& alert : parts.alerts->open()) open.push_back(open_alert_json(alert));
    return ApiResponse{200, {{"alerts", rules}, {"open", open}}, {}};
}

Result<ApiResponse> list_alert_events(const DoorParts& parts, ApiRequest& request) {
    if (parts.alerts == nullptr) return without("alerts");
    TARN_TRY(limit, limit_in(request));
    TARN_TRY(found, parts.alerts->history(request.path_values[0], limit));
    Json events = Json::array();
    for (const auto& event : found)
        events.push_back({{"kind", events::to_string(event.kind)},
                          {"at", format_iso8601(event.at)},
                          {"id", event.id},
                          {"key", text_as_json(event.key)},
                          {"row", text_as_json(event.row)},
                          {"by", event.by}});
    return ApiResponse{200, {{"events", events}}, {}};
}

Result<ApiResponse> list_deliveries(const DoorParts& parts, ApiRequest& request) {
    if (parts.alerts == nullptr) return without("alerts");
    TARN_TRY(limit, limit_in(request));
    TARN_TRY(found, parts.alerts->deliveries(request.path_values[0], limit));
    Json deliveries = Json::array();
    for (const auto& delivery : found) {
        Json attempts = Json::array();
        for (const auto& attempt : delivery.attempts)
            attempts.push_back({{"at", format_iso8601(attempt.at)},
                                {"status", attempt.status},
                                {"answer", attempt.answer},
                                {"took_ms", attempt.took_ms}});
        deliveries.push_back({{"id", delivery.id},
                              {"type", delivery.type},
                              {"key", text_as_json(delivery.key)},
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
