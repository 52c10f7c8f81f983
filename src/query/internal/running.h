// What lies between a parsed statement and its rows: finding out what it takes and gives, and waiting for its result.
#pragma once

#include "query/engine.h"
#include "query/internal/duck.h"

namespace tarn::query {

struct BoundFacts {
    duck::vector<duck::string> names;  // of the result
    duck::vector<duck::LogicalType> types;
    duck::case_insensitive_map_t<duck::LogicalType> parameters;  // those whose type is known
    std::vector<ColumnOrigin> origins;
    bool gives_rows = false;
    bool complete = true;  // no: what it returns hangs on parameters
};

/// Binds a statement and no more: names and rights are checked, no plan is made and no table's files are looked at. In the open
/// transaction, else in one of its own. `parameters`: the types of $1, $2, ... when all are known. Throws what DuckDB throws.
BoundFacts bind_statement(duck::ClientContext& context, duck::unique_ptr<duck::SQLStatement> statement,
                          const duck::vector<duck::LogicalType>& parameters = {});

/// PendingQueryResult::Execute() of a caller that sleeps while other threads have all the work: DuckDB's own asks again and again.
duck::unique_ptr<duck::QueryResult> execute_pending(duck::PendingQueryResult& pending);

}  // namespace tarn::query
