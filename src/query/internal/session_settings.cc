// SET, SET LOCAL, RESET, SHOW and DISCARD.
#include <fmt/format.h>

#include "query/internal/cursors.h"

namespace tarn::query {

/// The search path that DuckDB has follows.
void LakeSession::change_settings(const std::function<void(Settings&)>& change) {
    const auto path = settings_.get("search_path");
    change(settings_);
    if (settings_.get("search_path") != path)
        set_search_path(*connection_->context, settings_.search_path());
}

/// Outside of a transaction the statement was one: what it set for the transaction has ended.
void LakeSession::end_statement_settings() {
    if (state_ == TransactionState::idle && settings_.has_local())
        change_settings([](Settings& settings) { settings.commit(); });
}

Status LakeSession::apply_setting(const std::string& name, const std::string& value,
                                  SettingScope scope) {
    Status done;
    change_settings([&](Settings& settings) { done = settings.set(name, value, scope); });
    return done;
}

Status LakeSession::set_setting(const std::string& name, const std::string& value) {
    return apply_setting(name, value, SettingScope::session);
}

/// SET, SET LOCAL and RESET.
Status LakeSession::execute_set(const Utility& wanted, bool reset) {
    const auto scope = wanted.local ? SettingScope::transaction : SettingScope::session;
    if (wanted.local && state_ == TransactionState::idle)
        notices_.emplace_back("SET LOCAL can only be used in transaction blocks");
    Status done;
    change_settings([&](Settings& settings) {
        if (!reset)
            done = settings.set(wanted.name, wanted.value, scope);
        else if (wanted.all)
            settings.reset_all();
        else
            done = settings.reset(wanted.name, scope);
    });
    end_statement_settings();
    return done;
}

Status LakeSession::discard(Utility::Discard what) {
    if (what == Utility::Discard::nothing) return {};
    if (what == Utility::Discard::temporary) return drop_temporary();
    if (state_ != TransactionState::idle)
        return Error{Code::precondition_failed, "DISCARD ALL cannot run inside a transaction block",
                     "25001"};
    TARN_CHECK_OK(drop_temporary());
    change_settings([](Settings& settings) { settings.reset_all(); });
    cursors_.clear();
    named_.clear();
    SessionState::of(*connection_->context).numbers.forget();
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
