// One connection: statements, transactions, cursors, settings. Every DuckDB call of a session
// happens here, behind one catch.
#pragma once

#include <map>
#include <mutex>

#include "query/internal/admission.h"
#include "query/internal/database.h"
#include "query/internal/error.h"
#include "query/internal/lake.h"
#include "query/internal/settings.h"
#include "query/internal/statement.h"

namespace tarn::query {

class QueryCursor;
class RunningCall;
class SlicedCursor;
struct TemporaryCopy;

class LakeSession final : public Session {
 public:
    LakeSession(Services& services, Admission& admission,
                std::unique_ptr<duck::Connection> connection, security::Caller caller,
                std::vector<std::string> search_path, std::function<void()> gone);
    ~LakeSession() override;

    Result<std::unique_ptr<Statement>> prepare(
        std::string_view sql, const std::vector<std::optional<Type>>& types) override {
        return prepare(sql, types, Described::before);
    }
    Result<std::unique_ptr<Statement>> prepare_once(std::string_view sql) override {
        return prepare(sql, {}, Described::when_run);
    }
    Result<std::unique_ptr<Cursor>> execute(Statement& statement,
                                            const std::vector<Value>& parameters) override;
    Result<std::unique_ptr<CopyIn>> copy_in(Statement& statement) override;
    Result<std::unique_ptr<CopyOut>> copy_out(Statement& statement) override;
    Result<Chunk> query(std::string_view sql, const std::vector<Value>& parameters,
                        size_t rows_max) override;
    Result<uint64_t> run(std::string_view sql, const std::vector<Value>& parameters) override;

    Status begin(bool implicit) override;
    Status commit() override;
    Status rollback() override;
    TransactionState transaction_state() const override { return state_; }

    void cancel() override;
    void forget_cancel() override;
    void track_progress() override;
    std::optional<double> progress() const override;
    uint32_t error_position() const override { return error_position_; }
    std::vector<std::string> take_notices() override { return std::exchange(notices_, {}); }
    const security::Principal& principal() const override { return caller_.principal; }
    std::optional<std::string> setting(const std::string& name) const override {
        return settings_.get(name);
    }
    Status set_setting(const std::string& name, const std::string& value) override;

    // For cursors and COPY.
    Services& services() { return services_; }
    duck::Connection& connection() { return *connection_; }
    Admission& admission() { return admission_; }
    const Settings& settings() const { return settings_; }
    const auto& touched() const { return SessionState::of(*connection_->context).touched; }
    Result<std::shared_ptr<Admission::Slot>> enter();
    /// Notes an error: an open transaction fails. `slot` tells why a statement was interrupted.
    Error failed(const duck::ErrorData& data, const PreparedSql* statement,
                 const Admission::Slot* slot);
    Error failed(Error error);
    void forget(const QueryCursor* cursor) {
        if (open_cursor_ == cursor) open_cursor_ = nullptr;
    }
    /// The parsed statement as it means something now, to be bound.
    Result<duck::unique_ptr<duck::SQLStatement>> meaning_of(PreparedSql& statement);
    /// A cursor that is read while others run; the session may have to read it to its end.
    Result<std::unique_ptr<Cursor>> start(PreparedSql& statement,
                                          duck::unique_ptr<duck::SQLStatement> meaning,
                                          const std::vector<Value>& parameters);
    /// Runs with a transaction, of its own when none is open; commits that one.
    Status in_transaction(const std::function<void()>& work);
    /// A statement that is a transaction by itself, and how often it was run.
    struct Again {
        std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
        int attempts = 1;
        tables::TableTurn turn;
    };
    /// Whether what failed by `why` is to be run again now: after its turn, if another commit was
    /// first.
    Result<bool> once_more(Again& again, const Error& why);
    /// Commits the transaction that a statement has begun for itself, or takes it back. `own`: it
    /// has.
    Status end_own(bool own, Status done);
    Status settle_open_cursor();
    void name_columns_as_postgres() { postgres_names_ = true; }
    /// That the rows which the open transaction has added break no enforced key of the table:
    /// 23505, 23502.
    Status check_keys(const KeyedTable& table);
    /// Whether the name means a temporary table now. Throws.
    bool means_temporary(const std::string& schema, const std::string& table);
    /// Rows of COPY, in a transaction; `columns` are the table's that get them. Throws.
    void append_temporary(const CopySpec& copy, const std::vector<ResultColumn>& columns,
                          const Chunk& rows);

