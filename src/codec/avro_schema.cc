// Avro schemas (specification, "Schema Declaration"): JSON to AvroSchema.
#include <nlohmann/json.hpp>

#include "codec/avro.h"

namespace tarn::codec {

namespace {

using Json = nlohmann::json;
using Kind = AvroSchema::Kind;

constexpr int kDepthMax = 32;

Error invalid(std::string what) {
    return Error(Code::invalid_argument, "Avro schema: " + std::move(what));
}

const std::map<std::string, Kind>& primitive_kinds() {
    static const std::map<std::string, Kind> kinds = {
        {"null", Kind::null},   {"boolean", Kind::boolean}, {"int", Kind::int_},
        {"long", Kind::long_},  {"float", Kind::float_},    {"double", Kind::double_},
        {"bytes", Kind::bytes}, {"string", Kind::string},
    };
    return kinds;
}

/// A member that is a number of 31 bits; anything else counts as absent.
int64_t number_of(const Json& json, const char* name, int64_t otherwise) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_number_integer()) return otherwise;
    const auto number = found->get<int64_t>();
    return number >= 0 && number <= INT32_MAX ? number : otherwise;
}

class Parser {
 public:
    Result<AvroSchemaPtr> parse(const Json& json, int depth) {
        if (depth > kDepthMax) return invalid("nested too deeply");
        if (json.is_string()) return named(json.get<std::string>());
        if (json.is_array()) return parse_union(json, depth);
        if (!json.is_object()) return invalid("neither a name, a list nor an object");
        const auto type = json.find("type");
        if (type == json.end()) return invalid("a type is missing");
        if (!type->is_string()) return parse(*type, depth + 1);
        return parse_object(json, type->get<std::string>(), depth);
    }

 private:
    Result<AvroSchemaPtr> named(const std::string& name) {
        const auto primitive = primitive_kinds().find(name);
        if (primitive != primitive_kinds().end()) {
            auto schema = std::make_shared<AvroSchema>();
            schema->kind = primitive->second;
            return AvroSchemaPtr(schema);
        }
        const auto known = named_.find(name);
        if (known == named_.end()) return invalid("unknown or recursive type " + name);
        return known->second;
    }

    Result<AvroSchemaPtr> parse_union(const Json& json, int depth) {
        auto schema = std::make_shared<AvroSchema>();
        schema->kind = Kind::union_;
        for (const auto& branch : json) {
            TARN_TRY(part, parse(branch, depth + 1));
            schema->parts.push_back(std::move(part));
        }
        return AvroSchemaPtr(schema);
    }

    Result<AvroSchemaPtr> parse_object(const Json& json, const std::string& type, int depth) {
        auto schema = std::make_shared<AvroSchema>();
        schema->logical_type = json.value("logicalType", std::string());
        schema->name = json.value("name", std::string());
        if (type == "record") {
            TARN_CHECK_OK(parse_fields(json, depth, schema.get()));
        } else if (type == "array" || type == "map") {
            schema->kind = type == "array" ? Kind::array : Kind::map;
            const auto item = json.find(type == "array" ? "items" : "values");
            if (item == json.end()) return invalid("an array or map without a type of items");
            TARN_TRY(part, parse(*item, depth + 1));
            schema->parts.push_back(std::move(part));
        } else if (type == "fixed") {
            schema->kind = Kind::fixed;
            schema->size = static_cast<uint32_t>(number_of(json, "size", 0));
        } else if (type == "enum") {
            schema->kind = Kind::enumeration;
        } else {
            const auto primitive = primitive_kinds().find(type);
            if (primitive == primitive_kinds().end()) return named(type);
            schema->kind = primitive->second;
            return AvroSchemaPtr(schema);
        }
        if (!schema->name.empty()) named_[schema->name] = schema;
        return AvroSchemaPtr(schema);
    }

    Status parse_fields(const Json& json, int depth, AvroSchema* schema) {
        schema->kind = Kind::record;
        const auto fields = json.find("fields");
        if (fields == json.end() || !fields->is_array()) return invalid("a record without fields");
        for (const auto& json_field : *fields) {
            if (!json_field.is_object() || !json_field.contains("type"))
                return invalid("a field without a type");
            AvroField field;
            field.name = json_field.value("name", std::string());
            field.field_id = static_cast<int>(number_of(json_field, "field-id", -1));
            TARN_TRY(type, parse(json_field.at("type"), depth + 1));
            field.schema = std::move(type);
            schema->fields.push_back(std::move(field));
        }
        return {};
    }

    std::map<std::string, AvroSchemaPtr>
        named_;  // a record joins when it is complete: recursion is unknown
};

}  // namespace

Result<AvroSchemaPtr> parse_avro_schema(std::string_view json) {
    try {
        const Json parsed = Json::parse(json, nullptr, false);
        if (parsed.is_discarded()) return invalid("not JSON");
        return Parser().parse(parsed, 0);
    } catch (const Json::exception& e) {
        return invalid(e.what());
    }
}

}  // namespace tarn::codec
