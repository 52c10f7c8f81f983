// A SQL session for one run of a step: acts for the server, reads exactly the state of the lake
// that the run's inputs were taken from, in the lake's time zone, inside a transaction. What it
// changes is not committed by it: take the changes (query::take_changes) and give them to
// StepRun::commit, so that they and the record of the run are one batch.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "flows/step.h"
#include "query/engine.h"
#include "security/caller.h"

namespace tarn::flows {

/// The transaction is open. Closing the session takes everything back that was not taken out of it.
Result<std::unique_ptr<query::Session>> open_run_session(query::Engine& engine,
                                                         const security::Caller& system,
                                                         const StepRun& run,
                                                         const std::string& database,
                                                         const std::string& time_zone);

/// Takes the session's changes and commits them with `extra` through the run; files that did not
/// come to be used are removed. `adjust` may add to a change (properties, summary).
Status commit_session(query::Session& session, StepRun& run, tables::Catalog& catalog,
                      meta::Batch extra = {},
                      const std::function<void(tables::TableChange&)>& adjust = {});

}  // namespace tarn::flows
