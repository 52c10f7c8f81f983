// What came after a point, a second at a time: the new bytes of the log and the extents that they
// name, and a small manifest once they are there.
#pragma once

#include <atomic>
#include <map>
#include <string>

#include "archive/destination.h"
#include "archive/internal/extent_copy.h"
#include "archive/internal/point_maker.h"
#include "archive/progress.h"
#include "archive/source.h"

namespace tarn::archive {

/// One thread at a time. Keeps the log from where it has not been shipped for as long as it lives.
class TailShipper {
 public:
    /// `made` has just been made of this source, at this destination.
    static Result<std::unique_ptr<TailShipper>> begin(const Source& source,
                                                      Destination& destination,
                                                      PointMaker::Made made, Progress& progress,
                                                      const std::atomic<bool>& cancel);

    /// Ships what has come since. After an error nothing of it counts: the next call ships it all.
    Status ship();

    /// Everything acknowledged before it is at the destination.
    Timestamp shipped_until() const { return shipped_until_; }
    uint64_t shipped_sequence() const { return shipped_sequence_; }
    uint32_t tails() const { return number_; }
    uint64_t log_bytes() const { return log_bytes_; }
    Timestamp begun() const { return begun_; }
    const std::string& point() const { return point_; }
    const SentExtents& sent() const { return sent_; }
    /// Bytes of the log that are kept because they are not shipped.
    Result<uint64_t> waiting_bytes() const;

 private:
    struct Step;

    TailShipper(const Source& source, Destination& destination, Progress& progress,
                const std::atomic<bool>& cancel)
        : source_(source), destination_(destination), progress_(progress), cancel_(cancel) {}

    Status add_extents(Step& step, const meta::Snapshot& state);
    Status add_extents_of(Step& step, const meta::Snapshot& state, uint64_t file, uint64_t offset,
                          bool open);
    Status add_log(Step& step, const meta::Cut& cut);

    const Source& source_;
    Destination& destination_;
    Progress& progress_;
    const std::atomic<bool>& cancel_;

    std::string history_, point_, lake_id_;
    Timestamp begun_;
    Timestamp shipped_until_;
    uint64_t shipped_sequence_ = 0;
    uint32_t number_ = 0;
    uint64_t log_bytes_ = 0;
    SentExtents sent_;
    meta::Hold segments_;
    /// The log is shipped up to here.
    wal::SegmentId segment_ = 0;
    uint64_t segment_offset_ = 0;
    /// Extent files that were open: what comes at or after the offset is new. Positions only grow.
    std::map<uint64_t, uint64_t> open_files_;
    uint64_t next_file_ = 0;  // files from here on are new
};

}  // namespace tarn::archive
