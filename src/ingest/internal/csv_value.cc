#include "ingest/internal/csv_value.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/time.h"

namespace tarn::ingest {
namespace {

constexpr int64_t kCsvDayMicros = 86'400'000'000;
constexpr int64_t kPowers[19] = {1,
                                 10,
                                 100,
                                 1000,
                                 10000,
                                 100000,
                                 1000000,
                                 10000000,
                                 100000000,
                                 1000000000,
                                 10000000000,
                                 100000000000,
                                 1000000000000,
                                 10000000000000,
                                 100000000000000,
                                 1000000000000000,
                                 10000000000000000,
                                 100000000000000000,
                                 1000000000000000000};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
    if (text.size() != lower.size()) return false;
    for (size_t i = 0; i < text.size(); ++i)
        if ((text[i] | 0x20) != lower[i]) return false;
    return true;
}

/// Exactly `count` digits.
bool take_digits(const char*& at, const char* end, int count, int& out) {
    if (end - at < count) return false;
    int value = 0;
    for (int i = 0; i < count; ++i) {
        if (!is_digit(at[i])) return false;
        value = value * 10 + (at[i] - '0');
    }
    at += count;
    out = value;
    return true;
}

/// One to `most` digits.
bool take_up_to(const char*& at, const char* end, int most, int& out) {
    int value = 0, count = 0;
    while (count < most && at < end && is_digit(*at)) {
        value = value * 10 + (*at++ - '0');
        ++count;
    }
    out = value;
    return count > 0;
}

bool take_fraction(const char*& at, const char* end, int& micros) {
    int value = 0, count = 0;
    while (at < end && is_digit(*at)) {
        if (count < 6) value = value * 10 + (*at - '0');
        ++count;
        ++at;
    }
    for (int i = count; i < 6; ++i) value *= 10;
    micros = value;
    return count > 0 && count <= 9;
}

bool take_offset(const char*& at, const char* end, int& minutes) {
    if (at < end && (*at == 'Z' || *at == 'z')) {
        ++at;
        minutes = 0;
        return true;
    }
    if (at == end || (*at != '+' && *at != '-')) return false;
    const int sign = *at++ == '-' ? -1 : 1;
    int hours = 0, rest = 0;
    if (!take_digits(at, end, 2, hours)) return false;
    if (at < end && *at == ':') ++at;
    if (at < end && !take_digits(at, end, 2, rest)) return false;
    if (hours > 15 || rest > 59) return false;
    minutes = sign * (hours * 60 + rest);
    return true;
}

bool valid_date(int year, int month, int day) {
    static constexpr uint8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1 || month < 1 || month > 12 || day < 1) return false;
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool take_iso_date(const char*& at, const char* end, int64_t& days) {
    int year = 0, month = 0, day = 0;
    if (end - at < 10 || at[4] != '-' || at[7] != '-') return false;
    if (!take_digits(at, end, 4, year)) return false;
    ++at;
    if (!take_digits(at, end, 2, month)) return false;
    ++at;
    if (!take_digits(at, end, 2, day) || !valid_date(year, month, day)) return false;
    days = days_from_civil(year, month, day);
    return true;
}

constexpr std::string_view kMonths[] = {"january",   "february", "march",    "april",
                                        "may",       "june",     "july",     "august",
                                        "september", "october",  "november", "december"};

bool take_month_name(const char*& at, const char* end, int& month) {
    for (int i = 0; i < 12; ++i) {
        const std::string_view name = kMonths[i];
        const auto left = static_cast<size_t>(end - at);
        if (left >= name.size() && equals_ignoring_case({at, name.size()}, name)) {
            at += name.size();
        } else if (left >= 3 && equals_ignoring_case({at, 3}, name.substr(0, 3))) {
            at += 3;
        } else {
            continue;
        }
        month = i + 1;
        return true;
    }
    return false;
}

}  // namespace

bool parse_integer(std::string_view text, int64_t& out) {
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
    return problem == std::errc() && end == text.data() + text.size();
}

bool parse_real(std::string_view text, char decimal, double& out) {
    char swapped[64];
    if (decimal != '.') {
        if (text.size() > sizeof(swapped) || text.find('.') != std::string_view::npos) return false;
        std::replace_copy(text.begin(), text.end(), swapped, decimal, '.');
        text = {swapped, text.size()};
    }
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
    return problem == std::errc() && end == text.data() + text.size();
}

