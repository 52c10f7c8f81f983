#include "meta/internal/database.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/metadata.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "base/lane.h"
#include "base/log.h"
#include "meta/internal/disk_file_system.h"
#include "meta/internal/slice.h"

namespace tarn::meta {

namespace {

Error to_error(const rocksdb::Status& status) {
    const auto message = "the index: " + status.ToString();
    if (status.IsCorruption()) return Error(Code::corrupted, message);
    if (status.IsNoSpace()) return Error(Code::exhausted, message, "disk_full");
    return Error(Code::io, message);
}

Status to_status(const rocksdb::Status& status) {
    if (status.ok()) return ok_status();
    return to_error(status);
}

/// RocksDB counts, in variables of the thread, each comparison of two keys: nobody reads them.
void without_counting() {
    thread_local const bool done = [] {
        rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
        return true;
    }();
    static_cast<void>(done);
}

rocksdb::BlockBasedTableOptions table_options(size_t block_cache_bytes) {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(block_cache_bytes, /*num_shard_bits=*/2);
    table.block_size = 8 << 10;
    table.format_version = 5;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    // Inside the bounded cache, so that a large lake does not mean a large process.
    table.cache_index_and_filter_blocks = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    return table;
}

rocksdb::Options options(size_t block_cache_bytes) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.table_factory.reset(
        rocksdb::NewBlockBasedTableFactory(table_options(block_cache_bytes)));
    options.compression = rocksdb::kLZ4Compression;
    options.bottommost_compression = rocksdb::kZSTD;

    // Memory: two memtables at work, two to spare before the committer would have to wait.
    options.write_buffer_size = 16 << 20;
    options.arena_block_size = 256 << 10;
    options.max_write_buffer_number = 4;
    options.memtable_prefix_bloom_size_ratio = 0.02;
    options.memtable_whole_key_filtering = true;
    options.level_compaction_dynamic_level_bytes = true;

    // The committer is the only writer of note.
    options.allow_concurrent_memtable_write = false;
    options.enable_write_thread_adaptive_yield = false;
    options.max_background_jobs = 2;

    // A fast start: nothing is scanned, tables are opened when they are read.
    options.max_open_files = 512;
    options.max_file_opening_threads = 1;
    options.skip_stats_update_on_db_open = true;
    options.skip_checking_sst_file_sizes_on_db_open = true;

    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    options.info_log_level = rocksdb::WARN_LEVEL;
    options.keep_log_file_num = 2;
    options.max_log_file_size = 1 << 20;
    return options;
}

}  // namespace

Database::Database(std::unique_ptr<rocksdb::Env> env, std::unique_ptr<rocksdb::DB> db)
    : env_(std::move(env)), db_(std::move(db)) {}

Database::~Database() {
    // Closing flushes, so that the next start has nothing to replay.
    const auto closed = db_->Close();
    if (!closed.ok())
        log_warning("meta", "closing the index failed", {{"error", closed.ToString()}});
}

Result<std::unique_ptr<Database>> Database::open(io::Disk& disk, const std::string& path,
                                                 size_t block_cache_bytes) {
    auto wanted = options(block_cache_bytes);
    std::unique_ptr<rocksdb::Env> env;
    if (dynamic_cast<io::RealDisk*>(&disk) == nullptr) {
        env = rocksdb::NewCompositeEnv(make_disk_file_system(disk));
        wanted.env = env.get();
    }
    rocksdb::DB* db = nullptr;
    const auto opened = rocksdb::DB::Open(wanted, path, &db);
    if (opened.IsIOError() && opened.ToString().find("LOCK") != std::string::npos)
        return Error(Code::unavailable,
                     path + " is in use by another process: " + opened.ToString());
    if (!opened.ok()) return to_error(opened);
    return std::unique_ptr<Database>(
        new Database(std::move(env), std::unique_ptr<rocksdb::DB>(db)));
}

Result<bool> Database::get(std::string_view key, std::string& value,
                           const rocksdb::Snapshot* snapshot) const {
    without_counting();
    rocksdb::ReadOptions read;
    read.snapshot = snapshot;
    const auto got = db_->Get(read, slice(key), &value);
    if (got.IsNotFound()) return false;
    if (!got.ok()) return to_error(got);
    return true;
}

