// How many statements run at once, of all and of one principal, how long, and in how much memory. DuckDB's own limit is no
// ceiling, so a watchdog reads the process's memory and interrupts the statement that it grew with.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
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
        size_t running_of_one_max;  // of one principal: the other places are for others
        std::chrono::milliseconds wait_max;
        uint64_t process_memory_bytes;
    };
    Admission(Limits limits, Metrics& metrics);
    ~Admission();

    /// One statement's place among the running. Destroying it makes room.
    class Slot {
     public:
        Slot(Admission& admission, std::string who, std::function<void()> interrupt,
             std::chrono::steady_clock::time_point deadline)
            : admission_(admission),
              who_(std::move(who)),
              interrupt_(std::move(interrupt)),
              deadline_(deadline) {}
        ~Slot();
        Slot(const Slot&) = delete;
        Slot& operator=(const Slot&) = delete;
        EndReason reason() const { return reason_.load(); }
        /// The statement has done its work and only waits for its commit: it makes room for others, and the watchdog lets it
        /// be.
        void only_commits();

     private:
        friend class Admission;
        Admission& admission_;
        const std::string who_;
        const std::function<void()> interrupt_;
        const std::chrono::steady_clock::time_point deadline_;
        uint64_t growth_ = 0;  // bytes by which the process grew while it ran; of the watchdog
        std::atomic<EndReason> reason_{EndReason::none};
        std::list<Slot*>::iterator place_;
        bool placed_ = true;  // still among the running; guarded by the admission's mutex
    };

    /// Waits for room. exhausted (53300) when there is none in time. `who` is the principal; empty: the server itself, which
    /// takes any place. `interrupt` may be called from the watchdog's thread for as long as the slot lives. `deadline` max():
    /// none.
    Result<std::shared_ptr<Slot>> enter(const std::string& who, std::function<void()> interrupt,
                                        std::chrono::steady_clock::time_point deadline);

    /// Nothing else runs beside one statement.
    bool alone() const;

 private:
    void watch();
    void leave(Slot& slot);
    bool has_room(const std::string& who) const TARN_REQUIRES(mutex_);
    void limit_memory(uint64_t before, uint64_t now) TARN_REQUIRES(mutex_);

    const Limits limits_;
    Gauge& running_gauge_;
    Counter& interrupted_;
    mutable Mutex mutex_;
    Condition room_;
    Condition work_;
    std::list<Slot*> running_ TARN_GUARDED_BY(mutex_);  // oldest first
    bool stopping_ TARN_GUARDED_BY(mutex_) = false;
    bool watching_ TARN_GUARDED_BY(mutex_) = false;
    std::thread watchdog_;
};

uint64_t resident_bytes();

}  // namespace tarn::query
