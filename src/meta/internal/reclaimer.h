// Gives the space of dead bodies back: empties sparse segments by appending what is alive again,
// removes segments in which nothing is.
#pragma once

#include <set>

#include "base/metrics.h"
#include "base/mutex.h"
#include "meta/copying.h"
#include "meta/internal/index.h"
#include "meta/internal/segments.h"
#include "wal/log.h"

namespace tarn::meta {

/// Owner: LocalStore. Lane: background, one pass at a time.
class Reclaimer {
 public:
    Reclaimer(Index& index, PinnedSegments& segments, wal::Log& log, double relocate_below_live,
              Metrics& metrics);

    /// Bytes given back: of the segments that went, less what was appended again.
    Result<uint64_t> run();
    /// No segment from `from` on is removed while the result lives; it must not outlive this. Waits
    /// for a removal that is under way.
    Hold hold(wal::SegmentId from);

 private:
    /// False: the segment is held. Else end_removal() must follow.
    bool begin_removal(wal::SegmentId segment);
    void end_removal();

    /// Appends the live bodies of a segment again. Returns their bytes.
    Result<uint64_t> relocate(wal::SegmentId segment);
    Result<uint64_t> relocate_one(std::string_view key, wal::SegmentId segment, uint64_t offset);
    /// Removes those of `sealed` in which nothing is alive. Returns their bytes.
    Result<uint64_t> remove_dead(const std::vector<wal::Log::SegmentInfo>& sealed);

    Index& index_;
    PinnedSegments& segments_;
    wal::Log& log_;
    const double relocate_below_live_;
    Counter& relocated_;
    Counter& reclaimed_;

    Mutex holds_mutex_;
    Condition removed_;
    std::multiset<wal::SegmentId> holds_ TARN_GUARDED_BY(holds_mutex_);
    bool removing_ TARN_GUARDED_BY(holds_mutex_) = false;
};

}  // namespace tarn::meta
