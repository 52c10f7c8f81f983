// The inside of the graph: shared by graph.cc (threads, runs, the public face) and evaluate.cc (who
// may run).
#pragma once

#include <deque>
#include <map>
#include <set>
#include <thread>

#include "base/mutex.h"
#include "flows/graph.h"
#include "flows/internal/records.h"
#include "flows/internal/run.h"
#include "flows/internal/schedule.h"

namespace tarn::flows {

constexpr std::chrono::microseconds kRestMax{30'000'000};  // Node::rests_until

/// One step and how it fares. Fields are guarded by the graph's mutex.
struct Node {
    std::shared_ptr<Step> step;
    std::optional<StepRecord> record;
    std::optional<std::string> record_text;
    std::optional<RunRecord> last;
    uint64_t last_number = 0;

    std::shared_ptr<Run> run;  // not null: running
    bool requested = false, from_scratch = false;
    std::optional<TimeRange> range;  // asked for: the next run computes only this
    int failures = 0, conflicts = 0;
    Timestamp retry_at;
    Timestamp rests_until;  // a heavy step leaves the machine to others as long as it ran
    InputMarks attempted;   // by the run that failed
    Timestamp last_looked;  // began last, also without a record

    // As of the last evaluation.
    StepState state = StepState::idle;
    std::string blocked_by, waits_for;
    std::optional<Timestamp> next;
};
using NodePtr = std::shared_ptr<Node>;

struct Placed {
    NodePtr node;
    std::vector<size_t> upstream;
};

/// The lake as one evaluation sees it.
struct Look {
    std::shared_ptr<const tables::CatalogSnapshot> state;
    std::map<TableRef, tables::TablePtr> tables;  // null: not there, or a view
    std::set<TableRef> views;
};

struct Job {
    NodePtr node;
    std::shared_ptr<Run> run;
};

struct Graph::Impl {
    Impl(Parts p, GraphOptions o);

    Status configure(std::vector<std::shared_ptr<Step>> steps);
    NodePtr make_node(const std::shared_ptr<Step>& step);
    Result<Look> look();
    /// Decides for every step; returns those that may start now, at most `room`.
    std::vector<Job> evaluate(const Look& look, size_t room) TARN_REQUIRES(mutex);
    std::optional<Cause> due(Node& node, const Look& look, const InputMarks& marks, Timestamp now)
        TARN_REQUIRES(mutex);
    bool inputs_changed(Node& node, const Look& look, const InputMarks& marks) TARN_REQUIRES(mutex);
    std::optional<Timestamp> next_time(const Node& node) const TARN_REQUIRES(mutex);
    void place(const Placed& placed, const Look& look, const InputMarks& marks,
               const std::optional<Cause>& cause) TARN_REQUIRES(mutex);
    Job start(const NodePtr& node, Cause cause, const Look& look, InputMarks marks)
        TARN_REQUIRES(mutex);
    void perform(const Job& job);
    void settle(const Job& job, const Result<StepResult>& result) TARN_REQUIRES(mutex);
    void schedule_loop();
    void worker_loop();
    void stop();

    const Parts parts;
    const GraphOptions options;
    Counter& done_total;
    Counter& failed_total;
    Histogram& seconds;

    Mutex configure_mutex;  // before `mutex`
    mutable Mutex mutex;
    Condition changed;  // of jobs, busy, stopping, nudged
    std::vector<Placed> order TARN_GUARDED_BY(mutex);
    Zone zone TARN_GUARDED_BY(mutex) = Zone::utc();
    std::deque<Job> jobs TARN_GUARDED_BY(mutex);
    std::set<std::shared_ptr<Run>> running TARN_GUARDED_BY(mutex);  // of steps that are gone, too
    size_t busy TARN_GUARDED_BY(mutex) = 0;
    bool stopping TARN_GUARDED_BY(mutex) = false;
    bool nudged TARN_GUARDED_BY(mutex) = true;
    bool settled TARN_GUARDED_BY(mutex) = false;  // the last evaluation found nothing to do
    meta::Version seen TARN_GUARDED_BY(mutex) = 0;
    std::optional<Timestamp> next_wake TARN_GUARDED_BY(mutex);
    std::vector<std::thread> threads;
};

}  // namespace tarn::flows
