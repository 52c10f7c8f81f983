#include "ingest/internal/replication_slot.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <set>
#include <thread>

#include "ingest/internal/postgres_fields.h"
#include "ingest/internal/timeline.h"

namespace tarn::ingest {

namespace {

constexpr size_t kSlotNameMax = 63;
constexpr auto kSeenEvery = std::chrono::milliseconds(10);  // looks for a transaction's end
constexpr int kSeenLooks = 100;

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
    return fmt::format("{}", fmt::join(parts, between));
}

/// A table as a publication is to have it.
struct Wanted {
    uint32_t oid = 0;
    std::string quoted;
};

struct Publication {
    bool exists = false, all_tables = false, ours = false;
    std::set<uint32_t> tables;
};

Result<Publication> look_at_publication(PostgresConnection& control, const std::string& name) {
    Publication out;
    TARN_TRY(rows, control.query("SELECT p.oid, p.puballtables, pg_has_role(p.pubowner, 'USAGE') "
                                 "FROM pg_publication p WHERE p.pubname = $1",
                                 {name}));
    if (rows.empty()) return out;
    out.exists = true;
    out.all_tables = is_true(rows[0][1]);
    out.ours = is_true(rows[0][2]);
    TARN_TRY(tables, control.query("SELECT prrelid FROM pg_publication_rel WHERE prpubid = $1::oid",
                                   {text_of(rows[0][0])}));
    for (const auto& row : tables) out.tables.insert(static_cast<uint32_t>(number_of(row[0])));
    return out;
}

/// The statements that make `name` a publication of exactly `wanted`.
std::vector<std::string> steps_to(const std::string& name, const Publication& have,
                                  const std::vector<Wanted>& wanted, bool additions_only) {
    std::vector<std::string> add, out;
    for (const auto& table : wanted)
        if (have.tables.count(table.oid) == 0) add.push_back(table.quoted);
    const std::string quoted = quote_name(name);
    if (!have.exists) {
        if (add.empty()) return out;
        out.push_back(fmt::format(
            "CREATE PUBLICATION {} FOR TABLE {} WITH ({}publish_via_partition_root = true)", quoted,
            joined(add, ", "), additions_only ? "publish = 'insert, truncate', " : ""));
        return out;
    }
    if (have.all_tables) return out;
    if (!add.empty())
        out.push_back(fmt::format("ALTER PUBLICATION {} ADD TABLE {}", quoted, joined(add, ", ")));
    return out;
}

Error may_not(const PostgresConnection& control, const std::vector<std::string>& steps,
              const std::string& why) {
    return Error(Code::permission_denied,
                 fmt::format("user {} may not publish the changes of these tables ({}): let the "
                             "tables' owner, with CREATE on the database, run: {}",
                             control.user(), why, joined(steps, "; ")),
                 "publication_missing");
}

/// The statements that take out of `name` what is not wanted there.
Result<std::vector<std::string>> steps_out(PostgresConnection& control, const std::string& name,
                                           const Publication& have,
                                           const std::vector<Wanted>& wanted) {
    std::vector<std::string> out;
    if (!have.ours || have.all_tables) return out;
    for (const uint32_t oid : have.tables) {
        const bool kept = std::any_of(wanted.begin(), wanted.end(),
                                      [&](const Wanted& one) { return one.oid == oid; });
        if (kept) continue;
        TARN_TRY(rows, control.query("SELECT $1::oid::regclass::text", {std::to_string(oid)}));
        out.push_back(fmt::format("ALTER PUBLICATION {} DROP TABLE {}", quote_name(name),
                                  text_of(rows.at(0).at(0))));
    }
    return out;
}

}  // namespace

CaptureNames capture_names(const std::string& lake_id, const std::string& source) {
    uint32_t hash = 2166136261u;  // FNV-1a: the same in every version of the program
    for (const char c : lake_id) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
    std::string name = fmt::format("tarn_{:08x}_{}", hash, lake_name(source));
    constexpr size_t kSuffix = sizeof("_additions");
    if (name.size() > kSlotNameMax - kSuffix) name.resize(kSlotNameMax - kSuffix);
    return {name, name, name + "_additions"};
}

