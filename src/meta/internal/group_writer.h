// Turns a durable group of log records into one write of the index. It decides nothing: the same
// records on the same state give the same state, which is what replay relies on.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "meta/internal/change.h"
#include "meta/internal/database.h"
#include "meta/internal/overlay.h"
#include "meta/internal/record.h"
#include "meta/internal/record_cache.h"

namespace tarn::meta {

/// Owner: the committer's thread, for one group.
class GroupWriter {
 public:
    GroupWriter(const Database& database, RecordCache& records);
    ~GroupWriter();

    /// corrupted: the record is none.
    Status add(const wal::Logged& change);

    /// By how much each segment's live body bytes change.
    const std::map<wal::SegmentId, int64_t>& live_deltas() const { return live_deltas_; }
    /// Puts the new live counts and the position beside the changes.
    rocksdb::WriteBatch& finish(const std::map<wal::SegmentId, uint64_t>& live,
                                wal::Sequence sequence);
    /// The batch has been written: the cache of records follows. The last call.
    void remember();

 private:
    Status add_op(const ChangeOp& op, Version version, const wal::BodyRef* body);
    Status put(std::string_view key, Overlay::State state);
    Status erase(std::string_view key);
    Status erase_range(std::string_view from, std::string_view to);
    Status relocate(const ChangeOp& op, const wal::BodyRef& to);

    /// The record before this operation: of this group, else of the index.
    Result<const Overlay::State*> current(std::string_view key) const;
    void own(const std::optional<wal::BodyRef>& body, std::string_view key);
    void disown(const std::optional<wal::BodyRef>& body);

    const Database& database_;
    RecordCache& records_;
    std::unique_ptr<rocksdb::WriteBatch> batch_;
    Overlay written_;
    std::map<std::string, std::string> owners_;  // by owner_key; empty: nobody's any more
    std::map<wal::SegmentId, int64_t> live_deltas_;
};

}  // namespace tarn::meta
