// Object metadata between request headers, the store, and response headers.
#pragma once

#include <string_view>

#include "base/result.h"
#include "objects/types.h"
#include "protocols/http/headers.h"
#include "protocols/s3/internal/conditions.h"
#include "protocols/s3/internal/exchange.h"

namespace tarn::s3 {

/// What the writer says about the object: system headers, x-amz-meta-*, tags. Headers that ask for
/// something we don't do (encryption, object lock, other storage classes, ACLs for others) are
/// refused: unimplemented, "InvalidRequest", "AccessControlListNotSupported",
/// "InvalidStorageClass", "InvalidTag".
Result<objects::Metadata> metadata_of(const http::Request& request);

/// `a=1&b=2`, form encoded, as x-amz-tagging has it.
Result<objects::Tags> parse_tag_header(std::string_view text);

/// If-Match and If-None-Match of a write. Errors: unimplemented for forms that S3 does not take.
Result<objects::WriteConditions> write_conditions(const http::Request& request);

/// x-amz-copy-source-if-*.
objects::ReadConditions copy_source_conditions(const http::Request& request);

/// If-Match and its kin of a read.
Conditions read_conditions(const http::Request& request);

/// ETag, Last-Modified, Content-Type and all the rest that GET and HEAD tell; response-* parameters
/// override.
Result<http::ResponseHeaders> object_headers(Exchange& exchange, const objects::ObjectInfo& info);

std::string quoted(std::string_view etag);

/// x-amz-expected-bucket-owner and x-amz-source-expected-bucket-owner name our account, where
/// given.
Status check_expected_owner(const Exchange& exchange);

}  // namespace tarn::s3
