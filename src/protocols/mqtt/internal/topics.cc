#include "protocols/mqtt/internal/topics.h"

#include <algorithm>

namespace tarn::mqtt {
namespace {

bool few_levels(std::string_view text, size_t levels_max) {
    return static_cast<size_t>(std::count(text.begin(), text.end(), '/')) < levels_max;
}

bool reserved(std::string_view topic) {
    if (topic.front() != '$') return false;
    std::optional<std::string_view> rest = topic;
    const std::string_view first = take_level(rest);
    return first == "$SYS" || first == "$aws" || first == "$share";
}

bool wildcards_stand_alone(std::string_view filter) {
    std::optional<std::string_view> rest = filter;
    while (rest) {
        const std::string_view level = take_level(rest);
        if (level == "#") return !rest;
        if (level != "+" && level.find_first_of("+#") != level.npos) return false;
    }
    return true;
}

}  // namespace

std::string_view take_level(std::optional<std::string_view>& rest) {
    const size_t slash = rest->find('/');
    const std::string_view level = rest->substr(0, slash);
    if (slash == std::string_view::npos) {
        rest.reset();
    } else {
        rest->remove_prefix(slash + 1);
    }
    return level;
}

bool valid_topic(std::string_view topic, size_t levels_max) {
    return !topic.empty() && topic.find_first_of("+#") == topic.npos &&
           few_levels(topic, levels_max) && !reserved(topic);
}

std::optional<Filter> parse_filter(std::string_view text, size_t levels_max) {
    constexpr std::string_view kShare = "$share/";
    Filter parsed{{}, text};
    if (text.starts_with(kShare)) {
        const std::string_view shared = text.substr(kShare.size());
        const size_t slash = shared.find('/');
        if (slash == shared.npos) return std::nullopt;
        parsed = {shared.substr(0, slash), shared.substr(slash + 1)};
        if (parsed.group.empty() || parsed.group.find_first_of("+#") != parsed.group.npos)
            return std::nullopt;
    }
    if (parsed.filter.empty() || !few_levels(parsed.filter, levels_max) ||
        !wildcards_stand_alone(parsed.filter))
        return std::nullopt;
    return parsed;
}

bool matches(std::string_view filter, std::string_view topic) {
    if (topic.front() == '$' && (filter.front() == '+' || filter.front() == '#')) return false;
    std::optional<std::string_view> filters = filter, topics = topic;
    while (filters && topics) {
        const std::string_view wanted = take_level(filters);
        if (wanted == "#") return true;
        const std::string_view level = take_level(topics);
        if (wanted != "+" && wanted != level) return false;
    }
    // "a/#" matches "a" too.
    return !topics && (!filters || *filters == "#");
}

}  // namespace tarn::mqtt
