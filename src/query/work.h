// For callers inside the house that compute tables: a transaction that reads a state of the lake
// that was chosen before, and whose changes the caller commits itself, together with what belongs
// to them. Free functions over Session, so that the doors' seam (engine.h) stays as narrow as it
// is. Only sessions of this module's Engine; one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "meta/store.h"
#include "query/engine.h"
#include "tables/catalog.h"
#include "tables/commit.h"
#include "tables/scan.h"

namespace tarn::query {

/// begin(), reading `state` instead of the newest one.
Status begin_at(Session& session, const tables::CatalogSnapshot& state);

/// IANA name: what `::date`, date_trunc and friends mean by a day, until the session ends.
Status set_time_zone(Session& session, const std::string& name);

/// From the next statement on the table is read as just these files with their deletes (its own
/// pending rows are not read either); nullopt lifts it. Ends with the transaction. Precondition: a
/// transaction is open.
Status read_only_files(Session& session, const std::string& database, const std::string& table,
                       std::optional<std::vector<tables::ScanTask>> files);
/// The files that the open transaction has added to the table, for read_only_files.
Result<std::vector<tables::ScanTask>> own_files(Session& session, const std::string& database,
                                                const std::string& table);
/// Takes files back that the open transaction has added to the table.
Status forget_files(Session& session, const std::string& database, const std::string& table,
                    const std::vector<tables::ScanTask>& files);
/// Takes all rows of the table as the open transaction sees it away, without reading them.
Status remove_all_rows(Session& session, const std::string& database, const std::string& table);

struct TakenChanges {
    std::vector<tables::TableChange> changes;
    meta::Batch extra;  // staged catalog changes
};
/// Ends the open transaction and hands over what its commit would have done. The files are the
/// caller's from then on.
Result<TakenChanges> take_changes(Session& session);

struct TableUse {
    std::string database, table;
    size_t times = 0;
    /// The result is a sum over this table's rows, one by one: rows added to it only add rows to
    /// the result. (Plain select and join; no aggregate, distinct, window, limit or set operation
    /// over it; not on the outer side of an outer join; read once; nothing that depends on the time
    /// or chance.)
    bool row_wise = false;
};
struct SelectFacts {
    std::vector<ResultColumn> columns;
    std::vector<TableUse> tables;
    bool repeatable = true;  // the same rows give the same result: no now(), no random()
};
/// Binds a SELECT as the session would run it.
Result<SelectFacts> describe_select(Session& session, std::string_view sql);

/// (database, name) of the tables and views in its FROM clauses, subqueries and CTEs, without
/// looking any up; sorted, each once. invalid_argument: no single SELECT.
Result<std::vector<std::pair<std::string, std::string>>> named_tables(std::string_view sql,
                                                                      const std::string& database);

/// The two sides and the operator of "a = b"; nullopt when the expression is no comparison.
struct Comparison {
    std::string left, op, right;
};
Result<std::optional<Comparison>> split_comparison(std::string_view expression);

}  // namespace tarn::query
