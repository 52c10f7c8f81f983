// RocksDB, fenced: what the index needs of it, in our own words. No write-ahead log of its own
// (wal/ is the log), one column family, so that a flush always makes a prefix of the writes
// durable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/findings.h"
#include "base/result.h"
#include "meta/copying.h"
#include "io/disk.h"

namespace rocksdb {
class DB;
class Env;
class Snapshot;
class WriteBatch;
}  // namespace rocksdb

namespace tarn::meta {

/// Owner: Index. Lane: any but a loop, unless said.
class Database {
 public:
    /// RocksDB knows the operating system's files better than we do: only another disk than a
    /// RealDisk stands between. `disk` outlives it. unavailable: another process has it open.
    static Result<std::unique_ptr<Database>> open(io::Disk& disk, const std::string& path,
                                                  size_t block_cache_bytes);
    ~Database();

    /// With a snapshot: as of then. False: absent (`value` is then undefined).
    Result<bool> get(std::string_view key, std::string& value,
                     const rocksdb::Snapshot* snapshot = nullptr) const;
    /// As get(), of what is durable: as it stood at the last finished flush.
    Result<bool> get_flushed(std::string_view key, std::string& value) const;
    Status write(rocksdb::WriteBatch& batch);
    /// Makes everything written so far durable; waits for it, or only begins.
    Status flush(bool wait);
    /// Holds the state of now until the pointer goes.
    std::shared_ptr<const rocksdb::Snapshot> snapshot() const;
    uint64_t bytes() const;
    /// Reads every file of the index; those that do not match their checksums are findings.
    void verify(Findings& findings) const;
    /// Flushes, and names the files that then are the database. They stay until the hold goes.
    Result<HeldIndex> hold_files();

 private:
    friend class Cursor;
    Database(std::unique_ptr<rocksdb::Env> env, std::unique_ptr<rocksdb::DB> db);

    std::unique_ptr<rocksdb::Env> env_;  // null: RocksDB's own
    std::unique_ptr<rocksdb::DB> db_;
};

/// Walks [from, to) of one consistent state: the snapshot's, or the one of its making. Unpositioned
/// at first.
class Cursor {
 public:
    /// An empty `to` means to the end.
    Cursor(const Database& database, std::string from, std::string to,
           std::shared_ptr<const rocksdb::Snapshot> snapshot = nullptr);
    Cursor(Cursor&&) noexcept;
    ~Cursor();

    bool valid() const;
    std::string_view key() const;
    std::string_view value() const;
    void first();
    void last();
    void next();
    void previous();
    /// To the first key >= `key`.
    void seek(std::string_view key);
    /// To the last key <= `key`.
    void seek_back(std::string_view key);
    Status status() const;

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tarn::meta
