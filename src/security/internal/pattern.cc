#include "security/internal/pattern.h"

#include <array>

#include "security/internal/canonical.h"

namespace tarn::security {
namespace {

constexpr size_t kArnFields = 6;

bool is_continuation(char c) {
    return (static_cast<uint8_t>(c) & 0xc0) == 0x80;
}

size_t next_character(std::string_view text, size_t at) {
    ++at;
    while (at < text.size() && is_continuation(text[at])) ++at;
    return at;
}

char16_t mark_of(char c) {
    return c == '*' ? kAnyRun : c == '?' ? kAnyOne : static_cast<uint8_t>(c);
}

bool is_byte(char16_t unit, char c) {
    return unit != kAnyRun && unit != kAnyOne && (unit & 0xff) == static_cast<uint8_t>(c);
}

// A colon that a variable brought in separates nothing, unless the variable is the whole pattern.
bool split_pattern(std::u16string_view pattern,
                   std::array<std::u16string_view, kArnFields>& fields) {
    const bool one_variable = !pattern.empty() && (pattern[0] & kFromVariable) != 0;
    for (size_t i = 0; i + 1 < kArnFields; ++i) {
        size_t at = 0;
        while (at < pattern.size() && pattern[at] != u':' &&
               !(one_variable && pattern[at] == (kFromVariable | u':')))
            ++at;
        if (at == pattern.size()) return false;
        fields[i] = pattern.substr(0, at);
        pattern.remove_prefix(at + 1);
    }
    fields[kArnFields - 1] = pattern;
    return true;
}

bool split_arn(std::string_view arn, std::array<std::string_view, kArnFields>& fields) {
    for (size_t i = 0; i + 1 < kArnFields; ++i) {
        const size_t at = arn.find(':');
        if (at == arn.npos) return false;
        fields[i] = arn.substr(0, at);
        arn.remove_prefix(at + 1);
    }
    fields[kArnFields - 1] = arn;
    return true;
}

}  // namespace

bool matches(std::u16string_view pattern, std::string_view text) {
    size_t p = 0, t = 0;
    size_t star = pattern.npos, star_text = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == kAnyRun) {
            star = p++;
            star_text = t;
        } else if (p < pattern.size() && pattern[p] == kAnyOne) {
            ++p;
            t = next_character(text, t);
        } else if (p < pattern.size() && is_byte(pattern[p], text[t])) {
            ++p;
            ++t;
        } else if (star != pattern.npos) {
            p = star + 1;
            star_text = next_character(text, star_text);
            t = star_text;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == kAnyRun) ++p;
    return p == pattern.size();
}

bool matches_arn(const WildText& pattern, std::string_view arn) {
    if (pattern.size() == 1 && pattern[0] == kAnyRun) return true;
    std::array<std::u16string_view, kArnFields> wanted;
    std::array<std::string_view, kArnFields> given;
    if (!split_pattern(pattern, wanted) || !split_arn(arn, given)) return false;
    for (size_t i = 0; i < kArnFields; ++i)
        if (!matches(wanted[i], given[i])) return false;
    return true;
}

std::optional<std::string_view> single_value(const ConditionKeys& keys, std::string_view name) {
    const auto found = keys.find(name);
    if (found == keys.end() || found->second.size() != 1) return std::nullopt;
    return found->second.front();
}

Result<Pattern::Piece> Pattern::parse_variable(std::string_view inside) {
    if (inside == "*" || inside == "?" || inside == "$")
        return Piece{Piece::Kind::text, std::string(inside), true, std::nullopt};
    Piece piece{Piece::Kind::variable, {}, true, std::nullopt};
    const size_t comma = inside.find(',');
    piece.text = trim(inside.substr(0, comma));
    if (piece.text.empty() || piece.text.find(':') == piece.text.npos)
        return Error(Code::invalid_argument,
                     "the policy variable ${" + std::string(inside) + "} has no key");
    if (comma == inside.npos) return piece;
    const std::string_view otherwise = trim(inside.substr(comma + 1));
    if (otherwise.size() < 2 || otherwise.front() != '\'' || otherwise.back() != '\'')
        return Error(Code::invalid_argument,
                     "the default in ${" + std::string(inside) + "} must be in single quotes");
    piece.otherwise = otherwise.substr(1, otherwise.size() - 2);
    return piece;
}

Result<Pattern> Pattern::parse(std::string_view text, bool variables) {
    Pattern pattern;
    pattern.text_ = text;
    while (!text.empty()) {
        const size_t dollar = variables ? text.find("${") : text.npos;
        if (dollar != 0) {
            pattern.pieces_.push_back(
                {Piece::Kind::text, std::string(text.substr(0, dollar)), false, std::nullopt});
            if (dollar == text.npos) break;
            text.remove_prefix(dollar);
        }
        const size_t end = text.find('}');
        if (end == text.npos)
            return Error(Code::invalid_argument, "a policy variable \"${\" has no closing '}'");
        TARN_TRY(piece, parse_variable(text.substr(2, end - 2)));
        pattern.has_variables_ |= piece.kind == Piece::Kind::variable;
        pattern.pieces_.push_back(std::move(piece));
        text.remove_prefix(end + 1);
    }
    return pattern;
}

std::optional<WildText> Pattern::expand(const ConditionKeys& keys) const {
    WildText result;
    result.reserve(text_.size());
    for (const Piece& piece : pieces_) {
        std::string_view text = piece.text;
        if (piece.kind == Piece::Kind::variable) {
            auto value = single_value(keys, piece.text);
            if (!value && piece.otherwise) value = *piece.otherwise;
            if (!value) return std::nullopt;
            text = *value;
        }
        for (const char c : text) {
            result.push_back(piece.literal
                                 ? static_cast<char16_t>(kFromVariable | static_cast<uint8_t>(c))
                                 : mark_of(c));
        }
    }
    return result;
}

std::optional<std::string> Pattern::expand_plain(const ConditionKeys& keys) const {
    std::string result;
    for (const Piece& piece : pieces_) {
        if (piece.kind == Piece::Kind::text) {
            result.append(piece.text);
            continue;
        }
        const auto value = single_value(keys, piece.text);
        if (!value && !piece.otherwise) return std::nullopt;
        result.append(value ? *value : std::string_view(*piece.otherwise));
    }
    return result;
}

bool matches_wildcard(std::string_view pattern, std::string_view text) {
    WildText marked;
    marked.reserve(pattern.size());
    for (const char c : pattern) marked.push_back(mark_of(c));
    return matches(marked, text);
}

}  // namespace tarn::security
