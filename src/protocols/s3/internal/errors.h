// What our errors are called on S3's wire. Specification: Amazon S3 API reference, "Error
// responses".
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::s3 {

struct S3Error {
    std::string code;
    int status = 500;
};

/// Error::reason names S3's own word where there is one; else the code decides.
S3Error s3_error(const Error& error);

/// The XML document of an error response.
std::string error_body(const S3Error& kind, const Error& error, std::string_view resource,
                       std::string_view request_id, std::string_view host_id);

}  // namespace tarn::s3
