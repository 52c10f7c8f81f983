// One node of the lake's graph: reads tables, makes at most one. SQL tables, models and alerts are
// steps; the graph (graph.h) decides when each runs and keeps its history.
//
// Exactly once: which state of its inputs a step has worked through is a record that commits in the
// same batch as what it made of them (StepRun::commit). After a crash the step runs again from what
// was committed; nothing is half visible.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "flows/spec.h"
#include "meta/store.h"
#include "tables/catalog.h"
#include "tables/commit.h"

namespace tarn::flows {

/// One input as the run sees it.
struct InputState {
    TableRef name;
    tables::TablePtr table;  // null: it does not exist (yet), or is a view
    std::optional<int64_t>
        snapshot_before;  // what the last committed run had read; nullopt: never ran, or the
                          // definition changed since: compute from scratch
    std::optional<int64_t> snapshot_now;  // nullopt: the table is empty
    bool changed() const { return snapshot_before != snapshot_now; }
};

/// A part of a table by time: what a backfill computes anew. Days ("2026-03-01") or times, local to
/// the lake's zone.
struct TimeRange {
    std::string from;  // the first of it
    std::string to;    // the first after it

    bool operator==(const TimeRange&) const = default;
};

struct StepResult {
    uint64_t rows_read = 0, rows_written = 0, rows_set_aside = 0;
    uint64_t bytes_written = 0;
    std::vector<std::string> warnings;
};

/// What a running step is given. One thread at a time; cancelled() from any.
class StepRun {
 public:
    virtual ~StepRun() = default;
    virtual Timestamp started() const = 0;
    /// In the order of Step::inputs().
    virtual const std::vector<InputState>& inputs() const = 0;
    /// Commits `changes` together with `extra` and the record that the inputs' present states are
    /// worked through. At most once a run; a run without it commits that record alone when it ends
    /// well. Errors: tables::Committer's; on conflict the run ends and starts again.
    virtual Status commit(std::vector<tables::TableChange> changes, meta::Batch extra = {}) = 0;
    /// The state of the lake that the inputs were taken from; open_run_session() (run_session.h)
    /// reads it. Null only in a test's stand-in.
    virtual const tables::CatalogSnapshot* state() const { return nullptr; }
    /// Only this part was asked for; nullopt: an ordinary run. A step that takes no ranges sees none.
    virtual std::optional<TimeRange> range() const { return std::nullopt; }
    /// The step's own word for how it computes this time, for the history.
    virtual void mode(const std::string&) {}
    /// Called from another thread when the run is cancelled, until replaced by nullptr.
    virtual void on_cancel(std::function<void()>) {}
    virtual void progress(const std::string& what, uint64_t done, uint64_t total) = 0;
    virtual bool cancelled() const = 0;
};

class Step {
 public:
    virtual ~Step() = default;
    /// The lake's time zone changed; takes effect with the next run.
    virtual void set_time_zone(const std::string&) {}
    /// Unique in the graph: "tables.levels", "models.demand", "alerts.shelf_runs_empty".
    virtual const std::string& name() const = 0;
    /// Changes with every change of what the step computes; a run after it starts from scratch.
    virtual const std::string& fingerprint() const = 0;
    virtual const std::vector<TableRef>& inputs() const = 0;
    virtual std::optional<TableRef> output() const = 0;
    virtual const Refresh& refresh() const = 0;
    /// Whether a part of its table can be computed alone (StepRun::range). invalid_argument says why
    /// not.
    virtual Status check_range(const TimeRange&) const {
        return Error(Code::invalid_argument, name() + " is no SQL table: it runs as a whole",
                     "no_ranges");
    }
    /// True: runs that changed nothing and failed nothing leave no history (alerts, each second).
    virtual bool quiet() const { return false; }
    /// A step whose answer changes with time alone runs at least this often even if no input
    /// changed. Zero: never.
    virtual std::chrono::seconds at_least_every() const { return std::chrono::seconds(0); }
    /// Lane: the graph's own threads. An error is kept in the history with the step, and tried
    /// again with back-off.
    virtual Result<StepResult> run(StepRun& run) = 0;
};

}  // namespace tarn::flows
