// A database as a source: the turns of its one thread, and its preview.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/log.h"
#include "ingest/internal/capture_runner.h"
#include "ingest/internal/copy_text.h"
#include "ingest/internal/postgres_follow.h"
#include "ingest/internal/postgres_load.h"
#include "ingest/internal/postgres_position.h"
#include "ingest/internal/postgres_tables.h"
#include "ingest/internal/replication_slot.h"
#include "ingest/internal/runner.h"
#include "ingest/internal/thread_runner.h"
#include "query/engine.h"

namespace tarn::ingest {

namespace {

constexpr const char* kBegin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
constexpr auto kPersonTime =
    std::chrono::seconds(60);  // between tries of what a person has to mend

/// Seconds since the oldest transaction began that may still commit (as far as the user may see
/// it).
Result<int64_t> oldest_transaction(PostgresConnection& connection) {
    TARN_TRY(rows, connection.query(
                       "SELECT coalesce(extract(epoch FROM now() - least((SELECT min(xact_start) "
                       "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> "
                       "pg_backend_pid() AND datname = current_database()), (SELECT min(prepared) "
                       "FROM pg_prepared_xacts WHERE database = current_database()))), "
                       "0)::bigint::text"));
    return static_cast<int64_t>(std::strtoll(rows.at(0).at(0).value_or("0").c_str(), nullptr, 10));
}

class PostgresRunner final : public ThreadRunner {
 public:
    PostgresRunner(const SourceSpec& spec, const SourcesParts& parts)
        : name_(spec.name),
          identity_(spec.identity()),
          from_(std::get<PostgresSource>(spec.from)),
          parts_(parts),
          rounds_(parts.metrics.counter("tarn_postgres_rounds_total",
                                        "Times a database was asked for what is new")),
          errors_(parts.metrics.counter("tarn_postgres_errors_total",
                                        "Times a database source had to try again")),
          status_(first_status(spec, "postgres")) {}
    ~PostgresRunner() override { stop(); }
    SourceStatus status() const override { return status_.get(); }

 private:
    void run() override;
    Status turn();
    Status guarded_turn();
    Status load(PostgresConnection& connection, const std::vector<PostgresTable>& tables);
    Result<TableLoad> prepare(PostgresConnection& connection, const PostgresTable& table,
                              int64_t overlap_now);
    Status follow(std::unique_ptr<PostgresConnection> connection,
                  const std::vector<PostgresTable>& tables);
    Status follow_table(PostgresConnection& connection, const PostgresTable& table,
                        int64_t overlap_now);
    Result<bool> all_loaded();
    Result<std::optional<PostgresPosition>> recorded(const std::string& outside,
                                                     const std::string& table) const;
    void note(const Error& error);

