// A model's version put into use by hand; how a model fares: drift of its inputs, errors over time.
#include <cmath>

#include "flows/graph.h"
#include "lakefile/applier.h"
#include "models/monitor.h"
#include "models/registry.h"
#include "protocols/admin/internal/api.h"
#include "protocols/admin/internal/sight.h"

namespace tarn::admin {
namespace {

constexpr const char* kMonitorTimeout = "15s";

Json number_or_null(const std::optional<double>& number) {
    return number && std::isfinite(*number) ? Json(*number) : Json();
}

Json drift_json(const models::Drift& drift) {
    Json inputs = Json::array();
    for (const auto& input : drift.inputs) {
        Json bins = Json::array();
        for (const auto& bin : input.bins)
            bins.push_back(
                {{"label", bin.label}, {"trained", bin.trained}, {"latest", bin.latest}});
        inputs.push_back({{"column", input.column},
                          {"numeric", input.numeric},
                          {"stability_index", number_or_null(input.stability_index)},
                          {"trained_mean", number_or_null(input.trained_mean)},
                          {"latest_mean", number_or_null(input.latest_mean)},
                          {"bins", std::move(bins)}});
    }
    return {{"trained_to", drift.trained_to},
            {"latest_from", drift.latest_from},
            {"latest_to", drift.latest_to},
            {"trained_rows", drift.trained_rows},
            {"latest_rows", drift.latest_rows},
            {"inputs", std::move(inputs)}};
}

Json errors_json(const std::vector<models::ErrorPoint>& points) {
    Json out = Json::array();
    for (const auto& point : points)
        out.push_back({{"time", point.time},
                       {"forecasts", point.forecasts},
                       {"actual", point.actual},
                       {"forecast", point.forecast},
                       {"model", number_or_null(point.model)},
                       {"naive", number_or_null(point.naive)},
                       {"seasonal_naive", number_or_null(point.seasonal_naive)},
                       {"covered", number_or_null(point.covered)}});
    return out;
}

Json told(const Error& error) {
    return {{"error", {{"code", to_string(error.code)}, {"message", error.message}}}};
}

}  // namespace

Result<ApiResponse> monitor_model(const DoorParts& parts, ApiRequest& request) {
    if (parts.models == nullptr || parts.applier == nullptr || parts.engine == nullptr)
        return Error(Code::unimplemented, "this server was started without models");
    const auto model = Sight::table_of(request.path_values[0]);
    const Error unknown(Code::not_found, "there is no forecast " + model.full_name(),
                        "no_such_model");
    if (!Sight(parts, request.caller.principal).whole(model)) return unknown;
    const auto lake = parts.applier->current();
    const models::ForecastSpec* spec = nullptr;
    for (const auto& one : lake->forecasts)
        if (one.name == model) spec = &one;
    if (spec == nullptr) return unknown;
    TARN_TRY(version, parts.models->current(model.full_name()));
    if (!version)
        return Error(Code::precondition_failed,
                     model.full_name() + " has no version in use yet", "no_version");
    // The caller's own session: the rows behind the figures are those that they may read.
    TARN_TRY(session, parts.engine->connect(request.caller));
    TARN_CHECK_OK(session->set_setting("statement_timeout", kMonitorTimeout));
    Json out = {{"model", model.full_name()}, {"version", version->number}};
    const auto drift = models::input_drift(*session, *spec, *version);
    out["drift"] = drift.ok() ? drift_json(*drift) : told(drift.error());
    const auto errors = models::error_over_time(*session, *spec);
    out["errors"] = errors.ok() ? Json{{"points", errors_json(*errors)}} : told(errors.error());
    return ApiResponse{200, std::move(out), {}};
}

Result<ApiResponse> use_model_version(const DoorParts& parts, ApiRequest& request) {
    if (parts.models == nullptr)
        return Error(Code::unimplemented, "this server was started without models");
    const std::string& given = request.path_values[0];
    const std::string name = given.find('.') == std::string::npos ? "main." + given : given;
    const auto version = request.body.find("version");
    if (version == request.body.end() || !version->is_number_unsigned())
        return Error(Code::invalid_argument,
                     "\"version\" is the number of one of the model's versions");
    TARN_CHECK_OK(parts.models->use(request.caller, name, version->get<uint64_t>(),
                                    audit_batch(parts, request)));
    // Its predictions are made by the step's next run: now, where the model is still declared.
    if (parts.graph != nullptr)
        static_cast<void>(parts.graph->run_now("models." + name.substr(name.find('.') + 1)));
    TARN_TRY(now, parts.models->version(name, version->get<uint64_t>()));
    return ApiResponse{
        200, {{"model", name}, {"version", now.number}, {"current", now.current}}, {}};
}

}  // namespace tarn::admin
