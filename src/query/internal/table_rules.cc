#include "query/internal/table_rules.h"

#include <fmt/format.h>

#include <sstream>

#include "duckdb/planner/expression_binder/constant_binder.hpp"
#include "query/internal/clauses.h"
#include "query/internal/declared_columns.h"
#include "query/internal/duck_types.h"
#include "query/internal/identity.h"
#include "query/internal/references.h"
#include "query/internal/row_checks.h"
#include "query/internal/services.h"
#include "query/internal/table_spec.h"

namespace tarn::query {

namespace {

constexpr std::string_view kDefault = "tarn.default.";
constexpr std::string_view kIdentity = "tarn.identity.";
constexpr std::string_view kKey = "tarn.key.";
constexpr std::string_view kType = "tarn.type.";

std::string property(std::string_view prefix, int field_id) {
    return std::string(prefix) + std::to_string(field_id);
}

const std::string* find_property(const tables::Properties& properties, const std::string& name) {
    const auto found = properties.find(name);
    return found == properties.end() ? nullptr : &found->second;
}

duck::unique_ptr<duck::ParsedExpression> constant(duck::Value value) {
    return duck::make_uniq<duck::ConstantExpression>(std::move(value));
}

/// The arguments of tarn_identity(kind, start, increment), as clauses.cc writes them.
std::string identity_text(const duck::FunctionExpression& call) {
    std::string text;
    for (const auto& argument : call.children) {
        if (!text.empty()) text += ' ';
        text += argument->ToString();
    }
    std::erase(text, '\'');
    return text;
}

}  // namespace

void put_type(tables::Properties& properties, int field_id, const duck::LogicalType& type) {
    if (type.IsJSONType())
        properties[property(kType, field_id)] = is_jsonb(type) ? "jsonb" : "json";
    else if (const auto declared = declared_of(type))
        properties[property(kType, field_id)] = declared_text(declared);
}

std::string type_property(int field_id) {
    return property(kType, field_id);
}

DeclaredType declared_type(const tables::Properties& properties, const tables::Field& field) {
    const auto* text = find_property(properties, property(kType, field.id));
    const auto declared = text ? parse_declared(*text) : DeclaredType();
    if (!declared) return {};
    return iceberg_to_duck(field.type) == stored_type(declared) ? declared : DeclaredType();
}

duck::LogicalType column_type(const tables::Properties& properties, const tables::Field& field) {
    const auto* json = find_property(properties, property(kType, field.id));
    const bool is_json = json && (*json == "json" || *json == "jsonb");
    if (!is_json || field.type.id != tables::TypeId::string) return iceberg_to_duck(field.type);
    return *json == "jsonb" ? jsonb_type() : duck::LogicalType::JSON();
}

void put_default(tables::Properties& properties, int field_id,
                 const duck::ParsedExpression& given) {
    if (given.GetExpressionClass() == duck::ExpressionClass::FUNCTION &&
        given.Cast<duck::FunctionExpression>().function_name == kIdentityDefault) {
        properties[property(kIdentity, field_id)] =
            identity_text(given.Cast<duck::FunctionExpression>());
        return;
    }
    if (given.GetExpressionClass() == duck::ExpressionClass::FUNCTION &&
        given.Cast<duck::FunctionExpression>().function_name == "nextval") {
        properties[property(kIdentity, field_id)] = "by default 1 1";
        return;
    }
    if (given.GetExpressionClass() == duck::ExpressionClass::CONSTANT &&
        given.Cast<duck::ConstantExpression>().value.IsNull())
        return;
    if (given.HasSubquery())
        throw_error({Code::unimplemented, "cannot use subquery in DEFAULT expression", "0A000"});
    std::string text = given.ToString();
    duck::Parser::ParseExpressionList(
        text, parser_options());  // it will be read again: now is the time to fail
    properties[property(kDefault, field_id)] = std::move(text);
}

void put_key(tables::Properties& properties, const TableKey& key) {
    std::string text = key.primary ? "primary" : "unique";
    for (const int field : key.fields) text += ' ' + std::to_string(field);
    properties[std::string(kKey) + key.name] = std::move(text);
}

std::optional<Identity> identity_of(const tables::Properties& properties, int field_id) {
    const auto* text = find_property(properties, property(kIdentity, field_id));
    if (!text) return std::nullopt;
    Identity identity;
    identity.always = text->starts_with("always");
    const size_t numbers = text->find_first_of("-0123456789");
    if (numbers != std::string::npos)
        std::istringstream(text->substr(numbers)) >> identity.start >> identity.increment;
    return identity;
}

duck::unique_ptr<duck::ParsedExpression> default_of(const tables::TableState& table, int field_id) {
    const auto& properties = table.metadata->properties;
    if (identity_of(properties, field_id)) {
        duck::vector<duck::unique_ptr<duck::ParsedExpression>> arguments;
        arguments.push_back(constant(duck::Value(table.info.database)));
        arguments.push_back(constant(duck::Value(table.info.name)));
        arguments.push_back(constant(duck::Value::INTEGER(field_id)));
        return duck::make_uniq<duck::FunctionExpression>(kNextNumber, std::move(arguments));
    }
    const auto* text = find_property(properties, property(kDefault, field_id));
    if (!text) return nullptr;
    return std::move(duck::Parser::ParseExpressionList(*text, parser_options()).front());
}

std::string default_text(const tables::Properties& properties, int field_id) {
    const auto* text = find_property(properties, property(kDefault, field_id));
    return text ? *text : std::string();
}

std::vector<TableKey> keys_of(const tables::Properties& properties) {
    std::vector<TableKey> keys;
    for (auto at = properties.lower_bound(std::string(kKey));
         at != properties.end() && at->first.starts_with(kKey); ++at) {
        TableKey key;
        key.name = at->first.substr(kKey.size());
        std::istringstream words(at->second);
        std::string kind;
        words >> kind;
        key.primary = kind == "primary";
        for (int field = 0; words >> field;) key.fields.push_back(field);
        if (!key.fields.empty()) keys.push_back(std::move(key));
    }
    return keys;
}

std::vector<std::string> properties_of_column(const tables::Properties& properties, int field_id) {
    for (const auto& key : keys_of(properties))
        if (std::find(key.fields.begin(), key.fields.end(), field_id) != key.fields.end())
            throw_error({Code::conflict, fmt::format("the column is of the key \"{}\"", key.name),
                         "2BP01"});
    std::vector<std::string> names;
    for (const auto& check : checks_of(properties))
        if (const auto ids = columns_of(check);
            std::find(ids.begin(), ids.end(), field_id) != ids.end())
            names.push_back(*constraint_property(properties, check.name));
    for (const auto& reference : references_of(properties))
        if (std::find(reference.fields.begin(), reference.fields.end(), field_id) !=
            reference.fields.end())
            names.push_back(*constraint_property(properties, reference.name));
    for (const auto prefix : {kDefault, kIdentity, kType})
        if (find_property(properties, property(prefix, field_id)))
            names.push_back(property(prefix, field_id));
    return names;
}

std::string key_name(const std::string& table, bool primary,
                     const std::vector<std::string>& columns) {
    std::string name = table;
    if (!primary)
        for (const auto& column : columns) name += '_' + column;
    return name + (primary ? "_pkey" : "_key");
}

namespace {

const tables::Field& column_of(const tables::TableState& table, const std::string& name) {
    const auto* field = table.schema().find(name);
    if (!field)
        throw_error(
            {Code::not_found,
             fmt::format("column \"{}\" of relation \"{}\" does not exist", name, table.info.name),
             "42703"});
    return *field;
}

}  // namespace

duck::unique_ptr<duck::Expression> bind_default(duck::ClientContext& context,
                                                const duck::LogicalType& type,
                                                duck::unique_ptr<duck::ParsedExpression> given) {
    const auto binder = duck::Binder::CreateBinder(context);
    duck::ConstantBinder constants(*binder, context, "DEFAULT value");
    constants.target_type = type;
    return constants.Bind(given);
}

void check_default(duck::ClientContext& context, const duck::LogicalType& type,
                   const duck::ParsedExpression& given) {
    if (given.GetExpressionClass() == duck::ExpressionClass::FUNCTION) {
        const auto& name = given.Cast<duck::FunctionExpression>().function_name;
        if (name == kIdentityDefault || name == "nextval") return;
    }
    const auto bound = bind_default(context, type, given.Copy());
    if (bound->IsFoldable())
        static_cast<void>(duck::ExpressionExecutor::EvaluateScalar(context, *bound));
}

RuleChanges identity_added(const tables::TableState& table, const Utility::NewIdentity& wanted) {
    const auto& field = column_of(table, wanted.column);
    if (field.type.id != tables::TypeId::int32 && field.type.id != tables::TypeId::int64)
        throw_error({Code::invalid_argument,
                     "identity column type must be smallint, integer, or bigint", "22023"});
    RuleChanges changes;
    changes.set[property(kIdentity, field.id)] = fmt::format(
        "{} {} {}", wanted.always ? "always" : "by default", wanted.start, wanted.increment);
    changes.remove = {property(kDefault, field.id)};
    return changes;
}

std::optional<std::string> constraint_property(const tables::Properties& properties,
                                               const std::string& name) {
    for (const auto prefix :
         {kKey, std::string_view("tarn.check."), std::string_view("tarn.reference.")})
        if (find_property(properties, std::string(prefix) + name))
            return std::string(prefix) + name;
    return std::nullopt;
}

namespace {

/// Whether every value of the one type is one of the other.
bool widens(const DeclaredType& from, const DeclaredType& to) {
    if (!to || from == to) return true;
    if (to.is_time()) return to.length == kSecondDigitsMax || (from && from.length <= to.length);
    if (to == DeclaredType{DeclaredType::Kind::varchar, 0, false}) return true;
    if (!from || from.kind == DeclaredType::Kind::smallint ||
        to.kind == DeclaredType::Kind::smallint)
        return false;
    if (to.kind == DeclaredType::Kind::bpchar && from.kind != DeclaredType::Kind::bpchar)
        return false;  // spaces at the end
    return to.length == 0 || (from.length > 0 && from.length <= to.length);
}

/// Values are not looked through for what is no JSON, or too long. nullopt: nothing that hangs on
/// the property.
std::optional<RuleChanges> alter_type(const tables::TableState& table,
                                      const duck::ChangeColumnTypeInfo& wanted) {
    const auto* field = table.schema().find(wanted.column_name);
    if (!field) return std::nullopt;
    const auto& target = wanted.target_type;
    const auto& properties = table.metadata->properties;
    const auto was = column_type(properties, *field);
    const auto before = declared_type(properties, *field);
    const auto declared = declared_of(target);
    const bool from_json = was.IsJSONType() && target.id() == duck::LogicalTypeId::VARCHAR;
    const bool to_json = !was.IsJSONType() && target.IsJSONType();
    const bool stays = was.id() == plain_column(target).id() && (before || declared);
    if (!stays && !from_json && !to_json) return std::nullopt;
    if (was.IsJSONType() && target.IsJSONType()) return std::nullopt;
    const bool arrays = (before.array || declared.array) && before != declared;
    if (to_json || (from_json && declared.length > 0) || arrays || !widens(before, declared))
        throw_error(
            {Code::unimplemented,
             fmt::format("changing the type of column \"{}\" to {}: add a column", field->name,
                         declared  ? pg_type(Kind::text, declared).name
                         : to_json ? "jsonb"
                                   : target.ToString()),
             "0A000"});
    RuleChanges changes;
    put_type(changes.set, field->id, target);
    if (changes.set.empty()) changes.remove = {property(kType, field->id)};
    return changes;
}

}  // namespace

std::optional<RuleChanges> alter_rules(duck::ClientContext& context,
                                       const tables::TableState& table, duck::AlterInfo& info) {
    if (info.type != duck::AlterType::ALTER_TABLE) return std::nullopt;
    auto& alter = info.Cast<duck::AlterTableInfo>();
    RuleChanges changes;
    if (alter.alter_table_type == duck::AlterTableType::SET_DEFAULT) {
        auto& wanted = alter.Cast<duck::SetDefaultInfo>();
        const auto& field = column_of(table, wanted.column_name);
        if (identity_of(table.metadata->properties, field.id) && !wanted.expression) {
            changes.remove = {property(kIdentity, field.id)};  // DROP DEFAULT of a serial column
            return changes;
        }
        if (identity_of(table.metadata->properties, field.id))
            throw_error({Code::invalid_argument,
                         fmt::format("column \"{}\" of relation \"{}\" is an identity column",
                                     field.name, table.info.name),
                         "42601"});
        changes.remove = {property(kDefault, field.id)};
        if (!wanted.expression) return changes;
        check_default(context, column_type(table.metadata->properties, field), *wanted.expression);
        put_default(changes.set, field.id, *wanted.expression);
        if (!changes.set.empty()) changes.remove.clear();
        return changes;
    }
    if (alter.alter_table_type == duck::AlterTableType::ALTER_COLUMN_TYPE)
        return alter_type(table, alter.Cast<duck::ChangeColumnTypeInfo>());
    return std::nullopt;
}

tables::Properties key_added(const tables::TableState& table, const tables::Properties& properties,
                             const Utility::NewKey& wanted) {
    TableKey key{wanted.name, wanted.primary, {}};
    for (const auto& name : wanted.columns) key.fields.push_back(column_of(table, name).id);
    if (key.name.empty()) key.name = key_name(table.info.name, key.primary, wanted.columns);
    for (const auto& other : keys_of(properties)) {
        if (key.primary && other.primary)
            throw_error({Code::invalid_argument,
                         fmt::format("multiple primary keys for table \"{}\" are not allowed",
                                     table.info.name),
                         "42P16"});
        if (key.name == other.name)
            throw_error({Code::already_exists,
                         fmt::format("relation \"{}\" already exists", key.name), "42P07"});
    }
    tables::Properties changed;
    put_key(changed, key);
    return changed;
}

tables::TablePtr with_doc(const tables::TableState& table, int field_id,
                          const std::optional<std::string>& doc) {
    auto metadata = std::make_shared<tables::TableMetadata>(*table.metadata);
    for (auto& schema : metadata->schemas)
        for (auto& field : schema.fields)
            if (field.id == field_id) field.doc = doc;
    auto changed = std::make_shared<tables::TableState>(table);
    changed->metadata = std::move(metadata);
    return changed;
}

tables::TablePtr with_properties(const tables::TableState& table, const tables::Properties& more,
                                 const std::vector<std::string>& without) {
    auto metadata = std::make_shared<tables::TableMetadata>(*table.metadata);
    for (const auto& name : without) metadata->properties.erase(name);
    for (const auto& [name, value] : more) metadata->properties[name] = value;
    auto changed = std::make_shared<tables::TableState>(table);
    changed->metadata = std::move(metadata);
    return changed;
}

}  // namespace tarn::query
