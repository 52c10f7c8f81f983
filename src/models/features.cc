#include "models/features.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/time.h"

namespace tarn::models {

namespace {

constexpr int kLags = 8;
constexpr int kSimilarStepsMax = 200;
constexpr int64_t kDayMicros = 86'400'000'000;

/// Spans of rolling means, in steps: whole weeks for days, powers of two otherwise.
std::array<int, 6> spans_of(int season) {
    if (season == 7) return {3, 7, 14, 28, 56, 182};
    return {2, 4, 8, 13, 26, 52};
}

}  // namespace

/// Collects one row; with `names` it collects the columns' names instead, so that names and numbers
/// can't part.
class Features::Row {
 public:
    Row(float* out, std::vector<std::string>* names) : out_(out), names_(names) {}
    template <typename Name>
    void put(Name&& name, float number) {
        if (names_ != nullptr)
            names_->push_back(name());
        else
            *out_++ = number;
    }
    bool naming() const { return names_ != nullptr; }

 private:
    float* out_;
    std::vector<std::string>* names_;
};

// The name is only made when it is asked for: rows are made by the million.
#define TARN_NAME(text) [&] { return std::string(text); }

Features::Features(const Panel& panel, FeatureOptions options)
    : panel_(panel), options_(std::move(options)) {
    sum_values();
    ahead_.resize(panel.feature_count());
    for (size_t f = 0; f < ahead_.size(); ++f) prepare_ahead(f);
    if (!options_.country.empty() && panel.kind() != TimeKind::integer) {
        const int64_t unit = panel.kind() == TimeKind::micros ? kDayMicros : 1;
        holidays_.emplace(options_.country, panel.time(0) / unit - 1,
                          panel.time(panel.steps_all()) / unit + 1);
    }
    Row row(nullptr, &names_);
    levels(0, 0, row);
    lags(0, 0, 1, row);
    ahead(0, 0, 1, row);
    similar(0, 0, 1, row);
    calendar(1, row);
}

void Features::fill(size_t series, int origin, int target, float* out) const {
    Row row(out, nullptr);
    levels(series, origin, row);
    lags(series, origin, target, row);
    ahead(series, origin, target, row);
    similar(series, origin, target, row);
    calendar(target, row);
}

void Features::sum_values() {
    const size_t series = panel_.series(), steps = static_cast<size_t>(panel_.steps());
    logged_.resize(series * steps);
    const auto reset = [&](Sums& sums, size_t count) {
        sums.sum.assign(count * (steps + 1), 0);
        sums.squares.assign(count * (steps + 1), 0);
        sums.count.assign(count * (steps + 1), 0);
    };
    reset(of_series_, series);
    reset(of_all_, 1);
    of_groups_.resize(panel_.key_columns());
    for (size_t k = 0; k < of_groups_.size(); ++k)
        reset(of_groups_[k], static_cast<size_t>(panel_.group_count(k)));
    const auto add = [&](Sums& sums, size_t place, size_t t, double number) {
        sums.sum[place * (steps + 1) + t + 1] += number;
        sums.squares[place * (steps + 1) + t + 1] += number * number;
        sums.count[place * (steps + 1) + t + 1] += 1;
    };
    for (size_t s = 0; s < series; ++s)
        for (size_t t = 0; t < steps; ++t) {
            const float value = panel_.value(s, static_cast<int>(t));
            const float number = std::isnan(value) ? kUnknown : std::log1p(std::max(0.0f, value));
            logged_[s * steps + t] = number;
            if (std::isnan(number)) continue;
            add(of_series_, s, t, static_cast<double>(number));
            add(of_all_, 0, t, static_cast<double>(number));
            for (size_t k = 0; k < of_groups_.size(); ++k)
                add(of_groups_[k], static_cast<size_t>(panel_.group(k, s)), t,
                    static_cast<double>(number));
        }
    const auto accumulate = [&](Sums& sums) {
        for (size_t i = 0; i < sums.sum.size(); ++i)
            if (i % (steps + 1) != 0) {
                sums.sum[i] += sums.sum[i - 1];
                sums.squares[i] += sums.squares[i - 1];
                sums.count[i] += sums.count[i - 1];
            }
    };
    accumulate(of_series_);
    accumulate(of_all_);
    for (auto& sums : of_groups_) accumulate(sums);
}

void Features::prepare_ahead(size_t feature) {
    Ahead& ahead = ahead_[feature];
    const size_t steps = static_cast<size_t>(panel_.steps_all());
    const size_t series = panel_.series();
    ahead.ratio = true;
    for (size_t s = 0; s < series && ahead.ratio; ++s)
        for (size_t t = 0; t < steps; ++t)
            if (panel_.feature(feature, s, static_cast<int>(t)) <= 0) ahead.ratio = false;
    Sums& sums = ahead.of_series;
    sums.sum.assign(series * (steps + 1), 0);
    sums.squares.assign(series * (steps + 1), 0);
    sums.count.assign(series * (steps + 1), 0);
    double within = 0;
    uint64_t known = 0;
    for (size_t s = 0; s < series; ++s) {
        const size_t base = s * (steps + 1);
        for (size_t t = 0; t < steps; ++t) {
            const float raw = panel_.feature(feature, s, static_cast<int>(t));
            const double number = static_cast<double>(ahead.ratio ? std::log(raw) : raw);
            const bool is_known = !std::isnan(raw);
            sums.sum[base + t + 1] = sums.sum[base + t] + (is_known ? number : 0);
            sums.squares[base + t + 1] = sums.squares[base + t] + (is_known ? number * number : 0);
            sums.count[base + t + 1] = sums.count[base + t] + (is_known ? 1 : 0);
        }
        // The scale is a constant of the model: taken from the older part, so that nothing late is
        // in it.
        const size_t end = base + std::max<size_t>(1, steps * 3 / 5);
        const int count = sums.count[end];
        if (count == 0) continue;
        within += std::max(0.0, sums.squares[end] - sums.sum[end] * sums.sum[end] / count);
        known += static_cast<uint64_t>(count);
    }
    ahead.spread = known == 0 ? 0 : std::sqrt(within / static_cast<double>(known));
    ahead.varies = ahead.spread > 1e-6;
    for (size_t k = 0; k < panel_.key_columns(); ++k) {
        const size_t groups = static_cast<size_t>(panel_.group_count(k));
        std::vector<double> sum(groups * steps, 0);
        std::vector<int> count(groups * steps, 0);
        for (size_t s = 0; s < series; ++s)
            for (size_t t = 0; t < steps; ++t) {
                const float raw = panel_.feature(feature, s, static_cast<int>(t));
                if (std::isnan(raw)) continue;
                const size_t place = static_cast<size_t>(panel_.group(k, s)) * steps + t;
                sum[place] += static_cast<double>(raw);
                ++count[place];
            }
        std::vector<float> peers(groups * steps, kUnknown);
        for (size_t i = 0; i < peers.size(); ++i)
            if (count[i] > 0) peers[i] = static_cast<float>(sum[i] / count[i]);
        ahead.peers.push_back(std::move(peers));
    }
}

float Features::mean(const Sums& sums, size_t base, int from, int to) {
    const size_t a = base + static_cast<size_t>(std::max(0, from)),
                 b = base + static_cast<size_t>(to);
    const int count = sums.count[b] - sums.count[a];
    return count == 0 ? kUnknown : static_cast<float>((sums.sum[b] - sums.sum[a]) / count);
}

float Features::deviation(const Sums& sums, size_t base, int from, int to) {
    const size_t a = base + static_cast<size_t>(std::max(0, from)),
                 b = base + static_cast<size_t>(to);
    const int count = sums.count[b] - sums.count[a];
    if (count < 2) return kUnknown;
    const double sum = sums.sum[b] - sums.sum[a];
    return static_cast<float>(std::sqrt(
        std::max(0.0, (sums.squares[b] - sums.squares[a] - sum * sum / count) / (count - 1))));
}

void Features::levels(size_t series, int origin, Row& row) const {
    const size_t stride = static_cast<size_t>(panel_.steps()) + 1;
    for (size_t k = 0; k < of_groups_.size(); ++k) {
        const auto name = [&](const char* what) { return "key" + std::to_string(k + 1) + what; };
        const size_t base = static_cast<size_t>(panel_.group(k, series)) * stride;
        row.put(TARN_NAME(name("")), static_cast<float>(panel_.group(k, series)));
        row.put(TARN_NAME(name("_mean")), mean(of_groups_[k], base, 0, origin + 1));
        row.put(TARN_NAME(name("_recent")), mean(of_groups_[k], base, origin - 3, origin + 1) -
                                                mean(of_groups_[k], base, 0, origin + 1));
    }
    row.put(TARN_NAME("all_recent"),
            mean(of_all_, 0, origin - 3, origin + 1) - mean(of_all_, 0, 0, origin + 1));
    row.put(TARN_NAME("own_mean"), mean(of_series_, series * stride, 0, origin + 1));
    row.put(TARN_NAME("own_deviation"), deviation(of_series_, series * stride, 0, origin + 1));
    row.put(
        TARN_NAME("known_share"),
        static_cast<float>(of_series_.count[series * stride + static_cast<size_t>(origin) + 1]) /
            static_cast<float>(origin + 1));
}

void Features::lags(size_t series, int origin, int target, Row& row) const {
    const size_t base = series * (static_cast<size_t>(panel_.steps()) + 1);
    row.put(TARN_NAME("steps_ahead"), static_cast<float>(target - origin));
    for (int i = 0; i < kLags; ++i)
        row.put(TARN_NAME("lag" + std::to_string(i)),
                origin - i < 0 ? kUnknown : logged(series, origin - i));
    for (const int span : spans_of(options_.season))
        row.put(TARN_NAME("mean" + std::to_string(span)),
                mean(of_series_, base, origin + 1 - span, origin + 1));
    row.put(TARN_NAME("deviation_short"),
            deviation(of_series_, base, origin + 1 - spans_of(options_.season)[2], origin + 1));
    row.put(TARN_NAME("deviation_long"),
            deviation(of_series_, base, origin + 1 - spans_of(options_.season)[4], origin + 1));
    // The same season of earlier cycles, the newest that is known first, and their mean.
    int past = target - ((target - origin - 1) / options_.season + 1) * options_.season;
    double sum = 0;
    int count = 0;
    for (int i = 0; i < 8; ++i, past -= options_.season) {
        const float number = past < 0 ? kUnknown : logged(series, past);
        if (i < 3) row.put(TARN_NAME("season" + std::to_string(i + 1)), number);
        if (std::isnan(number)) continue;
        sum += static_cast<double>(number);
        ++count;
    }
    row.put(TARN_NAME("season_mean"), count == 0 ? kUnknown : static_cast<float>(sum / count));
}

void Features::ahead(size_t series, int origin, int target, Row& row) const {
    const int seen = seen_at(origin, target);
    const size_t steps = static_cast<size_t>(panel_.steps_all());
    for (size_t f = 0; f < ahead_.size(); ++f) {
        const Ahead& feature = ahead_[f];
        const std::string& name = panel_.feature_names()[f];
        const float now = panel_.feature(f, series, seen);
        const float own = feature.ratio ? std::log(now) : now;
        const float usual = mean(feature.of_series, series * (steps + 1), 0, seen + 1);
        const float recent = mean(feature.of_series, series * (steps + 1), origin - 3, origin + 1);
        row.put(TARN_NAME(name), now);
        row.put(TARN_NAME(name + "_to_usual"), own - usual);
        row.put(TARN_NAME(name + "_to_recent"), own - recent);
        for (size_t k = 0; k < feature.peers.size(); ++k) {
            const float peers =
                feature.peers[k][static_cast<size_t>(panel_.group(k, series)) * steps +
                                 static_cast<size_t>(seen)];
            row.put(TARN_NAME(name + "_to_key" + std::to_string(k + 1)),
                    feature.ratio ? now / peers : now - peers);
        }
        row.put(TARN_NAME(name + "_before"),
                seen == 0 ? kUnknown : panel_.feature(f, series, seen - 1));
    }
}

/// The mean of what was sold at times like the target's: each past step counts by how close its
/// features are, how recent it is, and (second column) whether it is of the same season. A
/// promotion's usual effect on this very series.
void Features::similar(size_t series, int origin, int target, Row& row) const {
    if (row.naming() || ahead_.empty()) {
        row.put(TARN_NAME("similar"), kUnknown);
        row.put(TARN_NAME("similar_season"), kUnknown);
        row.put(TARN_NAME("similar_weight"), kUnknown);
        return;
    }
    const int seen = seen_at(origin, target);
    const int first = std::max(0, origin - kSimilarStepsMax + 1);
    const float memory = options_.season == 7 ? 1.0f / 60 : 1.0f / 30;
    float exponents[kSimilarStepsMax];
    for (int t = first; t <= origin; ++t)
        exponents[t - first] = static_cast<float>(origin - t) * memory;
    for (size_t f = 0; f < ahead_.size(); ++f) {
        const Ahead& feature = ahead_[f];
        const float now = panel_.feature(f, series, seen);
        if (!feature.varies || std::isnan(now)) continue;
        const float scale = 1.0f / (0.4f * static_cast<float>(feature.spread));
        for (int t = first; t <= origin; ++t) {
            const float then = panel_.feature(f, series, t);
            if (std::isnan(then)) continue;
            const float gap = (feature.ratio ? std::log(then / now) : then - now) * scale;
            exponents[t - first] += std::min(12.0f, 0.5f * gap * gap);
        }
    }
    double sum = 0, weight = 0, season_sum = 0, season_weight = 0;
    for (int t = first; t <= origin; ++t) {
        const float number = logged(series, t);
        if (std::isnan(number)) continue;
        const double w = static_cast<double>(std::exp(-exponents[t - first]));
        sum += w * static_cast<double>(number);
        weight += w;
        if ((target - t) % options_.season != 0) continue;
        season_sum += w * static_cast<double>(number);
        season_weight += w;
    }
    row.put(TARN_NAME("similar"), weight < 1e-9 ? kUnknown : static_cast<float>(sum / weight));
    row.put(TARN_NAME("similar_season"),
            season_weight < 1e-9 ? kUnknown : static_cast<float>(season_sum / season_weight));
    row.put(TARN_NAME("similar_weight"), static_cast<float>(weight));
}

void Features::calendar(int target, Row& row) const {
    const double turn = 2 * M_PI;
    if (panel_.kind() == TimeKind::integer) {
        const int64_t time = panel_.time(target);
        const auto place =
            static_cast<double>((time % options_.season + options_.season) % options_.season);
        row.put(TARN_NAME("season_place"), static_cast<float>(place));
        row.put(TARN_NAME("season_sin"),
                static_cast<float>(std::sin(turn * place / options_.season)));
        row.put(TARN_NAME("season_cos"),
                static_cast<float>(std::cos(turn * place / options_.season)));
        return;
    }
    const int64_t micros =
        panel_.kind() == TimeKind::micros ? panel_.time(target) : panel_.time(target) * kDayMicros;
    const int64_t day =
        micros >= 0 ? micros / kDayMicros : -((-micros + kDayMicros - 1) / kDayMicros);
    const CivilTime date = civil({micros});
    const double of_year = static_cast<double>(day - days_from_civil(date.year, 1, 1)) / 365.25;
    if (panel_.kind() == TimeKind::micros)
        row.put(TARN_NAME("hour"), static_cast<float>(date.hour));
    row.put(TARN_NAME("weekday"), static_cast<float>(weekday(day)));
    row.put(TARN_NAME("month"), static_cast<float>(date.month));
    row.put(TARN_NAME("day_of_month"), static_cast<float>(date.day));
    row.put(TARN_NAME("year_sin"), static_cast<float>(std::sin(turn * of_year)));
    row.put(TARN_NAME("year_cos"), static_cast<float>(std::cos(turn * of_year)));
    if (!holidays_) return;
    row.put(TARN_NAME("holiday"), holidays_->is_holiday(day) ? 1.0f : 0.0f);
    row.put(TARN_NAME("to_holiday"), static_cast<float>(holidays_->to_next(day)));
    row.put(TARN_NAME("since_holiday"), static_cast<float>(holidays_->since_last(day)));
}

float Features::naive(size_t series, int origin) const {
    for (int t = origin; t >= 0; --t)
        if (!std::isnan(panel_.value(series, t))) return panel_.value(series, t);
    return kUnknown;
}

float Features::seasonal_naive(size_t series, int origin, int target) const {
    int past = target - ((target - origin - 1) / options_.season + 1) * options_.season;
    for (; past >= 0; past -= options_.season)
        if (!std::isnan(panel_.value(series, past))) return panel_.value(series, past);
    return naive(series, origin);
}

}  // namespace tarn::models
