#include "protocols/s3/internal/describe.h"

namespace tarn::s3 {

security::SignedRequest describe(const http::Request& request) {
    security::SignedRequest result;
    result.method = request.method();
    result.raw_path = request.path();
    result.raw_query = request.query();
    const auto& headers = request.headers();
    result.headers.reserve(headers.size());
    for (size_t i = 0; i < headers.size(); ++i)
        result.headers.emplace_back(headers[i].name, headers[i].value);
    return result;
}

}  // namespace tarn::s3
