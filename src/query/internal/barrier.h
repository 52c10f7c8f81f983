// The wall between a policy and the query over it. To the optimizer it is a leaf: what lies below is planned by itself, so nothing of
// the query is moved to hidden rows, and nothing that is known of them - bounds, counts, an empty result - shapes the plan above,
// where one could tell it from an error that comes or does not come. What comes up holds values of shown
// rows and nothing else (shown_column.h): dictionaries of whole row groups must not come through.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

/// Above `policy`, a projection, whose columns it has; `explained`: the plan is only shown, and ends here.
duck::unique_ptr<duck::LogicalOperator> make_barrier(
    duck::unique_ptr<duck::LogicalOperator> policy, bool explained);

/// Has what lies below barriers optimized together with the query above.
void register_barriers(duck::DBConfig& config);

}  // namespace tarn::query
