// Records of a stream to what one commit adds to a source's tables: rows, rejected rows, and the
// position after them. Nothing but the records and the position before them decides what comes out,
// so that a batch that is made again after a crash is the same batch. Lane: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ingest/internal/mqtt_decode.h"
#include "ingest/sources.h"
#include "query/chunk.h"
#include "streams/streams.h"

namespace tarn::ingest {

inline constexpr size_t kPageBytes = 4u << 20;  // of a stream, read at once

/// How far a stream is in a table: the value of tables::SourcePosition's record
/// (docs/formats/ingest.md).
struct MqttPosition {
    uint64_t next = 0;                     // offset
    std::optional<int64_t> newest_micros;  // event time of the newest reading that was taken

    /// corrupted: no such text. nullopt is the beginning.
    static Result<MqttPosition> parse(const std::optional<std::string>& text);
    std::string text() const;
    bool operator==(const MqttPosition&) const = default;
};

class MqttBatch {
 public:
    /// `shape` outlives it. `late`: see add().
    MqttBatch(const MqttShape& shape, std::optional<std::chrono::seconds> late, MqttPosition from);

    /// A row, or a rejected row. A reading whose event time lies more than `late` before the newest
    /// one's is rejected. A clock that runs ahead does not make others late: a reading counts as no
    /// newer than the moment it was taken in.
    void add(const streams::Record& record);

    const query::Chunk& rows() const { return rows_; }
    const std::vector<RejectedRow>& rejected() const { return rejected_; }
    /// Where the next batch begins.
    const MqttPosition& position() const { return position_; }
    size_t records() const { return records_; }
    size_t bytes() const { return bytes_; }  // of topics and payloads
    uint64_t members_ignored() const { return decoder_.members_ignored(); }

 private:
    Status take(const streams::Record& record);
    /// Refuses what is late; otherwise it may become the newest.
    Status check_time(Timestamp taken);

    const MqttShape& shape_;
    const std::optional<std::chrono::seconds> late_;
    MqttDecoder decoder_;
    MqttPosition position_;
    query::Chunk rows_;
    std::vector<RejectedRow> rejected_;
    size_t records_ = 0, bytes_ = 0;
};

}  // namespace tarn::ingest
