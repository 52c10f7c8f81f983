// How callers that wait for durability are woken: all callers of a group by one system call, where
// a semaphore for each takes as many calls as there are callers.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>

namespace tarn::wal {

/// Owner: the log. Callers of one group wait on one of two words, those of the next group on the
/// other, so that no group wakes the callers of the next one.
class Answers {
 public:
    /// Lane: the caller's. Until `done`, which the committer sets before it tells(). `group` is what
    /// the change was queued for; a change that went into a later group is woken all the same.
    void wait(const std::atomic<bool>& done, uint32_t group) {
        std::atomic<uint32_t>& word = words_[group % 2];
        for (;;) {
            const uint32_t seen = word.load(std::memory_order_acquire);
            if (done.load(std::memory_order_acquire)) return;
            ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
        }
    }

    /// Lane: the committer. Wakes those who were queued for `group`.
    void tell(uint32_t group) {
        std::atomic<uint32_t>& word = words_[group % 2];
        word.fetch_add(1, std::memory_order_release);
        ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
    }

 private:
    static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t));
    std::atomic<uint32_t> words_[2] = {};
};

}  // namespace tarn::wal