 private:
    /// When it is found what a statement returns.
    enum class Described : uint8_t { before, when_run };
    Result<std::unique_ptr<Statement>> prepare(std::string_view sql,
                                               const std::vector<std::optional<Type>>& types,
                                               Described described);
    Result<std::unique_ptr<PreparedSql>> prepare_query(
        std::string_view sql, const std::vector<Token>& tokens,
        const std::vector<std::optional<Type>>& types, Described described);
    Status describe(PreparedSql& statement, const std::vector<Token>& tokens,
                    std::vector<std::optional<Type>> types);
    Status parse(PreparedSql& statement, const std::vector<Token>& tokens,
                 const std::vector<std::optional<Type>>& types);
    Result<duck::unique_ptr<duck::QueryResult>> run_to_rows(
        PreparedSql& statement, duck::unique_ptr<duck::SQLStatement> meaning,
        const std::vector<Value>& parameters, Admission::Slot& slot, RunningCall& call);
    /// Of the statement that was bound last.
    std::vector<ColumnOrigin> origins() const {
        return postgres_names_ ? SessionState::of(*connection_->context).origins
                               : std::vector<ColumnOrigin>();
    }
    Status describe_copy(PreparedSql& statement);
    Result<std::unique_ptr<Cursor>> execute_utility(PreparedSql& statement);
    Result<std::unique_ptr<Cursor>> execute_fetch(PreparedSql& statement);
    Status declare(const Utility& wanted);
    Status close(const Utility& wanted);
    void end_cursors(bool committed);
    Result<std::unique_ptr<Cursor>> execute_savepoint(PreparedSql& statement);
    Status savepoint(const Utility& wanted);
    LakeTransaction& lake_transaction();
    Result<std::unique_ptr<Cursor>> show(PreparedSql& statement);
    Status change_setting(const std::function<Status(Settings&)>& change);
    Status apply_setting(const std::string& name, const std::string& value, SettingScope scope);
    void change_settings(const std::function<void(Settings&)>& change);
    void end_statement_settings();
    Status execute_set(const Utility& wanted, bool reset);
    Status discard(Utility::Discard what);
    // PREPARE, EXECUTE and DEALLOCATE
    Status keep_statement(const Utility& wanted);
    Result<std::string> expand(const Utility& wanted) const;
    void forget_statements(const Utility& wanted);
    // SELECT ... FOR UPDATE, LOCK TABLE
    Status lock_rows(duck::SQLStatement& statement, const RowLocks& locks);
    Status lock_tables(const Utility& wanted);
    // ALTER TABLE of a table's rules (table_rules.h), CREATE SEQUENCE
    Status change_rules(const Utility& wanted);
    Status check_rows(const LakeTable& table, const std::string& name, const std::string& check);
    Status fill_rows(const std::string& update);
    /// TRUNCATE ... RESTART IDENTITY; ADD COLUMN ... DEFAULT: more than one step in a transaction,
    /// of its own when none is open.
    Result<std::unique_ptr<Cursor>> change_in_steps(PreparedSql& statement,
                                                    duck::unique_ptr<duck::SQLStatement> meaning,
                                                    const std::vector<Value>& parameters);
    Status run_parts(const std::vector<std::string>& statements);
    void begin_transaction();
    duck::unique_ptr<duck::SQLStatement> to_bind(PreparedSql& statement);
    Result<std::unique_ptr<Cursor>> change_temporary(PreparedSql& statement,
                                                     duck::unique_ptr<duck::SQLStatement> meaning,
                                                     const std::vector<Value>& parameters);
    Result<std::unique_ptr<Cursor>> execute_once(PreparedSql& statement,
                                                 const std::vector<Value>& parameters);
    /// For a table with enforced keys: in a transaction, of its own when none is open, and checked
    /// before it goes on.
    Result<std::unique_ptr<Cursor>> change_keyed(PreparedSql& statement,
                                                 duck::unique_ptr<duck::SQLStatement> meaning,
                                                 const std::vector<Value>& parameters);
    void check_temporary_room();
    std::shared_ptr<const TemporaryCopy> copy_temporary();
    Status end_temporary();
    Status drop_temporary();
    Status check_usable(Command command) const;
    Status check_read_only(const PreparedSql& statement, bool is_bound);

    bool is_server() const { return caller_.principal.kind == security::Principal::Kind::system; }

    Services& services_;
    Admission& admission_;
    std::unique_ptr<duck::Connection> connection_;
    const security::Caller caller_;
    const std::function<void()> gone_;
    Settings settings_;
    const std::string default_path_;
    TransactionState state_ = TransactionState::idle;
    bool implicit_ = false;
    bool queried_ = false;  // the open transaction has looked at the lake
    uint32_t error_position_ = 0;
    std::vector<std::string> notices_;
    QueryCursor* open_cursor_ = nullptr;
    std::map<std::string, std::unique_ptr<SlicedCursor>> cursors_;  // DECLAREd
    struct NamedStatement {
        std::string sql;
        std::vector<std::string> types;  // of $1, $2, ...
    };
    std::map<std::string, NamedStatement> named_;  // PREPAREd
    struct SavedChanges {
        std::string name;
        LakeTransaction::Changes changes;
        Settings::Saved settings;
        uint64_t temporary_changes;                      // made before it
        std::shared_ptr<const TemporaryCopy> temporary;  // null: none were
    };
    std::vector<SavedChanges> savepoints_;  // of the open transaction, oldest first
    bool has_temporary_ = false;            // temporary tables, or had some
    uint64_t temporary_changes_ = 0;        // by the open transaction
    bool postgres_names_ = false;           // column_names.h

    std::mutex running_mutex_;
    bool running_ = false;    // a call is in DuckDB: cancel() has something to interrupt
    bool cancelled_ = false;  // the running call, or the next

    friend class RunningCall;
};

/// While it lives the session's connection may be interrupted by cancel().
class RunningCall {
 public:
    explicit RunningCall(LakeSession& session);
    ~RunningCall();
    /// DuckDB has begun with a query: a beginning forgets interrupts, so one that came before is
    /// made again.
    void began();

 private:
    LakeSession& session_;
};

}  // namespace tarn::query
