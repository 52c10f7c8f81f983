// What the connections of a door share beyond one message: sessions by client identifier,
// subscriptions, retained messages, wills, and the way from a durable message to its subscribers.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "protocols/mqtt/internal/client.h"
#include "protocols/mqtt/internal/retained.h"
#include "protocols/mqtt/internal/subscriptions.h"
#include "protocols/mqtt/mqtt.h"

namespace tarn::mqtt {

/// Section 3.1.2.5, as the connection holds it until it ends.
struct PendingWill {
    SharedMessage message;
    std::chrono::seconds delay{0};
};

/// Owner: Door::Shared. Lane: any, except where it says so. Locks: its own, then those of
/// subscriptions and clients.
class Broker {
 public:
    Broker(const DoorParts& parts, const DoorOptions& options);
    /// stop().
    ~Broker();

    /// Starts the keeper: the thread of wills, expiry and messages whose connection has gone.
    void start();
    /// What waits is published and the thread ends.
    void stop();
    /// One round of the keeper. Lane: any but a loop.
    void keep();

    struct Attached {
        std::shared_ptr<Client> client;
        uint64_t epoch = 0;
        bool session_present = false;
    };
    /// Resumes or makes the session; a connection that had it is told (session taken over). Errors:
    /// permission_denied (it is somebody else's), exhausted.
    Result<Attached> attach(const std::string& client_id, const std::string& owner,
                            bool clean_start, Client::Link link, uint16_t inflight_max);
    /// The connection has ended. The session stays for `expiry`, 0: it ends now.
    void leave(const std::shared_ptr<Client>& client, uint64_t epoch, std::chrono::seconds expiry,
               std::optional<PendingWill> will);
    /// Publishes by the keeper: durable first, then to subscribers.
    void publish_will(SharedMessage message);

    /// quota_exceeded, or what was granted; retained messages are queued for the client.
    Reason subscribe(const std::shared_ptr<Client>& client, std::string_view filter,
                     SubscriptionOptions options, uint32_t id);
    /// False: there was no such subscription.
    bool unsubscribe(Client& client, const std::string& filter);

    /// To all who subscribed. The messages are durable.
    void route(const std::vector<SharedMessage>& messages);
    /// The same by the keeper, for when the publisher's loop can't.
    void route_later(std::vector<SharedMessage> messages);

    Subscriptions& subscriptions() { return subscriptions_; }
    Retained& retained() { return retained_; }
    size_t sessions() const;

    void set_routes(std::shared_ptr<const TopicRoutes> routes);
    std::string stream_of(std::string_view topic) const;

 private:
    struct Entry {
        std::shared_ptr<Client> client;
        std::optional<std::chrono::steady_clock::time_point> expires;  // set while disconnected
        SharedMessage will;
        std::chrono::steady_clock::time_point will_due;
    };
    void forget_filters(Client& client);
    void append_and_route(std::vector<SharedMessage> messages);
    std::vector<SharedMessage> take_due();
    void run();

    const DoorParts& parts_;
    const DoorOptions& options_;
    QueueLimits limits_;
    Subscriptions subscriptions_;
    Retained retained_;
    mutable Mutex mutex_;
    Condition wake_;
    std::map<std::string, Entry, std::less<>> entries_ TARN_GUARDED_BY(mutex_);
    std::vector<SharedMessage> wills_ TARN_GUARDED_BY(mutex_);
    std::vector<SharedMessage> orphans_ TARN_GUARDED_BY(mutex_);
    bool stopping_ TARN_GUARDED_BY(mutex_) = false;
    std::shared_ptr<const TopicRoutes> routes_ TARN_GUARDED_BY(mutex_);
    std::thread keeper_;
};

}  // namespace tarn::mqtt
