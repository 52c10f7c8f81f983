// Types, their names, and what a schema must satisfy.
#include "tables/types.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "fmt/format.h"
#include "tables/internal/errors.h"

namespace tarn::tables {

namespace {

constexpr int kDepthMax = 16;
constexpr size_t kFieldsMax = 10'000;
constexpr size_t kFieldNameBytesMax = 255;

struct PrimitiveName {
    TypeId id;
    std::string_view name;
};
constexpr PrimitiveName kPrimitiveNames[] = {
    {TypeId::boolean, "boolean"},
    {TypeId::int32, "int"},
    {TypeId::int64, "long"},
    {TypeId::float32, "float"},
    {TypeId::float64, "double"},
    {TypeId::date, "date"},
    {TypeId::time, "time"},
    {TypeId::timestamp, "timestamp"},
    {TypeId::timestamptz, "timestamptz"},
    {TypeId::string, "string"},
    {TypeId::uuid, "uuid"},
    {TypeId::binary, "binary"},
};

/// The numbers between the brackets: "decimal(38, 0)" gives 38 and 0; empty when malformed.
std::vector<int> numbers_between(std::string_view text, char open, char close) {
    const size_t from = text.find(open);
    if (from == std::string_view::npos || text.back() != close) return {};
    std::vector<int> numbers;
    std::string_view rest = text.substr(from + 1, text.size() - from - 2);
    while (true) {
        while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
        int number = 0;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
        if (error != std::errc() || number < 0) return {};
        numbers.push_back(number);
        rest.remove_prefix(static_cast<size_t>(end - rest.data()));
        while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
        if (rest.empty()) return numbers;
        if (rest.front() != ',') return {};
        rest.remove_prefix(1);
    }
}

const Field* find_in(const std::vector<Field>& fields, int id) {
    for (const auto& field : fields) {
        if (field.id == id) return &field;
        if (const Field* found = find_in(field.type.fields, id)) return found;
    }
    return nullptr;
}

int highest_in(const std::vector<Field>& fields) {
    int highest = 0;
    for (const auto& field : fields)
        highest = std::max({highest, field.id, highest_in(field.type.fields)});
    return highest;
}

void renumber(std::vector<Field>* fields, int* next_id) {
    for (auto& field : *fields) field.id = (*next_id)++;
    for (auto& field : *fields) renumber(&field.type.fields, next_id);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                              [&](char x, char y) { return lower(x) == lower(y); });
}

std::string lower_case(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return text;
}

Status check_type(const Type& type, const std::string& where, int depth, std::set<int>* ids);

Status check_fields(const std::vector<Field>& fields, const std::string& where, int depth,
                    std::set<int>* ids) {
    std::set<std::string> names;
    for (const auto& field : fields) {
        const std::string path = where.empty() ? field.name : where + "." + field.name;
        if (field.name.empty() || field.name.size() > kFieldNameBytesMax)
            return invalid(
                fmt::format("column \"{}\": a name has 1 to {} bytes", path, kFieldNameBytesMax));
        for (const char c : field.name)
            if (static_cast<unsigned char>(c) < 0x20)
                return invalid(fmt::format("column \"{}\": control characters in the name", path));
        if (!names.insert(lower_case(field.name)).second)
            return invalid(fmt::format("column \"{}\" is there twice", path));
        if (!ids->insert(field.id).second && field.id != 0)
            return invalid(
                fmt::format("column \"{}\": field id {} is there twice", path, field.id));
        if (ids->size() > kFieldsMax)
            return invalid(fmt::format("more than {} columns", kFieldsMax));
        TARN_CHECK_OK(check_type(field.type, path, depth + 1, ids));
    }
    return {};
}

Status check_type(const Type& type, const std::string& where, int depth, std::set<int>* ids) {
    if (depth > kDepthMax)
        return invalid(fmt::format("column \"{}\": nested deeper than {}", where, kDepthMax));
    switch (type.id) {
        case TypeId::decimal:
            if (type.precision < 1 || type.precision > 38 || type.scale < 0 ||
                type.scale > type.precision)
                return invalid(fmt::format(
                    "column \"{}\": {} is no decimal type: precision 1 to 38, scale up to it",
                    where, type_name(type)));
            return {};
        case TypeId::fixed:
            if (type.length < 1)
                return invalid(fmt::format("column \"{}\": fixed needs a length", where));
            return {};
        case TypeId::list:
        case TypeId::map:
            if (type.fields.size() != (type.id == TypeId::list ? 1u : 2u))
                return invalid(fmt::format("column \"{}\": an incomplete nested type", where));
            if (type.fields[0].name != (type.id == TypeId::list ? "element" : "key") ||
                type.fields.back().name != (type.id == TypeId::list ? "element" : "value"))
                return invalid(fmt::format(
                    "column \"{}\": the parts of a list or map have fixed names", where));
            if (type.id == TypeId::map && !type.fields[0].required)
                return invalid(
                    fmt::format("column \"{}\": the key of a map must be required", where));
            return check_fields(type.fields, where, depth, ids);
        case TypeId::struct_:
            return check_fields(type.fields, where, depth, ids);
        default:
            return {};
    }
}

}  // namespace

