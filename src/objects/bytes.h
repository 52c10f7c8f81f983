// The seam to large bytes (architecture: bytes). An extent is a run of bytes written once and named
// by reference counts in meta/; a backend makes extents durable before the batch that names them,
// verifies what it reads, and gives the space of extents that nobody names any more back.
// LocalBytes (open_local_bytes) keeps them in preallocated files: docs/formats/extents.md.
//
// Lane: any but a loop. The only caller is the object store.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "io/disk.h"
#include "meta/store.h"

namespace tarn::objects {

struct Extent {
    uint64_t file = 0;
    uint64_t offset = 0;  // of the first data byte
    uint64_t length = 0;  // data bytes
    uint32_t check = 0;   // CRC32C of the extent's block checksums

    auto operator<=>(const Extent&) const = default;
};

/// How a batch changes the number of records that name each extent. One extent named twice in one
/// record counts twice.
using ExtentRefs = std::map<Extent, int64_t>;

/// Of a piece. Each one wakes the threads that digest and write it; a body has about ten in
/// memory.
inline constexpr size_t kAppendBytes = 512 << 10;
/// Begins at a page, so that a disk can take it as it is (io::File::write_uncached).
using PieceBytes = io::PageString;

/// Bytes on their way in. One thread at a time. Destroying it without kept() gives the bytes back -
/// unless a committed batch names them after all.
class BytesWrite {
 public:
    virtual ~BytesWrite() = default;
    /// The next kAppendBytes. They may be written later: an error can be that of an earlier piece.
    /// exhausted: the disk is nearly full.
    virtual Status append(std::shared_ptr<const PieceBytes> piece) = 0;
    /// Makes all bytes durable, and `rest` behind them; no append after it.
    virtual Status seal(std::string_view rest) = 0;
    /// After seal(), in order.
    virtual const std::vector<Extent>& extents() const = 0;
    /// Adds what the backend itself must record with the batch that names the extents. Their
    /// references are the caller's (BytesBackend::stage_refs).
    virtual void stage(meta::Batch& batch) const = 0;
    /// The batch has committed.
    virtual void kept() = 0;
};

/// Keeps extents readable while it lives, also when they are released. read() may be called by
/// several threads.
class BytesHold {
 public:
    virtual ~BytesHold() = default;
    /// Reads [offset, offset + length) of the index-th extent; must lie within it. corrupted: a
    /// checksum does not match.
    virtual Result<std::string> read(size_t index, uint64_t offset, uint64_t length) const = 0;
};

class BytesBackend {
 public:
    virtual ~BytesBackend() = default;
    /// `size`: of the whole, where it is known.
    virtual Result<std::unique_ptr<BytesWrite>> begin(std::optional<uint64_t> size) = 0;
    /// Takes hold before the record that names the extents is read a second time: when it has not
    /// changed, they are safe.
    virtual std::shared_ptr<const BytesHold> hold(std::vector<Extent> extents) = 0;
    /// Adds reference changes to a batch, with conditions (`conflict`) that hold as long as nobody
    /// else changes the counts of what is released. An extent that gains only must be named by a
    /// record that the batch requires, or be new. Returns the extents that die with the batch: pass
    /// them to released() after the commit.
    virtual Result<std::vector<Extent>> stage_refs(meta::Batch& batch,
                                                   const ExtentRefs& changes) = 0;
    virtual void released(const std::vector<Extent>& dead) = 0;
    /// Frees dead extents that nobody holds. Returns the bytes given back.
    virtual Result<uint64_t> reclaim() = 0;
    /// Whether released() has left anything that reclaim() could free now.
    virtual bool wants_reclaim() const = 0;
    /// False once a write or sync has failed: no new extents until a restart. Lane: any.
    virtual bool healthy() const = 0;
};

struct LocalBytesOptions {
    std::string directory;  // holds the extent files
    std::string lake_id;    // in every file's header; a file of another lake is refused
    uint64_t file_bytes = 256ull << 20;  // at most, per file
    uint64_t preallocate_bytes = 16ull
                                 << 20;  // how far space is reserved ahead of the writing position
    uint64_t free_bytes_min = 256ull << 20;  // below it appends answer `exhausted`
    size_t idle_files_preallocated_max = 4;  // idle files that keep their reserve
};

/// Opens the folder and frees what a crash left: bytes that no committed batch names. `disk`,
/// `store`, `metrics` outlive it.
Result<std::unique_ptr<BytesBackend>> open_local_bytes(io::Disk& disk, meta::Store& store,
                                                       Metrics& metrics, LocalBytesOptions options);

}  // namespace tarn::objects
