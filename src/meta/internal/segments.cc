#include "meta/internal/segments.h"

namespace tarn::meta {

void PinnedSegments::attach(wal::Log& log) {
    log_ = &log;
    for (const auto& segment : log.segments()) ensure(segment.id);
}

void PinnedSegments::ensure(wal::SegmentId segment) {
    if (!log_ || files()->contains(segment)) return;
    auto file = log_->pin(segment);
    if (!file) return;
    MutexLock lock(mutex_);
    auto changed = std::make_shared<Files>(*files_);
    changed->emplace(segment, std::move(file));
    files_ = std::move(changed);
}

void PinnedSegments::drop(wal::SegmentId segment) {
    MutexLock lock(mutex_);
    auto changed = std::make_shared<Files>(*files_);
    changed->erase(segment);
    files_ = std::move(changed);
}

std::shared_ptr<const PinnedSegments::Files> PinnedSegments::files() const {
    MutexLock lock(mutex_);
    return files_;
}

}  // namespace tarn::meta
