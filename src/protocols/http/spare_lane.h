// Threads for the requests of others while handlers wait for slow peers. A handler is a blocking
// function, so a hundred uploads that hardly move would hold a hundred threads of the lane that all
// requests run on; once a few of them wait, requests that have not begun run here instead: new
// ones, and those that wait in that lane's queue behind the slow ones that are still to begin.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
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

    /// Runs a request that would run on `usual`. False: busy, as Lane::try_submit says it. Lane:
    /// any, loops too.
    [[nodiscard]] bool submit(Lane& usual, std::function<void()> job);
    /// Where something runs just now that would run on `usual`. Lane: any, loops too.
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
    struct Request;
    /// Those on usual lanes that have not begun. Lanes may end after this object.
    struct Queue {
        Mutex mutex;
        std::list<std::shared_ptr<Request>> requests TARN_GUARDED_BY(mutex);
    };
    static void begin(Queue& queue, Request& request);
    void begin_wait();
    void take_over();

    const size_t waiting_max_;
    const size_t threads_;
    std::atomic<size_t> waiting_{0};
    std::atomic<Lane*> made_{nullptr};
    Mutex mutex_;
    bool stopped_ TARN_GUARDED_BY(mutex_) = false;
    std::unique_ptr<Lane> lane_ TARN_GUARDED_BY(mutex_);
    const std::shared_ptr<Queue> queue_ = std::make_shared<Queue>();
};

}  // namespace tarn::http
