#include "query/internal/group_keys.h"

#include <functional>
#include <set>

#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "duckdb/parser/query_node/list.hpp"
#include "duckdb/parser/tableref/list.hpp"
#include "query/internal/keys.h"
#include "query/internal/table_rules.h"

namespace tarn::query {

namespace {

using Class = duck::ExpressionClass;
using Names = std::set<std::string>;

struct Grouped {
    std::string alias;
    const LakeTable* table = nullptr;
    bool alone = false;  // FROM has nothing else: names need no table before them
};

std::string lower(const std::string& name) {
    return duck::StringUtil::Lower(name);
}

/// The column of that table which the expression is; empty: something else.
std::string column_of(const Grouped& grouped, const duck::ParsedExpression& given) {
    if (given.GetExpressionClass() != Class::COLUMN_REF) return "";
    const auto& column = given.Cast<duck::ColumnRefExpression>();
    const bool its =
        column.IsQualified()
            ? lower(column.column_names[column.column_names.size() - 2]) == grouped.alias
            : grouped.alone;
    return its ? lower(column.GetColumnName()) : "";
}

class Extension {
 public:
    Extension(duck::ClientContext& context, duck::SelectNode& select, const Grouped& grouped)
        : context_(context), select_(select), grouped_(grouped) {
        for (const auto& column : grouped.table->GetColumns().Logical())
            columns_.insert(lower(column.Name()));
    }

    void run() {
        const Names key = key_columns();
        if (key.empty()) return;
        for (const auto& group : select_.groups.group_expressions)
            if (const auto name = column_of(grouped_, meant(*group)); !name.empty())
                present_.insert(name);
        if (!std::includes(present_.begin(), present_.end(), key.begin(), key.end())) return;
        for (const auto& each : select_.select_list) look(*each);
        if (select_.having) look(*select_.having);
        for (auto& modifier : select_.modifiers)
            if (modifier->type == duck::ResultModifierType::ORDER_MODIFIER)
                for (const auto& order : modifier->Cast<duck::OrderModifier>().orders)
                    look(*order.expression);
        for (const auto& name : wanted_) add(name);
    }

 private:
    /// Empty: the table has none, or a part of it is hidden.
    Names key_columns() const {
        const auto& state = grouped_.table->state();
        Names names;
        for (const auto& key : keys_of(grouped_.table->transaction().properties_of(state))) {
            if (!key.primary) continue;
            for (const auto& field : state->schema().fields)
                if (std::find(key.fields.begin(), key.fields.end(), field.id) != key.fields.end())
                    names.insert(lower(field.name));
        }
        return names;
    }

    /// GROUP BY 1 means what stands there.
    const duck::ParsedExpression& meant(const duck::ParsedExpression& group) const {
        if (group.GetExpressionClass() != Class::CONSTANT) return group;
        const auto& value = group.Cast<duck::ConstantExpression>().value;
        if (!value.type().IsIntegral() || value.IsNull()) return group;
        const auto place = value.GetValue<int64_t>();
        if (place < 1 || place > static_cast<int64_t>(select_.select_list.size())) return group;
        return *select_.select_list[static_cast<size_t>(place - 1)];
    }

    void look(const duck::ParsedExpression& given) {
        if (is_aggregate(given)) return;
        const auto name = column_of(grouped_, given);
        if (columns_.contains(name) && !present_.contains(name)) wanted_.insert(name);
        if (given.GetExpressionClass() == Class::STAR) {
            const auto& star = given.Cast<duck::StarExpression>();
            if (star.columns ||
                !(star.relation_name.empty() || lower(star.relation_name) == grouped_.alias))
                return;
            for (const auto& column : columns_)
                if (!present_.contains(column)) wanted_.insert(column);
        }
        duck::ParsedExpressionIterator::EnumerateChildren(
            given, [&](const duck::ParsedExpression& child) { look(child); });
    }

    void add(const std::string& name) {
        auto& groups = select_.groups;
        if (!groups.grouping_sets.empty())
            groups.grouping_sets.front().insert(groups.group_expressions.size());
        groups.group_expressions.push_back(
            duck::make_uniq<duck::ColumnRefExpression>(name, grouped_.alias));
    }

