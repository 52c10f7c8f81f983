// The PostgreSQL door: frontend/backend protocol 3.0 over net, SQL by query::Engine. One connection
// is a session on its loop (framing, TLS, cancel requests), a bounded mailbox, and a conversation
// that runs on a lane while messages wait: an idle connection, and one whose client reads slowly,
// holds no thread.
// Specification: https://www.postgresql.org/docs/15/protocol.html
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/lane.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "net/session.h"
#include "query/engine.h"
#include "security/audit.h"
#include "security/authorizer.h"
#include "security/users.h"

namespace tarn::postgres {

struct DoorOptions {
    std::string account_id;
    std::string region = "us-east-1";
    /// The one database there is. A client that names none sends its user name: taken as this one.
    std::string database = "lake";
    std::string server_version = "15.0 (Tarn 0.1)";
    size_t connections_max = 1'200;  // signed in; more get 53300
    std::chrono::milliseconds sign_in_timeout{10'000};
    size_t message_bytes_max = 64u << 20;  // of a query, a parse, a bind, a piece of COPY
    size_t waiting_bytes_max = 1u << 20;   // received and not handled: then reading pauses
    size_t unsent_bytes_max = 1u << 20;    // sent and not taken by the peer: then its query pauses
    size_t statements_max = 10'000;        // prepared, of one connection
    size_t portals_max = 1'000;            // open, of one connection
    /// tls-server-end-point of the listener's certificate (channel_binding_of); asked at each
    /// sign-in over TLS. Null or empty: SCRAM-SHA-256-PLUS is not offered.
    std::function<std::string()> channel_binding;
};

/// What the door stands on; all outlive the lanes' jobs.
struct DoorParts {
    query::Engine& engine;
    const security::Users& users;
    const security::Authorizer& authorizer;
    security::AuditTrail* audit = nullptr;  // null: nothing is recorded (tests)
    const Clock& clock;
    Metrics& metrics;
    Lane& sign_in_lane;  // short work: signing in must not wait behind queries
    Lane& query_lane;
};

/// Owner: wiring. Outlives the net::Server whose listeners use it; the lanes end before what
/// DoorParts names. A listener takes TlsMode::none; with a certificate SSLRequest is granted.
class Door {
 public:
    Door(DoorParts parts, DoorOptions options);
    ~Door();
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;

    net::SessionFactory factory();
    /// Connections that have signed in. Lane: any.
    size_t connections() const;

    struct Shared;

 private:
    std::shared_ptr<Shared> shared_;
};

/// DoorOptions::channel_binding for the first certificate of a PEM file's text (RFC 5929).
Result<std::string> channel_binding_of(std::string_view pem);

}  // namespace tarn::postgres
