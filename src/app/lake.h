// The lake without its doors: state, security, objects, tables, SQL; built in order, destroyed in
// reverse.
#pragma once

#include <memory>
#include <string>

#include "app/audit_anchor.h"
#include "app/data_folder.h"
#include "app/settings.h"
#include "base/lane.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "dashboards/dashboards.h"
#include "govern/grants.h"
#include "io/disk.h"
#include "meta/store.h"
#include "objects/bytes.h"
#include "objects/store.h"
#include "query/engine.h"
#include "security/audit.h"
#include "security/audit_chain.h"
#include "security/audit_usage.h"
#include "security/authenticator.h"
#include "security/authorizer.h"
#include "security/keyring.h"
#include "security/sessions.h"
#include "security/users.h"
#include "streams/streams.h"
#include "tables/catalog.h"
#include "tables/commit.h"
#include "tables/object_files.h"

namespace tarn::app {

/// Members stand in the order in which they are built. Owner: Server.
struct Lake {
    /// Takes the data folder, replays the log, makes the root key at the first start.
    static Result<std::unique_ptr<Lake>> open(const Settings& settings);
    /// Call once nobody asks any more and the lanes have ended: commits what the audit trail still
    /// holds.
    void close();

    /// Whom the server's own work is recorded for.
    security::Caller system_caller() const;

    SystemClock clock;
    Metrics metrics;
    io::RealDisk disk;
    std::unique_ptr<Lane> background;
    std::unique_ptr<DataFolder> folder;
    std::unique_ptr<security::Keyring> keyring;
    std::unique_ptr<meta::LocalStore> store;
    std::unique_ptr<security::Users> users;
    std::unique_ptr<security::AuditTrail> audit;
    std::atomic<bool> end_anchor{false};
    std::unique_ptr<security::AuditChain> audit_chain;
    std::unique_ptr<AnchorKeeper> anchor_keeper;  // null: the trail has no anchor
    std::unique_ptr<security::AuditUsage> audit_usage;
    std::unique_ptr<security::Authenticator> authenticator;
    std::unique_ptr<security::Authorizer> authorizer;
    std::unique_ptr<security::Sessions> sessions;
    std::unique_ptr<streams::Streams> streams;
    std::unique_ptr<objects::BytesBackend> bytes;
    std::unique_ptr<objects::ObjectStore> objects;
    std::unique_ptr<tables::ObjectFiles> files;
    std::unique_ptr<tables::Catalog> catalog;
    std::unique_ptr<tables::Committer> committer;
    std::unique_ptr<govern::Grants> grants;
    std::unique_ptr<query::Engine> engine;
    std::unique_ptr<dashboards::Dashboards> dashboards;
    std::string credentials_file;
    bool first_start = false;

 private:
    Lake() = default;
    Status open_state(const Settings& settings);
    Status open_security(const Settings& settings);
    Status open_objects(const Settings& settings);
    Status open_tables(const Settings& settings);
};

/// One round over all tables: snapshots that are over expire, files that nothing needs go. Lane:
/// background.
Status expire_tables(Lake& lake);

}  // namespace tarn::app
