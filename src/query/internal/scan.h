// Reading: DuckDB's Parquet reader under our file list. Columns are matched by field id, deleted
// rows are skipped, files that partition values or bounds rule out are not opened.
#pragma once

#include <functional>
#include <list>
#include <unordered_map>

#include "query/internal/lake.h"

namespace tarn::query {

/// The scan of one table: a copy of parquet_scan with our reader and list in it.
duck::TableFunction lake_scan_function(Services& services);
duck::unique_ptr<duck::FunctionData> bind_lake_scan(duck::ClientContext& context,
                                                    duck::TableFunction& function,
                                                    LakeTable& table);

/// Position deletes in memory, by delete file and then data file. Files never change, so neither
/// does an entry. Lane: any.
class DeleteCache {
 public:
    explicit DeleteCache(Services& services);

    /// The rows of `data_file` that `delete_file` deletes; null: none.
    PositionsPtr positions(duck::ClientContext& context, const std::string& delete_file,
                           const std::string& data_file);
    /// What a delete file that was just written holds, so that nobody has to read it.
    void written(const std::string& delete_file, const std::string& data_file,
                 const Positions& rows);

 private:
    using ByDataFile = std::unordered_map<std::string, PositionsPtr>;
    struct Entry {
        std::shared_ptr<const ByDataFile> rows;
        std::list<std::string>::iterator age;
        size_t bytes = 0;
    };
    std::shared_ptr<const ByDataFile> load(duck::ClientContext& context,
                                           const std::string& delete_file);
    void keep(const std::string& delete_file, std::shared_ptr<const ByDataFile> rows);

    static constexpr size_t kEntriesMax = 1024;
    static constexpr size_t kBytesMax = 64 << 20;
    Services& services_;
    Gauge& bytes_gauge_;
    std::mutex mutex_;
    std::unordered_map<std::string, Entry> entries_;
    std::list<std::string> ages_;  // newest first
    size_t bytes_ = 0;
};

/// Reads a table front to back, all columns in order, on the calling thread.
void read_table(duck::ClientContext& context, LakeTable& table,
                const std::function<void(duck::DataChunk&)>& take);

/// The same for chosen columns (numbers in the view) with each row's position as the last one.
/// `only`: row groups without any of these positions need not be read; other rows may come.
void read_positions(duck::ClientContext& context, LakeTable& table,
                    const std::vector<size_t>& columns, const std::vector<uint64_t>* only,
                    const std::function<void(duck::DataChunk&)>& take);

/// Reads a Parquet file front to back, on the calling thread. Missing columns are an IOException.
void read_parquet(Services& services, duck::ClientContext& context, const std::string& path,
                  const std::vector<std::string>& columns,
                  const std::function<void(duck::DataChunk&)>& take);

}  // namespace tarn::query
