// SELECT ... FROM f(...): PostgreSQL takes any function as a table of one row.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

/// Where DuckDB wants a table function and the name is none of those there are, the call becomes
/// unnest([f(...)]), whose column has the alias' name, or the function's.
void call_functions_in_from(duck::SQLStatement& statement);

}  // namespace tarn::query
