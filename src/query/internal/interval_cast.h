// Texts as intervals and intervals as texts: DuckDB reads fewer of PostgreSQL's forms, not even all
// that PostgreSQL writes, and writes others.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

void add_interval_casts(duck::ClientContext& context);

}  // namespace tarn::query
