// SET, SET LOCAL, RESET, SHOW and DISCARD.
#include <fmt/format.h>

#include "query/internal/cursors.h"

namespace tarn::query {

/// The search path that DuckDB has follows.
void LakeSession::change_settings(const std::function<void(Settings&)>& change) {
    const auto path = settings_.get("search_path");
    change(settings_);
    SessionState::of(*connection_->context).reads_only = settings_.reads_only();
    if (settings_.get("search_path") != path)
        set_search_path(*connection_->context, settings_.search_path());
}

/// Outside of a transaction the statement was one: what it set for the transaction has ended.
void LakeSession::end_statement_settings() {
    if (state_ == TransactionState::idle && settings_.has_local())
        change_settings([](Settings& settings) { settings.commit(); });
}

/// Who has looked at the lake in a transaction that only reads does not let himself out.
Status LakeSession::change_setting(const std::function<Status(Settings&)>& change) {
    const bool bound = state_ == TransactionState::active && queried_ && settings_.reads_only();
    Status done;
    change_settings([&](Settings& settings) { done = change(settings); });
    if (done.ok() && bound && !settings_.reads_only())
        return Error{Code::precondition_failed,
                     "transaction read-write mode must be set before any query", "25001"};
    return done;
}

Status LakeSession::apply_setting(const std::string& name, const std::string& value,
                                  SettingScope scope) {
    return change_setting([&](Settings& settings) { return settings.set(name, value, scope); });
}

Status LakeSession::set_setting(const std::string& name, const std::string& value) {
    return apply_setting(name, value, SettingScope::session);
}

/// SET, SET LOCAL and RESET.
Status LakeSession::execute_set(const Utility& wanted, bool reset) {
    const auto scope = wanted.local ? SettingScope::transaction : SettingScope::session;
    if (wanted.local && state_ == TransactionState::idle)
        notices_.emplace_back("SET LOCAL can only be used in transaction blocks");
    Status done = change_setting([&](Settings& settings) -> Status {
        if (!reset) return settings.set(wanted.name, wanted.value, scope);
        if (!wanted.all) return settings.reset(wanted.name, scope);
        settings.reset_all();
        return {};
    });
    end_statement_settings();
    return done;
}

/// 25006 for what would change the lake where it is only to be read. Rows of temporary tables may
/// change: which tables are is known once the statement is bound.
Status LakeSession::check_read_only(const PreparedSql& statement, bool is_bound) {
    queried_ = queried_ || is_bound;
    if (!settings_.reads_only()) return {};
    const bool rows = changes_rows(statement.command_) || statement.command_ == Command::copy_in;
    const bool locks = statement.clauses.locks.wanted;
    if (!locks && !statement.utility.changes_rules() && !changes_names(statement.command_) &&
        (!rows || !is_bound || statement.changes_temporary))
        return {};
    const std::string& tag = statement.utility.tag;
    std::string command = !tag.empty() ? tag : tag_of(statement.command_, 0);
    command.erase(std::min(command.find(" 0"), command.size()));
    if (statement.command_ == Command::create_table_as) command = "CREATE TABLE AS";
    if (locks) command = "SELECT FOR UPDATE";
    return failed({Code::permission_denied,
                   fmt::format("cannot execute {} in a read-only transaction", command), "25006"});
}

Status LakeSession::discard(Utility::Discard what) {
    if (what == Utility::Discard::nothing) return {};
    if (what == Utility::Discard::temporary) return drop_temporary();
    auto& numbers = SessionState::of(*connection_->context).numbers;
    if (what == Utility::Discard::numbers) return numbers.forget(), Status();
    if (state_ != TransactionState::idle)
        return Error{Code::precondition_failed, "DISCARD ALL cannot run inside a transaction block",
                     "25001"};
    TARN_CHECK_OK(drop_temporary());
    change_settings([](Settings& settings) { settings.reset_all(); });
    cursors_.clear();
    named_.clear();
    numbers.forget();
    return {};
}

Result<std::unique_ptr<Cursor>> LakeSession::show(PreparedSql& statement) {
    std::vector<Chunk> chunks(1);
    if (statement.utility.all) {
        for (int i = 0; i < 3; ++i) chunks[0].columns.emplace_back(Kind::text);
        for (const auto& line : settings_.all()) {
            chunks[0].columns[0].append_text(line.name);
            chunks[0].columns[1].append_text(line.value);
            chunks[0].columns[2].append_text(line.description);
        }
    } else {
        const auto value = settings_.get(statement.utility.name);
        if (!value)
            return failed(
                {Code::not_found,
                 fmt::format("unrecognized configuration parameter \"{}\"", statement.utility.name),
                 "42704"});
        chunks[0].columns.emplace_back(Kind::text);
        chunks[0].columns[0].append_text(*value);
    }
    return std::unique_ptr<Cursor>(
        std::make_unique<FixedCursor>(statement.columns_, std::move(chunks), "SHOW"));
}

}  // namespace tarn::query
