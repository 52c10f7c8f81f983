// Reads what a forecast is made from: columns looked up, rows into a panel, lost sales masked, the
// future laid behind.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/internal/table_io.h"
#include "models/panel.h"
#include "models/spec.h"

namespace tarn::models {

/// The columns of `of` that the spec names, as the table has them.
struct ForecastColumns {
    std::vector<OutputColumn> keys;
    OutputColumn time;
    TimeKind time_kind = TimeKind::days;
    std::vector<std::string> features;  // without the calendar

    /// invalid_argument: names the missing column and lists those there are.
    static Result<ForecastColumns> find(const ForecastSpec& spec, const tables::Schema& schema);
};

/// The columns of the forecast's table: keys, time, <measure>, p10, p50, p90, version, made_at.
std::vector<OutputColumn> forecast_columns(const ForecastSpec& spec,
                                           const ForecastColumns& columns);

/// State of `of` without reading it all.
struct Newest {
    int64_t rows = 0;
    std::optional<int64_t> time;  // the last step that is complete
};

struct ForecastData {
    Panel panel;  // masked and carried forward
    std::map<std::vector<std::string>, std::vector<query::Value>> key_values;  // by their text
    uint64_t rows_read = 0;
    std::vector<std::string> warnings;
};

/// The newest step of days and timestamps is still going on and does not count; of integers it
/// does.
Result<Newest> read_newest(query::Session& session, const ForecastSpec& spec,
                           const ForecastColumns& columns);
/// `newest`: later values are left out, their features stay. Lane: any but a loop.
Result<ForecastData> read_forecast_data(query::Session& session, const ForecastSpec& spec,
                                        const ForecastColumns& columns, int64_t newest,
                                        const std::function<bool()>& cancelled);
/// A step's time as the column prints it.
std::string time_text(TimeKind kind, int64_t time);

}  // namespace tarn::models
