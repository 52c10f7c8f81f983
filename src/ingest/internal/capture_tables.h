// The followed tables' records (capture_position.h), as the runner's turns change them. Lane: a
// runner's own thread.
#pragma once

#include <string>
#include <vector>

#include "ingest/internal/capture_load.h"
#include "ingest/internal/capture_position.h"
#include "ingest/internal/postgres_tables.h"

namespace tarn::ingest {

/// A table of the source and where it stands, as it is recorded.
struct FollowedTable {
    PostgresTable source;
    std::string uuid;  // of the lake's table
    CaptureTable state;
};

/// What is said of a table without a replica identity, with what mends it.
std::string only_added(const PostgresTable& table);
/// Its changes go by from here on. conflict: somebody else changed the record.
Status pause_table(const CaptureLoadParts& parts, const FollowedTable& table,
                   CaptureTable::Pause kind, const std::string& why);
/// Makes the source publish exactly these tables. One that somebody took out meanwhile is paused
/// until it is loaded again, also when it was put back before anybody looked: what changed in
/// between is in no log. Those that only somebody else may publish leave `tables` for `problems`,
/// unless there are no others.
Status keep_published(const CaptureLoadParts& parts, PostgresConnection& control,
                      std::vector<PostgresTable>& tables, std::vector<TableProblem>& problems);
/// Adds this source's tables in the lake that are none of `tables`: gone there, renamed, or not to
/// be read by `user` any longer. Their histories are not told.
Status tell_abandoned(const CaptureLoadParts& parts, const std::vector<PostgresTable>& tables,
                      const std::string& user, std::vector<TableProblem>& problems);
/// A table that could not be loaded again shows its rows of before until it can be.
Status keep_waiting(const CaptureLoadParts& parts, const FollowedTable& table, const Error& error);

}  // namespace tarn::ingest
