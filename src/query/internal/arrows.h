// JSON's -> and ->>. PostgreSQL's stand above comparisons, AND and NOT; DuckDB's, which are its
// lambdas' too, below all of them. So each chain of them gets parentheses of its own.
#pragma once

#include <utility>
#include <vector>

#include "query/internal/sql_text.h"

namespace tarn::query {

/// The first and last tokens of the chains. What begins with no plain operand (CASE ... END) is
/// none, nor is a lambda.
std::vector<std::pair<size_t, size_t>> arrow_chains(const std::vector<Token>& tokens);

}  // namespace tarn::query
