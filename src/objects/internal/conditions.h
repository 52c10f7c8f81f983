// Conditional requests (RFC 9110 section 13) as S3 applies them.
#pragma once

#include "base/result.h"
#include "objects/types.h"

namespace tarn::objects::internal {

/// PreconditionFailed, or NotModified, both with Code::precondition_failed.
Status check_read(const ReadConditions& conditions, const std::string& etag, Timestamp modified);
/// `etag` is null when there is no object. If-Match without an object is NoSuchKey (not_found), as
/// AWS has it.
Status check_write(const WriteConditions& conditions, const std::string* etag);

}  // namespace tarn::objects::internal
