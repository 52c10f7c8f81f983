// SQL over the lake: the seam between the doors and the engine (DuckDB, which only this module
// includes).
//
//   auto engine  = Engine::open(options, {store, catalog, committer, access, clock, metrics});
//   auto session = engine->connect(caller, database);
//   auto made    = session->prepare("select * from levels where shelf_id = $1", {});
//   auto cursor  = session->execute(*made, {Value(int64_t{7})});
//   while (chunk = cursor->next()) ...
//
// Names: the PostgreSQL database is `lake`; a database of the catalog is a schema; unquoted names
// are lower case. An unqualified name is looked for in the session's search path (the database
// given to connect(), default "main"). Errors: Error::reason is the SQLSTATE ("42P01"); the
// character position, where known, is in Session::error_position().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "query/access.h"
#include "query/chunk.h"
#include "query/declared_type.h"
#include "query/types.h"
#include "security/caller.h"
#include "tables/maintenance.h"

namespace tarn::objects {
class ObjectStore;
}

namespace tarn::query {

struct EngineOptions {
    unsigned threads = 2;
    uint64_t memory_bytes = 1ull << 30;  // the engine's budget; it spills to temp_directory beyond
    uint64_t process_memory_bytes =
        0;  // above this the largest query is interrupted; 0: 3 times memory_bytes
    uint64_t temporary_session_bytes = 0;  // temporary tables of a session; 0: half of memory_bytes
    std::string temp_directory;            // spill files; removed at open
    size_t running_max = 8;      // statements at once; more wait
    std::chrono::milliseconds admission_wait_max{10'000};
    size_t sessions_max = 200;
    std::chrono::milliseconds statement_timeout{0};  // default of a session; 0: none
    uint64_t data_file_bytes = 128ull << 20;
};

enum class Command : uint8_t {
    empty,
    select,
    insert,
    update,
    remove,
    truncate,
    merge,
    create_schema,
    create_table,
    create_table_as,
    create_view,
    drop_schema,
    drop_table,
    drop_view,
    alter_table,
    begin,
    commit,
    rollback,
    set,
    reset,
    show,
    explain,
    copy_in,
    copy_out,
    declare_cursor,
    fetch,
    close_cursor,
    discard,
    comment,
};

/// Where a column of a result comes from that stands in a table as it is.
struct ColumnOrigin {
    DeclaredType declared;
    uint32_t relation = 0;  // pg_class.oid; 0: no table's
    int16_t number = 0;     // pg_attribute.attnum
};

struct ResultColumn {
    std::string name;
    Type type;
    ColumnOrigin origin{};
};

/// A statement that was parsed, bound and authorised. Belongs to the session that made it; execute
/// any number of times. Binding is done again by itself when a table changed in between.
class Statement {
 public:
    virtual ~Statement() = default;
    virtual Command command() const = 0;
    /// In order $1, $2, ...; Kind::text where nothing says what it is.
    virtual const std::vector<Type>& parameters() const = 0;
    /// Empty when the statement returns no rows.
    virtual const std::vector<ResultColumn>& columns() const = 0;
    virtual bool returns_rows() const = 0;
};

/// The rows of one execution, made as they are asked for. Must not outlive its session. Closing
/// (destroying) it early ends the execution. A new execute() on the session materialises what is
/// left of an open cursor first. One thread at a time.
class Cursor {
 public:
    virtual ~Cursor() = default;
    virtual const std::vector<ResultColumn>& columns() const = 0;
    /// nullopt at the end. Chunks have at most 2,048 rows and at least one.
    virtual Result<std::optional<Chunk>> next() = 0;
    /// After the end: "SELECT 5", "INSERT 0 3", "CREATE TABLE".
    virtual std::string tag() const = 0;
    virtual uint64_t rows_affected() const = 0;
};

enum class CopyFormat : uint8_t { text, csv, binary };

/// COPY ... FROM STDIN. Destroying it before finish() takes everything back.
class CopyIn {
 public:
    virtual ~CopyIn() = default;
    virtual CopyFormat format() const = 0;
    virtual size_t column_count() const = 0;
    /// Bytes in pieces of any size. An error names the line.
    virtual Status push(std::string_view bytes) = 0;
    /// Makes the rows part of the transaction (and commits outside of one). Returns their number.
    virtual Result<uint64_t> finish() = 0;
};

/// COPY ... TO STDOUT.
class CopyOut {
 public:
    virtual ~CopyOut() = default;
    virtual CopyFormat format() const = 0;
    virtual size_t column_count() const = 0;
    /// Whole rows; nullopt at the end.
    virtual Result<std::optional<std::string>> next() = 0;
    virtual uint64_t rows() const = 0;
};

enum class TransactionState : uint8_t { idle, active, failed };

/// One connection of one principal. Lane: any but a loop; one thread at a time, but for cancel().
class Session {
 public:
    virtual ~Session() = default;

