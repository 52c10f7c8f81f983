#include "query/internal/functions_in_from.h"

#include <map>

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
    {"jsonb_array_elements", {"tarn_list_json_array_elements", "value"}},
    {"json_array_elements_text", {"tarn_list_json_array_elements_text", "value"}},
    {"jsonb_array_elements_text", {"tarn_list_json_array_elements_text", "value"}},
    {"json_object_keys", {"tarn_list_json_object_keys", "json_object_keys"}},
    {"jsonb_object_keys", {"tarn_list_json_object_keys", "jsonb_object_keys"}},
    {"string_to_table", {"tarn_list_string_to_table", "string_to_table"}},
    {"regexp_split_to_table", {"regexp_split_to_array", "regexp_split_to_table"}}};

duck::unique_ptr<duck::ParsedExpression> call_with(
    const char* name, duck::unique_ptr<duck::ParsedExpression> argument) {
    duck::vector<duck::unique_ptr<duck::ParsedExpression>> arguments;
    arguments.push_back(std::move(argument));
    return duck::make_uniq<duck::FunctionExpression>(name, std::move(arguments));
}

void call_as_row(duck::TableFunctionRef& ref) {
    auto& call = ref.function->Cast<duck::FunctionExpression>();
    const std::string name = duck::StringUtil::Lower(call.function_name);
    if (table_function_allowed(name)) return;
    const auto rows = kRowsOf.find(name);
    const bool many = rows != kRowsOf.end();
    if (ref.column_name_alias.empty())
        ref.column_name_alias.push_back(!ref.alias.empty() ? ref.alias
                                        : many             ? rows->second.column
                                                           : name);
    if (ref.alias.empty()) ref.alias = name;
    if (many) call.function_name = rows->second.list;
    ref.function = call_with("unnest", many ? std::move(ref.function)
                                            : call_with("list_value", std::move(ref.function)));
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

void call_in_from(duck::unique_ptr<duck::TableRef>& part) {
    if (part->type != duck::TableReferenceType::TABLE_FUNCTION) return;
    auto& ref = part->Cast<duck::TableFunctionRef>();
    if (ref.function->GetExpressionClass() != duck::ExpressionClass::FUNCTION) return;
    const auto& call = ref.function->Cast<duck::FunctionExpression>();
    const bool several =
        call.children.size() > 1 && std::none_of(call.children.begin(), call.children.end(),
                                                 [](const auto& each) { return each->HasAlias(); });
    if (several && duck::StringUtil::Lower(call.function_name) == "unnest")
        unnest_side_by_side(part);
    else
        call_as_row(ref);
}

}  // namespace

void call_functions_in_from(duck::SQLStatement& statement) {
    NameWalk walk([](duck::BaseTableRef&) {}, call_in_from);
    switch (statement.type) {
        case duck::StatementType::SELECT_STATEMENT:
            return walk.query(*statement.Cast<duck::SelectStatement>().node);
        case duck::StatementType::INSERT_STATEMENT:
            if (auto& rows = statement.Cast<duck::InsertStatement>().select_statement)
                walk.query(*rows->node);
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
                walk.query(*info.Cast<duck::CreateTableInfo>().query->node);
            return;
        }
        default:
            return;
    }
}

}  // namespace tarn::query
