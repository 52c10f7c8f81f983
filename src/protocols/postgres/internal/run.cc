// Running a statement: rows in pieces, its end, its failure, and what is recorded of it.
#include <array>

#include "base/ascii.h"
#include "protocols/postgres/internal/conversation.h"
#include "protocols/postgres/internal/errors.h"
#include "query/sqlstate.h"
#include "query/touched.h"

namespace tarn::postgres {

using query::Command;
using query::TransactionState;

namespace {

constexpr size_t kPieceBytes = 128 * 1024;
constexpr std::string_view kSelectForChange = "tarn:SelectForChange";

/// Their end is the end of the transaction around them; they never open one.
bool ends_or_begins(Command command) {
    return command == Command::begin || command == Command::commit || command == Command::rollback;
}

/// Statements that read rows. Changes are recorded with their commit; what they read on the way is not in that record.
std::string_view read_action(Command command) {
    switch (command) {
        case Command::insert:
        case Command::update:
        case Command::remove:
        case Command::merge:
        case Command::create_table_as:
            return kSelectForChange;
        case Command::select:
        case Command::declare_cursor:
            return "tarn:Select";
        case Command::copy_out:
            return "tarn:CopyOut";
        case Command::explain:
            return "tarn:Explain";
        default:
            return {};
    }
}

/// The action of a statement that failed, when not even its kind may be known.
std::string_view action_of(std::string_view sql) {
    struct Word {
        std::string_view word, action;
    };
    static constexpr std::array<Word, 12> kWords = {{{"select", "tarn:Select"},
                                                     {"with", "tarn:Select"},
                                                     {"copy", "tarn:Copy"},
                                                     {"insert", "tarn:Insert"},
                                                     {"update", "tarn:Update"},
                                                     {"delete", "tarn:Delete"},
                                                     {"truncate", "tarn:Delete"},
                                                     {"merge", "tarn:Merge"},
                                                     {"create", "tarn:Create"},
                                                     {"drop", "tarn:Drop"},
                                                     {"alter", "tarn:Alter"},
                                                     {"explain", "tarn:Explain"}}};
    std::string first;
    for (const char c : sql) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !first.empty()) break;
        if (letter) first.push_back(static_cast<char>(c | 0x20));
        if (first.size() > 8) break;
    }
    for (const auto& [word, action] : kWords)
        if (first == word) return action;
    return "tarn:Query";
}

/// What PostgreSQL reports by itself: our names for them are lower case.
constexpr std::array<const char*, 7> kReported = {
    "application_name", "DateStyle",    "default_transaction_read_only",
    "IntervalStyle",    "is_superuser", "standard_conforming_strings",
    "TimeZone"};

}  // namespace

Result<std::shared_ptr<Conversation::Prepared>> Conversation::prepare(
    std::string_view sql, const std::vector<std::optional<query::Type>>* types) {
    auto prepared = std::make_shared<Prepared>();
    prepared->sql = sql;
    if (query::split_statements(sql).empty()) return prepared;
    TARN_TRY(statement,
             types != nullptr ? session_->prepare(sql, *types) : session_->prepare_once(sql));
    if (statement->command() != Command::empty) prepared->statement = std::move(statement);
    return prepared;
}

Status Conversation::run(std::shared_ptr<Portal> portal, bool alone, uint64_t rows_max) {
    const Command command = portal->command();
    if (!alone && !implicit_ && !ends_or_begins(command) &&
        session_->transaction_state() == TransactionState::idle) {
        TARN_CHECK_OK(session_->begin(true));
        implicit_ = true;
    }
    running_ = std::move(portal);
    running_since_ = door_.parts.clock.steady();
    rows_max_ = rows_max;
    rows_sent_ = 0;
    if (command == Command::copy_in) return begin_copy_in();
    if (command == Command::copy_out) return begin_copy_out();
    return run_cursor();
}

Status Conversation::run_cursor() {
    auto& statement = *running_->prepared->statement;
    const bool described = !running_->describe;
    TARN_TRY(cursor, session_->execute(statement, running_->parameters));
    running_->cursor = std::move(cursor);
    TARN_CHECK_OK(audit_read(statement.command()));
    if (statement.returns_rows()) {
        const auto& columns = running_->cursor->columns();
        const auto same_type = [](const auto& a, const auto& b) { return a.type == b.type; };
        if (described && !std::equal(columns.begin(), columns.end(), statement.columns().begin(),
                                     statement.columns().end(), same_type))
            return Error(Code::conflict, "cached plan must not change result type", "0A000");
        if (!described) append_row_description(out_, columns, running_->formats);
        mode_ = Mode::rows;
        return ok_status();
    }
    for (;;) {
        TARN_TRY(rows, running_->cursor->next());
        if (!rows) break;
    }
    complete(running_->cursor->tag());
    return ok_status();
}

