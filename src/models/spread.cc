#include "models/spread.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace tarn::models {

namespace {

constexpr size_t kResidualsOfLevelMin = 250;
constexpr size_t kLevelsMax = 6;

double quantile(std::vector<double>& values, double share) {
    if (values.empty()) return 0;
    const auto place = static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5);
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(place),
                     values.end());
    return values[place];
}

double unlogged(double number) {
    return std::max(0.0, std::expm1(number));
}

/// Typical error by steps ahead against the typical error of all, smoothed towards 1 where little
/// is known.
std::vector<double> scales_of(const std::vector<Residual>& residuals) {
    int most = 1;
    for (const auto& r : residuals) most = std::max(most, r.steps_ahead);
    std::vector<double> sums(static_cast<size_t>(most), 0), counts(sums);
    double all = 0;
    for (const auto& r : residuals) {
        const double error = std::fabs(static_cast<double>(r.actual - r.predicted));
        sums[static_cast<size_t>(r.steps_ahead) - 1] += error;
        counts[static_cast<size_t>(r.steps_ahead) - 1] += 1;
        all += error;
    }
    if (residuals.empty() || all <= 0) return {1.0};
    const double typical = all / static_cast<double>(residuals.size());
    double last = 1;
    for (size_t i = 0; i < sums.size(); ++i) {
        const double known = counts[i];
        sums[i] = known == 0 ? last : (sums[i] + 50 * typical) / (known + 50) / typical;
        last = sums[i];
    }
    return sums;
}

double factor_for(const std::vector<Residual>& level, Spread::Aim aim) {
    double actual = 0, predicted = 0;
    for (const auto& r : level) {
        actual += unlogged(static_cast<double>(r.actual));
        predicted += unlogged(static_cast<double>(r.predicted));
    }
    if (aim == Spread::Aim::unbiased)
        return predicted <= 0 ? 1 : std::clamp(actual / predicted, 0.5, 2.0);
    double best = 1, least = HUGE_VAL;
    for (int percent = 50; percent <= 120; ++percent) {
        double sum = 0;
        for (const auto& r : level) {
            const double came = unlogged(static_cast<double>(r.actual));
            if (came > 0)
                sum +=
                    std::fabs(percent / 100.0 * unlogged(static_cast<double>(r.predicted)) - came) /
                    came;
        }
        if (sum < least) {
            least = sum;
            best = percent / 100.0;
        }
    }
    return best;
}

}  // namespace

Spread Spread::fit(const std::vector<Residual>& residuals, Aim aim) {
    Spread spread;
    if (residuals.empty()) return spread;
    spread.scales_ = scales_of(residuals);
    std::vector<Residual> sorted = residuals;
    std::stable_sort(sorted.begin(), sorted.end(), [](const Residual& a, const Residual& b) {
        return a.predicted < b.predicted;
    });
    const size_t count = std::clamp<size_t>(sorted.size() / kResidualsOfLevelMin, 1, kLevelsMax);
    spread.levels_.clear();
    for (size_t i = 0; i < count; ++i) {
        const size_t from = sorted.size() * i / count, to = sorted.size() * (i + 1) / count;
        const std::vector<Residual> part(sorted.begin() + static_cast<std::ptrdiff_t>(from),
                                         sorted.begin() + static_cast<std::ptrdiff_t>(to));
        std::vector<double> errors;
        for (const auto& r : part)
            errors.push_back(static_cast<double>(r.actual - r.predicted) /
                             spread.scales_[static_cast<size_t>(r.steps_ahead) - 1]);
        Level level;
        level.below = i + 1 == count ? HUGE_VAL : static_cast<double>(sorted[to].predicted);
        level.factor = factor_for(part, aim);
        level.p10 = quantile(errors, 0.1);
        level.p50 = quantile(errors, 0.5);
        level.p90 = quantile(errors, 0.9);
        spread.levels_.push_back(level);
    }
    return spread;
}

Outlook Spread::at(int steps_ahead, float predicted) const {
    const double mu = static_cast<double>(predicted);
    size_t place = 0;
    while (place + 1 < levels_.size() && mu >= levels_[place].below) ++place;
    const Level& level = levels_[place];
    const double scale =
        scales_[std::min(scales_.size(), static_cast<size_t>(std::max(1, steps_ahead))) - 1];
    Outlook outlook;
    outlook.mean = level.factor * unlogged(mu);
    outlook.p10 = unlogged(mu + scale * level.p10);
    outlook.p50 = unlogged(mu + scale * level.p50);
    outlook.p90 = unlogged(mu + scale * level.p90);
    return outlook;
}

std::string Spread::to_json() const {
    nlohmann::json levels = nlohmann::json::array();
    for (const auto& l : levels_)
        levels.push_back({std::isinf(l.below) ? 1e300 : l.below, l.factor, l.p10, l.p50, l.p90});
    return nlohmann::json{{"levels", levels}, {"scales", scales_}}.dump();
}

Result<Spread> Spread::from_json(const std::string& text) {
    try {
        const auto json = nlohmann::json::parse(text);
        Spread spread;
        spread.levels_.clear();
        for (const auto& l : json.at("levels"))
            spread.levels_.push_back(Level{l.at(0), l.at(1), l.at(2), l.at(3), l.at(4)});
        spread.scales_ = json.at("scales").get<std::vector<double>>();
        if (spread.levels_.empty() || spread.scales_.empty())
            return Error(Code::corrupted, "the model's spread is empty");
        return spread;
    } catch (const std::exception& e) {
        return Error(Code::corrupted, std::string("the model's spread can't be read: ") + e.what());
    }
}

}  // namespace tarn::models
