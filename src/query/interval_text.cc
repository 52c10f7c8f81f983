#include "query/interval_text.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "base/ascii.h"

namespace tarn::query {

namespace {

constexpr int64_t kSecond = 1'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute,
                  kDay = 24 * kHour;

/// What one of a unit is made of; one of the three.
struct Unit {
    int64_t months = 0, days = 0, micros = 0;
};

const Unit* find_unit(const std::string& name) {
    static const std::map<std::string, Unit> kUnits = [] {
        std::map<std::string, Unit> units;
        const auto add = [&](Unit unit, std::initializer_list<const char*> names) {
            for (const char* each : names) units[each] = unit;
        };
        add({0, 0, 1}, {"us", "usec", "usecs", "useconds", "usecond", "microsecond", "microseconds",
                        "microsecon"});
        add({0, 0, 1000}, {"ms", "msec", "msecs", "mseconds", "msecond", "millisecond",
                           "milliseconds", "millisecon"});
        add({0, 0, kSecond}, {"s", "sec", "secs", "second", "seconds"});
        add({0, 0, kMinute}, {"m", "min", "mins", "minute", "minutes"});
        add({0, 0, kHour}, {"h", "hr", "hrs", "hour", "hours"});
        add({0, 1, 0}, {"d", "day", "days"});
        add({0, 7, 0}, {"w", "week", "weeks"});
        add({1, 0, 0}, {"mon", "mons", "month", "months"});
        add({12, 0, 0}, {"y", "yr", "yrs", "year", "years"});
        add({120, 0, 0}, {"dec", "decs", "decade", "decades"});
        add({1200, 0, 0}, {"c", "cent", "century", "centuries"});
        add({12000, 0, 0}, {"mil", "mils", "millennium", "millennia"});
        return units;
    }();
    const auto found = kUnits.find(name);
    return found == kUnits.end() ? nullptr : &found->second;
}

/// A number with its sign taken off: -1.5 is {-1, -0.5}.
struct Amount {
    int64_t whole = 0;
    double fraction = 0;
    bool negative = false;
};

class IntervalText {
 public:
    explicit IntervalText(std::string_view text) : rest_(text) {}

    /// False: it is none.
    bool read() {
        skip_blanks();
        if (rest_.empty()) return false;
        if (rest_.front() == 'P' || rest_.front() == 'p') return read_iso();
        bool any = false, ago = false;
        while (!rest_.empty()) {
            if (ago || !read_field(ago)) return false;
            any = any || !ago;
            skip_blanks();
        }
        if (!any || (pending_ && !add(*pending_, {0, 0, kSecond}))) return false;
        if (!ago) return true;
        months_ = -months_;
        days_ = -days_;
        micros_ = -micros_;
        return true;
    }

    std::optional<Interval> value() const {
        constexpr int64_t kLongest = std::numeric_limits<int32_t>::max();
        const auto fits = [](Int128 number, int64_t most) {
            return number <= most && number >= -most;
        };
        if (!fits(months_, kLongest) || !fits(days_, kLongest) ||
            !fits(micros_, std::numeric_limits<int64_t>::max()))
            return std::nullopt;
        return Interval{static_cast<int32_t>(months_), static_cast<int32_t>(days_),
                        static_cast<int64_t>(micros_)};
    }

 private:
    void skip_blanks() {
        const size_t from = rest_.find_first_not_of(" \t\n\v\f\r,@");
        rest_.remove_prefix(std::min(from, rest_.size()));
    }
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }
    bool at_digit(size_t i = 0) const { return i < rest_.size() && is_digit(rest_[i]); }
    bool at(char c) const { return !rest_.empty() && rest_.front() == c; }

    bool take_digits(int64_t& number) {
        constexpr size_t kDigitsMax = 18;
        size_t end = 0;
        while (at_digit(end)) ++end;
        if (end > kDigitsMax) return false;
        if (end > 0) std::from_chars(rest_.data(), rest_.data() + end, number);
        rest_.remove_prefix(end);
        return true;
    }
    bool take_fraction(double& fraction) {
        if (!at('.')) return true;
        rest_.remove_prefix(1);
        for (double unit = 0.1; at_digit(); unit /= 10, rest_.remove_prefix(1))
            fraction += unit * (rest_.front() - '0');
        return true;
    }
    std::optional<Amount> take_amount() {
        Amount amount;
        if (at('-') || at('+')) {
            amount.negative = at('-');
            rest_.remove_prefix(1);
            skip_blanks();
        }
        if (!at_digit() && !(at('.') && at_digit(1))) return std::nullopt;
        if (!take_digits(amount.whole) || !take_fraction(amount.fraction)) return std::nullopt;
        if (amount.negative) {
            amount.whole = -amount.whole;
            amount.fraction = -amount.fraction;
        }
        return amount;
    }
    std::string take_word() {
        size_t end = 0;
        while (end < rest_.size() && is_alpha(rest_[end])) ++end;
        std::string word = lower_ascii(rest_.substr(0, end));
        rest_.remove_prefix(end);
        return word;
    }
    static bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