bool parse_boolean(std::string_view text, bool& out) {
    if (equals_ignoring_case(text, "true") || equals_ignoring_case(text, "t")) return out = true;
    out = false;
    return equals_ignoring_case(text, "false") || equals_ignoring_case(text, "f");
}

bool read_number_shape(std::string_view text, char decimal, NumberShape& out) {
    out = {};
    size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
    const size_t begin = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    out.integer_digits = static_cast<uint32_t>(at - begin);
    out.leading_zero = out.integer_digits > 1 && text[begin] == '0';
    out.integer = at == text.size();
    if (out.integer) return out.integer_digits > 0;
    size_t decimals = 0;
    if (text[at] == decimal) {
        const size_t first = ++at;
        while (at < text.size() && is_digit(text[at])) ++at;
        decimals = at - first;
        size_t significant = decimals;
        while (significant > 2 && text[first + significant - 1] == '0') --significant;
        out.decimals = static_cast<uint32_t>(significant);
    }
    if (out.integer_digits == 0 && decimals == 0) return false;
    if (at == text.size()) return true;
    if ((text[at] | 0x20) != 'e') return false;
    out.exponent = true;
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    const size_t digits = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at == text.size() && at > digits;
}

DecimalFit parse_decimal(std::string_view text, char decimal, int precision, int scale,
                         query::Int128& out) {
    size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
    const bool negative = at == 1;
    int digits = 0, decimals = 0, seen = 0;
    bool fraction = false;
    unsigned __int128 value = 0;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (c == decimal && !fraction) {
            fraction = true;
            continue;
        }
        if (!is_digit(c)) return DecimalFit::not_a_number;
        ++seen;
        if (fraction && decimals == scale) {
            if (c != '0') {
                // Decimals too many only if the rest is a number too.
                for (size_t i = at; i < text.size(); ++i)
                    if (!is_digit(text[i])) return DecimalFit::not_a_number;
                return DecimalFit::too_many_decimals;
            }
            continue;
        }
        if (fraction) ++decimals;
        if (digits > 0 || c != '0') ++digits;
        if (digits > 38) return DecimalFit::too_large;
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    if (seen == 0) return DecimalFit::not_a_number;
    const int missing = scale - decimals;
    if (digits + missing > precision && value != 0) return DecimalFit::too_large;
    for (int left = missing; left > 0; left -= 18)
        value *= static_cast<unsigned __int128>(kPowers[std::min(left, 18)]);
    out = static_cast<query::Int128>(value);
    if (negative) out = -out;
    return DecimalFit::ok;
}

bool parse_iso_date(std::string_view text, int64_t& days) {
    const char* at = text.data();
    const char* const end = at + text.size();
    return text.size() == 10 && take_iso_date(at, end, days);
}

bool parse_iso_timestamp(std::string_view text, int64_t& micros, bool& zone) {
    const char* at = text.data();
    const char* const end = at + text.size();
    int64_t days = 0;
    int hour = 0, minute = 0, second = 0, fraction = 0, offset = 0;
    zone = false;
    if (!take_iso_date(at, end, days) || end - at < 6 || (*at != ' ' && *at != 'T' && *at != 't'))
        return false;
    ++at;
    if (!take_digits(at, end, 2, hour) || *at != ':') return false;
    ++at;
    if (!take_digits(at, end, 2, minute)) return false;
    if (at < end && *at == ':') {
        ++at;
        if (!take_digits(at, end, 2, second)) return false;
        if (at < end && (*at == '.' || *at == ',')) {
            ++at;
            if (!take_fraction(at, end, fraction)) return false;
        }
    }
    if (at < end && *at == ' ') ++at;
    if (at < end) {
        zone = true;
        if (!take_offset(at, end, offset)) return false;
    }
    if (at != end || hour > 23 || minute > 59 || second > 59) return false;
    micros = days * kCsvDayMicros +
             ((hour * 60 + minute - offset) * 60 + second) * int64_t{1'000'000} + fraction;
    return true;
}