    /// `types`: what the client said its parameters are (nullopt: not said); may be shorter than
    /// the parameters.
    virtual Result<std::unique_ptr<Statement>> prepare(
        std::string_view sql, const std::vector<std::optional<Type>>& types) = 0;
    /// For what is executed at once, and once: its names are resolved then, and not twice. What it returns is known after execute();
    /// before, returns_rows() and columns() say nothing. With parameters it is prepare().
    virtual Result<std::unique_ptr<Statement>> prepare_once(std::string_view sql) = 0;
    /// Precondition: parameters.size() == statement.parameters().size(), each of its type or NULL.
    virtual Result<std::unique_ptr<Cursor>> execute(Statement& statement,
                                                    const std::vector<Value>& parameters) = 0;
    virtual Result<std::unique_ptr<CopyIn>> copy_in(Statement& statement) = 0;
    virtual Result<std::unique_ptr<CopyOut>> copy_out(Statement& statement) = 0;
    /// prepare, execute and read to the end: for callers inside the house. At most `rows_max` rows,
    /// then out_of_range.
    virtual Result<Chunk> query(std::string_view sql, const std::vector<Value>& parameters = {},
                                size_t rows_max = 1'000'000) = 0;
    /// The same for a statement whose rows nobody wants. Returns rows affected.
    virtual Result<uint64_t> run(std::string_view sql,
                                 const std::vector<Value>& parameters = {}) = 0;

    /// Also reached by SQL (BEGIN, COMMIT, ROLLBACK). `implicit`: the door's own around several
    /// statements of one message; no warning and no failed state is shown for it.
    virtual Status begin(bool implicit = false) = 0;
    /// conflict (40001): another transaction changed the same rows first; nothing of this one is
    /// left.
    virtual Status commit() = 0;
    virtual Status rollback() = 0;
    virtual TransactionState transaction_state() const = 0;

    /// From any thread: ends the running statement with 57014, or the next one, as a statement has
    /// moments in which it does not run yet.
    virtual void cancel() = 0;
    /// What a cancel() was meant for is over: it ends nothing any more.
    virtual void forget_cancel() = 0;
    /// From now on the engine reckons how far a statement is, which costs it a little with each piece of work.
    virtual void track_progress() = 0;
    /// From any thread: the share of the running statement's work that is done, 0 to 1, by the rows that its scans have
    /// read; nullopt where none runs, its work cannot be told, it is not tracked, or a policy hides rows of what it reads.
    virtual std::optional<double> progress() const = 0;

    /// 1-based character position in the SQL of the last error; 0 when unknown.
    virtual uint32_t error_position() const = 0;
    /// Warnings and notices since the last call ("there is no transaction in progress").
    virtual std::vector<std::string> take_notices() = 0;

    virtual const security::Principal& principal() const = 0;
    /// A setting as SHOW prints it; nullopt when there is no such one. Names are PostgreSQL's.
    virtual std::optional<std::string> setting(const std::string& name) const = 0;
    virtual Status set_setting(const std::string& name, const std::string& value) = 0;
};

/// Takes rows for one table and makes data files of them: sorted into partitions, with field ids,
/// statistics and bounds. The files are durable after finish(), and visible when the caller commits
/// them (tables::TableChange::append_to(table(), files)). One thread at a time. Destroying it
/// before finish() leaves nothing.
class RowWriter {
 public:
    virtual ~RowWriter() = default;
    /// What append() takes, in order.
    virtual const std::vector<ResultColumn>& columns() const = 0;
    /// The state of the table that the files are made for.
    virtual const tables::TablePtr& table() const = 0;
    /// Precondition: the chunk's columns have the types of columns().
    virtual Status append(const Chunk& rows) = 0;
    virtual Result<std::vector<tables::DataFile>> finish() = 0;
};

/// Everything given outlives the engine.
struct EngineParts {
    objects::ObjectStore& store;
    tables::Catalog& catalog;
    tables::Committer& committer;
    const AccessProvider& access;
    const Clock& clock;
    Metrics& metrics;
};

/// Lane of the calls: any but a loop.
class Engine {
 public:
    /// Does not start DuckDB yet: the first use does.
    static Result<std::unique_ptr<Engine>> open(EngineOptions options, EngineParts parts);
    virtual ~Engine() = default;

    /// The caller is whom the session acts for and what its commits are audited with. exhausted
    /// (53300) above sessions_max.
    virtual Result<std::unique_ptr<Session>> connect(security::Caller caller,
                                                     std::string database = "main") = 0;

    // For ingest and flows, which act for the server: no authorisation.

    /// `columns` choose and order what append() takes; those left out are NULL. Empty: all of the
    /// table.
    virtual Result<std::unique_ptr<RowWriter>> write_rows(
        const std::string& database, const std::string& table,
        std::vector<std::string> columns = {}) = 0;
    /// The same for a state of a table that the caller holds: also one that was only staged
    /// (Catalog::stage_create_table), so that a table can come to be together with its rows.
    virtual Result<std::unique_ptr<RowWriter>> write_rows_of(
        tables::TablePtr table, std::vector<std::string> columns = {}) = 0;
    /// The change that puts `rows` into the table in place of the rows that have the same key:
    /// position deletes and a new file. Of several rows with one key in the chunk the last wins.
    /// Rows whose key has a NULL are only added. The caller commits it, with what belongs to it; on
    /// `conflict` (rows_changed) it asks again. `columns` as in write_rows, must hold the keys.
    virtual Result<tables::TableChange> upsert(const std::string& database,
                                               const std::string& table,
                                               const std::vector<std::string>& key,
                                               const Chunk& rows,
                                               std::vector<std::string> columns = {}) = 0;
    /// tables::FileRewriter: the live rows of the group's files in new files.
    virtual Result<std::vector<tables::DataFile>> rewrite(const tables::CompactionGroup& group) = 0;
};

/// Splits "a; b; c" into statements without reading them: quotes, dollar quotes and comments are
/// respected. Empty ones are left out.
struct StatementText {
    std::string_view sql;
    size_t offset = 0;  // bytes from the beginning
};
std::vector<StatementText> split_statements(std::string_view sql);

}  // namespace tarn::query
