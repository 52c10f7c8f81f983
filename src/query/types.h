// The one type table: PostgreSQL <-> lake (Iceberg) <-> DuckDB <-> text and binary on the wire.
// What is decided here:
//   unsigned 64-bit, hugeint           numeric (decimal(20,0), decimal(38,0))
//   numeric without precision          decimal(38,9)
//   8-bit and unsigned small integers  the next larger signed integer
//   timestamps of other units          microseconds
//   infinity dates                     stay: the text is "infinity", stored as DuckDB's extreme
//   value enum, bit, union, time with zone, variant     text interval, json results only; stored as
//   text lists                              PostgreSQL arrays when the element is a scalar,
//   otherwise json struct, map                        json
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tarn::query {

enum class Kind : uint8_t {
    null,  // the type of a bare NULL; text on the wire
    boolean,
    int16,
    int32,
    int64,
    float32,
    float64,
    decimal,  // precision, scale
    text,
    binary,
    date,         // days since 1970-01-01
    time,         // microseconds since midnight
    timestamp,    // microseconds since 1970-01-01, no zone
    timestamptz,  // microseconds since 1970-01-01 UTC
    interval,
    uuid,
    json,
    oid,        // the number of something in PostgreSQL's catalogs, 32 bits without a sign
    character,  // "char": one letter, in PostgreSQL's catalogs
    list,       // children: {"element", type}
    structure,  // children: the fields
    map,        // children: {"key", type}, {"value", type}
    jsonb,      // json that clients know as jsonb; its text is as jsonb.h writes it
};

struct Type {
    Kind kind = Kind::null;
    uint8_t precision = 0;  // decimal: 1..38
    uint8_t scale = 0;
    std::vector<std::pair<std::string, Type>> children;

    Type() = default;
    Type(Kind k) : kind(k) {}
    static Type decimal(uint8_t precision, uint8_t scale);
    static Type list(Type element);
    bool operator==(const Type&) const = default;
};

/// The element's name in the type int2vector, of PostgreSQL's catalogs.
inline constexpr const char* kVectorElement = "vector";

/// PostgreSQL's object id of the type (pg_type.oid), for RowDescription and ParameterDescription.
uint32_t pg_oid(const Type& type);
/// pg_type.typlen: bytes, or -1 when the size varies.
int16_t pg_length(const Type& type);
/// Type modifier: numeric's precision and scale, otherwise -1.
int32_t pg_modifier(const Type& type);
/// As format_type() prints it: "bigint", "timestamp with time zone", "numeric(10,2)", "integer[]".
std::string pg_name(const Type& type);
/// nullopt for an id that we do not know. 0 (unspecified) gives nullopt too.
std::optional<Type> type_of_pg_oid(uint32_t oid);
/// The name the SQL engine knows the type by: "BIGINT", "DECIMAL(10,2)", "STRUCT(a INTEGER)[]".
std::string sql_name(const Type& type);
/// Any spelling SQL has for a type ("varchar(20)", "double precision", "int[]"), as a lakefile's
/// columns have it. invalid_argument when it is none, or one that no table can hold.
Result<Type> parse_type(std::string_view text);

__extension__ typedef __int128 Int128;

struct Interval {
    int32_t months = 0;
    int32_t days = 0;
    int64_t micros = 0;
    bool operator==(const Interval&) const = default;
};

/// One value of any type; monostate is NULL. Which alternative a kind uses:
///   bool                       boolean
///   int64_t                    int16..int64, oid, date, time, timestamp, timestamptz, decimal of
///   at most 18 digits (unscaled) Int128                     decimal of more digits (unscaled),
///   uuid (big-endian number) double                     float32, float64 std::string text, binary,
///   json, character Interval                   interval std::vector<Value>         list
///   (elements), structure (fields in order), map (key, value, key, value ...)
struct Value;
using Values = std::vector<Value>;

class Column;

}  // namespace tarn::query

#include <variant>

namespace tarn::query {

struct Value {
    std::variant<std::monostate, bool, int64_t, Int128, double, std::string, Interval, Values> of;

    Value() = default;
    template <typename T>
    explicit Value(T value) : of(std::move(value)) {}
    explicit Value(const char* text) : of(std::string(text)) {}
    explicit Value(int number) : of(int64_t{number}) {}
    bool is_null() const { return std::holds_alternative<std::monostate>(of); }
    bool operator==(const Value&) const = default;
};

/// As PostgreSQL prints it with DateStyle ISO, bytea_output hex, extra_float_digits 1 and TimeZone
/// UTC. NULL inside an array prints as NULL; a NULL value itself must be told apart by the caller.
void append_pg_text(const Type& type, const Value& value, std::string& out);
std::string pg_text(const Type& type, const Value& value);
/// Reads PostgreSQL's text form (also of arrays: {1,2,NULL}). invalid_argument, reason 22P02 and
/// friends.
Result<Value> parse_pg_text(const Type& type, std::string_view text);
/// PostgreSQL's binary form, without the length word.
void append_pg_binary(const Type& type, const Value& value, std::string& out);
Result<Value> parse_pg_binary(const Type& type, std::string_view bytes);

}  // namespace tarn::query
