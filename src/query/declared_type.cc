#include "query/declared_type.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace tarn::query {

namespace {

struct Name {
    DeclaredType::Kind kind;
    std::string_view property;
    const char* pg_name;
    uint32_t oid;
};
constexpr std::array<Name, 3> kNames = {{
    {DeclaredType::Kind::smallint, "smallint", "smallint", 21},
    {DeclaredType::Kind::varchar, "varchar", "character varying", 1043},
    {DeclaredType::Kind::bpchar, "bpchar", "character", 1042},
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
    for (const auto& name : kNames)
        if (name.kind == declared.kind)
            return declared.length > 0 ? fmt::format("{}({})", name.property, declared.length)
                                       : std::string(name.property);
    return "";
}

DeclaredType parse_declared(std::string_view text) {
    const size_t open = text.find('(');
    const std::string_view word = text.substr(0, open);
    for (const auto& name : kNames) {
        if (word != name.property) continue;
        DeclaredType declared{name.kind, 0};
        if (open == std::string_view::npos) return declared;
        const char* end = text.data() + text.size();
        const auto [at, problem] = std::from_chars(text.data() + open + 1, end, declared.length);
        const bool closed = problem == std::errc() && at + 1 == end && *at == ')';
        const bool in_bounds = declared.length > 0 && declared.length <= kDeclaredLengthMax;
        if (closed && in_bounds && name.kind != DeclaredType::Kind::smallint) return declared;
        break;
    }
    return {};
}

PgType pg_type(const Type& type, const DeclaredType& declared) {
    for (const auto& name : kNames) {
        if (name.kind != declared.kind) continue;
        PgType said;
        said.oid = name.oid;
        if (declared.kind == DeclaredType::Kind::smallint) said.length = 2;
        if (declared.length > 0) said.modifier = declared.length + kLengthHeader;
        said.name = name.pg_name;
        if (declared.length > 0) said.name += fmt::format("({})", declared.length);
        if (declared == DeclaredType{DeclaredType::Kind::bpchar, 0}) said.name = "bpchar";
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

size_t padding_of(const DeclaredType& declared, std::string_view text) {
    if (declared.kind != DeclaredType::Kind::bpchar) return 0;
    size_t characters = 0;
    for (const char c : text) characters += begins_character(c);
    const auto wanted = static_cast<size_t>(declared.length);
    return characters < wanted ? wanted - characters : 0;
}

}  // namespace tarn::query
