#include "app/lake.h"

#include <thread>

#include "app/archive_settings.h"
#include "base/log.h"
#include "base/random.h"
#include "meta/keys.h"
#include "tables/maintenance.h"

namespace tarn::app {
namespace {

constexpr std::string_view kDefaultDatabase = "main";
constexpr auto kSnapshotAge = std::chrono::hours(24 * 5);

}  // namespace

Result<std::unique_ptr<Lake>> Lake::open(const Settings& settings) {
    std::unique_ptr<Lake> lake(new Lake);
    TARN_TRY(folder, DataFolder::take(settings.data));
    lake->folder = std::move(folder);
    lake->background = std::make_unique<Lane>(LaneOptions{"background", 2, 4096});
    TARN_CHECK_OK(lake->open_state(settings));
    TARN_CHECK_OK(lake->open_security(settings));
    TARN_CHECK_OK(lake->open_objects(settings));
    TARN_CHECK_OK(lake->open_tables(settings));
    return lake;
}

Status Lake::open_state(const Settings&) {
    meta::LocalStoreOptions options;
    options.directory = folder->file("state");
    TARN_TRY(existed, disk.exists(options.directory));
    first_start = !existed;
    TARN_TRY(opened_keyring, security::Keyring::open(disk, folder->path(), existed));
    keyring = std::move(opened_keyring);
    TARN_TRY(opened, meta::LocalStore::open(disk, clock, metrics, options));
    store = std::move(opened);
    return ok_status();
}

Status Lake::open_security(const Settings& settings) {
    TARN_TRY(opened, security::Users::open(*store, *keyring, clock));
    users = std::move(opened);
    TARN_TRY(root, users->ensure_root());
    credentials_file = folder->file("root.credentials");
    // Without a database the start that made the key did not come to its end.
    TARN_TRY(written, disk.exists(credentials_file));
    const bool finished = store->scan({"td/", meta::prefix_end("td/")})->valid();
    if (root.created || (!written && !finished)) {
        TARN_CHECK_OK(users->write_credentials_file(disk, credentials_file));
        log_info("app", "the root key is in a file that only you can read",
                 {{"file", credentials_file}});
    }
    security::AuditOptions options;
    options.keep_time = std::chrono::hours(24 * settings.audit_keep_days);
    audit = std::make_unique<security::AuditTrail>(*store, clock, metrics, options);
    audit->start();
    security::AuditChainOptions chain;
    chain.account_id = users->account_id();
    if (!settings.audit_anchor.empty()) {
        archive::Place place;
        place.to = settings.audit_anchor;
        place.endpoint = settings.audit_anchor_endpoint;
        place.region = settings.audit_anchor_region;
        place.ca_file = settings.audit_anchor_ca_file;
        TARN_CHECK_OK(
            read_destination_key(settings.audit_anchor_credentials_file, kAnchorKeyPrefix, place));
        TARN_TRY(anchor, open_anchor(disk, clock, place, &end_anchor));
        chain.anchor = std::move(anchor);
    }
    const bool anchored = chain.anchor != nullptr;
    TARN_TRY(opened_chain, security::AuditChain::open(*store, *keyring, clock, metrics, chain));
    audit_chain = std::move(opened_chain);
    if (anchored) anchor_keeper = std::make_unique<AnchorKeeper>(*audit_chain, end_anchor);
    TARN_TRY(opened_usage, security::AuditUsage::open(*store, clock));
    audit_usage = std::move(opened_usage);
    authenticator = std::make_unique<security::Authenticator>(*users, clock);
    authorizer = std::make_unique<security::Authorizer>(*users);
    security::SessionOptions session;
    session.session_lifetime = std::chrono::seconds(settings.session_seconds);
    session.idle_timeout = std::chrono::seconds(settings.session_idle_seconds);
    sessions = std::make_unique<security::Sessions>(*store, *users, clock, session);
    streams = std::make_unique<streams::Streams>(*store, clock, metrics);
    return ok_status();
}

Status Lake::open_objects(const Settings& settings) {
    objects::LocalBytesOptions extents;
    extents.directory = folder->file("extents");
    extents.lake_id = store->lake_id();
    TARN_TRY(opened_bytes, objects::open_local_bytes(disk, *store, metrics, extents));
    bytes = std::move(opened_bytes);
    objects::ObjectStoreOptions options;
    options.region = settings.region;
    options.audit = audit.get();
    options.background = background.get();
    TARN_TRY(opened, objects::ObjectStore::open(*store, *bytes, clock, metrics, options));
    objects = std::move(opened);
    return ok_status();
}

Status Lake::open_tables(const Settings& settings) {
    files = std::make_unique<tables::ObjectFiles>(*objects, system_caller());
    tables::CatalogOptions catalog_options;
    catalog_options.audit = audit.get();
    catalog = std::make_unique<tables::Catalog>(*store, *files, clock, catalog_options);
    committer = std::make_unique<tables::Committer>(*catalog, metrics);
    tables::CreateDatabase main;
    main.name = kDefaultDatabase;
    main.if_absent = true;
    auto by = system_caller();
    by.action = "tarn:Create";
    by.resource =
        "arn:aws:tarn:" + settings.region + ":" + users->account_id() + ":database/" + main.name;
    TARN_CHECK_OK(catalog->create_database(by, main));
    TARN_TRY(opened_grants,
             govern::Grants::open(*store, *users, *authorizer, *catalog, settings.region));
    grants = std::move(opened_grants);
    query::EngineOptions options;
    const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    options.threads =
        settings.sql_threads == 0 ? cores : static_cast<unsigned>(settings.sql_threads);
    options.memory_bytes = settings.sql_memory_mb << 20;
    options.temporary_session_bytes = settings.sql_temporary_mb << 20;
    options.temp_directory = folder->file("spill");
    options.statement_timeout = std::chrono::hours(1);  // SET statement_timeout changes it
    options.sessions_max = 1'600;  // more than any one door's connections: the doors share them
    TARN_TRY(opened, query::Engine::open(
                         options, {*objects, *catalog, *committer, *grants, clock, metrics}));
    engine = std::move(opened);
    dashboards = std::make_unique<dashboards::Dashboards>(
        dashboards::Parts{*engine, *catalog, *grants, clock});
    return ok_status();
}

void Lake::close() {
    streams->stop();
    background->stop();
    const Status flushed = audit->stop();
    if (!flushed.ok())
        log_error("app", "audit records were lost", {{"why", flushed.error().message}});
    const auto signed_now = audit_chain->sign();
    if (!signed_now.ok())
        log_error("app", "the newest audit records are not signed",
                  {{"why", signed_now.error().message}});
    if (anchor_keeper) anchor_keeper->finish();
}

security::Caller Lake::system_caller() const {
    security::Caller caller;
    caller.principal.kind = security::Principal::Kind::system;
    caller.principal.name = "tarn";
    caller.principal.arn = "arn:aws:iam::" + users->account_id() + ":system/tarn";
    caller.request_id = random_hex(8);
    caller.door = "internal";
    caller.at = clock.now();
    return caller;
}

namespace {

Status expire_table(Lake& lake, const tables::RelationInfo& relation) {
    const auto caller = lake.system_caller();
    TARN_TRY(table, lake.catalog->snapshot().load_table(relation));
    tables::ExpireOptions expire;
    expire.older_than = caller.at.plus(-kSnapshotAge);
    TARN_CHECK_OK(tables::expire_snapshots(*lake.catalog, *lake.committer, caller, table, expire));
    return ok_status();
}

}  // namespace

Status expire_tables(Lake& lake) {
    const auto state = lake.catalog->snapshot();
    TARN_TRY(databases, state.databases());
    for (const auto& database : databases) {
        TARN_TRY(relations, state.relations(database.name));
        for (const auto& relation : relations) {
            if (relation.kind != tables::RelationKind::table) continue;
            const Status done = expire_table(lake, relation);
            if (!done.ok() && done.error().code != Code::not_found)
                log_warning("app", "a table was not maintained",
                            {{"table", relation.full_name()}, {"why", done.error().message}});
        }
    }
    TARN_CHECK_OK(lake.catalog->purge());
    return ok_status();
}

}  // namespace tarn::app
