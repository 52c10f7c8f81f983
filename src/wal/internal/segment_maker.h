// Makes segment files ahead of time, so that the log can go on to the next one without waiting for
// the disk, and trims sealed ones.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/lane.h"
#include "base/mutex.h"
#include "io/disk.h"
#include "wal/internal/segment.h"

namespace tarn::wal {

/// Lane: the committer.
class SegmentMaker {
 public:
    SegmentMaker(io::Disk& disk, const LogOptions& options, SegmentId next_id);
    ~SegmentMaker();

    /// Begins to make the next segment in the background, unless one is made already or the disk is
    /// nearly full.
    void prepare();
    /// The next segment, with reserved space for at least `bytes_min`: the prepared one, else a new
    /// one. exhausted: the disk is full, nothing has happened.
    Result<std::shared_ptr<SegmentFile>> take(uint64_t bytes_min);
    /// Gives back what a sealed segment has reserved beyond `end`.
    void trim(std::shared_ptr<SegmentFile> segment, uint64_t end);

 private:
    void prepare_now(SegmentId id);

    io::Disk& disk_;
    const std::string directory_;
    const uint64_t segment_bytes_;
    const uint64_t free_bytes_min_;
    SegmentId next_id_;

    Mutex mutex_;
    Condition changed_;
    bool preparing_ TARN_GUARDED_BY(mutex_) = false;
    std::shared_ptr<SegmentFile> prepared_ TARN_GUARDED_BY(mutex_);
    Lane lane_;
};

}  // namespace tarn::wal
