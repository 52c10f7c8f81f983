// The S3 door shares its port with all AWS services. A request that was meant for another one is
// told so in words that its SDK understands, instead of being taken for a bucket.
#pragma once

#include "protocols/http/request.h"
#include "protocols/http/response.h"

namespace tarn::s3 {

/// True when the request is for another service and has been answered. Nothing about it is trusted
/// or done.
bool answer_other_service(const http::Request& request, http::Responder& responder);

}  // namespace tarn::s3
