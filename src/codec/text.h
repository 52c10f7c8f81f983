// Bytes as text: hexadecimal and base64 (RFC 4648).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::codec {

/// Lower case, two characters a byte.
std::string hex_encode(std::string_view bytes);
/// Either case. invalid_argument: an odd length or another character.
Result<std::string> hex_decode(std::string_view text);

/// RFC 4648 section 4: '+' and '/', padded with '='.
std::string base64_encode(std::string_view bytes);
/// RFC 4648 section 5: '-' and '_', without padding, as in URLs and JSON Web Tokens.
std::string base64url_encode(std::string_view bytes);
/// Section 4, strict: padded, no line breaks, unused bits zero, so that a value has one text. Else
/// invalid_argument.
Result<std::string> base64_decode(std::string_view text);
/// Section 5, strict, padding optional.
Result<std::string> base64url_decode(std::string_view text);

}  // namespace tarn::codec
