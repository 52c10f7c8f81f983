// A database followed change by change: the turns of its one thread. A turn finds out where the
// source and the lake stand, loads what is not there yet, and then follows the log until something
// is no longer as it was; then the next turn begins. docs/decisions/0005-position-of-a-log.md
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/log.h"
#include "ingest/internal/capture_counts.h"
#include "ingest/internal/capture_fill.h"
#include "ingest/internal/capture_lag.h"
#include "ingest/internal/capture_load.h"
#include "ingest/internal/capture_metrics.h"
#include "ingest/internal/capture_runner.h"
#include "ingest/internal/capture_shape.h"
#include "ingest/internal/capture_tables.h"
#include "ingest/internal/change_collector.h"
#include "ingest/internal/failed_loads.h"
#include "ingest/internal/key_index.h"
#include "ingest/internal/replication_slot.h"
#include "ingest/internal/replication_stream.h"
#include "ingest/internal/thread_runner.h"
#include "tables/commit.h"

namespace tarn::ingest {

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr uint64_t kMegabyte = 1'000'000;               // as the lakefile counts
constexpr auto kMendTime = std::chrono::seconds(5);     // between tries of what a person mends,
constexpr auto kMendMost = std::chrono::seconds(30);    // growing to that
constexpr auto kCareEvery = std::chrono::seconds(10);   // looks at the slot
constexpr auto kLookSoonest = std::chrono::seconds(5);  // at the source's tables, after a look
constexpr auto kLookLatest = std::chrono::seconds(60);
constexpr int kLookShare = 200;                           // of time, to one part of looking
constexpr auto kAdvanceEvery = std::chrono::seconds(10);  // an idle slot is moved on
constexpr auto kReloadAgain = std::chrono::minutes(10);   // a second reload so soon helps no more
constexpr uint64_t kBacklog = 50'000;                     // changes of one commit
constexpr int kBacklogShare = 3;                          // reading, to one part of committing
constexpr auto kReadsMost = std::chrono::seconds(10);     // from one commit to the next
constexpr auto kIdleWait = std::chrono::milliseconds(200);

SteadyTime now_steady() {
    return std::chrono::steady_clock::now();
}

class CaptureRunner final : public ThreadRunner {
 public:
    CaptureRunner(const SourceSpec& spec, const SourcesParts& parts)
        : name_(spec.name),
          identity_(spec.identity()),
          from_(std::get<PostgresSource>(spec.from)),
          parts_(parts),
          names_(capture_names(parts.lake_id, spec.identity())),
          metrics_(parts.metrics, spec.name),
          lag_(parts.clock),
          status_(first_status(spec, "postgres", true)) {}
    ~CaptureRunner() override { stop(); }
    SourceStatus status() const override {
        auto out = status_.get();
        out.capture->lag_seconds = lag_.seconds();
        return out;
    }

 private:
    void run() override;
    Status guarded_turn();
    Status turn();
    Result<std::vector<PostgresTable>> discover(PostgresConnection& control);
    Status begin_anew(PostgresConnection& control, const std::vector<PostgresTable>& tables,
                      const std::optional<CapturePosition>& record, const std::string& system);
    Result<bool> stands(PostgresConnection& control, const CapturePosition& record,
                        const std::string& system);
    Status check_publications(PostgresConnection& control, std::vector<PostgresTable>& tables,
                              const std::optional<CapturePosition>& record);
    Status forget_position(const CapturePosition& record, const std::string& why);
    Result<std::vector<FollowedTable>> bring_up(const std::vector<PostgresTable>& tables,
                                                const CapturePosition& record);
    Status load_one(const PostgresTable& table, const CapturePosition& record);
    Status follow(std::unique_ptr<PostgresConnection> control, std::vector<FollowedTable> tables,
                  const CapturePosition& record);
    Status follow_on(ChangeCollector& collector, PostgresConnection& control,
                     const std::vector<PostgresTable>& tables);
    Result<bool> same_as_before(PostgresConnection& control, ChangeCollector& collector,
                                const std::vector<PostgresTable>& before);
    Result<bool> still_there(const ChangeCollector& collector);
    Status commit(ChangeCollector& collector, ReplicationStream& stream);
    Status care(ChangeCollector& collector, ReplicationStream& stream, PostgresConnection& control);
    Status pause(const ChangeCollector& collector);
    void show_pause(const std::string& table, const std::string& why);
    void note(const Error& error);
    void note_lag(const ChangeCollector& collector, const ReplicationStream& stream, bool came);
    Status fill(FollowedTable& table);
    CaptureLoadParts load_parts() {
        return {name_, identity_, from_, names_, parts_, stop_, status_};
    }

