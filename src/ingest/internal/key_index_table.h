// One table's part of the key index: what lies in RocksDB (docs/formats/ingest.md), and how it
// follows the table. Owned through KeyIndex::Table. One thread.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <chrono>
#include <map>
#include <set>
#include <unordered_map>

#include "ingest/internal/key_index.h"
#include "ingest/internal/key_index_moved.h"
#include "tables/rewrites.h"
#include "tables/scan.h"

namespace tarn::ingest {

inline constexpr const char* kVersionKey = "\x01";
/// A file in the folder that says that it is to be made anew.
inline constexpr const char* kDamaged = "damaged";

Status status_of(const rocksdb::Status& status);
rocksdb::WriteOptions without_log();
/// What keys of all entries of a table begin with.
std::string prefix_of(uint32_t number);
/// The value of an entry: file and position, the position in as many bytes as it needs.
std::string place_text(const RowPlace& place);
std::optional<RowPlace> place_of(const rocksdb::Slice& text);
/// Entries of numbers that no table's record names, left by a crash.
Status sweep_index(rocksdb::DB& db);
Status drop_index_number(rocksdb::DB& db, uint32_t number);
/// Forgets a table; fine when there is none.
Status drop_index_table(rocksdb::DB& db, const std::string& uuid);

/// Entries that name files which are gone are put anew from the first to the last, a slice at a
/// time; then nothing has to be known any more of what was gone when it began. Outlives the table's
/// handle, for that is opened again after each commit of others: compaction's, say.
struct IndexRenewal {
    /// Of the entries, whose number is before their keys; nullopt: no renewal is under way.
    std::optional<uint32_t> number;
    std::string next;  // entry
    std::vector<uint32_t> gone;
    uint64_t entries = 0;  // put anew or removed so far
    std::chrono::steady_clock::time_point slice_end = std::chrono::steady_clock::now();
};

class IndexTable final : public KeyIndex::Table {
 public:
    struct Parts {
        rocksdb::DB& db;
        tables::Catalog& catalog;
        query::Engine& engine;
        std::string folder;
        std::string seed;
        std::string uuid;
        uint64_t moved_min;  // KeyIndex::Parts::moved_rows_min
        KeyIndex::Renewal renewal;
        std::shared_ptr<IndexRenewal> under_way;  // this table's
    };
    static Result<std::unique_ptr<KeyIndex::Table>> open(Parts parts, KeyIndex::KeyOf key);

    Status sync(const tables::TablePtr& state) override;
    Result<std::vector<std::optional<RowPlace>>> find(const std::vector<RowKey>& keys) override;
    Result<std::vector<RowPlace>> find_many(const RowKey& key, size_t count) override;
    Result<std::string> path_of(uint32_t file) const override;
    Result<uint32_t> file_of(const std::string& path) override;
    Status moved(const std::vector<KeyIndex::Move>& moves, const tables::TablePtr& after) override;
    Status moving(const std::vector<KeyIndex::Move>& moves) override;
    Status clear() override;
    void forget() override;

 private:
    /// What the table's record says.
    struct Record {
        uint32_t number = 0;  // before each key of this table
        bool torn = false;    // entries are ahead of the snapshot
        int64_t snapshot = kNoSnapshot;
        uint32_t next_file = 0;  // number of a file that comes
        std::string key;         // its columns and types
    };
    static constexpr int64_t kNoSnapshot = -1;
    struct File {
        std::string path;
        bool live = false;
        bool saved = false;
        std::shared_ptr<const MovedRows> moved;  // not live: where its rows are; null: nowhere
        bool moved_saved = false;
    };
    /// A data file of a snapshot, and which of its rows were deleted then.
    struct KnownFile {
        tables::ScanTask task;  // of before; null file: one that compaction made since
        std::optional<Roaring64Map> deleted;  // read when needed
    };
    using Known = std::map<std::string, KnownFile>;                   // by path
    using Facts = std::map<std::string, std::optional<std::string>>;  // nullopt: erase
    class Runs;
    struct Lookup;

    explicit IndexTable(Parts parts, KeyIndex::KeyOf key)
        : parts_(std::move(parts)),
          key_(std::move(key)),
          keys_(parts_.seed, key_.many),
          renewal_(*parts_.under_way) {}
    Status load();
    Result<uint32_t> fresh_number();
    std::string key_text(const tables::TableState& state) const;
    std::string entry_of(uint32_t number, const RowKey& key) const;
    void put(rocksdb::WriteBatch& batch, const KeyIndex::Move& move) const;
    void collect_facts(Facts& facts);
    std::string record_text() const;
    void save(rocksdb::WriteBatch& batch);
    void forget_moved(rocksdb::WriteBatch& batch, uint32_t file) const;
    Status note(const Status& status) const;
    Result<size_t> walk(Lookup& lookup, size_t from, rocksdb::Iterator& rows) const;
    Status look_up(Lookup& lookup, size_t from, size_t count) const;
    Status take(Lookup& lookup, size_t at, const rocksdb::Slice& value) const;
    Status write(rocksdb::WriteBatch& batch);
    Status write_moves(const std::vector<KeyIndex::Move>& moves, bool told);
    Status ingest_moves(const std::vector<KeyIndex::Move>& moves, bool told);
    Status ingest(const std::vector<std::string>& paths);
    std::string run_path() const;
    uint32_t number_of(const std::string& path);
    Status set_live(const tables::ScanPlan& plan);

    Status build(const tables::TablePtr& state);
    Status catch_up(const tables::TablePtr& state);
    Status add_file(const tables::TablePtr& state, const tables::ScanTask& task, Runs& runs);
    Status forget_deleted(const tables::TablePtr& state, const tables::ScanTask& task,
                          KnownFile& known, rocksdb::WriteBatch& batch);
    bool too_much_garbage(const Known& before, const tables::ScanPlan& plan);
    Status mark_torn();

    // key_index_moved.cc
    Result<Roaring64Map> deleted_rows(const tables::ScanTask& task) const;
    Result<const Roaring64Map*> deleted_before(KnownFile& known) const;
    Status follow_rewrites(Known& known);
    Status follow_rewrite(const tables::Rewrite& rewrite, Known& known);
    std::optional<RowPlace> place_now(RowPlace place) const;

    // key_index_renewal.cc
    void weigh();
    Status renew_some();
    void begin_renewal();
    Result<bool> renew_until(std::chrono::steady_clock::time_point end);
    Status end_renewal();

    const Parts parts_;
    const KeyIndex::KeyOf key_;
    KeyMaker keys_;
    IndexRenewal& renewal_;
    Record record_;
    bool found_ = false;               // there is a record of this key
    bool looked_ = false;              // files' liveness is known
    std::optional<uint32_t> cleared_;  // number of what comes after clear()
    // By number. One that is gone and whose rows are nowhere is not kept: no number comes twice.
    std::unordered_map<uint32_t, File> files_;
    std::unordered_map<std::string, uint32_t> numbers_;
    double weight_ = 0;     // of what is known of files that are gone; from 1 on it is too much
    uint64_t garbage_ = 0;  // entries of rows that are in other files now
    std::chrono::steady_clock::time_point flushed_ = std::chrono::steady_clock::now();
};

}  // namespace tarn::ingest
