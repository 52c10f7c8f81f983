// Durable ordered records: what MQTT publishes, and later Kafka, Kinesis and HTTP, land in before a
// table takes them. A stream is one partition; its records have dense offsets from 0. A record is
// acknowledged when it is in the log, and stays until a consumer that owns the stream trims it.
// Bytes: docs/formats/streams.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/time.h"
#include "meta/store.h"

namespace tarn::streams {

struct NewRecord {
    std::string key;  // MQTT: the topic
    std::string payload;
};

struct Record {
    uint64_t offset = 0;
    Timestamp at;  // when it was taken in
    std::string key;
    std::string payload;
};

struct Page {
    std::vector<Record> records;
    uint64_t next = 0;  // offset to read from next
};

inline constexpr size_t kRecordBytesMax = 1u << 20;  // key and payload

/// Owner: wiring. All calls are thread safe.
class Streams {
 public:
    using Done = std::function<void(Result<uint64_t> first_offset)>;

    /// `store`, `clock`, `metrics` outlive it.
    Streams(meta::Store& store, const Clock& clock, Metrics& metrics);
    ~Streams();
    Streams(const Streams&) = delete;
    Streams& operator=(const Streams&) = delete;

    /// Appends all records as one change. `done` is called once, on the committer's thread: it must
    /// only hand over. `with` (audit, counters) commits with the records. A stream exists from its
    /// first record on. Lane: any. Errors by `done`: invalid_argument (a record above
    /// kRecordBytesMax, no record), exhausted, io.
    void append(const std::string& stream, std::vector<NewRecord> records, Done done,
                meta::Batch with = {});
    /// The same, waited for. Lane: any but a loop.
    Result<uint64_t> append(const std::string& stream, std::vector<NewRecord> records,
                            meta::Batch with = {});

    /// Records from `offset` on, at least one when there is one, else until `bytes_max` of keys and
    /// payloads. An offset below the first that is kept starts there: compare
    /// Page::records.front().offset. Lane: any but a loop.
    Result<Page> read(const std::string& stream, uint64_t offset, size_t bytes_max) const;
    /// The offset that the next record gets; 0 for a stream without records.
    Result<uint64_t> end(const std::string& stream) const;
    /// The first offset that is kept (equal to end() when none is).
    Result<uint64_t> begin(const std::string& stream) const;
    std::vector<std::string> list() const;

    /// Forgets blocks that lie wholly below `offset`. Stage it into the batch that made the records
    /// superfluous, or commit it alone.
    Status stage_trim(meta::Batch& batch, const std::string& stream, uint64_t offset) const;

    /// Waits until the stream has a record at `offset` or later, the time is over, or stop() was
    /// called. True: there is one. Lane: any but a loop.
    bool wait_for(const std::string& stream, uint64_t offset,
                  std::chrono::milliseconds at_most) const;
    /// Wakes all who wait, for good.
    void stop();

 private:
    /// What has been appended since the start. The store may answer after this object has gone.
    struct Progress {
        Mutex mutex;
        Condition grown;
        std::map<std::string, uint64_t> ends TARN_GUARDED_BY(mutex);
        bool stopped TARN_GUARDED_BY(mutex) = false;

        void note_end(const std::string& stream, uint64_t end);
    };

    meta::Store& store_;
    const Clock& clock_;
    Counter& records_;
    Counter& bytes_;
    const std::shared_ptr<Progress> progress_ = std::make_shared<Progress>();
};

}  // namespace tarn::streams
