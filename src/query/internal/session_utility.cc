// Statements that the session answers itself (Utility): who does what of them.
#include "query/internal/cursors.h"
#include "query/internal/session.h"

namespace tarn::query {

/// All of them or none.
Status LakeSession::run_parts(const std::vector<std::string>& statements) {
    const bool own = state_ == TransactionState::idle;
    if (own) TARN_CHECK_OK(begin(true));
    Status done;
    for (auto sql = statements.begin(); done.ok() && sql != statements.end(); ++sql)
        if (const auto ran = run(*sql, {}); !ran.ok()) done = ran.error();
    return end_own(own, std::move(done));
}

Result<std::unique_ptr<Cursor>> LakeSession::execute_utility(PreparedSql& statement) {
    if (statement.utility.savepoint != Utility::Savepoint::none)
        return execute_savepoint(statement);
    Status done;
    if (!statement.utility.parts.empty()) done = run_parts(statement.utility.parts);
    const Utility& wanted = statement.utility;
    std::string tag = wanted.tag.empty() ? tag_of(statement.command_, 0) : wanted.tag;
    if (!wanted.notice.empty()) notices_.push_back(wanted.notice);
    if (wanted.named == Utility::Named::prepare) done = keep_statement(wanted);
    if (wanted.named == Utility::Named::forget) forget_statements(wanted);
    if (wanted.changes_rules())
        done = change_rules(wanted);
    else if (!wanted.tables.empty())
        done = lock_tables(wanted);
    switch (statement.command_) {
        case Command::begin:
            done = begin(false);
            if (done.ok() && !wanted.name.empty())
                done = apply_setting(wanted.name, wanted.value, SettingScope::transaction);
            break;
        case Command::commit:
            if (state_ == TransactionState::failed) tag = "ROLLBACK";
            done = commit();
            break;
        case Command::rollback:
            done = rollback();
            break;
        case Command::set:
        case Command::reset:
            if (!wanted.tag.empty()) break;
            done = execute_set(statement.utility, statement.command_ == Command::reset);
            break;
        case Command::show:
            return show(statement);
        case Command::fetch:
            return execute_fetch(statement);
        case Command::declare_cursor:
            done = declare(statement.utility);
            break;
        case Command::close_cursor:
            done = close(statement.utility);
            break;
        case Command::discard:
            done = discard(statement.utility.discard);
            break;
        default:
            break;
    }
    if (!done.ok()) return failed(done.error());
    return std::unique_ptr<Cursor>(std::make_unique<FixedCursor>(
        std::vector<ResultColumn>{}, std::vector<Chunk>{}, std::move(tag)));
}

}  // namespace tarn::query
