#include "query/internal/name_walk.h"

#include "duckdb/parser/parsed_expression_iterator.hpp"

namespace tarn::query {

NameWalk::Ctes NameWalk::with(duck::CommonTableExpressionMap& map, Ctes outer) {
    for (const auto& [name, info] : map.map) {
        const std::string lower = duck::StringUtil::Lower(name);
        auto inner = outer;
        // Only a recursive one sees itself.
        if (info->query->node->type == duck::QueryNodeType::RECURSIVE_CTE_NODE) inner.insert(lower);
        query(*info->query->node, inner);
        outer.insert(lower);
    }
    return outer;
}

void NameWalk::query(duck::QueryNode& node, Ctes outer) {
    auto ctes = with(node.cte_map, std::move(outer));
    switch (node.type) {
        case duck::QueryNodeType::SELECT_NODE: {
            auto& select = node.Cast<duck::SelectNode>();
            if (select.from_table) part(select.from_table, ctes);
            for (auto& each : select.select_list) expression(*each, ctes);
            if (select.where_clause) expression(*select.where_clause, ctes);
            for (auto& each : select.groups.group_expressions) expression(*each, ctes);
            if (select.having) expression(*select.having, ctes);
            if (select.qualify) expression(*select.qualify, ctes);
            break;
        }
        case duck::QueryNodeType::SET_OPERATION_NODE:
            for (auto& child : node.Cast<duck::SetOperationNode>().children) query(*child, ctes);
            break;
        case duck::QueryNodeType::RECURSIVE_CTE_NODE: {
            auto& recursive = node.Cast<duck::RecursiveCTENode>();
            ctes.insert(duck::StringUtil::Lower(recursive.ctename));
            query(*recursive.left, ctes);
            query(*recursive.right, ctes);
            break;
        }
        default:
            break;
    }
    for (auto& modifier : node.modifiers) {
        if (modifier->type == duck::ResultModifierType::ORDER_MODIFIER)
            for (auto& order : modifier->Cast<duck::OrderModifier>().orders)
                expression(*order.expression, ctes);
        if (modifier->type == duck::ResultModifierType::DISTINCT_MODIFIER)
            for (auto& each : modifier->Cast<duck::DistinctModifier>().distinct_on_targets)
                expression(*each, ctes);
    }
}

void NameWalk::part(duck::unique_ptr<duck::TableRef>& ref, const Ctes& ctes) {
    if (part_) part_(ref);
    table(*ref, ctes);
}

void NameWalk::table(duck::TableRef& ref, const Ctes& ctes) {
    switch (ref.type) {
        case duck::TableReferenceType::BASE_TABLE: {
            auto& base = ref.Cast<duck::BaseTableRef>();
            const bool qualified = !base.schema_name.empty() || !base.catalog_name.empty();
            if (qualified || !ctes.contains(duck::StringUtil::Lower(base.table_name))) found_(base);
            break;
        }
        case duck::TableReferenceType::JOIN: {
            auto& join = ref.Cast<duck::JoinRef>();
            part(join.left, ctes);
            part(join.right, ctes);
            if (join.condition) expression(*join.condition, ctes);
            break;
        }
        case duck::TableReferenceType::SUBQUERY:
            query(*ref.Cast<duck::SubqueryRef>().subquery->node, ctes);
            break;
        case duck::TableReferenceType::PIVOT:
            table(*ref.Cast<duck::PivotRef>().source, ctes);
            break;
        case duck::TableReferenceType::TABLE_FUNCTION:
            expression(*ref.Cast<duck::TableFunctionRef>().function, ctes);
            break;
        case duck::TableReferenceType::EXPRESSION_LIST:
            for (auto& row : ref.Cast<duck::ExpressionListRef>().values)
                for (auto& each : row) expression(*each, ctes);
            break;
        default:
            break;
    }
}

void NameWalk::expression(duck::ParsedExpression& given, const Ctes& ctes) {
    if (given.GetExpressionClass() == duck::ExpressionClass::SUBQUERY)
        query(*given.Cast<duck::SubqueryExpression>().subquery->node, ctes);
    duck::ParsedExpressionIterator::EnumerateChildren(
        given, [&](duck::ParsedExpression& child) { expression(child, ctes); });
    if (each_) each_(given);
}

}  // namespace tarn::query
