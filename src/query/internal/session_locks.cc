// SELECT ... FOR UPDATE and LOCK TABLE without locks: who has asked for rows and commits a change fails with 40001 when any row of
// their table came or went since its transaction began. Nobody waits, and nobody overwrites what he has not seen.
#include <fmt/format.h>

#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/tableref/list.hpp"
#include "query/internal/session.h"

namespace tarn::query {

namespace {

struct AskedTable {
    std::string schema, table;
    std::string alias;
};

void collect(duck::TableRef& ref, std::vector<AskedTable>& named) {
    if (ref.type == duck::TableReferenceType::JOIN) {
        auto& join = ref.Cast<duck::JoinRef>();
        collect(*join.left, named);
        collect(*join.right, named);
    } else if (ref.type == duck::TableReferenceType::BASE_TABLE) {
        auto& table = ref.Cast<duck::BaseTableRef>();
        named.push_back({table.schema_name, table.table_name, table.alias.empty() ? table.table_name : table.alias});
    } else if (ref.type == duck::TableReferenceType::SUBQUERY) {
        throw_error({Code::unimplemented, "FOR UPDATE of a subquery is not supported: put it behind the table's own SELECT", "0A000"});
    }
}

/// Its rows are asked for by whoever may change them. Temporary tables are nobody else's.
void lock(duck::ClientContext& context, std::string schema, const std::string& name) {
    std::string catalog;
    duck::Binder::BindSchemaOrCatalog(context, catalog, schema);
    const duck::EntryLookupInfo lookup(duck::CatalogType::TABLE_ENTRY, name);
    auto& entry = duck::Catalog::GetEntry(context, catalog, schema, lookup);
    if (entry.type == duck::CatalogType::VIEW_ENTRY)
        throw_error({Code::unimplemented, fmt::format("rows of the view \"{}\" cannot be locked: name its tables", name), "0A000"});
    if (entry.ParentCatalog().GetCatalogType() != "tarn") return;
    auto& table = entry.Cast<LakeTable>();
    const auto& access = table.view().access;
    if (table.view().governed || !(access.update || access.remove))
        throw_error({Code::permission_denied, "permission denied for table " + name, "42501"});
    table.transaction().lock_rows(table.state());
}

}  // namespace

Status LakeSession::lock_rows(duck::SQLStatement& statement, const RowLocks& locks) {
    auto& context = *connection_->context;
    try {
        auto& node = *statement.Cast<duck::SelectStatement>().node;
        if (node.type != duck::QueryNodeType::SELECT_NODE)
            throw_error({Code::unimplemented, "FOR UPDATE is not allowed with UNION/INTERSECT/EXCEPT", "0A000"});
        auto& select = node.Cast<duck::SelectNode>();
        std::vector<AskedTable> named;
        if (select.from_table) collect(*select.from_table, named);
        std::erase_if(named, [&](const AskedTable& each) { return select.cte_map.map.contains(each.table); });
        for (const auto& wanted : locks.of)
            if (std::none_of(named.begin(), named.end(), [&](const AskedTable& each) {
                    return duck::StringUtil::CIEquals(each.alias, wanted);
                }))
                throw_error({Code::not_found,
                             fmt::format("relation \"{}\" in FOR UPDATE clause not found in FROM clause", wanted), "42P01"});
        context.RunFunctionInTransaction(
            [&] {
                for (const auto& each : named)
                    if (locks.of.empty() || std::any_of(locks.of.begin(), locks.of.end(), [&](const auto& name) {
                            return duck::StringUtil::CIEquals(each.alias, name);
                        }))
                        lock(context, each.schema, each.table);
            },
            false);
    } catch (const std::exception& problem) {
        return failed(duck::ErrorData(problem), nullptr, nullptr);
    }
    return {};
}

Status LakeSession::lock_tables(const Utility& wanted) {
    if (wanted.tag == "LOCK TABLE" && (state_ == TransactionState::idle || implicit_))
        return Error{Code::precondition_failed, "LOCK TABLE can only be used in transaction blocks", "25P01"};
    auto& context = *connection_->context;
    try {
        context.RunFunctionInTransaction(
            [&] {
                for (const auto& [schema, name] : wanted.tables) {
                    if (wanted.locks_rows) {
                        lock(context, schema, name);
                        continue;
                    }
                    const duck::EntryLookupInfo lookup(duck::CatalogType::TABLE_ENTRY, name);
                    std::string catalog, in = schema;
                    duck::Binder::BindSchemaOrCatalog(context, catalog, in);
                    duck::Catalog::GetEntry(context, catalog, in, lookup);  // it is there, and may be seen
                }
            },
            false);
    } catch (const std::exception& problem) {
        return failed(duck::ErrorData(problem), nullptr, nullptr);
    }
    return {};
}

}  // namespace tarn::query
