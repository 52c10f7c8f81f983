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

class LakeSession final : public Session {
 public:
    LakeSession(Services& services, Admission& admission,
                std::unique_ptr<duck::Connection> connection, security::Caller caller,
                std::vector<std::string> search_path, std::function<void()> gone);
    ~LakeSession() override;

    Result<std::unique_ptr<Statement>> prepare(
        std::string_view sql, const std::vector<std::optional<Type>>& types) override;
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
    /// A cursor that is read while others run; the session may have to read it to its end.
    Result<std::unique_ptr<Cursor>> start(PreparedSql& statement,
                                          const std::vector<Value>& parameters);
    /// Runs with a transaction, of its own when none is open; commits that one.
    Status in_transaction(const std::function<void()>& work);
    Status settle_open_cursor();
    /// Whether the name means a temporary table now. Throws.
    bool means_temporary(const std::string& schema, const std::string& table);
    /// Rows of COPY, in a transaction; `columns` are the table's that get them. Throws.
    void append_temporary(const CopySpec& copy, const std::vector<ResultColumn>& columns,
                          const Chunk& rows);

 private:
    Result<std::unique_ptr<PreparedSql>> prepare_query(
        std::string_view sql, const std::vector<Token>& tokens,
        const std::vector<std::optional<Type>>& types);
    Status describe(PreparedSql& statement, const std::vector<Token>& tokens,
                    std::vector<std::optional<Type>> types);
    Status parse(PreparedSql& statement, const std::vector<Token>& tokens,
                 const std::vector<std::optional<Type>>& types);
    Status describe_copy(PreparedSql& statement);
    Result<std::unique_ptr<Cursor>> execute_utility(PreparedSql& statement);
    Result<std::unique_ptr<Cursor>> execute_fetch(PreparedSql& statement);
    Result<std::unique_ptr<Cursor>> execute_savepoint(PreparedSql& statement);
    Status savepoint(const Utility& wanted);
    LakeTransaction& lake_transaction();
    Result<std::unique_ptr<Cursor>> show(PreparedSql& statement);
    Status apply_setting(const std::string& name, const std::string& value, SettingScope scope);
    void change_settings(const std::function<void(Settings&)>& change);
    void end_statement_settings();
    Status execute_set(const Utility& wanted, bool reset);
    Status discard(Utility::Discard what);
    void begin_transaction();
    duck::unique_ptr<duck::SQLStatement> to_bind(PreparedSql& statement);
    Result<std::unique_ptr<Cursor>> change_temporary(PreparedSql& statement,
                                                     const std::vector<Value>& parameters);
    void check_temporary_room();
    Status end_temporary();
    Status drop_temporary();
    Status check_usable(Command command) const;

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
    uint32_t error_position_ = 0;
    std::vector<std::string> notices_;
    QueryCursor* open_cursor_ = nullptr;
    std::map<std::string, std::unique_ptr<Cursor>> cursors_;  // DECLAREd
    struct SavedChanges {
        std::string name;
        LakeTransaction::Changes changes;
        Settings::Saved settings;
    };
    std::vector<SavedChanges> savepoints_;  // of the open transaction, oldest first
    bool has_temporary_ = false;      // temporary tables, or had some
    bool changed_temporary_ = false;  // the open transaction did

    std::mutex running_mutex_;
    bool running_ = false;  // a call is in DuckDB: cancel() has something to interrupt
    bool cancelled_ = false;  // the running call

    friend class RunningCall;
};

/// While it lives the session's connection may be interrupted by cancel().
class RunningCall {
 public:
    explicit RunningCall(LakeSession& session);
    ~RunningCall();
    /// DuckDB has begun with a query: a beginning forgets interrupts, so one that came before is made again.
    void began();

 private:
    LakeSession& session_;
};

/// Rows that are already there.
class FixedCursor final : public Cursor {
 public:
    FixedCursor(std::vector<ResultColumn> columns, std::vector<Chunk> chunks, std::string tag,
                uint64_t affected = 0)
        : columns_(std::move(columns)),
          chunks_(std::move(chunks)),
          tag_(std::move(tag)),
          affected_(affected) {}
    const std::vector<ResultColumn>& columns() const override { return columns_; }
    Result<std::optional<Chunk>> next() override {
        if (at_ == chunks_.size()) return std::optional<Chunk>();
        return std::optional<Chunk>(std::move(chunks_[at_++]));
    }
    std::string tag() const override { return tag_; }
    uint64_t rows_affected() const override { return affected_; }

 private:
    std::vector<ResultColumn> columns_;
    std::vector<Chunk> chunks_;
    size_t at_ = 0;
    std::string tag_;
    uint64_t affected_;
};

/// The rows of a running query.
class QueryCursor final : public Cursor {
 public:
    QueryCursor(LakeSession& session, Command command, std::vector<ResultColumn> columns,
                duck::unique_ptr<duck::QueryResult> result)
        : session_(session),
          command_(command),
          columns_(std::move(columns)),
          result_(std::move(result)) {}
    ~QueryCursor() override;

    const std::vector<ResultColumn>& columns() const override { return columns_; }
    Result<std::optional<Chunk>> next() override;
    std::string tag() const override { return tag_of(command_, rows_); }
    uint64_t rows_affected() const override { return rows_; }
    /// Reads what is left into memory (the engine's, which spills).
    Status detach();
    /// Ends it: the transaction it read in is gone.
    void abandon() {
        ended_ = true;
        result_.reset();
        kept_.reset();
    }

 private:
    Result<duck::unique_ptr<duck::DataChunk>> fetch();

    LakeSession& session_;
    const Command command_;
    const std::vector<ResultColumn> columns_;
    duck::unique_ptr<duck::QueryResult> result_;
    duck::unique_ptr<duck::ColumnDataCollection> kept_;
    duck::ColumnDataScanState kept_scan_;
    uint64_t rows_ = 0;
    bool ended_ = false;
};

}  // namespace tarn::query
