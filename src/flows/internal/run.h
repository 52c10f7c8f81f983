// One run of one step, from its start to its record.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "flows/internal/records.h"
#include "flows/step.h"

namespace tarn::flows {

/// What the graph knows when it starts a run.
struct RunStart {
    std::shared_ptr<Step> step;
    Cause cause = Cause::first;
    uint64_t number = 1;
    Timestamp started;
    std::shared_ptr<const tables::CatalogSnapshot> state;
    InputMarks marks;                        // of `state`
    std::optional<StepRecord> before;        // where the step stands
    std::optional<std::string> before_text;  // its record's bytes
    bool from_scratch = false;
    std::optional<TimeRange> range;
};

/// Owner: the graph's node, and the worker. cancel(), record() and progress_now() from any thread.
class Run final : public StepRun {
 public:
    Run(const Parts& parts, RunStart start, size_t runs_kept);

    /// Runs the step on the calling thread. The record of a run that ends well is durable
    /// afterwards.
    Result<StepResult> perform();
    void cancel();

    Timestamp started() const override { return start_.started; }
    const std::vector<InputState>& inputs() const override { return inputs_; }
    Status commit(std::vector<tables::TableChange> changes, meta::Batch extra) override;
    const tables::CatalogSnapshot* state() const override { return start_.state.get(); }
    std::optional<TimeRange> range() const override { return start_.range; }
    void mode(const std::string& word) override;
    void on_cancel(std::function<void()> interrupt) override;
    void progress(const std::string& what, uint64_t done, uint64_t total) override;
    bool cancelled() const override { return cancelled_; }

    const RunStart& start() const { return start_; }
    /// Where the step stands after a run that ended well.
    const StepRecord& after() const { return after_; }
    std::string after_text() const { return encode(after_); }
    bool committed() const { return committed_; }
    /// The line of the history as it is now.
    RunRecord record() const;
    void ended(RunOutcome outcome, const Error* error, const StepResult* result);
    struct Progress {
        std::string what;
        uint64_t done = 0, total = 0;
    };
    Progress progress_now() const;
    /// The batch that keeps the present record.
    meta::Batch record_batch() const;

 private:
    security::Caller caller() const;
    void note(std::string text) TARN_REQUIRES(mutex_);

    const Parts& parts_;
    const RunStart start_;
    const size_t runs_kept_;
    std::vector<InputState> inputs_;
    StepRecord after_;
    bool committed_ = false;
    std::atomic<bool> cancelled_{false};

    mutable Mutex mutex_;
    RunRecord record_ TARN_GUARDED_BY(mutex_);
    Progress progress_ TARN_GUARDED_BY(mutex_);
    std::function<void()> interrupt_ TARN_GUARDED_BY(mutex_);
};

}  // namespace tarn::flows
