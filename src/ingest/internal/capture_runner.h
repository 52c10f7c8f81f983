// A database followed by its log, as a source.
#pragma once

#include <memory>

#include "ingest/internal/runner.h"

namespace tarn::ingest {

/// Precondition: spec.from is a PostgresSource with follow == changes. `parts` outlives it.
std::unique_ptr<Runner> make_capture_runner(const SourceSpec& spec, const SourcesParts& parts);
/// Removes what a source that is followed no more left in its database: a slot that nobody reads
/// fills the disk there. Tries for ten minutes, then says in the log what to do by hand.
std::unique_ptr<Runner> make_capture_removal(const SourceSpec& spec, const SourcesParts& parts);

}  // namespace tarn::ingest
