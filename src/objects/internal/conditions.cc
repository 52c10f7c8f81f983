#include "objects/internal/conditions.h"

namespace tarn::objects::internal {
namespace {

Error failed(std::string what) {
    return {Code::precondition_failed, "The condition " + what + " does not hold.",
            "PreconditionFailed"};
}

Error not_modified() {
    return {Code::precondition_failed, "Not modified.", "NotModified"};
}

bool matches(const std::string& wanted, const std::string& etag) {
    return wanted == "*" || wanted == etag;
}

}  // namespace

Status check_read(const ReadConditions& conditions, const std::string& etag, Timestamp modified) {
    // HTTP dates have whole seconds.
    const int64_t modified_seconds = modified.seconds();
    if (conditions.if_match) {
        if (!matches(*conditions.if_match, etag)) return failed("If-Match");
    } else if (conditions.if_unmodified_since &&
               modified_seconds > conditions.if_unmodified_since->seconds()) {
        return failed("If-Unmodified-Since");
    }
    if (conditions.if_none_match) {
        if (matches(*conditions.if_none_match, etag)) return not_modified();
    } else if (conditions.if_modified_since &&
               modified_seconds <= conditions.if_modified_since->seconds()) {
        return not_modified();
    }
    return {};
}

Status check_write(const WriteConditions& conditions, const std::string* etag) {
    if (conditions.if_none_match_any && etag != nullptr) return failed("If-None-Match");
    if (!conditions.if_match) return {};
    if (etag == nullptr)
        return Error(Code::not_found, "There is no object with this key to match.", "NoSuchKey");
    if (!matches(*conditions.if_match, *etag)) return failed("If-Match");
    return {};
}

}  // namespace tarn::objects::internal
