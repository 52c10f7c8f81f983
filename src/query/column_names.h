// Names of result columns that nobody named.
#pragma once

#include "query/engine.h"

namespace tarn::query {

/// From now on the session gives them PostgreSQL's names: "count" for count(*), "x" for x::int,
/// "?column?" for 1 + 1; in CREATE TABLE AS, CREATE VIEW and RETURNING, too. Otherwise they are the
/// engine's ("count_star()"), which is what lakefiles, dashboards and the other doors name them by.
/// ORDER BY may use the names. Lane: the session's.
void name_columns_as_postgres(Session& session);

}  // namespace tarn::query
