// What every connection of a door shares.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "protocols/mqtt/internal/batcher.h"
#include "protocols/mqtt/internal/broker.h"
#include "protocols/mqtt/mqtt.h"

namespace tarn::mqtt {

/// Lane: any.
struct Door::Shared : std::enable_shared_from_this<Door::Shared> {
    Shared(DoorParts parts, DoorOptions options);

    /// "topic", "client", "topicfilter".
    std::string arn(std::string_view kind, std::string_view name) const;
    /// The batcher of the calling loop.
    std::shared_ptr<Batcher> batcher();

    /// A place among connections_max; false: there is none.
    bool take_place();
    void give_place();

    const DoorParts parts;
    const DoorOptions options;
    std::atomic<size_t> places{0};
    std::atomic<size_t> flight_bytes{0};
    Gauge& connections_gauge;
    Counter& received;
    Counter& received_bytes;
    Counter& delivered;
    Counter& refused;
    Broker broker;

 private:
    Mutex mutex_;
    std::map<std::thread::id, std::weak_ptr<Batcher>> batchers_ TARN_GUARDED_BY(mutex_);
};

}  // namespace tarn::mqtt