Result<TimeFormat> TimeFormat::compile(std::string_view format) {
    TimeFormat made;
    made.text_ = format;
    std::string spelled;
    for (size_t i = 0; i < format.size(); ++i) {
        if (format.substr(i, 2) == "%T") {
            spelled += "%H:%M:%S";
            ++i;
        } else if (format.substr(i, 2) == "%F") {
            spelled += "%Y-%m-%d";
            ++i;
        } else {
            spelled += format[i];
        }
    }
    std::string seen;
    for (size_t i = 0; i < spelled.size(); ++i) {
        if (static_cast<unsigned char>(spelled[i]) >= 0x80)
            return Error{Code::invalid_argument, "a date format may hold ASCII only"};
        if (spelled[i] != '%') {
            made.steps_ += spelled[i];
            continue;
        }
        if (++i == spelled.size() || std::strchr("YymdebBHIMSfpz%", spelled[i]) == nullptr)
            return Error{Code::invalid_argument,
                         "the date format \"" + made.text_ +
                             "\" has a directive that is not known; there are "
                             "%Y %y %m %d %e %b %B %H %I %M %S %f %p %z %T %F"};
        if (spelled[i] == '%') {
            made.steps_ += '%';
            continue;
        }
        const char directive = spelled[i] == 'e' ? 'd' : spelled[i] == 'B' ? 'b' : spelled[i];
        seen += directive;
        made.steps_ += static_cast<char>(directive | 0x80);
        made.has_time_ = made.has_time_ || directive == 'H' || directive == 'I';
        made.has_zone_ = made.has_zone_ || directive == 'z';
    }
    const auto has = [&](char directive) { return seen.find(directive) != std::string::npos; };
    if (!(has('Y') || has('y')) || !(has('m') || has('b')) || !has('d'))
        return Error{Code::invalid_argument,
                     "the date format \"" + made.text_ + "\" needs a year, a month and a day"};
    return made;
}

namespace {

struct Parts {
    int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, fraction = 0, offset = 0;
    bool afternoon = false, half_day = false;
};

bool take_date_part(char directive, const char*& at, const char* end, Parts& parts) {
    switch (directive) {
        case 'Y':
            return take_digits(at, end, 4, parts.year);
        case 'y':
            if (!take_digits(at, end, 2, parts.year)) return false;
            parts.year += parts.year < 69 ? 2000 : 1900;
            return true;
        case 'm':
            return take_up_to(at, end, 2, parts.month);
        case 'b':
            return take_month_name(at, end, parts.month);
        case 'd':
            return take_up_to(at, end, 2, parts.day);
        case 'H':
            return take_up_to(at, end, 2, parts.hour);
        case 'I':
            parts.half_day = true;
            return take_up_to(at, end, 2, parts.hour) && parts.hour >= 1 && parts.hour <= 12;
        case 'M':
            return take_digits(at, end, 2, parts.minute);
        case 'S':
            return take_digits(at, end, 2, parts.second);
        case 'f':
            return take_fraction(at, end, parts.fraction);
        case 'p':
            if (end - at < 2 || (at[1] | 0x20) != 'm' ||
                ((at[0] | 0x20) != 'a' && (at[0] | 0x20) != 'p'))
                return false;
            parts.afternoon = (*at | 0x20) == 'p';
            at += 2;
            return true;
        case 'z':
            return take_offset(at, end, parts.offset);
        default:
            return false;
    }
}

}  // namespace

bool TimeFormat::parse(std::string_view text, int64_t& micros) const {
    const char* at = text.data();
    const char* const end = at + text.size();
    Parts parts;
    for (size_t i = 0; i < steps_.size(); ++i) {
        const char step = steps_[i];
        // ":00" and ".000" may be missing at the end.
        if (at == end && i + 1 < steps_.size() &&
            (steps_[i + 1] == static_cast<char>('S' | 0x80) ||
             steps_[i + 1] == static_cast<char>('f' | 0x80))) {
            ++i;
            continue;
        }
        if ((step & 0x80) != 0) {
            if (!take_date_part(static_cast<char>(step & 0x7f), at, end, parts)) return false;
        } else {
            if (at == end || *at != step) return false;
            ++at;
        }
    }
    if (parts.half_day) parts.hour = parts.hour % 12 + (parts.afternoon ? 12 : 0);
    if (at != end || !valid_date(parts.year, parts.month, parts.day) || parts.hour > 23 ||
        parts.minute > 59 || parts.second > 59)
        return false;
    micros =
        days_from_civil(parts.year, parts.month, parts.day) * kCsvDayMicros +
        ((parts.hour * 60 + parts.minute - parts.offset) * 60 + parts.second) * int64_t{1'000'000} +
        parts.fraction;
    return true;
}

}  // namespace tarn::ingest
