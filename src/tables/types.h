// Iceberg's types, schemas, partitioning and values (Iceberg spec: "Schemas and Data Types",
// "Partitioning", "Sorting", Appendix B and D). Plain values, no I/O. Lane: any.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace tarn::tables {

__extension__ using Int128 = __int128;

enum class TypeId : uint8_t {
    boolean,
    int32,    // "int"
    int64,    // "long"
    float32,  // "float"
    float64,  // "double"
    decimal,  // precision 1..38, scale 0..precision
    date,
    time,
    timestamp,    // microseconds, no zone
    timestamptz,  // microseconds, UTC
    string,
    uuid,
    fixed,  // length bytes
    binary,
    struct_,
    list,
    map,
};

struct Field;

/// A struct has its fields; a list has one field named "element"; a map has two, "key" and "value".
struct Type {
    TypeId id = TypeId::string;
    int precision = 0;  // decimal
    int scale = 0;      // decimal
    int length = 0;     // fixed: bytes
    std::vector<Field> fields;

    static Type of(TypeId id);
    static Type decimal(int precision, int scale);
    static Type fixed(int length);
    static Type list(int element_id, Type element, bool element_required);
    static Type map(int key_id, Type key, int value_id, Type value, bool value_required);
    static Type structure(std::vector<Field> fields);

    bool primitive() const { return id < TypeId::struct_; }
    bool operator==(const Type& other) const;
};

struct Field {
    int id = 0;  // unique in the table for ever, nested fields too; 0: not assigned yet
    std::string name;
    Type type;
    bool required = false;
    std::optional<std::string> doc;

    bool operator==(const Field& other) const;
};

/// Iceberg's text form of a primitive type: "long", "decimal(38, 0)", "fixed[16]"; of a nested one
/// for messages only: "struct<a: int>", "list<int>", "map<string, int>".
std::string type_name(const Type& type);
Result<Type> parse_primitive_type(std::string_view text);
/// True when a column of type `from` may become `to` without rewriting files: int->long,
/// float->double, more precision.
bool can_widen(const Type& from, const Type& to);

struct Schema {
    int schema_id = 0;
    std::vector<Field> fields;
    std::vector<int> identifier_field_ids;

    /// Any field, nested ones too; null when absent.
    const Field* find(int id) const;
    /// A top-level field by name, ignoring ASCII case; null when absent.
    const Field* find(std::string_view name) const;
    int highest_field_id() const;
    bool same_fields(const Schema& other) const {
        return fields == other.fields && identifier_field_ids == other.identifier_field_ids;
    }
};

/// The JSON form of the specification's Appendix C, with schema-id. For Parquet's and Avro's
/// key/value metadata too.
std::string schema_json(const Schema& schema);
Result<Schema> parse_schema_json(std::string_view json);
/// Gives new ids from *next_id up: one level's fields first, then the nested ones, as Java does.
Schema assign_fresh_ids(const Schema& schema, int* next_id);
/// invalid_argument unless names, types, nesting depth and ids are fit for a table.
Status check_schema(const Schema& schema);

/// One value. What is in it depends on the column's type:
/// bool: boolean. int64: int32, int64, date (days), time (micros of the day), timestamps (micros
/// since 1970). double: float32, float64. Int128: decimal, unscaled. string: string, binary, fixed,
/// uuid (16 raw bytes).
struct Literal {
    std::variant<std::monostate, bool, int64_t, double, Int128, std::string> value;

    static Literal null() { return {}; }
    static Literal boolean(bool v);
    static Literal integer(int64_t v);
    static Literal real(double v);
    static Literal decimal(Int128 unscaled);
    static Literal text(std::string v);

    bool is_null() const { return value.index() == 0; }
    bool operator==(const Literal& other) const { return value == other.value; }
};

/// True when a (non-null) literal holds the alternative that belongs to `type`, within its range.
bool fits(const Type& type, const Literal& literal);
/// Order of two non-null values of one type: UTF-8 and bytes unsigned, -0.0 before +0.0, NaN last.
/// Precondition: both fit the type.
std::strong_ordering compare(const Type& type, const Literal& a, const Literal& b);

/// Appendix D, binary single-value serialisation (bounds in manifests). Precondition: fits(type,
/// literal).
std::string encode_bound(const Type& type, const Literal& literal);
/// corrupted: the bytes are no value of that type. A bound written before the column was widened
/// decodes too.
Result<Literal> decode_bound(const Type& type, std::string_view bytes);
/// Bounds of at most 16 code points (string) or bytes (binary, fixed is kept whole). An upper bound
/// is rounded up; nullopt: it can't be.
inline constexpr int kBoundLength = 16;
std::string truncate_lower_bound(const Type& type, std::string bound);
std::optional<std::string> truncate_upper_bound(const Type& type, std::string bound);

struct Transform {
    enum class Kind : uint8_t {
        identity,
        bucket,
        truncate,
        year,
        month,
        day,
        hour,
        void_,
        unknown
    };
    Kind kind = Kind::identity;
    uint32_t width = 0;  // buckets, or truncation width
    std::string text;    // of an unknown transform, as it was read

    bool operator==(const Transform&) const = default;
};
std::string transform_name(const Transform& transform);  // "bucket[16]"
Result<Transform> parse_transform(
    std::string_view text);  // an unknown name is kept as Kind::unknown
/// invalid_argument: the transform can't take that type.
Result<Type> transform_result(const Transform& transform, const Type& source);
/// The partition value of one column value; null stays null. Precondition: transform_result() is
/// fine, literal fits.
Literal apply_transform(const Transform& transform, const Type& source, const Literal& literal);

struct PartitionField {
    int source_id = 0;
    int field_id = 0;  // from 1000 up
    std::string name;
    Transform transform;

    bool operator==(const PartitionField&) const = default;
};
struct PartitionSpec {
    int spec_id = 0;
    std::vector<PartitionField> fields;  // empty: unpartitioned

    bool operator==(const PartitionSpec&) const = default;
};
/// One partition value per field of the spec, in its order.
using Partition = std::vector<Literal>;
/// One type per field of the spec. A source column that has been dropped since counts as string.
std::vector<Type> partition_types(const PartitionSpec& spec, const std::vector<Schema>& schemas);
/// For people and Spark's names: "day=2026-11-20/shop=7". Never used for a path.
std::string partition_text(const PartitionSpec& spec, const std::vector<Type>& types,
                           const Partition& partition);

struct SortField {
    int source_id = 0;
    Transform transform;
    bool ascending = true;
    bool nulls_first = true;

    bool operator==(const SortField&) const = default;
};
struct SortOrder {
    int order_id = 0;  // 0: unsorted
    std::vector<SortField> fields;

    bool operator==(const SortOrder&) const = default;
};

}  // namespace tarn::tables
