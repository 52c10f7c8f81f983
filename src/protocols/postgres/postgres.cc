#include "protocols/postgres/postgres.h"

#include <limits>

#include "codec/text.h"
#include "protocols/postgres/internal/session.h"

namespace tarn::postgres {

Door::Shared::Shared(DoorParts door_parts, DoorOptions door_options)
    : parts(door_parts),
      options(std::move(door_options)),
      connections_gauge_(
          parts.metrics.gauge("tarn_postgres_connections", "Connections that have signed in")),
      succeeded_(parts.metrics.counter("tarn_postgres_statements_total",
                                       "Statements at the PostgreSQL door", {{"outcome", "ok"}})),
      failed_(parts.metrics.counter("tarn_postgres_statements_total",
                                    "Statements at the PostgreSQL door", {{"outcome", "error"}})),
      seconds_(parts.metrics.histogram("tarn_postgres_statement_seconds",
                                       "From a statement's start to the end of its rows",
                                       latency_bounds())) {}

Door::Shared::~Shared() = default;

bool Door::Shared::take_place() {
    if (places_.fetch_add(1) >= options.connections_max) {
        --places_;
        return false;
    }
    connections_gauge_.add(1);
    return true;
}

void Door::Shared::give_place() {
    --places_;
    connections_gauge_.add(-1);
}

int32_t Door::Shared::enroll(const std::shared_ptr<Connection>& connection) {
    MutexLock lock(mutex_);
    do {
        last_process_id_ =
            last_process_id_ == std::numeric_limits<int32_t>::max() ? 1 : last_process_id_ + 1;
    } while (connections_.contains(last_process_id_));
    connections_[last_process_id_] = connection;
    return last_process_id_;
}

void Door::Shared::leave(int32_t process_id) {
    MutexLock lock(mutex_);
    connections_.erase(process_id);
}

void Door::Shared::cancel(int32_t process_id, std::string_view key) {
    std::shared_ptr<Connection> connection;
    {
        MutexLock lock(mutex_);
        const auto found = connections_.find(process_id);
        if (found != connections_.end()) connection = found->second.lock();
    }
    if (connection) connection->cancel(key);
}

void Door::Shared::adopt_orphan(std::shared_ptr<Connection> connection) {
    MutexLock lock(mutex_);
    orphans_.push_back(std::move(connection));
    has_orphans_ = true;
}

std::vector<std::shared_ptr<Connection>> Door::Shared::take_orphans() {
    if (!has_orphans_) return {};
    MutexLock lock(mutex_);
    has_orphans_ = false;
    return std::exchange(orphans_, {});
}

void Door::Shared::count(bool ok, std::chrono::steady_clock::time_point begun) const {
    (ok ? succeeded_ : failed_).add();
    seconds_.observe(std::chrono::duration<double>(parts.clock.steady() - begun).count());
}

Door::Door(DoorParts parts, DoorOptions options)
    : shared_(std::make_shared<Shared>(parts, std::move(options))) {}

/// Connections whose end found no room on a lane are ended here.
Door::~Door() {
    (void)shared_->take_orphans();
}

net::SessionFactory Door::factory() {
    return [shared = shared_](net::Transport& transport) -> std::unique_ptr<net::Session> {
        return std::make_unique<PostgresSession>(shared, transport);
    };
}

size_t Door::connections() const {
    return shared_->places_taken();
}

Result<std::string> channel_binding_of(std::string_view pem) {
    constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
    constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
    const size_t begin = pem.find(kBegin);
    const size_t end = begin == pem.npos ? pem.npos : pem.find(kEnd, begin);
    if (end == pem.npos) return Error(Code::invalid_argument, "the PEM text holds no certificate");
    std::string text;
    for (const char c : pem.substr(begin + kBegin.size(), end - begin - kBegin.size()))
        if (c != '\n' && c != '\r' && c != ' ') text.push_back(c);
    TARN_TRY(der, codec::base64_decode(text));
    return security::tls_server_end_point(der);
}

}  // namespace tarn::postgres
