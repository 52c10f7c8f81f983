// INSERT ... ON CONFLICT. DuckDB makes a MERGE of it, whose keys are the table's unique indexes:
// for a lake table its identifier fields (catalog.cc). What that MERGE does otherwise than
// PostgreSQL is put right here, before it is bound.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

/// Values are cast to their columns' types, which gives parameters their types, and rows of one
/// command that have the same key are refused (21000) where they would be updates: DuckDB's MERGE
/// would take one of them. Nothing without ON CONFLICT, or where the table is not found. Throws.
void prepare_on_conflict(duck::ClientContext& context, duck::InsertStatement& insert);

/// The function that refuses, in the system catalog. Throws.
void add_on_conflict_function(duck::ClientContext& context, duck::Catalog& system);

}  // namespace tarn::query
