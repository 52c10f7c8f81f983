// What every connection of a door shares.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "protocols/postgres/postgres.h"

namespace tarn::postgres {

class Connection;

/// Lane: any.
struct Door::Shared {
    Shared(DoorParts parts, DoorOptions options);
    ~Shared();

    std::string resource() const {
        return "arn:aws:tarn:" + options.region + ":" + options.account_id + ":" + options.database;
    }

    /// A place among connections_max; false: there is none.
    bool take_place();
    void give_place();
    size_t places_taken() const { return places_; }

    /// Makes the connection reachable for cancel requests. Returns its process id, which is not 0.
    int32_t enroll(const std::shared_ptr<Connection>& connection);
    void leave(int32_t process_id);
    /// A wrong pair does nothing: who sends one learns nothing.
    void cancel(int32_t process_id, std::string_view key);

    /// A connection that has gone and could not be put on a lane: the next job of any other takes
    /// its remains apart.
    void adopt_orphan(std::shared_ptr<Connection> connection);
    std::vector<std::shared_ptr<Connection>> take_orphans();

    /// Statement outcomes.
    void count(bool ok, std::chrono::steady_clock::time_point begun) const;

    const DoorParts parts;
    const DoorOptions options;

 private:
    std::atomic<size_t> places_{0};
    std::atomic<bool> has_orphans_{false};
    Mutex mutex_;
    int32_t last_process_id_ TARN_GUARDED_BY(mutex_) = 0;
    std::map<int32_t, std::weak_ptr<Connection>> connections_ TARN_GUARDED_BY(mutex_);
    std::vector<std::shared_ptr<Connection>> orphans_ TARN_GUARDED_BY(mutex_);
    Gauge& connections_gauge_;
    Counter& succeeded_;
    Counter& failed_;
    Histogram& seconds_;
};

}  // namespace tarn::postgres
