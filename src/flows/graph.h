// The graph of steps: decides when each runs, runs it, keeps its history.
//
// A step is due when a snapshot of one of its inputs is another than the one recorded at its last
// commit, when its definition changed, when its schedule says so, or when it failed and its pause
// is over. It waits while a step that makes one of its inputs is due or running, so that it reads
// results that belong together, and is blocked while one of those stands failed.
//
// Lake zone: times of day in schedules are local to it; so is `::date` in SQL tables.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "flows/step.h"
#include "meta/store.h"
#include "query/engine.h"
#include "security/caller.h"
#include "tables/catalog.h"
#include "tables/commit.h"

namespace tarn::flows {

/// Everything outlives the graph.
struct Parts {
    meta::Store& store;
    tables::Catalog& catalog;
    tables::Committer& committer;
    query::Engine& engine;
    const Clock& clock;
    Metrics& metrics;
    security::Caller system;        // whom commits are recorded for; kind system
    std::string time_zone = "UTC";  // at the start; set_time_zone() changes it
};

enum class StepState : uint8_t { idle, waiting, running, failed, blocked };
std::string_view to_string(StepState state);

enum class RunOutcome : uint8_t { running, done, failed, interrupted, cancelled };
std::string_view to_string(RunOutcome outcome);

/// Why a run began.
enum class Cause : uint8_t { first, definition, input, schedule, time, retry, request };
std::string_view to_string(Cause cause);

/// What a run did, as it went on.
struct LogLine {
    Timestamp at;
    std::string text;
};

struct RunInput {
    TableRef name;
    std::optional<int64_t> before, now;  // snapshots: worked through before, and with this run
};

/// One line of the history; also what lineage is made of.
struct RunRecord {
    std::string step;
    uint64_t number = 0;  // of the step, from 1
    Cause cause = Cause::first;
    RunOutcome outcome = RunOutcome::running;
    Timestamp started, ended;  // ended 0: still running
    StepResult result;
    std::string mode;   // how it was computed, in a step's own word ("added rows"); may be empty
    std::string error;  // empty unless failed
    std::vector<RunInput> inputs;
    std::optional<int64_t> output_snapshot;  // what it made
    std::vector<LogLine> log;                // at most fifty; empty in records of older programs
};

struct StepStatus {
    std::string name;
    StepState state = StepState::idle;
    std::vector<TableRef> inputs;
    std::optional<TableRef> output;
    std::string blocked_by;         // name of the failed step
    std::string waits_for;          // name of the step it waits for
    std::optional<RunRecord> last;  // newest in the history, the running one too
    std::optional<Timestamp> next;  // schedule or retry
    int failures = 0;               // in a row
    std::string progress_what;      // while running
    uint64_t progress_done = 0, progress_total = 0;
};

struct GraphOptions {
    unsigned threads = 2;
    std::chrono::milliseconds poll{20};
    std::chrono::milliseconds retry_min{1'000}, retry_max{300'000};
    size_t runs_kept = 200;     // per step
    bool start_threads = true;  // tests: false, and call run_due() themselves
};

/// Owner: wiring. Lane of the calls: any but a loop; several threads at once.
class Graph {
 public:
    explicit Graph(Parts parts, GraphOptions options = {});
    /// stop().
    ~Graph();
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;

    /// Replaces what is in the graph. A step whose name and fingerprint are those of one that is
    /// there is replaced without a run; a running one that is gone is cancelled. invalid_argument,
    /// reason "cycle": the message has the path; "name_twice", "output_twice". On an error nothing
    /// changes.
    Status configure(std::vector<std::shared_ptr<Step>> steps);
    /// The same test without changing anything: for plan.
    static Status check(const std::vector<std::shared_ptr<Step>>& steps);
    /// IANA name; invalid_argument when there is no such zone.
    Status set_time_zone(const std::string& name);
    std::string time_zone() const;

    std::vector<StepStatus> status() const;  // inputs before their readers
    /// Newest first; of one step, or of all (empty name).
    Result<std::vector<RunRecord>> runs(const std::string& step = {}, size_t limit = 100) const;
    /// Makes it due now; from scratch: as if it had never run. not_found.
    Status run_now(const std::string& step, bool from_scratch = false);
    /// Makes only that part of the step's table anew, as soon as the step is free. Where the whole
    /// would not stay right without more (rows came in since and there is no window), more is
    /// computed; the run's mode says what. not_found; invalid_argument: it takes no such range.
    Status backfill(const std::string& step, const TimeRange& range);
    /// Cancels what runs and waits for it. Nothing runs afterwards. Idempotent.
    void stop();

    /// Runs everything that is due until nothing is, on the calling thread; returns the number of
    /// runs. For tests and one-shot tools with start_threads false.
    size_t run_due();
    /// True when no step is due, running or waiting for a retry soon: what has been committed is
    /// worked through.
    bool quiescent() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

struct TableStepParts {
    tables::Catalog& catalog;
    query::Engine& engine;
    security::Caller system;
    std::string time_zone = "UTC";
};
/// A step "tables.<name>" (with its database in front unless it is main: "tables.erp.sums") that
/// keeps the table equal to its SELECT. invalid_argument: the SQL cannot be parsed or is no single
/// SELECT, a check or the partition text cannot be read. Tables need not exist yet. Inputs that the
/// SQL reads through a view are the view's tables.
Result<std::shared_ptr<Step>> make_table_step(const TableSpec& spec, const TableStepParts& parts);

}  // namespace tarn::flows
