#include "protocols/s3/internal/conditions.h"

#include <optional>

#include "base/ascii.h"

namespace tarn::s3 {

namespace {

std::string_view unquote(std::string_view tag) {
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag.size() >= 2 && tag.front() == '"' && tag.back() == '"')
        return tag.substr(1, tag.size() - 2);
    return tag;
}

std::optional<int64_t> seconds_of(std::string_view date) {
    if (date.empty()) return std::nullopt;
    auto at = parse_time(date);
    if (!at.ok()) return std::nullopt;
    return at->seconds();
}

}  // namespace

bool etag_list_matches(std::string_view list, std::string_view etag) {
    while (true) {
        auto comma = list.find(',');
        auto tag = trim(list.substr(0, comma));
        if (tag == "*" || (!tag.empty() && unquote(tag) == etag)) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
}

Verdict check_conditions(const Conditions& conditions, std::string_view etag, Timestamp modified) {
    if (!conditions.if_match.empty()) {
        if (!etag_list_matches(conditions.if_match, etag)) return Verdict::precondition_failed;
    } else if (auto limit = seconds_of(conditions.if_unmodified_since);
               limit && modified.seconds() > *limit) {
        return Verdict::precondition_failed;
    }
    if (!conditions.if_none_match.empty()) {
        if (etag_list_matches(conditions.if_none_match, etag)) return Verdict::not_modified;
    } else if (auto limit = seconds_of(conditions.if_modified_since);
               limit && modified.seconds() <= *limit) {
        return Verdict::not_modified;
    }
    return Verdict::proceed;
}

bool if_range_holds(std::string_view if_range, std::string_view etag, Timestamp modified) {
    if_range = trim(if_range);
    if (if_range.empty()) return true;
    if (if_range.starts_with("W/")) return false;
    if (if_range.front() == '"') return unquote(if_range) == etag;
    auto date = seconds_of(if_range);
    return date && *date == modified.seconds();
}

}  // namespace tarn::s3
