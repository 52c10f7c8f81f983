// How many statements run at once, how long, and in how much memory. DuckDB's own limit is no
// ceiling, so a watchdog reads the process's memory and interrupts the statement that has run
// longest among those in progress.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <thread>

#include "base/metrics.h"
#include "base/mutex.h"
#include "base/result.h"

namespace tarn::query {

enum class EndReason : uint8_t { none, cancelled, timed_out, memory };

class Admission {
 public:
    struct Limits {
        size_t running_max;
        std::chrono::milliseconds wait_max;
        uint64_t process_memory_bytes;
    };
    Admission(Limits limits, Metrics& metrics);
    ~Admission();

    /// One statement's place among the running. Destroying it makes room.
    class Slot {
     public:
        Slot(Admission& admission, std::function<void()> interrupt,
             std::chrono::steady_clock::time_point deadline)
            : admission_(admission), interrupt_(std::move(interrupt)), deadline_(deadline) {}
        ~Slot();
        Slot(const Slot&) = delete;
        Slot& operator=(const Slot&) = delete;
        EndReason reason() const { return reason_.load(); }

     private:
        friend class Admission;
        Admission& admission_;
        const std::function<void()> interrupt_;
        const std::chrono::steady_clock::time_point deadline_;
        const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
        std::atomic<EndReason> reason_{EndReason::none};
        std::list<Slot*>::iterator place_;
    };

    /// Waits for room. exhausted (53300) when there is none in time. `interrupt` may be called from
    /// the watchdog's thread for as long as the slot lives. `deadline` max(): none.
    Result<std::unique_ptr<Slot>> enter(std::function<void()> interrupt,
                                        std::chrono::steady_clock::time_point deadline);

 private:
    void watch();
    void leave(Slot& slot);

    const Limits limits_;
    Gauge& running_gauge_;
    Counter& interrupted_;
    Mutex mutex_;
    Condition room_;
    Condition work_;
    std::list<Slot*> running_ TARN_GUARDED_BY(mutex_);
    bool stopping_ TARN_GUARDED_BY(mutex_) = false;
    bool watching_ TARN_GUARDED_BY(mutex_) = false;
    std::thread watchdog_;
};

uint64_t resident_bytes();

}  // namespace tarn::query
