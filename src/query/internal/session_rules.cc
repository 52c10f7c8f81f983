// Changing a table's rules - keys, checks, foreign keys, numbered columns - and the statements that
// take more than one step.
#include <fmt/format.h>

#include "duckdb/parser/tableref/basetableref.hpp"
#include "query/internal/add_column.h"
#include "query/internal/identity.h"
#include "query/internal/keys.h"
#include "query/internal/row_checks.h"
#include "query/internal/running.h"
#include "query/internal/session.h"
#include "query/internal/table_rules.h"
#include "query/internal/table_spec.h"

namespace tarn::query {

namespace {

std::string qualified(const LakeTable& table) {
    return fmt::format("{}.{}.{}", quoted_name(kLake), quoted_name(table.state()->info.database),
                       quoted_name(table.state()->info.name));
}

/// The table of an ALTER TABLE ADD COLUMN or a TRUNCATE.
const LakeTable* table_of(duck::ClientContext& context, const duck::SQLStatement& statement) {
    if (statement.type == duck::StatementType::ALTER_STATEMENT) {
        const auto& info = *statement.Cast<duck::AlterStatement>().info;
        return find_table(context, info.catalog, info.schema, info.name);
    }
    const auto& ref = *statement.Cast<duck::DeleteStatement>().table;
    if (ref.type != duck::TableReferenceType::BASE_TABLE) return nullptr;
    const auto& table = ref.Cast<duck::BaseTableRef>();
    return find_table(context, table.catalog_name, table.schema_name, table.table_name);
}

const LakeTable& table_named(duck::ClientContext& context, const std::string& schema,
                             const std::string& name) {
    const auto* table = find_table(context, "", schema, name);
    if (!table)
        throw_error(
            {Code::not_found, fmt::format("relation \"{}\" does not exist", name), "42P01"});
    return *table;
}

RuleChanges identity_of_session(SessionNumbers& numbers, const LakeTable& table,
                                Utility::NewIdentity identity) {
    const std::string sequence = sequence_key(identity.sequence);
    if (const auto steps = numbers.announced(sequence)) {
        identity.start = steps->start;
        identity.increment = steps->increment;
    }
    if (identity.increment == 0)
        throw_error({Code::invalid_argument, "INCREMENT must not be zero", "22023"});
    if (!sequence.empty())
        numbers.name(sequence, quoted_name(table.ParentSchema().name) + "." +
                                   quoted_name(sequence_name(table.name, identity.column)));
    return identity_added(*table.state(), identity);
}

RuleChanges wanted_changes(duck::ClientContext& context, const LakeTable& table,
                           const Utility& wanted) {
    const auto& state = *table.state();
    const auto properties = table.transaction().properties_of(table.state());
    RuleChanges changes;
    if (wanted.key) {
        changes.set = key_added(state, properties, *wanted.key);
    } else if (wanted.check) {
        put_check(context, state, wanted.check->name, wanted.check->expression, properties,
                  changes.set);
    } else if (wanted.reference) {
        const auto& target =
            table_named(context, wanted.reference->schema, wanted.reference->table);
        put_reference(state, *wanted.reference, *target.state(), target.view().columns, properties,
                      changes.set);
    } else if (wanted.drop_rule) {
        const auto property = constraint_property(properties, wanted.drop_rule->name);
        if (property) changes.remove.push_back(*property);
        if (!property && !wanted.drop_rule->if_there)
            throw_error({Code::not_found,
                         fmt::format("constraint \"{}\" of relation \"{}\" does not exist",
                                     wanted.drop_rule->name, table.name),
                         "42704"});
    } else {
        changes = identity_of_session(SessionState::of(context).numbers, table, *wanted.identity);
    }
    return changes;
}

}  // namespace

Status LakeSession::change_rules(const Utility& wanted) {
    auto& context = *connection_->context;
    if (wanted.tables.empty()) {  // CREATE SEQUENCE
        auto& numbers = SessionState::of(context).numbers;
        if (numbers.announce(sequence_key(wanted.identity->sequence),
                             {wanted.identity->start, wanted.identity->increment}))
            return {};
        return Error{Code::exhausted, "too many sequences in one session that no column has",
                     "53400"};
    }
    const bool own = state_ == TransactionState::idle;
    if (own) TARN_CHECK_OK(begin(true));
    const LakeTable* table = nullptr;
    TableCheck added;
    std::string check;  // its text: rows that are there must keep it
    Status done;
    try {
        context.RunFunctionInTransaction(
            [&] {
                table = &table_named(context, wanted.tables.front().first,
                                     wanted.tables.front().second);
                // First of all: what is wrong with a rule tells which columns there are.
                table->transaction().require_rules(*table);
                const auto changes = wanted_changes(context, *table, wanted);
                table->transaction().change_rules(*table, changes.set, changes.remove);
                if (!wanted.check || wanted.check->not_valid) return;
                added = checks_of(changes.set).front();
                check =
                    check_text(added, table->state()->schema(), table->view().columns).value_or("");
            },
            false);
        if (wanted.key) done = check_keys({table->ParentSchema().name, table->name, true});
        if (!check.empty()) done = check_rows(*table, added.name, check);
    } catch (const std::exception& problem) {
        done = failed(duck::ErrorData(problem), nullptr, nullptr);
    }
    return end_own(own, std::move(done));
}

/// That no row of the table breaks it.
Status LakeSession::check_rows(const LakeTable& table, const std::string& name,
                               const std::string& check) {
    auto slot = enter();
    if (!slot.ok()) return failed(std::move(slot).error());
    const RunningCall call(*this);
    auto& touched = SessionState::of(*connection_->context).touched;
    const auto before = touched;  // what the check reads is not what the statement asked for
    Status done;
    LakeTransaction& transaction = lake_transaction();
    const LakeTransaction::Unguarded unguarded(transaction);
    transaction.decide_by_base(table.state());
    const auto result = connection_->Query(
        fmt::format("SELECT 1 FROM {} WHERE NOT ({}) LIMIT 1", qualified(table), check));
    const auto row = result->HasError() ? nullptr : result->Fetch();
    if (result->HasError())
        done = failed(result->GetErrorObject(), nullptr, slot->get());
    else if (row && row->size() > 0)
        done = failed(
            {Code::invalid_argument,
             fmt::format("check constraint \"{}\" of relation \"{}\" is violated by some row", name,
                         table.name),
             "23514"});
    touched = before;
    return done;
}

Result<std::unique_ptr<Cursor>> LakeSession::change_in_steps(
    PreparedSql& statement, duck::unique_ptr<duck::SQLStatement> meaning,
    const std::vector<Value>& parameters) {
    const bool own = state_ == TransactionState::idle;
    if (own) TARN_CHECK_OK(begin(true));
    auto& context = *connection_->context;
    const auto asked = meaning->Copy();
    const std::string column = added_column(*asked);
    Status done;
    const auto with_table = [&](const std::function<void(const LakeTable&)>& work) {
        try {
            context.RunFunctionInTransaction(
                [&] {
                    if (const auto* table = table_of(context, *asked)) work(*table);
                },
                false);
        } catch (const std::exception& problem) {
            done = failed(duck::ErrorData(problem), &statement, nullptr);
        }
    };
    bool there = false;  // IF NOT EXISTS
    with_table([&](const LakeTable& table) {
        there = !column.empty() && table.state()->schema().find(column) != nullptr;
    });
    auto cursor = start(statement, std::move(meaning), parameters);
    done = cursor.ok() ? settle_open_cursor() : Status(cursor.error());
    std::string fill;
    if (done.ok())
        with_table([&](const LakeTable& table) {
            if (statement.clauses.restarts_identity) table.transaction().restart_numbers(table);
            if (column.empty() || there) return;
            // A row that others add meanwhile would lack the value.
            table.transaction().decide_by_base(table.state());
            fill = fmt::format("UPDATE {} SET {} = DEFAULT", qualified(table), quoted_name(column));
        });
    if (done.ok() && !fill.empty()) done = fill_rows(fill);
    done = end_own(own, std::move(done));
    if (!done.ok()) return failed(done.error());
    return cursor;
}

/// Who may alter the table gives its rows their value, whatever else he may.
Status LakeSession::fill_rows(const std::string& update) {
    auto slot = enter();
    if (!slot.ok()) return failed(std::move(slot).error());
    const RunningCall call(*this);
    LakeTransaction& transaction = lake_transaction();
    const LakeTransaction::Unguarded unguarded(transaction);
    const auto result = connection_->Query(update);
    if (result->HasError()) return failed(result->GetErrorObject(), nullptr, slot->get());
    return {};
}

}  // namespace tarn::query
