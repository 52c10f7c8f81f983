#include "query/internal/add_column.h"

#include "duckdb/parser/statement/multi_statement.hpp"
#include "query/internal/table_spec.h"

namespace tarn::query {

namespace {

/// The ALTER TABLE of that kind; null: something else.
duck::AlterTableInfo* alter_of(duck::SQLStatement& statement, duck::AlterTableType type) {
    if (statement.type != duck::StatementType::ALTER_STATEMENT) return nullptr;
    auto& info = *statement.Cast<duck::AlterStatement>().info;
    if (info.type != duck::AlterType::ALTER_TABLE) return nullptr;
    auto& alter = info.Cast<duck::AlterTableInfo>();
    return alter.alter_table_type == type ? &alter : nullptr;
}

duck::AddColumnInfo* addition_of(duck::SQLStatement& statement) {
    auto* alter = alter_of(statement, duck::AlterTableType::ADD_COLUMN);
    return alter ? &alter->Cast<duck::AddColumnInfo>() : nullptr;
}

}  // namespace

void join_add_column(duck::unique_ptr<duck::SQLStatement>& parsed) {
    if (parsed->type != duck::StatementType::MULTI_STATEMENT) return;
    auto& parts = parsed->Cast<duck::MultiStatement>().statements;
    if (parts.empty()) return;
    auto* first = addition_of(*parts.front());
    auto* last = alter_of(*parts.back(), duck::AlterTableType::SET_DEFAULT);
    if (!first || !last) return;
    first->new_column.SetDefaultValue(std::move(last->Cast<duck::SetDefaultInfo>().expression));
    auto joined = std::move(parts.front());
    parsed = std::move(joined);
}

void require_column(duck::SQLStatement& statement) {
    if (auto* addition = addition_of(statement))
        addition->new_column.SetComment(duck::Value(kRequired));
}

std::string added_column(const duck::SQLStatement& statement) {
    const auto* addition = addition_of(const_cast<duck::SQLStatement&>(statement));
    return addition ? addition->new_column.Name() : "";
}

}  // namespace tarn::query
