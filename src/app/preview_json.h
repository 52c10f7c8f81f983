// A sample of a source, for `tarn try`.
#pragma once

#include <string>

#include "ingest/sources.h"

namespace tarn::app {

/// {"tables": [{"name", "columns", "key", "rows", "rejected"}], "notes": [...]}; cells as
/// PostgreSQL prints them.
std::string preview_json(const ingest::Preview& preview);

}  // namespace tarn::app