bool has_identity(const PostgresTable& table) {
    switch (table.identity) {
        case 'f':
            return true;
        case 'i':
            return !table.identity_index.empty();
        case 'd':
            return !table.key.empty();
        default:
            return false;
    }
}

Status check_followable(const PostgresTable& table) {
    const std::string_view what = table.kind == 'v'   ? "a view"
                                  : table.kind == 'm' ? "a materialized view"
                                  : table.kind == 'f' ? "a foreign table"
                                  : table.unlogged    ? "an unlogged table"
                                                      : "";
    if (what.empty()) return ok_status();
    return Error(Code::invalid_argument,
                 fmt::format("{} is {}, whose changes are not in the database's log: put it into "
                             "a source of its own with follow: {{every: 15m}} or follow: once",
                             table.full_name(), what));
}

Status check_capture(PostgresConnection& control, const CaptureNames& names) {
    const int version = control.server_version();
    if (version < 130000)
        return Error(Code::unimplemented,
                     fmt::format("the {} is PostgreSQL {}: changes can be followed from 13 on; "
                                 "write follow: {{every: 15m}}",
                                 control.place(), version / 10000));
    TARN_TRY(rows,
             control.query("SELECT current_setting('wal_level'), r.rolsuper OR r.rolreplication OR "
                           "EXISTS (SELECT FROM pg_roles m WHERE m.rolname IN ('rds_replication', "
                           "'rds_superuser') AND pg_has_role(r.oid, m.oid, 'MEMBER')), "
                           "current_setting('max_replication_slots')::int, (SELECT count(*) FROM "
                           "pg_replication_slots WHERE slot_name <> $1), "
                           "current_setting('max_wal_senders')::int, pg_is_in_recovery() FROM "
                           "pg_roles r WHERE r.rolname = current_user",
                           {names.slot}));
    const auto& row = rows.at(0);
    std::vector<std::string> missing;
    if (row[0] != "logical")
        missing.push_back(
            fmt::format("its wal_level is {}: run ALTER SYSTEM SET wal_level = "
                        "logical, then restart the server",
                        text_of(row[0])));
    if (!is_true(row[1]))
        missing.push_back(fmt::format("user {} may not read the log: run ALTER ROLE {} REPLICATION",
                                      control.user(), quote_name(control.user())));
    const int64_t slots = number_of(row[2]), used = number_of(row[3]);
    if (used >= slots)
        missing.push_back(
            fmt::format("all of its {} replication slots are taken: drop one that "
                        "is not used (SELECT * FROM pg_replication_slots), or run "
                        "ALTER SYSTEM SET max_replication_slots = {}, then restart "
                        "the server",
                        slots, slots + 5));
    if (number_of(row[4]) == 0)
        missing.push_back(
            "max_wal_senders is 0: run ALTER SYSTEM SET max_wal_senders = 10, then "
            "restart the server");
    if (is_true(row[5]) && version < 160000)
        missing.push_back(
            "it is a replica, whose log can be followed from PostgreSQL 16 on: "
            "write the primary's address into the source's url");
    if (missing.empty()) return ok_status();
    const bool only_role = missing.size() == 1 && !is_true(row[1]);
    return Error(only_role ? Code::permission_denied : Code::precondition_failed,
                 fmt::format("the changes of the {} cannot be followed: {}", control.place(),
                             joined(missing, "; ")),
                 "capture_refused");
}

Result<std::string> system_of(PostgresConnection& control) {
    TARN_TRY(rows, control.query("SELECT system_identifier FROM pg_control_system()"));
    return text_of(rows.at(0).at(0));
}

