// Who is due, who waits for whom, who may start.
#include "flows/internal/changes.h"
#include "flows/internal/graph_impl.h"

namespace tarn::flows {

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
    if (*cause == Cause::input && parts.clock.now() < node.rests_until) {
        node.waits_for = "a pause as long as its last run";
        if (!node.next || node.rests_until < *node.next) node.next = node.rests_until;
    }
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
    if (!start.from_scratch) start.range = node->range;
    if (const auto output = node->step->output();
        output && node->record && !node->record->output_uuid.empty()) {
        const auto& table = look.tables.at(*output);
        if (!table || table->info.uuid != node->record->output_uuid) start.from_scratch = true;
    }
    node->requested = node->from_scratch = false;
    node->range.reset();
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
        // A clock that was set back does not make a pause of seconds one of days.
        node.rests_until = std::min(node.rests_until, now.plus(kRestMax));
        node.retry_at = std::min(node.retry_at, now.plus(options.retry_max));
        node.last_looked = std::min(node.last_looked, now);
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
        const bool rests = cause && now < node.rests_until && node.blocked_by.empty();
        if (node.run || rests || (cause && node.waits_for.empty() && node.blocked_by.empty()))
            settled = false;
        if (!cause || !node.waits_for.empty() || !node.blocked_by.empty() || node.run) continue;
        if (started.size() < room)
            started.push_back(start(placed.node, *cause, look, std::move(marks)));
    }
    return started;
}

}  // namespace tarn::flows
