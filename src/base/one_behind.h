// One piece of work beside the caller's own: while a thread writes, encodes or digests what it was
// given, the caller gathers the next. Owned by one object, called by one thread at a time; the
// thread is made at the first use and joined by the destructor, which lets what was begun end.
#pragma once

#include <functional>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "base/mutex.h"
#include "base/result.h"

namespace tarn {

class OneBehind {
 public:
    using Work = std::function<Status()>;

    OneBehind() = default;
    OneBehind(const OneBehind&) = delete;
    OneBehind& operator=(const OneBehind&) = delete;
    ~OneBehind() {
        {
            const MutexLock lock(mutex_);
            ending_ = true;
            changed_.notify_all();
        }
        if (thread_.joinable()) thread_.join();
    }

    /// Waits for what was begun before. Its error, or one before that: nothing more is begun then.
    Status wait() {
        const MutexLock lock(mutex_);
        while (work_) changed_.wait(mutex_);
        return done_;
    }
    /// Precondition: wait() was fine.
    void begin(Work work) {
        if (!thread_.joinable()) {
            try {
                thread_ = std::thread([this] { run(); });
            } catch (const std::system_error&) {  // no more threads: at once, then
                Status done = work();
                const MutexLock lock(mutex_);
                done_ = std::move(done);
                return;
            }
        }
        const MutexLock lock(mutex_);
        work_ = std::move(work);
        changed_.notify_all();
    }

 private:
    void run() {
        for (;;) {
            {
                const MutexLock lock(mutex_);
                while (!work_ && !ending_) changed_.wait(mutex_);
                if (!work_) return;
            }
            Status done = (*work_)();  // nobody else touches it until it is reset
            const MutexLock lock(mutex_);
            work_.reset();
            done_ = std::move(done);
            changed_.notify_all();
        }
    }

    Mutex mutex_;
    Condition changed_;
    std::optional<Work> work_;  // set: not done yet
    Status done_ TARN_GUARDED_BY(mutex_) = ok_status();
    bool ending_ TARN_GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace tarn
