// Inside of ChangeApply: what is pending of one table since the last commit.
//
// A change goes into `buffer_`; the row that it supersedes dies there, or is position-deleted in
// the file that this commit is writing. Rows of the table itself are looked up at finish(), all at
// once. A file of this commit has a number with kOwn in it, one of the table the index's number.
#pragma once

#include <map>
#include <set>
#include <unordered_map>

#include <roaring/roaring64map.hh>

#include "ingest/internal/change_apply.h"
#include "ingest/internal/change_history.h"
#include "ingest/internal/change_keys.h"
#include "ingest/internal/change_rows.h"
#include "query/row_places.h"

namespace tarn::ingest {

struct ChangeApply::Impl {
    Impl(Parts given, tables::TablePtr state, ChangeShape as, tables::TablePtr history_state);

    // change_apply.cc: one change.
    Status insert(const TransactionInfo& transaction, const Cells& after);
    Status update(const TransactionInfo& transaction, Before kind, const Cells& before,
                  const Cells& after);
    Status remove(const TransactionInfo& transaction, Before kind, const Cells& before);
    Status truncate(const TransactionInfo& transaction);
    Status reshape(tables::TablePtr state, ChangeShape as, tables::TablePtr history_state);
    /// Runs one change: after an error all that is pending is void.
    template <typename Work>
    Status guarded(Work work) {
        if (!broken_.ok()) return broken_;
        Status done = work();
        if (done.ok()) done = keep_bounded();
        if (!done.ok()) broken_ = done;
        return done;
    }
    uint64_t bytes() const;

    // change_apply_write.cc: pending rows into files, and the change of it all.
    Result<std::vector<tables::TableChange>> finish();
    Status committed(const tables::TablePtr& after, const tables::TablePtr& history_after);
    void discard(bool outcome_open);

 private:
    static constexpr uint32_t kOwn = 0x80000000;
    static constexpr size_t kBufferRows = 16 * 1024;
    static constexpr size_t kWaitingMax = 4 * 1024;

    /// The rows of a key that several rows may have.
    struct Many {
        std::vector<RowPlace> live;  // file kBuffered: row of the buffer
        uint64_t removed = 0;        // of the table
    };
    static constexpr uint32_t kBuffered = UINT32_MAX;

    void take_shape(ChangeShape as);
    Status check_row(const Cells& cells) const;
    Result<uint32_t> append(const Cells& after, Before kind, const Cells& before);
    Status wait_for_old(uint32_t row, uint32_t column, Before kind, const Cells& before);
    Result<RowKey> key_of_row(uint32_t row);
    Result<RowKey> key_of_cells(const Cells& cells);
    void clear_key_cells();
    /// Where the row of a key is just now.
    struct OldRow {
        std::optional<uint32_t> buffered;
        RowSource source;
    };
    Result<OldRow> source_of(const RowKey& key);
    Status find_old(size_t waited, const RowKey& key);
    void supersede(const ChangedKeys::Entry& entry);
    void place(const RowKey& key, uint32_t row);
    Status take_one(const RowKey& key);
    Status tell_history(char operation, const TransactionInfo& transaction, Before kind,
                        const Cells& before, std::optional<RowKey> old_key,
                        std::optional<uint32_t> after_row);
    std::string describe(const RowKey& key) const;
    Error no_row(const RowKey& key) const;
    Status keep_bounded();

    Status load_base(bool newest);
    Status flush();
    Status write_buffer();
    Status settle();
    Status fetch(const std::map<uint32_t, std::set<uint64_t>>& wanted);
    Result<tables::ScanTask> task_of(uint32_t file);
    Status close_writer();
    uint32_t own_of(uint32_t writer_file);
    void delete_place(const RowPlace& place);
    Result<std::vector<KeyIndex::Move>> resolve();
    Status resolve_many(std::vector<KeyIndex::Move>& moves);
    RowPlace index_place(const RowPlace& place) const;
    Status spill();
    Result<tables::TableChange> change();
    void reset();

    const Parts parts_;
    tables::TablePtr table_;  // newest state known
    ChangeShape shape_;
    std::vector<size_t> kept_;        // columns of the relation that the table has
    std::vector<int> kept_ids_;       // their field ids
    std::vector<uint32_t> place_of_;  // relation's column -> buffer's; kNotKept
    static constexpr uint32_t kNotKept = UINT32_MAX;
    std::vector<size_t> key_;           // of the buffer's columns
    std::vector<ValueReader> readers_;  // of the relation's columns
    KeyMaker keys_made_;
    query::Chunk key_cells_;  // keys of rows before
    std::unique_ptr<HistoryRows> history_;

    std::unique_ptr<KeyIndex::Table> index_;
    tables::TablePtr base_;  // null: not read since the last commit
    std::map<std::string, tables::ScanTask> base_files_;
    bool truncated_ = false;  // the base has no rows any more
    bool spilled_ = false;    // the index is ahead of the table: `base_` must stay what it is

    WaitingRows buffer_;
    std::vector<uint8_t> alive_;
    std::vector<uint32_t> entry_of_row_;
    uint64_t buffer_bytes_ = 0;
    ChangedKeys keys_;
    std::map<RowKey, Many> many_;

    std::unique_ptr<query::PlacedWriter> writer_;
    uint32_t writer_base_ = 0;  // of own_paths_
    std::vector<std::string> own_paths_;
    std::map<std::string, tables::DataFile> own_files_;  // closed
    std::map<uint32_t, uint32_t> own_of_index_;          // the index's number -> own
    std::map<uint32_t, Roaring64Map> deleted_;           // file -> positions
    std::vector<std::unique_ptr<query::Chunk>> fetched_;
    std::map<RowPlace, WaitingRows::Fetched> fetched_rows_;

    // Of finish(), until committed() or discard().
    std::vector<KeyIndex::Move> moves_;
    std::vector<std::string> written_;  // all files
    bool finished_ = false, changes_table_ = false;

    Status broken_;

 public:
    bool told_ = false;  // anything since the last commit
    ChangeCounts counts_;
};

}  // namespace tarn::ingest
