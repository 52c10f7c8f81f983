#include "query/pg_format.h"

#include <gtest/gtest.h>

namespace tarn::query {
namespace {

// 2024-03-05 14:07:09.012345, a Tuesday
constexpr int64_t kAt = 1'709'647'629'012'345;

TEST(PgFormat, TimesByPatterns) {
    EXPECT_EQ(format_time(kAt, "YYYY-MM-DD HH24:MI:SS.US"), "2024-03-05 14:07:09.012345");
    EXPECT_EQ(format_time(kAt, "FMDay, FMDDth Month YYYY|"), "Tuesday, 5th March     2024|");
    EXPECT_EQ(format_time(kAt, "Dy dy DY MON Mon mon HH12 HH AM pm a.m. MS FF2"), "Tue tue TUE MAR Mar mar 02 02 PM pm p.m. 012 01");
    EXPECT_EQ(format_time(kAt, "IYYY-\"W\"IW-ID DDD Q J CC WW W"), "2024-W10-2 065 1 2460375 21 10 1");
    EXPECT_EQ(format_time(kAt, "YY Y,YYY \"of YYYY\" SSSS TZ OF RM"), "24 2,024 of YYYY 50829 UTC +00 III ");
    EXPECT_EQ(format_time(0, "YYYYMMDD\"T\"HH24MISS"), "19700101T000000");
    EXPECT_EQ(format_time(-1, "YYYY-MM-DD HH24:MI:SS.MS"), "1969-12-31 23:59:59.999");
}

TEST(PgFormat, TimesOfPatterns) {
    EXPECT_EQ(parse_time("2024-03-05 14:07:09.012345", "YYYY-MM-DD HH24:MI:SS.US").value(), kAt);
    EXPECT_EQ(parse_time("05 Mar 2024 02:07 pm", "DD Mon YYYY HH12:MI am").value(), 1'709'647'620'000'000);
    EXPECT_EQ(parse_time("20240305", "YYYYMMDD").value(), 1'709'596'800'000'000);
    EXPECT_FALSE(parse_time("2024-13-05", "YYYY-MM-DD").ok());
    EXPECT_FALSE(parse_time("2024-02-30", "YYYY-MM-DD").ok());
    EXPECT_FALSE(parse_time("x", "YYYY").ok());
}

std::string number(std::string_view of, std::string_view pattern) {
    const auto made = format_number(of, pattern);
    return made.ok() ? *made : "error";
}

/// What PostgreSQL 15 answers.
TEST(PgFormat, NumbersByPatterns) {
    EXPECT_EQ(number("-0.1", "99.99"), "  -.10");
    EXPECT_EQ(number("-0.1", "FM9.99"), "-.1");
    EXPECT_EQ(number("0.1", "0.9"), " 0.1");
    EXPECT_EQ(number("12", "9990999.9"), "    0012.0");
    EXPECT_EQ(number("12", "FM9990999.9"), "0012.");
    EXPECT_EQ(number("485", "999"), " 485");
    EXPECT_EQ(number("-485", "999"), "-485");
    EXPECT_EQ(number("1485", "9,999"), " 1,485");
    EXPECT_EQ(number("148.5", "999.999"), " 148.500");
    EXPECT_EQ(number("148.5", "FM999.999"), "148.5");
    EXPECT_EQ(number("148.5", "FM999.990"), "148.500");
    EXPECT_EQ(number("3148.5", "9G999D999"), " 3,148.500");
    EXPECT_EQ(number("-485", "999S"), "485-");
    EXPECT_EQ(number("-485", "999MI"), "485-");
    EXPECT_EQ(number("485", "999MI"), "485 ");
    EXPECT_EQ(number("485", "FM999MI"), "485");
    EXPECT_EQ(number("-485", "999PR"), "<485>");
    EXPECT_EQ(number("482", "999th"), " 482nd");
    EXPECT_EQ(number("12", "99V999"), " 12000");
    EXPECT_EQ(number("1234.5", "FM999,990.00"), "1,234.50");
    EXPECT_EQ(number("5", "000"), " 005");
    EXPECT_EQ(number("12345", "999"), " ###");
    EXPECT_EQ(number("0", "9"), " 0");
    EXPECT_EQ(number("0.995", "0.99"), " 1.00");
    EXPECT_EQ(number("1e3", "9999"), " 1000");
    EXPECT_EQ(number("1", "9.9EEEE"), "error");
}

}  // namespace
}  // namespace tarn::query
