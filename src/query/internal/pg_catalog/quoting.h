// format() and the functions that quote names and values.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

void add_quoting_functions(duck::ClientContext& context, duck::Catalog& system);

}  // namespace tarn::query
