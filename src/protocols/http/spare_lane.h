// Threads for the requests of others while handlers wait for slow peers. A handler is a blocking
// function, so a hundred uploads that hardly move would hold a hundred threads of the lane that all
// requests run on; once a few of them wait, new requests run here instead.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "base/lane.h"
#include "base/mutex.h"

namespace tarn::http {

/// Owned by wiring, shared by the services whose handlers share lanes; stop it where those are
/// stopped.
class SpareLane {
 public:
    /// Its threads are made when `waiting_max` handlers wait for their peers for the first time.
    explicit SpareLane(size_t waiting_max = 8, size_t threads = 256)
        : waiting_max_(waiting_max), threads_(threads) {}

    /// Where a request runs that would run on `usual`. Lane: any, loops too.
    Lane* choose(Lane* usual) const;
    /// As Lane::stop().
    void stop();

    /// A handler waits for its peer for as long as this lives. Lane: not a loop. `spare` may be
    /// null.
    class Wait {
     public:
        explicit Wait(SpareLane* spare);
        ~Wait();
        Wait(const Wait&) = delete;
        Wait& operator=(const Wait&) = delete;

     private:
        SpareLane* const spare_;
    };

 private:
    void begin_wait();

    const size_t waiting_max_;
    const size_t threads_;
    std::atomic<size_t> waiting_{0};
    std::atomic<Lane*> made_{nullptr};
    Mutex mutex_;
    bool stopped_ TARN_GUARDED_BY(mutex_) = false;
    std::unique_ptr<Lane> lane_ TARN_GUARDED_BY(mutex_);
};

}  // namespace tarn::http
