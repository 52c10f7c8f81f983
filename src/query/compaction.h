// What tables/compaction.h needs of the engine. Lane: background.
#pragma once

#include <memory>

#include "query/engine.h"
#include "tables/compaction.h"

namespace tarn::query {

/// `engine` outlives it.
std::unique_ptr<tables::CompactionTools> compaction_tools(Engine& engine);

}  // namespace tarn::query
