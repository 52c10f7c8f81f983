// What a column was declared as in PostgreSQL's words where the lake's type says less: smallint is
// an int there, varchar(3) and char(5) are strings, and times have six digits
// (docs/decisions/0022).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "query/types.h"

namespace tarn::query {

struct DeclaredType {
    enum class Kind : uint8_t { none, smallint, varchar, bpchar, time, timestamp, timestamptz };
    Kind kind = Kind::none;
    int32_t length = 0;  // characters at most, 0: any number; digits of a second
    bool array = false;  // its elements

    explicit operator bool() const { return kind != Kind::none; }
    bool is_text() const { return kind == Kind::varchar || kind == Kind::bpchar; }
    bool is_time() const {
        return kind == Kind::time || kind == Kind::timestamp || kind == Kind::timestamptz;
    }
    bool operator==(const DeclaredType&) const = default;
};

/// The most characters that a length may say; as in PostgreSQL.
inline constexpr int32_t kDeclaredLengthMax = 10'485'760;
inline constexpr int32_t kSecondDigitsMax = 6;

/// As it stands in a table's properties: "smallint", "varchar", "varchar(3)", "bpchar(5)",
/// "timestamp(3)", "varchar(3)[]".
std::string declared_text(const DeclaredType& declared);
/// Kind::none for whatever else.
DeclaredType parse_declared(std::string_view text);

/// The type as catalogs and RowDescription say it.
struct PgType {
    uint32_t oid = 0;
    int16_t length = -1;    // pg_type.typlen
    int32_t modifier = -1;  // atttypmod
    std::string name;       // format_type()
};
PgType pg_type(const Type& type, const DeclaredType& declared);

/// How many bytes the first `characters` of a UTF-8 text take; nullopt: it has no more than that.
std::optional<size_t> bytes_of_characters(std::string_view text, int32_t characters);
/// The text as the column keeps it: spaces above the length are cut, those at the end of char(n)
/// are not kept. nullopt: it is too long (22001).
std::optional<std::string_view> fit_text(const DeclaredType& declared, std::string_view text);
/// What PostgreSQL says then.
std::string too_long(const DeclaredType& declared);
/// Microseconds with the digits of a second that the column keeps; as PostgreSQL rounds them.
int64_t fit_time(const DeclaredType& declared, int64_t micros);
/// The spaces that char(n) is shown with.
size_t padding_of(const DeclaredType& declared, std::string_view text);

}  // namespace tarn::query
