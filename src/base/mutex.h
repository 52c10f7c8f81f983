// std::mutex with clang's thread-safety annotations. One mutex per owner object, held briefly,
// never over I/O or a callback; the order in which they may nest is docs/LOCKS.md.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define TARN_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define TARN_THREAD_ANNOTATION(x)
#endif
#define TARN_GUARDED_BY(m) TARN_THREAD_ANNOTATION(guarded_by(m))
#define TARN_REQUIRES(...) TARN_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define TARN_EXCLUDES(...) TARN_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))

namespace tarn {

class TARN_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
    void lock() TARN_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
    void unlock() TARN_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
    friend class Condition;
    std::mutex mutex_;
};

class TARN_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
    explicit MutexLock(Mutex& mutex) TARN_THREAD_ANNOTATION(acquire_capability(mutex))
        : mutex_(mutex) {
        mutex_.lock();
    }
    ~MutexLock() TARN_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

 private:
    Mutex& mutex_;
};

/// A condition variable over Mutex. wait* may wake spuriously: call it in a loop on the condition.
class Condition {
 public:
    void wait(Mutex& mutex) TARN_REQUIRES(mutex) {
        std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
        condition_.wait(lock);
        lock.release();
    }
    /// False when the time ran out.
    template <typename Clock, typename Duration>
    bool wait_until(Mutex& mutex, const std::chrono::time_point<Clock, Duration>& deadline)
        TARN_REQUIRES(mutex) {
        std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
        const bool in_time = condition_.wait_until(lock, deadline) == std::cv_status::no_timeout;
        lock.release();
        return in_time;
    }
    template <typename Rep, typename Period>
    bool wait_for(Mutex& mutex, const std::chrono::duration<Rep, Period>& span)
        TARN_REQUIRES(mutex) {
        return wait_until(mutex, std::chrono::steady_clock::now() + span);
    }
    void notify_one() { condition_.notify_one(); }
    void notify_all() { condition_.notify_all(); }

 private:
    std::condition_variable condition_;
};

}  // namespace tarn
