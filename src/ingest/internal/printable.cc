#include <fmt/format.h>

#include "ingest/internal/mqtt_decode.h"

namespace tarn::ingest {
namespace {

/// Bytes of the UTF-8 character at the beginning; 0: there is none (RFC 3629).
size_t character_bytes(std::string_view text) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
    for (size_t i = 1; i < size; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    // Overlong forms, surrogates, beyond U+10FFFF.
    if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
        (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f))
        return 0;
    return size;
}

}  // namespace

std::string printable(std::string_view bytes, size_t bytes_max) {
    std::string out;
    while (!bytes.empty()) {
        const size_t size = bytes.front() == '\0' ? 0 : character_bytes(bytes);
        if (out.size() + (size == 0 ? 4 : size) > bytes_max) return out + "...";
        if (size == 0)
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes.front()));
        else
            out += bytes.substr(0, size);
        bytes.remove_prefix(std::max<size_t>(size, 1));
    }
    return out;
}

}  // namespace tarn::ingest
