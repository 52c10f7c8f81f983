#include "codec/text.h"

#include <array>
#include <cstdint>

namespace tarn::codec {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr uint8_t kNoDigit = 0xff;

using Digits = std::array<uint8_t, 256>;

constexpr Digits digits_of(std::string_view alphabet) {
    Digits digits{};
    for (auto& digit : digits) digit = kNoDigit;
    for (size_t i = 0; i < alphabet.size(); ++i)
        digits[static_cast<uint8_t>(alphabet[i])] = static_cast<uint8_t>(i);
    return digits;
}

constexpr Digits hex_digits() {
    Digits digits = digits_of(kHexDigits);
    for (uint8_t i = 0; i < 6; ++i)
        digits[static_cast<uint8_t>('A' + i)] = static_cast<uint8_t>(10 + i);
    return digits;
}

std::string encode(std::string_view bytes, std::string_view alphabet, bool padded) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (size_t i = 0; i < bytes.size(); i += 3) {
        const size_t present = bytes.size() - i < 3 ? bytes.size() - i : 3;
        uint32_t group = 0;
        for (size_t k = 0; k < 3; ++k)
            group = group << 8 | (k < present ? static_cast<uint8_t>(bytes[i + k]) : 0u);
        for (size_t k = 0; k < 4; ++k) {
            if (k <= present) {
                out.push_back(alphabet[group >> (18 - 6 * k) & 63]);
            } else if (padded) {
                out.push_back('=');
            }
        }
    }
    return out;
}

/// `text` without its padding.
Result<std::string> decode(std::string_view text, const Digits& digits) {
    const Error malformed(Code::invalid_argument, "this is not base64");
    if (text.size() % 4 == 1) return malformed;
    std::string out;
    out.reserve(text.size() / 4 * 3 + 2);
    uint32_t bits = 0;
    unsigned held = 0;
    for (const char c : text) {
        const uint8_t digit = digits[static_cast<uint8_t>(c)];
        if (digit == kNoDigit) return malformed;
        bits = (bits << 6 | digit) & 0xfff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out.push_back(static_cast<char>(bits >> held & 0xff));
        }
    }
    if ((bits & ((1u << held) - 1)) != 0) return malformed;
    return out;
}

std::string_view without_padding(std::string_view text) {
    for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
    return text;
}

}  // namespace

std::string hex_encode(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        out.push_back(kHexDigits[static_cast<uint8_t>(c) >> 4]);
        out.push_back(kHexDigits[static_cast<uint8_t>(c) & 15]);
    }
    return out;
}

Result<std::string> hex_decode(std::string_view text) {
    static constexpr Digits kDigits = hex_digits();
    const Error malformed(Code::invalid_argument, "this is not hexadecimal");
    if (text.size() % 2 != 0) return malformed;
    std::string out;
    out.reserve(text.size() / 2);
    for (size_t i = 0; i < text.size(); i += 2) {
        const uint8_t high = kDigits[static_cast<uint8_t>(text[i])];
        const uint8_t low = kDigits[static_cast<uint8_t>(text[i + 1])];
        if (high == kNoDigit || low == kNoDigit) return malformed;
        out.push_back(static_cast<char>(high << 4 | low));
    }
    return out;
}

std::string base64_encode(std::string_view bytes) {
    return encode(bytes, kBase64, true);
}
std::string base64url_encode(std::string_view bytes) {
    return encode(bytes, kBase64Url, false);
}

Result<std::string> base64_decode(std::string_view text) {
    static constexpr Digits kDigits = digits_of(kBase64);
    if (text.size() % 4 != 0)
        return Error(Code::invalid_argument, "this is not base64: its length");
    return decode(without_padding(text), kDigits);
}

Result<std::string> base64url_decode(std::string_view text) {
    static constexpr Digits kDigits = digits_of(kBase64Url);
    const std::string_view bare = without_padding(text);
    if (bare.size() != text.size() && text.size() % 4 != 0)
        return Error(Code::invalid_argument, "this is not base64: its padding");
    return decode(bare, kDigits);
}

}  // namespace tarn::codec
