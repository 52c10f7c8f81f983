// What came of forecasts: errors of a small world worked out by hand.
#include "models/internal/outcomes.h"

#include <gtest/gtest.h>

namespace tarn::models {
namespace {

Panel small_world() {
    std::vector<PanelRow> rows;
    const float a[] = {1, 2, 3, 4, 5}, b[] = {10, 20, 30, kUnknown, 50};
    for (int step = 0; step < 5; ++step) {
        rows.push_back({{"a"}, 100 + step, a[step], {}});
        rows.push_back({{"b"}, 100 + step, b[step], {}});
    }
    auto panel = Panel::make(rows, 1, {}, TimeKind::integer, 2);
    EXPECT_TRUE(panel.ok());
    return std::move(panel).value();
}

Features by_pairs(const Panel& panel) {
    FeatureOptions options;
    options.season = 2;
    return Features(panel, options);
}

TEST(OutcomesTest, ErrorsAreThoseOfWhatWasMeasured) {
    const Panel panel = small_world();
    const Features features = by_pairs(panel);
    // Known up to step 2. One step ahead the season before is step 1, two ahead it is step 2.
    const auto outcomes = judge(panel, features, 2,
                                {{0, 3, {6, 5, 6, 7}},      // 4 came: 2 wrong, outside; naive 2
                                 {1, 3, {40, 0, 40, 99}},   // nothing was measured
                                 {0, 4, {4, 3, 4, 5}},      // 5 came: 1 wrong, on the edge; naive 3
                                 {1, 4, {45, 40, 45, 49}},  // 50 came: 5 wrong, outside; naive 30
                                 {0, 5, {1, 1, 1, 1}},      // not over yet
                                 {0, 2, {1, 1, 1, 1}}});    // was known when it was forecast
    ASSERT_EQ(outcomes.size(), 2u);
    EXPECT_EQ(outcomes[0], (Outcome{103, 1, 0, 0, 1, 4, 6, 2, 2, 0}));
    EXPECT_EQ(outcomes[1], (Outcome{104, 2, 0, 0, 2, 55, 49, 6, 22, 1}));
}

TEST(OutcomesTest, WhatCouldNotBeSoldIsNoError) {
    Panel panel = small_world();
    panel.mask(0, 103);
    EXPECT_TRUE(judge(panel, by_pairs(panel), 2, {{0, 3, {6, 5, 6, 7}}}).empty());
    EXPECT_TRUE(judge(panel, by_pairs(panel), 2, {}).empty());
}

TEST(OutcomesTest, TheStatesThatAreKeptAreBounded) {
    EXPECT_EQ(forecasts_kept(14), 24);
    EXPECT_EQ(forecasts_kept(400), 110);
}

}  // namespace
}  // namespace tarn::models
