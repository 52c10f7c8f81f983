// Keeping enforced keys.
#include <fmt/format.h>

#include "duckdb/parser/tableref/basetableref.hpp"
#include "duckdb/parser/tableref/expressionlistref.hpp"
#include "query/internal/keys.h"
#include "query/internal/running.h"
#include "query/internal/session.h"
#include "query/internal/table_rules.h"

namespace tarn::query {

namespace {

struct ChangedTable {
    std::string catalog, schema, name;
};

std::optional<ChangedTable> target_of(const duck::TableRef& ref) {
    if (ref.type != duck::TableReferenceType::BASE_TABLE) return std::nullopt;
    const auto& table = ref.Cast<duck::BaseTableRef>();
    return ChangedTable{table.catalog_name, table.schema_name, table.table_name};
}

std::optional<ChangedTable> target_of(const duck::SQLStatement& statement) {
    switch (statement.type) {
        case duck::StatementType::INSERT_STATEMENT: {
            const auto& insert = statement.Cast<duck::InsertStatement>();
            return ChangedTable{insert.catalog, insert.schema, insert.table};
        }
        case duck::StatementType::UPDATE_STATEMENT:
            return target_of(*statement.Cast<duck::UpdateStatement>().table);
        case duck::StatementType::MERGE_INTO_STATEMENT:
            return target_of(*statement.Cast<duck::MergeIntoStatement>().target);
        default:
            return std::nullopt;
    }
}

/// INSERT gives a value for an identity column that is GENERATED ALWAYS.
void refuse_identity(const duck::InsertStatement& insert, const LakeTable& table) {
    const auto& view = table.view();
    std::vector<std::string> given(insert.columns.begin(), insert.columns.end());
    if (given.empty() && !insert.default_values)
        for (const auto& column : table.GetColumns().Logical()) given.push_back(column.Name());
    const auto values = const_cast<duck::InsertStatement&>(insert).GetValuesList();
    for (size_t i = 0; i < given.size(); ++i) {
        const auto* field = view.schema.find(given[i]);
        const auto identity =
            field ? identity_of(view.state->metadata->properties, field->id) : std::nullopt;
        if (!identity || !identity->always) continue;
        const bool default_only =
            values &&
            std::all_of(values->values.begin(), values->values.end(), [&](const auto& row) {
                return i >= row.size() ||
                       row[i]->GetExpressionClass() == duck::ExpressionClass::DEFAULT;
            });
        if (!default_only)
            throw_error(
                {Code::invalid_argument,
                 fmt::format(
                     "cannot insert a non-DEFAULT value into column \"{}\"\n"
                     "DETAIL: Column \"{}\" is an identity column defined as GENERATED ALWAYS.\n"
                     "HINT: Use OVERRIDING SYSTEM VALUE to override.",
                     field->name, field->name),
                 "428C9"});
    }
}

/// An UPDATE that sets no column of a key breaks none.
bool may_break(const duck::SQLStatement& statement, const std::vector<TableKey>& keys,
               const tables::Schema& schema) {
    if (statement.type != duck::StatementType::UPDATE_STATEMENT) return true;
    const auto& set = statement.Cast<duck::UpdateStatement>().set_info;
    if (!set) return true;
    for (const auto& name : set->columns) {
        const auto* field = schema.find(name);
        for (const auto& key : keys)
            if (!field ||
                std::find(key.fields.begin(), key.fields.end(), field->id) != key.fields.end())
                return true;
    }
    return false;
}

/// The columns of a key, each quoted; `of`: the table's alias, with its dot.
std::string columns_of(const TableKey& key, const tables::Schema& schema,
                       const std::string& of = "") {
    std::string list;
    for (const int id : key.fields) {
        const auto* field = schema.find(id);
        if (!field) return "";
        list += (list.empty() ? "" : ", ") + of + quoted_name(field->name);
    }
    return list;
}

struct Check {
    std::string sql;
    const TableKey* key;
    bool nulls;  // it looks for NULLs, which a primary key has none of
};

/// Each query gives a row when something is wrong. `files`: those whose rows are new; empty: all.
std::vector<Check> key_checks(const std::vector<TableKey>& keys, const tables::TableState& table,
                              const std::string& files) {
    const std::string from =
        fmt::format("{}.{}.{}", quoted_name(kLake), quoted_name(table.info.database),
                    quoted_name(table.info.name));
    const std::string fresh = files.empty() ? "" : " WHERE _file IN (" + files + ")";
    std::vector<Check> checks;
    for (const auto& key : keys) {
        const std::string columns = columns_of(key, table.schema());
        if (columns.empty()) continue;
        std::string null_ones;
        for (const int id : key.fields)
            null_ones += (null_ones.empty() ? "" : " OR ") +
                         quoted_name(table.schema().find(id)->name) + " IS NULL";
        if (key.primary)
            checks.push_back({fmt::format("SELECT 1 FROM (SELECT {} FROM {}{}) WHERE {} LIMIT 1",
                                          columns, from, fresh, null_ones),
                              &key, true});
        const std::string among = files.empty()
                                      ? ""
                                      : fmt::format(" SEMI JOIN (SELECT {} FROM {}{}) USING ({})",
                                                    columns, from, fresh, columns);
        checks.push_back(
            {fmt::format(
                 "SELECT {} FROM {}{} WHERE NOT ({}) GROUP BY ALL HAVING count(*) > 1 LIMIT 1",
                 columns, from, among, null_ones),
             &key, false});
    }
    return checks;
}

Error broken(const Check& check, const tables::TableState& table, const duck::DataChunk& row) {
    std::string names, values;
    for (size_t i = 0; i < check.key->fields.size(); ++i) {
        names += (i == 0 ? "" : ", ") + table.schema().find(check.key->fields[i])->name;
        if (!check.nulls) values += (i == 0 ? "" : ", ") + row.GetValue(i, 0).ToString();
    }
    if (check.nulls)
        return {Code::invalid_argument,
                fmt::format(
                    "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                    names, table.info.name),
                "23502"};
    return {Code::already_exists,
            fmt::format("duplicate key value violates unique constraint \"{}\"\nDETAIL: Key "
                        "({})=({}) already exists.",
                        check.key->name, names, values),
            "23505"};
}

}  // namespace

const LakeTable* find_table(duck::ClientContext& context, std::string catalog, std::string schema,
                            const std::string& name) {
    duck::Binder::BindSchemaOrCatalog(context, catalog, schema);
    const duck::EntryLookupInfo lookup(duck::CatalogType::TABLE_ENTRY, name);
    auto entry = duck::Catalog::GetEntry(context, catalog, schema, lookup,
                                         duck::OnEntryNotFound::RETURN_NULL);
    if (!entry || entry->type != duck::CatalogType::TABLE_ENTRY ||
        entry->ParentCatalog().GetCatalogType() != "tarn")
        return nullptr;
    return &entry->Cast<LakeTable>();
}

std::optional<KeyedTable> keyed_target(duck::ClientContext& context,
                                       const duck::SQLStatement& statement,
                                       const Clauses& clauses) {
    const auto named = target_of(statement);
    if (!named) return std::nullopt;
    std::optional<KeyedTable> keyed;
    context.RunFunctionInTransaction(
        [&] {
            const auto* table = find_table(context, named->catalog, named->schema, named->name);
            if (!table) return;  // the binder says so
            if (statement.type == duck::StatementType::INSERT_STATEMENT &&
                !clauses.overrides_identity)
                refuse_identity(statement.Cast<duck::InsertStatement>(), *table);
            const auto keys = keys_of(table->transaction().properties_of(table->state()));
            if (!keys.empty() && may_break(statement, keys, table->state()->schema()))
                keyed = KeyedTable{table->ParentSchema().name, table->name, false};
        },
        false);
    return keyed;
}

Result<std::unique_ptr<Cursor>> LakeSession::change_keyed(
    PreparedSql& statement, duck::unique_ptr<duck::SQLStatement> meaning,
    const std::vector<Value>& parameters) {
    const bool own = state_ == TransactionState::idle;
    if (own) TARN_CHECK_OK(begin(true));
    auto cursor = start(statement, std::move(meaning), parameters);
    Status done = cursor.ok() ? settle_open_cursor() : Status(cursor.error());
    if (done.ok()) done = check_keys(*statement.keyed);
    done = end_own(own, std::move(done));
    if (!done.ok()) return failed(done.error());
    return cursor;
}

Status LakeSession::check_keys(const KeyedTable& keyed) {
    auto slot = enter();
    if (!slot.ok()) return failed(std::move(slot).error());
    const RunningCall call(*this);
    auto& context = *connection_->context;
    auto& touched = SessionState::of(context).touched;
    const auto before = touched;  // what the check reads is not what the statement asked for
    try {
        LakeTransaction& transaction = lake_transaction();
        const LakeTransaction::Unguarded unguarded(transaction);
        tables::TablePtr table;
        context.RunFunctionInTransaction(
            [&] {
                if (const auto* found = find_table(context, kLake, keyed.database, keyed.table))
                    table = found->state();
            },
            false);
        if (!table) return {};
        std::string files;
        for (const auto& file : transaction.take_unchecked(table))
            files += (files.empty() ? "'" : ", '") +
                     duck::StringUtil::Replace(file->path, "'", "''") + "'";
        if (files.empty() && !keyed.all_rows) return {};
        transaction.decide_by_base(table);
        const auto keys = keys_of(transaction.properties_of(table));
        for (const auto& check : key_checks(keys, *table, keyed.all_rows ? "" : files)) {
            const auto result = connection_->Query(check.sql);
            if (result->HasError()) result->ThrowError();
            const auto row = result->Fetch();
            if (row && row->size() > 0) return failed(broken(check, *table, *row));
        }
    } catch (const std::exception& problem) {
        touched = before;
        return failed(duck::ErrorData(problem), nullptr, slot->get());
    }
    touched = before;
    return {};
}

}  // namespace tarn::query
