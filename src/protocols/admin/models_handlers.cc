// A model's version put into use by hand; how a model fares: drift of its inputs, errors over time.
#include <cmath>

#include "flows/graph.h"
#include "lakefile/applier.h"
#include "models/monitor.h"
#include "models/registry.h"
#include "models/steps.h"
#include "protocols/admin/internal/services_json.h"
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

Json outcome_json(const models::OutcomePoint& point) {
    Json out = {{"forecasts", point.forecasts},
                {"mae", number_or_null(point.mae)},
                {"wape", number_or_null(point.wape)},
                {"seasonal_naive_mae", number_or_null(point.seasonal_naive_mae)},
                {"seasonal_naive_wape", number_or_null(point.seasonal_naive_wape)},
                {"coverage", number_or_null(point.coverage)}};
    if (!point.time.empty()) out["time"] = point.time;
    if (point.steps_ahead > 0) out["steps_ahead"] = point.steps_ahead;
    return out;
}

Json outcomes_json(const models::OutcomeReport& report) {
    Json by_time = Json::array(), by_steps_ahead = Json::array();
    for (const auto& point : report.by_time) by_time.push_back(outcome_json(point));
    for (const auto& point : report.by_steps_ahead) by_steps_ahead.push_back(outcome_json(point));
    return {{"total", report.total ? outcome_json(*report.total) : Json()},
            {"by_time", std::move(by_time)},
            {"by_steps_ahead", std::move(by_steps_ahead)}};
}

Json told(const Error& error) {
    return {{"error", {{"code", to_string(error.code)}, {"message", error.message}}}};
}

/// Of figures that are computed of tables which a trained model has: one that SQL does not find is
/// hidden from the caller.
Json told_of_tables(const Error& error) {
    if (error.reason != "42P01") return told(error);
    return told(Error(Code::permission_denied,
                      "This is computed from tables that no grant of yours shows. Ask who "
                      "administers the lake."));
}

/// The forecast as declared; nullopt: it is not.
std::optional<models::ForecastSpec> declared(const DoorParts& parts, const flows::TableRef& model) {
    if (parts.applier == nullptr) return std::nullopt;
    for (const auto& one : parts.applier->current()->forecasts)
        if (one.name == model) return one;
    return std::nullopt;
}

/// What came of a forecast's forecasts, as the caller may read it; null: it is no forecast.
Json outcomes_of(const DoorParts& parts, ApiRequest& request,
                 const std::optional<models::ForecastSpec>& spec) {
    if (!spec || parts.engine == nullptr) return {};
    const auto table = models::outcomes_table(*spec);
    const auto there = parts.catalog->snapshot().find_relation(table.database, table.table);
    if (!there.ok()) return told(there.error());
    if (there->has_value() && !Sight(parts, request.caller.principal).any(table))
        return told(Error(Code::permission_denied, "What came of its forecasts is in " +
                                                       table.full_name() +
                                                       ", which no grant of yours shows."));
    auto session = parts.engine->connect(request.caller);
    if (!session.ok()) return told(session.error());
    if (const Status set = (*session)->set_setting("statement_timeout", kMonitorTimeout); !set.ok())
        return told(set.error());
    const auto report = models::outcome_report(**session, *spec);
    return report.ok() ? outcomes_json(*report) : told(report.error());
}

}  // namespace

Result<ApiResponse> list_model_versions(const DoorParts& parts, ApiRequest& request) {
    if (parts.models == nullptr)
        return Error(Code::unimplemented, "this server was started without models");
    TARN_TRY(limit, limit_in(request));
    const auto model = Sight::table_of(request.path_values[0]);
    TARN_TRY(found, parts.models->versions(model.full_name(), limit));
    // As if there were none.
    const bool whole = Sight(parts, request.caller.principal).whole(model);
    if (!whole) found.clear();
    const auto spec = declared(parts, model);
    const std::string fingerprint = spec ? models::forecast_fingerprint(*spec) : "";
    Json versions = Json::array();
    for (const auto& version : found) {
        versions.push_back(text_as_json(models::version_json(version)));
        versions.back()["usable"] = version.fingerprint == fingerprint;
    }
    return ApiResponse{
        200,
        {{"versions", versions},
         {"outcomes", whole && !found.empty() ? outcomes_of(parts, request, spec) : Json()}},
        {}};
}

Result<ApiResponse> monitor_model(const DoorParts& parts, ApiRequest& request) {
    if (parts.models == nullptr || parts.applier == nullptr || parts.engine == nullptr)
        return Error(Code::unimplemented, "this server was started without models");
    const auto model = Sight::table_of(request.path_values[0]);
    const Error unknown(Code::not_found, "there is no forecast " + model.full_name(),
                        "no_such_model");
    if (!Sight(parts, request.caller.principal).whole(model)) return unknown;
    const auto spec = declared(parts, model);
    if (!spec) return unknown;
    TARN_TRY(version, parts.models->current(model.full_name()));
    if (!version)
        return Error(Code::precondition_failed,
                     model.full_name() + " has no version in use yet", "no_version");
    // The caller's own session: the rows behind the figures are those that they may read.
    TARN_TRY(session, parts.engine->connect(request.caller));
    TARN_CHECK_OK(session->set_setting("statement_timeout", kMonitorTimeout));
    Json out = {{"model", model.full_name()}, {"version", version->number}};
    const auto drift = models::input_drift(*session, *spec, *version);
    out["drift"] = drift.ok() ? drift_json(*drift) : told_of_tables(drift.error());
    const auto errors = models::error_over_time(*session, *spec);
    out["errors"] =
        errors.ok() ? Json{{"points", errors_json(*errors)}} : told_of_tables(errors.error());
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
    const auto spec = declared(parts, Sight::table_of(name));
    TARN_TRY(wanted, parts.models->version(name, version->get<uint64_t>()));
    if (spec && wanted.fingerprint != models::forecast_fingerprint(*spec))
        return Error(Code::precondition_failed,
                     "version " + std::to_string(wanted.number) +
                         " was made by another definition of " + name +
                         " and cannot make its forecasts; declare the model as it was then, and "
                         "it is trained again",
                     "other_definition");
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
