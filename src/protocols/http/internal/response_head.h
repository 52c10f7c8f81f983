// The bytes of a response's head (RFC 9112 section 4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "protocols/http/response.h"

namespace tarn::http {

enum class ConnectionField { none, close, keep_alive };

struct ResponseFraming {
    std::optional<uint64_t> content_length;
    bool chunked = false;
    ConnectionField connection = ConnectionField::none;
};

/// With room for `room_behind` bytes more, so that a small body can be appended without a copy.
std::string format_response_head(int status, const ResponseHeaders& headers,
                                 const ResponseFraming& framing, Timestamp now,
                                 size_t room_behind = 0);

/// Answers with these statuses have no body, whatever their fields say (RFC 9112 6.3).
bool status_has_body(int status);

}  // namespace tarn::http
