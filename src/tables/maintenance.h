// Keeping tables small: snapshots expire, small files are packed together, leftovers are found. All
// of it commits like any other change and gives way to writers. Lane: background.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "tables/commit.h"
#include "tables/scan.h"

namespace tarn::tables {

struct ExpireOptions {
    Timestamp older_than;  // snapshots made before
    int keep_last = 1;     // of the current branch's history
};
struct ExpireReport {
    uint64_t snapshots = 0;
    uint64_t files = 0;  // queued for Catalog::purge(), which waits for the grace
};
/// The table's own properties win where they keep more: history.expire.max-snapshot-age-ms (with
/// older_than unset, 0) and history.expire.min-snapshots-to-keep. The current snapshot and those
/// with a ref stay.
Result<ExpireReport> expire_snapshots(Catalog& catalog, Committer& committer,
                                      const security::Caller& caller, const TablePtr& table,
                                      const ExpireOptions& options);

struct CompactionOptions {
    int64_t target_file_bytes = 128ll << 20;
    double small_below = 0.75;              // of the target: smaller files are candidates
    double deleted_above = 0.3;             // share of a file's rows deleted: it is rewritten, too
    int files_min = 5;                      // fewer small files of a partition are left alone
    int64_t group_bytes_max = 512ll << 20;  // one rewrite
};

/// Files of one partition to be written again as few.
struct CompactionGroup {
    TablePtr table;
    int spec_id = 0;
    Partition partition;
    std::vector<ScanTask> files;
    int64_t bytes = 0;
};
Result<std::vector<CompactionGroup>> plan_compaction(const Catalog& catalog, const TablePtr& table,
                                                     const CompactionOptions& options = {});

/// Writes the group's live rows into new files of the table's current schema and default spec.
/// Wiring takes it from query/.
using FileRewriter = std::function<Result<std::vector<DataFile>>(const CompactionGroup&)>;

struct CompactionReport {
    uint64_t groups = 0;
    uint64_t groups_overtaken = 0;  // a writer changed their rows meanwhile: left for the next time
    uint64_t files_before = 0;
    uint64_t files_after = 0;
    int64_t bytes_before = 0;
    int64_t bytes_after = 0;
};
/// One commit per group, so that a long run keeps what it has done.
Result<CompactionReport> compact(Catalog& catalog, Committer& committer,
                                 const security::Caller& caller, const TablePtr& table,
                                 const FileRewriter& rewrite,
                                 const CompactionOptions& options = {});

/// Files under the table's location that no snapshot refers to and that are older than `older_than`
/// (writers stage data files before they commit). A report: removing them is the caller's decision.
Result<std::vector<Files::Listed>> find_orphans(const Catalog& catalog, const TablePtr& table,
                                                Timestamp older_than);

}  // namespace tarn::tables
