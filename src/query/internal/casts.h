// Casts that the engine's binder takes for none.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

// CREATE VIEW keeps its text: there this is for the view's query, when it is read.

/// x::varchar(3) cuts, which DuckDB's does not.
void cut_casts(duck::SQLStatement& statement);
/// A cast of a column to the type that it has for the engine is none to its binder, so that the
/// result would be the column (origins.h): c::text of a char(5). In what a query gives such casts
/// become expressions of another kind, which its name, when it has none, would show.
void keep_casts(duck::SQLStatement& statement);

}  // namespace tarn::query
