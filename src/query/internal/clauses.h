// Clauses of PostgreSQL that DuckDB's parser does not take, found among the tokens of a statement: serial and identity columns, storage
// options, row locks, LIKE ANY, casts to regclass. No grammar: what does not look like one of them is left for the parser to judge.
#pragma once

#include <map>

#include "query/internal/sql_text.h"

namespace tarn::query {

/// What stands in the place of the tokens from the one it is filed under to `last`.
struct Replacement {
    size_t last = 0;
    std::string with;
};
using Replacements = std::map<size_t, Replacement>;  // do not overlap

/// `clauses` gets what they say beside the text.
Replacements find_clauses(const std::vector<Token>& tokens, Clauses& clauses);

/// The default that stands for an identity column in CREATE TABLE: identity(kind, start, increment).
inline constexpr const char* kIdentityDefault = "tarn_identity";

}  // namespace tarn::query
