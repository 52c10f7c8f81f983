// What prepare() makes of SQL: a statement for DuckDB, or one that the session answers itself.
#pragma once

#include "query/internal/references.h"
#include "query/internal/services.h"
#include "query/internal/sql_text.h"

namespace tarn::query {

/// COPY as far as the session needs it: the other side of it is a plain query.
struct CopySpec {
    bool from = false;     // FROM STDIN
    std::string database;  // empty: by search path
    std::string table;
    std::vector<std::string> columns;
    std::string query;  // COPY (query) TO
    CopyFormat format = CopyFormat::text;
    char delimiter = '\t';
    std::string null_text = "\\N";
    bool header = false;
    char quote = '"';
    char escape = '"';
    std::vector<std::string> force_quote;
    bool force_quote_all = false;
};

/// A statement that DuckDB never sees.
struct Utility {
    std::string name;  // SET: the setting; BEGIN: one that it sets; cursors: the cursor
    std::string value;
    bool local = false;              // SET LOCAL
    bool all = false;                // RESET ALL, CLOSE ALL
    bool forward_all = false;        // FETCH ALL
    int64_t count = 1;               // FETCH, MOVE
    bool moves = false;              // MOVE: FETCH without its rows
    bool holds = false;              // DECLARE ... WITH HOLD
    std::string query;               // DECLARE ... FOR query
    std::vector<std::string> parts;  // DROP and TRUNCATE of several: one after the other
    enum class Discard : uint8_t { all, temporary, numbers, nothing };  // nothing: the door's
    Discard discard = Discard::all;
    enum class Savepoint : uint8_t { none, make, release, go_back };
    Savepoint savepoint = Savepoint::none;  // of that name
    /// PREPARE name (types) AS query, EXECUTE name (values) with what stands around it, DEALLOCATE.
    enum class Named : uint8_t { none, prepare, execute, forget };
    Named named = Named::none;
    std::string before;                  // EXPLAIN, of an EXECUTE
    std::vector<std::string> arguments;  // types or values, as text
    std::vector<std::pair<std::string, std::string>>
        tables;  // LOCK TABLE ...: schema (empty: by search path), name
    struct NewKey {
        std::string name;  // empty: made of the table's
        bool primary = false;
        std::vector<std::string> columns;
    };
    std::optional<NewKey> key;  // ALTER TABLE ... ADD PRIMARY KEY | UNIQUE, of the one in `tables`
    /// ALTER TABLE ... of the one in `tables`: other rules that it is to have or lose.
    struct NewCheck {
        std::string name;
        std::string expression;
        bool not_valid = false;  // rows that are there may break it
    };
    std::optional<NewCheck> check;
    std::optional<WrittenReference> reference;
    struct DropRule {
        std::string name;
        bool if_there = false;
    };
    std::optional<DropRule> drop_rule;
    /// ALTER COLUMN ... ADD GENERATED, or SET DEFAULT nextval('...'): its values are numbered from
    /// now on.
    struct NewIdentity {
        std::string column;
        std::string sequence;  // by whose name its numbers are set later; empty: the usual one
        bool always = false;
        int64_t start = 1, increment = 1;
    };
    std::optional<NewIdentity> identity;
    bool changes_rules() const { return key || check || reference || drop_rule || identity; }
    bool locks_rows = false;  // in a mode that keeps others from changing them
    std::string notice;       // for statements that have nothing to do here
    std::string tag;          // empty: the command's
};

/// A table with enforced keys that a statement changes.
struct KeyedTable {
    std::string database, table;
    bool all_rows = false;  // a key is new: not only the statement's rows
};

class PreparedSql final : public Statement {
 public:
    Command command() const override { return command_; }
    const std::vector<Type>& parameters() const override { return parameters_; }
    const std::vector<ResultColumn>& columns() const override { return columns_; }
    bool returns_rows() const override { return returns_rows_; }

    Command command_ = Command::empty;
    std::vector<Type> parameters_;
    std::vector<ResultColumn> columns_;
    bool returns_rows_ = false;
    bool described = false;  // what it returns is known
    std::string sql;         // as the client wrote it
    std::string duck_sql;    // as DuckDB gets it
    EditedSql edits{""};
    duck::unique_ptr<duck::SQLStatement> parsed;  // null: answered by the session
    Clauses clauses;
    bool changes_temporary = false;  // a temporary table, as of its last binding
    std::optional<KeyedTable>
        keyed;  // the table whose enforced keys it may break, as of its last binding
    Utility utility;
    CopySpec copy;

    /// Notes what binding found.
    void describe(bool gives_rows, const duck::vector<duck::string>& names,
                  const duck::vector<duck::LogicalType>& types,
                  const std::vector<ColumnOrigin>& origins);
};

/// Recognises the statements that the session answers itself; nullopt: DuckDB's. Errors: 42601,
/// 0A000.
Result<std::optional<std::unique_ptr<PreparedSql>>> parse_utility(std::string_view sql,
                                                                  const std::vector<Token>& tokens);
Result<CopySpec> parse_copy(std::string_view sql, const std::vector<Token>& tokens);
/// Which command a parsed statement is.
Command command_of(const duck::SQLStatement& statement);
bool changes_rows(Command command);
/// Tables, views and schemas, what they have and how they are called.
bool changes_names(Command command);
/// "INSERT 0 3".
std::string tag_of(Command command, uint64_t rows);

}  // namespace tarn::query
