// Temporary tables in the life of a session.
#include <fmt/format.h>

#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/tableref/column_data_ref.hpp"
#include "query/internal/duck_types.h"
#include "query/internal/on_conflict.h"
#include "query/internal/session.h"
#include "query/internal/table_spec.h"
#include "query/internal/temporary.h"

namespace tarn::query {

namespace {

void run_each(duck::Connection& connection, const std::vector<std::string>& statements) {
    for (const auto& sql : statements) {
        const auto result = connection.Query(sql);
        if (result->HasError()) result->ThrowError();
    }
}

}  // namespace

/// DuckDB commits what was begun last first, and goes on only when that was possible: the lake,
/// which others may have changed, before the temporary tables, which are ours.
void LakeSession::begin_transaction() {
    auto& context = *connection_->context;
    connection_->BeginTransaction();
    duck::MetaTransaction::Get(context).GetTransaction(
        *duck::ClientData::Get(context).temporary_objects);
}

/// A copy of the parsed statement as it means something now: names of temporary tables say so.
/// Throws.
duck::unique_ptr<duck::SQLStatement> LakeSession::to_bind(PreparedSql& statement) {
    auto& context = *connection_->context;
    std::set<std::string> tables;
    if (has_temporary_)
        context.RunFunctionInTransaction([&] { tables = temporary_tables(context); }, false);
    auto copy = statement.parsed->Copy();
    statement.changes_temporary = resolve_temporary(*copy, tables, statement.on_commit);
    if (statement.key_not_enforced && statement.command_ == Command::create_table)
        copy->Cast<duck::CreateStatement>().info->tags[kNotEnforced] = "";
    if (copy->type == duck::StatementType::INSERT_STATEMENT)
        prepare_on_conflict(context, copy->Cast<duck::InsertStatement>());
    return copy;
}

/// In a transaction: what finds no room is taken back, and COMMIT does its part.
Result<std::unique_ptr<Cursor>> LakeSession::change_temporary(
    PreparedSql& statement, const std::vector<Value>& parameters) {
    const bool own = state_ == TransactionState::idle;
    if (own) TARN_CHECK_OK(begin(true));
    has_temporary_ = changed_temporary_ = true;
    auto cursor = start(statement, parameters);
    if (cursor.ok()) {
        try {
            check_temporary_room();
        } catch (const std::exception& problem) {
            cursor = failed(duck::ErrorData(problem), &statement, nullptr);
        }
    }
    if (!own) return cursor;
    if (!cursor.ok()) {
        static_cast<void>(rollback());
        return cursor;
    }
    TARN_CHECK_OK(commit());
    return cursor;
}

void LakeSession::check_temporary_room() {
    const uint64_t most = services_.options.memory_bytes;
    if (temporary_bytes(*connection_->context) <= most) return;
    throw_error({Code::exhausted,
                 fmt::format("the temporary tables of all sessions would take more than {} MiB: "
                             "drop some, or keep the rows in a table",
                             most >> 20),
                 "53100"});
}

bool LakeSession::means_temporary(const std::string& schema, const std::string& table) {
    if (!has_temporary_) return false;
    auto& context = *connection_->context;
    bool found = false;
    context.RunFunctionInTransaction(
        [&] { found = temporary_tables(context).contains(duck::StringUtil::Lower(table)); }, false);
    return found && (schema.empty() || schema == "pg_temp" || schema == TEMP_CATALOG);
}

void LakeSession::append_temporary(const CopySpec& copy, const std::vector<ResultColumn>& columns,
                                   const Chunk& rows) {
    changed_temporary_ = true;
    auto& context = *connection_->context;
    auto insert = duck::make_uniq<duck::InsertStatement>();
    insert->catalog = TEMP_CATALOG;
    insert->schema = DEFAULT_SCHEMA;
    insert->table = temporary_name(duck::StringUtil::Lower(copy.table));
    duck::vector<duck::LogicalType> types;
    for (const auto& column : columns) {
        insert->columns.push_back(column.name);
        types.push_back(type_to_duck(column.type));
    }
    duck::ColumnDataCollection collection(context, types);
    duck::DataChunk chunk;
    chunk.Initialize(context, types);
    for (size_t at = 0; at < rows.rows(); at += STANDARD_VECTOR_SIZE) {
        const size_t count = std::min<size_t>(STANDARD_VECTOR_SIZE, rows.rows() - at);
        chunk.Reset();
        for (size_t i = 0; i < types.size(); ++i)
            fill_vector(rows.columns[i], at, count, chunk.data[i]);
        chunk.SetCardinality(count);
        collection.Append(chunk);
    }
    auto select = duck::make_uniq<duck::SelectNode>();
    select->select_list.push_back(duck::make_uniq<duck::StarExpression>());
    select->from_table = duck::make_uniq<duck::ColumnDataRef>(collection, insert->columns);
    select->from_table->alias = "rows";
    insert->select_statement = duck::make_uniq<duck::SelectStatement>();
    insert->select_statement->node = std::move(select);
    const auto result = connection_->Query(std::move(insert));
    if (result->HasError()) result->ThrowError();
    check_temporary_room();
}

/// ON COMMIT DROP and DELETE ROWS.
Status LakeSession::end_temporary() {
    auto& context = *connection_->context;
    try {
        std::vector<std::string> statements;
        context.RunFunctionInTransaction([&] { statements = at_commit(context); }, false);
        run_each(*connection_, statements);
    } catch (const std::exception& problem) {
        return failed(duck::ErrorData(problem), nullptr, nullptr);
    }
    return {};
}

/// DISCARD TEMP.
Status LakeSession::drop_temporary() {
    if (!has_temporary_) return {};
    auto& context = *connection_->context;
    return in_transaction([&] {
        changed_temporary_ = true;
        std::set<std::string> tables;
        context.RunFunctionInTransaction([&] { tables = temporary_tables(context); }, false);
        std::vector<std::string> statements;
        for (const auto& name : tables) statements.push_back("DROP TABLE " + temporary_sql(name));
        run_each(*connection_, statements);
    });
}

}  // namespace tarn::query
