#include "models/stock_out.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tarn::models {
namespace {

constexpr int64_t kHour = 3'600'000'000;
const Timestamp kNoon{days_from_civil(2026, 6, 1) * 24 * kHour + 12 * kHour};

PlaceStock shelf(double units) {
    PlaceStock place;
    place.units = units;
    place.read_at = kNoon;
    for (int i = 0; i < 4; ++i)
        place.demand.push_back(DayDemand::of_outlook(days_from_civil(2026, 6, 1) + i, 48, 30, 70));
    place.sold_today = 24;
    return place;
}

Risk risk_of(const PlaceStock& place, Lateness lateness = {}, RiskOptions options = {}) {
    return assess(place, DayProfile::uniform(), lateness, kNoon, options);
}

TEST(StockOut, MoreStockIsLessRiskAndMoreHours) {
    double chance = 1.1, hours = -1;
    for (int units = 1; units < 300; ++units) {
        const Risk risk = risk_of(shelf(units));
        EXPECT_LE(*risk.p_empty, chance) << units;
        EXPECT_GE(*risk.hours_to_empty, hours) << units;
        chance = *risk.p_empty;
        hours = *risk.hours_to_empty;
    }
    EXPECT_LT(chance, 0.01);
    EXPECT_GT(*risk_of(shelf(3)).p_empty, 0.99);
}

TEST(StockOut, TwoUnitsAnHourTakeThreeHoursForSix) {
    EXPECT_NEAR(*risk_of(shelf(6)).hours_to_empty, 3, 1e-6);
    // At the hours in which nothing is sold nothing runs out.
    std::array<double, 24> counts{};
    for (size_t h = 8; h < 14; ++h) counts[h] = 100;
    const Risk risk = assess(shelf(20), DayProfile::of_counts(counts), {}, kNoon, {});
    EXPECT_GT(*risk.hours_to_empty, 20);  // 16 go until 14:00, the rest after 8:00 tomorrow
    EXPECT_LT(*risk.hours_to_empty, 21);
}

TEST(StockOut, ADeliverySoonerIsLessRiskAndALateOneMore) {
    PlaceStock place = shelf(30);
    const double without = *risk_of(place).p_empty;
    place.incoming.push_back({{kNoon.micros + 10 * kHour}, 100});
    const Risk with = risk_of(place);
    EXPECT_LT(*with.p_empty, without);
    EXPECT_EQ(with.next_delivery->micros, kNoon.micros + 10 * kHour);
    const Lateness lateness = Lateness::of_past({0, 0, 0, 0, 0, 0, 0, 24, 24, 48});
    EXPECT_GT(*risk_of(place, lateness).p_empty, *with.p_empty);
    // Overdue: what is left of the lateness counts.
    place.incoming[0].due = {kNoon.micros - 6 * kHour};
    const Risk overdue = risk_of(place, lateness);
    EXPECT_GT(*overdue.p_empty, *with.p_empty);
    EXPECT_NE(overdue.reasons.find("6 h overdue"), std::string::npos) << overdue.reasons;
}

TEST(StockOut, ADayThatSellsWellEmptiesSooner) {
    PlaceStock usual = shelf(30), busy = shelf(30);
    busy.sold_today = 60;
    EXPECT_LT(*risk_of(busy).hours_to_empty, *risk_of(usual).hours_to_empty);
    EXPECT_NE(risk_of(busy).reasons.find("faster than forecast"), std::string::npos);
}

TEST(StockOut, NothingIsMadeUp) {
    PlaceStock silent = shelf(5);
    silent.read_at = {kNoon.micros - 4 * kHour};
    Risk risk = risk_of(silent);
    EXPECT_EQ(risk.state, Risk::State::silent);
    EXPECT_FALSE(risk.p_empty);
    EXPECT_FALSE(risk.hours_to_empty);
    silent.units = 0;  // silent, and empty when last heard of: still silent
    EXPECT_EQ(risk_of(silent).state, Risk::State::silent);
    PlaceStock unknown = shelf(5);
    unknown.demand.clear();
    EXPECT_EQ(risk_of(unknown).state, Risk::State::unknown);
    EXPECT_FALSE(risk_of(unknown).p_empty);
    EXPECT_EQ(risk_of(shelf(0)).state, Risk::State::empty);
    EXPECT_EQ(risk_of(shelf(2)).state, Risk::State::at_risk);
    EXPECT_EQ(risk_of(shelf(400)).state, Risk::State::ok);
    EXPECT_STREQ(to_string(Risk::State::at_risk), "at_risk");
}

TEST(StockOut, ChanceAgreesWithPoissonAndWithItsNormalNeighbour) {
    double below = 0, term = std::exp(-5.0);
    for (int k = 0; k < 4; ++k, term *= 5.0 / k) below += term;
    EXPECT_NEAR(chance_of_at_least(4, 5, 5), 1 - below, 1e-6);
    EXPECT_EQ(chance_of_at_least(0, 5, 5), 1);
    EXPECT_EQ(chance_of_at_least(3, 0, 0), 0);
    EXPECT_NEAR(chance_of_at_least(420, 399, 800), chance_of_at_least(420, 401, 800), 0.05);
    EXPECT_GT(chance_of_at_least(15, 10, 30), chance_of_at_least(15, 10, 10));
}

TEST(StockOut, ProfilesAndLateness) {
    std::array<double, 24> few{};
    few[9] = 10;
    EXPECT_NEAR(DayProfile::of_counts(few).before(12), 0.5, 1e-9);  // too little to learn from
    few[9] = 1000;
    EXPECT_NEAR(DayProfile::of_counts(few).before(9.5), 0.5, 1e-9);
    EXPECT_NEAR(DayProfile::of_counts(few).before(24), 1, 1e-9);
    const Lateness lateness = Lateness::of_past({-2, 0, 24, 0});
    ASSERT_EQ(lateness.hours.size(), 2u);
    EXPECT_NEAR(lateness.hours[0].second, 0.75, 1e-9);
    EXPECT_NEAR(lateness.hours[1].first, 24, 1e-9);
}

}  // namespace
}  // namespace tarn::models
