// PostgreSQL's functions that need code of their own.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

/// (text, type): whether a column of the type keeps the text as it is, or throws 22001.
inline constexpr const char* kFits = "tarn_fits";

/// (text, length): the text cut to so many characters.
inline constexpr const char* kCut = "tarn_cut";

/// In the place of what DuckDB has under the set's name.
void put_functions(duck::ClientContext& context, duck::Catalog& system,
                   duck::ScalarFunctionSet set);

/// The names must be in functions.h's list, too. Throws.
void add_catalog_functions(duck::ClientContext& context, duck::Catalog& system);

}  // namespace tarn::query
