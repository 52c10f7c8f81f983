// How far a followed database's tables are behind it, in time: the age of the oldest transaction
// that is committed there and may not be here. It grows while nothing is heard of the source, too.
// Thread safe; the runner tells, everybody asks.
#pragma once

#include <algorithm>
#include <optional>

#include "base/mutex.h"
#include "base/time.h"

namespace tarn::ingest {

class CaptureLag {
 public:
    /// Nothing is known before the first complete().
    explicit CaptureLag(const Clock& clock)
        : clock_(clock), complete_(clock.now()), since_(complete_) {}

    /// All that the source has is here.
    void complete() {
        const MutexLock lock(mutex_);
        complete_ = clock_.now();
        since_.reset();
    }
    /// A transaction that was committed there at `committed` is not here yet.
    void missing(Timestamp committed) {
        const MutexLock lock(mutex_);
        since_ = committed;
    }
    /// Whatever came since the last complete() may be missing.
    void unknown() {
        const MutexLock lock(mutex_);
        if (!since_) since_ = complete_;
    }
    /// Never negative: the source's clock may be ahead of ours.
    double seconds() const {
        const MutexLock lock(mutex_);
        if (!since_) return 0;
        return std::max(0.0, static_cast<double>(clock_.now().since(*since_).count()) / 1e6);
    }

 private:
    const Clock& clock_;
    mutable Mutex mutex_;
    Timestamp complete_ TARN_GUARDED_BY(mutex_);
    std::optional<Timestamp> since_ TARN_GUARDED_BY(mutex_);
};

}  // namespace tarn::ingest
