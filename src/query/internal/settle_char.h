// char(n) in comparisons.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

/// Spaces at the end mean nothing in a char(n), and are not kept there: what a column is compared
/// with loses its own. Of a bound plan.
void settle_char(duck::ClientContext& context, duck::LogicalOperator& plan);

}  // namespace tarn::query
