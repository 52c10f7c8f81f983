// When training is due, by the lake's clock on the wall. Lane: any but a loop.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "flows/spec.h"
#include "query/engine.h"

namespace tarn::models {

/// Has the schedule come due between `last` and `now`? on_change and manual: no. `utc_offset`:
/// seconds east, now.
bool is_due(const flows::Refresh& refresh, Timestamp last, Timestamp now, int64_t utc_offset);

/// Seconds east of UTC at that time, in the session's time zone.
Result<int64_t> utc_offset(query::Session& session, Timestamp at);

}  // namespace tarn::models
