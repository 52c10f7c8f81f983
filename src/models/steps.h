// What models put into the lake's graph: a forecast, and the risk that places run empty.
//
// Forecast step: output table `name` (key columns, time, <measure>, p10, p50, p90, version,
// made_at), replaced whole in one commit with the record of a new version; `<name>_backtest`
// (round, origin, key columns, time, actual, forecast, p10, p50, p90, naive, seasonal_naive) is
// replaced with each version; `<name>_outcomes` has what came of published forecasts
// (docs/formats/models.md). Stock-out step: output table `name` (place, key columns, read_at,
// units, hours_to_empty, p_empty, next_delivery_at, state, reasons, scored_at), replaced whole when
// an input changed. state: ok, at_risk, empty, silent, unknown.
#pragma once

#include <memory>
#include <optional>

#include "base/metrics.h"
#include "base/time.h"
#include "flows/spec.h"
#include "flows/step.h"
#include "models/registry.h"
#include "models/spec.h"
#include "objects/store.h"
#include "query/engine.h"
#include "security/caller.h"
#include "tables/catalog.h"

namespace tarn::models {

/// Everything given outlives the steps.
struct Parts {
    query::Engine& engine;
    tables::Catalog& catalog;
    Registry& registry;
    const Clock& clock;
    security::Caller system;  // whom tables are made for and sessions read as
    /// Trainings of a back-test at once. One: whether XGBoost 1.7 may train two boosters on two
    /// threads of a process that does other work as well is not proven (bench/models does, and
    /// never failed).
    int threads = 1;
};

/// VersionInfo::fingerprint of the versions that a forecast so declared makes, and can use: one of
/// another definition may have been trained on something else.
std::string forecast_fingerprint(const ForecastSpec& spec);
/// Checks the spec alone; whether tables and columns exist is found at each run. invalid_argument
/// says what to write.
Result<std::unique_ptr<flows::Step>> make_forecast_step(ForecastSpec spec, Parts parts);
Result<std::unique_ptr<flows::Step>> make_stock_out_step(StockOutSpec spec, Parts parts);

}  // namespace tarn::models
