#include "base/lane.h"

#include <pthread.h>
#include <sched.h>

#include <exception>

#include "base/assert.h"
#include "base/log.h"

namespace tarn {
namespace {
thread_local bool on_loop = false;
}

Lane::Lane(LaneOptions options) : options_(std::move(options)) {
    threads_.reserve(options_.threads);
    for (size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { run(); });
}

Lane::~Lane() {
    stop();
}

bool Lane::try_submit(std::function<void()> job) {
    bool wake = false;
    {
        MutexLock lock(mutex_);
        if (stopped_ || jobs_.size() >= options_.queue_jobs_max) return false;
        jobs_.push_back(std::move(job));
        wake = wants_thread();
    }
    if (wake) wake_.notify_one();  // whoever wakes finds the mutex free
    return true;
}

bool Lane::resume(std::function<void()> rest) {
    bool wake = false;
    {
        MutexLock lock(mutex_);
        if (stopped_) return false;
        rests_.push_back(std::move(rest));
        wake = wants_thread();
    }
    if (wake) wake_.notify_one();
    return true;
}

/// One thread is woken at a time, and wakes the next when it takes a job and leaves some. Waking
/// one for each job puts as many threads to work as there are jobs, each for a job or two and with
/// a cold cache, where the threads that run already would have taken them.
bool Lane::wants_thread() {
    if (waking_ || idle_ == 0 || (jobs_.empty() && rests_.empty())) return false;
    waking_ = true;
    return true;
}

std::function<void()> Lane::take() {
    auto& queue = rests_.empty() ? jobs_ : rests_;
    auto job = std::move(queue.front());
    queue.pop_front();
    return job;
}

void Lane::stop() {
    {
        MutexLock lock(mutex_);
        stopped_ = true;
        wake_.notify_all();
    }
    for (auto& thread : threads_)
        if (thread.joinable()) thread.join();
}

size_t Lane::queued() const {
    MutexLock lock(mutex_);
    return jobs_.size();
}

void Lane::run() {
    name_thread(options_.name);
    for (;;) {
        std::function<void()> job;
        bool wake = false;
        {
            MutexLock lock(mutex_);
            while (jobs_.empty() && rests_.empty() && !stopped_) {
                ++idle_;
                wake_.wait(mutex_);
                --idle_;
                waking_ = false;
            }
            if (jobs_.empty() && rests_.empty()) return;
            job = take();
            wake = wants_thread();
        }
        if (wake) wake_.notify_one();
        try {
            job();
        } catch (const std::exception& escaped) {
            log_error("lane", "a job ended by an exception",
                      {{"lane", options_.name}, {"what", escaped.what()}});
        }
    }
}

void mark_loop_thread() {
    on_loop = true;
}

void assert_may_block() {
    TARN_ASSERT(!on_loop);
}

PatientThread::PatientThread() : changed_(::sched_getscheduler(0) == SCHED_OTHER) {
    const sched_param none{};
    if (changed_) static_cast<void>(::sched_setscheduler(0, SCHED_BATCH, &none));
}

PatientThread::~PatientThread() {
    const sched_param none{};
    if (changed_) static_cast<void>(::sched_setscheduler(0, SCHED_OTHER, &none));
}

void name_thread(const std::string& name) {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

}  // namespace tarn
