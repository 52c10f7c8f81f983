// A dense panel in memory: series (one per combination of keys) by time steps, with a measure and
// the features that are known ahead. Plain values, no I/O. Lane: any.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/result.h"

namespace tarn::models {

inline constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

/// What the time column counts.
enum class TimeKind : uint8_t { days, micros, integer };

/// One row of a table, before it has its place in the panel.
struct PanelRow {
    std::vector<std::string> keys;  // as text
    int64_t time = 0;
    float value = kUnknown;  // NaN: not known (or a row of the future)
    std::vector<float> features;
};

class Panel {
 public:
    static constexpr uint64_t kCellsMax = 400'000'000;  // floats of one panel: 1.6 GB
    static constexpr size_t kStepsMax = 200'000;

    /// A step without a row is unknown, not zero. Of several rows with one key and time the last
    /// wins. The step of timestamps is the greatest common divisor of the differences; of days and
    /// integers it is 1. `ahead` steps beyond the newest one with a value have room for features.
    /// invalid_argument: no rows with a value. exhausted: too large.
    static Result<Panel> make(const std::vector<PanelRow>& rows, size_t key_columns,
                              std::vector<std::string> feature_names, TimeKind kind, int ahead);

    size_t series() const { return keys_.size(); }
    int steps() const { return steps_; }          // with values
    int steps_all() const { return steps_all_; }  // with features
    size_t feature_count() const { return feature_names_.size(); }
    const std::vector<std::string>& feature_names() const { return feature_names_; }
    const std::vector<std::string>& keys(size_t series) const { return keys_[series]; }
    size_t key_columns() const { return groups_.size(); }
    /// Which value of key column `column` the series has, numbered in text order.
    int group(size_t column, size_t series) const { return groups_[column][series]; }
    int group_count(size_t column) const { return group_counts_[column]; }

    TimeKind kind() const { return kind_; }
    int64_t time(int step) const { return first_ + step * step_; }
    /// -1: not a step of the panel.
    int step_of(int64_t time) const;

    float value(size_t series, int step) const {
        return values_[series * static_cast<size_t>(steps_) + static_cast<size_t>(step)];
    }
    /// Forgets what was measured: nothing could be sold then.
    void mask(size_t series, int64_t time);
    /// -1: no such series.
    int find(const std::vector<std::string>& keys) const;
    float feature(size_t feature, size_t series, int step) const {
        return features_[feature]
                        [series * static_cast<size_t>(steps_all_) + static_cast<size_t>(step)];
    }
    /// Steps that have no row keep the last known value of their series.
    void carry_features_forward();
    uint64_t known_values() const;
    uint64_t masked() const { return masked_; }

 private:
    std::vector<std::vector<std::string>> keys_;  // in order
    std::vector<std::vector<int>> groups_;
    std::vector<int> group_counts_;
    std::vector<std::string> feature_names_;
    TimeKind kind_ = TimeKind::days;
    int64_t first_ = 0, step_ = 1;
    int steps_ = 0, steps_all_ = 0;
    std::vector<float> values_;
    std::vector<std::vector<float>> features_;
    uint64_t masked_ = 0;
};

}  // namespace tarn::models
