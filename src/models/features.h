// What a forecast is made from: the features of (series, origin, target), where `origin` is the
// last step whose values are known. Values after the origin are never looked at; features that are
// known ahead are looked at up to the target. Means of keys and of the whole run from the first
// step to the origin: no encoding sees what comes later. Lane: any; fill() by several threads at
// once.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/calendar.h"
#include "models/panel.h"

namespace tarn::models {

struct FeatureOptions {
    int season = 7;
    std::string country;     // calendar; empty: none
    int known_ahead = 1000;  // steps beyond the origin at which the panel's features are known;
                             // later ones count as the last of them
};

class Features {
 public:
    /// The panel outlives it and does not change.
    Features(const Panel& panel, FeatureOptions options);

    const std::vector<std::string>& names() const { return names_; }
    /// `out` has room for names().size() numbers. Precondition: 0 <= origin < target < steps_all().
    void fill(size_t series, int origin, int target, float* out) const;

    /// log(1 + value); NaN when not known.
    float logged(size_t series, int step) const { return logged_[at(series, step)]; }
    /// The same season of an earlier cycle, no later than the origin; falls back on earlier cycles,
    /// then on the naive.
    float seasonal_naive(size_t series, int origin, int target) const;
    /// The last known value up to the origin; NaN when there is none.
    float naive(size_t series, int origin) const;

 private:
    struct Sums {  // prefix sums over steps: [0, t)
        std::vector<double> sum, squares;
        std::vector<int> count;
    };
    /// One feature as it is compared: with its own series, and with the other series of each key.
    struct Ahead {
        bool ratio = false;                     // always positive: compared by division
        bool varies = false;                    // within a series at all
        double spread = 1;                      // typical, within a series
        Sums of_series;                         // of the feature itself, series after series
        std::vector<std::vector<float>> peers;  // by key column: mean of the group at the step
    };
    class Row;

    size_t at(size_t series, int step) const {
        return series * static_cast<size_t>(panel_.steps()) + static_cast<size_t>(step);
    }
    static float mean(const Sums& sums, size_t base, int from, int to);
    static float deviation(const Sums& sums, size_t base, int from, int to);
    void sum_values();
    void prepare_ahead(size_t feature);
    void levels(size_t series, int origin, Row& row) const;
    void lags(size_t series, int origin, int target, Row& row) const;
    void ahead(size_t series, int origin, int target, Row& row) const;
    void similar(size_t series, int origin, int target, Row& row) const;
    void calendar(int target, Row& row) const;
    /// The step whose features stand for the target's.
    int seen_at(int origin, int target) const {
        return std::min(target, origin + options_.known_ahead);
    }

    const Panel& panel_;
    const FeatureOptions options_;
    std::vector<float> logged_;
    Sums of_series_;               // series after series, steps + 1 each
    std::vector<Sums> of_groups_;  // by key column: group after group
    Sums of_all_;
    std::vector<Ahead> ahead_;
    std::optional<HolidayCalendar> holidays_;
    std::vector<std::string> names_;
};

}  // namespace tarn::models
