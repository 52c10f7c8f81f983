// Section 4.7: topic names and filters.
#pragma once

#include <optional>
#include <string_view>

namespace tarn::mqtt {

/// May a client publish on it? Not empty, no wildcard, at most `levels_max` levels, none of the
/// names that servers keep for themselves ($SYS, $aws, $share).
bool valid_topic(std::string_view topic, size_t levels_max);

/// A filter as it came, taken apart: section 4.8.2.
struct Filter {
    std::string_view group;  // of $share; empty: not shared
    std::string_view filter;
};

/// nullopt when it breaks a rule.
std::optional<Filter> parse_filter(std::string_view text, size_t levels_max);

/// Precondition: `filter` and `topic` are valid. Wildcards at the front don't match a leading $.
bool matches(std::string_view filter, std::string_view topic);

/// Splits off the first level; `rest` becomes nullopt behind the last one.
std::string_view take_level(std::optional<std::string_view>& rest);

}  // namespace tarn::mqtt
