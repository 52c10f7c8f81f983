// Rows on their way, column by column, some of whose cells are not known yet: large values that the
// log did not repeat and rows as they were before. What a cell waits for is the row of a key in the
// table, or a row that was written since. Owned by ChangeApply.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "ingest/internal/change_events.h"
#include "ingest/internal/change_values.h"
#include "ingest/internal/key_index.h"

namespace tarn::ingest {

/// The row that has the value: of a key in the table as the commit finds it, or one at `place`
/// (ChangeApply says what `file` numbers there).
struct RowSource {
    std::optional<RowPlace> place;  // nullopt: look the key up
    RowKey key;
};

class WaitingRows {
 public:
    static constexpr uint32_t kAll = UINT32_MAX;
    struct Waiting {
        uint32_t row, column;  // column kAll: all of the row
        RowSource source;
    };
    /// The cells of one place that was fetched: row of a chunk of the same columns.
    struct Fetched {
        const query::Chunk* rows = nullptr;
        size_t row = 0;
    };

    WaitingRows() = default;
    explicit WaitingRows(std::vector<query::Type> types) : types_(std::move(types)) { clear(); }

    query::Chunk& chunk() { return chunk_; }
    const query::Chunk& chunk() const { return chunk_; }
    uint32_t rows() const { return static_cast<uint32_t>(chunk_.rows()); }
    const std::vector<Waiting>& waiting() const { return waiting_; }

    void wait(uint32_t row, uint32_t column, RowSource source);
    void set_source(size_t waiting, RowSource source) {
        waiting_[waiting].source = std::move(source);
    }
    /// What a cell waits for; null: it is there.
    const RowSource* waits(uint32_t row, uint32_t column) const;
    /// Appends a row of another, with what its cells wait for.
    void append_row(const WaitingRows& from, uint32_t row);
    void append_cell(const WaitingRows& from, uint32_t row, uint32_t column, uint32_t to_row);
    void append_nulls();
    /// Puts the fetched cells in place. `fetched` in the order of waiting().
    void settle(const std::vector<Fetched>& fetched);
    void clear();

 private:
    std::vector<query::Type> types_;
    query::Chunk chunk_;
    std::vector<Waiting> waiting_;
    std::unordered_map<uint64_t, uint32_t> by_cell_;  // row and column -> waiting_
};

}  // namespace tarn::ingest
