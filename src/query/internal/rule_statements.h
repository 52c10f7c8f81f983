// What dumps and migrations say about tables beside their columns and rows, recognised by its first
// words: constraints, sequences, owners, extensions.
#pragma once

#include "query/internal/statement.h"

namespace tarn::query {

/// nullopt: something else. Errors: 42601, 0A000.
Result<std::optional<std::unique_ptr<PreparedSql>>> parse_rule_statement(
    std::string_view sql, const std::vector<Token>& tokens);

}  // namespace tarn::query
