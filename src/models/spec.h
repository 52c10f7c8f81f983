// What a lakefile says of a model, in plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "flows/spec.h"

namespace tarn::models {

/// Forecasts one measure per key and time step, `ahead` steps beyond the newest one there is.
/// Output: table `name` with the key columns, the time column, <measure> (the mean), p10, p50, p90,
/// version, made_at.
struct ForecastSpec {
    flows::TableRef name;
    flows::TableRef of;
    std::string measure;           // column of `of`: "units"
    std::vector<std::string> per;  // key columns of `of`
    std::string
        time;  // column of `of`: date, timestamp or integer; empty: the only one of a time type
    int ahead = 14;  // steps: days for a date, 1 for an integer
    /// Columns of `of` that are known ahead (price, promotion), and calendar names
    /// ("calendar(CO)").
    std::vector<std::string> features;
    std::string calendar;  // "CO": weekday, month, season, holidays
    std::string future;  // SELECT with key, time and feature columns for the times to come; empty:
                         // the last known values go on
    /// Condition over a table that says when nothing could be sold ("levels.units = 0"): such days
    /// are not low demand.
    flows::TableRef lost_sales_table;
    std::string lost_sales_when;
    flows::Refresh
        retrain;  // predictions are made anew at each change of `of`'s newest time, the model at
                  // this; on_change: when the newest time is a season beyond what was trained on
    enum class Promote : uint8_t {
        always,
        beats_naive,
        beats_seasonal_naive
    } promote_if = Promote::beats_seasonal_naive;
    int season = 7;    // steps of the seasonal naive forecast: 7 for days, 52 for weeks
    struct BackTest {  // rolling origin: `rounds` rounds, `stride` apart, each judged on the steps
        int rounds = 4, stride = 7;
        std::optional<int64_t> first_origin;  // integer time: the last step trained on in round 1
        int from_step = 1, to_step = 7;       // steps ahead of the origin that are judged
        std::string metric = "wape";          // or "mape"
        bool operator==(const BackTest&) const = default;
    } back_test;
    std::map<std::string, std::string> parameters;  // XGBoost's own, over the defaults

    bool operator==(const ForecastSpec&) const = default;
};

/// Scores each place that holds stock: hours until it is empty, and the chance that this happens
/// before the next delivery (or within `horizon`). Output: table `name`.
struct StockOutSpec {
    flows::TableRef name;
    flows::TableRef on_hand;     // newest row per place: "levels"
    std::string on_hand_column;  // "units"
    std::string place;    // key column of on_hand that names the place; empty: its first key column
    std::string read_at;  // its time column; empty: the only timestamptz
    flows::TableRef demand;    // a forecast's output
    flows::TableRef incoming;  // deliveries: place, due time, units, delivered time; may be empty
    std::chrono::seconds horizon{48 * 3600};
    std::chrono::seconds silent_after{
        3 * 3600};  // no reading for so long: state 'silent', never 'empty'
    flows::Refresh refresh;

    bool operator==(const StockOutSpec&) const = default;
};

}  // namespace tarn::models
