#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

void add_catalog_sources(duck::ClientContext& context, duck::Catalog& system);

}  // namespace tarn::query
