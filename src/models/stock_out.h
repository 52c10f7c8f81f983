// The risk that a place runs empty, as plain arithmetic: stock now, demand by day with its spread,
// the hours of a day at which it comes, deliveries under way and how late they use to be. No I/O,
// no clock: `now` is an argument.
//
// Demand of a day is a gamma-mixed Poisson number: the forecast's mean times the day's luck. What
// was sold today so far says something about today's luck, and with it about the rest of today.
// Lane: any.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace tarn::models {

/// Share of a day's demand by local hour; sums to 1.
struct DayProfile {
    std::array<double, 24> share{};

    static DayProfile uniform();
    /// From counts by hour; hours without any get none. uniform() when there are fewer than `least`
    /// in all.
    static DayProfile of_counts(const std::array<double, 24>& counts, double least = 200);
    /// Of the local time of day in [0, 24): the share before it.
    double before(double hour) const;
};

/// How late deliveries come: hours after they were due, with their shares (sum 1, ascending).
/// Empty: on time.
struct Lateness {
    std::vector<std::pair<double, double>> hours;

    /// From past deliveries; early ones count as on time. At most fifty points.
    static Lateness of_past(std::vector<double> late_hours);
};

struct DayDemand {
    int64_t day = 0;  // local, days since 1970-01-01
    double mean = 0;
    double variance = 0;

    /// From a forecast's quantiles. Never less than a Poisson number's.
    static DayDemand of_outlook(int64_t day, double mean, double p10, double p90);
};

struct Incoming {
    Timestamp due;
    double units = 0;
};

struct PlaceStock {
    double units = 0;
    Timestamp read_at;
    double sold_today = 0;           // since local midnight
    std::vector<DayDemand> demand;   // ascending; days without an entry repeat the last one
    std::vector<Incoming> incoming;  // not delivered yet
};

struct RiskOptions {
    std::chrono::seconds horizon{48 * 3600};
    std::chrono::seconds silent_after{3 * 3600};
    int64_t utc_offset = 0;  // seconds east
    double at_risk = 0.5;    // p_empty from which the state says so
};

struct Risk {
    enum class State : uint8_t { ok, at_risk, empty, silent, unknown };
    State state = State::unknown;
    std::optional<double> hours_to_empty;  // expected; at most 14 days
    std::optional<double> p_empty;         // before the next delivery comes, or within the horizon
    std::optional<Timestamp> next_delivery;
    std::string reasons;
};
const char* to_string(Risk::State state);

/// `now`: event time, the newest reading of all places. Nothing is made up: a place that is silent
/// or has no forecast gets no probability.
Risk assess(const PlaceStock& place, const DayProfile& profile, const Lateness& lateness,
            Timestamp now, const RiskOptions& options);

/// P(N >= count) of a gamma-mixed Poisson number with that mean and variance (>= mean).
double chance_of_at_least(double count, double mean, double variance);

}  // namespace tarn::models
