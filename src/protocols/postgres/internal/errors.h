// Errors and notices on the wire.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace tarn::postgres {

/// SQLSTATE 08P01.
inline Error protocol_error(std::string message) {
    return Error(Code::invalid_argument, std::move(message), "08P01");
}

enum class Severity { error, fatal };

/// ErrorResponse. Lines of the message that begin with "DETAIL:" or "HINT:" become fields of their
/// own. `position`: characters from 1 in the client's text; 0: unknown.
void append_error(std::string& out, Severity severity, const Error& error, uint32_t position = 0);
/// NoticeResponse with severity WARNING.
void append_notice(std::string& out, std::string_view message);

}  // namespace tarn::postgres
