// One field line (RFC 9112 section 5), read strictly: for heads and for trailers.
#pragma once

#include <optional>
#include <string_view>

namespace tarn::http {

/// RFC 9110 5.6.2.
bool is_token(std::string_view text);

struct FieldLine {
    std::string_view name;
    std::string_view value;  // without the white space around it
};
/// `line` without its CRLF. Nothing for folded lines, white space before the colon, and characters
/// that no field may hold.
std::optional<FieldLine> parse_field_line(std::string_view line);

}  // namespace tarn::http
