// Timelines of a database's log (PostgreSQL manual, "Timelines"): a replica that is promoted goes
// on with a log of its own, whose places have the same numbers as what the old primary wrote after
// that moment. So a place in the log means nothing without its timeline.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ingest/internal/change_events.h"
#include "ingest/internal/postgres_connection.h"

namespace tarn::ingest {

/// Where a place in the log is; timeline 0: not known.
struct LogPlace {
    uint32_t timeline = 0;
    Lsn lsn = 0;
};

/// Where `timeline` ended, in the history of a later one; nullopt: it is none of its past.
std::optional<Lsn> end_of_timeline(std::string_view history, uint32_t timeline);

/// The timeline that the server writes. `connection`: a replication connection that runs nothing.
Result<uint32_t> current_timeline(PostgresConnection& connection);

/// The same, when `place` is in the past of it. precondition_failed, reason "timeline_diverged":
/// the server lacks some of the log before `place`.
Result<uint32_t> check_timeline(PostgresConnection& connection, const LogPlace& place);

}  // namespace tarn::ingest
