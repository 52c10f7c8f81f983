// Temporary tables and views: DuckDB's own, in the catalog `temp` that each connection has for
// itself, so that nobody else can name them and they go with the session. There they stand under
// names that no other SQL means ("pg_temp.t"): a policy, a lake's view and a qualified name never
// find one, and what the session's own statements mean by `t` or `pg_temp.t` is put in its place
// before they are bound. A temporary view is bound where it is read, with the rights of the
// session.
#pragma once

#include <set>
#include <string>

#include "query/internal/services.h"
#include "query/internal/statement.h"

namespace tarn::query {

/// The most that one session may have, views among them.
inline constexpr size_t kTemporaryTablesMax = 256;
inline constexpr size_t kTemporaryViewBytesMax = 1u << 20;

/// As the session knows them. What is no view is a table.
struct TemporaryNames {
    std::set<std::string> all;
    std::set<std::string> views;
};
/// In a transaction of the connection, as the two below.
TemporaryNames temporary_names(duck::ClientContext& context);
/// Each by the name that the session knows it by.
void each_temporary(
    duck::ClientContext& context,
    const std::function<void(const std::string& name, duck::TableCatalogEntry&)>& found);
void each_temporary_view(
    duck::ClientContext& context,
    const std::function<void(const std::string& name, duck::ViewCatalogEntry&)>& found);
/// pg_class.oid of one; no other relation has it.
uint32_t temporary_oid(const duck::CatalogEntry& entry);
/// What the column of one was declared as.
DeclaredType temporary_type(const duck::CatalogEntry& entry, const std::string& column);
/// The name that a temporary table has in DuckDB; of that name it is the same.
std::string temporary_name(const std::string& name);
/// "temp"."main"."pg_temp.t"
std::string temporary_sql(const std::string& name);
bool is_temporary(const duck::CatalogEntry& entry);

/// Names in the statement that mean one of `names` say so. CREATE TEMP TABLE is told what COMMIT
/// does to it. A view that reads one of them is temporary itself. True: the statement makes,
/// changes or drops one. Throws 42P16 (to be created somewhere else), 42809 (the other kind), 0A000
/// (a foreign key), 54000.
bool resolve_temporary(duck::ClientContext& context, duck::SQLStatement& statement,
                       const TemporaryNames& names, OnCommit on_commit);
/// SQL that does what COMMIT does to the temporary tables there are. In a transaction of the
/// connection, as drop_all().
std::vector<std::string> at_commit(duck::ClientContext& context);
/// SQL that drops all of them.
std::vector<std::string> drop_all(duck::ClientContext& context);

/// Adds rows to one, in a transaction of the connection. Throws.
void insert_temporary(duck::Connection& connection, const std::string& table,
                      const std::vector<std::string>& columns, duck::ColumnDataCollection& rows);

/// What the temporary tables of all sessions take, in memory and spilled.
uint64_t temporary_bytes(duck::ClientContext& context);
/// Those of this one: what its columns were given, and texts too long to stand in them.
uint64_t session_temporary_bytes(duck::Connection& connection);

/// The temporary tables and views of a session as they were once.
struct TemporaryCopy {
    struct Table {
        duck::unique_ptr<duck::CreateInfo> definition;
        duck::unique_ptr<duck::ColumnDataCollection> rows;
    };
    std::vector<Table> tables;
    std::vector<duck::unique_ptr<duck::CreateInfo>> views;
    uint64_t bytes = 0;  // of the rows
};
/// In a transaction of the connection, as restore_temporary(). Throws 53100 when the rows take more
/// than `room`.
std::shared_ptr<const TemporaryCopy> copy_temporary(duck::Connection& connection, uint64_t room);
/// Puts them in the place of those there are. Throws.
void restore_temporary(duck::Connection& connection, const TemporaryCopy& copy);

}  // namespace tarn::query
