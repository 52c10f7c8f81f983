#include "query/internal/on_conflict.h"

#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/tableref/expressionlistref.hpp"
#include "duckdb/parser/tableref/subqueryref.hpp"
#include "query/internal/services.h"
#include "query/internal/sql_text.h"
#include "query/internal/table_spec.h"

namespace tarn::query {

namespace {

constexpr const char* kOnce = "tarn_once";

struct Target {
    std::vector<std::string> columns;  // that get values, in the order of the rows
    duck::vector<duck::LogicalType> types;
    std::vector<std::string> keys;
};

duck::optional_ptr<duck::TableCatalogEntry> target_table(duck::ClientContext& context,
                                                         const duck::InsertStatement& insert) {
    std::string catalog = insert.catalog;
    std::string schema = insert.schema;
    duck::Binder::BindSchemaOrCatalog(context, catalog, schema);
    const duck::EntryLookupInfo lookup(duck::CatalogType::TABLE_ENTRY, insert.table);
    auto found = duck::Catalog::GetEntry(context, catalog, schema, lookup,
                                         duck::OnEntryNotFound::RETURN_NULL);
    if (!found || found->type != duck::CatalogType::TABLE_ENTRY) return nullptr;
    return &found->Cast<duck::TableCatalogEntry>();
}

/// Nothing when there is no such table: the binder says so.
std::optional<Target> look_up(duck::ClientContext& context, const duck::InsertStatement& insert) {
    auto found = target_table(context, insert);
    if (!found) return std::nullopt;
    auto& table = *found;
    Target target;
    target.columns.assign(insert.columns.begin(), insert.columns.end());
    if (target.columns.empty())
        for (const auto& column : table.GetColumns().Physical())
            target.columns.push_back(column.Name());
    for (const auto& name : target.columns) {
        if (!table.ColumnExists(name)) return std::nullopt;
        target.types.push_back(table.GetColumns().GetColumn(name).Type());
    }
    const auto& named = insert.on_conflict_info->indexed_columns;
    target.keys.assign(named.begin(), named.end());
    for (const auto& index : table.GetStorageInfo(context).index_info) {
        if (!target.keys.empty() || !index.is_unique) continue;
        for (const auto& column : table.GetColumns().Physical())
            if (index.column_set.count(column.Physical().index) > 0)
                target.keys.push_back(column.Name());
    }
    return target;
}

void cast_values(duck::ExpressionListRef& values, const Target& target) {
    for (auto& row : values.values)
        for (size_t i = 0; i < row.size() && i < target.types.size(); ++i)
            if (row[i]->GetExpressionClass() != duck::ExpressionClass::DEFAULT)
                row[i] = duck::make_uniq<duck::CastExpression>(target.types[i], std::move(row[i]));
}

/// SELECT * FROM (rows) AS excluded(columns) QUALIFY tarn_once(count(*) OVER (PARTITION BY keys))
void refuse_twice(duck::InsertStatement& insert, const Target& target) {
    std::string keys;
    for (const auto& key : target.keys) {
        const bool given = std::any_of(
            target.columns.begin(), target.columns.end(),
            [&](const auto& column) { return duck::StringUtil::CIEquals(column, key); });
        if (!given) return;  // a key that is not given: the binder, or NOT NULL, says so
        keys += (keys.empty() ? "" : ", ") + quoted_name(key);
    }
    if (keys.empty()) return;
    auto rows = duck::make_uniq<duck::SubqueryRef>(std::move(insert.select_statement), "excluded");
    rows->column_name_alias.assign(target.columns.begin(), target.columns.end());
    auto select = duck::make_uniq<duck::SelectNode>();
    select->select_list.push_back(duck::make_uniq<duck::StarExpression>());
    select->from_table = std::move(rows);
    select->qualify = std::move(
        duck::Parser::ParseExpressionList(
            std::string(kOnce) + "(count(*) OVER (PARTITION BY " + keys + "))", parser_options())
            .front());
    insert.select_statement = duck::make_uniq<duck::SelectStatement>();
    insert.select_statement->node = std::move(select);
}

/// How many values a row has; 0: that is known after binding only.
size_t values_per_row(const duck::InsertStatement& insert) {
    if (const auto values = insert.GetValuesList())
        return values->values.empty() ? 0 : values->values.front().size();
    const auto& node = *insert.select_statement->node;
    if (node.type != duck::QueryNodeType::SELECT_NODE) return 0;
    const auto& list = node.Cast<duck::SelectNode>().select_list;
    const bool star = std::any_of(list.begin(), list.end(), [](const auto& each) {
        return each->GetExpressionClass() == duck::ExpressionClass::STAR;
    });
    return star ? 0 : list.size();
}

void once(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    duck::UnaryExecutor::Execute<int64_t, bool>(
        arguments.data[0], result, arguments.size(), [](int64_t rows) {
            if (rows > 1)
                throw_error({Code::invalid_argument,
                             "ON CONFLICT DO UPDATE command cannot affect row a second time",
                             "21000"});
            return true;
        });
}

}  // namespace

void name_first_columns(duck::ClientContext& context, duck::InsertStatement& insert) {
    if (!insert.columns.empty() || !insert.select_statement ||
        insert.column_order == duck::InsertColumnOrder::INSERT_BY_NAME)
        return;
    const size_t given = values_per_row(insert);
    if (given == 0) return;
    duck::vector<duck::string> names;
    context.RunFunctionInTransaction(
        [&] {
            const auto table = target_table(context, insert);
            if (!table) return;
            for (const auto& column : table->GetColumns().Physical())
                names.push_back(column.Name());
        },
        false);
    if (given >= names.size()) return;
    names.resize(given);
    insert.columns = std::move(names);
}

void prepare_on_conflict(duck::ClientContext& context, duck::InsertStatement& insert) {
    if (!insert.on_conflict_info || !insert.select_statement ||
        insert.on_conflict_info->action_type == duck::OnConflictAction::THROW)
        return;
    std::optional<Target> target;
    context.RunFunctionInTransaction([&] { target = look_up(context, insert); }, false);
    if (!target) return;
    auto values = insert.GetValuesList();
    if (values) cast_values(*values, *target);
    const bool updates = insert.on_conflict_info->action_type != duck::OnConflictAction::NOTHING;
    const bool one = values && values->values.size() == 1;
    const bool by_name = insert.column_order == duck::InsertColumnOrder::INSERT_BY_NAME;
    if (updates && !one && !by_name) refuse_twice(insert, *target);
}

void add_on_conflict_function(duck::ClientContext& context, duck::Catalog& system) {
    duck::ScalarFunction function(kOnce, {duck::LogicalType::BIGINT}, duck::LogicalType::BOOLEAN,
                                  once);
    function.SetStability(duck::FunctionStability::VOLATILE);
    function.SetFallible();
    duck::CreateScalarFunctionInfo info(function);
    info.internal = true;
    system.CreateFunction(context, info);
}

}  // namespace tarn::query
