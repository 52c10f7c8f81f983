// A lane is a named pool of threads with a bounded queue. Requests run on lanes as ordinary
// blocking functions; blocking is legal everywhere but on a network loop, and asserted
// (assert_may_block).
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace tarn {

struct LaneOptions {
    std::string name;  // shows as the threads' name
    size_t threads = 4;
    size_t queue_jobs_max = 1024;
};

class Lane {
 public:
    explicit Lane(LaneOptions options);
    /// stop() and join.
    ~Lane();
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    /// False when the queue is full or the lane has stopped: the caller answers "busy" in its
    /// protocol's words. An exception that escapes a job is logged and swallowed: a job reports
    /// through its own Result.
    [[nodiscard]] bool try_submit(std::function<void()> job);
    /// The rest of a job that began here and then waited for something without a thread. It runs
    /// before jobs that have not begun, and the queue's bound does not count it: it counted the
    /// job. False when the lane has stopped.
    [[nodiscard]] bool resume(std::function<void()> rest);
    /// Takes no more jobs, runs those that wait, joins the threads. Idempotent.
    void stop();

    const std::string& name() const { return options_.name; }
    size_t queued() const;

 private:
    void run();
    bool wants_thread() TARN_REQUIRES(mutex_);
    std::function<void()> take() TARN_REQUIRES(mutex_);

    const LaneOptions options_;
    mutable Mutex mutex_;
    Condition wake_;
    std::deque<std::function<void()>> jobs_ TARN_GUARDED_BY(mutex_);
    std::deque<std::function<void()>> rests_ TARN_GUARDED_BY(mutex_);
    size_t idle_ TARN_GUARDED_BY(mutex_) = 0;      // threads that wait for a job
    bool waking_ TARN_GUARDED_BY(mutex_) = false;  // one of them was woken and has not run yet
    bool stopped_ TARN_GUARDED_BY(mutex_) = false;
    std::vector<std::thread> threads_;
};

/// Marks the calling thread as a network loop, which must never block.
void mark_loop_thread();
/// Asserts that the calling thread is not a network loop. Everything that waits for disk, locks of
/// others or peers calls it.
void assert_may_block();
/// While it lives the calling thread, when it is woken, waits for a core instead of taking that of
/// a thread that computes (SCHED_BATCH, sched(7)): for work that counts by its throughput.
class PatientThread {
 public:
    PatientThread();
    ~PatientThread();
    PatientThread(const PatientThread&) = delete;
    PatientThread& operator=(const PatientThread&) = delete;

 private:
    const bool changed_;  // not where somebody has given the program another policy
};
/// Names the calling thread in debuggers and /proc (15 bytes are kept).
void name_thread(const std::string& name);

}  // namespace tarn
