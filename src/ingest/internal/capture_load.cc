#include "ingest/internal/capture_load.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "ingest/internal/capture_shape.h"
#include "ingest/internal/postgres_load.h"
#include "tables/commit.h"

namespace tarn::ingest {

namespace {

/// NOT NULL is not in the log, so it may not bind: but for the key, which can't be NULL.
TargetTable target_for(const PostgresTable& table, const CaptureLoadParts& parts) {
    auto target = target_of(table, parts.source, parts.identity);
    for (auto& column : target.columns)
        column.required =
            std::find(table.key.begin(), table.key.end(), column.name) != table.key.end();
    return target;
}

bool has_rows(const tables::TableState& table) {
    const auto snapshot = table.current_snapshot();
    return snapshot && snapshot->summary_number("total-records").value_or(1) > 0;
}

Result<TableLoad> prepare(const CaptureLoadParts& parts, const PostgresTable& table) {
    TableLoad out;
    out.source = table;
    TARN_TRY(target, stage_table(parts.lake, target_for(table, parts)));
    if (!target.created) {
        const auto& properties = target.table->metadata->properties;
        const auto owner = properties.find("tarn.source");
        const bool ours = owner != properties.end() && owner->second == parts.identity;
        if (!ours && has_rows(*target.table))
            return Error(Code::already_exists,
                         fmt::format("table {} has rows that this source did not write: rename or "
                                     "drop it, or give the source another name",
                                     target.table->info.full_name()));
        out.replace = true;
    }
    out.target = std::move(target);
    return out;
}

/// The tables that `wanted` named, as the snapshot has them.
std::vector<PostgresTable> same_tables(std::vector<PostgresTable> found,
                                       const std::vector<PostgresTable>& wanted) {
    std::vector<PostgresTable> out;
    for (auto& table : found) {
        const auto match =
            std::find_if(wanted.begin(), wanted.end(),
                         [&](const PostgresTable& one) { return one.oid == table.oid; });
        if (match == wanted.end()) continue;
        table.name = match->name;  // unique among all tables of the source
        keep_logged(table);
        out.push_back(std::move(table));
    }
    return out;
}

/// What the lake has of a table that was left out is of before: it has to be loaded again.
Status stage_left_out(const CaptureLoadParts& parts, const PostgresTable& table, const Error& why,
                      meta::Batch& batch) {
    TARN_TRY(here, find_lake_table(parts.lake, parts.source, parts.identity, table));
    if (!here || !here->capture) return ok_status();
    CaptureTable next = *here->capture;
    next.pause = CaptureTable::Pause::reload;
    next.why = why.message;
    tables::stage_position(batch, {parts.identity, table.full_name(), here->uuid}, here->position,
                           next.encode());
    return ok_status();
}

struct LeftOut {
    PostgresTable table;
    Error why;
};

}  // namespace

void keep_logged(PostgresTable& table) {
    auto& columns = table.columns;
    columns.erase(std::remove_if(columns.begin(), columns.end(),
                                 [](const PostgresColumn& column) { return column.generated; }),
                  columns.end());
    if (table.kind != 'r' || table.parts.size() < 2) return;
    auto& parts = table.parts;
    parts.erase(std::remove_if(parts.begin(), parts.end(),
                               [&](const PostgresPart& part) {
                                   return part.from != "ONLY " + table.quoted();
                               }),
                parts.end());
}

Result<std::optional<LakeTable>> find_lake_table(const SourcesParts& lake,
                                                 const std::string& source,
                                                 const std::string& identity,
                                                 const PostgresTable& table) {
    const auto state = lake.catalog.snapshot();
    TARN_TRY(found, state.find_relation(source, table.name));
    if (!found) return std::optional<LakeTable>();
    LakeTable out;
    out.uuid = found->uuid;
    TARN_TRY(position,
             tables::load_position(state.state(), {identity, table.full_name(), found->uuid}));
    out.position = std::move(position);
    if (out.position) out.capture = CaptureTable::decode(*out.position);
    return std::optional<LakeTable>(std::move(out));
}

Result<std::vector<TableProblem>> load_captured(const CaptureLoadParts& parts, NewSlot slot,
                                                const std::vector<PostgresTable>& wanted,
                                                const std::optional<CapturePosition>& expected,
                                                CapturePosition next) {
    if (next.lsn == 0) {
        next.lsn = slot.lsn;
        next.timeline = slot.timeline;
    }
    TARN_TRY(holder, PostgresConnection::open(parts.from.url, parts.stop));
    TARN_CHECK_OK(holder->run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    TARN_CHECK_OK(holder->run("SET TRANSACTION SNAPSHOT " + quote_text(slot.snapshot)));
    slot.holder.reset();  // the transaction keeps the snapshot now
    std::vector<std::string> names;
    for (const auto& table : wanted) names.push_back(table.full_name());
    TARN_TRY(found, find_postgres_tables(*holder, names));
    TARN_TRY(published, look_at_published(*holder, parts.names));
    const bool several = wanted.size() > 1;
    std::vector<PostgresTable> tables;
    std::vector<TableLoad> loads;
    std::vector<LeftOut> left_out;
    for (auto& table : same_tables(std::move(found), wanted)) {
        auto prepared = prepare(parts, table);
        if (!prepared.ok() && (!several || passes_by_itself(prepared.error())))
            return std::move(prepared).error();
        if (prepared.ok()) {
            loads.push_back(std::move(*prepared));
            tables.push_back(std::move(table));
        } else {
            left_out.push_back({std::move(table), std::move(prepared).error()});
        }
    }
    log_info("ingest", "tables of a database are being loaded",
             {{"source", parts.source},
              {"tables", static_cast<uint64_t>(loads.size())},
              {"lsn", to_text(slot.lsn)}});
    const PostgresLoad* load = nullptr;
    const auto positions = [&](const std::vector<tables::TablePtr>& states,
                               meta::Batch& batch) -> Status {
        stage_capture_position(batch, parts.identity, expected, next);
        for (const auto& one : left_out)
            TARN_CHECK_OK(stage_left_out(parts, one.table, one.why, batch));
        for (const auto& [place, why] : load->left_out())
            TARN_CHECK_OK(stage_left_out(parts, tables[place], why, batch));
        for (size_t i = 0; i < states.size(); ++i) {
            if (!states[i]) continue;
            auto capture = loaded_table(tables[i], states[i]->schema(), slot.lsn);
            const auto listed = published.find(tables[i].oid);
            if (listed != published.end()) capture.published = listed->second;
            const tables::SourcePosition of{parts.identity, tables[i].full_name(),
                                            states[i]->info.uuid};
            TARN_TRY(before, tables::load_position(parts.lake.store, of));
            tables::stage_position(batch, of, std::move(before), capture.encode());
        }
        return ok_status();
    };
    PostgresLoad job({parts.from.url, parts.source, parts.identity, parts.from.connections_max,
                      parts.lake, parts.stop, parts.status, positions,
                      parts.from.bytes_per_second_max, several});
    load = &job;
    const Status done = job.run(*holder, std::move(loads));
    if (!done.ok()) {
        // Names are looked up as of now, rows as of the snapshot: DDL in between.
        const auto& reason = done.error().reason;
        if (reason != "42703" && reason != "42P01") return done.error();
        return Error(Code::unavailable, "changed during its load: " + done.error().message);
    }
    for (const auto& [place, why] : job.left_out())
        left_out.push_back(
            {tables[place], Error(why).within("table " + tables[place].full_name())});
    std::vector<TableProblem> problems;
    for (auto& one : left_out) problems.push_back({one.table.name, std::move(one.why)});
    const auto is_here = [&](const PostgresTable& table) {
        return std::none_of(problems.begin(), problems.end(),
                            [&](const auto& one) { return one.table == table.name; });
    };
    for (const auto& table : tables) {
        if (!is_here(table)) continue;
        parts.status.change_table(parts.source, table.name, [&](TableStatus& status) {
            status.position = to_text(slot.lsn);
            status.paused.clear();
            status.note.clear();
        });
    }
    log_info("ingest", "tables of a database are loaded", {{"source", parts.source}});
    return problems;
}

}  // namespace tarn::ingest
