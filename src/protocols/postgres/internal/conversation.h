// What a signed-in client and the engine say to each other: simple and extended query, COPY.
// "Message Flow" of the protocol's chapter as a flat state machine: each call does a bounded piece
// of work and appends its answer to out(), so that the caller decides between two pieces whether
// the client reads fast enough to go on.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocols/postgres/internal/backend.h"
#include "protocols/postgres/internal/messages.h"
#include "protocols/postgres/internal/shared.h"

namespace tarn::postgres {

/// Owner: a connection. Lane: any but a loop, one call at a time.
class Conversation {
 public:
    Conversation(const Door::Shared& door, std::unique_ptr<query::Session> session,
                 security::Caller caller);

    /// ParameterStatus, BackendKeyData, ReadyForQuery.
    void greet(int32_t process_id, std::string_view key);
    /// Precondition: !working(). `next_type` is the message that waits behind it; 0: none.
    void handle(const Message& message, char next_type);
    /// There is work to do that needs no message: step().
    bool working() const { return mode_ == Mode::rows || mode_ == Mode::copy_out || quick_step(); }
    void step();
    /// A cancel request came: fails what is going on, COPY FROM STDIN too.
    void interrupt();

    /// Between ReadyForQuery and the next message.
    bool at_rest() const { return at_rest_; }
    /// The client has said good-bye.
    bool ended() const { return ended_; }
    /// The client waits for what is in out().
    bool take_flush() { return std::exchange(flush_, false); }
    std::string& out() { return out_; }
    query::Session& session() { return *session_; }

 private:
    enum class Mode { idle, rows, copy_out, copy_in };

    struct Prepared {
        std::string sql;
        std::unique_ptr<query::Statement> statement;  // null: the text was empty
        std::vector<uint32_t> declared;  // types of parameters as Parse has them; 0: left open
    };
    struct Portal {
        std::shared_ptr<Prepared> prepared;
        std::vector<query::Value> parameters;
        std::vector<int16_t> formats;  // of the results
        bool describe = false;         // simple query: RowDescription comes with the rows
        bool suspended = false;
        bool done = false;
        std::unique_ptr<query::Cursor> cursor;
        std::optional<query::Chunk> rows;  // taken from the cursor and not all sent
        size_t row_at = 0;

        query::Command command() const {
            return prepared->statement ? prepared->statement->command() : query::Command::empty;
        }
    };
    struct SimpleQuery {
        std::string sql;
        std::vector<query::StatementText> statements;
        size_t next = 0;
    };

    bool quick_step() const { return mode_ == Mode::idle && simple_.has_value(); }

    // conversation.cc
    void handle_idle(const Message& message, char next_type);
    Status dispatch_extended(const Message& message, char next_type);
    void start_simple(const Message& message);
    void step_simple();
    Status run_simple(const query::StatementText& text);
    void sync();
    void ready();

    // extended_query.cc
    Status parse(const Message& message);
    Status bind(const Message& message);
    Status describe(const Message& message);
    Status describe_cursor(std::string_view name);
    Status execute(const Message& message, char next_type);
    Status close(const Message& message);
    Result<std::vector<query::Value>> read_parameters(const BindMessage& bind,
                                                      const std::vector<query::Type>& types) const;
    void forget_statements(std::string_view sql);

    // run.cc
    /// `types`: of the parameters; null: a statement that is run at once.
    Result<std::shared_ptr<Prepared>> prepare(std::string_view sql,
                                              const std::vector<std::optional<query::Type>>* types);
    /// `alone`: commits by itself, no transaction around it.
    Status run(std::shared_ptr<Portal> portal, bool alone, uint64_t rows_max);
    Status run_cursor();
    Status send_rows();
    void complete(const std::string& tag);
    void end_statement();
    void report_settings();
    void fail(const Error& error);
    Status audit_read(query::Command command);
    void audit_failure(const Error& error);

    // copy.cc
    Status begin_copy_in();
    Status begin_copy_out();
    Status send_copy();
    void handle_copy(const Message& message);
    void finish_copy_in();

    const Door::Shared& door_;
    security::Caller caller_;
    const std::unique_ptr<query::Session> session_;  // outlives the statements below
    std::string out_;
    bool flush_ = false;
    bool at_rest_ = true;
    bool ended_ = false;

    Mode mode_ = Mode::idle;
    bool skipping_ = false;  // after an error of the extended query, up to Sync
    bool implicit_ =
        false;  // the transaction around a message's or a pipeline's statements is ours
    std::optional<SimpleQuery> simple_;
    std::string_view current_sql_;  // for the action of a failure's audit record
    size_t current_offset_ = 0;     // of the statement in the client's text, in characters
    std::map<std::string, std::shared_ptr<Prepared>, std::less<>> statements_;
    std::map<std::string, std::shared_ptr<Portal>, std::less<>> portals_;

    std::shared_ptr<Portal> running_;
    std::chrono::steady_clock::time_point running_since_;
    uint64_t rows_max_ = 0;  // of this Execute; 0: all
    uint64_t rows_sent_ = 0;
    std::unique_ptr<query::CopyIn> copy_in_;
    std::unique_ptr<query::CopyOut> copy_out_;
    std::optional<CopyRows> copy_rows_;
    std::map<std::string, std::string> reported_;  // ParameterStatus, as the client knows it
};

}  // namespace tarn::postgres
