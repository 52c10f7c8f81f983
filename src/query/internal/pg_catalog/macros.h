// pg_catalog's functions that are expressions.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

void add_catalog_macros(duck::ClientContext& context, duck::Catalog& system);
/// One statement of our own. Throws.
duck::unique_ptr<duck::SQLStatement> parse_one(const std::string& sql);

}  // namespace tarn::query
