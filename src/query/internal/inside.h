// The engine as the rest of this module sees it: for free functions over Engine whose work is not
// SQL, so that the doors' seam (engine.h) stays as narrow as it is.
#pragma once

#include "query/engine.h"
#include "query/internal/database.h"

namespace tarn::query {

class EngineInside {
 public:
    virtual ~EngineInside() = default;
    virtual Services& services() = 0;
    /// Opens DuckDB at the first call.
    virtual Result<Database*> database() = 0;
    /// Null when it is not open.
    virtual Database* opened_database() = 0;

    /// Precondition: an engine of this module.
    static EngineInside& of(Engine& engine) { return dynamic_cast<EngineInside&>(engine); }
};

}  // namespace tarn::query
