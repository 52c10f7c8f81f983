// Temporary tables and views in the life of a session.
#include <fmt/format.h>

#include "query/internal/add_column.h"
#include "query/internal/duck_types.h"
#include "query/internal/group_keys.h"
#include "query/internal/keys.h"
#include "query/internal/on_conflict.h"
#include "query/internal/rows.h"
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
namespace {

/// What was taken out of the text goes beside the definition, where create_table() finds it.
void take_constraints(duck::CreateTableInfo& info, const Clauses& clauses) {
    for (size_t i = 0; i < clauses.key_names.size(); ++i)
        info.tags[kKeyName + std::to_string(i)] = clauses.key_names[i];
    for (size_t i = 0; i < clauses.checks.size(); ++i) {
        info.tags[kCheckName + std::to_string(i)] = clauses.checks[i].first;
        info.tags[kCheck + std::to_string(i)] = clauses.checks[i].second;
    }
    for (size_t i = 0; i < clauses.references.size(); ++i)
        info.tags[kReference + std::to_string(i)] = clauses.references[i];
}

}  // namespace

duck::unique_ptr<duck::SQLStatement> LakeSession::to_bind(PreparedSql& statement) {
    auto& context = *connection_->context;
    TemporaryNames names;
    if (has_temporary_)
        context.RunFunctionInTransaction([&] { names = temporary_names(context); }, false);
    auto copy = statement.parsed->Copy();
    statement.changes_temporary =
        resolve_temporary(context, *copy, names, statement.clauses.on_commit);
    if (postgres_names_) group_by_keys(context, *copy);
    if (statement.clauses.key_not_enforced && statement.command_ == Command::create_table)
        copy->Cast<duck::CreateStatement>().info->tags[kNotEnforced] = "";
    if (statement.command_ == Command::create_table && !statement.changes_temporary)
        take_constraints(copy->Cast<duck::CreateStatement>().info->Cast<duck::CreateTableInfo>(),
                         statement.clauses);
    if (statement.clauses.requires_column && !statement.changes_temporary) require_column(*copy);
    if (copy->type == duck::StatementType::INSERT_STATEMENT) {
        name_first_columns(context, copy->Cast<duck::InsertStatement>());
        prepare_on_conflict(context, copy->Cast<duck::InsertStatement>());
    }
    statement.keyed.reset();
    if (!statement.changes_temporary)
        statement.keyed = keyed_target(context, *copy, statement.clauses);
    return copy;
}

/// In a transaction: what finds no room is taken back, and COMMIT does its part.
Result<std::unique_ptr<Cursor>> LakeSession::change_temporary(
    PreparedSql& statement, duck::unique_ptr<duck::SQLStatement> meaning,
    const std::vector<Value>& parameters) {
    const bool own = state_ == TransactionState::idle;
    if (own) TARN_CHECK_OK(begin(true));
    has_temporary_ = true;
    ++temporary_changes_;
    if (statement.command_ == Command::create_view &&
        !statement.parsed->Cast<duck::CreateStatement>().info->temporary)
        notices_.emplace_back("the view will be temporary: it reads a temporary table or view");
    auto cursor = start(statement, std::move(meaning), parameters);
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
    const auto& options = services_.options;
    const uint64_t all = temporary_bytes(*connection_->context);
    const auto refuse = [](const char* whose, uint64_t most) {
        throw_error({Code::exhausted,
                     fmt::format("the temporary tables of {} would take more than {} MiB: "
                                 "drop some, or keep the rows in a table",
                                 whose, most >> 20),
                     "53100"});
    };
    if (all > options.memory_bytes) refuse("all sessions", options.memory_bytes);
    const uint64_t most = options.temporary_session_bytes > 0 ? options.temporary_session_bytes
                                                              : options.memory_bytes / 2;
    if (all > most && session_temporary_bytes(*connection_) > most) refuse("this session", most);
}

/// What a savepoint needs to go back to; shared while nothing changes. Throws.
std::shared_ptr<const TemporaryCopy> LakeSession::copy_temporary() {
    if (temporary_changes_ == 0) return nullptr;  // ROLLBACK itself goes back
    if (!savepoints_.empty() && savepoints_.back().temporary_changes == temporary_changes_)
        return savepoints_.back().temporary;
    uint64_t room = services_.options.memory_bytes / 2;
    const TemporaryCopy* last = nullptr;
    for (const auto& each : savepoints_) {
        if (each.temporary && each.temporary.get() != last)
            room -= std::min(room, each.temporary->bytes);
        last = each.temporary.get();
    }
    return query::copy_temporary(*connection_, room);
}

bool LakeSession::means_temporary(const std::string& schema, const std::string& table) {
    if (!has_temporary_) return false;
    auto& context = *connection_->context;
    bool found = false;
    context.RunFunctionInTransaction(
        [&] { found = temporary_names(context).all.contains(duck::StringUtil::Lower(table)); },
        false);
    return found && (schema.empty() || schema == "pg_temp" || schema == TEMP_CATALOG);
}

void LakeSession::append_temporary(const CopySpec& copy, const std::vector<ResultColumn>& columns,
                                   const Chunk& rows) {
    ++temporary_changes_;
    auto& context = *connection_->context;
    std::vector<std::string> names;
    duck::vector<duck::LogicalType> types;
    for (const auto& column : columns) {
        names.push_back(column.name);
        types.push_back(type_to_duck(column.type));
    }
    duck::ColumnDataCollection collection(context, types);
    in_vectors(context, types, rows, [&](duck::DataChunk& chunk) { collection.Append(chunk); });
    insert_temporary(*connection_, duck::StringUtil::Lower(copy.table), names, collection);
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
        ++temporary_changes_;
        std::vector<std::string> statements;
        context.RunFunctionInTransaction([&] { statements = drop_all(context); }, false);
        run_each(*connection_, statements);
    });
}

}  // namespace tarn::query
