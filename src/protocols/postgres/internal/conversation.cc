#include "protocols/postgres/internal/conversation.h"

#include <algorithm>

#include "protocols/postgres/internal/errors.h"

namespace tarn::postgres {

using query::TransactionState;

namespace {

Error not_utf8() {
    return Error(Code::invalid_argument, "invalid byte sequence for encoding \"UTF8\"", "22021");
}

size_t characters(std::string_view text) {
    return static_cast<size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

}  // namespace

Conversation::Conversation(const Door::Shared& door, std::unique_ptr<query::Session> session,
                           security::Caller caller)
    : door_(door), caller_(std::move(caller)), session_(std::move(session)) {}

void Conversation::greet(int32_t process_id, std::string_view key) {
    append_parameter_status(out_, "server_version", door_.options.server_version);
    append_parameter_status(out_, "server_encoding", "UTF8");
    append_parameter_status(out_, "client_encoding", "UTF8");
    append_parameter_status(out_, "integer_datetimes", "on");
    append_parameter_status(out_, "in_hot_standby", "off");
    append_parameter_status(out_, "session_authorization", session_->principal().name);
    report_settings();
    append_backend_key(out_, process_id, key);
    ready();
}

void Conversation::handle(const Message& message, char next_type) {
    if (message.type == 'X') {
        ended_ = true;
        return;
    }
    if (mode_ == Mode::copy_in) return handle_copy(message);
    if (skipping_ && message.type != 'S') return;
    at_rest_ = false;
    current_sql_ = {};
    current_offset_ = 0;
    handle_idle(message, next_type);
}

void Conversation::handle_idle(const Message& message, char next_type) {
    switch (message.type) {
        case 'Q':
            return start_simple(message);
        case 'S':
            return sync();
        case 'H':
            flush_ = true;
            return;
        case 'F':
            fail(Error(Code::unimplemented, "the function call message is not supported", "0A000"));
            skipping_ = false;
            return ready();
        case 'd':
        case 'c':
        case 'f':
            return;  // of a COPY that has failed: the client did not know yet
        default:
            break;
    }
    const Status done = dispatch_extended(message, next_type);
    if (!done.ok()) fail(done.error());
}

Status Conversation::dispatch_extended(const Message& message, char next_type) {
    switch (message.type) {
        case 'P':
            return parse(message);
        case 'B':
            return bind(message);
        case 'D':
            return describe(message);
        case 'E':
            return execute(message, next_type);
        case 'C':
            return close(message);
        default:
            return Error(Code::invalid_argument, "unexpected message", "08P01");
    }
}

void Conversation::step() {
    if (mode_ == Mode::idle) return step_simple();
    const Status done = mode_ == Mode::rows ? send_rows() : send_copy();
    if (!done.ok()) fail(done.error());
}

void Conversation::interrupt() {
    if (!working() && mode_ != Mode::copy_in) return;
    fail(Error(Code::cancelled, "canceling statement due to user request", "57014"));
}

void Conversation::start_simple(const Message& message) {
    statements_.erase("");
    portals_.erase("");
    simple_ = SimpleQuery{{}, {}, 0};
    const auto sql = parse_text(message.body);
    if (!sql.ok()) return fail(sql.error());
    if (!is_utf8(*sql)) return fail(not_utf8());
    simple_->sql = *sql;
    simple_->statements = query::split_statements(simple_->sql);
    if (simple_->statements.empty()) append_empty(out_, 'I');
}

/// The next statement, or the end of the message.
void Conversation::step_simple() {
    Status done;
    if (simple_->next < simple_->statements.size()) {
        done = run_simple(simple_->statements[simple_->next++]);
        if (!done.ok()) fail(done.error());
        return;
    }
    current_sql_ = {};
    if (std::exchange(implicit_, false)) done = session_->commit();
    if (!done.ok()) return fail(done.error());
    simple_.reset();
    ready();
}

Status Conversation::run_simple(const query::StatementText& text) {
    current_sql_ = text.sql;
    current_offset_ = characters(std::string_view(simple_->sql).substr(0, text.offset));
    auto portal = std::make_shared<Portal>();
    TARN_TRY(prepared, prepare(text.sql, nullptr));
    portal->prepared = std::move(prepared);
    portal->describe = true;
    if (!portal->prepared->statement) {
        append_empty(out_, 'I');
        return ok_status();
    }
    if (!portal->prepared->statement->parameters().empty())
        return Error(Code::invalid_argument, "there is no parameter $1", "42P02");
    return run(std::move(portal), simple_->statements.size() == 1, 0);
}

void Conversation::sync() {
    skipping_ = false;
    if (std::exchange(implicit_, false)) {
        const Status committed = session_->commit();
        if (!committed.ok()) append_error(out_, Severity::error, committed.error());
    }
    ready();
}

/// Portals live as long as their transaction.
void Conversation::ready() {
    if (session_->transaction_state() != TransactionState::active) portals_.clear();
    append_ready(out_, session_->transaction_state());
    flush_ = true;
    at_rest_ = true;
}

}  // namespace tarn::postgres
