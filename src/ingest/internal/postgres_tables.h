// What a database has: tables, their columns in our types, keys, and the pieces in which they are
// read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ingest/internal/change_events.h"
#include "ingest/internal/postgres_connection.h"
#include "ingest/internal/target.h"

namespace tarn::ingest {

struct PostgresColumn {
    std::string outside;  // as the database calls it
    std::string name;     // in the lake: lower case
    query::Type type;     // as a table of the lake stores it
    std::string spelled;  // the database's type, for messages: "numeric(10,2)"
    bool required = false;
    std::string comment;
    int number = 0;            // attnum: survives a rename, is never given twice
    uint32_t type_oid = 0;     // pg_type
    bool has_default = false;  // of its own, or an identity
    bool generated = false;    // computed from others; the log does not have it
    /// The value of all rows that were there before the column, which the database keeps beside
    /// them (pg_attribute.attmissingval), as text.
    std::optional<std::string> missing = {};
    bool missing_differs = false;  // from partition to partition
};

/// Any of a table's columns that ever were, in the order of their numbers, which is the log's.
struct PostgresAttribute {
    int number = 0;
    std::string name;  // as the database calls it; nothing, when dropped
    uint32_t type_oid = 0;
    bool dropped = false, generated = false;
    bool readable = false;    // by the user
    uint32_t changed_by = 0;  // the transaction that did something to it last
};

struct PostgresPartition {
    std::string storage;  // another one when its rows were written anew, or truncated
    bool born = true;     // made as a partition, or empty: all its rows came as the table's
};

/// A part of a table that is read by itself: a table is one, a partitioned table has one for each
/// partition.
struct PostgresPart {
    std::string from;     // "ONLY "public"."sales"", quoted
    uint64_t blocks = 0;  // 0: it cannot be split by ctid
    uint32_t oid = 0;     // of itself, or of the table whose partitions are read from the top
};

struct PostgresTable {
    uint32_t oid = 0;
    std::string schema, outside;  // as the database calls them
    char kind = 'r';              // pg_class.relkind: r table, p partitioned, v view ...
    char identity = 'd';          // pg_class.relreplident: d key, n nothing, f full, i an index
    bool unlogged = false;        // unlogged or temporary: its changes are in no log
    bool locked = false;          // somebody has it, or a part of it, for himself
    std::string name;             // in the lake
    std::vector<PostgresColumn> columns;        // that are there and may be read
    std::vector<PostgresAttribute> attributes;  // all
    /// Where the rows lie there: another text after all of them were written anew.
    std::string storage;
    std::string touched;  // another one when a statement touched its columns
    /// Of a partitioned table, by OID: those that have rows.
    std::map<uint32_t, PostgresPartition> partitions;
    uint32_t next_xid = 0;                    // the number that the next transaction there gets
    std::vector<std::string> key;             // of the primary key, names in the lake; empty: none
    std::vector<std::string> identity_index;  // identity i: the index's columns, likewise
    uint64_t rows_estimated = 0;
    std::string comment;
    std::vector<PostgresPart> parts;

    std::string full_name() const { return schema + "." + outside; }
    std::string quoted() const { return quote_name(schema) + "." + quote_name(outside); }
    /// "a","B c": what to select, in the order of `columns`.
    std::string select_list() const;
    const PostgresColumn* find(std::string_view name) const;
    std::vector<ColumnSpec> specs() const;
};

/// The type a table of the lake gets for one of PostgreSQL's base types; text for all that have no
/// counterpart. numeric of more than 38 digits is text; numeric without precision is decimal(38,9).
query::Type type_of_postgres(uint32_t oid, int32_t modifier);

/// The tables that `names` means ("sales" of schema public, "shop.sales"), or all that the user may
/// read, all of one moment: the caller's snapshot, when it is in a transaction. Errors: not_found,
/// permission_denied with the GRANT to run; with `problems` those of single tables go there, and
/// the others are the answer. unavailable: tables were changed while it looked.
Result<std::vector<PostgresTable>> find_postgres_tables(
    PostgresConnection& connection, const std::vector<std::string>& names,
    std::vector<TableProblem>* problems = nullptr);
/// The types of columns as the log describes them; arrays of arrays are lists here.
Result<std::vector<query::Type>> types_in_log(PostgresConnection& connection,
                                              const std::vector<RelationColumn>& columns);
TargetTable target_of(const PostgresTable& table, const std::string& source,
                      const std::string& identity);

}  // namespace tarn::ingest
