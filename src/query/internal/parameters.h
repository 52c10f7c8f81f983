// Types of parameters that neither the client nor the statement names.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

/// PostgreSQL takes an operand without a type to be of the type of the other: n + $1. DuckDB does so
/// in comparisons only, so one of these is put into the place of such a $1. What comes of it is good
/// for being bound, and for nothing else.
void compare_operands(duck::SQLStatement& statement);

}  // namespace tarn::query
