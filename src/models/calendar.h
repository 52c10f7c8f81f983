// Public holidays by rule, so that no list has to be kept up to date. Lane: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::models {

/// Countries that holidays() knows: "CO".
bool knows_country(std::string_view country);
/// Days since 1970-01-01 of the year's public holidays, in order. Empty for an unknown country.
/// Colombia: Ley 51 de 1983 - six fixed days, seven that move to the next Monday, five that hang on
/// Easter.
std::vector<int64_t> holidays(std::string_view country, int year);
/// Easter Sunday of the Gregorian calendar.
int64_t easter_sunday(int year);
/// 0 is Monday.
int weekday(int64_t day);

/// Answers for a span of days; made once, asked often.
class HolidayCalendar {
 public:
    HolidayCalendar(std::string_view country, int64_t first_day, int64_t last_day);
    bool is_holiday(int64_t day) const { return to_next(day) == 0; }
    /// Days to the next (0: it is one) and since the last holiday, at most 30.
    int to_next(int64_t day) const { return at(to_next_, day); }
    int since_last(int64_t day) const { return at(since_last_, day); }

 private:
    int at(const std::vector<int>& days, int64_t day) const;
    int64_t first_;
    std::vector<int> to_next_, since_last_;
};

}  // namespace tarn::models
