// The lake's state: ordered keys with atomic, conditional batches. A domain change is one Batch -
// record, index entries, counters, outbox entry, audit record - and happens whole or not at all.
// The local store keeps RocksDB as the index of the one log (wal/); another implementation keeps
// the same promises over PostgreSQL. Keys are made by meta/keys.h; docs/formats/keys.md lists every
// key that exists.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "io/disk.h"

namespace tarn::meta {

/// The log sequence of the change that wrote a record last. Grows with every write of the key.
using Version = uint64_t;

/// A body that lies in the log beside its record. Holding it keeps the bytes readable.
class Body {
 public:
    virtual ~Body() = default;
    virtual uint64_t size() const = 0;
    /// Lane: any but a loop. Reads [offset, offset + length), clipped to the size. corrupted: the
    /// checksum does not match.
    virtual Result<std::string> read(uint64_t offset, uint64_t length) const = 0;
};

struct Record {
    std::string value;
    Version version = 0;
    std::shared_ptr<const Body> body;  // null when the record has none
};

/// A set of conditions and operations that commits atomically. Conditions are decided against the
/// state before the batch; the first that does not hold gives the whole batch its error. Operations
/// apply in order.
class Batch {
 public:
    Batch& require_absent(std::string key, Error otherwise);
    Batch& require_present(std::string key, Error otherwise);
    /// Holds when the key's record is the one that was read (its version), or when it is absent and
    /// `version` is 0.
    Batch& require_version(std::string key, Version version, Error otherwise);
    /// Holds when the key's value equals `value` byte for byte (absent: nullopt).
    Batch& require_value(std::string key, std::optional<std::string> value, Error otherwise);
    /// Holds when no key lies in [from, to).
    Batch& require_empty(std::string from, std::string to, Error otherwise);

    Batch& put(std::string key, std::string value);
    /// The body goes into the log once and is not copied again until its segment is compacted.
    Batch& put(std::string key, std::string value, std::string body);
    /// Changes a record's value and keeps the body it has.
    Batch& put_keep_body(std::string key, std::string value);
    Batch& erase(std::string key);
    Batch& erase_range(std::string from, std::string to);
    /// Adds to a 64-bit counter (absent: 0); read it with decode_counter(record.value).
    Batch& add(std::string key, int64_t delta);
    /// Takes the next `count` offsets of `sequence` (a key prefix) and puts the record under
    /// sequence + big-endian first offset. Commit::offsets tells the first offset of each append,
    /// in order. Offsets start at 0 and have no gaps.
    Batch& append(std::string sequence, uint32_t count, std::string value, std::string body = {});

    /// Appends all of another batch.
    Batch& merge(Batch other);
    /// Lets the batch through when the disk is nearly full: it frees space.
    Batch& frees_space();

    bool empty() const { return conditions_.empty() && operations_.empty(); }

    struct Condition {
        enum class Kind : uint8_t { absent, present, version, value, empty_range };
        Kind kind;
        std::string key;
        std::string operand;  // value, or the end of a range
        Version version = 0;
        bool has_operand = false;
        Error otherwise;
    };
    struct Operation {
        enum class Kind : uint8_t { put, put_keep_body, erase, erase_range, add, append };
        Kind kind;
        std::string key;
        std::string value;   // value, or the end of a range
        int64_t number = 0;  // delta, or count
        bool has_body = false;
        std::string body;
    };
    const std::vector<Condition>& conditions() const { return conditions_; }
    const std::vector<Operation>& operations() const { return operations_; }
    std::vector<Operation>& operations() { return operations_; }
    bool urgent() const { return urgent_; }

 private:
    std::vector<Condition> conditions_;
    std::vector<Operation> operations_;
    bool urgent_ = false;
};

int64_t decode_counter(std::string_view value);
/// The key under which an append with this first offset stands.
std::string sequence_key(std::string_view sequence, uint64_t offset);
/// The counter that holds the next offset of a sequence (absent: 0). append() moves it; erase it
/// together with the sequence.
std::string next_offset_key(std::string_view sequence);

struct Commit {
    Version version = 0;
    std::vector<uint64_t> offsets;
};

/// Walks keys in order over one consistent state. Lane: any but a loop; one thread at a time.
class Iterator {
 public:
    virtual ~Iterator() = default;
    virtual bool valid() const = 0;
    virtual std::string_view key() const = 0;
    virtual Result<Record> record() const = 0;
    virtual void next() = 0;
    /// The first key >= `key` (or <= for a reverse scan): skips over what is not wanted.
    virtual void seek(std::string_view key) = 0;
    /// An I/O or corruption error ends the walk: check it after valid() turned false.
    virtual Status status() const = 0;
};

struct Range {
    std::string from;      // inclusive
    std::string to;        // exclusive; empty: to the end
    bool reverse = false;  // from the last key down
};

/// What can be read, now or in a snapshot.
class Reader {
 public:
    virtual ~Reader() = default;
    /// Lane: any but a loop.
    virtual Result<std::optional<Record>> get(std::string_view key) const = 0;
    virtual std::unique_ptr<Iterator> scan(Range range) const = 0;
};

/// One state of the store, held for as long as it lives. Long-lived snapshots hold space back.
class Snapshot : public Reader {
 public:
    virtual Version version() const = 0;
};

class Store : public Reader {
 public:
    virtual std::shared_ptr<const Snapshot> snapshot() const = 0;
    /// Waits until the batch is durable and visible. Lane: any but a loop.
    virtual Result<Commit> commit(Batch batch) = 0;
    /// Lane: any. `done` runs once, on the committer's thread: it must only hand over (post to a
    /// loop, submit to a lane).
    virtual void commit(Batch batch, std::function<void(Result<Commit>)> done) = 0;
    /// The version of the newest change that readers see.
    virtual Version last_version() const = 0;
    /// False once a log write has failed; every commit fails from then on and the server must be
    /// restarted.
    virtual bool healthy() const = 0;
};

struct LocalStoreOptions {
    std::string directory;  // holds wal/ and index/
    uint64_t flush_log_bytes = 256ull
                               << 20;  // index flush distance: bounds replay to about a second
    uint64_t segment_bytes = 256ull << 20;
    uint64_t free_bytes_min = 256ull << 20;
    double relocate_below_live =
        0.35;  // a sealed segment with less alive is emptied by appending it again
    size_t block_cache_bytes = 32u << 20;
};

class LocalStore : public Store {
 public:
    /// Creates or opens; a new store gets a random lake id. Replays the log. `disk`, `clock`,
    /// `metrics` outlive it.
    static Result<std::unique_ptr<LocalStore>> open(io::Disk& disk, const Clock& clock,
                                                    Metrics& metrics, LocalStoreOptions options);

    virtual const std::string& lake_id() const = 0;
    /// One pass over sealed segments: relocates the bodies of sparse ones, removes dead ones.
    /// Returns bytes given back. Lane: background.
    virtual Result<uint64_t> reclaim() = 0;
    virtual std::string chain_head() const = 0;
};

}  // namespace tarn::meta
