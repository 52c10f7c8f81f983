// Names, object ids and sizes of the type table.
#include "query/types.h"

#include <fmt/format.h>

#include <array>

namespace tarn::query {

namespace {

struct Row {
    Kind kind;
    uint32_t oid;
    uint32_t array_oid;
    int16_t length;
    const char* pg_name;
    const char* sql_name;
};

// PostgreSQL's ids: src/include/catalog/pg_type.dat.
constexpr std::array<Row, 20> kRows = {{
    {Kind::null, 25, 1009, -1, "text", "VARCHAR"},
    {Kind::boolean, 16, 1000, 1, "boolean", "BOOLEAN"},
    {Kind::int16, 21, 1005, 2, "smallint", "SMALLINT"},
    {Kind::int32, 23, 1007, 4, "integer", "INTEGER"},
    {Kind::int64, 20, 1016, 8, "bigint", "BIGINT"},
    {Kind::float32, 700, 1021, 4, "real", "FLOAT"},
    {Kind::float64, 701, 1022, 8, "double precision", "DOUBLE"},
    {Kind::decimal, 1700, 1231, -1, "numeric", "DECIMAL"},
    {Kind::text, 25, 1009, -1, "text", "VARCHAR"},
    {Kind::binary, 17, 1001, -1, "bytea", "BLOB"},
    {Kind::date, 1082, 1182, 4, "date", "DATE"},
    {Kind::time, 1083, 1183, 8, "time without time zone", "TIME"},
    {Kind::timestamp, 1114, 1115, 8, "timestamp without time zone", "TIMESTAMP"},
    {Kind::timestamptz, 1184, 1185, 8, "timestamp with time zone", "TIMESTAMPTZ"},
    {Kind::interval, 1186, 1187, 16, "interval", "INTERVAL"},
    {Kind::uuid, 2950, 2951, 16, "uuid", "UUID"},
    {Kind::json, 114, 199, -1, "json", "JSON"},
    {Kind::jsonb, 3802, 3807, -1, "jsonb", "JSONB"},
    {Kind::oid, 26, 1028, 4, "oid", "TARN_OID"},
    {Kind::character, 18, 1002, 1, "\"char\"", "TARN_CHAR"},
}};

const Row* find_row(Kind kind) {
    for (const auto& row : kRows)
        if (row.kind == kind) return &row;
    return nullptr;
}

bool is_array(const Type& type) {
    return type.kind == Kind::list && find_row(type.children.front().second.kind) != nullptr;
}

/// int2vector of PostgreSQL's catalogs: an array whose text is "1 2".
bool is_vector(const Type& type) {
    return type.kind == Kind::list && type.children.front().first == kVectorElement;
}

std::string quoted(const std::string& name) {
    std::string out = "\"";
    for (char c : name) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + '"';
}

}  // namespace

Type Type::decimal(uint8_t precision, uint8_t scale) {
    Type type(Kind::decimal);
    type.precision = precision;
    type.scale = scale;
    return type;
}

Type Type::list(Type element) {
    Type type(Kind::list);
    type.children.emplace_back("element", std::move(element));
    return type;
}

uint32_t pg_oid(const Type& type) {
    if (const Row* row = find_row(type.kind)) return row->oid;
    if (is_vector(type)) return 22;
    if (is_array(type)) return find_row(type.children.front().second.kind)->array_oid;
    return 114;
}

int16_t pg_length(const Type& type) {
    const Row* row = find_row(type.kind);
    return row ? row->length : -1;
}

int32_t pg_modifier(const Type& type) {
    if (type.kind != Kind::decimal) return -1;
    return (static_cast<int32_t>(type.precision) << 16 | type.scale) + 4;
}

std::string pg_name(const Type& type) {
    if (type.kind == Kind::decimal)
        return fmt::format("numeric({},{})", type.precision, type.scale);
    if (const Row* row = find_row(type.kind)) return row->pg_name;
    if (is_vector(type)) return "int2vector";
    if (is_array(type)) return pg_name(type.children.front().second) + "[]";
    return "json";
}

std::optional<Type> type_of_pg_oid(uint32_t oid) {
    switch (oid) {
        case 19:    // name
        case 1042:  // character
        case 1043:  // character varying
            return Type(Kind::text);
        case 2205:  // regclass
            return Type(Kind::int64);
        case 2278:  // void: no argument at all (sql_text.h)
            return Type(Kind::null);
        case 1700:
            return Type::decimal(38, 9);
        case 1003:  // name[]
        case 1014:  // character[]
        case 1015:  // character varying[]
            return Type::list(Kind::text);
        default:
            break;
    }
    for (const auto& row : kRows) {
        if (row.kind == Kind::null) continue;
        if (row.oid == oid) return Type(row.kind);
        if (row.array_oid == oid)
            return Type::list(row.kind == Kind::decimal ? Type::decimal(38, 9) : Type(row.kind));
    }
    return std::nullopt;
}

std::string sql_name(const Type& type) {
    if (type.kind == Kind::decimal)
        return fmt::format("DECIMAL({},{})", type.precision, type.scale);
    if (const Row* row = find_row(type.kind)) return row->sql_name;
    if (type.kind == Kind::list) return sql_name(type.children.front().second) + "[]";
    if (type.kind == Kind::map)
        return fmt::format("MAP({}, {})", sql_name(type.children[0].second),
                           sql_name(type.children[1].second));
    std::string out = "STRUCT(";
    for (const auto& [name, child] : type.children) {
        if (out.back() != '(') out += ", ";
        out += quoted(name) + ' ' + sql_name(child);
    }
    return out + ')';
}

}  // namespace tarn::query