    bool is_aggregate(const duck::ParsedExpression& given) const {
        if (given.GetExpressionClass() != Class::FUNCTION) return false;
        const auto& call = given.Cast<duck::FunctionExpression>();
        const auto entry = duck::Catalog::GetEntry(
            context_, call.catalog, call.schema,
            duck::EntryLookupInfo(duck::CatalogType::SCALAR_FUNCTION_ENTRY, call.function_name),
            duck::OnEntryNotFound::RETURN_NULL);
        return entry && entry->type == duck::CatalogType::AGGREGATE_FUNCTION_ENTRY;
    }

    duck::ClientContext& context_;
    duck::SelectNode& select_;
    const Grouped& grouped_;
    Names columns_, present_, wanted_;
};

/// The tables of a FROM; false: something else is there, too.
bool tables_of(const duck::TableRef& ref, std::vector<const duck::BaseTableRef*>& found) {
    if (ref.type == duck::TableReferenceType::BASE_TABLE) {
        found.push_back(&ref.Cast<duck::BaseTableRef>());
        return true;
    }
    if (ref.type != duck::TableReferenceType::JOIN) return false;
    const auto& join = ref.Cast<duck::JoinRef>();
    const bool left = tables_of(*join.left, found);
    return tables_of(*join.right, found) && left;
}

void extend(duck::ClientContext& context, duck::SelectNode& select, const Names& ctes) {
    if (select.groups.group_expressions.empty() || select.groups.grouping_sets.size() > 1) return;
    std::vector<const duck::BaseTableRef*> tables;
    const bool all = tables_of(*select.from_table, tables);
    for (const auto* ref : tables) {
        if (!ref->column_name_alias.empty()) continue;
        if (ref->schema_name.empty() && ctes.contains(lower(ref->table_name))) continue;
        Grouped grouped;
        grouped.alias = lower(ref->alias.empty() ? ref->table_name : ref->alias);
        grouped.table = find_table(context, ref->catalog_name, ref->schema_name, ref->table_name);
        grouped.alone = all && tables.size() == 1;
        if (grouped.table) Extension(context, select, grouped).run();
    }
}

/// `ctes`: names that are no tables there.
void visit(duck::ClientContext& context, duck::QueryNode& node, Names ctes) {
    for (const auto& cte : node.cte_map.map) ctes.insert(lower(cte.first));
    for (const auto& cte : node.cte_map.map) visit(context, *cte.second->query->node, ctes);
    if (node.type == duck::QueryNodeType::SET_OPERATION_NODE)
        for (auto& child : node.Cast<duck::SetOperationNode>().children)
            visit(context, *child, ctes);
    if (node.type == duck::QueryNodeType::SELECT_NODE)
        extend(context, node.Cast<duck::SelectNode>(), ctes);
    const std::function<void(duck::unique_ptr<duck::ParsedExpression>&)> expression =
        [&](duck::unique_ptr<duck::ParsedExpression>& given) {
            if (given->GetExpressionClass() == Class::SUBQUERY)
                visit(context, *given->Cast<duck::SubqueryExpression>().subquery->node, ctes);
            duck::ParsedExpressionIterator::EnumerateChildren(*given, expression);
        };
    duck::ParsedExpressionIterator::EnumerateQueryNodeChildren(
        node, expression, [&](duck::TableRef& ref) {
            if (ref.type == duck::TableReferenceType::SUBQUERY)
                visit(context, *ref.Cast<duck::SubqueryRef>().subquery->node, ctes);
        });
}

}  // namespace

void group_by_keys(duck::ClientContext& context, duck::SQLStatement& statement) {
    duck::QueryNode* node = nullptr;
    if (statement.type == duck::StatementType::SELECT_STATEMENT)
        node = statement.Cast<duck::SelectStatement>().node.get();
    else if (statement.type == duck::StatementType::INSERT_STATEMENT &&
             statement.Cast<duck::InsertStatement>().select_statement)
        node = statement.Cast<duck::InsertStatement>().select_statement->node.get();
    if (node) context.RunFunctionInTransaction([&] { visit(context, *node, {}); }, false);
}

}  // namespace tarn::query
