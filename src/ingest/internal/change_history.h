// The history of a followed table, <table>_history: one row for each change, in the order of the
// source's log, with the row before and after it. Only ever appended to, in the commit that makes
// the change (docs/formats/ingest.md).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "ingest/internal/change_events.h"
#include "ingest/internal/change_rows.h"
#include "ingest/internal/target.h"
#include "query/row_places.h"

namespace tarn::ingest {

/// The table that keeps the history of `of`. Columns: operation (I, U, D, T), transaction_id,
/// commit_lsn, ordinal (from 1, among the changes of this table in the transaction), committed_at,
/// then before_<column> and after_<column> of each column, all of them optional.
TargetTable history_target(const TargetTable& of);

/// Rows of the history on their way. Owned by ChangeApply. One thread.
class HistoryRows {
 public:
    /// `columns`: of the followed table, as the rows that are told have them.
    HistoryRows(query::Engine& engine, tables::TablePtr history, std::vector<ColumnSpec> columns);
    Status reshape(tables::TablePtr history, std::vector<ColumnSpec> columns);

    WaitingRows& before() { return before_; }
    WaitingRows& after() { return after_; }
    /// What is told of `transaction` next is numbered from behind `ordinal`.
    void begin_behind(const TransactionInfo& transaction, int64_t ordinal);
    /// Precondition: before() and after() have got one row more, each.
    void tell(char operation, const TransactionInfo& transaction);
    /// Writes what was told. Precondition: no cell waits.
    Status flush();
    /// The change that adds all that was written; nullopt: nothing.
    Result<std::optional<tables::TableChange>> finish();
    void committed(tables::TablePtr after);
    void discard();

 private:
    Status open();

    query::Engine& engine_;
    tables::TablePtr table_;
    std::vector<ColumnSpec> columns_;
    WaitingRows before_, after_;
    query::Chunk facts_;
    std::unique_ptr<query::PlacedWriter> writer_;
    std::vector<tables::DataFile> files_;
    uint32_t xid_ = 0;
    Lsn lsn_ = 0;
    int64_t ordinal_ = 0;
};

}  // namespace tarn::ingest
