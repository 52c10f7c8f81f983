// PostgreSQL's catalogs as tools read them: a few table functions give what the session's principal
// may see, views over them have PostgreSQL's columns. They stand in DuckDB's system catalog in
// place of its own.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

/// Before lock_down(): adds functions, macros, types and views. Throws.
void install_pg_catalog(duck::Connection& connection);

}  // namespace tarn::query
