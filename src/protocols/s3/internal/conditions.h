// Conditional requests, in the order of RFC 9110 section 13.2.2.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"

namespace tarn::s3 {

/// The header values as they came; empty means absent.
struct Conditions {
    std::string_view if_match;
    std::string_view if_none_match;
    std::string_view if_modified_since;
    std::string_view if_unmodified_since;
};

enum class Verdict { proceed, not_modified, precondition_failed };

/// `etag` without quotes. Dates compare in whole seconds; a date that can't be read is ignored.
Verdict check_conditions(const Conditions& conditions, std::string_view etag, Timestamp modified);

/// Whether a list such as `"a", W/"b"` or `*` names the entity. Quotes may be missing, as many S3
/// clients leave them out.
bool etag_list_matches(std::string_view list, std::string_view etag);

/// Whether a Range still applies (RFC 9110 section 13.1.5); empty: it does.
bool if_range_holds(std::string_view if_range, std::string_view etag, Timestamp modified);

}  // namespace tarn::s3
