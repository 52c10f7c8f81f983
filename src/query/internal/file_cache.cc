#include "query/internal/file_cache.h"

#include "base/cache_metrics.h"
#include "duckdb/storage/buffer_manager.hpp"

namespace tarn::query {

namespace {

class RoundEnd final : public duck::ObjectCacheEntry {
 public:
    std::string GetObjectType() override { return "tarn_round_end"; }
    duck::optional_idx GetEstimatedCacheMemory() const override { return 1; }
};

}  // namespace

FileCache::FileCache(duck::DatabaseInstance& database, FileCacheLimits limits, Metrics& metrics)
    : database_(database),
      limits_(limits),
      gauge_(cache_gauge(metrics, "sql_files", limits.bytes_max)) {}

size_t FileCache::bytes() const {
    size_t bytes = 0;
    for (const auto& part : duck::BufferManager::GetBufferManager(database_).GetMemoryUsageInfo())
        if (part.tag == duck::MemoryTag::EXTERNAL_FILE_CACHE || part.tag == duck::MemoryTag::OBJECT_CACHE)
            bytes += part.size;
    return bytes;
}

void FileCache::tend() {
    auto& cache = database_.GetObjectCache();
    auto end = duck::make_shared_ptr<RoundEnd>();
    cache.Put("tarn round " + std::to_string(next_round_++), end);
    rounds_.emplace_back(end);
    end.reset();
    if (rounds_.size() > limits_.rounds_kept) {
        // One entry at a time: a file's weight says nothing of its blocks.
        while (!rounds_.front().expired() && cache.EvictToReduceMemory(1) > 0) {
        }
        rounds_.pop_front();
    }
    size_t held = bytes();
    while (held > limits_.bytes_max && cache.EvictToReduceMemory(1) > 0) held = bytes();
    gauge_.set(static_cast<double>(held));
}

}  // namespace tarn::query
