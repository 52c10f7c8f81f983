#include "query/declared_type.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>

namespace tarn::query {

namespace {

struct Name {
    DeclaredType::Kind kind;
    std::string_view property;
    const char* pg_name;
    const char* behind;  // the length
    uint32_t oid;
    uint32_t array_oid;
    int16_t length;
};
constexpr std::array<Name, 6> kNames = {{
    {DeclaredType::Kind::smallint, "smallint", "smallint", "", 21, 1005, 2},
    {DeclaredType::Kind::varchar, "varchar", "character varying", "", 1043, 1015, -1},
    {DeclaredType::Kind::bpchar, "bpchar", "character", "", 1042, 1014, -1},
    {DeclaredType::Kind::time, "time", "time", " without time zone", 1083, 1183, 8},
    {DeclaredType::Kind::timestamp, "timestamp", "timestamp", " without time zone", 1114, 1115, 8},
    {DeclaredType::Kind::timestamptz, "timestamptz", "timestamp", " with time zone", 1184, 1185, 8},
}};

constexpr int32_t kLengthHeader = 4;  // PostgreSQL's modifier counts the bytes of a length word

bool begins_character(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

std::string_view without_spaces(std::string_view text) {
    const size_t last = text.find_last_not_of(' ');
    return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

}  // namespace

std::string declared_text(const DeclaredType& declared) {
    for (const auto& name : kNames) {
        if (name.kind != declared.kind) continue;
        std::string text(name.property);
        if (declared.length > 0 || declared.is_time()) text += fmt::format("({})", declared.length);
        return declared.array ? text + "[]" : text;
    }
    return "";
}

DeclaredType parse_declared(std::string_view text) {
    DeclaredType declared;
    declared.array = text.ends_with("[]");
    if (declared.array) text.remove_suffix(2);
    const size_t open = text.find('(');
    for (const auto& name : kNames)
        if (name.property == text.substr(0, open)) declared.kind = name.kind;
    if (open == std::string_view::npos)
        return declared.is_time() || !declared ? DeclaredType() : declared;
    const char* end = text.data() + text.size();
    const auto [at, problem] = std::from_chars(text.data() + open + 1, end, declared.length);
    if (problem != std::errc() || at + 1 != end || *at != ')') return {};
    const bool known =
        declared.is_text()
            ? declared.length > 0 && declared.length <= kDeclaredLengthMax
            : declared.is_time() && declared.length >= 0 && declared.length <= kSecondDigitsMax;
    return known ? declared : DeclaredType();
}

PgType pg_type(const Type& type, const DeclaredType& declared) {
    for (const auto& name : kNames) {
        if (name.kind != declared.kind) continue;
        PgType said;
        said.oid = declared.array ? name.array_oid : name.oid;
        said.length = declared.array ? int16_t{-1} : name.length;
        if (declared.length > 0 || declared.is_time())
            said.modifier = declared.length + (declared.is_text() ? kLengthHeader : 0);
        said.name = name.pg_name;
        if (said.modifier >= 0) said.name += fmt::format("({})", declared.length);
        said.name += name.behind;
        if (declared.kind == DeclaredType::Kind::bpchar && declared.length == 0)
            said.name = "bpchar";
        if (declared.array) said.name += "[]";
        return said;
    }
    return {pg_oid(type), pg_length(type), pg_modifier(type), pg_name(type)};
}

std::optional<size_t> bytes_of_characters(std::string_view text, int32_t characters) {
    if (text.size() <= static_cast<size_t>(characters)) return std::nullopt;
    int32_t seen = 0;
    for (size_t i = 0; i < text.size(); ++i)
        if (begins_character(text[i]) && seen++ == characters) return i;
    return std::nullopt;
}

std::optional<std::string_view> fit_text(const DeclaredType& declared, std::string_view text) {
    const bool padded = declared.kind == DeclaredType::Kind::bpchar;
    const std::string_view kept = padded ? without_spaces(text) : text;
    if (declared.length == 0) return kept;
    const auto end = bytes_of_characters(kept, declared.length);
    if (!end) return kept;
    if (padded || kept.find_first_not_of(' ', *end) != std::string_view::npos) return std::nullopt;
    return kept.substr(0, *end);
}

std::string too_long(const DeclaredType& declared) {
    return "value too long for type " + pg_type(Kind::text, declared).name;
}

int64_t fit_time(const DeclaredType& declared, int64_t micros) {
    // Halves go away from PostgreSQL's beginning of time, 2000-01-01.
    const int64_t begin = declared.kind == DeclaredType::Kind::time ? 0 : 946'684'800'000'000;
    if (micros == std::numeric_limits<int64_t>::max() ||
        micros <= std::numeric_limits<int64_t>::min() + 1)
        return micros;  // infinity
    int64_t unit = 1;
    for (int32_t digits = declared.length; digits < kSecondDigitsMax; ++digits) unit *= 10;
    int64_t since = 0, rounded = 0;
    if (__builtin_sub_overflow(micros, begin, &since) ||
        __builtin_add_overflow(since, since < 0 ? -(unit / 2) : unit / 2, &rounded))
        return micros;
    return rounded / unit * unit + begin;
}

size_t padding_of(const DeclaredType& declared, std::string_view text) {
    if (declared.kind != DeclaredType::Kind::bpchar) return 0;
    size_t characters = 0;
    for (const char c : text) characters += begins_character(c);
    const auto wanted = static_cast<size_t>(declared.length);
    return characters < wanted ? wanted - characters : 0;
}

}  // namespace tarn::query
