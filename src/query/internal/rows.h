// Rows in, data files out, for the engine's callers inside the house.
#pragma once

#include "query/internal/database.h"
#include "query/internal/writer.h"

namespace tarn::query {

/// Hands rows over in DuckDB's vectors, whose types are `types`; each chunk is good for one call.
void in_vectors(duck::ClientContext& context, const duck::vector<duck::LogicalType>& types,
                const Chunk& rows, const std::function<void(duck::DataChunk&)>& take);

class LakeRowWriter final : public RowWriter {
 public:
    static Result<std::unique_ptr<LakeRowWriter>> open(Services& services,
                                                       std::unique_ptr<duck::Connection> connection,
                                                       tables::TablePtr table,
                                                       const std::vector<std::string>& columns);
    ~LakeRowWriter() override;

    const std::vector<ResultColumn>& columns() const override { return columns_; }
    const tables::TablePtr& table() const override { return table_; }
    Status append(const Chunk& rows) override;
    Result<std::vector<tables::DataFile>> finish() override;
    /// append() of some rows only.
    Status append_rows(const Chunk& rows, const std::vector<size_t>& chosen);

 private:
    LakeRowWriter(std::unique_ptr<duck::Connection> connection, tables::TablePtr table)
        : connection_(std::move(connection)), table_(std::move(table)) {}
    Status guarded(const std::function<void()>& work);

    std::unique_ptr<duck::Connection> connection_;
    const tables::TablePtr table_;
    std::vector<ResultColumn> columns_;
    std::unique_ptr<TableWriter> writer_;
    std::unique_ptr<TableWriter::Lane> lane_;
    bool void_ = false;
};

Result<tables::TableChange> upsert_rows(Services& services, Database& database,
                                        const tables::TablePtr& table,
                                        const std::vector<std::string>& key, const Chunk& rows,
                                        const std::vector<std::string>& columns);

Result<std::vector<tables::DataFile>> rewrite_files(Services& services, Database& database,
                                                    const tables::CompactionGroup& group);

}  // namespace tarn::query
