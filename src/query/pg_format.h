// to_char, to_date and to_timestamp: PostgreSQL's patterns for times and numbers ("Data Type Formatting Functions"). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::query {

/// Microseconds since 1970, as UTC, by a pattern as 'YYYY-MM-DD HH24:MI'. What is no pattern stands for itself.
std::string format_time(int64_t micros, std::string_view pattern);
/// The way back; what the text does not say is the beginning of the year 1. invalid_argument (22007): it does not fit the pattern.
Result<int64_t> parse_time(std::string_view text, std::string_view pattern);
/// A number in decimal ("-12.5", "1e3") by a pattern as 'FM999,990.00'. unimplemented: EEEE, RN.
Result<std::string> format_number(std::string_view number, std::string_view pattern);

}  // namespace tarn::query
