#include "flows/graph.h"

namespace tarn::flows {

std::string_view to_string(StepState state) {
    switch (state) {
        case StepState::idle:
            return "idle";
        case StepState::waiting:
            return "waiting";
        case StepState::running:
            return "running";
        case StepState::failed:
            return "failed";
        case StepState::blocked:
            return "blocked";
    }
    return "idle";
}

std::string_view to_string(RunOutcome outcome) {
    switch (outcome) {
        case RunOutcome::running:
            return "running";
        case RunOutcome::done:
            return "done";
        case RunOutcome::failed:
            return "failed";
        case RunOutcome::interrupted:
            return "interrupted";
        case RunOutcome::cancelled:
            return "cancelled";
    }
    return "running";
}

std::string_view to_string(Cause cause) {
    switch (cause) {
        case Cause::first:
            return "first";
        case Cause::definition:
            return "definition";
        case Cause::input:
            return "input";
        case Cause::schedule:
            return "schedule";
        case Cause::time:
            return "time";
        case Cause::retry:
            return "retry";
        case Cause::request:
            return "request";
    }
    return "first";
}

}  // namespace tarn::flows
