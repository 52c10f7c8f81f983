#include "flows/graph.h"

#include <algorithm>

#include "base/lane.h"
#include "base/log.h"
#include "flows/internal/graph_impl.h"
#include "flows/internal/order.h"

namespace tarn::flows {

namespace {

constexpr int kConflictsMax = 20;  // in a row, then it counts as a failure

}  // namespace

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
            // One table that cannot be read holds up its readers, not the others.
            auto table = look.state->load_table(*info);
            if (!table.ok())
                log_warning("flows", "a table cannot be read",
                            {{"table", name.full_name()}, {"error", table.error().message}});
            look.tables[name] = table.ok() ? *table : nullptr;
        }
    }
    return look;
}

void Graph::Impl::settle(const Job& job, const Result<StepResult>& result) {
    Node& node = *job.node;
    Run& run = *job.run;
    running.erase(job.run);
    if (node.run == job.run) node.run.reset();
    if (run.start().cause == Cause::input) {
        const Timestamp now = parts.clock.now();
        const std::chrono::microseconds none(0);
        node.rests_until = now.plus(std::clamp(now.since(run.start().started), none, kRestMax));
    }
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
            if (!node.range) node.range = run.start().range;
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
    // A range that the step cannot take is not tried again; the step itself is.
    if (code != Code::invalid_argument && !node.range) node.range = run.start().range;
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

Status Graph::backfill(const std::string& step, const TimeRange& range) {
    const MutexLock lock(impl_->mutex);
    for (const auto& placed : impl_->order) {
        if (placed.node->step->name() != step) continue;
        TARN_CHECK_OK(placed.node->step->check_range(range));
        if (placed.node->range && *placed.node->range != range)
            return Error{Code::conflict, "another backfill of " + step + " has not begun yet",
                         "backfill_waits"};
        placed.node->requested = true;
        placed.node->range = range;
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
