// An HTTP request as the signature check wants it.
#pragma once

#include "protocols/http/request.h"
#include "security/sigv4.h"

namespace tarn::s3 {

/// Views into `request`, which must outlive the result.
security::SignedRequest describe(const http::Request& request);

}  // namespace tarn::s3
