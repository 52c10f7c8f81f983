#include "flows/graph.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <set>
#include <thread>

#include "base/lane.h"
#include "base/log.h"
#include "base/mutex.h"
#include "flows/internal/changes.h"
#include "flows/internal/order.h"
#include "flows/internal/records.h"
#include "flows/internal/run.h"
#include "flows/internal/schedule.h"

namespace tarn::flows {

namespace {

constexpr int kConflictsMax = 20;  // in a row, then it counts as a failure

/// One step and how it fares. Fields are guarded by the graph's mutex.
struct Node {
    std::shared_ptr<Step> step;
    std::optional<StepRecord> record;
    std::optional<std::string> record_text;
    std::optional<RunRecord> last;
    uint64_t last_number = 0;

    std::shared_ptr<Run> run;  // not null: running
    bool requested = false, from_scratch = false;
    int failures = 0, conflicts = 0;
    Timestamp retry_at;
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

}  // namespace

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

Graph::Impl::Impl(Parts p, GraphOptions o)
    : parts(std::move(p)),
      options(o),
      done_total(
          parts.metrics.counter("tarn_flows_runs_total", "Runs of steps", {{"outcome", "done"}})),
      failed_total(
          parts.metrics.counter("tarn_flows_runs_total", "Runs of steps", {{"outcome", "failed"}})),
      seconds(parts.metrics.histogram("tarn_flows_run_seconds", "How long runs of steps take",
                                      latency_bounds())) {}

/// With what is kept of the step: where it stands, its last run. A run that has no end was cut off
/// by a crash.
NodePtr Graph::Impl::make_node(const std::shared_ptr<Step>& step) {
    auto node = std::make_shared<Node>();
    node->step = step;
    if (auto record = parts.store.get(step_key(step->name())); record.ok() && *record) {
        if (auto decoded = decode_step((*record)->value); decoded.ok())
            node->record = *decoded;
        else
            log_warning("flows", "a step's record cannot be read: it starts from scratch",
                        {{"step", step->name()}});
        node->record_text = (*record)->value;
    }
    if (auto runs = load_runs(parts.store, step->name(), 3); runs.ok() && !runs->empty()) {
        meta::Batch batch;
        for (auto& run : *runs) {
            if (run.outcome != RunOutcome::running) continue;
            run.outcome = RunOutcome::interrupted;
            run.ended = parts.clock.now();
            run.error = "the server stopped while it ran; nothing of it was kept";
            batch.put(run_key(run.step, run.number), encode(run));
        }
        if (!batch.empty())
            if (auto kept = parts.store.commit(std::move(batch)); !kept.ok())
                log_warning("flows", "an interrupted run could not be marked",
                            {{"step", step->name()}});
        node->last = runs->front();
        node->last_number = runs->front().number;
    }
    if (node->record) node->last_number = std::max(node->last_number, node->record->number);
    if (node->record) node->last_looked = node->record->started;
    return node;
}

Status Graph::Impl::configure(std::vector<std::shared_ptr<Step>> steps) {
    const MutexLock one(configure_mutex);
    TARN_TRY(ordered, order_steps(steps));
    std::map<std::string, NodePtr> known;
    std::string zone_name;
    {
        const MutexLock lock(mutex);
        for (const auto& placed : order) known[placed.node->step->name()] = placed.node;
        zone_name = zone.name();
    }
    std::vector<Placed> next;
    for (auto& each : ordered) {
        each.step->set_time_zone(zone_name);
        const auto found = known.find(each.step->name());
        next.push_back({found == known.end() ? make_node(each.step) : found->second,
                        std::move(each.upstream)});
    }
    const MutexLock lock(mutex);
    for (size_t i = 0; i < next.size(); ++i) {
        auto& node = *next[i].node;
        known.erase(node.step->name());
        if (node.step->fingerprint() != ordered[i].step->fingerprint()) {
            if (node.run) node.run->cancel();
            node.failures = 0;
        }
        node.step = ordered[i].step;
    }
    for (const auto& [name, gone] : known)
        if (gone->run) gone->run->cancel();
    order = std::move(next);
    nudged = true;
    settled = false;
    changed.notify_all();
    return {};
}

Result<Look> Graph::Impl::look() {
    std::set<TableRef> names;
    {
        const MutexLock lock(mutex);
        for (const auto& placed : order) {
            names.insert(placed.node->step->inputs().begin(), placed.node->step->inputs().end());
            if (const auto output = placed.node->step->output()) names.insert(*output);
        }
    }
    Look look;
    look.state = std::make_shared<const tables::CatalogSnapshot>(parts.catalog.snapshot());
    for (const auto& name : names) {
        TARN_TRY(info, look.state->find_relation(name.database, name.table));
        if (!info) {
            look.tables[name] = nullptr;
        } else if (info->kind == tables::RelationKind::view) {
            look.tables[name] = nullptr;
            look.views.insert(name);
        } else {
            TARN_TRY(table, look.state->load_table(*info));
            look.tables[name] = std::move(table);
        }
    }
    return look;
}

/// Snapshots that only moved rows between files count as seen.
bool Graph::Impl::inputs_changed(Node& node, const Look& look, const InputMarks& marks) {
    if (marks == node.record->inputs) return false;
    for (const auto& [name, mark] : marks) {
        const auto before = node.record->inputs.find(name);
        if (before == node.record->inputs.end() || before->second.uuid != mark.uuid) return true;
        if (before->second.snapshot == mark.snapshot) continue;
        if (changes_since(*look.tables.at(name), before->second.snapshot).kind !=
            TableChanges::Kind::none)
            return true;
    }
    auto moved = *node.record;
    moved.inputs = marks;
    if (node.run || moved.inputs.size() != node.record->inputs.size())
        return marks.size() != node.record->inputs.size();
    meta::Batch batch;
    const std::string text = encode(moved);
    batch.require_value(step_key(node.step->name()), node.record_text,
                        Error{Code::conflict, "moved on"});
    batch.put(step_key(node.step->name()), text);
    parts.store.commit(std::move(batch), [](Result<meta::Commit>) {});
    node.record = std::move(moved);
    node.record_text = text;
    return false;
}

std::optional<Timestamp> Graph::Impl::next_time(const Node& node) const {
    std::optional<Timestamp> next;
    const auto sooner = [&](std::optional<Timestamp> at) {
        if (at && (!next || *at < *next)) next = at;
    };
    if (node.failures > 0) {
        sooner(node.retry_at);
        return next;
    }
    if (!node.record) return next;
    sooner(next_due(node.step->refresh(), zone, node.record->started));
    if (const auto most = node.step->at_least_every(); most.count() > 0)
        sooner(node.last_looked.plus(most));
    return next;
}

std::optional<Cause> Graph::Impl::due(Node& node, const Look& look, const InputMarks& marks,
                                      Timestamp now) {
    const Step& step = *node.step;
    const bool manual = step.refresh().kind == Refresh::Kind::manual;
    const bool on_change = step.refresh().kind == Refresh::Kind::on_change;
    if (node.requested) return Cause::request;
    if (node.failures > 0) {
        if (on_change && marks != node.attempted) return Cause::input;
        return now >= node.retry_at ? std::optional(Cause::retry) : std::nullopt;
    }
    if (manual) return std::nullopt;
    if (!node.record) return Cause::first;
    if (node.record->fingerprint != step.fingerprint()) return Cause::definition;
    if (const auto output = step.output(); output && !node.record->output_uuid.empty()) {
        const auto& table = look.tables.at(*output);
        // Dropped, or another one in its place.
        if (!table || table->info.uuid != node.record->output_uuid) return Cause::definition;
    }
    if (on_change && inputs_changed(node, look, marks)) return Cause::input;
    if (const auto at = next_due(step.refresh(), zone, node.record->started); at && *at <= now)
        return Cause::schedule;
    if (const auto most = step.at_least_every();
        most.count() > 0 && node.last_looked.plus(most) <= now)
        return Cause::time;
    return std::nullopt;
}

/// Sets a step's state from its own cause and the states of those before it.
void Graph::Impl::place(const Placed& placed, const Look& look, const InputMarks& marks,
                        const std::optional<Cause>& cause) {
    Node& node = *placed.node;
    node.blocked_by.clear();
    node.waits_for.clear();
    node.next = next_time(node);
    node.state = node.run            ? StepState::running
                 : node.failures > 0 ? StepState::failed
                                     : StepState::idle;
    if (node.run) return;
    for (const size_t at : placed.upstream) {
        const Node& before = *order[at].node;
        if (before.state == StepState::failed) node.blocked_by = before.step->name();
        if (before.state == StepState::blocked) node.blocked_by = before.blocked_by;
        if (before.state == StepState::running || before.state == StepState::waiting)
            node.waits_for = before.step->name();
    }
    if (!node.blocked_by.empty()) {
        node.state = StepState::blocked;
        node.waits_for.clear();
        return;
    }
    if (!cause) {
        if (node.failures == 0 && !node.waits_for.empty()) node.state = StepState::waiting;
        if (node.failures > 0) node.waits_for.clear();
        return;
    }
    for (const auto& [name, mark] : marks)
        if (mark.uuid.empty() && !look.views.contains(name))
            node.waits_for = "table " + name.full_name();
    if (node.state != StepState::failed || !node.waits_for.empty()) node.state = StepState::waiting;
}

Job Graph::Impl::start(const NodePtr& node, Cause cause, const Look& look, InputMarks marks) {
    RunStart start;
    start.step = node->step;
    start.cause = cause;
    start.number = ++node->last_number;
    start.started = parts.clock.now();
    start.state = look.state;
    start.marks = std::move(marks);
    start.before = node->record;
    start.before_text = node->record_text;
    start.from_scratch = node->from_scratch;
    if (const auto output = node->step->output();
        output && node->record && !node->record->output_uuid.empty()) {
        const auto& table = look.tables.at(*output);
        if (!table || table->info.uuid != node->record->output_uuid) start.from_scratch = true;
    }
    node->requested = node->from_scratch = false;
    node->last_looked = start.started;
    node->run = std::make_shared<Run>(parts, std::move(start), options.runs_kept);
    node->state = StepState::running;
    running.insert(node->run);
    return {node, node->run};
}

std::vector<Job> Graph::Impl::evaluate(const Look& look, size_t room) {
    const Timestamp now = parts.clock.now();
    std::vector<Job> started;
    settled = true;
    next_wake.reset();
    for (const auto& placed : order) {
        Node& node = *placed.node;
        InputMarks marks;
        bool known = true;
        for (const auto& name : node.step->inputs()) {
            const auto found = look.tables.find(name);
            // Configured since the look: next time.
            if (found == look.tables.end()) known = false;
            InputMark& mark = marks[name];
            if (!known || !found->second) continue;
            mark.uuid = found->second->info.uuid;
            if (const auto snapshot = found->second->current_snapshot())
                mark.snapshot = snapshot->snapshot_id;
        }
        if (const auto output = node.step->output(); output && !look.tables.contains(*output))
            known = false;
        if (!known) {
            settled = false;
            nudged = true;
            continue;
        }
        const auto cause = node.run ? std::nullopt : due(node, look, marks, now);
        place(placed, look, marks, cause);
        if (node.next && (!next_wake || *node.next < *next_wake)) next_wake = node.next;
        if (node.run || (cause && node.waits_for.empty() && node.blocked_by.empty()))
            settled = false;
        if (!cause || !node.waits_for.empty() || !node.blocked_by.empty() || node.run) continue;
        if (started.size() < room)
            started.push_back(start(placed.node, *cause, look, std::move(marks)));
    }
    return started;
}

void Graph::Impl::settle(const Job& job, const Result<StepResult>& result) {
    Node& node = *job.node;
    Run& run = *job.run;
    running.erase(job.run);
    if (node.run == job.run) node.run.reset();
    nudged = true;
    settled = false;
    if (result.ok() || run.committed()) {
        if (run.committed()) {
            node.record = run.after();
            node.record_text = run.after_text();
        }
        node.failures = node.conflicts = 0;
        return;
    }
    const Code code = result.error().code;
    if (run.cancelled()) return;
    if (code == Code::conflict && ++node.conflicts < kConflictsMax) {
        // Somebody was quicker: from what is there now.
        if (result.error().reason == "step_moved")
            if (auto text = parts.store.get(step_key(node.step->name())); text.ok() && *text) {
                node.record_text = (*text)->value;
                if (auto decoded = decode_step((*text)->value); decoded.ok())
                    node.record = *decoded;
            }
        if (run.start().cause == Cause::request) {
            node.requested = true;
            node.from_scratch = run.start().from_scratch;
        }
        return;
    }
    ++node.failures;
    node.conflicts = 0;
    const int doublings = std::min(node.failures - 1, 20);
    const auto pause = std::min(options.retry_min * (int64_t{1} << doublings), options.retry_max);
    node.retry_at = parts.clock.now().plus(pause);
    node.attempted = run.start().marks;
    if (run.start().from_scratch) node.from_scratch = true;
}

void Graph::Impl::perform(const Job& job) {
    Run& run = *job.run;
    const bool quiet = run.start().step->quiet();
    const auto began = parts.clock.steady();
    if (!quiet) parts.store.commit(run.record_batch(), [](Result<meta::Commit>) {});
    const auto result = run.perform();
    seconds.observe(std::chrono::duration<double>(parts.clock.steady() - began).count());
    const bool again = !result.ok() && result.error().code == Code::conflict && !run.cancelled();
    if (result.ok())
        run.ended(RunOutcome::done, nullptr, &*result);
    else if (run.committed())  // failed after its commit: what it made stands
        run.ended(RunOutcome::done, &result.error(), nullptr);
    else
        run.ended(run.cancelled() || again ? RunOutcome::cancelled : RunOutcome::failed,
                  &result.error(), nullptr);
    (result.ok() ? done_total : failed_total).add();
    const RunRecord record = run.record();
    if (record.outcome == RunOutcome::failed)
        log_warning("flows", "a step failed", {{"step", record.step}, {"error", record.error}});
    const bool happened = !quiet || !result.ok() || record.result.rows_written > 0 ||
                          record.result.rows_set_aside > 0 || !record.result.warnings.empty() ||
                          record.output_snapshot;
    {
        const MutexLock lock(mutex);
        settle(job, result);
        if (happened) job.node->last = record;
        changed.notify_all();
    }
    if (!happened) return;
    // The numbers of a run may be written after its readers have begun.
    if (auto kept = parts.store.commit(run.record_batch()); !kept.ok())
        log_warning("flows", "a run's record could not be kept",
                    {{"step", record.step}, {"error", kept.error().message}});
}

void Graph::Impl::schedule_loop() {
    name_thread("flows");
    Timestamp looked;
    while (true) {
        {
            const MutexLock lock(mutex);
            if (stopping) return;
            const Timestamp now = parts.clock.now();
            const bool room = busy + jobs.size() < options.threads;
            const bool wanted = nudged || parts.store.last_version() != seen ||
                                (next_wake && *next_wake <= now) ||
                                now.since(looked) >= std::chrono::seconds(1) || now < looked;
            if (!room || !wanted) {
                changed.wait_for(mutex, options.poll);
                continue;
            }
            nudged = false;
            seen = parts.store.last_version();
            looked = now;
        }
        auto found = look();
        const MutexLock lock(mutex);
        if (!found.ok()) {
            log_warning("flows", "the catalog could not be read",
                        {{"error", found.error().message}});
            continue;
        }
        for (auto& job : evaluate(
                 *found, options.threads - std::min<size_t>(options.threads, busy + jobs.size())))
            jobs.push_back(std::move(job));
        if (!jobs.empty()) changed.notify_all();
    }
}

void Graph::Impl::worker_loop() {
    name_thread("flows-run");
    while (true) {
        Job job;
        {
            const MutexLock lock(mutex);
            while (!stopping && jobs.empty()) changed.wait(mutex);
            if (stopping) return;
            job = std::move(jobs.front());
            jobs.pop_front();
            ++busy;
        }
        perform(job);
        const MutexLock lock(mutex);
        --busy;
        changed.notify_all();
    }
}

void Graph::Impl::stop() {
    {
        const MutexLock lock(mutex);
        stopping = true;
        jobs.clear();
        changed.notify_all();
        // Again and again: a cancellation between two statements interrupts nothing.
        while (busy > 0) {
            for (const auto& run : running) run->cancel();
            changed.wait_for(mutex, std::chrono::milliseconds(50));
        }
    }
    for (auto& thread : threads)
        if (thread.joinable()) thread.join();
    threads.clear();
}

Graph::Graph(Parts parts, GraphOptions options)
    : impl_(std::make_unique<Impl>(std::move(parts), options)) {
    if (const Status set = set_time_zone(impl_->parts.time_zone); !set.ok())
        log_warning("flows", "unknown time zone: schedules are in UTC",
                    {{"zone", impl_->parts.time_zone}});
    if (!options.start_threads) return;
    impl_->threads.emplace_back([this] { impl_->schedule_loop(); });
    for (unsigned i = 0; i < options.threads; ++i)
        impl_->threads.emplace_back([this] { impl_->worker_loop(); });
}

Graph::~Graph() {
    stop();
}

Status Graph::configure(std::vector<std::shared_ptr<Step>> steps) {
    return impl_->configure(std::move(steps));
}

Status Graph::check(const std::vector<std::shared_ptr<Step>>& steps) {
    TARN_TRY(ordered, order_steps(steps));
    return {};
}

Status Graph::set_time_zone(const std::string& name) {
    TARN_TRY(zone, Zone::load(name));
    const MutexLock one(impl_->configure_mutex);
    const MutexLock lock(impl_->mutex);
    impl_->zone = zone;
    for (const auto& placed : impl_->order) placed.node->step->set_time_zone(name);
    impl_->nudged = true;
    return {};
}

std::string Graph::time_zone() const {
    const MutexLock lock(impl_->mutex);
    return impl_->zone.name();
}

std::vector<StepStatus> Graph::status() const {
    std::vector<StepStatus> all;
    const MutexLock lock(impl_->mutex);
    for (const auto& placed : impl_->order) {
        const Node& node = *placed.node;
        StepStatus one;
        one.name = node.step->name();
        one.state = node.state;
        one.inputs = node.step->inputs();
        one.output = node.step->output();
        one.blocked_by = node.blocked_by;
        one.waits_for = node.waits_for;
        one.last = node.last;
        one.next = impl_->next_time(node);
        one.failures = node.failures;
        if (node.run) {
            one.state = StepState::running;
            one.last = node.run->record();
            const auto progress = node.run->progress_now();
            one.progress_what = progress.what;
            one.progress_done = progress.done;
            one.progress_total = progress.total;
        }
        all.push_back(std::move(one));
    }
    return all;
}

Result<std::vector<RunRecord>> Graph::runs(const std::string& step, size_t limit) const {
    return load_runs(impl_->parts.store, step, limit);
}

Status Graph::run_now(const std::string& step, bool from_scratch) {
    const MutexLock lock(impl_->mutex);
    for (const auto& placed : impl_->order) {
        if (placed.node->step->name() != step) continue;
        placed.node->requested = true;
        placed.node->from_scratch = placed.node->from_scratch || from_scratch;
        impl_->nudged = true;
        impl_->settled = false;
        impl_->changed.notify_all();
        return {};
    }
    return Error{Code::not_found, "there is no step \"" + step + "\"", "no_such_step"};
}

void Graph::stop() {
    impl_->stop();
}

size_t Graph::run_due() {
    size_t runs = 0;
    while (true) {
        auto look = impl_->look();
        if (!look.ok()) return runs;
        std::vector<Job> jobs;
        {
            const MutexLock lock(impl_->mutex);
            if (impl_->stopping) return runs;
            jobs = impl_->evaluate(*look, 1);
        }
        if (jobs.empty()) return runs;
        impl_->perform(jobs.front());
        ++runs;
    }
}

bool Graph::quiescent() const {
    const MutexLock lock(impl_->mutex);
    if (!impl_->settled || impl_->nudged || impl_->busy > 0 || !impl_->jobs.empty()) return false;
    return impl_->seen == impl_->parts.store.last_version() || impl_->threads.empty();
}

}  // namespace tarn::flows
