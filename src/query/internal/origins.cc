#include "query/internal/origins.h"

#include "query/internal/duck_types.h"
#include "query/internal/lake.h"
#include "query/internal/temporary.h"

namespace tarn::query {

using duck::LogicalOperatorType;

namespace {

ColumnOrigin of_table(const duck::TableCatalogEntry& entry, duck::idx_t column) {
    const auto& columns = entry.GetColumns();
    if (column >= columns.LogicalColumnCount()) return {};
    ColumnOrigin origin;
    origin.number = static_cast<int16_t>(column + 1);
    if (is_temporary(entry)) {
        origin.relation = temporary_oid(entry);
        origin.declared =
            temporary_type(entry, columns.GetColumn(duck::LogicalIndex(column)).Name());
    } else if (const auto* table = dynamic_cast<const LakeTable*>(&entry)) {
        const auto& declared = table->view().declared;
        origin.relation = table->state()->info.oid;
        if (column < declared.size()) origin.declared = declared[column];
    } else {
        return {};
    }
    return origin;
}

ColumnOrigin of_scan(duck::LogicalGet& get, duck::idx_t column) {
    const auto entry = get.GetTable();
    const auto& ids = get.GetColumnIds();
    if (!entry || column >= ids.size() || ids[column].IsVirtualColumn() ||
        ids[column].HasChildren())
        return {};
    return of_table(*entry, ids[column].GetPrimaryIndex());
}

}  // namespace

void Origins::note(duck::LogicalOperator& op) {
    if (op.type == LogicalOperatorType::LOGICAL_MATERIALIZED_CTE)
        ctes_[op.Cast<duck::LogicalMaterializedCTE>().table_index] = op.children[0].get();
    else if (op.type == LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY)
        by_index_[op.Cast<duck::LogicalAggregate>().group_index] = &op;
    else if (op.type == LogicalOperatorType::LOGICAL_UPDATE)  // it does not tell
        by_index_[op.Cast<duck::LogicalUpdate>().table_index] = &op;
    else
        for (const auto index : op.GetTableIndex()) by_index_.emplace(index, &op);
    for (auto& child : op.children) note(*child);
}

ColumnOrigin Origins::of(const duck::ColumnBinding& binding, int depth) const {
    constexpr int kDepthMax = 200;
    const auto found = by_index_.find(binding.table_index);
    if (found == by_index_.end() || depth > kDepthMax) return {};
    auto& op = *found->second;
    const auto column = binding.column_index;
    switch (op.type) {
        case LogicalOperatorType::LOGICAL_GET:
            return of_scan(op.Cast<duck::LogicalGet>(), column);
        case LogicalOperatorType::LOGICAL_PROJECTION:
            return of_expression(op.expressions, column, depth);
        case LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY:
            return of_expression(op.Cast<duck::LogicalAggregate>().groups, column, depth);
        case LogicalOperatorType::LOGICAL_UNION:
        case LogicalOperatorType::LOGICAL_EXCEPT:
        case LogicalOperatorType::LOGICAL_INTERSECT:
            return of_all(op, column, depth);
        case LogicalOperatorType::LOGICAL_CTE_REF:
            return of_cte(op.Cast<duck::LogicalCTERef>().cte_index, column, depth);
        case LogicalOperatorType::LOGICAL_INSERT:
            return of_table(op.Cast<duck::LogicalInsert>().table, column);
        case LogicalOperatorType::LOGICAL_UPDATE:
            return of_table(op.Cast<duck::LogicalUpdate>().table, column);
        case LogicalOperatorType::LOGICAL_DELETE:
            return of_table(op.Cast<duck::LogicalDelete>().table, column);
        case LogicalOperatorType::LOGICAL_MERGE_INTO:
            return of_table(op.Cast<duck::LogicalMergeInto>().table, column);
        default:
            return {};
    }
}

ColumnOrigin Origins::of(const duck::Expression& expression, int depth) const {
    if (expression.GetExpressionClass() != duck::ExpressionClass::BOUND_COLUMN_REF) return {};
    return of(expression.Cast<duck::BoundColumnRefExpression>().binding, depth + 1);
}

ColumnOrigin Origins::of_expression(const duck::vector<duck::unique_ptr<duck::Expression>>& given,
                                    duck::idx_t column, int depth) const {
    return column < given.size() ? of(*given[column], depth) : ColumnOrigin();
}

ColumnOrigin Origins::of_child(duck::LogicalOperator& child, duck::idx_t column, int depth) const {
    const auto bindings = child.GetColumnBindings();
    return column < bindings.size() ? of(bindings[column], depth + 1) : ColumnOrigin();
}

/// What all sides of a set operation were declared as; it is no table's column.
ColumnOrigin Origins::of_all(duck::LogicalOperator& op, duck::idx_t column, int depth) const {
    ColumnOrigin origin;
    for (size_t i = 0; i < op.children.size(); ++i) {
        const auto declared = of_child(*op.children[i], column, depth).declared;
        if (i > 0 && declared != origin.declared) return {};
        origin.declared = declared;
    }
    return origin;
}

ColumnOrigin Origins::of_cte(duck::idx_t cte, duck::idx_t column, int depth) const {
    const auto found = ctes_.find(cte);
    return found == ctes_.end() ? ColumnOrigin() : of_child(*found->second, column, depth);
}

std::vector<ColumnOrigin> origins_of(duck::LogicalOperator& plan) {
    const Origins origins(plan);
    std::vector<ColumnOrigin> found;
    for (const auto& binding : plan.GetColumnBindings()) found.push_back(origins.of(binding));
    return found;
}

std::vector<ResultColumn> result_columns(const duck::vector<duck::string>& names,
                                         const duck::vector<duck::LogicalType>& types,
                                         const std::vector<ColumnOrigin>& origins) {
    std::vector<ResultColumn> columns;
    for (size_t i = 0; i < names.size(); ++i) {
        ResultColumn column{names[i], type_from_duck(types[i]), {}};
        if (origins.size() == names.size()) column.origin = origins[i];
        const auto& declared = column.origin.declared;
        if (declared.kind == DeclaredType::Kind::smallint)
            column.type = declared.array ? Type::list(Kind::int16) : Type(Kind::int16);
        columns.push_back(std::move(column));
    }
    return columns;
}

}  // namespace tarn::query
