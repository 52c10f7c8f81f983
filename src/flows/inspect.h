// What a SELECT reads and gives, without running it: for plan, for lineage, for dependencies.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "flows/spec.h"
#include "query/engine.h"

namespace tarn::flows {

struct InspectedInput {
    TableRef name;
    /// Rows appended to it give rows appended to the result, and nothing else changes. False while
    /// not bindable.
    bool row_wise = false;
};

struct Inspected {
    std::vector<InspectedInput>
        inputs;             // tables read, sorted; a view that exists is replaced by its tables
    bool bindable = false;  // every table exists and the SQL is right
    std::vector<query::ResultColumn> columns;  // when bindable
    Error problem;                             // when not: why (42P01: a table does not exist yet)
};

/// Error: the SQL cannot be parsed, or is not one SELECT.
Result<Inspected> inspect_sql(query::Engine& engine, const std::string& sql,
                              const std::string& database = "main");

}  // namespace tarn::flows
