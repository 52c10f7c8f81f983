// One table after its full load: each round reads what its growing column says is new and puts it
// in place by the primary key.
//
// Transactions commit in another order than they take their values, so a round begins to read some
// way before the highest value (PostgresPosition::overlap). Rows of that stretch that came before
// and are unchanged are known by their hash and left out, so that a quiet database makes no
// commits. After a restart the hashes are gone and the stretch is put in place once more, which
// changes nothing.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "ingest/internal/postgres_position.h"
#include "ingest/internal/runner.h"
#include "query/chunk.h"

namespace tarn::ingest {

struct RowHash {
    uint64_t a = 0, b = 0;
    bool operator==(const RowHash&) const = default;
};
struct RowHashHash {
    size_t operator()(const RowHash& hash) const { return hash.a; }
};

class PostgresFollow {
 public:
    struct Parts {
        const std::string& source;    // its name, and the database's
        const std::string& identity;  // of its state
        const SourcesParts& lake;
        StatusBox& status;
    };
    /// `position`: as it is recorded.
    PostgresFollow(Parts parts, PostgresPosition position);

    const PostgresPosition& position() const { return position_; }
    /// Remembers the rows that a round would read now, without taking them: right after the full
    /// load, in its snapshot.
    Status learn(PostgresConnection& connection, const PostgresTable& table,
                 const FollowPlan& plan);
    /// One round. `overlap_now`: seconds since the oldest transaction began that may still commit.
    /// Rows are committed in batches; the position moves with the last one.
    Status round(PostgresConnection& connection, const PostgresTable& table, const FollowPlan& plan,
                 int64_t overlap_now);

 private:
    Result<PostgresPosition> start(const PostgresTable& table, const FollowPlan& plan);
    static Result<std::optional<std::string>> highest(PostgresConnection& connection,
                                                      const PostgresTable& table,
                                                      const FollowPlan& plan,
                                                      const PostgresPosition& from);
    bool remember(std::string_view row);
    Status commit(const PostgresTable& table, const FollowPlan& plan, const query::Chunk& rows,
                  const PostgresPosition& next);

    const Parts parts_;
    PostgresPosition position_;
    std::unordered_set<RowHash, RowHashHash> seen_, seen_before_;
    std::deque<RowHash> order_;  // of seen_, oldest first
    std::string table_uuid_;
};

}  // namespace tarn::ingest
