// How a model fares after it was made: whether its inputs still look like those that it learnt
// from, and how large its errors were over time. Computed when it is asked for, through a session
// of whoever asks, so that nobody learns of rows that they may not see. Lane: that of SQL
// statements.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "models/registry.h"
#include "models/spec.h"
#include "query/engine.h"

namespace tarn::models {

struct DriftBin {
    std::string label;               // "3 to 7", "north", "others", "no value"
    double trained = 0, latest = 0;  // shares of the rows; each sums to 1
};

/// One column of the table that is forecast.
struct InputDrift {
    std::string column;
    bool numeric = true;
    /// Population stability index: the sum over bins of (latest - trained) * ln(latest / trained).
    /// Under 0.1 nothing to speak of, above 0.25 another population.
    double stability_index = 0;
    std::optional<double> trained_mean, latest_mean;  // numeric
    std::vector<DriftBin>
        bins;  // numeric: tenths of what it was trained on; else the most frequent
};

struct Drift {
    std::string trained_to, latest_from, latest_to;  // as the time column prints
    uint64_t trained_rows = 0, latest_rows = 0;
    std::vector<InputDrift> inputs;  // the largest index first
};

/// The measure and each declared column of the version's training data (up to `trained_to`, without
/// the latest) against the newest two seasons. Errors: the session's; precondition_failed: too few
/// rows to compare.
Result<Drift> input_drift(query::Session& session, const ForecastSpec& spec,
                          const VersionInfo& version);

/// One step of time of the back-test: what a version would have forecast.
struct ErrorPoint {
    std::string time;
    uint64_t forecasts = 0;
    double actual = 0, forecast = 0;  // sums
    /// Percent: sum of errors by sum of actuals. nullopt: nothing was there to divide by.
    std::optional<double> model, naive, seasonal_naive;
    std::optional<double> covered;  // percent of actuals in p10..p90
};

/// From <name>_backtest; the newest 400 steps, oldest first. Errors: the session's.
Result<std::vector<ErrorPoint>> error_over_time(query::Session& session, const ForecastSpec& spec);

/// Forecasts that were made before, beside what was measured when their time had come.
struct OutcomePoint {
    std::string time;     // of by_time
    int steps_ahead = 0;  // of by_steps_ahead
    uint64_t forecasts = 0;
    double mae = 0, seasonal_naive_mae = 0;  // in the measure's unit
    /// Percent: sum of errors by sum of actuals. nullopt: nothing was there to divide by.
    std::optional<double> wape, seasonal_naive_wape;
    double coverage = 0;  // percent of actuals in p10..p90
};
struct OutcomeReport {
    std::optional<OutcomePoint> total;          // nullopt: nothing came true yet
    std::vector<OutcomePoint> by_time;          // all steps ahead together, oldest first
    std::vector<OutcomePoint> by_steps_ahead;  // all times together, the nearest first
};

/// <name>_outcomes, which keeps 400 steps of time.
flows::TableRef outcomes_table(const ForecastSpec& spec);

/// From that table; empty while it is not there.
/// Errors: the session's.
Result<OutcomeReport> outcome_report(query::Session& session, const ForecastSpec& spec);

}  // namespace tarn::models
