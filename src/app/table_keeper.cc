#include "app/table_keeper.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "query/compaction.h"

namespace tarn::app {

namespace {

using std::chrono::steady_clock;

constexpr int kQuietRounds = 60;

/// Beyond so many snapshots a table's age limit shrinks: each commit writes the list of all of
/// them, 0.7 kB each. Where rows are only added, those who read the table look at what came since
/// they looked last, and the snapshots in between tell: those of five minutes of commits each
/// second stay. Where rows change, they read the whole anyway.
struct SnapshotLimit {
    size_t max, kept;
};
constexpr SnapshotLimit kAdded{500, 330}, kChanged{200, 120};

SnapshotLimit snapshot_limit(const tables::TableMetadata& metadata) {
    const auto& all = metadata.snapshots;
    const auto recent = static_cast<std::ptrdiff_t>(std::min(all.size(), kChanged.kept));
    const bool changes = std::any_of(all.end() - recent, all.end(), [](const auto& snapshot) {
        return snapshot->operation() == "overwrite" || snapshot->operation() == "delete";
    });
    return changes ? kChanged : kAdded;
}

}  // namespace

TableKeeper::TableKeeper(Lake& lake)
    : lake_(lake),
      tools_(query::compaction_tools(*lake.engine)),
      steps_(lake.metrics.counter("tarn_tables_compactions_total",
                                  "Rewrites and merges of delete files that were committed")),
      rebased_(lake.metrics.counter("tarn_tables_compactions_rebased_total",
                                    "Times that rows deleted during a rewrite were carried over")),
      overtaken_(lake.metrics.counter("tarn_tables_compactions_given_up_total",
                                      "Rewrites that gave way to a writer")),
      seconds_(lake.metrics.counter("tarn_tables_compaction_seconds_total",
                                    "Time spent on compaction")) {}

std::optional<TableKeeper::Size> TableKeeper::size_of(const tables::TableState& table) {
    const auto snapshot = table.current_snapshot();
    if (snapshot == nullptr) return Size{};
    const auto files = snapshot->summary_number("total-data-files");
    const auto deletes = snapshot->summary_number("total-delete-files");
    const auto deleted = snapshot->summary_number("total-position-deletes");
    const auto rows = snapshot->summary_number("total-records");
    if (!files || !deletes || !deleted || !rows) return std::nullopt;
    return Size{*files, *deletes, *deleted, *rows};
}

/// True when there may be something to do that was not there before.
bool TableKeeper::grown(const Size& before, const Size& now) {
    constexpr int64_t kFiles = 3, kDeleteFiles = 8, kShare = 50;
    return now.data_files >= before.data_files + kFiles ||
           now.delete_files >= before.delete_files + kDeleteFiles ||
           (now.deleted_rows - before.deleted_rows) * kShare >= std::max<int64_t>(1, now.rows);
}

Status TableKeeper::look(const tables::RelationInfo& relation) {
    TARN_TRY(table, lake_.catalog->snapshot().load_table(relation));
    Seen& seen = seen_[relation.uuid];
    if (seen.quiet > 0) {
        --seen.quiet;
        return ok_status();
    }
    if (seen.location != table->metadata_location) {
        seen.location = table->metadata_location;
        const auto& snapshots = table->metadata->snapshots;
        const auto limit = snapshot_limit(*table->metadata);
        if (snapshots.size() > limit.max) {
            tables::ExpireOptions expire;
            expire.older_than =
                Timestamp{snapshots[snapshots.size() - limit.kept]->timestamp_ms * 1000};
            TARN_CHECK_OK(tables::expire_snapshots(*lake_.catalog, *lake_.committer,
                                                   lake_.system_caller(), table, expire));
        }
        const auto size = size_of(*table);
        seen.due = seen.due || !seen.in_order || !size || grown(*seen.in_order, *size);
    }
    if (seen.due) tables_[relation.uuid] = std::move(table);
    return ok_status();
}

Status TableKeeper::round() {
    const auto begin = steady_clock::now();
    if (begin < rest_until_) return ok_status();
    const auto version = lake_.store->last_version();
    if (version == version_) return ok_status();
    const auto state = lake_.catalog->snapshot();
    tables_.clear();
    std::set<std::string> there;
    TARN_TRY(databases, state.databases());
    for (const auto& database : databases) {
        TARN_TRY(relations, state.relations(database.name));
        for (const auto& relation : relations) {
            if (relation.kind != tables::RelationKind::table) continue;
            there.insert(relation.uuid);
            const Status looked = look(relation);
            if (looked.ok() || looked.error().code == Code::not_found) continue;
            seen_[relation.uuid].quiet = kQuietRounds;
            log_warning("app", "a table was not maintained; it will be tried again",
                        {{"table", relation.full_name()}, {"why", looked.error().message}});
        }
    }
    std::erase_if(seen_, [&](const auto& one) { return there.count(one.first) == 0; });
    bool more = true;
    while (more && steady_clock::now() < begin + kSlice) {
        TARN_TRY(worked, work_once());
        more = worked;
    }
    if (!more) version_ = version;
    const auto took = steady_clock::now() - begin;
    seconds_.add(std::chrono::duration<double>(took).count());
    rest_until_ = steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(
                                            took * ((1 - kShareMax) / kShareMax));
    return ok_status();
}

Result<bool> TableKeeper::work_once() {
    std::optional<tables::CompactionStep> best;
    std::string whose;
    for (auto it = tables_.begin(); it != tables_.end();) {
        Seen& seen = seen_[it->first];
        auto step = tables::next_compaction(*lake_.catalog, it->second);
        if (!step.ok() || !step->has_value()) {
            seen.due = false;
            seen.in_order = size_of(*it->second);
            if (!step.ok()) {
                seen.quiet = kQuietRounds;
                log_warning(
                    "app", "a table can't be compacted; it will be tried again",
                    {{"table", it->second->info.full_name()}, {"why", step.error().message}});
            }
            it = tables_.erase(it);
            continue;
        }
        if (!best || (*step)->worth > best->worth) {
            best = std::move(*step);
            whose = it->first;
        }
        ++it;
    }
    if (!best) return false;
    const auto outcome = tables::run_compaction(*lake_.catalog, *lake_.committer,
                                                lake_.system_caller(), *best, *tools_);
    if (!outcome.ok()) {
        seen_[whose].quiet = kQuietRounds;
        tables_.erase(whose);
        if (outcome.error().code != Code::not_found)
            log_warning(
                "app", "a compaction failed; it will be tried again",
                {{"table", best->group.table->info.full_name()}, {"why", outcome.error().message}});
        return true;
    }
    (outcome->done ? steps_ : overtaken_).add();
    rebased_.add(outcome->rebased);
    TARN_TRY(now, lake_.catalog->snapshot().load_table(best->group.table->info));
    tables_[whose] = std::move(now);
    return true;
}

}  // namespace tarn::app
