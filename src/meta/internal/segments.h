// The log's segment files that records may point into, pinned, so that a reader finds the file of
// each body it can see, also while reclaim removes segments.
#pragma once

#include <map>
#include <memory>

#include "base/mutex.h"
#include "wal/log.h"

namespace tarn::meta {

/// Lane: any.
class PinnedSegments {
 public:
    using Files = std::map<wal::SegmentId, std::shared_ptr<const wal::SegmentFile>>;

    /// Pins what is there. Before it, during replay, ensure() does nothing.
    void attach(wal::Log& log);
    /// Called before a record that points into `segment` becomes visible.
    void ensure(wal::SegmentId segment);
    /// Nothing points into it any more. Snapshots keep their own pins.
    void drop(wal::SegmentId segment);

    std::shared_ptr<const Files> files() const;
    /// Runs `take` (a RocksDB snapshot or iterator, no I/O) and gives the files of exactly that
    /// state: no segment goes in between.
    template <typename Take>
    std::shared_ptr<const Files> files_with(Take take) const {
        MutexLock lock(mutex_);
        take();
        return files_;
    }

 private:
    wal::Log* log_ = nullptr;
    mutable Mutex mutex_;
    std::shared_ptr<const Files> files_ TARN_GUARDED_BY(mutex_) = std::make_shared<Files>();
};

}  // namespace tarn::meta