    void add_days(double days) {
        const double whole = std::trunc(days);
        days_ += static_cast<int64_t>(whole);
        micros_ += std::llround((days - whole) * static_cast<double>(kDay));
    }
    bool add(const Amount& amount, const Unit& unit) {
        months_ += static_cast<Int128>(amount.whole) * unit.months;
        days_ += static_cast<Int128>(amount.whole) * unit.days;
        micros_ += static_cast<Int128>(amount.whole) * unit.micros;
        if (unit.months == 1)
            add_days(amount.fraction * 30);
        else
            months_ += std::llround(amount.fraction * static_cast<double>(unit.months));
        add_days(amount.fraction * static_cast<double>(unit.days));
        micros_ += std::llround(amount.fraction * static_cast<double>(unit.micros));
        return true;
    }

    /// "1.5 days", "04:05:06", "1-2", "3" before a time, or "ago".
    bool read_field(bool& ago) {
        if (is_alpha(rest_.front())) {
            ago = take_word() == "ago";
            return ago && !pending_;
        }
        const auto amount = take_amount();
        if (!amount) return false;
        if (at(':')) {
            if (pending_ && !add(*std::exchange(pending_, std::nullopt), {0, 1, 0})) return false;
            return amount->fraction == 0 && read_time(*amount);
        }
        if (pending_) return false;
        if (at('-') && at_digit(1)) return amount->fraction == 0 && read_months(*amount);
        skip_blanks();
        if (rest_.empty() || !is_alpha(rest_.front())) {
            pending_ = amount;
            return true;
        }
        const Unit* unit = find_unit(take_word());
        return unit && add(*amount, *unit);
    }
    /// ":05", ":05:06.7" behind hours; "05:06.7" with a point is minutes and seconds.
    bool read_time(const Amount& hours) {
        int64_t minutes = 0, seconds = 0;
        double fraction = 0;
        rest_.remove_prefix(1);
        if (!at_digit() || !take_digits(minutes)) return false;
        Int128 micros = 0;
        if (at('.')) {
            take_fraction(fraction);
            micros = static_cast<Int128>(std::abs(hours.whole)) * kMinute +
                     static_cast<Int128>(minutes) * kSecond;
        } else {
            if (at(':')) {
                rest_.remove_prefix(1);
                if (!at_digit() || !take_digits(seconds) || !take_fraction(fraction)) return false;
            }
            micros = static_cast<Int128>(std::abs(hours.whole)) * kHour +
                     static_cast<Int128>(minutes) * kMinute +
                     static_cast<Int128>(seconds) * kSecond;
        }
        if (minutes > 59 || seconds > 60) return false;
        micros += std::llround(fraction * static_cast<double>(kSecond));
        micros_ += hours.negative ? -micros : micros;
        return rest_.empty() || !at(':');
    }
    /// "-2" behind years.
    bool read_months(const Amount& years) {
        int64_t months = 0;
        rest_.remove_prefix(1);
        if (!take_digits(months) || months > 11) return false;
        months_ += static_cast<Int128>(years.whole) * 12 + (years.negative ? -months : months);
        return true;
    }
    /// P1Y2M3DT4H5M6S
    bool read_iso() {
        rest_.remove_prefix(1);
        bool time = false, any = false;
        while (!rest_.empty()) {
            if (at('T') && !time) {
                time = any = true;
                rest_.remove_prefix(1);
                continue;
            }
            const auto amount = take_amount();
            if (!amount || rest_.empty()) return false;
            const Unit date_units[] = {{12, 0, 0}, {1, 0, 0}, {0, 7, 0}, {0, 1, 0}};
            const Unit time_units[] = {{0, 0, kHour}, {0, 0, kMinute}, {0, 0, kSecond}};
            const size_t unit =
                (time ? std::string_view("HMS") : std::string_view("YMWD")).find(rest_.front());
            if (unit == std::string_view::npos) return false;
            rest_.remove_prefix(1);
            any = add(*amount, time ? time_units[unit] : date_units[unit]);
        }
        return any;
    }

    std::string_view rest_;
    std::optional<Amount> pending_;  // seconds, unless a time comes behind it: then days
    Int128 months_ = 0, days_ = 0, micros_ = 0;
};

}  // namespace

Result<Interval> parse_interval(std::string_view text) {
    constexpr size_t kBytesMax = 1'000;
    const std::string shown(text.substr(0, 60));
    IntervalText reader(text);
    if (text.size() > kBytesMax || !reader.read())
        return Error{Code::invalid_argument,
                     fmt::format("invalid input syntax for type interval: \"{}\"", shown), "22007"};
    if (const auto value = reader.value()) return *value;
    return Error{Code::out_of_range,
                 fmt::format("interval field value out of range: \"{}\"", shown), "22015"};
}

}  // namespace tarn::query
