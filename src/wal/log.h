// The one write-ahead log of this server. Everything that must survive - metadata batches, small object bodies, stream
// records, table commits, audit records, outbox entries - is a Change in this log, and nothing else is fsynced on the way of a
// small write. docs/formats/wal.md describes the bytes.
//
// One committer thread takes all changes that wait, lets the Index decide each in order, writes the group as one frame with
// one write and one fdatasync, lets the Index apply it, and only then tells the callers. Readers see a change when it is
// durable and applied, in log order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/findings.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "io/disk.h"

namespace tarn::wal {

/// The place of a change in the log: 1, 2, 3 ... without gaps, over the life of the lake.
using Sequence = uint64_t;
using SegmentId = uint32_t;

/// Where one body lies in the log. Stable until the body is relocated.
struct BodyRef {
    SegmentId segment = 0;
    uint64_t offset = 0;    // of the first body byte, in the segment file
    uint32_t length = 0;    // bytes
    uint32_t crc32c = 0;    // of the body bytes

    bool operator==(const BodyRef&) const = default;
};

/// What a caller wants to happen: a description that only the Index reads, and the bodies that go beside it.
struct Change {
    std::string intent;
    std::vector<std::string> bodies;
};

/// What the Index made of a Change: the bytes that go into the log (all conditions decided, all offsets assigned, so that
/// replay needs no decisions), and an answer for the caller.
struct Resolved {
    std::string record;                 // empty: nothing to log, the caller is answered at once
    std::vector<uint64_t> offsets;      // first offset given to each append of the change, in order
};

/// A change as it stands in the log.
struct Logged {
    Sequence sequence = 0;
    std::string_view record;
    std::vector<BodyRef> bodies;
};

/// The state that the log is the truth of. All calls come from the committer thread (or from open(), during replay), in log
/// order; none may block on a cold read that the caller could have warmed.
class Index {
 public:
    virtual ~Index() = default;
    /// Decides a waiting change against everything applied and everything resolved before it. An error goes to the caller
    /// and leaves no trace in the log.
    virtual Result<Resolved> resolve(const Change& change, Sequence sequence) = 0;
    /// Makes a durable group visible, in one atomic step that also records the last sequence. A failure is fatal for the log.
    virtual Status apply(const std::vector<Logged>& group) = 0;
    /// The group that was resolved last will not be logged (the write failed): forget its overlay.
    virtual void abandon() = 0;
    /// The last sequence that the index holds durably by itself; replay begins after it.
    virtual Sequence durable_sequence() const = 0;
};

struct Committed {
    Sequence sequence = 0;
    std::vector<uint64_t> offsets;
};
using Done = std::function<void(Result<Committed>)>;

struct LogOptions {
    std::string directory;
    std::string lake_id;                        // 32 hexadecimal digits, in every segment's header
    uint64_t segment_bytes = 256ull << 20;      // preallocated
    size_t group_bytes_max = 8u << 20;          // one writer's megabytes must not become everybody's tail
    size_t queue_changes_max = 16'384;          // beyond it commit() answers `exhausted`
    size_t queue_bytes_max = 64u << 20;
    uint64_t free_bytes_min = 256ull << 20;     // below it changes are refused (`exhausted`) unless they free space;
                                                // below an eighth of it all are: the index could not be flushed
};

/// Keeps a segment file readable for as long as it is held, also after the segment has been removed.
class SegmentFile;

class Log {
 public:
    /// Opens or creates the log, replays what the index does not hold yet, starts the committer. `corrupted` names the segment
    /// and offset of the first frame that does not verify anywhere but at the very end of the log.
    /// `disk`, `index`, `clock` and `metrics` outlive the log.
    static Result<std::unique_ptr<Log>> open(io::Disk& disk, Index& index, const Clock& clock, Metrics& metrics,
                                             LogOptions options);
    virtual ~Log() = default;

    /// Lane: any. `done` runs once, on the committer thread (on the caller's when the change is refused at once: queue full,
    /// too large, log failed or ending): it must only hand over. `urgent` changes free space and pass the watermark.
    virtual void commit(Change change, Done done, bool urgent = false) = 0;
    /// Lane: any but a loop; waits for durability.
    virtual Result<Committed> commit(Change change, bool urgent = false) = 0;

    /// Reads part of a body; the CRC is checked when the whole body is read. not_found: the segment is gone, look the record
    /// up again.
    virtual Result<std::string> read(const BodyRef& body, uint64_t offset, uint64_t length) const = 0;
    /// A handle that keeps the segment of `body` readable; null when the segment is gone.
    virtual std::shared_ptr<const SegmentFile> pin(SegmentId segment) const = 0;
    virtual Result<std::string> read(const SegmentFile& file, const BodyRef& body, uint64_t offset,
                                     uint64_t length) const = 0;

    struct SegmentInfo {
        SegmentId id = 0;
        Sequence first = 0;
        Sequence last = 0;      // 0 while empty
        uint64_t bytes = 0;     // written
        bool sealed = false;    // no longer appended to
    };
    virtual std::vector<SegmentInfo> segments() const = 0;
    /// Unlinks a sealed segment. Precondition: nothing in it is alive and the index holds its changes durably.
    virtual Status remove(SegmentId segment) = 0;

    virtual Sequence last_applied() const = 0;
    /// False for good once a write or fsync of the log has failed: nobody knows what is on disk, a restart is needed. Changes
    /// that were under way then answer `io`, later ones `unavailable`.
    virtual bool healthy() const = 0;
    /// The hash over all frames so far (the chain that makes tampering evident), lower-case hexadecimal.
    virtual std::string chain_head() const = 0;
    /// Reads all that is acknowledged again, while the log goes on: checksums, order, the chain of hashes, bodies. What does
    /// not hold is a finding with the segment's path and the offset. Lane: background.
    virtual void verify(Findings& findings) const = 0;
};

}  // namespace tarn::wal
