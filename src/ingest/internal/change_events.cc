#include "ingest/internal/change_events.h"

#include <fmt/format.h>

#include <charconv>

namespace tarn::ingest {

std::string to_text(Lsn lsn) {
    return fmt::format("{:X}/{:X}", lsn >> 32, lsn & 0xffffffffu);
}

Result<Lsn> lsn_of(std::string_view text) {
    const Error bad(Code::invalid_argument,
                    fmt::format("\"{}\" is no place in a log: write it like 16/B374D848", text));
    const size_t slash = text.find('/');
    if (slash == std::string_view::npos) return bad;
    const auto half = [](std::string_view digits, uint32_t& out) {
        const char* end = digits.data() + digits.size();
        const auto read = std::from_chars(digits.data(), end, out, 16);
        return read.ec == std::errc() && read.ptr == end;
    };
    uint32_t high = 0, low = 0;
    if (!half(text.substr(0, slash), high) || !half(text.substr(slash + 1), low)) return bad;
    return (static_cast<Lsn>(high) << 32) | low;
}

}  // namespace tarn::ingest
