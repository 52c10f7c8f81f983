#include "query/internal/bytea_text.h"

#include "codec/text.h"

namespace tarn::query {

namespace {

/// 0 to 15; -1: no hexadecimal digit.
int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = static_cast<char>(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Pairs of digits, between which there may be white space.
std::optional<std::string> parse_pairs(std::string_view digits) {
    std::string bytes;
    for (size_t i = 0; i < digits.size(); ++i) {
        const char c = digits[i];
        if (c == ' ' || c == '\n' || c == '\t' || c == '\r') continue;
        const int high = hex_digit(c), low = i + 1 < digits.size() ? hex_digit(digits[i + 1]) : -1;
        if (high < 0 || low < 0) return std::nullopt;
        bytes += static_cast<char>(high << 4 | low);
        ++i;
    }
    return bytes;
}

/// The byte that stands behind a backslash, and how many characters it takes there; 0: none does.
std::pair<char, size_t> escaped(std::string_view behind) {
    if (behind.starts_with('\\')) return {'\\', 1};
    if (behind.size() < 3) return {0, 0};
    if (behind[0] == 'x' && hex_digit(behind[1]) >= 0 && hex_digit(behind[2]) >= 0)
        return {static_cast<char>(hex_digit(behind[1]) << 4 | hex_digit(behind[2])), 3};
    const auto octal = [&](size_t i) { return behind[i] >= '0' && behind[i] <= '7'; };
    if (!octal(0) || behind[0] > '3' || !octal(1) || !octal(2)) return {0, 0};
    return {static_cast<char>((behind[0] - '0') << 6 | (behind[1] - '0') << 3 | (behind[2] - '0')),
            3};
}

}  // namespace

std::optional<std::string> parse_escaped(std::string_view text) {
    std::string bytes;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            bytes += text[i];
            continue;
        }
        const auto [byte, length] = escaped(text.substr(i + 1));
        if (length == 0) return std::nullopt;
        bytes += byte;
        i += length;
    }
    return bytes;
}

std::optional<std::string> parse_bytea(std::string_view text) {
    const bool hex = text.starts_with("\\x") && text.find('\\', 1) == std::string_view::npos;
    return hex ? parse_pairs(text.substr(2)) : parse_escaped(text);
}

std::string format_bytea(std::string_view bytes) { return "\\x" + codec::hex_encode(bytes); }

}  // namespace tarn::query
