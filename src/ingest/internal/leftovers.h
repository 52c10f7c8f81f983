// Files of tables that were to come to be and did not, because the server died in the middle of
// their load: who stages tables writes down where their files go, and the next attempt removes what
// lies there.
#pragma once

#include <string>
#include <vector>

#include "ingest/sources.h"

namespace tarn::ingest {

/// Removes what an attempt of `source` left behind. Call before a new one.
Status remove_leftovers(const SourcesParts& parts, const std::string& source);
/// `locations`: of tables that are only staged. Durable when it returns.
Status note_staged(const SourcesParts& parts, const std::string& source,
                   const std::vector<std::string>& locations);
/// Belongs into the batch that makes the tables.
void stage_forget_staged(meta::Batch& batch, const std::string& source);

}  // namespace tarn::ingest
