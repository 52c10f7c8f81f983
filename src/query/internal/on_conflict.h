// What PostgreSQL's INSERT has and DuckDB's has not. DuckDB makes a MERGE of INSERT ... ON CONFLICT,
// whose keys are the table's unique indexes: for a lake table its identifier fields (catalog.cc).
// What that MERGE does otherwise than PostgreSQL is put right here, before it is bound.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

/// INSERT INTO t without columns takes the first ones when there are fewer values; the others get
/// their defaults. Throws.
void name_first_columns(duck::ClientContext& context, duck::InsertStatement& insert);
/// Values are cast to their columns' types, which gives parameters their types, and rows of one
/// command that have the same key are refused (21000) where they would be updates: DuckDB's MERGE
/// would take one of them. Nothing without ON CONFLICT, or where the table is not found. Throws.
void prepare_on_conflict(duck::ClientContext& context, duck::InsertStatement& insert);

/// The function that refuses, in the system catalog. Throws.
void add_on_conflict_function(duck::ClientContext& context, duck::Catalog& system);

}  // namespace tarn::query
