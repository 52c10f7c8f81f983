#include "models/panel.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace tarn::models {

namespace {

int64_t step_between(const std::vector<PanelRow>& rows, TimeKind kind, int64_t first) {
    if (kind != TimeKind::micros) return 1;
    int64_t step = 0;
    for (const auto& row : rows) step = std::gcd(step, row.time - first);
    return std::max<int64_t>(step, 1);
}

}  // namespace

Result<Panel> Panel::make(const std::vector<PanelRow>& rows, size_t key_columns,
                          std::vector<std::string> feature_names, TimeKind kind, int ahead) {
    Panel panel;
    panel.kind_ = kind;
    panel.feature_names_ = std::move(feature_names);
    std::map<std::vector<std::string>, size_t> places;
    bool any = false;
    int64_t first = 0, last = 0;
    for (const auto& row : rows) {
        if (std::isnan(row.value)) continue;
        first = any ? std::min(first, row.time) : row.time;
        last = any ? std::max(last, row.time) : row.time;
        any = true;
        places.emplace(row.keys, 0);
    }
    if (!any) return Error(Code::invalid_argument, "there is no row with a value to learn from");
    panel.first_ = first;
    panel.step_ = step_between(rows, kind, first);
    if ((last - first) / panel.step_ >= static_cast<int64_t>(kStepsMax))
        return Error(Code::exhausted,
                     "the time column spans " + std::to_string((last - first) / panel.step_) +
                         " steps; at most " + std::to_string(kStepsMax) + " can be learnt from");
    panel.steps_ = static_cast<int>((last - first) / panel.step_) + 1;
    panel.steps_all_ = panel.steps_ + ahead;
    const uint64_t cells =
        places.size() * static_cast<uint64_t>(panel.steps_all_) * (1 + panel.feature_names_.size());
    if (cells > kCellsMax)
        return Error(Code::exhausted,
                     std::to_string(places.size()) + " series of " + std::to_string(panel.steps_) +
                         " steps do not fit: choose fewer keys or a shorter history");
    panel.groups_.resize(key_columns);
    for (size_t column = 0; column < key_columns; ++column) {
        std::map<std::string, int> codes;
        for (const auto& [keys, place] : places) codes.emplace(keys[column], 0);
        int next = 0;
        for (auto& [text, code] : codes) code = next++;
        panel.group_counts_.push_back(next);
        for (const auto& [keys, place] : places)
            panel.groups_[column].push_back(codes.at(keys[column]));
    }
    for (auto& [keys, place] : places) {
        place = panel.keys_.size();
        panel.keys_.push_back(keys);
    }
    panel.values_.assign(places.size() * static_cast<size_t>(panel.steps_), kUnknown);
    panel.features_.assign(
        panel.feature_names_.size(),
        std::vector<float>(places.size() * static_cast<size_t>(panel.steps_all_), kUnknown));
    for (const auto& row : rows) {
        const auto place = places.find(row.keys);
        const int step = panel.step_of(row.time);
        if (place == places.end() || step < 0) continue;
        if (!std::isnan(row.value) && step < panel.steps_)
            panel.values_[place->second * static_cast<size_t>(panel.steps_) +
                          static_cast<size_t>(step)] = row.value;
        for (size_t f = 0; f < row.features.size() && f < panel.features_.size(); ++f)
            if (!std::isnan(row.features[f]))
                panel.features_[f][place->second * static_cast<size_t>(panel.steps_all_) +
                                   static_cast<size_t>(step)] = row.features[f];
    }
    return panel;
}

int Panel::step_of(int64_t time) const {
    if (time < first_ || (time - first_) % step_ != 0) return -1;
    const int64_t step = (time - first_) / step_;
    return step < steps_all_ ? static_cast<int>(step) : -1;
}

void Panel::mask(size_t series, int64_t time) {
    const int step = step_of(time);
    if (step < 0 || step >= steps_) return;
    float& cell = values_[series * static_cast<size_t>(steps_) + static_cast<size_t>(step)];
    if (!std::isnan(cell)) ++masked_;
    cell = kUnknown;
}

int Panel::find(const std::vector<std::string>& keys) const {
    const auto at = std::lower_bound(keys_.begin(), keys_.end(), keys);
    return at != keys_.end() && *at == keys ? static_cast<int>(at - keys_.begin()) : -1;
}

void Panel::carry_features_forward() {
    for (auto& cells : features_)
        for (size_t s = 0; s < keys_.size(); ++s) {
            float last = kUnknown;
            for (int t = 0; t < steps_all_; ++t) {
                float& cell = cells[s * static_cast<size_t>(steps_all_) + static_cast<size_t>(t)];
                if (std::isnan(cell))
                    cell = last;
                else
                    last = cell;
            }
        }
}

uint64_t Panel::known_values() const {
    return static_cast<uint64_t>(
        std::count_if(values_.begin(), values_.end(), [](float v) { return !std::isnan(v); }));
}

}  // namespace tarn::models
