#include "query/pg_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>

#include "base/ascii.h"

namespace tarn::query {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {"January", "February", "March",     "April",   "May",      "June",
                                                      "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kRoman = {"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"};
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDay = 86'400 * kSecond;

/// Longest first where one begins with another.
constexpr std::array<std::string_view, 45> kTimeWords = {
    "hh24", "hh12", "hh", "mi", "sssss", "ssss", "ss", "ms", "us", "ff1", "ff2", "ff3", "ff4", "ff5", "ff6",
    "a.m.", "p.m.", "am", "pm", "y,yyy", "yyyy", "yyy", "yy", "y", "iyyy", "iyy", "iddd", "iy", "iw", "id", "i", "month", "mon", "mm",
    "day", "ddd", "dd", "dy", "d", "ww", "w", "cc", "j", "q", "rm"};

struct Moment {
    int64_t micros = 0;
    int year = 1, month = 1, day = 1;
    int64_t days = 0;  // since 1970
    int64_t of_day = 0;
    int hour() const { return static_cast<int>(of_day / (3600 * kSecond)); }
    int minute() const { return static_cast<int>(of_day / (60 * kSecond) % 60); }
    int second() const { return static_cast<int>(of_day / kSecond % 60); }
    int fraction() const { return static_cast<int>(of_day % kSecond); }
    int weekday() const { return static_cast<int>(((days + 4) % 7 + 7) % 7); }  // Sunday 0
    int iso_weekday() const { return weekday() == 0 ? 7 : weekday(); }
};

int64_t days_of(int year, int month, int day) {
    using namespace std::chrono;
    return sys_days(std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(month)) /
                    std::chrono::day(static_cast<unsigned>(day)))
        .time_since_epoch()
        .count();
}

Moment moment_of(int64_t micros) {
    Moment moment;
    moment.micros = micros;
    moment.days = micros / kDay - (micros % kDay < 0 ? 1 : 0);
    moment.of_day = micros - moment.days * kDay;
    const std::chrono::year_month_day date(std::chrono::sys_days(std::chrono::days(static_cast<int>(moment.days))));
    moment.year = static_cast<int>(date.year());
    moment.month = static_cast<int>(static_cast<unsigned>(date.month()));
    moment.day = static_cast<int>(static_cast<unsigned>(date.day()));
    return moment;
}

/// The ISO year and the week in it.
std::pair<int, int> iso_week(const Moment& moment) {
    const int64_t thursday = moment.days - moment.iso_weekday() + 4;
    const int year = moment_of(thursday * kDay).year;
    return {year, static_cast<int>((thursday - days_of(year, 1, 1)) / 7 + 1)};
}

enum class Letters : uint8_t { upper, first, lower };

/// As the pattern writes the word: MONTH, Month, month.
Letters letters_of(std::string_view as_written) {
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (as_written.size() > 1 && is_upper(as_written[0]) && is_upper(as_written[1])) return Letters::upper;
    return is_upper(as_written[0]) ? Letters::first : Letters::lower;
}

std::string in_letters(std::string_view word, Letters letters) {
    std::string out(word);
    for (size_t i = 0; i < out.size(); ++i) {
        const bool upper = letters == Letters::upper || (letters == Letters::first && i == 0);
        if (upper && out[i] >= 'a' && out[i] <= 'z') out[i] = static_cast<char>(out[i] - 32);
        if (!upper && out[i] >= 'A' && out[i] <= 'Z') out[i] = static_cast<char>(out[i] + 32);
    }
    return out;
}

/// 1st, 2nd, 3rd, 4th ...
std::string_view ordinal_of(std::string_view digits) {
    if (digits.empty()) return "th";
    const bool teen = digits.size() > 1 && digits[digits.size() - 2] == '1';
    if (teen) return "th";
    switch (digits.back()) {
        case '1':
            return "st";
        case '2':
            return "nd";
        case '3':
            return "rd";
        default:
            return "th";
    }
}

std::optional<std::string_view> time_word_at(std::string_view rest) {
    for (const auto word : kTimeWords)
        if (rest.size() >= word.size() && lower_ascii(rest.substr(0, word.size())) == word) return rest.substr(0, word.size());
    return std::nullopt;
}

std::string padded(int64_t number, int width, bool fill) {
    return fill ? fmt::format("{:0{}}", number, width + (number < 0 ? 1 : 0)) : fmt::format("{}", number);
}

std::string name_of(std::string_view name, std::string_view as_written, size_t width, bool fill) {
    std::string out = in_letters(name, letters_of(as_written));
    if (fill && out.size() < width) out.append(width - out.size(), ' ');
    return out;
}

std::string half_of_day(const Moment& moment, std::string_view as_written) {
    const bool dots = as_written.size() > 2;
    const std::string half = moment.hour() < 12 ? (dots ? "A.M." : "AM") : (dots ? "P.M." : "PM");
    return in_letters(half, as_written[0] >= 'a' ? Letters::lower : Letters::upper);
}

std::string date_field(const Moment& moment, std::string_view word, std::string_view as_written, bool fill) {
    const auto [iso_year, week] = iso_week(moment);
    const int64_t of_year = moment.days - days_of(moment.year, 1, 1) + 1;
    const int shown = moment.year > 0 ? moment.year : 1 - moment.year;
    if (word == "yyyy") return padded(shown, 4, fill);
    if (word == "y,yyy") return fmt::format("{},{:03}", shown / 1000, shown % 1000);
    if (word == "yyy") return padded(shown % 1000, 3, fill);
    if (word == "yy") return padded(shown % 100, 2, fill);
    if (word == "y") return padded(shown % 10, 1, fill);
    if (word == "iyyy") return padded(iso_year, 4, fill);
    if (word == "iyy") return padded(iso_year % 1000, 3, fill);
    if (word == "iy") return padded(iso_year % 100, 2, fill);
    if (word == "i") return padded(iso_year % 10, 1, fill);
    if (word == "iw") return padded(week, 2, fill);
    if (word == "iddd") return padded((week - 1) * 7 + moment.iso_weekday(), 3, fill);
    if (word == "id") return padded(moment.iso_weekday(), 1, fill);
    const auto month = static_cast<size_t>(moment.month - 1);
    const auto day = static_cast<size_t>(moment.weekday());
    if (word == "month") return name_of(kMonths[month], as_written, 9, fill);
    if (word == "mon") return name_of(kMonths[month].substr(0, 3), as_written, 3, fill);
    if (word == "mm") return padded(moment.month, 2, fill);
    if (word == "day") return name_of(kDays[day], as_written, 9, fill);
    if (word == "dy") return name_of(kDays[day].substr(0, 3), as_written, 3, fill);
    if (word == "ddd") return padded(of_year, 3, fill);
    if (word == "dd") return padded(moment.day, 2, fill);
    if (word == "d") return padded(moment.weekday() + 1, 1, fill);
    if (word == "ww") return padded((of_year - 1) / 7 + 1, 2, fill);
    if (word == "w") return padded((moment.day - 1) / 7 + 1, 1, fill);
    if (word == "cc") return padded((shown + 99) / 100, 2, fill);
    if (word == "j") return padded(moment.days + 2'440'588, 1, fill);
    if (word == "q") return padded((moment.month - 1) / 3 + 1, 1, fill);
    return name_of(kRoman[month], as_written.substr(0, 1) == "R" ? "RM" : "rm", 4, fill);
}

std::string time_field(const Moment& moment, std::string_view as_written, bool fill) {
    const std::string word = lower_ascii(as_written);
    if (word == "hh24") return padded(moment.hour(), 2, fill);
    if (word == "hh" || word == "hh12") return padded((moment.hour() + 11) % 12 + 1, 2, fill);
    if (word == "mi") return padded(moment.minute(), 2, fill);
    if (word == "ss") return padded(moment.second(), 2, fill);
    if (word == "ssss" || word == "sssss") return padded(moment.of_day / kSecond, 1, fill);
    if (word == "ms") return padded(moment.fraction() / 1000, 3, true);
    if (word == "us") return padded(moment.fraction(), 6, true);
    if (word.starts_with("ff")) return fmt::format("{:06}", moment.fraction()).substr(0, static_cast<size_t>(word[2] - '0'));
    if (word == "am" || word == "pm" || word == "a.m." || word == "p.m.") return half_of_day(moment, as_written);
    return date_field(moment, word, as_written, fill);
}

/// What stands for itself at the beginning of the pattern: a quoted text, or one character. Taken off.
std::string take_literal(std::string_view& pattern) {
    std::string out;
    if (pattern.front() == '"') {
        pattern.remove_prefix(1);
        while (!pattern.empty() && pattern.front() != '"') {
            if (pattern.front() == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
            out += pattern.front();
            pattern.remove_prefix(1);
        }
        if (!pattern.empty()) pattern.remove_prefix(1);
        return out;
    }
    if (pattern.front() == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
    out += pattern.front();
    pattern.remove_prefix(1);
    return out;
}

bool take_prefix(std::string_view& pattern, std::string_view word) {
    if (pattern.size() < word.size() || lower_ascii(pattern.substr(0, word.size())) != word) return false;
    pattern.remove_prefix(word.size());
    return true;
}

}  // namespace

std::string format_time(int64_t micros, std::string_view pattern) {
    const Moment moment = moment_of(micros);
    std::string out;
    while (!pattern.empty()) {
        bool fill = true;
        if (take_prefix(pattern, "fm")) fill = false;
        take_prefix(pattern, "tm");
        if (pattern.empty()) break;
        const std::string_view zone = pattern;
        if (take_prefix(pattern, "tzh") || take_prefix(pattern, "of")) {
            out += "+00";
        } else if (take_prefix(pattern, "tzm")) {
            out += "00";
        } else if (take_prefix(pattern, "tz")) {
            out += zone[0] == 't' ? "utc" : "UTC";
        } else if (take_prefix(pattern, "bc") || take_prefix(pattern, "ad")) {
            out += in_letters(moment.year > 0 ? "AD" : "BC", zone[0] >= 'a' ? Letters::lower : Letters::upper);
        } else if (const auto word = time_word_at(pattern)) {
            const std::string field = time_field(moment, *word, fill);
            pattern.remove_prefix(word->size());
            out += field;
            const std::string_view suffix = pattern;
            const bool digits = !field.empty() && field.back() >= '0' && field.back() <= '9';
            if (digits && take_prefix(pattern, "th"))
                out += in_letters(ordinal_of(field), suffix[0] == 'T' ? Letters::upper : Letters::lower);
        } else {
            out += take_literal(pattern);
        }
    }
    return out;
}

namespace {

Error does_not_fit(std::string_view text, std::string_view word) {
    return {Code::invalid_argument, fmt::format("invalid value \"{}\" for \"{}\"", text.substr(0, 40), word), "22007"};
}

/// Up to `width` digits off the text.
std::optional<int> take_digits(std::string_view& text, size_t width) {
    size_t length = 0;
    while (length < width && length < text.size() && text[length] >= '0' && text[length] <= '9') ++length;
    if (length == 0) return std::nullopt;
    const int number = std::atoi(std::string(text.substr(0, length)).c_str());
    text.remove_prefix(length);
    return number;
}

/// The place of the name that the text begins with, in full or by its first three letters.
template <size_t N>
std::optional<int> take_name(std::string_view& text, const std::array<std::string_view, N>& names) {
    for (size_t i = 0; i < N; ++i) {
        const std::string name = lower_ascii(names[i]);
        if (take_prefix(text, name) || take_prefix(text, name.substr(0, 3))) return static_cast<int>(i);
    }
    return std::nullopt;
}

struct Read {
    int year = 1, month = 1, day = 1, hour = 0, minute = 0, second = 0, micros = 0;
    int of_year = 0;
    std::optional<bool> afternoon;
};

bool read_field(std::string_view& text, const std::string& word, Read& read) {
    const auto into = [&](int& field, size_t width) {
        const auto number = take_digits(text, width);
        if (number) field = *number;
        return number.has_value();
    };
    if (word == "yyyy" || word == "iyyy") return into(read.year, 4);
    if (word == "yy") {
        if (!into(read.year, 2)) return false;
        read.year += read.year < 70 ? 2000 : 1900;
        return true;
    }
    if (word == "mm") return into(read.month, 2);
    if (word == "dd") return into(read.day, 2);
    if (word == "ddd") return into(read.of_year, 3);
    if (word == "hh24" || word == "hh" || word == "hh12") return into(read.hour, 2);
    if (word == "mi") return into(read.minute, 2);
    if (word == "ss") return into(read.second, 2);
    if (word == "month" || word == "mon") {
        const auto month = take_name(text, kMonths);
        if (month) read.month = *month + 1;
        return month.has_value();
    }
    if (word == "day" || word == "dy") return take_name(text, kDays).has_value();
    if (word == "am" || word == "pm" || word == "a.m." || word == "p.m.") {
        if (text.empty()) return false;
        read.afternoon = (text[0] | 0x20) == 'p';
        text.remove_prefix(std::min<size_t>(text.size(), word.size()));
        return true;
    }
    if (word == "ms" || word == "us" || word.starts_with("ff")) {
        const size_t before = text.size();
        const size_t width = word == "ms" ? 3 : 6;
        const auto number = take_digits(text, width);
        if (!number) return false;
        read.micros = *number;
        for (size_t digits = before - text.size(); digits < 6; ++digits) read.micros *= 10;
        return true;
    }
    return false;
}

}  // namespace

Result<int64_t> parse_time(std::string_view text, std::string_view pattern) {
    Read read;
    const std::string_view whole = text;
    while (!pattern.empty()) {
        if (take_prefix(pattern, "fm") || take_prefix(pattern, "tm")) continue;
        const auto word = time_word_at(pattern);
        if (!word) {
            const std::string literal = take_literal(pattern);
            text.remove_prefix(std::min(text.size(), literal.size()));
            continue;
        }
        while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
        if (!text.empty() && !read_field(text, lower_ascii(*word), read)) return does_not_fit(text, *word);
        pattern.remove_prefix(word->size());
    }
    if (read.afternoon) read.hour = read.hour % 12 + (*read.afternoon ? 12 : 0);
    const bool good = read.month >= 1 && read.month <= 12 && read.day >= 1 && read.hour <= 23 && read.minute <= 59 && read.second <= 59;
    if (!good || read.day > 31 || moment_of(days_of(read.year, read.month, read.day) * kDay).month != read.month)
        return Error{Code::invalid_argument, fmt::format("date/time field value out of range: \"{}\"", whole.substr(0, 40)), "22008"};
    const int64_t day = read.of_year > 0 ? days_of(read.year, 1, 1) + read.of_year - 1 : days_of(read.year, read.month, read.day);
    return day * kDay + ((read.hour * 60 + read.minute) * 60 + read.second) * kSecond + read.micros;
}

}  // namespace tarn::query
