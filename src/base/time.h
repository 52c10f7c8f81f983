// Time is a parameter: modules take a Clock. Timestamps are microseconds since 1970-01-01 UTC.
#pragma once

#include <atomic>
#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn {

/// An instant, in microseconds since 1970-01-01T00:00:00Z, without leap seconds.
struct Timestamp {
    int64_t micros = 0;

    auto operator<=>(const Timestamp&) const = default;
    int64_t seconds() const {
        return micros >= 0 ? micros / 1'000'000 : -((-micros + 999'999) / 1'000'000);
    }
    Timestamp plus(std::chrono::microseconds span) const { return {micros + span.count()}; }
    std::chrono::microseconds since(Timestamp earlier) const {
        return std::chrono::microseconds(micros - earlier.micros);
    }
};

/// Lane: any. Both implementations are thread safe.
class Clock {
 public:
    virtual ~Clock() = default;
    /// The wall clock; may jump.
    virtual Timestamp now() const = 0;
    /// Never goes back; only differences mean something.
    virtual std::chrono::steady_clock::time_point steady() const = 0;
};

class SystemClock final : public Clock {
 public:
    Timestamp now() const override;
    std::chrono::steady_clock::time_point steady() const override;
};

/// For tests: stands still until told.
class ManualClock final : public Clock {
 public:
    explicit ManualClock(Timestamp start = {1'750'000'000'000'000}) : micros_(start.micros) {}
    Timestamp now() const override { return {micros_.load()}; }
    std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::time_point(std::chrono::microseconds(micros_.load()));
    }
    void advance(std::chrono::microseconds span) { micros_ += span.count(); }
    void set(Timestamp to) { micros_ = to.micros; }

 private:
    std::atomic<int64_t> micros_;
};

/// A date in the proleptic Gregorian calendar, UTC.
struct CivilTime {
    int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, micro = 0;
};
CivilTime civil(Timestamp at);
Timestamp from_civil(const CivilTime& at);
/// Days since 1970-01-01.
int64_t days_from_civil(int year, int month, int day);

std::string format_iso8601(Timestamp at);        // 2026-11-20T17:30:00.123Z
std::string format_iso8601_basic(Timestamp at);  // 20261120T173000Z, as SigV4 has it
std::string format_http_date(Timestamp at);      // Fri, 20 Nov 2026 17:30:00 GMT (RFC 9110 5.6.7)
/// Accepts the three forms above, with or without fraction, with Z or an offset such as +01:00.
Result<Timestamp> parse_time(std::string_view text);

}  // namespace tarn
