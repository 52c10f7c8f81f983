// The HTTP door: health, metrics, and the API under /api/v1 that `tarn` the command line and the
// console use. /healthz and /readyz answer anyone with one word; everything else is authenticated
// (SigV4 with service "tarn", HTTP Basic with an access key, or a console session's cookie),
// authorised and audited. docs/api.md is the reference; internal/routes.cc the table.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/metrics.h"
#include "base/time.h"
#include "govern/grants.h"
#include "protocols/admin/lake_verdict.h"
#include "protocols/http/server.h"
#include "query/engine.h"
#include "security/audit.h"
#include "security/authenticator.h"
#include "security/authorizer.h"
#include "security/sessions.h"
#include "security/users.h"
#include "streams/streams.h"

namespace tarn::archive {
class Archive;
}
namespace tarn::dashboards {
class Dashboards;
class EmbedLinks;
}  // namespace tarn::dashboards
namespace tarn::events {
class Alerts;
}
namespace tarn::flows {
class Graph;
}
namespace tarn::ingest {
class Sources;
class Verifications;
}  // namespace tarn::ingest
namespace tarn::lakefile {
class Applier;
}
namespace tarn::models {
class Registry;
}
namespace tarn::query {
class Queries;
}
namespace tarn::security {
class AuditChain;
class AuditUsage;
class Secrets;
}  // namespace tarn::security
namespace tarn::tables {
class Catalog;
class Committer;
}  // namespace tarn::tables

namespace tarn::admin {

class LiveStreams;

/// What /api/v1/status says of the server; made by wiring, which knows all parts.
struct ServerStatus {
    std::string version;
    std::string lake_id;
    Timestamp started;
    bool ready = false;
    std::string not_ready_because;  // empty when ready
    std::string warning;  // empty, or what an operator has to see to although the server is ready
    uint64_t buckets = 0, objects = 0, object_bytes = 0;
    uint64_t log_version = 0;
    std::map<std::string, std::string> doors;  // name -> address
};

/// Everything outlives the door.
struct DoorParts {
    security::Users* users = nullptr;
    security::Sessions* sessions = nullptr;
    const security::Authenticator* authenticator = nullptr;
    const security::Authorizer* authorizer = nullptr;
    security::AuditTrail* audit = nullptr;
    security::AuditChain* audit_chain = nullptr;
    security::AuditUsage* audit_usage = nullptr;
    meta::Store* store = nullptr;  // with audit_chain
    govern::Grants* grants = nullptr;
    query::Engine* engine = nullptr;
    tables::Catalog* catalog = nullptr;
    tables::Committer* committer = nullptr;  // with catalog
    query::Queries* queries = nullptr;
    streams::Streams* streams = nullptr;
    dashboards::Dashboards* dashboards = nullptr;
    dashboards::EmbedLinks* embeds = nullptr;
    lakefile::Applier* applier = nullptr;
    security::Secrets* secrets = nullptr;  // with applier
    ingest::Sources* sources = nullptr;
    ingest::Verifications* verifications = nullptr;  // with sources
    flows::Graph* graph = nullptr;
    models::Registry* models = nullptr;
    events::Alerts* alerts = nullptr;
    LiveStreams* live = nullptr;
    archive::Archive* archive = nullptr;
    Metrics* metrics = nullptr;
    const Clock* clock = nullptr;
    std::function<ServerStatus()> status;
    std::function<Status()> verify_lake;  // in the background; conflict: one goes on
    std::function<std::optional<LakeVerdict>()> lake_verdict;  // with verify_lake
    std::string region = "us-east-1";
};

/// Lane: the handler blocks; give it to an http::Service.
http::Handler make_handler(DoorParts parts);
/// Answers of the HTTP layer (busy, malformed) in the API's form.
http::Response refuse(const http::Refusal& refusal);

}  // namespace tarn::admin
