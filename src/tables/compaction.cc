// What is worth doing, and doing it beside writers. A rewrite that lost a commit to a writer looks
// at what the writer deleted, and tries again: that takes milliseconds, and writers leave more than
// that between two commits.
#include "tables/compaction.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/log.h"
#include "tables/internal/partition_key.h"
#include "tables/internal/rows_check.h"
#include "tables/rewrites.h"
#include "tables/table_turns.h"

namespace tarn::tables {

namespace {

constexpr int kAttemptsMax = 20;
constexpr std::chrono::milliseconds kTurnWait{1500};  // longer than most commit intervals

using FileSet = std::unordered_set<std::string>;

/// What a file costs its readers beyond its live rows.
struct Burden {
    int64_t deleted_bytes = 0;
    int64_t delete_files = 0;
};

Burden burden_of(const ScanTask& task) {
    Burden burden;
    int64_t rows = 0;
    for (const auto& deletes : task.deletes) {
        if (only_data_file(*deletes) == nullptr) continue;
        rows += deletes->record_count;
        ++burden.delete_files;
    }
    const auto records = std::max<int64_t>(1, task.file->record_count);
    burden.deleted_bytes = static_cast<int64_t>(static_cast<double>(task.file->file_size_bytes) *
                                                static_cast<double>(std::min(rows, records)) /
                                                static_cast<double>(records));
    return burden;
}

/// The best group among the files of one partition: smallest files first, as long as each makes the
/// whole more worthwhile, so that a file is written again only together with others of its size.
class GroupPicker {
 public:
    GroupPicker(const CompactionPolicy& policy, std::vector<ScanTask> tasks)
        : policy_(policy), tasks_(std::move(tasks)) {
        std::stable_sort(tasks_.begin(), tasks_.end(), [](const ScanTask& a, const ScanTask& b) {
            return a.file->file_size_bytes < b.file->file_size_bytes;
        });
    }

    /// Offers what it finds to `best`.
    void pick(const TablePtr& table, CompactionStep* best) {
        size_t best_count = 0;
        int64_t saved = 0, bytes = 0, kept = 0;
        double worth = best->worth;
        for (size_t i = 0; i < tasks_.size(); ++i) {
            const auto burden = burden_of(tasks_[i]);
            const int64_t size = tasks_[i].file->file_size_bytes;
            const int64_t own =
                burden.deleted_bytes + burden.delete_files * policy_.delete_file_cost;
            offer_alone(table, i, own, size, best);
            if (bytes + size > policy_.group_bytes_max) break;
            bytes += size;
            kept += size - burden.deleted_bytes;
            saved += own + policy_.file_cost;
            const int64_t files_after = 1 + kept / std::max<int64_t>(1, policy_.target_file_bytes);
            const double now = ratio(saved - files_after * policy_.file_cost, bytes);
            if (i + 1 < policy_.files_min || now < policy_.worth_min || now <= worth) continue;
            worth = now;
            best_count = i + 1;
        }
        if (best_count == 0 || worth <= best->worth) return;
        take(table, 0, best_count, worth, best);
    }

 private:
    double ratio(int64_t saved, int64_t bytes) const {
        // Each rewrite costs a file's worth however small its files are.
        return static_cast<double>(saved) / static_cast<double>(bytes + policy_.file_cost);
    }

    /// A file may go alone for the rows that are deleted in it.
    void offer_alone(const TablePtr& table, size_t at, int64_t saved, int64_t size,
                     CompactionStep* best) const {
        const double worth = ratio(saved, size);
        if (worth < policy_.worth_min || worth <= best->worth) return;
        take(table, at, at + 1, worth, best);
    }

    void take(const TablePtr& table, size_t from, size_t to, double worth,
              CompactionStep* best) const {
        *best = {};
        best->worth = worth;
        best->group.table = table;
        best->group.spec_id = tasks_[from].file->spec_id;
        best->group.partition = tasks_[from].file->partition;
        best->group.files.assign(tasks_.begin() + static_cast<std::ptrdiff_t>(from),
                                 tasks_.begin() + static_cast<std::ptrdiff_t>(to));
        // Older rows first, as scans read them.
        std::stable_sort(best->group.files.begin(), best->group.files.end(),
                         [](const ScanTask& a, const ScanTask& b) {
                             return a.sequence_number < b.sequence_number;
                         });
        for (const auto& task : best->group.files) best->group.bytes += task.file->file_size_bytes;
    }

