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

/// Its changes go by from here on. conflict: somebody else changed the record.
Status pause_table(const CaptureLoadParts& parts, const FollowedTable& table,
                   CaptureTable::Pause kind, const std::string& why);
/// Makes the source publish exactly these tables. One that somebody took out meanwhile is paused
/// until it is loaded again, also when it was put back before anybody looked: what changed in
/// between is in no log.
Status keep_published(const CaptureLoadParts& parts, PostgresConnection& control,
                      const std::vector<PostgresTable>& tables);

}  // namespace tarn::ingest
