// How far a table of a database has been read: docs/formats/ingest.md, "Positions of a database".
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "ingest/internal/postgres_tables.h"

namespace tarn::ingest {

struct PostgresPosition {
    std::string by;  // the growing column, as the lake calls it; empty: read in full
    std::optional<std::string>
        high;  // its highest value, PostgreSQL's text; nullopt: no row had one
    /// How far before `high` the next round begins to read: seconds of a time, or numbers.
    int64_t overlap = 0;

    std::string encode() const;
    static Result<PostgresPosition> decode(std::string_view bytes);
    std::string shown() const;  // for status: "updated_at 2026-11-21 10:00:00+00"
    bool operator==(const PostgresPosition&) const = default;
};

/// How a table is followed after its full load.
struct FollowPlan {
    std::string by;      // the growing column; empty: small enough to be read in full each round
    query::Type type;    // of `by`
    bool upsert = true;  // false: the table has no key, its new rows are added

    bool by_time() const;
    /// The least overlap: transactions that took their value first and committed last.
    int64_t overlap_min() const;
};
/// invalid_argument: the table has no such column, or none that grows; the message says what to
/// write.
Result<FollowPlan> follow_plan(const PostgresTable& table, const PostgresSource& source);

/// SELECT for the rows to read next; in the order of `by`.
std::string follow_select(const PostgresTable& table, const FollowPlan& plan,
                          const PostgresPosition& position);
/// SELECT for the one text of the highest value that counts as a position, not below `position`.
/// Times beyond tomorrow do not count: one wrong clock must not hide all that follows.
std::string high_select(const PostgresTable& table, const FollowPlan& plan,
                        const PostgresPosition& position);

}  // namespace tarn::ingest
