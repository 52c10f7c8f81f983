// json_agg(), json_object_agg() and their jsonb twins.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

/// Throws.
void add_catalog_aggregates(duck::ClientContext& context, duck::Catalog& system);

}  // namespace tarn::query
