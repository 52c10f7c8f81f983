#include "query/interval_text.h"

#include <gtest/gtest.h>

namespace tarn::query {
namespace {

constexpr int64_t kSecond = 1'000'000, kHour = 3'600 * kSecond;

Interval read(std::string_view text) {
    const auto value = parse_interval(text);
    EXPECT_TRUE(value.ok()) << text;
    return value.ok() ? *value : Interval{-1, -1, -1};
}

TEST(IntervalText, ReadsWhatPostgresqlWrites) {
    EXPECT_EQ(read("1 day"), (Interval{0, 1, 0}));
    EXPECT_EQ(read("1 year 2 mons 3 days 04:05:06.789"),
              (Interval{14, 3, 4 * kHour + 306 * kSecond + 789'000}));
    EXPECT_EQ(read("-1 days +02:00:00"), (Interval{0, -1, 2 * kHour}));
    EXPECT_EQ(read("1 day -00:00:00.5"), (Interval{0, 1, -kSecond / 2}));
    EXPECT_EQ(read("-1 mons"), (Interval{-1, 0, 0}));
}

TEST(IntervalText, ReadsOtherForms) {
    EXPECT_EQ(read("P1Y2M3DT4H5M6.5S"), (Interval{14, 3, 4 * kHour + 306 * kSecond + 500'000}));
    EXPECT_EQ(read("1-2 3 4:00:00"), (Interval{14, 3, 4 * kHour}));
    EXPECT_EQ(read("@ 1 day 2 hours ago"), (Interval{0, -1, -2 * kHour}));
    EXPECT_EQ(read("1.5 months"), (Interval{1, 15, 0}));
    EXPECT_EQ(read("90"), (Interval{0, 0, 90 * kSecond}));
    EXPECT_EQ(read("2 WEEKS"), (Interval{0, 14, 0}));
    EXPECT_EQ(read("1700000000000000 microseconds"), (Interval{0, 0, 1'700'000'000 * kSecond}));
}

TEST(IntervalText, RefusesWhatIsNone) {
    for (const std::string_view text :
         {"", " ", "x", "1 foo", "ago", "P", "1 2", ":5", "1:", "1:2:3:4", "1 day ago 2", "1:60",
          "1-12", "--1 day", "1..5 days", "1e3 days"}) {
        const auto value = parse_interval(text);
        ASSERT_FALSE(value.ok()) << text;
        EXPECT_EQ(value.error().reason, "22007") << text;
    }
    for (const std::string_view text :
         {"9999999999 days", "300000000 years", "9999999999 hours", "999999999999999999 millennia"})
        EXPECT_EQ(parse_interval(text).error().reason, "22015") << text;
    EXPECT_FALSE(parse_interval(std::string(2'000, '1')).ok());
}

}  // namespace
}  // namespace tarn::query
