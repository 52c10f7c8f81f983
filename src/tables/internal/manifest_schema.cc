#include "tables/internal/manifest_schema.h"

#include <algorithm>
#include <cctype>

#include "codec/json.h"
#include "fmt/format.h"

namespace tarn::tables {

namespace {

std::string required(int id, std::string_view name, std::string_view type) {
    return fmt::format(R"({{"name":"{}","type":{},"field-id":{}}})", name, type, id);
}

std::string optional(int id, std::string_view name, std::string_view type) {
    return fmt::format(R"({{"name":"{}","type":["null",{}],"default":null,"field-id":{}}})", name,
                       type, id);
}

/// A map with int keys: Avro's own maps only take text.
std::string int_map(int key_id, int value_id, std::string_view value_type) {
    return fmt::format(
        R"({{"type":"array","items":{{"type":"record","name":"k{}_v{}","fields":[{},{}]}},)"
        R"("logicalType":"map"}})",
        key_id, value_id, required(key_id, "key", R"("int")"),
        required(value_id, "value", value_type));
}

std::string list_of(int element_id, std::string_view element_type) {
    return fmt::format(R"({{"type":"array","items":{},"element-id":{}}})", element_type,
                       element_id);
}

std::string record(std::string_view name, const std::vector<std::string>& fields) {
    return fmt::format(R"({{"type":"record","name":"{}","fields":[{}]}})", name,
                       fmt::join(fields, ","));
}

std::string avro_type(const Type& type) {
    switch (type.id) {
        case TypeId::boolean:
            return R"("boolean")";
        case TypeId::int32:
            return R"("int")";
        case TypeId::int64:
            return R"("long")";
        case TypeId::float32:
            return R"("float")";
        case TypeId::float64:
            return R"("double")";
        case TypeId::date:
            return R"({"type":"int","logicalType":"date"})";
        case TypeId::time:
            return R"({"type":"long","logicalType":"time-micros"})";
        case TypeId::timestamp:
            return R"({"type":"long","logicalType":"timestamp-micros","adjust-to-utc":false})";
        case TypeId::timestamptz:
            return R"({"type":"long","logicalType":"timestamp-micros","adjust-to-utc":true})";
        case TypeId::string:
            return R"("string")";
        case TypeId::uuid:
            return R"({"type":"fixed","name":"uuid_fixed","size":16,"logicalType":"uuid"})";
        case TypeId::fixed:
            return fmt::format(R"({{"type":"fixed","name":"fixed_{0}","size":{0}}})", type.length);
        case TypeId::decimal:
            return fmt::format(
                R"({{"type":"fixed","name":"decimal_{0}_{1}","size":{2},"logicalType":"decimal",)"
                R"("precision":{0},"scale":{1}}})",
                type.precision, type.scale, decimal_bytes(type.precision));
        default:
            return R"("bytes")";
    }
}

/// Avro names are letters, digits and _; anything else is written as Java does: _x and its number,
/// a digit in front as _5.
std::string sanitized(const std::string& name) {
    std::string out;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalpha(byte) || c == '_' || (std::isdigit(byte) && !out.empty()))
            out += c;
        else if (std::isdigit(byte))
            out += fmt::format("_{}", c);
        else
            out += fmt::format("_x{:X}", byte);
    }
    return out;
}

std::string partition_record(const PartitionSpec& spec, const std::vector<Type>& types) {
    std::vector<std::string> fields;
    std::vector<std::string> named;  // fixed types are declared once and named after that
    for (size_t i = 0; i < spec.fields.size(); ++i) {
        std::string type = avro_type(types[i]);
        const size_t at = type.find(R"("name":")");
        if (at != std::string::npos) {
            const size_t from = at + 8;
            const std::string name = type.substr(from, type.find('"', from) - from);
            if (std::find(named.begin(), named.end(), name) != named.end())
                type = fmt::format("\"{}\"", name);
            else
                named.push_back(name);
        }
        const std::string& original = spec.fields[i].name;
        std::string field = optional(spec.fields[i].field_id, sanitized(original), type);
        if (sanitized(original) != original) {
            std::string quoted;
            codec::append_json_string(quoted, original);
            field.insert(field.size() - 1, R"(,"iceberg-field-name":)" + quoted);
        }
        fields.push_back(std::move(field));
    }
    return record("r102", fields);
}

std::string make_manifest_list_schema() {
    const std::string summary = record("r508", {required(509, "contains_null", R"("boolean")"),
                                                optional(518, "contains_nan", R"("boolean")"),
                                                optional(510, "lower_bound", R"("bytes")"),
                                                optional(511, "upper_bound", R"("bytes")")});
    return record("manifest_file", {required(500, "manifest_path", R"("string")"),
                                    required(501, "manifest_length", R"("long")"),
                                    required(502, "partition_spec_id", R"("int")"),
                                    required(517, "content", R"("int")"),
                                    required(515, "sequence_number", R"("long")"),
                                    required(516, "min_sequence_number", R"("long")"),
                                    required(503, "added_snapshot_id", R"("long")"),
                                    required(504, "added_files_count", R"("int")"),
                                    required(505, "existing_files_count", R"("int")"),
                                    required(506, "deleted_files_count", R"("int")"),
                                    required(512, "added_rows_count", R"("long")"),
                                    required(513, "existing_rows_count", R"("long")"),
                                    required(514, "deleted_rows_count", R"("long")"),
                                    optional(507, "partitions", list_of(508, summary)),
                                    optional(519, "key_metadata", R"("bytes")")});
}

}  // namespace

int decimal_bytes(int precision) {
    // The fewest bytes whose signed range holds 10^precision - 1.
    Int128 largest = 1;
    for (int i = 0; i < precision; ++i) largest *= 10;
    largest -= 1;
    int bytes = 1;
    while (bytes < 16 && largest > (static_cast<Int128>(1) << (8 * bytes - 1)) - 1) ++bytes;
    return bytes;
}

const std::string& manifest_list_schema() {
    static const std::string schema = make_manifest_list_schema();
    return schema;
}

std::string manifest_entry_schema(const PartitionSpec& spec, const std::vector<Type>& types) {
    const std::string data_file = record(
        "r2", {required(134, "content", R"("int")"), required(100, "file_path", R"("string")"),
               required(101, "file_format", R"("string")"),
               required(102, "partition", partition_record(spec, types)),
               required(103, "record_count", R"("long")"),
               required(104, "file_size_in_bytes", R"("long")"),
               optional(108, "column_sizes", int_map(117, 118, R"("long")")),
               optional(109, "value_counts", int_map(119, 120, R"("long")")),
               optional(110, "null_value_counts", int_map(121, 122, R"("long")")),
               optional(137, "nan_value_counts", int_map(138, 139, R"("long")")),
               optional(125, "lower_bounds", int_map(126, 127, R"("bytes")")),
               optional(128, "upper_bounds", int_map(129, 130, R"("bytes")")),
               optional(131, "key_metadata", R"("bytes")"),
               optional(132, "split_offsets", list_of(133, R"("long")")),
               optional(135, "equality_ids", list_of(136, R"("int")")),
               optional(140, "sort_order_id", R"("int")"),
               optional(143, "referenced_data_file", R"("string")")});
    return record(
        "manifest_entry",
        {required(0, "status", R"("int")"), optional(1, "snapshot_id", R"("long")"),
         optional(3, "sequence_number", R"("long")"),
         optional(4, "file_sequence_number", R"("long")"), required(2, "data_file", data_file)});
}

}  // namespace tarn::tables
