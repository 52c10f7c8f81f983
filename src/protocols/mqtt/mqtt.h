// The MQTT door: versions 3.1.1 and 5.0 on one port, QoS 0 and 1. A PUBACK means that the message
// is in the log and synced; subscribers get what is durable. Specifications:
// https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html and .../v3.1.1/mqtt-v3.1.1.html
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "meta/store.h"
#include "net/session.h"
#include "security/audit.h"
#include "security/authorizer.h"
#include "security/users.h"
#include "streams/streams.h"

namespace tarn::mqtt {

/// Says which stream takes what is published on a topic. Immutable once given to a door.
class TopicRoutes {
 public:
    virtual ~TopicRoutes() = default;
    /// The stream's name, not empty. Lane: a loop, so it must not block.
    virtual std::string stream_of(std::string_view topic) const = 0;
};

struct DoorOptions {
    std::string account_id;
    std::string region = "us-east-1";
    std::string default_stream = "mqtt";  // takes everything while no routes are set
    bool allow_plaintext = false;         // passwords without TLS from peers that are not loopback

    size_t connections_max = 10'000;  // signed in; more get 0x97 (3.1.1: 0x03)
    std::chrono::milliseconds connect_timeout{10'000};
    size_t packet_bytes_max = 1u << 20;  // at most streams::kRecordBytesMax
    size_t topic_levels_max = 64;
    uint16_t receive_max = 1024;    // QoS 1 publishes without PUBACK, of one connection
    uint16_t topic_alias_max = 64;  // of one connection, towards the server

    size_t flight_bytes_max = 4u << 20;         // being appended, of one connection: reading pauses
    size_t flight_bytes_total_max = 64u << 20;  // of all connections

    std::chrono::seconds session_expiry_max{3600};  // also what a 3.1.1 session without clean gets
    size_t sessions_max = 20'000;                   // with and without a connection
    size_t subscriptions_max = 1'000;               // of one session
    size_t queue_messages_max = 10'000;  // QoS 1 for one session, unacknowledged included
    size_t queue_bytes_max = 4u << 20;
    size_t queue_bytes_total_max = 256u << 20;
    size_t unsent_bytes_max = 256 * 1024;  // towards one reader; QoS 0 beyond it is dropped
    uint16_t inflight_max = 256;           // QoS 1 towards one client without its PUBACK

    size_t retained_messages_max = 100'000;
    size_t retained_bytes_max = 64u << 20;
    std::chrono::milliseconds decision_time{1'000};  // a yes or no and a route are reused so long
};

/// What the door stands on; all outlive it, and `store` and `streams` outlive their last callback.
struct DoorParts {
    meta::Store& store;  // retained messages, kind "mr"
    streams::Streams& streams;
    const security::Users& users;
    const security::Authorizer& authorizer;
    security::AuditTrail* audit = nullptr;  // null: nothing is recorded (tests)
    const Clock& clock;
    Metrics& metrics;
};

/// Owner: wiring. Outlives the net::Server whose listeners use it.
class Door {
 public:
    /// Reads the retained messages. Lane: any but a loop. Errors: corrupted, io.
    static Result<std::unique_ptr<Door>> open(DoorParts parts, DoorOptions options);
    /// Publishes the wills that are due, ends the door's thread.
    ~Door();
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;

    /// For a listener with TlsMode::none or sniff.
    net::SessionFactory factory();
    /// Takes effect within DoorOptions::decision_time. Null: everything goes to default_stream.
    /// Lane: any.
    void set_routes(std::shared_ptr<const TopicRoutes> routes);
    /// Connections that have signed in. Lane: any.
    size_t connections() const;

    struct Shared;

 private:
    explicit Door(std::shared_ptr<Shared> shared);
    std::shared_ptr<Shared> shared_;
};

}  // namespace tarn::mqtt
