// Texts as intervals: DuckDB reads fewer of PostgreSQL's forms, not even all that it writes itself.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

void add_interval_cast(duck::ClientContext& context);

}  // namespace tarn::query
