// Keeping a table quick that changes all the time: small files become few, deleted rows go, and the
// many delete files of a data file become one. Work is picked by what it saves readers for the
// bytes that it costs. A rewrite keeps the order of rows, so that deletions which writers committed
// meanwhile are carried over to the new files instead of making the work void. Lane: background.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "tables/maintenance.h"

namespace tarn::tables {

/// What compaction needs of the engine that reads and writes rows (query/compaction.h). Files that
/// a call wrote before it failed are its own to remove.
class CompactionTools {
 public:
    virtual ~CompactionTools() = default;

    /// The live rows of the group's files in new files: in the order of `group.files`, and within
    /// one in the order of its rows.
    virtual Result<std::vector<DataFile>> rewrite(const CompactionGroup& group) = 0;
    /// Delete files for `written` (what rewrite(group) made), at most one each: the rows that are
    /// deleted in `now` and were not in the group. now[i] is group.files[i] at a later state.
    virtual Result<std::vector<DataFile>> carry_deletes(const CompactionGroup& group,
                                                        const std::vector<DataFile>& written,
                                                        const std::vector<ScanTask>& now) = 0;
    /// One delete file with all rows of `file.file` that `file.deletes` delete.
    virtual Result<DataFile> merge_deletes(const TablePtr& table, const ScanTask& file) = 0;
};

/// Costs are in bytes that a scan might as well have read.
struct CompactionPolicy {
    int64_t target_file_bytes = 128ll << 20;
    int64_t group_bytes_max = 512ll << 20;  // one rewrite
    int64_t file_cost = 1 << 20;            // of one more data file
    int64_t delete_file_cost = 64 << 10;    // of one more delete file
    double worth_min = 0.1;  // saved bytes for each byte of a rewrite; below it nothing is done
    size_t files_min = 4;    // fewer files are packed only for their deleted rows
    size_t merge_min = 8;    // delete files of one data file that are merged at once
};

/// One piece of work: either files to be written again, or delete files to be merged.
struct CompactionStep {
    CompactionGroup group;
    std::vector<ScanTask> merges;  // data files, each with the delete files to be merged
    double worth = 0;              // saved bytes for each byte of work
};
/// The most worthwhile piece of work on the table; nullopt: it is in order.
Result<std::optional<CompactionStep>> next_compaction(const Catalog& catalog, const TablePtr& table,
                                                      const CompactionPolicy& policy = {});

struct CompactionOutcome {
    bool done =
        false;        // false: a writer took the files away meanwhile; nothing is left of the work
    int rebased = 0;  // times that deletions of others were carried over
    uint64_t files_before = 0, files_after = 0;  // data and delete files that the step was about
};
Result<CompactionOutcome> run_compaction(Catalog& catalog, Committer& committer,
                                         const security::Caller& caller, const CompactionStep& step,
                                         CompactionTools& tools);

}  // namespace tarn::tables
