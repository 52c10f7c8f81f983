// What DuckDB keeps of the lake's Parquet files between statements: blocks of their bytes and their
// parsed footers. By itself it forgets only when its whole memory budget is in use; a busy table's
// files are replaced within seconds, so what would fill the budget is mostly of files that nobody
// can read any more. Here it also forgets by age and by size.
#pragma once

#include <deque>

#include "base/metrics.h"
// GCC 12 cannot see that its cache fills in an entry before it moves it; clang has no such warning.
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include "duckdb/storage/object_cache.hpp"
#pragma GCC diagnostic pop
#include "query/internal/duck.h"

namespace tarn::query {

struct FileCacheLimits {
    size_t bytes_max = 0;    // blocks and footers together, as DuckDB counts them
    size_t rounds_kept = 0;  // what no statement has used for so many calls of tend() is forgotten
};

/// Owner: Database, whose DuckDB outlives it. Lane: background, one call at a time.
class FileCache {
 public:
    FileCache(duck::DatabaseInstance& database, FileCacheLimits limits, Metrics& metrics);

    /// To be called at equal intervals. What a statement uses while it runs stays with it.
    void tend();
    size_t bytes() const;

 private:

    duck::DatabaseInstance& database_;
    const FileCacheLimits limits_;
    Gauge& gauge_;
    // The end of each round, oldest first, as entries of DuckDB's list by last use: what has not been
    // used since lies behind.
    std::deque<duck::weak_ptr<duck::ObjectCacheEntry>> rounds_;
    uint64_t next_round_ = 0;
};

}  // namespace tarn::query
