// Identifiers with a type of their own, so that two of them can't be swapped.
#pragma once

#include <compare>
#include <cstdint>

namespace tarn {

template <typename Tag, typename Value = uint64_t>
struct StrongId {
    Value value{};
    auto operator<=>(const StrongId&) const = default;
};

}  // namespace tarn
