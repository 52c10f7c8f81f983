// Rows of an execution: there already, made as they are asked for, or taken in slices.
#pragma once

#include "query/internal/session.h"

namespace tarn::query {

/// Rows that are already there.
class FixedCursor final : public Cursor {
 public:
    FixedCursor(std::vector<ResultColumn> columns, std::vector<Chunk> chunks, std::string tag,
                uint64_t affected = 0)
        : columns_(std::move(columns)),
          chunks_(std::move(chunks)),
          tag_(std::move(tag)),
          affected_(affected) {}
    const std::vector<ResultColumn>& columns() const override { return columns_; }
    Result<std::optional<Chunk>> next() override {
        if (at_ == chunks_.size()) return std::optional<Chunk>();
        return std::optional<Chunk>(std::move(chunks_[at_++]));
    }
    std::string tag() const override { return tag_; }
    uint64_t rows_affected() const override { return affected_; }

 private:
    std::vector<ResultColumn> columns_;
    std::vector<Chunk> chunks_;
    size_t at_ = 0;
    std::string tag_;
    uint64_t affected_;
};

/// The rows of a running query.
class QueryCursor final : public Cursor {
 public:
    QueryCursor(LakeSession& session, Command command, std::vector<ResultColumn> columns,
                duck::unique_ptr<duck::QueryResult> result)
        : session_(session),
          command_(command),
          columns_(std::move(columns)),
          result_(std::move(result)) {}
    ~QueryCursor() override;

    const std::vector<ResultColumn>& columns() const override { return columns_; }
    Result<std::optional<Chunk>> next() override;
    std::string tag() const override { return tag_of(command_, rows_); }
    uint64_t rows_affected() const override { return rows_; }
    /// Reads what is left into memory (the engine's, which spills).
    Status detach();
    /// Ends it: the transaction it read in is gone.
    void abandon() {
        ended_ = true;
        result_.reset();
        kept_.reset();
    }

 private:
    Result<duck::unique_ptr<duck::DataChunk>> fetch();

    LakeSession& session_;
    const Command command_;
    const std::vector<ResultColumn> columns_;
    duck::unique_ptr<duck::QueryResult> result_;
    duck::unique_ptr<duck::ColumnDataCollection> kept_;
    duck::ColumnDataScanState kept_scan_;
    uint64_t rows_ = 0;
    bool ended_ = false;
};

/// DECLAREd: FETCH takes some rows at a time.
class SlicedCursor {
 public:
    SlicedCursor(std::unique_ptr<Cursor> inner, bool holds)
        : inner_(std::move(inner)), holds_(holds) {}
    const std::vector<ResultColumn>& columns() const { return inner_->columns(); }
    /// The next `count` rows, or fewer at the end.
    Result<std::vector<Chunk>> slice(int64_t count);
    /// The transaction that it was declared in has ended. False: and it with that.
    bool outlives(bool committed) { return kept_ = kept_ || (holds_ && committed); }
    /// WITH HOLD, and its transaction has committed.
    bool kept() const { return kept_; }

 private:
    std::unique_ptr<Cursor> inner_;
    const bool holds_;
    bool kept_ = false;
    std::optional<Chunk> rest_;
    size_t rest_at_ = 0;
};

}  // namespace tarn::query
