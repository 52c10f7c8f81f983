#include "flows/internal/schedule.h"

#include <gtest/gtest.h>

namespace tarn::flows {
namespace {

Timestamp at(const char* text) {
    return *parse_time(text);
}

Refresh daily(int hour, int minute) {
    Refresh refresh;
    refresh.kind = Refresh::Kind::daily;
    refresh.minute_of_day = hour * 60 + minute;
    return refresh;
}

TEST(Schedule, EveryAndOnChange) {
    Refresh refresh;
    EXPECT_FALSE(next_due(refresh, Zone::utc(), at("2026-03-01T00:00:00Z")));
    refresh.kind = Refresh::Kind::every;
    refresh.every = std::chrono::minutes(15);
    EXPECT_EQ(next_due(refresh, Zone::utc(), at("2026-03-01T00:00:00Z")),
              at("2026-03-01T00:15:00Z"));
    refresh.every = {};
    EXPECT_EQ(next_due(refresh, Zone::utc(), at("2026-03-01T00:00:00Z")),
              at("2026-03-01T00:00:01Z"));
}

TEST(Schedule, DailyIsLocal) {
    const Zone bogota = *Zone::load("America/Bogota");
    EXPECT_EQ(next_due(daily(2, 0), bogota, at("2026-03-01T06:59:59Z")),
              at("2026-03-01T07:00:00Z"));
    EXPECT_EQ(next_due(daily(2, 0), bogota, at("2026-03-01T07:00:00Z")),
              at("2026-03-02T07:00:00Z"));
    // Late in the day there it is already tomorrow in UTC.
    EXPECT_EQ(next_due(daily(23, 30), bogota, at("2026-03-02T03:00:00Z")),
              at("2026-03-02T04:30:00Z"));
}

TEST(Schedule, WeeklyIsOnItsDay) {
    Refresh refresh = daily(3, 0);
    refresh.kind = Refresh::Kind::weekly;
    refresh.weekday = 1;
    const Zone berlin = *Zone::load("Europe/Berlin");
    // 2026-11-20 is a Friday.
    EXPECT_EQ(next_due(refresh, berlin, at("2026-11-20T12:00:00Z")), at("2026-11-23T02:00:00Z"));
    EXPECT_EQ(next_due(refresh, berlin, at("2026-11-23T02:00:00Z")), at("2026-11-30T02:00:00Z"));
    refresh.weekday = 7;
    EXPECT_EQ(next_due(refresh, berlin, at("2026-11-20T12:00:00Z")), at("2026-11-22T02:00:00Z"));
}

TEST(Schedule, SpringGapRunsWhenItEnds) {
    // Clocks go from 02:00 to 03:00 on 2026-03-29 at 01:00 UTC: 02:30 does not exist.
    const Zone berlin = *Zone::load("Europe/Berlin");
    EXPECT_EQ(next_due(daily(2, 30), berlin, at("2026-03-28T12:00:00Z")),
              at("2026-03-29T01:00:00Z"));
    EXPECT_EQ(next_due(daily(2, 30), berlin, at("2026-03-29T01:00:00Z")),
              at("2026-03-30T00:30:00Z"));
}

TEST(Schedule, AutumnOverlapRunsOnce) {
    // Clocks go from 03:00 to 02:00 on 2026-10-25 at 01:00 UTC: 02:30 comes at 00:30 and at 01:30
    // UTC.
    const Zone berlin = *Zone::load("Europe/Berlin");
    EXPECT_EQ(next_due(daily(2, 30), berlin, at("2026-10-24T12:00:00Z")),
              at("2026-10-25T00:30:00Z"));
    EXPECT_EQ(next_due(daily(2, 30), berlin, at("2026-10-25T00:30:00Z")),
              at("2026-10-26T01:30:00Z"));
}

TEST(Schedule, AZoneThatSkippedADay) {
    // Samoa had no 2011-12-30.
    const Zone apia = *Zone::load("Pacific/Apia");
    const auto after = at("2011-12-30T09:00:00Z");  // 23:00 on the 29th there
    const auto due = next_due(daily(12, 0), apia, after);
    EXPECT_EQ(due, at("2011-12-30T10:00:00Z"));  // noon of the 30th is in the gap: midnight of the 31st
}

TEST(Schedule, NoSuchZone) {
    for (const char* name : {"", "Mars/Olympus", "/etc/passwd", "../x", "localtime"})
        EXPECT_FALSE(Zone::load(name).ok()) << name;
}

}  // namespace
}  // namespace tarn::flows
