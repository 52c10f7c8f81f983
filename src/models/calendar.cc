#include "models/calendar.h"

#include <algorithm>

#include "base/time.h"

namespace tarn::models {

namespace {

struct Rule {
    enum class Kind : uint8_t { fixed, next_monday, easter } kind;
    int month, day;  // easter: `day` days after Easter Sunday
};

constexpr Rule kColombia[] = {
    {Rule::Kind::fixed, 1, 1},          // New Year
    {Rule::Kind::next_monday, 1, 6},    // Epiphany
    {Rule::Kind::next_monday, 3, 19},   // Saint Joseph
    {Rule::Kind::easter, 0, -3},        // Maundy Thursday
    {Rule::Kind::easter, 0, -2},        // Good Friday
    {Rule::Kind::fixed, 5, 1},          // Labour Day
    {Rule::Kind::easter, 0, 43},        // Ascension, on its Monday
    {Rule::Kind::easter, 0, 64},        // Corpus Christi, on its Monday
    {Rule::Kind::easter, 0, 71},        // Sacred Heart, on its Monday
    {Rule::Kind::next_monday, 6, 29},   // Saint Peter and Saint Paul
    {Rule::Kind::fixed, 7, 20},         // Independence
    {Rule::Kind::fixed, 8, 7},          // Battle of Boyacá
    {Rule::Kind::next_monday, 8, 15},   // Assumption
    {Rule::Kind::next_monday, 10, 12},  // Columbus
    {Rule::Kind::next_monday, 11, 1},   // All Saints
    {Rule::Kind::next_monday, 11, 11},  // Independence of Cartagena
    {Rule::Kind::fixed, 12, 8},         // Immaculate Conception
    {Rule::Kind::fixed, 12, 25},        // Christmas
};

constexpr int kFar = 30;

}  // namespace

bool knows_country(std::string_view country) {
    return country == "CO";
}

int weekday(int64_t day) {
    return static_cast<int>(((day + 3) % 7 + 7) % 7);  // 1970-01-01 was a Thursday
}

/// The anonymous Gregorian computus.
int64_t easter_sunday(int year) {
    const int a = year % 19, b = year / 100, c = year % 100;
    const int d = b / 4, e = b % 4, f = (b + 8) / 25, g = (b - f + 1) / 3;
    const int h = (19 * a + b - d - g + 15) % 30;
    const int i = c / 4, k = c % 4;
    const int l = (32 + 2 * e + 2 * i - h - k) % 7;
    const int m = (a + 11 * h + 22 * l) / 451;
    const int month = (h + l - 7 * m + 114) / 31;
    const int day = (h + l - 7 * m + 114) % 31 + 1;
    return days_from_civil(year, month, day);
}

std::vector<int64_t> holidays(std::string_view country, int year) {
    std::vector<int64_t> days;
    if (!knows_country(country)) return days;
    for (const auto& rule : kColombia) {
        int64_t day = rule.kind == Rule::Kind::easter ? easter_sunday(year) + rule.day
                                                      : days_from_civil(year, rule.month, rule.day);
        if (rule.kind == Rule::Kind::next_monday) day += (7 - weekday(day)) % 7;
        days.push_back(day);
    }
    std::sort(days.begin(), days.end());
    return days;
}

HolidayCalendar::HolidayCalendar(std::string_view country, int64_t first_day, int64_t last_day)
    : first_(first_day) {
    const int from = civil({(first_day - kFar) * 86'400'000'000}).year;
    const int to = civil({(last_day + kFar) * 86'400'000'000}).year;
    std::vector<int64_t> all;
    for (int year = from; year <= to; ++year)
        for (const int64_t day : holidays(country, year)) all.push_back(day);
    for (int64_t day = first_day; day <= last_day; ++day) {
        const auto next = std::lower_bound(all.begin(), all.end(), day);
        const auto after = std::upper_bound(all.begin(), all.end(), day);
        to_next_.push_back(
            next == all.end() ? kFar : static_cast<int>(std::min<int64_t>(kFar, *next - day)));
        since_last_.push_back(after == all.begin()
                                  ? kFar
                                  : static_cast<int>(std::min<int64_t>(kFar, day - *(after - 1))));
    }
}

int HolidayCalendar::at(const std::vector<int>& days, int64_t day) const {
    const int64_t place = day - first_;
    return place < 0 || place >= static_cast<int64_t>(days.size())
               ? kFar
               : days[static_cast<size_t>(place)];
}

}  // namespace tarn::models
