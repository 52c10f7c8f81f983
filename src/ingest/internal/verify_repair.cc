// Mending rows that differ. The rows come from the source once more, and are committed only on the
// log position that the lake had before they were read: so no change of them is missing here, and
// none that came later is undone.
#include <algorithm>

#include "base/log.h"
#include "ingest/internal/change_history.h"
#include "ingest/internal/postgres_verify.h"
#include "query/work.h"
#include "tables/commit.h"

namespace tarn::ingest {

namespace {

constexpr int kRepairAttemptsMax = 30;
constexpr size_t kRowsPerRepair = 500;

void forget(const SourcesParts& lake, const std::vector<tables::TableChange>& changes) {
    std::vector<std::string> paths;
    for (const auto& change : changes) {
        for (const auto& file : change.append) paths.push_back(file.path);
        for (const auto& file : change.position_deletes) paths.push_back(file.path);
    }
    if (paths.empty()) return;
    const Status removed = lake.catalog.files().remove(paths);
    if (!removed.ok())
        log_warning("ingest", "files of a repair that was given up stay behind",
                    {{"why", removed.error().message}});
}

}  // namespace

Status TableVerifier::repair_all() {
    std::vector<size_t> left(confirmed_.size());
    for (size_t i = 0; i < left.size(); ++i) left[i] = i;
    for (int attempt = 0; attempt < kRepairAttemptsMax && !left.empty(); ++attempt) {
        TARN_TRY(went_on, repair_once(left));
        if (!went_on && !parts_.stop.wait_for(std::chrono::milliseconds(50 + 20 * attempt)))
            return Error(Code::cancelled, "the repair was ended");
        if (went_on) attempt = 0;
        parts_.progress(verdict_);
    }
    if (!left.empty())
        verdict_.note = "some rows changed whenever they were to be mended: verify again";
    return ok_status();
}

/// Mends the first of `left` and takes them out of it. False: somebody committed in between.
Result<bool> TableVerifier::repair_once(std::vector<size_t>& left) {
    TARN_TRY(position, load_capture_position(parts_.lake.store, parts_.identity));
    if (!position) return Error(Code::unavailable, "the source is not followed at the moment");
    const size_t count = std::min(left.size(), kRowsPerRepair);
    std::map<std::string, size_t> places;
    std::vector<std::string> keys;
    for (size_t i = 0; i < count; ++i) {
        keys.push_back(confirmed_[left[i]].first);
        places[keys.back()] = left[i];
    }
    TARN_CHECK_OK(session_->begin());
    auto here = lake_rows(keys);
    const auto give_up = [&] { static_cast<void>(session_->rollback()); };
    query::Chunk all;
    std::vector<std::string> order, digests;
    for (const auto& column : what_.columns) all.columns.emplace_back(column.type);
    const Status read = here.ok() ? read_source(source_rows(source_where(keys), false), false, &all,
                                                [&](SourceRow row) {
                                                    order.push_back(row.key);
                                                    digests.push_back(row.digest);
                                                })
                                  : Status(here.error());
    if (!read.ok()) {
        give_up();
        return read.error();
    }
    // What is no longer as it was found to differ is left to the next comparison.
    query::Chunk rows;
    for (const auto& column : what_.columns) rows.columns.emplace_back(column.type);
    std::map<std::string, std::string> there;
    for (size_t i = 0; i < order.size(); ++i) there[order[i]] = digests[i];
    std::vector<std::string> mended;
    for (const auto& key : keys) {
        const auto& look = confirmed_[places[key]].second;
        const auto source = there.find(key);
        const auto lake = here->find(key);
        if ((source == there.end() ? "" : source->second) == look.source &&
            (lake == here->end() ? "" : lake->second) == look.lake)
            mended.push_back(key);
    }
    for (size_t i = 0; i < order.size(); ++i) {
        if (std::find(mended.begin(), mended.end(), order[i]) == mended.end()) continue;
        for (size_t c = 0; c < rows.columns.size(); ++c)
            rows.columns[c].append(all.columns[c].value(i));
    }
    if (!mended.empty()) {
        TARN_TRY(changes, repair_changes(rows, mended, position->lsn));
        meta::Batch batch;
        stage_capture_position(batch, parts_.identity, position, *position);
        const auto done =
            parts_.lake.committer.commit(parts_.lake.caller(), changes, std::move(batch));
        if (!done.ok()) {
            if (done.error().code != Code::conflict) return done.error();
            forget(parts_.lake, changes);
            return false;
        }
    } else {
        give_up();
    }
    for (const auto& key : mended) {
        const size_t place = places[key];
        ++verdict_.repaired;
        if (place < verdict_.keys.size()) verdict_.keys[place].repaired = true;
    }
    left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(count));
    return true;
}

