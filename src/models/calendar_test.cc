#include "models/calendar.h"

#include <gtest/gtest.h>

#include "base/time.h"

namespace tarn::models {
namespace {

std::vector<std::string> texts(int year) {
    std::vector<std::string> out;
    for (const int64_t day : holidays("CO", year))
        out.push_back(format_iso8601({day * 86'400'000'000}).substr(5, 5));
    return out;
}

TEST(Calendar, ColombiasHolidaysOf2025And2026) {
    EXPECT_EQ(texts(2025),
              (std::vector<std::string>{"01-01", "01-06", "03-24", "04-17", "04-18", "05-01",
                                        "06-02", "06-23", "06-30", "06-30", "07-20", "08-07",
                                        "08-18", "10-13", "11-03", "11-17", "12-08", "12-25"}));
    EXPECT_EQ(texts(2026),
              (std::vector<std::string>{"01-01", "01-12", "03-23", "04-02", "04-03", "05-01",
                                        "05-18", "06-08", "06-15", "06-29", "07-20", "08-07",
                                        "08-17", "10-12", "11-02", "11-16", "12-08", "12-25"}));
    EXPECT_TRUE(holidays("XX", 2026).empty());
    EXPECT_FALSE(knows_country("XX"));
}

TEST(Calendar, Easter) {
    EXPECT_EQ(easter_sunday(2024), days_from_civil(2024, 3, 31));
    EXPECT_EQ(easter_sunday(2025), days_from_civil(2025, 4, 20));
    EXPECT_EQ(easter_sunday(2038), days_from_civil(2038, 4, 25));
}

TEST(Calendar, DistancesToHolidays) {
    const int64_t christmas = days_from_civil(2026, 12, 25);
    const HolidayCalendar calendar("CO", christmas - 40, christmas + 10);
    EXPECT_TRUE(calendar.is_holiday(christmas));
    EXPECT_EQ(calendar.to_next(christmas - 1), 1);
    EXPECT_EQ(calendar.since_last(christmas), 0);
    EXPECT_EQ(calendar.since_last(christmas + 2), 2);
    EXPECT_EQ(calendar.to_next(christmas + 1), 6);  // New Year
    EXPECT_EQ(weekday(christmas), 4);               // a Friday
}

}  // namespace
}  // namespace tarn::models
