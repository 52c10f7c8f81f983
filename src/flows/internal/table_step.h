// The step that keeps one table equal to its SELECT.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "flows/graph.h"
#include "flows/internal/changes.h"
#include "flows/internal/checks.h"
#include "flows/run_session.h"
#include "query/work.h"

namespace tarn::flows {

/// How a run computes the table.
enum class TableMode : uint8_t {
    scratch,     // all of it
    window,      // rows younger than the window
    range,       // rows of a part that was asked for, and of the window where it is due
    added_rows,  // what the rows added to one input give
    nothing,     // the inputs have not changed
};

class TableStep final : public Step {
 public:
    TableStep(TableSpec spec, std::vector<ParsedCheck> checks, std::vector<TableRef> inputs,
              TableStepParts parts);

    const std::string& name() const override { return name_; }
    const std::string& fingerprint() const override { return fingerprint_; }
    const std::vector<TableRef>& inputs() const override { return inputs_; }
    std::optional<TableRef> output() const override { return spec_.name; }
    const Refresh& refresh() const override { return spec_.refresh; }
    void set_time_zone(const std::string& name) override;
    Status check_range(const TimeRange& range) const override;
    Result<StepResult> run(StepRun& run) override;

 private:
    /// What one run finds out on its way.
    struct Work {
        StepRun& run;
        query::Session& session;
        query::SelectFacts facts;
        tables::TablePtr table;  // null: there is none yet
        TableMode mode = TableMode::scratch;
        size_t changed_input = 0;                             // added_rows
        std::string window_column, window_type, window_from;  // window: SQL of the bound
        bool with_range = false;                              // the range too, or alone
        StepResult result;

        /// Of window and range: SQL that says which rows are computed, of an expression of time.
        std::string wanted(const std::string& time) const;
    };

    Result<tables::TablePtr> existing(const StepRun& run) const;
    Status choose_mode(Work& work) const;
    Status find_window(Work& work) const;
    Status place_window(Work& work) const;
    Status place_range(Work& work, bool inputs_changed) const;
    Status make_table(Work& work) const;
    Status take_away(Work& work) const;
    Status compute(Work& work) const;
    Status check(Work& work) const;
    Status finish(Work& work) const;
    std::string signature(const query::SelectFacts& facts) const;

    const TableSpec spec_;
    const std::vector<ParsedCheck> checks_;
    const std::vector<TableRef> inputs_;
    const TableStepParts parts_;
    std::string name_, definition_, fingerprint_;
    // Of the run, one at a time: what binding said of the checks, for the columns of kinds_for_.
    mutable std::map<std::string, bool> kinds_;
    mutable std::string kinds_for_;
    mutable Mutex mutex_;
    std::string time_zone_ TARN_GUARDED_BY(mutex_);
};

}  // namespace tarn::flows
