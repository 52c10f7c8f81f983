// What the graph keeps of each step: where it stands, and its history. docs/formats/flows.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "flows/graph.h"
#include "meta/store.h"

namespace tarn::flows {

/// The state of one input that a step has worked through.
struct InputMark {
    std::string uuid;  // of the table; empty: it did not exist or was a view
    std::optional<int64_t> snapshot;

    bool operator==(const InputMark&) const = default;
};
using InputMarks = std::map<TableRef, InputMark>;

/// Where a step stands. Changes in the batch of what it made.
struct StepRecord {
    std::string fingerprint;
    InputMarks inputs;
    Timestamp started;        // of the last run that ended well
    uint64_t number = 0;      // of that run
    std::string output_uuid;  // of the table it made; empty: none yet

    bool operator==(const StepRecord&) const = default;
};

std::string step_key(const std::string& step);
std::string run_key(const std::string& step, uint64_t number);
std::string runs_prefix(const std::string& step);  // empty: of all

std::string encode(const StepRecord& record);
Result<StepRecord> decode_step(std::string_view text);
std::string encode(const RunRecord& record);
Result<RunRecord> decode_run(std::string_view text);

Result<std::optional<StepRecord>> load_step(const meta::Reader& state, const std::string& step);
/// Newest first.
Result<std::vector<RunRecord>> load_runs(const meta::Reader& state, const std::string& step,
                                         size_t limit);

}  // namespace tarn::flows