    const CompactionPolicy& policy_;
    std::vector<ScanTask> tasks_;
};

/// Delete files of one data file that are of about one size: a large one is not written again for a
/// few small ones.
ScanTask mergeable(const ScanTask& task, const CompactionPolicy& policy) {
    ScanTask merge{task.file, task.sequence_number, {}};
    if (task.deletes.size() < policy.merge_min) return merge;
    std::vector<DataFilePtr> files;
    for (const auto& deletes : task.deletes)
        if (only_data_file(*deletes) != nullptr) files.push_back(deletes);
    std::stable_sort(files.begin(), files.end(), [](const DataFilePtr& a, const DataFilePtr& b) {
        return a->record_count < b->record_count;
    });
    constexpr int64_t kSmall = 2000;  // rows: merging so few costs what merging none does
    int64_t rows = 0;
    for (const auto& file : files) {
        if (!merge.deletes.empty() && file->record_count > std::max(kSmall, 2 * rows)) break;
        rows += file->record_count;
        merge.deletes.push_back(file);
    }
    if (merge.deletes.size() < policy.merge_min) merge.deletes.clear();
    return merge;
}

void remove_files(Catalog& catalog, const std::vector<DataFile>& files) {
    if (files.empty()) return;
    std::vector<std::string> paths;
    for (const auto& file : files) paths.push_back(file.path);
    const Status removed = catalog.files().remove(paths);
    if (!removed.ok())
        log_warning("tables", "files of a compaction that was given up are left",
                    {{"error", removed.error().message}});
}

/// True when an error says that the commit did not happen; otherwise its files may be in use.
bool surely_failed(const Error& error) {
    return error.code == Code::conflict || error.code == Code::not_found ||
           error.code == Code::invalid_argument;
}

/// The group's files as they are in a later state; nullopt: one is gone.
Result<std::optional<std::vector<ScanTask>>> files_now(const Catalog& catalog, const TablePtr& now,
                                                       const CompactionGroup& group) {
    TARN_TRY(plan, plan_scan(catalog, now));
    std::unordered_map<std::string, ScanTask*> by_path;
    for (auto& task : plan.tasks) by_path[task.file->path] = &task;
    std::vector<ScanTask> tasks;
    for (const auto& task : group.files) {
        const auto found = by_path.find(task.file->path);
        if (found == by_path.end()) return std::optional<std::vector<ScanTask>>();
        tasks.push_back(*found->second);
    }
    return std::optional<std::vector<ScanTask>>(std::move(tasks));
}

bool has_new_deletes(const ScanTask& before, const ScanTask& now) {
    FileSet known;
    for (const auto& deletes : before.deletes) known.insert(deletes->path);
    return std::any_of(now.deletes.begin(), now.deletes.end(),
                       [&](const auto& deletes) { return known.count(deletes->path) == 0; });
}

/// True when the order of the group's rows is that of the written files' rows: not when they were
/// sorted into other partitions.
bool order_kept(const CompactionGroup& group, const std::vector<DataFile>& written) {
    return std::all_of(written.begin(), written.end(), [&](const DataFile& file) {
        return file.spec_id == group.spec_id && partition_key(file.spec_id, file.partition) ==
                                                    partition_key(group.spec_id, group.partition);
    });
}

class RewriteWork {
 public:
    RewriteWork(Catalog& catalog, Committer& committer, const security::Caller& caller,
                const CompactionGroup& group, CompactionTools& tools)
        : catalog_(catalog), committer_(committer), caller_(caller), group_(group), tools_(tools) {}

    Result<CompactionOutcome> run() {
        TARN_TRY(written, tools_.rewrite(group_));
        written_ = std::move(written);
        auto replaced = replace();
        const bool keep = replaced.ok() ? *replaced : !surely_failed(replaced.error());
        if (!keep) {
            remove_files(catalog_, written_);
            remove_files(catalog_, deletes_);
        }
        if (!replaced.ok()) return std::move(replaced).error();
        outcome_.done = *replaced;
        outcome_.files_before = group_.files.size();
        outcome_.files_after = written_.size();
        return outcome_;
    }

 private:
    /// False: it has to give way.
    Result<bool> replace() {
        // A writer that makes changes would lose them to the new files.
        const TableTurn turn =
            take_turn(catalog_, group_.table->info.uuid, TurnKind::alone, kTurnWait);
        for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
            TARN_TRY(now, catalog_.snapshot().load_table(group_.table->info));
            if (now->info.uuid != group_.table->info.uuid) return false;
            TARN_TRY(possible, carry_deletes(now));
            if (!possible) return false;
            const auto committed = committer_.commit(caller_, {change(now)});
            if (committed.ok()) {
                tell();
                return true;
            }
            if (committed.error().reason != "rows_changed") return committed.error();
        }
        return false;
    }

