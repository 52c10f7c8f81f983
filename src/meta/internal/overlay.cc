#include "meta/internal/overlay.h"

#include <algorithm>

namespace tarn::meta {

namespace {
const Overlay::State kAbsent;
}

const Overlay::State* Overlay::find(std::string_view key) const {
    const auto it = keys_.find(key);
    if (it != keys_.end()) return &it->second;
    const bool erased = std::any_of(ranges_.begin(), ranges_.end(), [&](const auto& range) {
        return range.first <= key && key < range.second;
    });
    return erased ? &kAbsent : nullptr;
}

void Overlay::put(std::string_view key, State state) {
    const auto it = keys_.lower_bound(key);
    if (it != keys_.end() && it->first == key) {
        undo_.emplace_back(it->first, std::move(it->second));
        it->second = std::move(state);
        return;
    }
    undo_.emplace_back(std::string(key), std::nullopt);
    keys_.emplace_hint(it, std::string(key), std::move(state));
}

void Overlay::erase(std::string_view key) {
    put(key, State{});
}

void Overlay::erase_range(std::string_view from, std::string_view to) {
    for (auto it = keys_.lower_bound(from); it != keys_.end() && it->first < to; ++it) {
        undo_.emplace_back(it->first, std::move(it->second));
        it->second = State{};
    }
    ranges_.emplace_back(from, to);
}

void Overlay::undo() {
    for (auto it = undo_.rbegin(); it != undo_.rend(); ++it) {
        if (it->second)
            keys_[it->first] = std::move(*it->second);
        else
            keys_.erase(it->first);
    }
    undo_.clear();
    ranges_.resize(ranges_kept_);
}

void Overlay::clear() {
    keys_.clear();
    ranges_.clear();
    undo_.clear();
    ranges_kept_ = 0;
}

}  // namespace tarn::meta
