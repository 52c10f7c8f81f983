// Gathers the log's transactions for all tables of a source, and commits what was gathered, with
// the position behind it, as one change of the lake: a transaction of the source is in all its
// tables or in none, and never in two commits.
//
//   stream.read(collector, ...);
//   if (collector.pending()) collector.commit_pending();   // on an error: throw the collector away
//   stream.confirm(collector.position().lsn);              // only now
//
// A table that can't be followed any further ends the reading with an error, and trouble() says
// which one. One thread: the runner's.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ingest/internal/capture_position.h"
#include "ingest/internal/capture_schema.h"
#include "ingest/internal/capture_tables.h"
#include "ingest/internal/change_apply.h"
#include "ingest/internal/postgres_tables.h"
#include "ingest/internal/runner.h"

namespace tarn::ingest {

class ChangeCollector final : public ChangeReceiver {
 public:
    struct Parts {
        const std::string& source;    // its name, and the database's
        const std::string& identity;  // of its state
        const PostgresSource& from;
        const SourcesParts& lake;
        KeyIndex& index;
        PostgresConnection& control;  // looks tables up whose columns changed
        StatusBox& status;
    };
    ChangeCollector(Parts parts, CapturePosition position, std::vector<FollowedTable> tables);
    ~ChangeCollector() override;

    Status begin(const TransactionInfo& transaction) override;
    Status insert(const Relation& relation, const Cells& after) override;
    Status update(const Relation& relation, Before kind, const Cells& before,
                  const Cells& after) override;
    Status remove(const Relation& relation, Before kind, const Cells& before) override;
    Status truncate(const std::vector<const Relation*>& relations) override;
    Status message(std::string_view prefix, std::string_view content) override;
    Status commit(const TransactionInfo& transaction) override;
    bool full() const override;

    /// Changes wait for a commit.
    bool pending() const;
    uint64_t waiting() const { return batch_changes_; }  // changes
    /// When the oldest transaction that waits was committed there.
    std::optional<Timestamp> oldest() const { return oldest_; }
    /// When the transaction that came last was committed there.
    Timestamp newest() const { return transaction_.committed; }
    const CapturePosition& position() const { return position_; }
    /// What is told from here on lies on that timeline, and is what these publications have.
    void set_origin(uint32_t timeline, std::vector<uint32_t> publications) {
        timeline_ = timeline;
        publications_ = std::move(publications);
    }
    /// All that waits, and the position. Errors: conflict, reason "rows_changed" (somebody else
    /// changed rows of these tables: read again from position()), "position_moved"; others.
    Status commit_pending();
    /// Nothing waits and nothing for us lies before `lsn`: recorded, so that no more is confirmed
    /// than is recorded.
    Status advance(Lsn lsn);

    /// Why a call failed, when it was for one table alone.
    struct Trouble {
        size_t table = 0;  // place in tables()
        CaptureTable::Pause pause = CaptureTable::Pause::none;
        std::string why;
        bool of_values = false;  // not of the columns: a second load soon after one helps no more
    };
    const std::optional<Trouble>& trouble() const { return trouble_; }
    const std::vector<FollowedTable>& tables() const { return tables_; }
    /// What the source's tables look like by now. False: rows of one changed past the log.
    Result<bool> looked_again(const std::vector<PostgresTable>& tables);
    uint64_t transactions() const { return transactions_; }
    uint64_t changes() const { return changes_; }

 private:
    struct Open;
    Result<Open*> ready(const Relation& relation);
    Status open(Open& one, const Relation& relation);
    Status adapt(Open& one, const Relation& relation);
    Result<tables::TablePtr> change_schema(Open& one, SchemaPlan plan,
                                           const tables::TablePtr& table);
    Result<ChangeShape> shape_of(Open& one, const Relation& relation, const ShapePlan& plan,
                                 const tables::TableState& table,
                                 const std::vector<query::Type>& types,
                                 const PostgresTable* now) const;
    static const Cells& whole(Open& one, const Cells& cells, Cells& room, bool key_only);
    Result<tables::TablePtr> history_of(const Open& one) const;
    Status record(FollowedTable& table, const CaptureTable& next);
    Status noted(Open& one, Status status);
    Error stop_at(const Open& one, CaptureTable::Pause pause, const std::string& why);
    void note_commit(const Open& one);

    const Parts parts_;
    CapturePosition position_;
    uint32_t timeline_ = 0;
    std::vector<uint32_t> publications_;
    std::vector<FollowedTable> tables_;
    std::vector<std::unique_ptr<Open>> open_;  // one for each of tables_
    std::map<uint32_t, Open*> by_oid_;
    Open* last_ = nullptr;  // looked up last
    TransactionInfo transaction_;
    Lsn whole_ = 0;  // end of the last whole transaction
    uint64_t batch_ = 1, batch_changes_ = 0;
    uint64_t transactions_ = 0, changes_ = 0;
    std::optional<Timestamp> oldest_;
    std::optional<Trouble> trouble_;
};

}  // namespace tarn::ingest