Result<std::vector<uint32_t>> ensure_publications(PostgresConnection& control,
                                                  const CaptureNames& names,
                                                  const std::vector<PostgresTable>& tables) {
    std::vector<Wanted> whole, additions;
    for (const auto& table : tables)
        (has_identity(table) ? whole : additions).push_back({table.oid, table.quoted()});
    TARN_TRY(have_whole, look_at_publication(control, names.publication));
    TARN_TRY(have_additions, look_at_publication(control, names.additions));
    std::vector<uint32_t> added;
    for (const auto& table : tables)
        if (have_whole.tables.count(table.oid) + have_additions.tables.count(table.oid) == 0 &&
            !have_whole.all_tables)
            added.push_back(table.oid);
    // A table that lost its key moves over within one transaction: while its updates are
    // published, the source refuses them, and in neither its changes would be missed.
    TARN_TRY(steps, steps_out(control, names.publication, have_whole, whole));
    TARN_TRY(more, steps_out(control, names.additions, have_additions, additions));
    for (auto& step : more) steps.push_back(std::move(step));
    for (auto& step : steps_to(names.publication, have_whole, whole, false))
        steps.push_back(std::move(step));
    for (auto& step : steps_to(names.additions, have_additions, additions, true))
        steps.push_back(std::move(step));
    if (steps.empty()) return added;
    TARN_CHECK_OK(control.run("BEGIN"));
    for (const auto& step : steps) {
        const Status done = control.run(step);
        if (done.ok()) continue;
        (void)control.run("ROLLBACK");
        if (done.error().code == Code::permission_denied)
            return may_not(control, steps, done.error().message);
        return done.error();
    }
    TARN_CHECK_OK(control.run("COMMIT"));
    return added;
}

Result<Published> look_at_publications(PostgresConnection& control, const CaptureNames& names) {
    TARN_TRY(rows,
             control.query("SELECT p.oid, (SELECT md5(string_agg(r.oid::text, ',' ORDER BY r.oid)) "
                           "FROM pg_publication_rel r WHERE r.prpubid = p.oid) FROM pg_publication "
                           "p WHERE p.pubname IN ($1, $2) ORDER BY p.oid",
                           {names.publication, names.additions}));
    Published out;
    for (const auto& row : rows) {
        out.oids.push_back(static_cast<uint32_t>(number_of(row[0])));
        out.tables += text_of(row[1]) + ';';
    }
    return out;
}

Result<std::map<uint32_t, uint32_t>> look_at_published(PostgresConnection& control,
                                                       const CaptureNames& names) {
    TARN_TRY(rows, control.query("SELECT r.prrelid, max(r.oid) FROM pg_publication_rel r JOIN "
                                 "pg_publication p ON p.oid = r.prpubid WHERE p.pubname IN ($1, "
                                 "$2) GROUP BY 1",
                                 {names.publication, names.additions}));
    std::map<uint32_t, uint32_t> out;
    for (const auto& row : rows) out[number_of<uint32_t>(row[0])] = number_of<uint32_t>(row[1]);
    return out;
}

Status wait_until_seen(PostgresConnection& connection, uint32_t xid) {
    for (int look = 0; look < kSeenLooks; ++look) {
        TARN_TRY(rows, connection.query(
                           "SELECT txid_snapshot_xmax(s) % 4294967296, EXISTS (SELECT FROM "
                           "txid_snapshot_xip(s) AS x WHERE x % 4294967296 = $1::bigint) FROM "
                           "txid_current_snapshot() AS s",
                           {std::to_string(xid)}));
        const auto next = number_of<uint32_t>(rows.front()[0]);
        const bool ended = static_cast<int32_t>(xid - next) < 0;  // numbers go around
        if (ended && !is_true(rows.front()[1])) return ok_status();
        std::this_thread::sleep_for(kSeenEvery);
    }
    return Error(Code::unavailable,
                 fmt::format("transaction {} is in the log and can't be seen yet: its commit "
                             "waits for a synchronous standby (synchronous_standby_names)",
                             xid));
}

Result<bool> tells_some_columns(PostgresConnection& control, const CaptureNames& names,
                                uint32_t table) {
    if (control.server_version() < 150000) return false;
    TARN_TRY(rows, control.query("SELECT count(*) FROM pg_publication_rel r JOIN pg_publication p "
                                 "ON p.oid = r.prpubid WHERE p.pubname IN ($1, $2) AND r.prrelid = "
                                 "$3::oid AND r.prattrs IS NOT NULL",
                                 {names.publication, names.additions, std::to_string(table)}));
    return number_of(rows.front()[0]) != 0;
}

