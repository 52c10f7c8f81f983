// PostgreSQL's interval input: "1 day 02:03:04", "-1 days +02:03:00", "1 year ago", "1-2",
// "P1DT2H". https://www.postgresql.org/docs/15/datatype-datetime.html#DATATYPE-INTERVAL-INPUT
#pragma once

#include <string_view>

#include "base/result.h"
#include "query/types.h"

namespace tarn::query {

/// 22007, and 22015 when it is too long an interval.
Result<Interval> parse_interval(std::string_view text);

}  // namespace tarn::query