    const std::string name_, identity_;
    const PostgresSource from_;
    const SourcesParts& parts_;
    Counter& rounds_;
    Counter& errors_;
    StatusBox status_;
    std::optional<Error> trouble_;  // of single tables, while the others were followed
    std::map<std::string, PostgresFollow> followed_;  // by the database's name of the table
};

void PostgresRunner::note(const Error& error) {
    status_.set_error(
        passes_by_itself(error) ? SourceStatus::State::waiting : SourceStatus::State::failed,
        error.message);
}

void PostgresRunner::run() {
    BackOff patience;
    while (!stop_.stopped()) {
        trouble_.reset();
        const Status done = guarded_turn();
        if (stop_.stopped()) break;
        if (!done.ok()) {
            errors_.add();
            note(done.error());
            stop_.wait_for(passes_by_itself(done.error()) ? patience.next() : kPersonTime);
            continue;
        }
        patience.reset();
        if (trouble_) {
            note(*trouble_);
            stop_.wait_for(from_.every);
            continue;
        }
        status_.clear_error();
        if (from_.follow == PostgresSource::Follow::once) {
            status_.set_state(SourceStatus::State::complete);
            break;
        }
        status_.set_state(SourceStatus::State::waiting);
        stop_.wait_for(from_.every);
    }
}

Status PostgresRunner::guarded_turn() {
    try {
        return turn();
    } catch (const std::exception& problem) {
        return Error(Code::internal, fmt::format("source {}: {}", name_, problem.what()));
    }
}

/// What is not loaded yet is loaded; then what is new is read.
Status PostgresRunner::turn() {
    const bool once = from_.follow == PostgresSource::Follow::once;
    if (once) {
        TARN_TRY(loaded, all_loaded());
        if (loaded) return ok_status();
    }
    TARN_TRY(connection, PostgresConnection::open(from_.url, stop_));
    TARN_CHECK_OK(connection->run(kBegin));
    if (once) {
        TARN_TRY(tables, find_postgres_tables(*connection, from_.tables));
        return load(*connection, tables);
    }
    rounds_.add();
    std::vector<TableProblem> problems;
    TARN_TRY(found, find_postgres_tables(*connection, from_.tables, &problems));
    std::vector<PostgresTable> tables;
    for (auto& table : found) {
        auto plan = follow_plan(table, from_);
        if (plan.ok())
            tables.push_back(std::move(table));
        else
            problems.push_back({table.name, std::move(plan).error()});
    }
    // Tables that are here already do not wait for one that makes trouble; what is new comes when
    // all is well.
    if (problems.empty()) TARN_CHECK_OK(load(*connection, tables));
    status_.set_state(SourceStatus::State::following);
    const Status followed = follow(std::move(connection), tables);
    if (!followed.ok() && passes_by_itself(followed.error())) return followed;
    for (const auto& problem : problems)
        status_.change_table(name_, problem.table, [&](TableStatus& status) {
            status.last_error = problem.error.message;
        });
    if (!problems.empty())
        trouble_ = std::move(problems.front().error);
    else if (!followed.ok())
        trouble_ = followed.error();
    return ok_status();
}

/// A source that is read once need not find its database again after a restart.
Result<bool> PostgresRunner::all_loaded() {
    for (const auto& name : from_.tables) {
        const size_t dot = name.find('.');
        const std::string outside = dot == std::string::npos ? name : name.substr(dot + 1);
        const std::string full = dot == std::string::npos ? "public." + name : name;
        TARN_TRY(position, recorded(full, lake_name(outside)));
        if (!position) return false;
        status_.change_table(name_, lake_name(outside),
                             [&](TableStatus& status) { status.position = position->shown(); });
    }
    return !from_.tables.empty();
}

Result<std::optional<PostgresPosition>> PostgresRunner::recorded(const std::string& outside,
                                                                 const std::string& table) const {
    const auto state = parts_.catalog.snapshot();
    TARN_TRY(found, state.find_relation(name_, table));
    if (!found) return std::optional<PostgresPosition>();
    TARN_TRY(bytes, tables::load_position(state.state(), {identity_, outside, found->uuid}));
    if (!bytes) return std::optional<PostgresPosition>();
    TARN_TRY(position, PostgresPosition::decode(*bytes));
    return std::optional<PostgresPosition>(std::move(position));
}

Result<TableLoad> PostgresRunner::prepare(PostgresConnection& connection,
                                          const PostgresTable& table, int64_t overlap_now) {
    TableLoad out;
    out.source = table;
    TARN_TRY(target, stage_table(parts_, target_of(table, name_, identity_)));
    const auto snapshot = target.table->current_snapshot();
    if (snapshot && snapshot->summary_number("total-records").value_or(1) > 0)
        return Error(Code::already_exists,
                     fmt::format("table {} has rows that this source did not write: rename or drop "
                                 "it, or give the source another name",
                                 target.table->info.full_name()));
    out.target = std::move(target);
    if (from_.follow == PostgresSource::Follow::once) return out;
    TARN_TRY(plan, follow_plan(table, from_));
    out.position.by = plan.by;
    if (plan.by.empty()) return out;
    TARN_TRY(rows, connection.query(high_select(table, plan, {})));
    out.position.high = rows.at(0).at(0);
    if (plan.upsert) out.position.overlap = plan.overlap_min() + (plan.by_time() ? overlap_now : 0);
    return out;
}

Status PostgresRunner::load(PostgresConnection& connection,
                            const std::vector<PostgresTable>& tables) {
    std::vector<const PostgresTable*> missing;
    for (const auto& table : tables) {
        TARN_TRY(position, recorded(table.full_name(), table.name));
        if (!position) {
            missing.push_back(&table);
            continue;
        }
        status_.change_table(name_, table.name, [&](TableStatus& status) {
            if (status.position.empty()) status.position = position->shown();
        });
    }
    if (missing.empty()) return ok_status();
    status_.set_state(SourceStatus::State::loading);
    TARN_TRY(overlap_now, oldest_transaction(connection));
    std::vector<TableLoad> loads;
    for (const auto* table : missing) {
        TARN_TRY(prepared, prepare(connection, *table, overlap_now));
        loads.push_back(std::move(prepared));
    }
    log_info("ingest", "a database is being loaded",
             {{"source", name_}, {"tables", static_cast<uint64_t>(loads.size())}});
    const auto positions = loads;
    PostgresLoad job({from_.url,
                      name_,
                      identity_,
                      from_.connections_max,
                      parts_,
                      stop_,
                      status_,
                      {},
                      from_.bytes_per_second_max});
    TARN_CHECK_OK(job.run(connection, std::move(loads)));
    log_info("ingest", "a database is loaded", {{"source", name_}});
    if (from_.follow == PostgresSource::Follow::once) return ok_status();
    // The rows that the first round will meet again are known now, in the snapshot of the load.
    for (const auto& table : positions) {
        TARN_TRY(plan, follow_plan(table.source, from_));
        followed_.erase(table.source.full_name());
        auto& one =
            followed_
                .emplace(table.source.full_name(),
                         PostgresFollow({name_, identity_, parts_, status_}, table.position))
                .first->second;
        TARN_CHECK_OK(one.learn(connection, table.source, plan));
    }
    return ok_status();
}

Status PostgresRunner::follow_table(PostgresConnection& connection, const PostgresTable& table,
                                    int64_t overlap_now) {
    TARN_TRY(position, recorded(table.full_name(), table.name));
    if (!position) return ok_status();  // dropped since: loaded at the next turn
    auto found = followed_.find(table.full_name());
    if (found == followed_.end() || !(found->second.position() == *position)) {
        followed_.erase(table.full_name());
        found = followed_
                    .emplace(table.full_name(),
                             PostgresFollow({name_, identity_, parts_, status_}, *position))
                    .first;
    }
    TARN_TRY(plan, follow_plan(table, from_));
    return found->second.round(connection, table, plan, overlap_now);
}

/// All tables in one snapshot of the database, unless one makes trouble: the others do not wait for
/// it.
Status PostgresRunner::follow(std::unique_ptr<PostgresConnection> connection,
                              const std::vector<PostgresTable>& tables) {
    Status first;
    bool fresh = false;
    for (const auto& table : tables) {
        if (stop_.stopped()) break;
        if (!connection) {
            TARN_TRY(opened, PostgresConnection::open(from_.url, stop_));
            connection = std::move(opened);
            fresh = false;
        }
        if (!fresh) {
            TARN_CHECK_OK(connection->run("ROLLBACK"));
            TARN_CHECK_OK(connection->run(kBegin));
            fresh = true;
        }
        TARN_TRY(overlap_now, oldest_transaction(*connection));
        const Status done = follow_table(*connection, table, overlap_now);
        if (done.ok()) continue;
        connection.reset();
        Status named = Error(done.error()).within("table " + table.full_name());
        status_.change_table(name_, table.name, [&](TableStatus& status) {
            status.last_error = named.error().message;
        });
        if (first.ok()) first = std::move(named);
    }
    return first;
}

Result<PreviewTable> preview_table(PostgresConnection& connection, const PostgresTable& table,
                                   const std::string& source, size_t rows_max) {
    PreviewTable out;
    out.database = source;
    out.name = table.name;
    out.columns = table.specs();
    out.key = table.key;
    CopyTextDecoder decoder(table.specs());
    decoder.trust_utf8(connection.knows_encoding());
    out.rows = decoder.make_chunk(std::min<size_t>(rows_max, 10'000));
    TARN_CHECK_OK(
        connection.copy_out(fmt::format("COPY (SELECT {} FROM {} LIMIT {}) TO STDOUT",
                                        table.select_list(), table.quoted(), rows_max),
                            [&](std::string_view row) { return decoder.decode(row, out.rows); }));
    return out;
}

void add_notes(const PostgresTable& table, const PostgresSource& from, Preview& preview) {
    auto& notes = preview.notes;
    if (table.rows_estimated > 0)  // 0: also where the database has not counted them yet
        notes.push_back(
            fmt::format("table {}: about {} rows", table.full_name(), table.rows_estimated));
    for (const auto& column : table.columns)
        if (column.spelled == "numeric")
            notes.push_back(fmt::format(
                "table {}: column {} is numeric without a precision and becomes numeric(38,9): "
                "further digits are rounded",
                table.full_name(), column.name));
    if (from.follow == PostgresSource::Follow::changes) {
        const Status fine = check_followable(table);
        if (!fine.ok())
            notes.push_back(fine.error().message);
        else if (!has_identity(table))
            notes.push_back(
                fmt::format("table {} has no primary key: rows are only added, and "
                            "changes and deletions are not seen; ALTER TABLE {} "
                            "REPLICA IDENTITY FULL, or a primary key, mends it",
                            table.full_name(), table.quoted()));
        for (const auto& column : table.columns)
            if (column.generated)
                notes.push_back(
                    fmt::format("table {}: column {} is computed by the database, is "
                                "not in its log, and is left out",
                                table.full_name(), column.name));
    }
    if (from.follow != PostgresSource::Follow::incremental) return;
    const auto plan = follow_plan(table, from);
    if (!plan.ok())
        notes.push_back(plan.error().message);
    else if (plan->by.empty())
        notes.push_back(
            fmt::format("table {} is read in full each time, and what changed is put "
                        "in place by its primary key",
                        table.full_name()));
    else if (!plan->upsert)
        notes.push_back(
            fmt::format("table {} has no primary key: rows whose {} is above the "
                        "highest one read are added; changes are not seen",
                        table.full_name(), plan->by));
}

}  // namespace

std::unique_ptr<Runner> make_postgres_runner(const SourceSpec& spec, const SourcesParts& parts) {
    if (std::get<PostgresSource>(spec.from).follow == PostgresSource::Follow::changes)
        return make_capture_runner(spec, parts);
    return std::make_unique<PostgresRunner>(spec, parts);
}

Result<Preview> preview_postgres(const SourceSpec& spec, const SourcesParts& parts,
                                 size_t rows_max) {
    const auto& from = std::get<PostgresSource>(spec.from);
    StopFlag stop;
    TARN_TRY(connection, PostgresConnection::open(from.url, stop));
    TARN_CHECK_OK(connection->run(kBegin));
    TARN_TRY(tables, find_postgres_tables(*connection, from.tables));
    Preview preview;
    if (from.follow == PostgresSource::Follow::changes) {
        const Status able =
            check_capture(*connection, capture_names(parts.lake_id, spec.identity()));
        if (!able.ok()) preview.notes.push_back(able.error().message);
    }
    for (const auto& table : tables) {
        auto shown = preview_table(*connection, table, spec.name, rows_max);
        if (!shown.ok())
            return std::move(std::move(shown).error()).within("table " + table.full_name());
        preview.tables.push_back(std::move(shown).value());
        add_notes(table, from, preview);
    }
    return preview;
}

}  // namespace tarn::ingest
