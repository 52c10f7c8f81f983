// Work beside the caller's own, in order: while a thread writes, encodes or digests what it was
// given, the caller gathers the next. Owned by one object, called by one thread at a time; the
// thread is made at the first use and joined by the destructor, which lets what was begun end.
#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <list>
#include <system_error>
#include <thread>
#include <utility>

#include "base/lane.h"
#include "base/mutex.h"
#include "base/result.h"

namespace tarn {

class WorkBehind {
 public:
    using Work = std::function<Status()>;

    /// So much may be begun and not yet done before begin() waits, until half of it is done: its
    /// caller is woken once for several works, and the thread has enough to do meanwhile.
    explicit WorkBehind(size_t ahead_max) : ahead_max_(ahead_max) {}
    WorkBehind(const WorkBehind&) = delete;
    WorkBehind& operator=(const WorkBehind&) = delete;
    ~WorkBehind() {
        {
            const MutexLock lock(mutex_);
            ending_ = true;
            changed_.notify_all();
        }
        if (thread_.joinable()) thread_.join();
    }

    /// Has it done after all that was begun before. After an error nothing more is done: the answer
    /// is the first one, be it of work that was begun long before.
    Status begin(Work work) {
        if (!thread_.joinable() && !make_thread()) return at_once(work);
        const MutexLock lock(mutex_);
        if (work_.size() >= ahead_max_)
            while (work_.size() > ahead_max_ / 2) changed_.wait(mutex_);
        if (!done_.ok()) return done_;
        work_.push_back(std::move(work));
        if (work_.size() == 1) changed_.notify_all();
        return {};
    }
    /// Waits for all that was begun. The first error.
    Status wait() {
        const MutexLock lock(mutex_);
        while (!work_.empty()) changed_.wait(mutex_);
        return done_;
    }

 private:
    bool make_thread() {
        try {
            thread_ = std::thread([this] { run(); });
        } catch (const std::system_error&) {
            return false;
        }
        return true;
    }
    /// There are no more threads to be had.
    Status at_once(const Work& work) {
        TARN_CHECK_OK(wait());
        Status done = work();
        const MutexLock lock(mutex_);
        done_ = std::move(done);
        return done_;
    }
    void run() {
        const PatientThread patient;
        for (;;) {
            const Work* work = nullptr;
            {
                const MutexLock lock(mutex_);
                while (work_.empty() && !ending_) changed_.wait(mutex_);
                if (work_.empty()) return;
                work = &work_.front();  // stays in its place while others come behind it
            }
            Status done = (*work)();
            std::list<Work> over;  // what it holds is let go without the lock
            const MutexLock lock(mutex_);
            over.splice(over.end(), work_, work_.begin(),
                        done.ok() ? std::next(work_.begin()) : work_.end());
            done_ = std::move(done);
            if (work_.size() <= ahead_max_ / 2) changed_.notify_all();
        }
    }

    const size_t ahead_max_;
    Mutex mutex_;
    Condition changed_;
    std::list<Work> work_ TARN_GUARDED_BY(mutex_);  // the first is under way
    Status done_ TARN_GUARDED_BY(mutex_) = ok_status();
    bool ending_ TARN_GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace tarn
