#include "ingest/internal/postgres_follow.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "codec/checksum.h"
#include "ingest/internal/copy_text.h"
#include "query/engine.h"

namespace tarn::ingest {

namespace {

constexpr size_t kBatchRows = 50'000, kBatchBytes = 32 << 20;
constexpr size_t kSeenMax = 500'000;  // hashes of rows kept from one round to the next
constexpr int64_t kOverlapMost = 24 * 3600;
constexpr int kAttemptsMax = 10;

}  // namespace

PostgresFollow::PostgresFollow(Parts parts, PostgresPosition position)
    : parts_(parts), position_(std::move(position)) {}

/// False: the row came in the round before, and is as it was.
bool PostgresFollow::remember(std::string_view row) {
    const RowHash hash{std::hash<std::string_view>()(row), codec::crc64nvme(row)};
    if (seen_.insert(hash).second) order_.push_back(hash);
    if (order_.size() > kSeenMax) {
        seen_.erase(order_.front());
        order_.pop_front();
    }
    return seen_before_.count(hash) == 0;
}

Result<std::optional<std::string>> PostgresFollow::highest(PostgresConnection& connection,
                                                           const PostgresTable& table,
                                                           const FollowPlan& plan,
                                                           const PostgresPosition& from) {
    if (plan.by.empty()) return std::optional<std::string>();
    TARN_TRY(rows, connection.query(high_select(table, plan, from)));
    return rows.at(0).at(0);
}

/// Where to read from. A position that was recorded for another column, or for a load that was not
/// to be followed, says nothing of this one: with a key all is read once more; without one the
/// lake's own highest value tells.
Result<PostgresPosition> PostgresFollow::start(const PostgresTable& table, const FollowPlan& plan) {
    if (position_.by == plan.by) return position_;
    PostgresPosition out;
    out.by = plan.by;
    if (plan.upsert || plan.by.empty()) return out;
    TARN_TRY(session, parts_.lake.engine.connect(parts_.lake.caller(), parts_.source));
    TARN_TRY(rows,
             session->query(fmt::format("SELECT max({})::text FROM {}.{}", quote_name(plan.by),
                                        quote_name(parts_.source), quote_name(table.name))));
    if (rows.rows() == 1 && !rows.columns[0].is_null(0))
        out.high = std::string(rows.columns[0].text(0));
    return out;
}

Status PostgresFollow::learn(PostgresConnection& connection, const PostgresTable& table,
                             const FollowPlan& plan) {
    if (!plan.upsert || (!plan.by.empty() && !position_.high)) return ok_status();
    return connection.copy_out("COPY (" + follow_select(table, plan, position_) + ") TO STDOUT",
                               [&](std::string_view row) {
                                   remember(row);
                                   return ok_status();
                               });
}

Status PostgresFollow::round(PostgresConnection& connection, const PostgresTable& table,
                             const FollowPlan& plan, int64_t overlap_now) {
    TARN_TRY(target, ensure_table(parts_.lake, target_of(table, parts_.source, parts_.identity)));
    table_uuid_ = target->info.uuid;
    TARN_TRY(from, start(table, plan));
    PostgresPosition next;
    next.by = plan.by;
    TARN_TRY(high, highest(connection, table, plan, from));
    next.high = high ? high : from.high;
    if (plan.upsert && !plan.by.empty()) {
        next.overlap = plan.overlap_min();
        if (plan.by_time()) next.overlap += std::clamp<int64_t>(overlap_now, 0, kOverlapMost);
    }
    CopyTextDecoder decoder(table.specs());
    decoder.trust_utf8(connection.knows_encoding());
    query::Chunk rows = decoder.make_chunk(0);
    size_t bytes = 0;
    std::swap(seen_, seen_before_);
    seen_.clear();
    order_.clear();
    const auto take = [&](std::string_view row) -> Status {
        if (plan.upsert && !remember(row)) return ok_status();
        if (rows.rows() >= kBatchRows || bytes >= kBatchBytes) {
            // Without a key a row must not come twice: such a table is committed whole.
            if (plan.upsert) {
                TARN_CHECK_OK(commit(table, plan, rows, position_));
                rows = decoder.make_chunk(0);
                bytes = 0;
            } else if (bytes >= 8 * kBatchBytes) {
                return Error(Code::exhausted,
                             fmt::format("more than {} MB of new rows at once, and no primary key "
                                         "to read them in parts: add one",
                                         8 * kBatchBytes >> 20));
            }
        }
        bytes += row.size();
        return decoder.decode(row, rows);
    };
    const Status read =
        connection.copy_out("COPY (" + follow_select(table, plan, from) + ") TO STDOUT", take);
    if (!read.ok()) {
        // What was seen may not have been committed.
        seen_.clear();
        order_.clear();
        seen_before_.clear();
        return read;
    }
    if (rows.rows() > 0 || !(next == position_)) {
        const Status done = commit(table, plan, rows, next);
        if (!done.ok()) {
            seen_.clear();
            order_.clear();
            return done;
        }
    }
    seen_before_.clear();
    return ok_status();
}

/// Only the lake's own commits can be in the way (compaction, a person's UPDATE): the rows are put
/// in place anew.
Status PostgresFollow::commit(const PostgresTable& table, const FollowPlan& plan,
                              const query::Chunk& rows, const PostgresPosition& next) {
    std::vector<std::string> names;
    for (const auto& column : table.columns) names.push_back(column.name);
    for (int attempt = 1;; ++attempt) {
        meta::Batch batch;
        tables::stage_position(batch, {parts_.identity, table.full_name(), table_uuid_},
                               position_.encode(), next.encode());
        if (rows.rows() == 0) {
            TARN_CHECK_OK(parts_.lake.store.commit(std::move(batch)));
            break;
        }
        tables::TableChange change;
        if (plan.upsert) {
            TARN_TRY(made,
                     parts_.lake.engine.upsert(parts_.source, table.name, table.key, rows, names));
            change = std::move(made);
        } else {
            TARN_TRY(state, parts_.lake.catalog.snapshot().load_table(parts_.source, table.name));
            TARN_TRY(made, append_rows(parts_.lake, state, rows, names));
            change = std::move(made);
        }
        auto done = parts_.lake.committer.commit(parts_.lake.caller(), {std::move(change)},
                                                 std::move(batch));
        if (done.ok()) break;
        if (done.error().reason != "rows_changed" || attempt == kAttemptsMax)
            return std::move(done).error();
    }
    position_ = next;
    const Timestamp now = parts_.lake.clock.now();
    parts_.status.change_table(parts_.source, table.name, [&](TableStatus& status) {
        status.rows += rows.rows();
        status.position = position_.shown();
        if (rows.rows() > 0) status.last_commit = now;
        status.last_error.clear();
    });
    return ok_status();
}

}  // namespace tarn::ingest
