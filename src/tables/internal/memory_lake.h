// For tests: a meta store and files in memory, so that tables can be tested without a disk. The
// store keeps the promises of meta/store.h for conditions and atomicity, and can be told to fail or
// to run something between a reader and a commit.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "meta/store.h"
#include "tables/catalog.h"
#include "tables/commit.h"
#include "tables/scan.h"

namespace tarn::tables::testing {

using Records = std::map<std::string, std::shared_ptr<const meta::Record>>;

class MemoryStore final : public meta::Store {
 public:
    Result<std::optional<meta::Record>> get(std::string_view key) const override;
    std::unique_ptr<meta::Iterator> scan(meta::Range range) const override;
    std::shared_ptr<const meta::Snapshot> snapshot() const override;
    Result<meta::Commit> commit(meta::Batch batch) override;
    void commit(meta::Batch batch, std::function<void(Result<meta::Commit>)> done) override;
    meta::Version last_version() const override;
    bool healthy() const override { return true; }

    /// Runs before each commit, outside of the store's lock.
    std::function<void()> before_commit;
    size_t commits() const;

 private:
    mutable Mutex mutex_;
    std::shared_ptr<const Records> records_ TARN_GUARDED_BY(mutex_) = std::make_shared<Records>();
    meta::Version version_ TARN_GUARDED_BY(mutex_) = 0;
    size_t commits_ TARN_GUARDED_BY(mutex_) = 0;
};

/// Files are records of the store under "f/": staging them is part of the batch, as with real
/// objects.
class MemoryFiles final : public Files {
 public:
    explicit MemoryFiles(MemoryStore& store, const Clock& clock) : store_(store), clock_(clock) {}
    Result<std::string> read(const std::string& path, uint64_t bytes_max) const override;
    Result<std::unique_ptr<Staged>> stage_put(meta::Batch& batch, const std::string& path,
                                              std::string bytes) override;
    Result<std::vector<Listed>> list(const std::string& prefix, const std::string& after,
                                     size_t count) const override;
    Status remove(const std::vector<std::string>& paths) override;

    void put(const std::string& path, std::string bytes);
    /// Every file: path and bytes.
    std::map<std::string, std::string> all() const;

 private:
    MemoryStore& store_;
    const Clock& clock_;
};

/// A lake with a database "shop", and helpers to make data files that only exist in metadata.
struct Lake {
    explicit Lake(CommitterOptions options = {});

    TablePtr create(const std::string& name, std::vector<Field> columns,
                    std::vector<PartitionField> partition = {}, Properties properties = {});
    TablePtr load(const std::string& name);
    /// The latest state of the same table.
    TablePtr again(const TablePtr& table);
    DataFile file(const TablePtr& table, int64_t records, Partition partition = {});
    DataFile deletes(const DataFile& data, const TablePtr& table, int64_t records);
    Result<CommitResult> append(const TablePtr& table, std::vector<DataFile> files,
                                meta::Batch extra = {});
    Result<CommitResult> commit(TableChange change, meta::Batch extra = {});
    /// Rows in the files of a scan without regard to deletes.
    int64_t records(const TablePtr& table);

    ManualClock clock;
    Metrics metrics;
    MemoryStore store;
    MemoryFiles files{store, clock};
    Catalog catalog;
    Committer committer;
    security::Caller caller;
};

/// Columns id (long, required), name (string), day (date), with ids 1, 2, 3.
std::vector<Field> shop_columns();

}  // namespace tarn::tables::testing
