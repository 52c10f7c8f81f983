// Enforced keys (PRIMARY KEY, UNIQUE): no row is committed by SQL whose key another row has. After
// a statement the keys of the files that it added are looked for in the table as its transaction
// sees it; that nobody else changes the table meanwhile, the commit makes sure.
#pragma once

#include <optional>

#include "query/internal/lake.h"
#include "query/internal/services.h"
#include "query/internal/statement.h"

namespace tarn::query {

/// The stored table with enforced keys that the statement changes; nullopt: it changes none.
/// Refuses values for an identity column that takes none (428C9). Throws.
std::optional<KeyedTable> keyed_target(duck::ClientContext& context,
                                       const duck::SQLStatement& statement, const Clauses& clauses);

/// A stored table that the session sees under the name; null: none. In a transaction of the
/// connection.
const LakeTable* find_table(duck::ClientContext& context, std::string catalog, std::string schema,
                            const std::string& name);

}  // namespace tarn::query
