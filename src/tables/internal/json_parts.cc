#include "tables/internal/json_parts.h"

#include <nlohmann/json.hpp>

#include "fmt/format.h"

namespace tarn::tables {

namespace {

using Json = nlohmann::json;

constexpr int kSchemaDepthMax = 32;

Error corrupted_schema(std::string what) {
    return Error(Code::corrupted, "table schema: " + std::move(what));
}

void write_field(codec::JsonWriter& json, const Field& field) {
    json.begin_object();
    json.member("id", field.id).member("name", field.name).member("required", field.required);
    json.key("type");
    write_type(json, field.type);
    if (field.doc) json.member("doc", *field.doc);
    json.end_object();
}

Result<std::vector<Field>> read_fields(const Json& json, int depth) {
    std::vector<Field> fields;
    for (const auto& part : json.at("fields")) {
        Field field;
        field.id = small_of(part.at("id"));
        field.name = part.at("name").get<std::string>();
        field.required = part.at("required").get<bool>();
        TARN_TRY(type, read_type(part.at("type"), depth + 1));
        field.type = std::move(type);
        if (part.contains("doc") && part.at("doc").is_string())
            field.doc = part.at("doc").get<std::string>();
        fields.push_back(std::move(field));
    }
    return fields;
}

}  // namespace

int64_t integer_of(const Json& json) {
    const bool fits =
        json.is_number_integer() &&
        (!json.is_number_unsigned() || json.get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX));
    if (!fits) throw Json::type_error::create(302, "a number is no integer of 64 bits", &json);
    return json.get<int64_t>();
}

int small_of(const Json& json) {
    const int64_t number = integer_of(json);
    if (number < INT32_MIN || number > INT32_MAX)
        throw Json::type_error::create(302, "a number is no integer of 32 bits", &json);
    return static_cast<int>(number);
}

int64_t integer_or(const Json& json, const char* name, int64_t otherwise) {
    return json.contains(name) ? integer_of(json.at(name)) : otherwise;
}

int small_or(const Json& json, const char* name, int otherwise) {
    return json.contains(name) ? small_of(json.at(name)) : otherwise;
}

void write_type(codec::JsonWriter& json, const Type& type) {
    switch (type.id) {
        case TypeId::struct_:
            json.begin_object().member("type", "struct").key("fields").begin_array();
            for (const auto& field : type.fields) write_field(json, field);
            json.end_array().end_object();
            return;
        case TypeId::list:
            json.begin_object()
                .member("type", "list")
                .member("element-id", type.fields[0].id)
                .key("element");
            write_type(json, type.fields[0].type);
            json.member("element-required", type.fields[0].required).end_object();
            return;
        case TypeId::map:
            json.begin_object()
                .member("type", "map")
                .member("key-id", type.fields[0].id)
                .key("key");
            write_type(json, type.fields[0].type);
            json.member("value-id", type.fields[1].id).key("value");
            write_type(json, type.fields[1].type);
            json.member("value-required", type.fields[1].required).end_object();
            return;
        default:
            json.value(type_name(type));
            return;
    }
}

void write_schema(codec::JsonWriter& json, const Schema& schema) {
    json.begin_object().member("type", "struct").member("schema-id", schema.schema_id);
    if (!schema.identifier_field_ids.empty()) {
        json.key("identifier-field-ids").begin_array();
        for (const int id : schema.identifier_field_ids) json.value(id);
        json.end_array();
    }
    json.key("fields").begin_array();
    for (const auto& field : schema.fields) write_field(json, field);
    json.end_array().end_object();
}

void write_partition_fields(codec::JsonWriter& json, const PartitionSpec& spec) {
    json.begin_array();
    for (const auto& field : spec.fields) {
        json.begin_object()
            .member("name", field.name)
            .member("transform", transform_name(field.transform));
        json.member("source-id", field.source_id).member("field-id", field.field_id).end_object();
    }
    json.end_array();
}

Result<Type> read_type(const Json& json, int depth) {
    if (depth > kSchemaDepthMax) return corrupted_schema("nested too deeply");
    if (json.is_string()) return parse_primitive_type(json.get<std::string>());
    if (!json.is_object()) return corrupted_schema("a type is neither text nor an object");
    const auto kind = json.at("type").get<std::string>();
    if (kind == "struct") {
        TARN_TRY(fields, read_fields(json, depth));
        return Type::structure(std::move(fields));
    }
    if (kind == "list") {
        TARN_TRY(element, read_type(json.at("element"), depth + 1));
        return Type::list(small_of(json.at("element-id")), std::move(element),
                          json.at("element-required").get<bool>());
    }
    if (kind == "map") {
        TARN_TRY(key, read_type(json.at("key"), depth + 1));
        TARN_TRY(value, read_type(json.at("value"), depth + 1));
        return Type::map(small_of(json.at("key-id")), std::move(key), small_of(json.at("value-id")),
                         std::move(value), json.at("value-required").get<bool>());
    }
    return corrupted_schema(fmt::format("unknown nested type {}", kind));
}

Result<Schema> read_schema(const Json& json) {
    if (!json.is_object()) return corrupted_schema("not an object");
    Schema schema;
    schema.schema_id = small_or(json, "schema-id", 0);
    for (const auto& id : json.value("identifier-field-ids", Json::array()))
        schema.identifier_field_ids.push_back(small_of(id));
    TARN_TRY(fields, read_fields(json, 0));
    schema.fields = std::move(fields);
    return schema;
}

Result<std::vector<PartitionField>> read_partition_fields(const Json& json) {
    std::vector<PartitionField> fields;
    for (const auto& part : json) {
        PartitionField field;
        field.source_id = small_of(part.at("source-id"));
        field.field_id = small_or(part, "field-id", 1000 + static_cast<int>(fields.size()));
        field.name = part.at("name").get<std::string>();
        TARN_TRY(transform, parse_transform(part.at("transform").get<std::string>()));
        field.transform = std::move(transform);
        fields.push_back(std::move(field));
    }
    return fields;
}

std::string schema_json(const Schema& schema) {
    codec::JsonWriter json;
    write_schema(json, schema);
    return json.take();
}

Result<Schema> parse_schema_json(std::string_view text) {
    try {
        const Json json = Json::parse(text, nullptr, false);
        if (json.is_discarded()) return corrupted_schema("not JSON");
        return read_schema(json);
    } catch (const Json::exception& e) {
        return corrupted_schema(e.what());
    }
}

}  // namespace tarn::tables
