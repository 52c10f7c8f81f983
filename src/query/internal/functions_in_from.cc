#include "query/internal/functions_in_from.h"

#include <map>

#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "query/internal/database.h"
#include "query/internal/name_walk.h"

namespace tarn::query {

namespace {

/// Functions that give more than one row, as lists, and the name of the column.
struct RowsOf {
    const char* list;
    const char* column;
};
const std::map<std::string, RowsOf> kRowsOf = {
    {"json_array_elements", {"tarn_list_json_array_elements", "value"}},
    {"jsonb_array_elements", {"tarn_list_jsonb_array_elements", "value"}},
    {"json_array_elements_text", {"tarn_list_json_array_elements_text", "value"}},
    {"jsonb_array_elements_text", {"tarn_list_jsonb_array_elements_text", "value"}},
    {"json_object_keys", {"tarn_list_json_object_keys", "json_object_keys"}},
    {"jsonb_object_keys", {"tarn_list_jsonb_object_keys", "jsonb_object_keys"}},
    {"string_to_table", {"tarn_list_string_to_table", "string_to_table"}},
    {"regexp_split_to_table", {"regexp_split_to_array", "regexp_split_to_table"}}};

duck::unique_ptr<duck::ParsedExpression> call_with(
    const char* name, duck::unique_ptr<duck::ParsedExpression> argument) {
    duck::vector<duck::unique_ptr<duck::ParsedExpression>> arguments;
    arguments.push_back(std::move(argument));
    return duck::make_uniq<duck::FunctionExpression>(name, std::move(arguments));
}

/// Aliases of functions whose one column has a name of its own.
using NamedRows = std::map<std::string, std::string>;

/// f(...) e has the column e here, as other functions have; in PostgreSQL the row of one column is
/// the column and e.value is it, too. `named_alone`: it may be a column of the result, with that
/// name.
void mean_alias(duck::unique_ptr<duck::ParsedExpression>& given, const NamedRows& named,
                bool named_alone) {
    if (given->GetExpressionClass() == duck::ExpressionClass::COLUMN_REF) {
        auto& names = given->Cast<duck::ColumnRefExpression>().column_names;
        if (names.size() != 2) return;
        const auto found = named.find(duck::StringUtil::Lower(names[0]));
        if (found == named.end() || !duck::StringUtil::CIEquals(names[1], found->second)) return;
        if (named_alone && given->GetAlias().empty()) given->SetAlias(names[1]);
        names[1] = names[0];
        return;
    }
    const auto look = [&](duck::unique_ptr<duck::ParsedExpression>& child) {
        mean_alias(child, named, false);
    };
    if (given->GetExpressionClass() == duck::ExpressionClass::SUBQUERY)
        duck::ParsedExpressionIterator::EnumerateQueryNodeChildren(
            *given->Cast<duck::SubqueryExpression>().subquery->node, look);
    duck::ParsedExpressionIterator::EnumerateChildren(*given, look);
}

void call_as_row(duck::TableFunctionRef& ref, NamedRows& named) {
    auto& call = ref.function->Cast<duck::FunctionExpression>();
    const std::string name = duck::StringUtil::Lower(call.function_name);
    if (table_function_allowed(name)) return;
    const auto rows = kRowsOf.find(name);
    const bool many = rows != kRowsOf.end();
    if (many && ref.column_name_alias.empty() && !ref.alias.empty() && name != rows->second.column)
        named[duck::StringUtil::Lower(ref.alias)] = rows->second.column;
    if (ref.column_name_alias.empty())
        ref.column_name_alias.push_back(!ref.alias.empty() ? ref.alias
                                        : many             ? rows->second.column
                                                           : name);
    if (ref.alias.empty()) ref.alias = name;
    if (many) call.function_name = rows->second.list;
    ref.function = call_with("unnest", many ? std::move(ref.function)
                                            : call_with("list_value", std::move(ref.function)));
}

/// jsonb_each(x) is unnest(its names, its values) AS jsonb_each(key, value).
void unnest_fields(duck::TableFunctionRef& ref) {
    auto& call = ref.function->Cast<duck::FunctionExpression>();
    if (call.children.size() != 1)
        throw duck::BinderException("function %s takes one argument", call.function_name);
    const std::string name = duck::StringUtil::Lower(call.function_name);
    if (ref.alias.empty()) ref.alias = name;
    for (const char* column : {"key", "value", "ordinality"}) {
        const size_t at = column[0] == 'k' ? 0 : column[0] == 'v' ? 1 : 2;
        const bool there = at < 2 || ref.with_ordinality == duck::OrdinalityType::WITH_ORDINALITY;
        if (there && ref.column_name_alias.size() == at) ref.column_name_alias.push_back(column);
    }
    duck::vector<duck::unique_ptr<duck::ParsedExpression>> lists;
    lists.push_back(call_with("tarn_list_jsonb_object_keys", call.children[0]->Copy()));
    lists.push_back(
        call_with(name == "jsonb_each" ? "tarn_list_jsonb_each" : "tarn_list_jsonb_each_text",
                  std::move(call.children[0])));
    ref.function = duck::make_uniq<duck::FunctionExpression>("unnest", std::move(lists));
}

/// unnest(a, b) [WITH ORDINALITY]: side by side.
void unnest_side_by_side(duck::unique_ptr<duck::TableRef>& part) {
    auto& ref = part->Cast<duck::TableFunctionRef>();
    auto& call = ref.function->Cast<duck::FunctionExpression>();
    auto select = duck::make_uniq<duck::SelectNode>();
    select->from_table = duck::make_uniq<duck::EmptyTableRef>();
    duck::vector<duck::unique_ptr<duck::ParsedExpression>> lengths;
    for (auto& list : call.children) {
        lengths.push_back(call_with("len", list->Copy()));
        select->select_list.push_back(call_with("unnest", std::move(list)));
    }
    if (ref.with_ordinality == duck::OrdinalityType::WITH_ORDINALITY) {
        duck::vector<duck::unique_ptr<duck::ParsedExpression>> bounds;
        bounds.push_back(duck::make_uniq<duck::ConstantExpression>(duck::Value::BIGINT(1)));
        bounds.push_back(duck::make_uniq<duck::FunctionExpression>("greatest", std::move(lengths)));
        select->select_list.push_back(call_with(
            "unnest",
            duck::make_uniq<duck::FunctionExpression>("generate_series", std::move(bounds))));
    }
    auto statement = duck::make_uniq<duck::SelectStatement>();
    statement->node = std::move(select);
    auto made = duck::make_uniq<duck::SubqueryRef>(std::move(statement),
                                                   ref.alias.empty() ? "unnest" : ref.alias);
    made->column_name_alias = std::move(ref.column_name_alias);
    part = std::move(made);
}

void call_in_from(duck::unique_ptr<duck::TableRef>& part, NamedRows& named) {
    if (part->type != duck::TableReferenceType::TABLE_FUNCTION) return;
    auto& ref = part->Cast<duck::TableFunctionRef>();
    if (ref.function->GetExpressionClass() != duck::ExpressionClass::FUNCTION) return;
    const auto& call = ref.function->Cast<duck::FunctionExpression>();
    const std::string name = duck::StringUtil::Lower(call.function_name);
    if (name == "jsonb_each" || name == "jsonb_each_text") {
        unnest_fields(ref);
        return unnest_side_by_side(part);
    }
    const bool several =
        call.children.size() > 1 && std::none_of(call.children.begin(), call.children.end(),
                                                 [](const auto& each) { return each->HasAlias(); });
    if (several && name == "unnest")
        unnest_side_by_side(part);
    else
        call_as_row(ref, named);
}

}  // namespace

void call_functions_in_from(duck::SQLStatement& statement) {
    NamedRows named;
    NameWalk walk([](duck::BaseTableRef&) {},
                  [&](duck::unique_ptr<duck::TableRef>& part) { call_in_from(part, named); });
    const auto query = [&](duck::QueryNode& node) {
        walk.query(node);
        if (named.empty()) return;
        duck::ParsedExpressionIterator::EnumerateQueryNodeChildren(
            node,
            [&](duck::unique_ptr<duck::ParsedExpression>& each) { mean_alias(each, named, true); });
    };
    switch (statement.type) {
        case duck::StatementType::SELECT_STATEMENT:
            return query(*statement.Cast<duck::SelectStatement>().node);
        case duck::StatementType::INSERT_STATEMENT:
            if (auto& rows = statement.Cast<duck::InsertStatement>().select_statement)
                query(*rows->node);
            return;
        case duck::StatementType::UPDATE_STATEMENT: {
            auto& update = statement.Cast<duck::UpdateStatement>();
            if (update.from_table) walk.part(update.from_table, {});
            return;
        }
        case duck::StatementType::CREATE_STATEMENT: {
            auto& info = *statement.Cast<duck::CreateStatement>().info;
            if (info.type == duck::CatalogType::TABLE_ENTRY &&
                info.Cast<duck::CreateTableInfo>().query)
                query(*info.Cast<duck::CreateTableInfo>().query->node);
            return;
        }
        default:
            return;
    }
}

}  // namespace tarn::query