Result<NewSlot> create_slot(const std::string& url, const std::string& name, bool temporary,
                            StopFlag& stop) {
    NewSlot out;
    TARN_TRY(holder, PostgresConnection::open_replication(url, stop));
    TARN_TRY(timeline, current_timeline(*holder));
    const auto create = [&](std::string_view options) {
        return holder->simple_query(fmt::format("CREATE_REPLICATION_SLOT {} {}LOGICAL pgoutput {}",
                                                quote_name(name), temporary ? "TEMPORARY " : "",
                                                options));
    };
    // A slot that the replicas get too, where they are set up for it: a fail-over loses nothing.
    const bool can_fail_over = holder->server_version() >= 170000 && !temporary;
    auto made = create(can_fail_over ? "(SNAPSHOT 'export', FAILOVER true)" : "EXPORT_SNAPSHOT");
    if (!made.ok() && can_fail_over) made = create("EXPORT_SNAPSHOT");
    if (!made.ok()) return std::move(made).error();
    if (made->size() != 1 || made->front().size() < 3)
        return Error(Code::corrupted, "the source made a replication slot and did not say where");
    TARN_TRY(lsn, lsn_of(text_of(made->front()[1])));
    out.lsn = lsn;
    out.timeline = timeline;
    out.snapshot = text_of(made->front()[2]);
    out.holder = std::move(holder);
    return out;
}

Result<SlotState> look_at_slot(PostgresConnection& control, const std::string& name) {
    constexpr const char* kEnd =
        "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END";
    TARN_TRY(rows, control.query(fmt::format("SELECT s.active, s.active_pid, a.application_name, "
                                             "s.wal_status = 'lost' OR s.restart_lsn IS NULL, "
                                             "greatest(pg_wal_lsn_diff({0}, s.restart_lsn), "
                                             "0)::bigint, s.confirmed_flush_lsn, {0} FROM (SELECT) "
                                             "x LEFT JOIN pg_replication_slots s ON s.slot_name = "
                                             "$1 LEFT JOIN pg_stat_activity a ON a.pid = "
                                             "s.active_pid",
                                             kEnd),
                                 {name}));
    SlotState out;
    const auto& row = rows.at(0);
    TARN_TRY(end, lsn_of(text_of(row[6])));
    out.server_end = end;
    if (!row[0]) return out;
    out.exists = true;
    out.active = is_true(row[0]);
    out.lost = is_true(row[3]);
    if (out.active)
        out.user = fmt::format("process {} (application {})", text_of(row[1]),
                               row[2] && !row[2]->empty() ? *row[2] : "without a name");
    out.retained_bytes = static_cast<uint64_t>(number_of(row[4]));
    if (row[5]) {
        TARN_TRY(confirmed, lsn_of(*row[5]));
        out.confirmed = confirmed;
    }
    return out;
}

Status drop_slot(PostgresConnection& control, const std::string& name) {
    TARN_CHECK_OK(
        control.query("SELECT pg_drop_replication_slot(slot_name) FROM "
                      "pg_replication_slots WHERE slot_name = $1",
                      {name}));
    return ok_status();
}

Status remove_capture(PostgresConnection& control, const CaptureNames& names) {
    TARN_CHECK_OK(drop_slot(control, names.slot));
    for (const auto& name : {names.publication, names.additions}) {
        TARN_TRY(have, look_at_publication(control, name));
        if (have.exists && have.ours)
            TARN_CHECK_OK(control.run("DROP PUBLICATION IF EXISTS " + quote_name(name)));
    }
    return ok_status();
}

Status emit_heartbeat(PostgresConnection& control) {
    TARN_CHECK_OK(
        control.query("SELECT CASE WHEN NOT pg_is_in_recovery() THEN "
                      "pg_logical_emit_message(false, 'tarn', 'heartbeat') END"));
    return ok_status();
}

}  // namespace tarn::ingest
