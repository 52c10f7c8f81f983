// What a session is between its packets and beyond its connection (section 4.1): the messages that
// wait for the client and those it has not acknowledged.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "net/transport.h"
#include "protocols/mqtt/internal/message.h"

namespace tarn::mqtt {

class MqttSession;

/// Bounds and counters that all clients of a door share.
struct QueueLimits {
    size_t messages_max, bytes_max, bytes_total_max, unsent_bytes_max;
    std::atomic<size_t> bytes_total{0};
    Counter& dropped;
};

/// Owner: the broker's register and the connection that uses it. Lane: any.
class Client {
 public:
    Client(std::string id, std::string owner, QueueLimits& limits);
    ~Client();

    const std::string& id() const { return id_; }
    /// ARN of the principal whose session it is: nobody else may resume it or take it over.
    const std::string& owner() const { return owner_; }

    struct Link {
        std::shared_ptr<net::Wire> wire;
        MqttSession* session = nullptr;  // for functions posted on `wire` only
    };
    /// Binds a connection; what was sent and not acknowledged is sent again, first. Returns the
    /// connection that had it before (wire null: none), and in `epoch` what detach wants.
    Link attach(Link link, uint16_t inflight_max, uint64_t& epoch);
    /// False when another connection has it already. QoS 0 that waits is dropped.
    bool detach(uint64_t epoch);
    bool attached() const;

    /// Queues, or drops and counts: QoS 0 for a reader that is away or lags, QoS 1 beyond the
    /// bounds. Wakes the connection.
    void deliver(Delivery delivery);
    /// What may be sent now, at most `count`; QoS 1 is in flight from now on. Lane: the loop of the
    /// connection, told by MqttSession::pump.
    std::vector<Delivery> take(size_t count);
    /// Ends the flight of a QoS 1 delivery; false when the identifier is not in flight.
    bool acknowledge(uint16_t packet_id);

    /// The filters subscribed to; true when new. False from add_filter: `count_max` is reached.
    enum class Added { added, replaced, refused };
    Added add_filter(const std::string& filter, size_t count_max);
    bool remove_filter(const std::string& filter);
    std::vector<std::string> filters() const;

 private:
    void release(const Delivery& delivery) TARN_REQUIRES(mutex_);
    uint16_t free_packet_id() TARN_REQUIRES(mutex_);
    void drop_lossy() TARN_REQUIRES(mutex_);

    const std::string id_, owner_;
    QueueLimits& limits_;
    mutable Mutex mutex_;
    Link link_ TARN_GUARDED_BY(mutex_);
    uint64_t epoch_ TARN_GUARDED_BY(mutex_) = 0;
    bool woken_ TARN_GUARDED_BY(mutex_) = false;
    std::deque<Delivery> lossy_ TARN_GUARDED_BY(mutex_);     // QoS 0
    std::deque<Delivery> waiting_ TARN_GUARDED_BY(mutex_);   // QoS 1
    std::deque<Delivery> inflight_ TARN_GUARDED_BY(mutex_);  // in the order of their first sending
    size_t resend_ TARN_GUARDED_BY(mutex_) = 0;  // inflight_ from here on is to be sent again
    size_t inflight_max_ TARN_GUARDED_BY(mutex_) = 1;
    size_t bytes_ TARN_GUARDED_BY(mutex_) = 0;  // of all three
    uint16_t last_packet_id_ TARN_GUARDED_BY(mutex_) = 0;
    std::set<std::string> filters_ TARN_GUARDED_BY(mutex_);
};

}  // namespace tarn::mqtt
