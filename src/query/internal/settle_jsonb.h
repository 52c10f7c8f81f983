// jsonb in plans: what is bound compares texts, where PostgreSQL compares values; and DuckDB's cast
// takes more for JSON than JSON is, and leaves it as it was written.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

/// Puts a function that reads json or jsonb in the place of each cast of a text, and the sort key
/// (jsonb.h) in the place of each json that the plan compares or sorts by. GROUP BY, DISTINCT and
/// set operations stay with the text, which is the same for equal values that were written as
/// jsonb, but for numbers such as 1 and 1.0.
void settle_jsonb(duck::ClientContext& context, duck::LogicalOperator& plan);
/// The same in an expression that stands by itself.
void settle_jsonb(duck::ClientContext& context, duck::unique_ptr<duck::Expression>& expression);

}  // namespace tarn::query
