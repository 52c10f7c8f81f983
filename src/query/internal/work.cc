#include "query/work.h"

#include "query/internal/session.h"

namespace tarn::query {

namespace {

LakeSession& ours(Session& session) {
    return static_cast<LakeSession&>(session);
}

/// Runs inside the session's open transaction.
Status inside(Session& given, const std::function<void(LakeTransaction&)>& work) {
    auto& session = ours(given);
    if (session.transaction_state() != TransactionState::active)
        return Error{Code::precondition_failed, "there is no transaction in progress", "25P01"};
    TARN_CHECK_OK(session.settle_open_cursor());
    const RunningCall call(session);
    auto& context = *session.connection().context;
    try {
        context.RunFunctionInTransaction(
            [&] {
                auto& lake = duck::Catalog::GetCatalog(context, kLake);
                work(LakeTransaction::of(context, lake));
            },
            false);
    } catch (const std::exception& problem) {
        return session.failed(duck::ErrorData(problem), nullptr, nullptr);
    }
    return {};
}

tables::TablePtr table_named(LakeTransaction& transaction, const std::string& database,
                             const std::string& name) {
    auto* schema = transaction.find_schema(database);
    auto* entry = schema ? transaction.find_relation(
                               *schema, {duck::CatalogType::TABLE_ENTRY, duck::string(name)})
                         : nullptr;
    if (!entry || entry->type != duck::CatalogType::TABLE_ENTRY)
        throw_error({Code::not_found, "table " + database + "." + name + " does not exist",
                     "42P01"});
    return entry->Cast<LakeTable>().state();
}

}  // namespace

Status begin_at(Session& session, const tables::CatalogSnapshot& state) {
    if (session.transaction_state() != TransactionState::idle)
        return Error{Code::precondition_failed, "there is already a transaction in progress",
                     "25001"};
    TARN_CHECK_OK(session.begin());
    return inside(session, [&](LakeTransaction& transaction) { transaction.read_at(state); });
}

Status set_time_zone(Session& session, const std::string& name) {
    auto& context = *ours(session).connection().context;
    duck::optional_ptr<const duck::ConfigurationOption> option;
    const auto index = duck::DBConfig::GetConfig(context).TryGetSettingIndex("TimeZone", option);
    if (!index.IsValid())
        return Error{Code::unimplemented, "the engine knows no time zones", "0A000"};
    auto& settings = duck::ClientConfig::GetConfig(context).user_settings;
    settings.SetUserSetting(index.GetIndex(), duck::Value(name));
    // An unknown name shows when it is first used.
    const auto tried = session.query("select timestamptz 'epoch'::date");
    if (tried.ok()) return {};
    settings.ClearSetting(index.GetIndex());
    return Error{Code::invalid_argument, "\"" + name + "\" is not a time zone", "22023"};
}

Status read_only_files(Session& session, const std::string& database, const std::string& table,
                       std::optional<std::vector<tables::ScanTask>> files) {
    return inside(session, [&](LakeTransaction& transaction) {
        transaction.read_only(table_named(transaction, database, table), std::move(files));
    });
}

Result<std::vector<tables::ScanTask>> own_files(Session& session, const std::string& database,
                                                const std::string& table) {
    std::vector<tables::ScanTask> files;
    TARN_CHECK_OK(inside(session, [&](LakeTransaction& transaction) {
        for (auto& file : transaction.pending_files(table_named(transaction, database, table)))
            files.push_back({std::move(file), 0, {}});
    }));
    return files;
}

Status forget_files(Session& session, const std::string& database, const std::string& table,
                    const std::vector<tables::ScanTask>& files) {
    std::set<std::string> paths;
    for (const auto& task : files) paths.insert(task.file->path);
    return inside(session, [&](LakeTransaction& transaction) {
        transaction.forget(table_named(transaction, database, table), paths);
    });
}

Status remove_all_rows(Session& session, const std::string& database, const std::string& table) {
    return inside(session, [&](LakeTransaction& transaction) {
        transaction.clear(table_named(transaction, database, table));
    });
}

Result<TakenChanges> take_changes(Session& session) {
    Result<std::vector<tables::TableChange>> changes(std::vector<tables::TableChange>{});
    TakenChanges taken;
    TARN_CHECK_OK(inside(session, [&](LakeTransaction& transaction) {
        changes = transaction.take_changes(*ours(session).connection().context);
        taken.extra = transaction.take_extra();
    }));
    static_cast<void>(session.rollback());
    if (!changes.ok()) return std::move(changes).error();
    taken.changes = std::move(*changes);
    return taken;
}

}  // namespace tarn::query