/// Ends the open transaction: `keys` go, `rows` come, and the history says so.
Result<std::vector<tables::TableChange>> TableVerifier::repair_changes(
    const query::Chunk& rows, const std::vector<std::string>& keys, Lsn position) {
    query::Chunk before;
    for (const auto& column : what_.columns) before.columns.emplace_back(column.type);
    const Status read = read_lake(lake_where(keys), &before, [](std::string, std::string) {});
    if (!read.ok()) {
        static_cast<void>(session_->rollback());
        return read.error();
    }
    TARN_TRY(change, repair_change(rows, keys));
    std::vector<tables::TableChange> changes = {std::move(change)};
    auto told = repair_history(before, rows, keys, position);
    if (!told.ok()) {
        forget(parts_.lake, changes);
        return std::move(told).error();
    }
    if (*told) changes.push_back(std::move(**told));
    return changes;
}

/// As changes of a transaction without a number, between the last one that the lake has and the
/// next: who reads the history on from where he was meets them. nullopt: none is kept.
Result<std::optional<tables::TableChange>> TableVerifier::repair_history(
    const query::Chunk& before, const query::Chunk& after, const std::vector<std::string>& keys,
    Lsn position) {
    using Landing = PostgresSource::Landing;
    if (!parts_.from.history && parts_.from.landing == Landing::none)
        return std::optional<tables::TableChange>();
    TargetTable of;
    of.database = parts_.source;
    of.source = parts_.identity;
    of.name = table_.name;
    of.columns.reserve(what_.columns.size());
    for (const auto& column : what_.columns)
        of.columns.push_back({column.name, column.type, false, ""});
    TARN_TRY(table, ensure_table(parts_.lake, history_target(of)));
    HistoryRows history(parts_.lake.engine, std::move(table), what_.columns);
    TransactionInfo repair;
    repair.commit_lsn = position == 0 ? 0 : position - 1;
    repair.committed = parts_.lake.clock.now();
    history.begin_behind(repair, repair.committed.micros);  // behind repairs at the same place
    const auto by_key = [&](const query::Chunk& rows) {
        std::map<std::string, size_t> places;
        for (size_t row = 0; row < rows.rows(); ++row)
            places.emplace(verify_key(what_, rows, row), row);
        return places;
    };
    const auto old = by_key(before), fresh = by_key(after);
    const auto copy = [](const query::Chunk& from, const std::map<std::string, size_t>& places,
                         const std::string& key, WaitingRows& to) {
        const auto found = places.find(key);
        for (size_t c = 0; c < from.columns.size(); ++c)
            if (found != places.end())
                to.chunk().columns[c].append(from.columns[c].value(found->second));
            else
                to.chunk().columns[c].append_null();
        return found != places.end();
    };
    for (const auto& key : keys) {
        const bool was = copy(before, old, key, history.before());
        const bool is = copy(after, fresh, key, history.after());
        history.tell(was && is ? 'U' : was ? 'D' : 'I', repair);
    }
    auto told = history.finish();
    if (!told.ok()) history.discard();
    return told;
}

/// Ends the open transaction: `keys` go, `rows` come.
Result<tables::TableChange> TableVerifier::repair_change(const query::Chunk& rows,
                                                         const std::vector<std::string>& keys) {
    const auto where = lake_where(keys);
    const auto removed = session_->run("DELETE FROM " + quote_name(parts_.source) + "." +
                                           quote_name(table_.name) + " WHERE " + where.sql,
                                       where.values);
    if (!removed.ok()) {
        static_cast<void>(session_->rollback());
        return removed.error();
    }
    TARN_TRY(taken, query::take_changes(*session_));
    tables::TableChange change;
    if (!taken.changes.empty()) change = std::move(taken.changes.front());
    if (rows.rows() == 0) return change;
    if (change.table == nullptr) {
        TARN_TRY(now, parts_.lake.catalog.snapshot().load_table(parts_.source, table_.name));
        change.table = std::move(now);
    }
    std::vector<std::string> names;
    for (const auto& column : what_.columns) names.push_back(column.name);
    auto added = append_rows(parts_.lake, change.table, rows, std::move(names));
    if (!added.ok()) {
        forget(parts_.lake, {change});
        return std::move(added).error();
    }
    change.append.insert(change.append.end(), added->append.begin(), added->append.end());
    return change;
}

}  // namespace tarn::ingest
