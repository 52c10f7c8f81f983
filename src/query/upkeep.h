// What an engine keeps in memory between statements is given back in time.
#pragma once

#include <chrono>

#include "query/engine.h"

namespace tarn::query {

/// How often tend() is to be called.
inline constexpr std::chrono::seconds kUpkeepInterval{20};

/// Blocks and footers of files that no statement has used for five minutes are forgotten, and the
/// oldest of them above half of the engine's memory. Does not open DuckDB. Lane: background, one
/// call at a time. Precondition: an engine of this module.
void tend(Engine& engine);

}  // namespace tarn::query
