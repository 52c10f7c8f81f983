// Single values of text files: numbers, dates and times as people and programs write them. Each
// function reads the whole text or says no. Pure; lane: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ascii.h"
#include "base/result.h"
#include "query/types.h"

namespace tarn::ingest {

/// Digits with an optional minus.
bool parse_integer(std::string_view text, int64_t& out);
/// Digits, a decimal sign, an exponent; also nan, inf.
bool parse_real(std::string_view text, char decimal, double& out);
/// true, false, t, f in any case.
bool parse_boolean(std::string_view text, bool& out);

/// A number as it was written: "-12,50" has two integer digits and two decimals.
struct NumberShape {
    bool integer = false;       // no decimal sign, no exponent
    bool leading_zero = false;  // "007": an identifier, no number
    bool exponent = false;
    uint32_t integer_digits = 0;
    uint32_t decimals = 0;  // without zeros at the end, but at least as they were written up to 2
};
bool read_number_shape(std::string_view text, char decimal, NumberShape& out);

enum class DecimalFit : uint8_t { ok, not_a_number, too_many_decimals, too_large };
/// `out`: unscaled. Zeros at the end are no decimals too many.
DecimalFit parse_decimal(std::string_view text, char decimal, int precision, int scale,
                         query::Int128& out);

/// "2026-11-20": days since 1970.
bool parse_iso_date(std::string_view text, int64_t& days);
/// "2026-11-20 17:30", "2026-11-20T17:30:05.123Z", "... +01:00": microseconds since 1970. `zone`:
/// it names an offset, and the result is UTC.
bool parse_iso_timestamp(std::string_view text, int64_t& micros, bool& zone);

/// A format in strptime's words: %Y %y %m %d %e %b %B %H %I %M %S %f %p %z %T %F %%. Others are
/// invalid_argument.
class TimeFormat {
 public:
    static Result<TimeFormat> compile(std::string_view format);
    const std::string& text() const { return text_; }
    bool has_time() const { return has_time_; }
    bool has_zone() const { return has_zone_; }
    /// Microseconds since 1970-01-01, UTC when the format has a zone. %f and %S may be left out at
    /// the end of the text
    /// ("17:30" fits "%H:%M:%S").
    bool parse(std::string_view text, int64_t& micros) const;

 private:
    std::string text_;
    std::string
        steps_;  // T, F and e are spelled out; literals as they are, directives with bit 7 set
    bool has_time_ = false;
    bool has_zone_ = false;
};

}  // namespace tarn::ingest
