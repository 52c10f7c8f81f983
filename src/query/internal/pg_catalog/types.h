#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

/// The types that PostgreSQL's catalogs are made of, and what SQL may cast from and to them. Texts
/// in PostgreSQL's form of arrays ('{1,2,NULL}') become lists.
void add_catalog_types(duck::ClientContext& context, duck::Catalog& system);

}  // namespace tarn::query
