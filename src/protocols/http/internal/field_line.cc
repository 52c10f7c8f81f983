#include "protocols/http/internal/field_line.h"

#include <array>
#include <cstdint>

namespace tarn::http {
namespace {

constexpr std::array<bool, 256> token_table() {
    std::array<bool, 256> table{};
    for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        table[static_cast<uint8_t>(c)] = true;
    return table;
}
constexpr auto kToken = token_table();

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

}  // namespace

bool is_token(std::string_view text) {
    for (const char c : text)
        if (!kToken[static_cast<uint8_t>(c)]) return false;
    return !text.empty();
}

std::optional<FieldLine> parse_field_line(std::string_view line) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return std::nullopt;
    auto value = line.substr(colon + 1);
    while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
    while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
    for (const char c : value) {
        const auto byte = static_cast<uint8_t>(c);
        if ((byte < 0x20 && c != '\t') || byte == 0x7f) return std::nullopt;
    }
    return FieldLine{line.substr(0, colon), value};
}

}  // namespace tarn::http
