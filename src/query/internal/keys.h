// Enforced keys (PRIMARY KEY, UNIQUE): no row is committed by SQL whose key another row has. After a statement the keys of the files that
// it added are looked for in the table as its transaction sees it; that nobody else changes the table meanwhile, the commit makes sure.
#pragma once

#include <optional>

#include "query/internal/services.h"
#include "query/internal/statement.h"

namespace tarn::query {

/// The stored table with enforced keys that the statement changes; nullopt: it changes none. Refuses values for an identity column that
/// takes none (428C9). Throws.
std::optional<KeyedTable> keyed_target(duck::ClientContext& context, const duck::SQLStatement& statement, const Clauses& clauses);

}  // namespace tarn::query
