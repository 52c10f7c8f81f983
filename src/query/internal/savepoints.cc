// SAVEPOINT, RELEASE and ROLLBACK TO. DuckDB knows none, and after an error its transaction is good for nothing: going back ends it and
// begins another, in which ours goes on with the changes that it had.
#include <fmt/format.h>

#include "query/internal/cursors.h"
#include "query/internal/temporary.h"
#include "query/internal/writer.h"

namespace tarn::query {

LakeTransaction::Changes LakeTransaction::save() {
    const std::lock_guard names(names_mutex_);
    const std::lock_guard<std::mutex> lock(mutex_);
    saved_ = true;
    return {pending_, created_, dropped_, created_databases_, dropped_databases_, extra_};
}

LakeTransaction::Remains LakeTransaction::leave(Changes changes) {
    const std::lock_guard names(names_mutex_);
    const std::lock_guard<std::mutex> lock(mutex_);
    std::set<std::string> kept;
    for (const auto& [uuid, table] : changes.pending)
        for (const auto& file : table.appended) kept.insert(file->path);
    std::vector<tables::DataFile> since;
    for (const auto& [uuid, table] : pending_)
        for (const auto& file : table.appended)
            if (!kept.contains(file->path)) since.push_back(*file);
    remove_files_quietly(services_, since);
    std::erase_if(left_, [&](const tables::DataFile& file) { return kept.contains(file.path); });
    Remains out{std::move(changes), snapshot_, std::move(turns_), std::move(left_)};
    pending_.clear();
    left_.clear();
    extra_ = {};
    return out;
}

void LakeTransaction::go_on(Remains remains) {
    const std::lock_guard names(names_mutex_);
    const std::lock_guard<std::mutex> lock(mutex_);
    saved_ = true;
    snapshot_ = std::move(remains.snapshot);
    turns_ = std::move(remains.turns);
    left_ = std::move(remains.left);
    pending_ = std::move(remains.changes.pending);
    created_ = std::move(remains.changes.created);
    dropped_ = std::move(remains.changes.dropped);
    created_databases_ = std::move(remains.changes.created_databases);
    dropped_databases_ = std::move(remains.changes.dropped_databases);
    extra_ = std::move(remains.changes.extra);
}

LakeTransaction& LakeSession::lake_transaction() {
    auto& context = *connection_->context;
    return LakeTransaction::of(context, duck::Catalog::GetCatalog(context, kLake));
}

Status LakeSession::savepoint(const Utility& wanted) {
    constexpr size_t kSavepointsMax = 1'000;
    using Step = Utility::Savepoint;
    const char* what = wanted.savepoint == Step::make      ? "SAVEPOINT"
                       : wanted.savepoint == Step::release ? "RELEASE SAVEPOINT"
                                                           : "ROLLBACK TO SAVEPOINT";
    if (state_ == TransactionState::idle || implicit_)
        return Error{Code::precondition_failed, fmt::format("{} can only be used in transaction blocks", what), "25P01"};
    if (wanted.savepoint == Step::make) {
        if (savepoints_.size() >= kSavepointsMax)
            return Error{Code::exhausted, fmt::format("a transaction has at most {} savepoints", kSavepointsMax), "54000"};
        TARN_CHECK_OK(settle_open_cursor());
        savepoints_.push_back({wanted.name, lake_transaction().save(), settings_.save(),
                               temporary_changes_, copy_temporary()});
        return {};
    }
    auto found = savepoints_.end();
    for (auto at = savepoints_.begin(); at != savepoints_.end(); ++at)
        if (at->name == wanted.name) found = at;  // the newest of that name
    if (found == savepoints_.end())
        return Error{Code::not_found, fmt::format("savepoint \"{}\" does not exist", wanted.name), "3B001"};
    if (wanted.savepoint == Step::release) {
        savepoints_.erase(found, savepoints_.end());
        return {};
    }
    if (open_cursor_) std::exchange(open_cursor_, nullptr)->abandon();
    end_cursors(false);
    state_ = TransactionState::failed;  // until all of it is done
    auto remains = lake_transaction().leave(found->changes);
    change_settings([&](Settings& settings) { settings.go_back(found->settings); });
    savepoints_.erase(std::next(found), savepoints_.end());
    connection_->Rollback();
    begin_transaction();
    if (found->temporary) restore_temporary(*connection_, *found->temporary);
    temporary_changes_ = found->temporary_changes;
    lake_transaction().go_on(std::move(remains));
    state_ = TransactionState::active;
    return {};
}

Result<std::unique_ptr<Cursor>> LakeSession::execute_savepoint(PreparedSql& statement) {
    try {
        const Status done = savepoint(statement.utility);
        if (!done.ok()) return failed(done.error());
    } catch (const std::exception& problem) {
        return failed(duck::ErrorData(problem), nullptr, nullptr);
    }
    const auto step = statement.utility.savepoint;
    std::string tag = step == Utility::Savepoint::make ? "SAVEPOINT" : step == Utility::Savepoint::release ? "RELEASE" : "ROLLBACK";
    return std::unique_ptr<Cursor>(
        std::make_unique<FixedCursor>(std::vector<ResultColumn>{}, std::vector<Chunk>{}, std::move(tag)));
}

}  // namespace tarn::query
