#include "base/time.h"

#include <time.h>

#include <array>
#include <charconv>
#include <cstdio>

namespace tarn {
namespace {

constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

/// Takes fixed-width decimal numbers off the front of a text.
class Digits {
 public:
    explicit Digits(std::string_view text) : rest_(text) {}

    bool number(size_t width, int& out) {
        if (rest_.size() < width) return false;
        out = 0;
        for (size_t i = 0; i < width; ++i) {
            if (rest_[i] < '0' || rest_[i] > '9') return false;
            out = out * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(width);
        return true;
    }
    bool literal(std::string_view text) {
        if (!rest_.starts_with(text)) return false;
        rest_.remove_prefix(text.size());
        return true;
    }
    bool fraction(int& micros) {
        micros = 0;
        int scale = 100'000, digits = 0;
        while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9') {
            micros += (rest_[0] - '0') * scale;
            scale /= 10;
            rest_.remove_prefix(1);
            ++digits;
        }
        return digits > 0;
    }
    bool month_name(int& month) {
        for (size_t i = 0; i < kMonths.size(); ++i)
            if (literal(kMonths[i])) return month = static_cast<int>(i) + 1, true;
        return false;
    }
    std::string_view rest() const { return rest_; }

 private:
    std::string_view rest_;
};

bool in_range(const CivilTime& at) {
    return at.month >= 1 && at.month <= 12 && at.day >= 1 && at.day <= 31 && at.hour <= 23 &&
           at.minute <= 59 && at.second <= 60;
}

bool parse_http_date(std::string_view text, CivilTime& at) {
    if (text.size() < 5) return false;
    Digits in(text.substr(3));
    return in.literal(", ") && in.number(2, at.day) && in.literal(" ") && in.month_name(at.month) &&
           in.literal(" ") && in.number(4, at.year) && in.literal(" ") && in.number(2, at.hour) &&
           in.literal(":") && in.number(2, at.minute) && in.literal(":") &&
           in.number(2, at.second) &&
           // The same in mail's form, as some clients of S3 write it.
           (in.literal(" GMT") || in.literal(" +0000") || in.literal(" -0000")) &&
           in.rest().empty();
}

bool parse_iso8601(std::string_view text, CivilTime& at, int& offset_minutes) {
    Digits in(text);
    if (!in.number(4, at.year)) return false;
    const bool dashed = in.literal("-");
    if (!in.number(2, at.month) || (dashed && !in.literal("-")) || !in.number(2, at.day))
        return false;
    offset_minutes = 0;
    if (in.rest().empty()) return true;
    if (!in.literal("T") && !in.literal(" ")) return false;
    if (!in.number(2, at.hour)) return false;
    const bool colons = in.literal(":");
    if (!in.number(2, at.minute) || (colons && !in.literal(":")) || !in.number(2, at.second))
        return false;
    if (in.literal(".") && !in.fraction(at.micro)) return false;
    if (in.literal("Z") || in.rest().empty()) return in.rest().empty();
    const int sign = in.literal("+") ? 1 : in.literal("-") ? -1 : 0;
    int hours = 0, minutes = 0;
    if (sign == 0 || !in.number(2, hours)) return false;
    if (!in.rest().empty() && (in.literal(":"), !in.number(2, minutes))) return false;
    offset_minutes = sign * (hours * 60 + minutes);
    return in.rest().empty();
}

/// Decimal, with zeros in front up to `width`: snprintf is ten times slower, and each audit record
/// has a time.
void append_padded(std::string& out, int value, size_t width) {
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    const auto size = static_cast<size_t>(end - digits);
    if (size < width) out.append(width - size, '0');
    out.append(digits, size);
}

}  // namespace

Timestamp SystemClock::now() const {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

std::chrono::steady_clock::time_point SystemClock::steady() const {
    return std::chrono::steady_clock::now();
}

// Both directions after Howard Hinnant's published day-count algorithms: years run from March, eras
// are 400 years.
int64_t days_from_civil(int year, int month, int day) {
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t era = (y >= 0 ? y : y - 399) / 400;
    const int64_t year_of_era = y - era * 400;
    const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146'097 + day_of_era - 719'468;
}

CivilTime civil(Timestamp at) {
    const int64_t seconds = at.seconds();
    int64_t days = seconds / 86'400;
    int64_t left = seconds % 86'400;
    if (left < 0) left += 86'400, --days;
    CivilTime out;
    out.hour = static_cast<int>(left / 3600);
    out.minute = static_cast<int>(left / 60 % 60);
    out.second = static_cast<int>(left % 60);
    out.micro = static_cast<int>(at.micros - seconds * 1'000'000);
    const int64_t z = days + 719'468;
    const int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
    const int64_t day_of_era = z - era * 146'097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t shifted_month = (5 * day_of_year + 2) / 153;
    out.day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    out.month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    out.year = static_cast<int>(year_of_era + era * 400 + (out.month <= 2 ? 1 : 0));
    return out;
}

Timestamp from_civil(const CivilTime& at) {
    const int64_t days = days_from_civil(at.year, at.month, at.day);
    return {((days * 24 + at.hour) * 60 + at.minute) * 60'000'000 + at.second * 1'000'000LL +
            at.micro};
}

std::string format_iso8601(Timestamp at) {
    const CivilTime t = civil(at);
    std::string out;
    out.reserve(24);
    append_padded(out, t.year, 4);
    append_padded(out += '-', t.month, 2);
    append_padded(out += '-', t.day, 2);
    append_padded(out += 'T', t.hour, 2);
    append_padded(out += ':', t.minute, 2);
    append_padded(out += ':', t.second, 2);
    append_padded(out += '.', t.micro / 1000, 3);
    return out += 'Z';
}

std::string format_iso8601_basic(Timestamp at) {
    const CivilTime t = civil(at);
    std::string out;
    out.reserve(16);
    append_padded(out, t.year, 4);
    append_padded(out, t.month, 2);
    append_padded(out, t.day, 2);
    append_padded(out += 'T', t.hour, 2);
    append_padded(out, t.minute, 2);
    append_padded(out, t.second, 2);
    return out += 'Z';
}

std::string format_http_date(Timestamp at) {
    const CivilTime t = civil(at);
    const int64_t days = days_from_civil(t.year, t.month, t.day);
    const auto weekday = static_cast<size_t>(((days + 4) % 7 + 7) % 7);
    char out[64];
    std::snprintf(out, sizeof out, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[weekday], t.day,
                  kMonths[static_cast<size_t>(t.month - 1)], t.year, t.hour, t.minute, t.second);
    return out;
}

Result<Timestamp> parse_time(std::string_view text) {
    CivilTime at;
    int offset_minutes = 0;
    const bool http = text.size() > 3 && text[3] == ',';
    const bool parsed = http ? parse_http_date(text, at) : parse_iso8601(text, at, offset_minutes);
    const Timestamp time{from_civil(at).micros - offset_minutes * 60'000'000LL};
    // A second 60 or an offset may lead out of the years that have four digits.
    constexpr int64_t kYear0 = -62'167'219'200'000'000, kYear10000 = 253'402'300'800'000'000;
    if (!parsed || !in_range(at) || time.micros < kYear0 || time.micros >= kYear10000)
        return Error(Code::invalid_argument,
                     "not a time: '" + std::string(text.substr(0, 64)) + "'");
    return time;
}

}  // namespace tarn