    /// Brings deletes_ to the state `now`. False: the group's files are not what they were.
    Result<bool> carry_deletes(const TablePtr& now) {
        TARN_TRY(tasks, files_now(catalog_, now, group_));
        if (!tasks) return false;
        bool moved = false;
        for (size_t i = 0; i < tasks->size(); ++i)
            moved = moved || has_new_deletes(group_.files[i], (*tasks)[i]);
        remove_files(catalog_, deletes_);
        deletes_.clear();
        if (!moved) return true;
        if (!order_kept(group_, written_)) return false;
        TARN_TRY(deletes, tools_.carry_deletes(group_, written_, *tasks));
        deletes_ = std::move(deletes);
        ++outcome_.rebased;
        return true;
    }

    /// Who knows rows by their place goes on without reading the new files.
    void tell() const {
        if (!order_kept(group_, written_)) return;
        Rewrite rewrite;
        rewrite.from = group_.files;
        for (const auto& file : written_)
            rewrite.to.push_back(std::make_shared<const DataFile>(file));
        note_rewrite(catalog_, group_.table->info.uuid, std::move(rewrite));
    }

    TableChange change(const TablePtr& now) const {
        TableChange change;
        change.table = now;
        change.replace = true;
        for (const auto& task : group_.files) change.remove_files.push_back(task.file->path);
        change.append = written_;
        change.position_deletes = deletes_;
        for (const auto& deletes : deletes_)
            change.deletes_from.push_back(*deletes.referenced_data_file);
        return change;
    }

    Catalog& catalog_;
    Committer& committer_;
    const security::Caller& caller_;
    const CompactionGroup& group_;
    CompactionTools& tools_;
    std::vector<DataFile> written_;
    std::vector<DataFile> deletes_;
    CompactionOutcome outcome_;
};

/// Deletions that come meanwhile are no matter: they have files of their own.
Result<CompactionOutcome> merge_deletes(Catalog& catalog, Committer& committer,
                                        const security::Caller& caller, const CompactionStep& step,
                                        CompactionTools& tools) {
    CompactionOutcome outcome;
    TableChange change;
    change.table = step.group.table;
    change.replace = true;
    for (const auto& merge : step.merges) {
        auto merged = tools.merge_deletes(step.group.table, merge);
        if (!merged.ok()) {
            remove_files(catalog, change.position_deletes);
            return std::move(merged).error();
        }
        change.position_deletes.push_back(std::move(*merged));
        for (const auto& deletes : merge.deletes) change.remove_files.push_back(deletes->path);
        outcome.files_before += merge.deletes.size();
        ++outcome.files_after;
    }
    const auto written = change.position_deletes;
    const auto committed = committer.commit(caller, {std::move(change)});
    if (!committed.ok() && surely_failed(committed.error())) remove_files(catalog, written);
    if (!committed.ok() && committed.error().reason != "rows_changed") return committed.error();
    outcome.done = committed.ok();
    return outcome;
}

}  // namespace

Result<std::optional<CompactionStep>> next_compaction(const Catalog& catalog, const TablePtr& table,
                                                      const CompactionPolicy& policy) {
    TARN_TRY(plan, plan_scan(catalog, table));
    CompactionStep best;
    std::map<std::string, std::vector<ScanTask>> by_partition;
    for (auto& task : plan.tasks) {
        auto merge = mergeable(task, policy);
        if (!merge.deletes.empty()) best.merges.push_back(std::move(merge));
        by_partition[partition_key(task.file->spec_id, task.file->partition)].push_back(
            std::move(task));
    }
    // Cheap, and so first.
    if (!best.merges.empty()) {
        best.group.table = table;
        best.worth = 1;
        return std::optional<CompactionStep>(std::move(best));
    }
    for (auto& [key, tasks] : by_partition)
        GroupPicker(policy, std::move(tasks)).pick(table, &best);
    if (best.group.files.empty()) return std::optional<CompactionStep>();
    return std::optional<CompactionStep>(std::move(best));
}

Result<CompactionOutcome> run_compaction(Catalog& catalog, Committer& committer,
                                         const security::Caller& caller, const CompactionStep& step,
                                         CompactionTools& tools) {
    if (!step.merges.empty()) return merge_deletes(catalog, committer, caller, step, tools);
    return RewriteWork(catalog, committer, caller, step.group, tools).run();
}

}  // namespace tarn::tables
