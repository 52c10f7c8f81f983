// Which delivery goes next: in order within one alert and webhook, few at once per host, gently to
// a webhook that is down. No threads, no I/O; the owner locks.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/time.h"

namespace tarn::events {

struct QueuedDelivery {
    std::string id;
    std::string rule, key_id;
    std::string target, host;
    Timestamp due;
};

class DeliveryQueue {
 public:
    explicit DeliveryQueue(size_t per_host_max) : per_host_max_(per_host_max) {}

    /// Ids of one (rule, key, target) are added in their order.
    void add(QueuedDelivery delivery);
    /// One that may start now; it counts as running until done() or again(). nullopt: none.
    std::optional<QueuedDelivery> take(Timestamp now);
    /// When take() will have one, as far as time alone decides; nullopt: not before something ends
    /// or is added.
    std::optional<Timestamp> next_due() const;
    /// It is over, well or not: the next of its alert may go. `answered`: the webhook is alive.
    void done(const QueuedDelivery& delivery, bool answered);
    /// Waits again; `down_until`: the webhook as a whole gets a pause.
    void again(const QueuedDelivery& delivery, Timestamp due, std::optional<Timestamp> down_until);
    /// Failed attempts in a row at this webhook that mean it is down.
    uint32_t down_count(const std::string& target) const;

    size_t size() const { return size_; }
    std::map<std::string, uint64_t> waiting_by_target() const;

 private:
    struct Line {  // of one alert and webhook
        std::deque<QueuedDelivery> waiting;
        bool running = false;
    };
    struct Target {
        std::string host;
        std::set<std::pair<Timestamp, std::string>> ready;  // (due, line) of lines that do not run
        Timestamp not_before;
        uint32_t down = 0;
        size_t running = 0;
        uint64_t waiting = 0;
    };

    static std::string line_of(const QueuedDelivery& delivery);
    bool may_start(const Target& target) const;
    void end(const QueuedDelivery& delivery);
    void ready(const std::string& line);

    const size_t per_host_max_;
    size_t size_ = 0;
    std::map<std::string, Line> lines_;
    std::map<std::string, Target> targets_;
    std::map<std::string, size_t> running_by_host_;
};

}  // namespace tarn::events
