#include "query/internal/column_names.h"

#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "duckdb/parser/query_node/list.hpp"
#include "duckdb/parser/tableref/list.hpp"
#include "query/column_names.h"
#include "query/internal/session.h"

namespace tarn::query {

namespace {

using Class = duck::ExpressionClass;

/// A weak name gives way to that of what it is made from: x::int is "x", 1::int is "int4".
struct ColumnName {
    std::string name;
    bool strong = false;
};

/// pg_type.typname. The parser has not looked the type up yet: it knows its name only.
std::string type_name(const duck::LogicalType& type) {
    static const std::map<std::string, const char*> kNames = {
        {"boolean", "bool"},    {"tinyint", "int2"},    {"smallint", "int2"},
        {"integer", "int4"},    {"int", "int4"},        {"bigint", "int8"},
        {"float", "float4"},    {"real", "float4"},     {"double", "float8"},
        {"decimal", "numeric"}, {"hugeint", "numeric"}, {"varchar", "text"},
        {"blob", "bytea"},      {"tarn_oid", "oid"},    {"timestamp with time zone", "timestamptz"},
        {"tarn_char", "char"},
    };
    std::string name = duck::StringUtil::Lower(type.ToString());
    name = name.substr(0, name.find_first_of("(["));
    name = duck::StringUtil::Replace(name, "\"", "");
    const auto found = kNames.find(name);
    return found == kNames.end() ? name : found->second;
}

ColumnName name_of(const duck::ParsedExpression& given);

ColumnName name_of_function(const std::string& function) {
    if (function == "count_star") return {"count", true};
    if (function == "list_value") return {"array", true};
    if (function == "tarn_regclass" || function == "tarn_regclass_of")
        return {"regclass", false};                  // 'name'::regclass
    if (function == "regexp_full_match") return {};  // how the parser has x ~ y
    return {function, true};
}

/// Of what a subquery gives.
ColumnName name_of_first(const duck::QueryNode& node) {
    switch (node.type) {
        case duck::QueryNodeType::SELECT_NODE:
            return name_of(*node.Cast<duck::SelectNode>().select_list.front());
        case duck::QueryNodeType::SET_OPERATION_NODE:
            return name_of_first(*node.Cast<duck::SetOperationNode>().children.front());
        default:
            return {};
    }
}

ColumnName name_of_field(const duck::ParsedExpression& field) {
    if (field.GetExpressionClass() != Class::CONSTANT) return {};
    return {field.Cast<duck::ConstantExpression>().value.ToString(), true};
}

ColumnName name_of_operator(const duck::OperatorExpression& given) {
    switch (given.GetExpressionType()) {
        case duck::ExpressionType::OPERATOR_COALESCE:
            return {"coalesce", true};
        case duck::ExpressionType::ARRAY_CONSTRUCTOR:
            return {"array", true};
        case duck::ExpressionType::GROUPING_FUNCTION:
            return {"grouping", true};
        case duck::ExpressionType::ARRAY_EXTRACT:
        case duck::ExpressionType::ARRAY_SLICE:
            return name_of(*given.children.front());
        case duck::ExpressionType::STRUCT_EXTRACT:
            return name_of_field(*given.children.back());
        default:
            return {};
    }
}

ColumnName name_of(const duck::ParsedExpression& given) {
    if (given.HasAlias()) return {given.GetAlias(), true};
    switch (given.GetExpressionClass()) {
        case Class::COLUMN_REF:
            return {given.Cast<duck::ColumnRefExpression>().GetColumnName(), true};
        case Class::FUNCTION: {
            const auto& call = given.Cast<duck::FunctionExpression>();
            return call.is_operator ? ColumnName() : name_of_function(call.function_name);
        }
        case Class::WINDOW:
            return name_of_function(given.Cast<duck::WindowExpression>().function_name);
        case Class::CAST: {
            const auto& cast = given.Cast<duck::CastExpression>();
            if (cast.child->GetExpressionClass() == Class::PARAMETER) return {};  // $1 by itself
            const ColumnName inner = name_of(*cast.child);
            return inner.strong ? inner : ColumnName{type_name(cast.cast_type), false};
        }
        case Class::CASE: {
            const ColumnName otherwise = name_of(*given.Cast<duck::CaseExpression>().else_expr);
            return otherwise.strong ? otherwise : ColumnName{"case", false};
        }
        case Class::COLLATE:
            return name_of(*given.Cast<duck::CollateExpression>().child);
        case Class::OPERATOR:
            return name_of_operator(given.Cast<duck::OperatorExpression>());
        case Class::SUBQUERY: {
            const auto& subquery = given.Cast<duck::SubqueryExpression>();
            if (subquery.subquery_type == duck::SubqueryType::EXISTS) return {"exists", true};
            if (subquery.subquery_type != duck::SubqueryType::SCALAR) return {};
            ColumnName first = name_of_first(*subquery.subquery->node);
            first.strong = !first.name.empty();
            return first;
        }
        default:
            return {};
    }
}

/// `*` and COLUMNS(...) are as many columns as they find, whose names are theirs.
bool has_star(const duck::ParsedExpression& given) {
    bool found = given.GetExpressionClass() == Class::STAR;
    duck::ParsedExpressionIterator::EnumerateChildren(
        given, [&](const duck::ParsedExpression& child) { found = found || has_star(child); });
    return found;
}

void name_each(duck::vector<duck::unique_ptr<duck::ParsedExpression>>& list) {
    for (auto& each : list) {
        const auto kind = each->GetExpressionClass();
        if (each->HasAlias() || kind == Class::COLUMN_REF || kind == Class::POSITIONAL_REFERENCE ||
            has_star(*each))
            continue;
        ColumnName found = name_of(*each);
        each->SetAlias(found.name.empty() ? "?column?" : std::move(found.name));
    }
}

void name_node(duck::QueryNode& node) {
    if (node.type == duck::QueryNodeType::SET_OPERATION_NODE)
        return name_node(*node.Cast<duck::SetOperationNode>().children.front());
    if (node.type != duck::QueryNodeType::SELECT_NODE) return;
    auto& select = node.Cast<duck::SelectNode>();
    name_each(select.select_list);
    if (!select.from_table || select.from_table->type != duck::TableReferenceType::EXPRESSION_LIST)
        return;
    auto& values = select.from_table->Cast<duck::ExpressionListRef>();  // VALUES by itself
    if (!values.expected_names.empty() || values.values.empty()) return;
    for (size_t i = 1; i <= values.values.front().size(); ++i)
        values.expected_names.push_back("column" + std::to_string(i));
}

using ExpressionPtr = duck::unique_ptr<duck::ParsedExpression>;

void wrap_in_call(const char* function, ExpressionPtr& given) {
    const std::string alias = given->GetAlias();
    given->ClearAlias();
    duck::vector<ExpressionPtr> arguments;
    arguments.push_back(std::move(given));
    given = duck::make_uniq<duck::FunctionExpression>(function, std::move(arguments));
    given->SetAlias(alias);
}

bool is_cast_to(const duck::ParsedExpression& given, const char* type) {
    return given.GetExpressionClass() == Class::CAST &&
           type_name(given.Cast<duck::CastExpression>().cast_type) == type;
}

bool is_call_of(const duck::ParsedExpression& given, const char* function) {
    return given.GetExpressionClass() == Class::FUNCTION &&
           given.Cast<duck::FunctionExpression>().function_name == function;
}

bool is_shown_by_name(const duck::ParsedExpression& given) {
    return is_call_of(given, "tarn_regclass") || is_call_of(given, "tarn_regclass_of") ||
           is_call_of(given, "to_regclass") || is_cast_to(given, "regclass") ||
           is_call_of(given, "tarn_regtype");
}

/// regclass and regtype are numbers that are shown as names.
void show_by_name(ExpressionPtr& given) {
    if (!is_shown_by_name(*given)) return;
    wrap_in_call(is_call_of(*given, "tarn_regtype") ? "tarn_regtype_name" : "tarn_regclass_name",
                 given);
}

void replace_cast(const char* function, ExpressionPtr& given) {
    const std::string alias = given->GetAlias();
    given = std::move(given->Cast<duck::CastExpression>().child);
    wrap_in_call(function, given);
    given->SetAlias(alias);
}

/// pg_get_serial_sequence(t::regclass::text, c), as catalog queries write it about to read its
/// number: that is found without the names between.
bool name_of_sequence(duck::ParsedExpression& given) {
    if (!is_call_of(given, "pg_get_serial_sequence")) return false;
    auto& call = given.Cast<duck::FunctionExpression>();
    auto& table = call.children.front();
    if (!is_cast_to(*table, "text")) return false;
    auto& shown = table->Cast<duck::CastExpression>().child;
    if (!is_call_of(*shown, "tarn_regclass_name")) return false;
    auto number = std::move(shown->Cast<duck::FunctionExpression>().children.front());
    table = std::move(number);
    call.function_name = "tarn_sequence_of";
    call.schema = "";
    call.catalog = "";
    return true;
}

/// As text they are names wherever they stand.
void show_as_text(ExpressionPtr& given) {
    if (given->GetExpressionClass() == Class::SUBQUERY)
        duck::ParsedExpressionIterator::EnumerateQueryNodeChildren(
            *given->Cast<duck::SubqueryExpression>().subquery->node, show_as_text);
    duck::ParsedExpressionIterator::EnumerateChildren(
        *given, [](ExpressionPtr& child) { show_as_text(child); });
    if (is_cast_to(*given, "regtype")) replace_cast("tarn_regtype", given);
    // What a function gives may be a name; columns of the catalogs are numbers.
    if (is_cast_to(*given, "regclass") &&
        given->Cast<duck::CastExpression>().child->GetExpressionClass() != Class::COLUMN_REF) {
        if (!name_of_sequence(*given->Cast<duck::CastExpression>().child))
            replace_cast("tarn_regclass_of", given);
    }
    if (is_cast_to(*given, "text")) show_by_name(given->Cast<duck::CastExpression>().child);
}

bool reads_indexes(const duck::TableRef* ref) {
    if (!ref) return false;
    if (ref->type == duck::TableReferenceType::BASE_TABLE)
        return duck::StringUtil::CIEquals(ref->Cast<duck::BaseTableRef>().table_name, "pg_index");
    if (ref->type != duck::TableReferenceType::JOIN) return false;
    const auto& join = ref->Cast<duck::JoinRef>();
    return reads_indexes(join.left.get()) || reads_indexes(join.right.get());
}

/// Columns of pg_index are lists here, so that functions of arrays take them; clients read "1 2".
void show_as_vector(ExpressionPtr& given) {
    if (given->GetExpressionClass() != Class::COLUMN_REF) return;
    const std::string column = given->Cast<duck::ColumnRefExpression>().GetColumnName();
    if (column != "indkey" && column != "indoption") return;
    if (given->GetAlias().empty()) given->SetAlias(column);
    wrap_in_call("tarn_vector", given);
}

void selects_of(duck::QueryNode& node, std::vector<duck::SelectNode*>& found) {
    if (node.type == duck::QueryNodeType::SELECT_NODE)
        found.push_back(&node.Cast<duck::SelectNode>());
    else if (node.type == duck::QueryNodeType::SET_OPERATION_NODE)
        for (auto& child : node.Cast<duck::SetOperationNode>().children) selects_of(*child, found);
}

/// The arms of a UNION show names where all of them do: what they are joined with may be oids.
void show_names(duck::QueryNode& node) {
    duck::ParsedExpressionIterator::EnumerateQueryNodeChildren(node, show_as_text);
    std::vector<duck::SelectNode*> arms;
    selects_of(node, arms);
    for (size_t i = 0; !arms.empty() && i < arms.front()->select_list.size(); ++i) {
        if (!std::all_of(arms.begin(), arms.end(), [&](const auto* arm) {
                return i < arm->select_list.size() && is_shown_by_name(*arm->select_list[i]);
            }))
            continue;
        for (auto* arm : arms) show_by_name(arm->select_list[i]);
    }
    for (auto* arm : arms)
        if (reads_indexes(arm->from_table.get()))
            for (auto& each : arm->select_list) show_as_vector(each);
}

void name_created(duck::CreateInfo& info) {
    if (info.type == duck::CatalogType::VIEW_ENTRY)
        name_node(*info.Cast<duck::CreateViewInfo>().query->node);
    if (info.type == duck::CatalogType::TABLE_ENTRY)
        if (auto& query = info.Cast<duck::CreateTableInfo>().query) name_node(*query->node);
}

}  // namespace

void name_columns(duck::SQLStatement& statement) {
    switch (statement.type) {
        case duck::StatementType::SELECT_STATEMENT:
            name_node(*statement.Cast<duck::SelectStatement>().node);
            return show_names(*statement.Cast<duck::SelectStatement>().node);
        case duck::StatementType::CREATE_STATEMENT:
            return name_created(*statement.Cast<duck::CreateStatement>().info);
        case duck::StatementType::INSERT_STATEMENT:
            return name_each(statement.Cast<duck::InsertStatement>().returning_list);
        case duck::StatementType::UPDATE_STATEMENT:
            return name_each(statement.Cast<duck::UpdateStatement>().returning_list);
        case duck::StatementType::DELETE_STATEMENT:
            return name_each(statement.Cast<duck::DeleteStatement>().returning_list);
        default:
            return;
    }
}

void name_columns_as_postgres(Session& session) {
    if (auto* ours = dynamic_cast<LakeSession*>(&session)) ours->name_columns_as_postgres();
}

}  // namespace tarn::query
