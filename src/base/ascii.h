// Letters and blanks of ASCII, whatever the locale.
#pragma once

#include <string>
#include <string_view>

namespace tarn {

inline std::string lower_ascii(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    return out;
}

/// Without what stands of `blanks` at both ends.
inline std::string_view trim(std::string_view text, std::string_view blanks = " \t") {
    const size_t from = text.find_first_not_of(blanks);
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(blanks) - from + 1);
}

}  // namespace tarn
