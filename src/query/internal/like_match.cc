#include "query/internal/like_match.h"

namespace tarn::query {

namespace {

size_t next_character(std::string_view text, size_t at) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    return at;
}

}  // namespace

bool like_match(std::string_view text, std::string_view pattern, char escape) {
    constexpr size_t kNone = std::string_view::npos;
    size_t at = 0, wanted = 0;
    // What follows the last %, and where it was last tried: of an earlier % the first place that fits is as good as any other.
    size_t after_any = kNone, tried = 0;
    while (at < text.size()) {
        if (wanted < pattern.size()) {
            const char c = pattern[wanted];
            if (escape != '\0' && c == escape) {
                if (pattern[wanted + 1] == text[at]) {
                    wanted += 2;
                    ++at;
                    continue;
                }
            } else if (c == '%') {
                after_any = ++wanted;
                tried = at;
                continue;
            } else if (c == '_') {
                ++wanted;
                at = next_character(text, at);
                continue;
            } else if (c == text[at]) {
                ++wanted;
                ++at;
                continue;
            }
        }
        if (after_any == kNone) return false;
        wanted = after_any;
        at = tried = next_character(text, tried);
    }
    while (wanted < pattern.size() && pattern[wanted] == '%') ++wanted;
    return wanted == pattern.size();
}

bool ends_with_escape(std::string_view pattern, char escape) {
    if (escape == '\0') return false;
    size_t at = 0;
    while (at < pattern.size()) {
        if (pattern[at] == escape && ++at == pattern.size()) return true;
        ++at;
    }
    return false;
}

}  // namespace tarn::query
