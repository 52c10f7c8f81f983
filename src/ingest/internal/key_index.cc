#include "ingest/internal/key_index.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <filesystem>
#include <map>

#include "base/bytes.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/random.h"
#include "ingest/internal/key_index_table.h"

namespace tarn::ingest {

namespace {

constexpr std::string_view kVersion = "tarn key index 2";
constexpr uint64_t kMemtableBytes = 16ull << 20;

/// Keys are tens of bytes and looked up one by one: small blocks, filters, no compression.
rocksdb::Options options_of(uint64_t memory_max) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.write_buffer_size = kMemtableBytes;
    options.max_write_buffer_number = 2;
    options.level0_file_num_compaction_trigger = 6;
    options.level0_slowdown_writes_trigger = 40;
    options.level0_stop_writes_trigger = 60;
    options.max_bytes_for_level_base = 128ull << 20;
    options.target_file_size_base = 32ull << 20;
    options.level_compaction_dynamic_level_bytes = true;
    options.max_background_jobs = 2;
    options.max_open_files = 256;
    options.compression = rocksdb::kNoCompression;
    options.manual_wal_flush = true;
    options.keep_log_file_num = 2;
    options.max_log_file_size = 1ull << 20;
    options.info_log_level = rocksdb::WARN_LEVEL;
    options.stats_dump_period_sec = 0;
    // Most keys that are asked for are not in the memtable.
    options.memtable_prefix_bloom_size_ratio = 0.1;
    options.memtable_whole_key_filtering = true;

    rocksdb::BlockBasedTableOptions table;
    const uint64_t memtables = 2 * kMemtableBytes;
    table.block_cache =
        rocksdb::NewLRUCache(memory_max > 2 * memtables ? memory_max - memtables : memtables);
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.cache_index_and_filter_blocks = true;
    table.cache_index_and_filter_blocks_with_high_priority = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    table.partition_filters = true;
    table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
    table.pin_top_level_index_and_filter = true;
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    table.block_size = 4096;
    table.format_version = 5;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
}

class OpenIndex final : public KeyIndex {
 public:
    explicit OpenIndex(Parts parts) : parts_(std::move(parts)) {}

    Status start() {
        namespace fs = std::filesystem;
        std::error_code problem;
        fs::create_directories(parts_.folder, problem);
        if (problem)
            return Error(Code::io,
                         fmt::format("key index: {}: {}", parts_.folder, problem.message()));
        const bool damaged = fs::exists(fs::path(parts_.folder) / kDamaged, problem);
        if (!damaged && open().ok()) return ok_status();
        log_warning("ingest", "the key index is made anew", {{"folder", parts_.folder}});
        db_.reset();
        // Only what is ours goes: the folder may be a mount.
        for (const auto& entry : fs::directory_iterator(parts_.folder, problem))
            fs::remove_all(entry.path(), problem);
        return open();
    }

    const std::string& seed() const override { return seed_; }

    Result<std::unique_ptr<Table>> open_table(const std::string& uuid, KeyOf key) override {
        std::shared_ptr<IndexRenewal> renewal;
        {
            const MutexLock lock(mutex_);
            auto& known = renewals_[uuid];
            if (!known) known = std::make_shared<IndexRenewal>();
            renewal = known;
        }
        return IndexTable::open({*db_, parts_.catalog, parts_.engine, parts_.folder, seed_, uuid,
                                 parts_.moved_rows_min, parts_.renewal, renewal},
                                std::move(key));
    }

    Status remove(const std::string& uuid) override {
        {
            const MutexLock lock(mutex_);
            renewals_.erase(uuid);
        }
        return drop_index_table(*db_, uuid);
    }

 private:
    Status open() {
        rocksdb::DB* opened = nullptr;
        TARN_CHECK_OK(
            status_of(rocksdb::DB::Open(options_of(parts_.memory_max), parts_.folder, &opened)));
        db_.reset(opened);
        std::string version;
        const auto found = db_->Get({}, kVersionKey, &version);
        if (found.ok() && version.starts_with(kVersion) && version.size() == kVersion.size() + 16) {
            seed_ = version.substr(kVersion.size());
            return sweep_index(*db_);
        }
        const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator({}));
        rows->SeekToFirst();
        if (rows->Valid() || !rows->status().ok())
            return Error(Code::corrupted, "key index: another version");
        seed_ = random_bytes(16);
        TARN_CHECK_OK(
            status_of(db_->Put(without_log(), kVersionKey, std::string(kVersion) + seed_)));
        return status_of(db_->Flush({}));
    }

    const Parts parts_;
    std::unique_ptr<rocksdb::DB> db_;
    std::string seed_;
    Mutex mutex_;
    std::map<std::string, std::shared_ptr<IndexRenewal>> renewals_
        TARN_GUARDED_BY(mutex_);  // by table
};

}  // namespace

Result<std::unique_ptr<KeyIndex>> KeyIndex::open(Parts parts) {
    auto made = std::make_unique<OpenIndex>(std::move(parts));
    TARN_CHECK_OK(made->start());
    return std::unique_ptr<KeyIndex>(std::move(made));
}

}  // namespace tarn::ingest
