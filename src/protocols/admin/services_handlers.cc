// What runs by declaration: sources, steps and their runs, models, alerts.
#include <algorithm>
#include <map>

#include "events/alerts.h"
#include "lakefile/applier.h"
#include "models/registry.h"
#include "protocols/admin/internal/api.h"
#include "protocols/admin/internal/services_json.h"
#include "protocols/admin/internal/sight.h"
#include "protocols/admin/internal/verify.h"

namespace tarn::admin {
namespace {

constexpr size_t kOpenMax = 10'000;  // alerts in one answer; a thousand rules may have as many each

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

Json event_json(const events::AlertEvent& event, bool whole) {
    Json out = {{"rule", event.rule},
                {"kind", events::to_string(event.kind)},
                {"at", format_iso8601(event.at)}};
    if (whole)
        out.update({{"id", event.id},
                    {"key", text_as_json(event.key)},
                    {"row", text_as_json(event.row)},
                    {"by", event.by}});
    return out;
}

Json delivery_json(const events::Delivery& delivery, bool whole) {
    Json attempts = Json::array();
    for (const auto& attempt : delivery.attempts)
        attempts.push_back({{"at", format_iso8601(attempt.at)},
                            {"status", attempt.status},
                            {"answer", whole ? attempt.answer : ""},
                            {"took_ms", attempt.took_ms}});
    return {{"id", delivery.id},
            {"rule", delivery.rule},
            {"type", delivery.type},
            {"key", whole ? text_as_json(delivery.key) : Json()},
            {"where", delivery.where},
            {"target", delivery.target},
            {"state", events::to_string(delivery.state)},
            {"made", format_iso8601(delivery.made)},
            {"next_attempt", optional_time(delivery.next_attempt)},
            {"attempt_count", delivery.attempt_count},
            {"attempts", std::move(attempts)}};
}

/// The newest `limit` of a list that is merged of several.
template <typename One, typename When>
void keep_newest(std::vector<One>& list, size_t limit, When when) {
    std::stable_sort(list.begin(), list.end(),
                     [&](const One& a, const One& b) { return when(a) > when(b); });
    if (list.size() > limit) list.resize(limit);
}

}  // namespace

Result<ApiResponse> list_sources(const DoorParts& parts, ApiRequest& request) {
    if (parts.sources == nullptr) return without("sources");
    Json sources = Json::array();
    Sight sight(parts, request.caller.principal);
    for (const auto& source : parts.sources->status()) {
        Json one = source_json(source, sight);
        one["verified"] = last_verdict_json(parts, source.name);
        sources.push_back(std::move(one));
    }
    return ApiResponse{200, {{"sources", sources}}, {}};
}

Result<ApiResponse> list_steps(const DoorParts& parts, ApiRequest& request) {
    if (parts.graph == nullptr) return without("tables that SQL makes");
    Sight sight(parts, request.caller.principal);
    return ApiResponse{200,
                       {{"tables", steps_json(parts.graph->status(), sight)},
                        {"quiescent", parts.graph->quiescent()}},
                       {}};
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

Result<ApiResponse> get_alert(const DoorParts& parts, ApiRequest& request) {
    if (parts.alerts == nullptr) return without("alerts");
    const std::string& name = request.path_values[0];
    RuleSight sight(parts, request.caller.principal);
    const bool whole = sight.whole(name);
    for (const auto& rule : parts.alerts->status()) {
        if (rule.rule != name) continue;
        Json out = rule_json(rule, whole);
        out["tables"] = sight.tables(name);
        out["definition"] = Json();
        out["alerts"] = out["silences"] = Json::array();
        if (whole && parts.applier != nullptr)
            for (const auto& spec : parts.applier->current()->alerts)
                if (spec.name == name) out["definition"] = alert_definition(spec);
        // Silences of one key name it; that of the whole rule is no secret.
        if (auto silences = parts.alerts->silences(name); silences.ok())
            for (const auto& silence : *silences)
                if (whole || silence.key.empty())
                    out["silences"].push_back({{"key", text_as_json(silence.key)},
                                               {"until", format_iso8601(silence.until)},
                                               {"by", silence.by}});
        if (whole)
            for (const auto& alert : parts.alerts->open(name))
                if (out["alerts"].size() < kListMax) out["alerts"].push_back(open_alert_json(alert));
        return ApiResponse{200, std::move(out), {}};
    }
    return Error(Code::not_found, "there is no alert rule " + name, "no_such_rule");
}

Result<ApiResponse> list_alert_events(const DoorParts& parts, ApiRequest& request) {
    if (parts.alerts == nullptr) return without("alerts");
    TARN_TRY(limit, limit_in(request));
    TARN_TRY(found, parts.alerts->history(request.path_values[0], limit));
    const bool whole = RuleSight(parts, request.caller.principal).whole(request.path_values[0]);
    Json events = Json::array();
    for (const auto& event : found) events.push_back(event_json(event, whole));
    return ApiResponse{200, {{"events", events}}, {}};
}

Result<ApiResponse> list_deliveries(const DoorParts& parts, ApiRequest& request) {
    if (parts.alerts == nullptr) return without("alerts");
    TARN_TRY(limit, limit_in(request));
    TARN_TRY(found, parts.alerts->deliveries(request.path_values[0], limit));
    const bool whole = RuleSight(parts, request.caller.principal).whole(request.path_values[0]);
    Json deliveries = Json::array();
    for (const auto& delivery : found) deliveries.push_back(delivery_json(delivery, whole));
    return ApiResponse{200, {{"deliveries", deliveries}}, {}};
}

Result<ApiResponse> all_alert_events(const DoorParts& parts, ApiRequest& request) {
    if (parts.alerts == nullptr) return without("alerts");
    TARN_TRY(limit, limit_in(request));
    RuleSight sight(parts, request.caller.principal);
    std::vector<events::AlertEvent> found;
    for (const auto& rule : parts.alerts->status()) {
        TARN_TRY(of_rule, parts.alerts->history(rule.rule, limit));
        found.insert(found.end(), of_rule.begin(), of_rule.end());
        keep_newest(found, limit, [](const auto& event) { return event.at; });
    }
    Json events = Json::array();
    for (const auto& event : found) events.push_back(event_json(event, sight.whole(event.rule)));
    return ApiResponse{200, {{"events", events}}, {}};
}

Result<ApiResponse> all_deliveries(const DoorParts& parts, ApiRequest& request) {
    if (parts.alerts == nullptr) return without("alerts");
    TARN_TRY(limit, limit_in(request));
    RuleSight sight(parts, request.caller.principal);
    std::vector<events::Delivery> found;
    for (const auto& rule : parts.alerts->status()) {
        TARN_TRY(of_rule, parts.alerts->deliveries(rule.rule, limit));
        for (auto& delivery : of_rule) found.push_back(std::move(delivery));
        keep_newest(found, limit, [](const auto& delivery) { return delivery.made; });
    }
    Json deliveries = Json::array();
    for (const auto& delivery : found)
        deliveries.push_back(delivery_json(delivery, sight.whole(delivery.rule)));
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