Type Type::of(TypeId id) {
    Type type;
    type.id = id;
    return type;
}

Type Type::decimal(int precision, int scale) {
    Type type = of(TypeId::decimal);
    type.precision = precision;
    type.scale = scale;
    return type;
}

Type Type::fixed(int length) {
    Type type = of(TypeId::fixed);
    type.length = length;
    return type;
}

Type Type::list(int element_id, Type element, bool element_required) {
    Type type = of(TypeId::list);
    type.fields.push_back({element_id, "element", std::move(element), element_required, {}});
    return type;
}

Type Type::map(int key_id, Type key, int value_id, Type value, bool value_required) {
    Type type = of(TypeId::map);
    type.fields.push_back({key_id, "key", std::move(key), true, {}});
    type.fields.push_back({value_id, "value", std::move(value), value_required, {}});
    return type;
}

Type Type::structure(std::vector<Field> fields) {
    Type type = of(TypeId::struct_);
    type.fields = std::move(fields);
    return type;
}

bool Type::operator==(const Type& other) const {
    return id == other.id && precision == other.precision && scale == other.scale &&
           length == other.length && fields == other.fields;
}

bool Field::operator==(const Field& other) const {
    return id == other.id && name == other.name && type == other.type &&
           required == other.required && doc == other.doc;
}

std::string type_name(const Type& type) {
    switch (type.id) {
        case TypeId::decimal:
            return fmt::format("decimal({}, {})", type.precision, type.scale);
        case TypeId::fixed:
            return fmt::format("fixed[{}]", type.length);
        case TypeId::list:
            return fmt::format("list<{}>", type_name(type.fields[0].type));
        case TypeId::map:
            return fmt::format("map<{}, {}>", type_name(type.fields[0].type),
                               type_name(type.fields[1].type));
        case TypeId::struct_: {
            std::string text = "struct<";
            for (const auto& field : type.fields)
                text += fmt::format("{}{}: {}", text.size() > 7 ? ", " : "", field.name,
                                    type_name(field.type));
            return text + ">";
        }
        default:
            break;
    }
    for (const auto& known : kPrimitiveNames)
        if (known.id == type.id) return std::string(known.name);
    return "unknown";
}

Result<Type> parse_primitive_type(std::string_view text) {
    for (const auto& known : kPrimitiveNames)
        if (known.name == text) return Type::of(known.id);
    if (text.starts_with("decimal(")) {
        const auto numbers = numbers_between(text, '(', ')');
        if (numbers.size() == 2 && numbers[0] >= 1 && numbers[0] <= 38 && numbers[1] <= numbers[0])
            return Type::decimal(numbers[0], numbers[1]);
    }
    if (text.starts_with("fixed[")) {
        const auto numbers = numbers_between(text, '[', ']');
        if (numbers.size() == 1 && numbers[0] > 0) return Type::fixed(numbers[0]);
    }
    return invalid(fmt::format("\"{}\" is no Iceberg type of format version 2", text));
}

bool can_widen(const Type& from, const Type& to) {
    if (from.id == TypeId::int32 && to.id == TypeId::int64) return true;
    if (from.id == TypeId::float32 && to.id == TypeId::float64) return true;
    return from.id == TypeId::decimal && to.id == TypeId::decimal && from.scale == to.scale &&
           to.precision >= from.precision && to.precision <= 38;
}

const Field* Schema::find(int id) const {
    return find_in(fields, id);
}

const Field* Schema::find(std::string_view name) const {
    for (const auto& field : fields)
        if (field.name == name) return &field;
    for (const auto& field : fields)
        if (equal_ignoring_case(field.name, name)) return &field;
    return nullptr;
}

int Schema::highest_field_id() const {
    return highest_in(fields);
}

Schema assign_fresh_ids(const Schema& schema, int* next_id) {
    Schema fresh = schema;
    renumber(&fresh.fields, next_id);
    return fresh;
}

Status check_schema(const Schema& schema) {
    if (schema.fields.empty()) return invalid("a table needs at least one column");
    std::set<int> ids;
    TARN_CHECK_OK(check_fields(schema.fields, "", 0, &ids));
    for (const int id : schema.identifier_field_ids) {
        const Field* field = schema.find(id);
        if (field == nullptr || !field->required || !field->type.primitive())
            return invalid(fmt::format(
                "identifier field {} must be a required column of a primitive type", id));
    }
    return {};
}

}  // namespace tarn::tables
