// A model as a function of SQL: predict_<model>(feature, ...) gives the forecast's mean by the
// version in use.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "flows/spec.h"
#include "models/registry.h"
#include "query/engine.h"

namespace tarn::models {

/// Makes the function known, or known anew where the version's features are others. `version`: the
/// one in use. The registry outlives the engine's sessions. Needs a session of its own (it opens
/// one).
Status offer_scoring(query::Engine& engine, Registry& registry, const security::Caller& system,
                     const flows::TableRef& name, const VersionInfo& version);

}  // namespace tarn::models
