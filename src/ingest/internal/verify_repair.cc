// Mending rows that differ. The rows come from the source once more, and are committed only on the
// log position that the lake had before they were read: so no change of them is missing here, and
// none that came later is undone.
#include <algorithm>

#include "base/log.h"
#include "ingest/internal/postgres_verify.h"
#include "query/work.h"
#include "tables/commit.h"

namespace tarn::ingest {

namespace {

constexpr int kAttemptsMax = 30;
constexpr size_t kAtOnce = 500;

void forget(const SourcesParts& lake, const tables::TableChange& change) {
    std::vector<std::string> paths;
    for (const auto& file : change.append) paths.push_back(file.path);
    for (const auto& file : change.position_deletes) paths.push_back(file.path);
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
    for (int attempt = 0; attempt < kAttemptsMax && !left.empty(); ++attempt) {
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
    const size_t count = std::min(left.size(), kAtOnce);
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
        TARN_TRY(change, repair_change(rows, mended));
        meta::Batch batch;
        stage_capture_position(batch, parts_.identity, position, *position);
        const auto done =
            parts_.lake.committer.commit(parts_.lake.caller(), {change}, std::move(batch));
        if (!done.ok()) {
            if (done.error().code != Code::conflict) return done.error();
            forget(parts_.lake, change);
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
        forget(parts_.lake, change);
        return std::move(added).error();
    }
    change.append.insert(change.append.end(), added->append.begin(), added->append.end());
    return change;
}

}  // namespace tarn::ingest
