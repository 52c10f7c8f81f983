// Writing: rows into Parquet files of a table, one file per partition and thread, with the
// statistics that Iceberg's manifests want.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "query/internal/lake.h"

namespace tarn::query {

/// One column of a file.
struct FileColumn {
    std::string name;
    duck::LogicalType type;
    const tables::Field* field = nullptr;  // null: a column of a delete file
    int field_id = 0;
};

/// What compressing a file may cost: `little` for small files that compaction writes again.
enum class Compress { well, little };

/// One Parquet file on its way. Destroying it before finish() leaves nothing. One thread at a time.
class ParquetFile {
 public:
    ParquetFile(Services& services, duck::ClientContext& context, std::string path,
                const std::vector<FileColumn>& columns, Compress compress);
    ~ParquetFile();

    void append(duck::ExecutionContext& context, duck::DataChunk& rows);
    bool full() const;
    /// Path, counts, sizes and bounds; partition and spec are the caller's.
    tables::DataFile finish(duck::ExecutionContext& context);

 private:
    Services& services_;
    duck::ClientContext& context_;
    const std::string path_;
    const std::vector<FileColumn>& columns_;
    duck::unique_ptr<duck::FunctionData> bind_data_;
    duck::unique_ptr<duck::CopyFunctionFileStatistics> statistics_;
    duck::unique_ptr<duck::GlobalFunctionData> global_;
    duck::unique_ptr<duck::LocalFunctionData> local_;
};

/// Where a row went: the file by the order in which they were begun.
struct PlacedRow;

/// All files that one statement writes into one table.
class TableWriter {
 public:
    /// `columns`: positions in the schema's fields, in the order of the chunks' columns.
    TableWriter(Services& services, duck::ClientContext& context, tables::TablePtr table,
                std::vector<size_t> columns, Compress compress = Compress::well);
    /// Removes the files that were finished and not taken.
    ~TableWriter();

    /// What one thread writes.
    class Lane {
     public:
        explicit Lane(TableWriter& writer) : writer_(writer) {}
        /// Throws for a NULL in a required column. `places`: gets one element for each row.
        void append(duck::ExecutionContext& context, duck::DataChunk& rows,
                    std::vector<PlacedRow>* places = nullptr);
        void finish(duck::ExecutionContext& context);

     private:
        struct Open {
            std::unique_ptr<ParquetFile> file;
            tables::Partition partition;
            uint64_t used = 0;
            uint32_t number = 0;  // in paths_
            uint64_t rows = 0;
        };
        /// `at`: which of `places` belong to the rows, in their order; null: all from `first` on.
        struct PlacesOf {
            std::vector<PlacedRow>* places = nullptr;
            size_t first = 0;
            const std::vector<duck::sel_t>* at = nullptr;
        };
        void append_to(duck::ExecutionContext& context, const std::string& key,
                       tables::Partition partition, duck::DataChunk& rows, const PlacesOf& told);
        void close(duck::ExecutionContext& context, Open& open);

        // More open files than that and the one used longest ago is closed.
        static constexpr size_t kOpenMax = 32;
        TableWriter& writer_;
        std::map<std::string, Open> open_;
        uint64_t uses_ = 0;
    };

    const std::vector<FileColumn>& columns() const { return columns_; }
    std::vector<tables::DataFile> take();
    /// Precondition: one lane, or all ended.
    const std::string& path(uint32_t number) const { return paths_[number]; }

 private:
    struct PartitionSource {
        size_t column;  // of the chunk
        tables::Type type;
        tables::Transform transform;
    };
    Services& services_;
    duck::ClientContext& context_;
    const tables::TablePtr table_;
    const Compress compress_;
    std::vector<FileColumn> columns_;
    std::vector<PartitionSource> partition_;
    std::mutex mutex_;
    std::vector<tables::DataFile> done_;
    std::deque<std::string> paths_;  // of all that were begun
};

/// Writes the position deletes of one data file.
tables::DataFile write_position_deletes(Services& services, duck::ClientContext& context,
                                        const std::string& location,
                                        const tables::DataFile& data_file, const Positions& rows);

void remove_files_quietly(Services& services, const std::vector<tables::DataFile>& files);

}  // namespace tarn::query
