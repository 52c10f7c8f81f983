#include "wal/internal/segment_maker.h"

#include <utility>

#include "base/log.h"

namespace tarn::wal {
SegmentMaker::SegmentMaker(io::Disk& disk, const LogOptions& options, SegmentId next_id)
    : disk_(disk),
      directory_(options.directory),
      segment_bytes_(options.segment_bytes),
      free_bytes_min_(options.free_bytes_min),
      next_id_(next_id),
      lane_({.name = "wal-segments", .threads = 1, .queue_jobs_max = 64}) {}

SegmentMaker::~SegmentMaker() {
    lane_.stop();
    std::shared_ptr<SegmentFile> unused;
    {
        MutexLock lock(mutex_);
        unused = std::move(prepared_);
    }
    if (unused == nullptr) return;
    const Status removed = disk_.remove(directory_ + "/" + segment_name(unused->id()));
    if (!removed.ok()) log_warning("wal", removed.error().message);
}

void SegmentMaker::prepare() {
    {
        MutexLock lock(mutex_);
        if (preparing_ || prepared_ != nullptr) return;
        preparing_ = true;
    }
    const SegmentId id = next_id_++;
    if (lane_.try_submit([this, id] { prepare_now(id); })) return;
    MutexLock lock(mutex_);
    preparing_ = false;
}

void SegmentMaker::prepare_now(SegmentId id) {
    std::shared_ptr<SegmentFile> made;
    const auto free = disk_.free_bytes(directory_);
    // The last space is for changes that free some: they make their segment when they need it.
    if (free.ok() && *free > segment_bytes_ + free_bytes_min_) {
        auto created = create_segment_file(disk_, directory_, id, segment_bytes_, segment_bytes_);
        if (created.ok()) {
            made = std::move(created).value();
        } else {
            log_warning("wal", created.error().message);
        }
    }
    MutexLock lock(mutex_);
    prepared_ = std::move(made);
    preparing_ = false;
    changed_.notify_all();
}

Result<std::shared_ptr<SegmentFile>> SegmentMaker::take(uint64_t bytes_min) {
    std::shared_ptr<SegmentFile> next;
    {
        MutexLock lock(mutex_);
        while (preparing_) changed_.wait(mutex_);
        next = prepared_;
    }
    if (next == nullptr) {
        // A whole segment would take the space that is kept for changes that free some.
        const auto free = disk_.free_bytes(directory_);
        const bool low = free.ok() && *free <= segment_bytes_ + free_bytes_min_;
        return create_segment_file(disk_, directory_, next_id_++,
                                   low ? segment_bytes_ / kSmallSegmentDivisor : segment_bytes_,
                                   bytes_min);
    }
    if (bytes_min > segment_bytes_) TARN_CHECK_OK(next->file().preallocate(bytes_min));
    MutexLock lock(mutex_);
    prepared_ = nullptr;
    return next;
}

void SegmentMaker::trim(std::shared_ptr<SegmentFile> segment, uint64_t end) {
    const bool taken = lane_.try_submit([segment = std::move(segment), end] {
        const Status trimmed = segment->file().truncate(end);
        if (!trimmed.ok()) log_warning("wal", trimmed.error().message);
    });
    if (!taken) log_warning("wal", "a sealed segment keeps its unused space until the next start");
}

}  // namespace tarn::wal