/// A piece of the rows, up to Execute's limit.
Status Conversation::send_rows() {
    Portal& portal = *running_;
    if (!portal.rows) {
        TARN_TRY(rows, portal.cursor->next());
        if (!rows) {
            // After a suspension the tag counts what this Execute sent.
            complete(portal.suspended ? "SELECT " + std::to_string(rows_sent_)
                                      : portal.cursor->tag());
            return ok_status();
        }
        TARN_CHECK_OK(check_formats(*rows, portal.formats));
        portal.rows = std::move(*rows);
        portal.row_at = 0;
    }
    const size_t begin = out_.size();
    while (portal.row_at < portal.rows->rows() && out_.size() - begin < kPieceBytes) {
        append_data_row(out_, *portal.rows, portal.row_at++, portal.formats);
        if (++rows_sent_ != rows_max_) continue;
        if (portal.row_at == portal.rows->rows()) portal.rows.reset();
        portal.suspended = true;
        append_empty(out_, 's');
        end_statement();
        return ok_status();
    }
    if (portal.row_at == portal.rows->rows()) portal.rows.reset();
    return ok_status();
}

void Conversation::complete(const std::string& tag) {
    const Command command = running_->command();
    if (ends_or_begins(command)) implicit_ = false;
    for (const auto& notice : session_->take_notices()) append_notice(out_, notice);
    if (command == Command::set || command == Command::reset || command == Command::discard ||
        ends_or_begins(command))
        report_settings();
    if (command == Command::discard) forget_statements(running_->prepared->sql);
    append_command_complete(out_, tag);
    running_->done = true;
    running_->cursor.reset();
    door_.count(true, running_since_);
    end_statement();
}

void Conversation::end_statement() {
    mode_ = Mode::idle;
    running_.reset();
    copy_in_.reset();
    copy_out_.reset();
    copy_rows_.reset();
}

void Conversation::report_settings() {
    for (const char* name : kReported) {
        auto value = session_->setting(lower_ascii(name));
        if (!value) continue;
        const auto [known, first] = reported_.try_emplace(name);
        if (!first && known->second == *value) continue;
        append_parameter_status(out_, name, *value);
        known->second = std::move(*value);
    }
}

/// Nothing of an implicit transaction stays. A simple query ends here; of an extended one the rest
/// is skipped up to Sync.
void Conversation::fail(const Error& error) {
    const uint32_t position = session_->error_position();
    const bool parsing = !current_sql_.empty() && position > 0;
    for (const auto& notice : session_->take_notices()) append_notice(out_, notice);
    append_error(out_, Severity::error, error,
                 parsing ? position + static_cast<uint32_t>(current_offset_) : 0);
    audit_failure(error);
    if (running_) {
        running_->done = true;
        running_->cursor.reset();
    }
    door_.count(false, running_ ? running_since_ : door_.parts.clock.steady());
    end_statement();
    if (std::exchange(implicit_, false)) (void)session_->rollback();
    current_sql_ = {};
    const bool simple = simple_.has_value();
    simple_.reset();
    if (simple)
        ready();
    else
        skipping_ = true;
}

Status Conversation::audit_read(Command command) {
    const auto action = read_action(command);
    if (action.empty() || door_.parts.audit == nullptr) return ok_status();
    security::Caller caller = caller_;
    caller.resource = query::touched_resources(*session_, caller_.resource);
    if (action == kSelectForChange && caller.resource == caller_.resource) return ok_status();
    caller.action = action;
    caller.at = door_.parts.clock.now();
    return door_.parts.audit->record(caller, {});
}

/// The answer is an error already: a record that finds no room changes nothing of that.
void Conversation::audit_failure(const Error& error) {
    if (door_.parts.audit == nullptr) return;
    caller_.action = action_of(running_ ? std::string_view(running_->prepared->sql) : current_sql_);
    caller_.at = door_.parts.clock.now();
    auto result = security::AuditResult::of(Status(error));
    result.error_code = query::sqlstate_of(error);
    (void)door_.parts.audit->record(caller_, result);
}

}  // namespace tarn::postgres
