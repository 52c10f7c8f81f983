// DELETE ... RETURNING: the scan gives the columns of the rows that go, too.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

/// Behind its row ids such a delete has each column of its table then. For a statement that has just been bound.
void fetch_deleted(duck::LogicalOperator& plan);

}  // namespace tarn::query
