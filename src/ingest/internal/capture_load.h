// Tables that are read in full before their changes are followed: from the snapshot that a new
// replication slot exports, so that the log goes on exactly where the load ends. A table that has
// rows already keeps them for its readers until the new ones replace all of them at once.
#pragma once

#include <string>
#include <vector>

#include "ingest/internal/capture_position.h"
#include "ingest/internal/postgres_tables.h"
#include "ingest/internal/replication_slot.h"
#include "ingest/internal/runner.h"

namespace tarn::ingest {

struct CaptureLoadParts {
    const std::string& source;    // its name, and the database's
    const std::string& identity;  // of its state
    const PostgresSource& from;
    const CaptureNames& names;
    const SourcesParts& lake;
    StopFlag& stop;
    StatusBox& status;
};

/// A followed table is taken without what its log does not have: generated columns, and rows of
/// tables that inherit from it, which are followed as tables of their own.
void keep_logged(PostgresTable& table);

/// What the lake has of a table.
struct LakeTable {
    std::string uuid;
    std::optional<std::string> position;  // as it is recorded
    std::optional<CaptureTable> capture;  // of it, when its changes are followed
};
/// nullopt: no such table.
Result<std::optional<LakeTable>> find_lake_table(const SourcesParts& lake,
                                                 const std::string& source,
                                                 const std::string& identity,
                                                 const PostgresTable& table);

/// Loads `tables` (as they are named now; what they look like is asked again in the snapshot) and
/// commits rows, the tables' positions and the log's: `next` in the place of `expected`. With
/// next.lsn == 0 it becomes the slot's. Closes slot.holder. Those of several tables that do not fit
/// the lake are left out, to be loaded later, and are the answer; that of a single one is the
/// error.
Result<std::vector<TableProblem>> load_captured(const CaptureLoadParts& parts, NewSlot slot,
                                                const std::vector<PostgresTable>& tables,
                                                const std::optional<CapturePosition>& expected,
                                                CapturePosition next);

}  // namespace tarn::ingest
