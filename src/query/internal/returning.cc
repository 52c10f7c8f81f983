#include "query/internal/returning.h"

#include "query/internal/lake.h"

namespace tarn::query {

namespace {

duck::LogicalGet* scan_of(duck::LogicalOperator& plan, duck::idx_t table_index) {
    if (plan.type == duck::LogicalOperatorType::LOGICAL_GET) {
        auto& get = plan.Cast<duck::LogicalGet>();
        return get.table_index == table_index ? &get : nullptr;
    }
    for (const auto& child : plan.children)
        if (auto* found = scan_of(*child, table_index)) return found;
    return nullptr;
}

void add_columns(duck::LogicalDelete& change) {
    const auto* table = dynamic_cast<const LakeTable*>(&change.table);
    if (!table) return;  // a temporary one, which is DuckDB's
    const auto& row_id = change.expressions.at(0)->Cast<duck::BoundColumnRefExpression>();
    auto* get = scan_of(change, row_id.binding.table_index);
    if (!get)
        throw duck::NotImplementedException("DELETE ... RETURNING of these rows is not supported");
    for (const auto& column : table->GetColumns().Physical()) {
        const auto& ids = get->GetColumnIds();
        duck::idx_t at = 0;
        while (at < ids.size() && ids[at].GetPrimaryIndex() != column.Logical().index) ++at;
        if (at == ids.size()) get->AddColumnId(column.Logical().index);
        change.expressions.push_back(duck::make_uniq<duck::BoundColumnRefExpression>(
            column.Type(), duck::ColumnBinding(get->table_index, at)));
    }
}

}  // namespace

void fetch_deleted(duck::LogicalOperator& plan) {
    for (const auto& child : plan.children) fetch_deleted(*child);
    if (plan.type != duck::LogicalOperatorType::LOGICAL_DELETE) return;
    auto& change = plan.Cast<duck::LogicalDelete>();
    if (change.return_chunk) add_columns(change);
}

}  // namespace tarn::query
