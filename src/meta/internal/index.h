// RocksDB as the index of the one log: decides batches on the committer's thread, applies what
// became durable, and knows how far it is durable by itself.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "meta/internal/change.h"
#include "meta/internal/database.h"
#include "meta/internal/overlay.h"
#include "meta/internal/record_cache.h"
#include "meta/internal/segments.h"
#include "wal/log.h"

namespace tarn::meta {

struct IndexOptions {
    std::string directory;
    size_t block_cache_bytes = 0;
    uint64_t flush_log_bytes = 0;
};

/// Owner: LocalStore. Lane of the wal::Index calls: the committer's thread (or open(), during
/// replay); of the rest: any but a loop.
class Index final : public wal::Index {
 public:
    static Result<std::unique_ptr<Index>> open(io::Disk& disk, const IndexOptions& options,
                                               PinnedSegments& segments, Metrics& metrics);

    Result<wal::Resolved> resolve(const wal::Change& change, wal::Sequence sequence) override;
    Status apply(const std::vector<wal::Logged>& group) override;
    void abandon() override;
    wal::Sequence durable_sequence() const override;

    Database& database() { return *database_; }
    wal::Sequence applied() const { return applied_.load(std::memory_order_acquire); }
    uint64_t live_bytes(wal::SegmentId segment) const;
    /// Makes all that is applied durable. Waits.
    Status flush();

 private:
    Index(const IndexOptions& options, PinnedSegments& segments, Metrics& metrics,
          std::unique_ptr<Database> database);
    Status load();

    Status check(const ChangeCondition& condition);
    Result<bool> is_empty(std::string_view from, std::string_view to) const;
    Status resolve_op(const ChangeOp& op, wal::Sequence sequence, wal::Resolved& resolved);
    Status resolve_add(const ChangeOp& op, wal::Sequence sequence, wal::Resolved& resolved);
    Status resolve_append(const ChangeOp& op, wal::Sequence sequence, wal::Resolved& resolved);
    Status resolve_relocation(const ChangeOp& op, wal::Resolved& resolved);
    void write(const ChangeOp& op, wal::Sequence sequence, wal::Resolved& resolved);
    /// The newest state of a record: resolved in this group, else applied. Valid until the next
    /// operation.
    Result<const Overlay::State*> current(std::string_view key);

    /// The new counts of the segments whose counts change.
    std::map<wal::SegmentId, uint64_t> count(const std::map<wal::SegmentId, int64_t>& deltas) const;
    void flush_at_distance(const std::vector<wal::Logged>& group);

    const IndexOptions options_;
    PinnedSegments& segments_;
    Gauge& live_gauge_;
    const std::unique_ptr<Database> database_;

    RecordCache records_;                 // committer's
    Overlay overlay_;                     // resolved and not yet applied; committer's
    wal::Sequence resolved_ = 0;          // committer's
    uint64_t log_bytes_since_flush_ = 0;  // committer's
    std::atomic<wal::Sequence> applied_ = 0;

    mutable Mutex mutex_;
    std::map<wal::SegmentId, uint64_t> live_ TARN_GUARDED_BY(mutex_);
};

}  // namespace tarn::meta
