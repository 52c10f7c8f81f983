// Literals beside an operator. A literal has no type in PostgreSQL until an operator gives it one:
// n + '1' is a number, t - '2026-01-01' a difference of times, a || '{1}' an array. DuckDB takes
// the cheapest of all casts, and gives up when there are several.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

/// kOperand('+', x) is of the type that a literal has beside x; it is there to be bound only.
inline constexpr const char* kOperand = "tarn_operand";

/// Adds to the operators what settles a literal by the type on its other side, and what PostgreSQL
/// has beyond DuckDB: array || element, interval / number, time - time. After all functions are
/// there.
void settle_unknown_operands(duck::ClientContext& context, duck::Catalog& system);

}  // namespace tarn::query
