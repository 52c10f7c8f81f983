#include "flows/internal/run.h"

#include <exception>

namespace tarn::flows {

namespace {

constexpr size_t kLogLinesMax = 50, kLogTextMax = 500;

/// The inputs as the run sees them.
std::vector<InputState> input_states(const RunStart& start) {
    std::vector<InputState> states;
    bool known = start.before && !start.from_scratch &&
                 start.before->fingerprint == start.step->fingerprint();
    // Another table of the same name: what was read of the old one does not count, nor what was
    // made of it.
    if (known)
        for (const auto& [name, mark] : start.marks) {
            const auto before = start.before->inputs.find(name);
            known =
                known && before != start.before->inputs.end() && before->second.uuid == mark.uuid;
        }
    for (const auto& name : start.step->inputs()) {
        InputState state;
        state.name = name;
        const auto& mark = start.marks.at(name);
        state.snapshot_now = mark.snapshot;
        if (!mark.uuid.empty())
            if (auto table = start.state->load_table(name.database, name.table); table.ok())
                state.table = *table;
        if (known) state.snapshot_before = start.before->inputs.at(name).snapshot;
        states.push_back(std::move(state));
    }
    return states;
}

}  // namespace

Run::Run(const Parts& parts, RunStart start, size_t runs_kept)
    : parts_(parts),
      start_(std::move(start)),
      runs_kept_(runs_kept),
      inputs_(input_states(start_)) {
    after_.fingerprint = start_.step->fingerprint();
    after_.inputs = start_.marks;
    after_.started = start_.started;
    after_.number = start_.number;
    if (start_.before) after_.output_uuid = start_.before->output_uuid;
    record_.step = start_.step->name();
    record_.number = start_.number;
    record_.cause = start_.cause;
    record_.started = start_.started;
    for (const auto& input : inputs_)
        record_.inputs.push_back({input.name, input.snapshot_before, input.snapshot_now});
}

security::Caller Run::caller() const {
    security::Caller caller = parts_.system;
    caller.at = parts_.clock.now();
    return caller;
}

Result<StepResult> Run::perform() {
    Result<StepResult> result = Error{Code::internal, "the step ended without a result"};
    try {
        result = start_.step->run(*this);
    } catch (const std::exception& problem) {
        result = Error{Code::internal, std::string("the step failed inside: ") + problem.what()};
    }
    on_cancel(nullptr);
    if (!result.ok() || committed_) return result;
    if (cancelled_) return Error{Code::cancelled, "the run was cancelled"};
    // Nothing was made, but what was read is worked through.
    const bool same = start_.before && start_.before->inputs == after_.inputs &&
                      start_.before->fingerprint == after_.fingerprint;
    if (same && start_.step->quiet()) return result;
    TARN_CHECK_OK(commit({}, {}));
    return result;
}

Status Run::commit(std::vector<tables::TableChange> changes, meta::Batch extra) {
    if (committed_) return Error{Code::internal, "a run commits once"};
    if (cancelled_) return Error{Code::cancelled, "the run was cancelled"};
    const std::string& name = start_.step->name();
    const auto output = start_.step->output();
    for (auto& change : changes) {
        const auto& info = change.table->info;
        if (output && info.database == output->database && info.name == output->table)
            after_.output_uuid = info.uuid;
        if (change.makes_snapshot()) change.summary.emplace("tarn.step", name);
    }
    extra.require_value(
        step_key(name), start_.before_text,
        Error{Code::conflict, name + " was run by someone else at the same time", "step_moved"});
    extra.put(step_key(name), encode(after_));
    const bool nothing = changes.empty() && start_.step->quiet();
    if (!nothing) {
        RunRecord done = record();
        done.outcome = RunOutcome::done;
        done.ended = parts_.clock.now();
        extra.put(run_key(name, start_.number), encode(done));
    }
    auto committed = parts_.committer.commit(caller(), std::move(changes), std::move(extra));
    if (!committed.ok()) return std::move(committed).error();
    committed_ = true;
    const MutexLock lock(mutex_);
    for (const auto& table : committed->tables)
        if (output && table->info.database == output->database && table->info.name == output->table)
            if (const auto snapshot = table->current_snapshot())
                record_.output_snapshot = snapshot->snapshot_id;
    return {};
}

void Run::cancel() {
    cancelled_ = true;
    const MutexLock lock(mutex_);
    // Under the lock: on_cancel(nullptr) must not return while it is being called.
    if (interrupt_) interrupt_();
}

void Run::on_cancel(std::function<void()> interrupt) {
    const MutexLock lock(mutex_);
    interrupt_ = std::move(interrupt);
}

void Run::mode(const std::string& word) {
    const MutexLock lock(mutex_);
    record_.mode = word;
    note("computes: " + word);
}

/// A line of the run's log. Bounded: what comes after the fiftieth is left out.
void Run::note(std::string text) {
    if (record_.log.size() < kLogLinesMax && text.size() <= kLogTextMax)
        record_.log.push_back({parts_.clock.now(), std::move(text)});
}

void Run::progress(const std::string& what, uint64_t done, uint64_t total) {
    const MutexLock lock(mutex_);
    if (what != progress_.what) note(what);
    progress_ = {what, done, total};
}

Run::Progress Run::progress_now() const {
    const MutexLock lock(mutex_);
    return progress_;
}

RunRecord Run::record() const {
    const MutexLock lock(mutex_);
    return record_;
}

void Run::ended(RunOutcome outcome, const Error* error, const StepResult* result) {
    const MutexLock lock(mutex_);
    record_.outcome = outcome;
    record_.ended = parts_.clock.now();
    if (error) record_.error = error->message;
    if (result) record_.result = *result;
}

meta::Batch Run::record_batch() const {
    const RunRecord now = record();
    meta::Batch batch;
    batch.put(run_key(now.step, now.number), encode(now));
    if (now.number > runs_kept_) batch.erase(run_key(now.step, now.number - runs_kept_));
    return batch;
}

}  // namespace tarn::flows
