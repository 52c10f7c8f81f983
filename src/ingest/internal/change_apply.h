// Changes of one followed table put into its Iceberg table: the last word on each key as new rows,
// the rows before them as position deletes, found by the key index so that the cost does not depend
// on the table's size. Bounded in memory whatever the transaction: rows go into data files as they
// come, keys beyond a bound into the index on disk.
//
//   ChangeApply apply(parts, table, shape);
//   apply.insert(...); apply.update(...); ...           // between two commits, in the order of the
//   log auto changes = apply.finish();                      // of the table, and of its history
//   when it has one committer.commit(caller, all changes of all tables, position);
//   apply.committed(table_after);                       // or apply.discard(): read the log again
//   from the position
//
// One thread: the runner's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ingest/internal/change_events.h"
#include "ingest/internal/target.h"

namespace tarn::ingest {

class KeyIndex;

/// How the log's columns become the table's: for each column of the relation its place in the
/// table's schema by field id (0: not kept).
struct ChangeShape {
    std::vector<ColumnSpec>
        columns;                 // as decoded, in the order of Relation::columns; types as stored
    std::vector<int> field_ids;  // one each
    std::vector<size_t> key;     // places in `columns` of the replica identity's columns (full: the
                                 // primary key's, else all)
    enum class Mode : uint8_t {
        upsert,       // one row a key
        whole_rows,   // replica identity full without a primary key: equal rows are told apart by
                      // nothing; a deletion removes one of them
        append_only,  // no replica identity: rows are only added
    };
    Mode mode = Mode::upsert;
};

struct ChangeCounts {
    uint64_t inserted = 0, updated = 0, removed = 0, truncated = 0;
};

class ChangeApply {
 public:
    struct Parts {
        const SourcesParts& lake;
        KeyIndex& index;
        uint64_t memory_max = 64ull << 20;  // of one table's pending rows and keys
    };
    /// `history`: null, or the table <name>_history (history_target() in change_history.h).
    ChangeApply(Parts parts, tables::TablePtr table, ChangeShape shape,
                tables::TablePtr history = nullptr);
    ~ChangeApply();  // discard()
    ChangeApply(const ChangeApply&) = delete;
    ChangeApply& operator=(const ChangeApply&) = delete;

    // Errors: invalid_argument (a value that its column can't hold, or an unchanged value whose row
    // is not here; the message names table, column and key): what was applied since the last commit
    // is void then. The rest of the arguments is as in ChangeReceiver; cells in the order of
    // shape.columns.
    Status insert(const TransactionInfo& transaction, const Cells& after);
    Status update(const TransactionInfo& transaction, Before kind, const Cells& before,
                  const Cells& after);
    Status remove(const TransactionInfo& transaction, Before kind, const Cells& before);
    Status truncate(const TransactionInfo& transaction);

    /// The source's table became another in the middle of the log, perhaps of a transaction: what
    /// was told before stays pending and is committed with what comes now. `table` has the new
    /// schema already (same data files), the key's values and types stay what they were. Cells come
    /// in the order of `shape` from now on.
    /// `history`: its new state, null when there is none or it stays.
    Status reshape(tables::TablePtr table, ChangeShape shape, tables::TablePtr history = nullptr);

    bool empty() const;                  // nothing since the last commit
    uint64_t pending_bytes() const;      // in memory
    const ChangeCounts& counts() const;  // since the last commit

    /// The changes to commit together with all other tables' and the position. Not empty: append,
    /// position_deletes, remove_files of one TableChange for the table, and one that appends for
    /// the history.
    Result<std::vector<tables::TableChange>> finish();
    /// The commit of finish()'s changes succeeded; `after` is the table's state from CommitResult,
    /// null when finish() had no change for the table itself (what was deleted was not here);
    /// `history` likewise.
    Status committed(tables::TablePtr after, tables::TablePtr history = nullptr);
    /// It did not, or will not: files that were written are removed, the index forgets.
    /// `outcome_open`: nobody knows whether the commit came to be (its error was none of conflict,
    /// not_found, invalid_argument): the files stay.
    void discard(bool outcome_open = false);

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::ingest