    const std::string name_, identity_;
    const PostgresSource from_;
    const SourcesParts& parts_;
    const CaptureNames names_;
    CaptureMetrics metrics_;
    CaptureLag lag_;
    StatusBox status_;
    CaptureCounts counts_{metrics_, status_};
    std::unique_ptr<KeyIndex> index_;
    BackOff patience_, mending_{kMendTime, kMendMost};
    std::vector<TableProblem> problems_;  // of tables that could not be found or loaded
    std::map<std::string, SteadyTime> reloaded_;
    FailedLoads failed_;  // of single tables
    bool above_ = false;  // the retained log was above its limit when last measured
    bool publication_failed_ = false;
    Published published_;
    std::string user_;  // there
    SteadyTime cared_{}, looked_{}, advanced_{};
    SteadyTime::duration look_every_ = kLookSoonest;
    Lsn asked_end_ = 0, before_end_ = 0;  // of the source's log, at the last two looks at the slot
    uint64_t noted_transactions_ = 0;
};

void CaptureRunner::note(const Error& error) {
    status_.set_error(
        passes_by_itself(error) ? SourceStatus::State::waiting : SourceStatus::State::failed,
        error.message);
}

void CaptureRunner::run() {
    while (!stop_.stopped()) {
        problems_.clear();
        const Status done = guarded_turn();
        if (stop_.stopped()) break;
        lag_.unknown();
        if (done.ok()) continue;
        const auto& error = done.error();
        // The lake's own changes came in between: from the position, at once.
        if (error.reason == "rows_changed" || error.reason == "again") continue;
        metrics_.errors.add();
        note(error);
        stop_.wait_for(passes_by_itself(error) ? patience_.next() : mending_.next());
    }
}

Status CaptureRunner::guarded_turn() {
    try {
        return turn();
    } catch (const std::exception& problem) {
        return Error(Code::internal, fmt::format("source {}: {}", name_, problem.what()));
    }
}

Result<std::vector<PostgresTable>> CaptureRunner::discover(PostgresConnection& control) {
    TARN_TRY(found, find_postgres_tables(control, from_.tables, &problems_));
    std::vector<PostgresTable> tables;
    for (auto& table : found) {
        const Status fine = check_followable(table);
        if (!fine.ok()) {
            if (!from_.tables.empty()) problems_.push_back({table.name, fine.error()});
            continue;
        }
        keep_logged(table);
        tables.push_back(std::move(table));
    }
    return tables;
}

Status CaptureRunner::turn() {
    if (parts_.scratch_folder.empty())
        return Error(Code::internal, "there is no scratch folder to follow a database with");
    TARN_TRY(control, PostgresConnection::open(from_.url, stop_));
    TARN_CHECK_OK(check_capture(*control, names_));
    TARN_TRY(system, system_of(*control));
    user_ = control->user();
    TARN_TRY(tables, discover(*control));
    if (tables.empty()) {
        if (!problems_.empty()) return problems_.front().error;
        return Error(Code::not_found,
                     "the " + control->place() + " has no table whose changes could be followed");
    }
    TARN_TRY(record, load_capture_position(parts_.store, identity_));
    bool fine = false;
    if (record && record->lsn != 0) {
        TARN_TRY(stood, stands(*control, *record, system));
        fine = stood;
        if (!fine) {
            TARN_TRY(now, load_capture_position(parts_.store, identity_));
            record = std::move(now);
        }
    }
    if (!fine) return begin_anew(*control, tables, record, system);
    TARN_CHECK_OK(check_publications(*control, tables, record));
    TARN_TRY(published, look_at_publications(*control, names_));
    published_ = std::move(published);
    TARN_TRY(followed, bring_up(tables, *record));
    TARN_CHECK_OK(tell_abandoned(load_parts(), tables, user_, problems_));
    status_.set_state(SourceStatus::State::following);
    return follow(std::move(control), std::move(followed), *record);
}

/// Is everything there to go on from `record`? False: all is to be loaded again, and that is
/// recorded.
Result<bool> CaptureRunner::stands(PostgresConnection& control, const CapturePosition& record,
                                   const std::string& system) {
    if (record.system != system)
        return Error(Code::precondition_failed,
                     fmt::format("the {} is another one than the lake followed (system {}, was "
                                 "{}): nothing is mixed; correct the source's url, or give the "
                                 "source another name to load this database too",
                                 control.place(), system, record.system));
    TARN_TRY(slot, look_at_slot(control, record.slot));
    TARN_TRY(published, look_at_publications(control, names_));
    std::string why;
    if (!slot.exists)
        why = "its replication slot is gone";
    else if (slot.lost)
        why = "it threw away log that the lake did not have yet (max_slot_wal_keep_size)";
    else if (slot.confirmed > record.lsn)
        why = "its replication slot stands behind what the lake has: somebody else used it";
    else if (slot.server_end < record.lsn)
        why = "it went back to before what the lake has: a replica took over that lacked it";
    else if (!std::includes(published.oids.begin(), published.oids.end(),
                            record.publications.begin(), record.publications.end()))
        why = "its publication was dropped: what changed since then is not in its log";
    if (why.empty()) return true;
    TARN_CHECK_OK(forget_position(record, why));
    return false;
}

/// From here on, whatever happens, all tables are loaded before anything is followed.
Status CaptureRunner::forget_position(const CapturePosition& record, const std::string& why) {
    log_warning("ingest", "all tables of a database are loaded again",
                {{"source", name_}, {"why", why}});
    CapturePosition next = record;
    next.lsn = 0;
    meta::Batch batch;
    stage_capture_position(batch, identity_, record, next);
    TARN_CHECK_OK(parts_.store.commit(std::move(batch)));
    return ok_status();
}

Status CaptureRunner::begin_anew(PostgresConnection& control,
                                 const std::vector<PostgresTable>& tables,
                                 const std::optional<CapturePosition>& record,
                                 const std::string& system) {
    status_.set_state(SourceStatus::State::loading);
    TARN_TRY(slot, look_at_slot(control, names_.slot));
    // Our own reader of a moment ago may still be on its way out.
    for (int i = 0; slot.active && i < 25 && stop_.wait_for(std::chrono::milliseconds(200)); ++i) {
        TARN_TRY(now, look_at_slot(control, names_.slot));
        slot = now;
    }
    if (slot.active)
        return Error(Code::conflict,
                     fmt::format("replication slot {} of the {} is used by {}: end it, or give "
                                 "this source another name",
                                 names_.slot, control.place(), slot.user),
                     "slot_taken");
    TARN_CHECK_OK(drop_slot(control, names_.slot));
    TARN_CHECK_OK(ensure_publications(control, names_, tables));
    TARN_TRY(published, look_at_publications(control, names_));
    TARN_TRY(made, create_slot(from_.url, names_.slot, false, stop_));
    const auto begun = now_steady();
    const auto loaded = load_captured(load_parts(), std::move(made), tables, record,
                                      {names_.slot, system, 0, 0, published.oids});
    if (loaded.ok()) {
        for (const auto& table : tables)
            for (const auto& [name, error] : *loaded)
                if (name == table.name) failed_.add(table.full_name(), error, begun);
        patience_.reset();
        return Error(Code::unavailable, "", "again");
    }
    // A slot that nobody reads would fill the source's disk.
    const Status dropped = drop_slot(control, names_.slot);
    if (!dropped.ok())
        log_warning("ingest", "a replication slot stays behind until the next attempt",
                    {{"source", name_}, {"why", dropped.error().message}});
    return loaded.error();
}

Status CaptureRunner::check_publications(PostgresConnection& control,
                                         std::vector<PostgresTable>& tables,
                                         const std::optional<CapturePosition>& record) {
    TARN_CHECK_OK(keep_published(load_parts(), control, tables, problems_));
    if (!publication_failed_) return ok_status();
    publication_failed_ = false;
    TARN_CHECK_OK(forget_position(*record, "its publication was dropped and made again"));
    return Error(Code::unavailable, "", "again");
}

/// A column that came has its first value in the rows that are here, before any other comes.
Status CaptureRunner::fill(FollowedTable& table) {
    const Status done = fill_columns(load_parts(), table);
    if (!done.ok() && (passes_by_itself(done.error()) || stop_.stopped() ||
                       done.error().reason == "again" || done.error().code == Code::conflict))
        return done;
    if (!done.ok()) {
        TARN_CHECK_OK(pause_table(load_parts(), table, CaptureTable::Pause::reload,
                                  "a new column's first value: " + done.error().message));
        return Error(Code::unavailable, "", "again");
    }
    TARN_TRY(here, find_lake_table(parts_, name_, identity_, table.source));
    if (!here || !here->capture) return Error(Code::unavailable, "", "again");
    table.state = *here->capture;
    return ok_status();
}

/// Loads tables that are new or have to be loaded again; the rest is as it is recorded.
Result<std::vector<FollowedTable>> CaptureRunner::bring_up(const std::vector<PostgresTable>& tables,
                                                           const CapturePosition& record) {
    std::vector<FollowedTable> out;
    for (const auto& table : tables) {
        TARN_TRY(here, find_lake_table(parts_, name_, identity_, table));
        const bool load =
            !here || !here->capture || here->capture->pause == CaptureTable::Pause::reload;
        if (load) {
            status_.set_state(SourceStatus::State::loading);
            const Status done = load_one(table, record);
            if (stop_.stopped()) return Error(Code::cancelled, "the source was stopped");
            if (!done.ok()) {
                status_.change_table(name_, table.name, [&](TableStatus& status) {
                    status.last_error = done.error().message;
                });
                problems_.push_back({table.name, done.error()});
                if (here && here->capture)
                    TARN_CHECK_OK(keep_waiting(load_parts(), {table, here->uuid, *here->capture},
                                               done.error()));
            }
            TARN_TRY(now, find_lake_table(parts_, name_, identity_, table));
            here = std::move(now);
        }
        if (!here || !here->capture) continue;
        if (here->capture->pause != CaptureTable::Pause::none)
            show_pause(table.name, here->capture->why);
        out.push_back({table, here->uuid, *here->capture});
        if (out.back().state.pause == CaptureTable::Pause::none && needs_fill(out.back().state))
            TARN_CHECK_OK(fill(out.back()));
    }
    return out;
}

/// While the stream stands still: the table's log goes on where its own snapshot was taken.
Status CaptureRunner::load_one(const PostgresTable& table, const CapturePosition& record) {
    if (const auto why = failed_.waits(table.full_name())) return *why;
    const auto begun = now_steady();
    if (table.locked) {  // the others' log would wait as long as its load
        const Error error(Code::unavailable, "somebody has it locked: it is loaded afterwards");
        failed_.add(table.full_name(), error, begun);
        return error;
    }
    reloaded_[table.full_name()] = now_steady();
    std::string name = names_.slot.substr(0, 50) + "_load";
    TARN_TRY(slot, create_slot(from_.url, name, true, stop_));
    const auto done = load_captured(load_parts(), std::move(slot), {table}, record, record);
    if (done.ok()) return ok_status();
    failed_.add(table.full_name(), done.error(), begun);
    return done.error();
}

Status CaptureRunner::follow(std::unique_ptr<PostgresConnection> control,
                             std::vector<FollowedTable> tables, const CapturePosition& record) {
    if (!index_) {
        TARN_TRY(opened, KeyIndex::open({parts_.scratch_folder + "/" + identity_ + "/keys",
                                         parts_.catalog, parts_.engine}));
        index_ = std::move(opened);
    }
    std::vector<PostgresTable> sources;
    for (const auto& table : tables) {
        sources.push_back(table.source);
        // One that does not change is shown as well.
        status_.change_table(name_, table.source.name, [&](TableStatus& status) {
            if (status.position.empty()) status.position = to_text(record.lsn);
            if (!has_identity(table.source)) status.note = only_added(table.source);
        });
    }
    ChangeCollector collector({name_, identity_, from_, parts_, *index_, *control, status_}, record,
                              std::move(tables));
    counts_.begin();
    noted_transactions_ = 0;
    const Status done = follow_on(collector, *control, sources);
    if (!done.ok() && collector.trouble()) return pause(collector);
    if (!done.ok() && done.error().reason == "table_replaced")
        return Error(Code::unavailable, done.error().message, "again");
    if (!done.ok() && done.error().reason == "publication_gone") publication_failed_ = true;
    if (!done.ok() && done.error().reason == "timeline_diverged") {
        TARN_CHECK_OK(forget_position(collector.position(),
                                      "a replica took over that lacked some of what the lake has"));
        return Error(Code::unavailable, "", "again");
    }
    return done;
}

Status CaptureRunner::follow_on(ChangeCollector& collector, PostgresConnection& control,
                                const std::vector<PostgresTable>& tables) {
    ReplicationOptions options;
    options.url = from_.url;
    options.slot = names_.slot;
    options.from = collector.position().lsn;
    options.timeline = collector.position().timeline;
    options.spool_folder = parts_.scratch_folder + "/" + identity_ + "/transactions";
    const auto some = [&](bool identity) {
        return std::any_of(tables.begin(), tables.end(), [&](const PostgresTable& table) {
            return has_identity(table) == identity;
        });
    };
    if (some(true)) options.publications.push_back(names_.publication);
    if (some(false)) options.publications.push_back(names_.additions);
    auto opened = ReplicationStream::open(options, stop_);
    // Our own reader of a moment ago may still be on its way out.
    for (int i = 0; !opened.ok() && opened.error().reason == "slot_taken" && i < 30 &&
                    stop_.wait_for(std::chrono::milliseconds(100));
         ++i)
        opened = ReplicationStream::open(options, stop_);
    if (!opened.ok() && opened.error().reason == "slot_taken") {
        TARN_TRY(slot, look_at_slot(control, names_.slot));
        return std::move(std::move(opened).error())
            .within(slot.active ? "used by " + slot.user : "used");
    }
    TARN_TRY(stream, std::move(opened));
    collector.set_origin(stream->timeline(), published_.oids);
    status_.change([&](SourceStatus& status) {
        status.capture->protocol_version = stream->protocol_version();
        status.capture->position = to_text(collector.position().lsn);
    });
    status_.set_problems(name_, problems_);
    patience_.reset();
    cared_ = {};
    TARN_TRY(slot, look_at_slot(control, names_.slot));
    asked_end_ = slot.server_end;
    before_end_ = std::numeric_limits<Lsn>::max();
    advanced_ = now_steady();
    // A load that only has to be tried again is tried soon.
    looked_ = advanced_;
    if (const auto again = failed_.next()) looked_ = std::min(looked_, *again - look_every_);
    // A commit comes at `due`. While there is more to read it comes at `late`: reading gets as much
    // time as a commit took, so that slow commits take more with them, and of a backlog most.
    auto due = now_steady(), late = due;
    while (!stop_.stopped()) {
        auto now = now_steady();
        const auto due_in =
            std::chrono::duration_cast<std::chrono::milliseconds>(std::max(due, now) - now);
        const auto wait =
            collector.pending() ? due_in : std::max<std::chrono::milliseconds>(due_in, kIdleWait);
        TARN_TRY(came, stream->read(collector, wait, std::max(late, now)));
        note_lag(collector, *stream, came);
        now = now_steady();
        // When the log had no more, the reading ended before its time.
        if (collector.pending() && (now >= due || collector.full())) {
            const bool backlog = collector.waiting() >= kBacklog;
            TARN_CHECK_OK(commit(collector, *stream));
            const auto made = now_steady();
            const std::chrono::steady_clock::duration took = made - now, most = kReadsMost;
            due = now + from_.commit;
            late = std::max(due, made + std::min(backlog ? kBacklogShare * took : took, most));
        } else if (!collector.pending() &&
                   (parts_.awaited->take(identity_) || now - advanced_ >= kAdvanceEvery)) {
            advanced_ = now;
            TARN_CHECK_OK(collector.advance(stream->told()));
            TARN_CHECK_OK(stream->confirm(collector.position().lsn));
        }
        if (now - cared_ >= kCareEvery) {
            TARN_CHECK_OK(care(collector, *stream, control));
            TARN_TRY(there, still_there(collector));
            if (!there) break;
        }
        if (now - looked_ >= look_every_ && !collector.pending()) {
            const auto begun = now_steady();
            TARN_TRY(same, same_as_before(control, collector, tables));
            if (!same) break;
            looked_ = now_steady();
            // A catalog of thousands of tables takes its time: the source has other things to do.
            look_every_ = std::clamp<SteadyTime::duration>((looked_ - begun) * kLookShare,
                                                           kLookSoonest, kLookLatest);
        }
    }
    return ok_status();
}

/// False: a table was dropped or replaced in the lake, perhaps because a pause asked for it.
Result<bool> CaptureRunner::still_there(const ChangeCollector& collector) {
    for (const auto& table : collector.tables()) {
        TARN_TRY(here, find_lake_table(parts_, name_, identity_, table.source));
        if (!here || here->uuid != table.uuid) return false;
    }
    return true;
}

/// False: tables came, went, or are told apart in another way: the next turn sees to it.
Result<bool> CaptureRunner::same_as_before(PostgresConnection& control, ChangeCollector& collector,
                                           const std::vector<PostgresTable>& before) {
    const auto said = problems_.size();
    TARN_TRY(tables, discover(control));
    TARN_TRY(told, collector.looked_again(tables));
    const bool other_problems = problems_.size() != 2 * said;
    problems_.resize(said);
    if (!told || other_problems || tables.size() != before.size()) return false;
    for (size_t i = 0; i < tables.size(); ++i)
        if (tables[i].oid != before[i].oid || tables[i].name != before[i].name ||
            has_identity(tables[i]) != has_identity(before[i]) ||
            partitions_of(tables[i]) != partitions_of(before[i]))
            return false;
    return true;
}

/// `came`: the log had something when it was last read.
void CaptureRunner::note_lag(const ChangeCollector& collector, const ReplicationStream& stream,
                             bool came) {
    const bool transactions =
        std::exchange(noted_transactions_, collector.transactions()) != collector.transactions();
    if (collector.pending() && collector.oldest())
        lag_.missing(*collector.oldest());
    else if (transactions)
        lag_.missing(collector.newest());
    else if (came)  // a message, which says nothing of time
        return;
    else if (stream.told() >= before_end_)
        lag_.complete();
    else  // it is busy with its log, or with that of others
        lag_.unknown();
}

Status CaptureRunner::commit(ChangeCollector& collector, ReplicationStream& stream) {
    TARN_CHECK_OK(collector.commit_pending());
    TARN_CHECK_OK(stream.confirm(collector.position().lsn));
    mending_.reset();
    counts_.committed(collector);
    return ok_status();
}

/// What the source keeps for us, how far behind we are, and a sign of life.
Status CaptureRunner::care(ChangeCollector& collector, ReplicationStream& stream,
                           PostgresConnection& control) {
    const auto now = now_steady();
    cared_ = now;
    TARN_TRY(published, look_at_publications(control, names_));
    if (published != published_) return Error(Code::unavailable, "", "again");
    TARN_TRY(slot, look_at_slot(control, names_.slot));
    const Lsn told = collector.pending() ? collector.position().lsn
                                         : std::max(stream.told(), collector.position().lsn);
    const uint64_t lag = slot.server_end > told ? slot.server_end - told : 0;
    before_end_ = std::exchange(asked_end_, slot.server_end);
    status_.change([&](SourceStatus& status) {
        auto& capture = *status.capture;
        capture.lag_bytes = lag;
        capture.retained_bytes = slot.retained_bytes;
    });
    counts_.rate(now, kCareEvery);
    if (!collector.pending()) TARN_CHECK_OK(emit_heartbeat(control));
    const bool above = from_.retained_wal_max != 0 && slot.retained_bytes > from_.retained_wal_max;
    if (above && from_.above_retained_wal == PostgresSource::AboveRetainedWal::reload) {
        TARN_CHECK_OK(forget_position(
            collector.position(),
            fmt::format("the source keeps {} MB of log for it, more than limits.retained_wal",
                        slot.retained_bytes / kMegabyte)));
        return Error(Code::unavailable, "", "again");
    }
    if (above)  // it follows all the same
        status_.set_error(
            SourceStatus::State::following,
            fmt::format("the source keeps {} MB of log for it, more than "
                        "limits.retained_wal ({} MB): see why it falls behind, or "
                        "its disk fills",
                        slot.retained_bytes / kMegabyte, from_.retained_wal_max / kMegabyte));
    if (!above && above_) status_.set_problems(name_, problems_);
    above_ = above;
    return ok_status();
}

/// The table that could not go on stands still from here; the others begin again without it.
Status CaptureRunner::pause(const ChangeCollector& collector) {
    const auto& trouble = *collector.trouble();
    const auto& table = collector.tables()[trouble.table];
    auto kind = trouble.pause;
    const auto last = reloaded_.find(table.source.full_name());
    if (trouble.of_values && last != reloaded_.end() && now_steady() - last->second < kReloadAgain)
        kind = CaptureTable::Pause::person;
    TARN_CHECK_OK(pause_table(load_parts(), table, kind, trouble.why));
    return Error(Code::unavailable, "", "again");
}

void CaptureRunner::show_pause(const std::string& table, const std::string& why) {
    status_.change_table(name_, table, [&](TableStatus& status) { status.paused = why; });
}

}  // namespace

std::unique_ptr<Runner> make_capture_runner(const SourceSpec& spec, const SourcesParts& parts) {
    return std::make_unique<CaptureRunner>(spec, parts);
}

}  // namespace tarn::ingest
