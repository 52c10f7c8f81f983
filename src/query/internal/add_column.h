// ALTER TABLE ADD COLUMN with a default, as it is before it is bound.
#pragma once

#include <string>

#include "query/internal/duck.h"

namespace tarn::query {

/// A default that is no constant: DuckDB's parser makes three statements of it, of which we need
/// one. Others stay.
void join_add_column(duck::unique_ptr<duck::SQLStatement>& parsed);
/// NOT NULL of a new column, which DuckDB's ALTER TABLE has no place for.
void require_column(duck::SQLStatement& statement);
/// The new column; empty: the statement is something else.
std::string added_column(const duck::SQLStatement& statement);

}  // namespace tarn::query
