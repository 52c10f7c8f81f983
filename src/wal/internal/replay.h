// From the files of a log to the state in which it can be appended to: finds where the log ends,
// gives the index what it does not hold yet, and removes what a crash left unfinished at the end.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "io/disk.h"
#include "wal/internal/format.h"
#include "wal/internal/segment.h"
#include "wal/log.h"

namespace tarn::wal {

struct Segment {
    SegmentHeader header;
    std::shared_ptr<SegmentFile> file;  // null until somebody reads from a sealed segment
    Sequence last = 0;                  // 0 while empty
    uint64_t end = kSegmentHeaderBytes;
    uint64_t reserved = 0;  // up to here the disk has promised space
};

struct Recovered {
    std::vector<Segment> segments;  // ascending; the last one is appended to; empty for a new log
    SegmentId next_segment = 1;
    Sequence last = 0;
    ChainHash chain{};
};

/// corrupted: names the segment and the offset of the first frame that does not verify, anywhere
/// but at the very end. What the index is given is durable in the log.
Result<Recovered> recover(io::Disk& disk, Index& index, const LogOptions& options);

}  // namespace tarn::wal
