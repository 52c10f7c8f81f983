// What a source keeps for us: a replication slot that holds its log until we have it, and
// publications that say which tables' changes we get. Made, looked after and removed here; what is
// missing for it is told with the statement that mends it. Lane: a runner's own thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ingest/internal/change_events.h"
#include "ingest/internal/postgres_connection.h"
#include "ingest/internal/postgres_tables.h"

namespace tarn::ingest {

/// Derived from the lake and the source, so that two lakes can follow one database.
struct CaptureNames {
    std::string slot;
    std::string publication;  // of tables whose rows can be told apart
    std::string additions;    // of tables without a replica identity: rows that are added
};
CaptureNames capture_names(const std::string& lake_id, const std::string& source);

/// How the log tells a table's rows apart.
bool has_identity(const PostgresTable& table);

/// Can this server and this user do it? precondition_failed, permission_denied, unimplemented; the
/// message names everything that is missing with the statements to run.
Status check_capture(PostgresConnection& control, const CaptureNames& names);
/// Tables that can't be followed by the log at all (views, unlogged and foreign tables):
/// invalid_argument. Says nothing of those that can.
Status check_followable(const PostgresTable& table);
/// The number of the database cluster, the same after a restart and on its replicas.
Result<std::string> system_of(PostgresConnection& control);

/// Makes the publications, or adds and removes tables, so that they are of exactly these.
/// permission_denied with the statements that somebody else has to run. The oids of the tables
/// that were in none of the two before.
Result<std::vector<uint32_t>> ensure_publications(PostgresConnection& control,
                                                  const CaptureNames& names,
                                                  const std::vector<PostgresTable>& tables);

/// What the log is read by. A table that is taken out is missing in the log without a word, and
/// from PostgreSQL 18 on those of a publication that is dropped, too.
struct Published {
    std::vector<uint32_t> oids;  // of the publications that are there, sorted
    std::string tables;          // another text when a table came or went

    bool operator==(const Published&) const = default;
};
Result<Published> look_at_publications(PostgresConnection& control, const CaptureNames& names);

/// By table its row in the publications' lists: another one when it was taken out and put back, and
/// what changed in between is in no log. None of a table that all tables' publication has.
Result<std::map<uint32_t, uint32_t>> look_at_published(PostgresConnection& control,
                                                       const CaptureNames& names);
/// Waits until what transaction `xid` did can be seen: the log has it before, by as long as its
/// commit waits for a synchronous standby. unavailable: not within a second.
Status wait_until_seen(PostgresConnection& connection, uint32_t xid);
/// True when the publication, made by hand, has a list of the table's columns: the log does not
/// tell the others.
Result<bool> tells_some_columns(PostgresConnection& control, const CaptureNames& names,
                                uint32_t table);

/// A slot that was just made. While `holder` lives and runs nothing else, `snapshot` can be taken
/// over by SET TRANSACTION SNAPSHOT: it is the database at `lsn`.
struct NewSlot {
    std::unique_ptr<PostgresConnection> holder;
    std::string snapshot;
    Lsn lsn = 0;
    uint32_t timeline = 0;
};
/// Waits for the transactions that run at this moment. `temporary`: it goes with its connection.
Result<NewSlot> create_slot(const std::string& url, const std::string& name, bool temporary,
                            StopFlag& stop);

struct SlotState {
    bool exists = false, active = false;
    bool lost = false;  // the source threw the log away: nothing can be read any more
    std::string user;   // active: "process 4711 (application tarn)"
    uint64_t retained_bytes = 0;
    Lsn confirmed = 0;
    Lsn server_end = 0;  // of the server's log
};
Result<SlotState> look_at_slot(PostgresConnection& control, const std::string& name);
/// Fine when there is none. conflict: in use.
Status drop_slot(PostgresConnection& control, const std::string& name);
/// The slot and the publications, as far as they are there.
Status remove_capture(PostgresConnection& control, const CaptureNames& names);
/// A record of our own in the log, so that a quiet database's slot moves on too.
Status emit_heartbeat(PostgresConnection& control);

}  // namespace tarn::ingest
