#include "ingest/internal/capture_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/log.h"
#include "ingest/internal/capture_shape.h"
#include "ingest/internal/change_history.h"
#include "tables/commit.h"

namespace tarn::ingest {

namespace {

Status change_record(const CaptureLoadParts& parts, const FollowedTable& table,
                     const CaptureTable& next) {
    meta::Batch batch;
    tables::stage_position(batch, {parts.identity, table.source.full_name(), table.uuid},
                           table.state.encode(), next.encode());
    TARN_CHECK_OK(parts.lake.store.commit(std::move(batch)));
    return ok_status();
}

/// Names of this source's tables in the lake that are none of `tables`.
Result<std::vector<std::string>> abandoned_tables(const CaptureLoadParts& parts,
                                                  const std::vector<PostgresTable>& tables) {
    const auto state = parts.lake.catalog.snapshot();
    TARN_TRY(relations, state.relations(parts.source));
    std::set<std::string> known;
    for (const auto& table : tables) known.insert(table.name);
    for (const auto& relation : relations) {
        TargetTable of;
        of.name = relation.name;
        known.insert(history_target(of).name);
    }
    std::vector<std::string> out;
    for (const auto& relation : relations) {
        if (relation.kind != tables::RelationKind::table || known.contains(relation.name)) continue;
        TARN_TRY(table, state.load_table(relation));
        const auto& properties = table->metadata->properties;
        const auto owner = properties.find("tarn.source");
        if (owner != properties.end() && owner->second == parts.identity)
            out.push_back(relation.name);
    }
    return out;
}

}  // namespace

std::string only_added(const PostgresTable& table) {
    const bool key = !table.key.empty();
    return fmt::format(
        "rows are only added: {} the database's log does not say which row was changed or deleted; "
        "ALTER TABLE {} REPLICA IDENTITY {} mends it, and the table is loaded again",
        key ? "with its replica identity" : "without a primary key", table.quoted(),
        key ? "DEFAULT" : "FULL, or a primary key,");
}

Status pause_table(const CaptureLoadParts& parts, const FollowedTable& table,
                   CaptureTable::Pause kind, const std::string& why) {
    CaptureTable next = table.state;
    next.pause = kind;
    next.why = why;
    if (kind == CaptureTable::Pause::person && why.find("DROP TABLE") == std::string::npos)
        next.why += fmt::format(
            "; mend it there, then DROP TABLE {}.{} in the lake: it is loaded "
            "again",
            parts.source, table.source.name);
    log_warning(
        "ingest", "a table is followed no further",
        {{"source", parts.source},
         {"table", table.source.full_name()},
         {"why", next.why},
         {"next", kind == CaptureTable::Pause::reload ? "it is loaded again" : "a person"}});
    return change_record(parts, table, next);
}

Status keep_published(const CaptureLoadParts& parts, PostgresConnection& control,
                      std::vector<PostgresTable>& tables, std::vector<TableProblem>& problems) {
    TARN_TRY(before, look_at_published(control, parts.names));
    auto made = ensure_publications(control, parts.names, tables);
    if (!made.ok() && made.error().reason == "publication_missing") {
        const auto missing = std::stable_partition(
            tables.begin(), tables.end(),
            [&](const PostgresTable& table) { return before.count(table.oid) != 0; });
        if (missing == tables.begin() || missing == tables.end()) return made.error();
        for (auto it = missing; it != tables.end(); ++it)
            problems.push_back({it->name, made.error()});
        tables.erase(missing, tables.end());
        made = ensure_publications(control, parts.names, tables);
    }
    TARN_TRY(added, std::move(made));
    TARN_TRY(after, look_at_published(control, parts.names));
    for (const auto& table : tables) {
        TARN_TRY(here, find_lake_table(parts.lake, parts.source, parts.identity, table));
        if (!here || !here->capture) continue;
        const FollowedTable followed{table, here->uuid, *here->capture};
        const uint32_t recorded = followed.state.published;
        const bool out = std::find(added.begin(), added.end(), table.oid) != added.end();
        if (out || (recorded != 0 && before[table.oid] != recorded)) {
            if (followed.state.pause == CaptureTable::Pause::none)
                TARN_CHECK_OK(pause_table(parts, followed, CaptureTable::Pause::reload,
                                          "it was taken out of the source's publication"));
            continue;
        }
        const std::string moved = partitions_moved(followed.state, table);
        if (!moved.empty()) {
            if (followed.state.pause == CaptureTable::Pause::none)
                TARN_CHECK_OK(pause_table(parts, followed, CaptureTable::Pause::reload,
                                          moved + ", and the log does not tell its rows"));
            continue;
        }
        if (computed_anew(followed.state, table)) {
            if (followed.state.pause == CaptureTable::Pause::none)
                TARN_CHECK_OK(pause_table(parts, followed, CaptureTable::Pause::reload,
                                          "ALTER TABLE computed values of its rows anew, and the "
                                          "log does not tell them"));
            continue;
        }
        // What was changed or deleted while only additions were published is in no log.
        const bool told_now = recorded != 0 && after[table.oid] != recorded && has_identity(table);
        if (told_now) {
            if (followed.state.pause == CaptureTable::Pause::none)
                TARN_CHECK_OK(pause_table(parts, followed, CaptureTable::Pause::reload,
                                          "the log tells its rows apart from now on"));
            continue;
        }
        // We put it into the other one; or nobody has noted it so far.
        CaptureTable next = followed.state;
        next.published = after[table.oid];
        const bool placed = note_place(next, table);
        next.partitions = partitions_of(table);
        if (next.published != recorded || placed || next.partitions != followed.state.partitions)
            TARN_CHECK_OK(change_record(parts, followed, next));
    }
    return ok_status();
}

Status tell_abandoned(const CaptureLoadParts& parts, const std::vector<PostgresTable>& tables,
                      const std::string& user, std::vector<TableProblem>& problems) {
    TARN_TRY(names, abandoned_tables(parts, tables));
    for (const auto& name : names) {
        const Error error(
            Code::not_found,
            fmt::format("table {} is no longer in the database, or user {} may not read it: its "
                        "rows stay here as they were last; mend it there, or {}DROP TABLE {}.{} "
                        "in the lake",
                        name, user, parts.from.tables.empty() ? "" : "take it out of `tables` and ",
                        parts.source, name));
        const auto known = std::find_if(problems.begin(), problems.end(),
                                        [&](const auto& one) { return one.table == name; });
        if (known == problems.end())
            problems.push_back({name, error});
        else if (known->error.code == Code::not_found)
            known->error = error;
    }
    return ok_status();
}

Status keep_waiting(const CaptureLoadParts& parts, const FollowedTable& table, const Error& error) {
    const std::string why = fmt::format(
        "it could not be loaded again: {}; mend it there: it is tried again by itself, and its old "
        "rows stay until then",
        error.message);
    const bool known = table.state.pause == CaptureTable::Pause::reload && table.state.why == why;
    return known ? ok_status() : pause_table(parts, table, CaptureTable::Pause::reload, why);
}

}  // namespace tarn::ingest