Result<bool> Database::get_flushed(std::string_view key, std::string& value) const {
    rocksdb::ReadOptions read;
    read.read_tier = rocksdb::kPersistedTier;
    const auto got = db_->Get(read, slice(key), &value);
    if (got.IsNotFound()) return false;
    if (!got.ok()) return to_error(got);
    return true;
}

Status Database::write(rocksdb::WriteBatch& batch) {
    without_counting();
    rocksdb::WriteOptions write;
    write.disableWAL = true;
    return to_status(db_->Write(write, &batch));
}

Status Database::flush(bool wait) {
    rocksdb::FlushOptions flush;
    flush.wait = wait;
    flush.allow_write_stall = !wait;
    return to_status(db_->Flush(flush));
}

std::shared_ptr<const rocksdb::Snapshot> Database::snapshot() const {
    auto* db = db_.get();
    return {db->GetSnapshot(), [db](const rocksdb::Snapshot* held) { db->ReleaseSnapshot(held); }};
}

uint64_t Database::bytes() const {
    uint64_t tables = 0;
    uint64_t memory = 0;
    db_->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &tables);
    db_->GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &memory);
    return tables + memory;
}

Result<HeldIndex> Database::hold_files() {
    auto* db = db_.get();
    TARN_CHECK_OK(to_status(db->DisableFileDeletions()));
    HeldIndex held;
    held.hold = Hold(db, [](rocksdb::DB* held_db) {
        const auto enabled = held_db->EnableFileDeletions(/*force=*/false);
        if (!enabled.ok())
            log_warning("meta", "the index keeps files that it no longer needs",
                        {{"error", enabled.ToString()}});
    });
    std::vector<rocksdb::LiveFileStorageInfo> files;
    // By default it flushes.
    TARN_CHECK_OK(to_status(db->GetLiveFilesStorageInfo({}, &files)));
    for (auto& file : files)
        held.files.push_back({file.relative_filename, file.size,
                              file.file_type == rocksdb::kTableFile,
                              std::move(file.replacement_contents)});
    return held;
}

struct Cursor::State {
    std::string from;
    std::string to;
    rocksdb::Slice lower;
    rocksdb::Slice upper;
    std::shared_ptr<const rocksdb::Snapshot> snapshot;
    std::unique_ptr<rocksdb::Iterator> it;
};

Cursor::Cursor(const Database& database, std::string from, std::string to,
               std::shared_ptr<const rocksdb::Snapshot> snapshot)
    : state_(std::make_unique<State>()) {
    without_counting();
    state_->from = std::move(from);
    state_->to = std::move(to);
    // RocksDB does not define a range that ends before it begins.
    if (!state_->to.empty() && state_->to < state_->from) state_->to = state_->from;
    state_->lower = state_->from;
    state_->upper = state_->to;
    state_->snapshot = std::move(snapshot);
    rocksdb::ReadOptions read;
    read.snapshot = state_->snapshot.get();
    read.iterate_lower_bound = &state_->lower;
    if (!state_->to.empty()) read.iterate_upper_bound = &state_->upper;
    state_->it.reset(database.db_->NewIterator(read));
}

Cursor::Cursor(Cursor&&) noexcept = default;
Cursor::~Cursor() = default;

bool Cursor::valid() const {
    return state_->it->Valid();
}
std::string_view Cursor::key() const {
    return view(state_->it->key());
}
std::string_view Cursor::value() const {
    return view(state_->it->value());
}
void Cursor::first() {
    state_->it->SeekToFirst();
}
void Cursor::last() {
    state_->it->SeekToLast();
}
void Cursor::next() {
    state_->it->Next();
}
void Cursor::previous() {
    state_->it->Prev();
}
void Cursor::seek(std::string_view key) {
    state_->it->Seek(slice(key));
}
void Cursor::seek_back(std::string_view key) {
    state_->it->SeekForPrev(slice(key));
}
Status Cursor::status() const {
    return to_status(state_->it->status());
}

}  // namespace tarn::meta
