// GROUP BY a primary key: PostgreSQL lets the other columns of that table stand beside it, for the
// key determines them.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

/// Where a SELECT groups by all columns of a table's enforced primary key, the table's columns that
/// it names elsewhere are grouped by, too: the groups stay the same. Throws.
void group_by_keys(duck::ClientContext& context, duck::SQLStatement& statement);

}  // namespace tarn::query
