// What became of forecasts: each one that was made before a step of time was over is compared with
// what was measured then, beside the seasonal naive forecast of the same moment. Real forecasts
// that were published, not a back-test. Table <name>_outcomes; its rows are made in the commit that
// makes the next forecast. Lane: any but a loop.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/features.h"
#include "models/internal/forecast_data.h"
#include "models/spread.h"

namespace tarn::models {

inline constexpr int kOutcomeSteps = 400;  // of time that the table keeps, the newest

/// So many earlier states of the forecast's table stay readable (a property of the table), or of
/// long forecasts only the nearer steps could be judged.
int forecasts_kept(int ahead);

/// One forecast of one series, as it stood in the table.
struct PastForecast {
    size_t series = 0;
    int target = 0;  // step of the panel
    Outlook outlook;
};

/// The forecasts of all series for one step of time, made so many steps before it.
struct Outcome {
    int64_t time = 0;
    int steps_ahead = 0;
    int64_t version = 0, made_at = 0;
    int64_t forecasts = 0;
    double actual = 0, forecast = 0;             // sums
    double error = 0, seasonal_naive_error = 0;  // sums of absolute errors
    int64_t covered = 0;                         // actuals in p10..p90

    bool operator==(const Outcome&) const = default;
};

/// Those made at `origin` (the last step known then), by target. Where nothing was measured (or
/// nothing could be sold) there is nothing to compare with, and the forecast is left out. As in the
/// back-test, a naive forecast without a value is zero. `version` and `made_at` are the caller's.
std::vector<Outcome> judge(const Panel& panel, const Features& features, int origin,
                           const std::vector<PastForecast>& forecasts);

/// What judging a model's forecasts takes. All outlive it.
struct OutcomeParts {
    const Parts& parts;
    const ForecastSpec& spec;
    query::Session& session;               // of the run
    const tables::CatalogSnapshot& state;  // that the session reads
    const ForecastColumns& columns;
    const ForecastData& data;
    const Features& features;
    const std::function<bool()>& cancelled;
};

/// The change that makes the table say what came true of all forecasts that the kept states of the
/// forecast's table tell, by what is measured now: a correction counts for as long as those states
/// speak of its time (ten steps at least). Older rows stay as they were judged. nullopt: nothing is
/// new. Of several forecasts made at one origin the last counts. `warnings` gets why nothing can be written where another table has the name.
Result<std::optional<tables::TableChange>> outcome_change(const OutcomeParts& of,
                                                          std::vector<std::string>& warnings);

}  // namespace tarn::models
