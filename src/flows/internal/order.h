// The order of steps: inputs before their readers.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "flows/step.h"

namespace tarn::flows {

struct OrderedStep {
    std::shared_ptr<Step> step;
    std::vector<size_t>
        upstream;  // positions of the steps that make its inputs; all smaller than its own
};

/// invalid_argument with reason "cycle" (the message has the path), "name_twice", "output_twice".
Result<std::vector<OrderedStep>> order_steps(const std::vector<std::shared_ptr<Step>>& steps);

}  // namespace tarn::flows
