// PostgreSQL's functions that need code of their own.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

/// The names must be in functions.h's list, too. Throws.
void add_catalog_functions(duck::ClientContext& context, duck::Catalog& system);

}  // namespace tarn::query
