#include "ingest/internal/capture_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "ingest/internal/capture_shape.h"
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

}  // namespace

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
                      const std::vector<PostgresTable>& tables) {
    TARN_TRY(before, look_at_published(control, parts.names));
    TARN_TRY(added, ensure_publications(control, parts.names, tables));
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
        // We put it into the other one; or nobody has noted it so far.
        CaptureTable next = followed.state;
        next.published = after[table.oid];
        if (moved_elsewhere(next, table)) next.storage = table.storage;
        if (next.published != recorded || next.storage != followed.state.storage)
            TARN_CHECK_OK(change_record(parts, followed, next));
    }
    return ok_status();
}

}  // namespace tarn::ingest
