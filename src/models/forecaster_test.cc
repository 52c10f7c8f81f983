// Panel, features, spread and the back-test's arithmetic, over small made-up worlds.
#include "models/forecaster.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tarn::models {
namespace {

/// Units of 6 shops over `days`: a week's rhythm, a promotion that doubles, a little noise that
/// follows from the place.
std::vector<PanelRow> shops(int days, int from = 20'000) {
    std::vector<PanelRow> rows;
    for (int shop = 0; shop < 6; ++shop)
        for (int day = 0; day < days; ++day) {
            const bool promotion = (day / 5 + shop) % 4 == 0;
            const double noise = 1 + 0.1 * std::sin(day * 12.9898 + shop * 78.233);
            const double units = (20 + 10 * shop) * (1 + 0.4 * std::sin(2 * M_PI * day / 7)) *
                                 (promotion ? 2 : 1) * noise;
            rows.push_back({{std::to_string(shop), "cola"},
                            from + day,
                            static_cast<float>(std::round(units)),
                            {promotion ? 1.0f : 0.0f}});
        }
    return rows;
}

Panel panel_of(const std::vector<PanelRow>& rows, int ahead = 7) {
    auto panel = Panel::make(rows, 2, {"promotion"}, TimeKind::days, ahead);
    EXPECT_TRUE(panel.ok());
    return std::move(panel).value();
}

ForecasterOptions small() {
    ForecasterOptions options;
    options.ahead = 7;
    options.rounds = 3;
    options.booster.trees = 40;
    options.booster.parameters = {{"max_depth", "4"}, {"eta", "0.2"}, {"min_child_weight", "5"}};
    return options;
}

TEST(PanelTest, GapsAreUnknownAndTheLastOfTwoRowsCounts) {
    const std::vector<PanelRow> rows = {{{"a"}, 10, 1, {5}},
                                        {{"a"}, 12, 3, {kUnknown}},
                                        {{"a"}, 12, 4, {6}},
                                        {{"b"}, 11, 2, {kUnknown}}};
    auto made = Panel::make(rows, 1, {"price"}, TimeKind::integer, 2);
    ASSERT_TRUE(made.ok());
    Panel& panel = made.value();
    EXPECT_EQ(panel.series(), 2u);
    EXPECT_EQ(panel.steps(), 3);
    EXPECT_EQ(panel.steps_all(), 5);
    EXPECT_EQ(panel.value(0, 2), 4);
    EXPECT_TRUE(std::isnan(panel.value(0, 1)));
    EXPECT_TRUE(std::isnan(panel.value(1, 0)));
    EXPECT_EQ(panel.known_values(), 3u);
    panel.carry_features_forward();
    EXPECT_EQ(panel.feature(0, 0, 1), 5);
    EXPECT_EQ(panel.feature(0, 0, 4), 6);
    EXPECT_TRUE(std::isnan(panel.feature(0, 1, 4)));
    panel.mask(0, 12);
    EXPECT_TRUE(std::isnan(panel.value(0, 2)));
    EXPECT_EQ(panel.masked(), 1u);
    EXPECT_EQ(panel.find({"b"}), 1);
    EXPECT_EQ(panel.find({"c"}), -1);
}

TEST(PanelTest, TheStepOfTimestampsIsFoundAndSizeIsBounded) {
    const int64_t hour = 3'600'000'000;
    auto panel =
        Panel::make({{{"a"}, 4 * hour, 1, {}}, {{"a"}, 8 * hour, 1, {}}, {{"a"}, 14 * hour, 1, {}}},
                    1, {}, TimeKind::micros, 0);
    ASSERT_TRUE(panel.ok());
    EXPECT_EQ(panel->steps(), 6);  // two hours each
    EXPECT_EQ(
        Panel::make({{{"a"}, 0, 1, {}}, {{"a"}, 900'000'000, 1, {}}}, 1, {}, TimeKind::integer, 0)
            .error()
            .code,
        Code::exhausted);
    EXPECT_EQ(Panel::make({{{"a"}, 0, kUnknown, {}}}, 1, {}, TimeKind::integer, 0).error().code,
              Code::invalid_argument);
}

TEST(FeaturesTest, WhatComesAfterTheOriginChangesNothing) {
    auto rows = shops(80);
    const Panel before = panel_of(rows);
    for (auto& row : rows)
        if (row.time > 20'000 + 60) row.value = 999;  // another future
    const Panel after = panel_of(rows);
    for (const int known_ahead : {1000, 0}) {
        const FeatureOptions options{7, "CO", known_ahead};
        const Features one(before, options), other(after, options);
        std::vector<float> a(one.names().size()), b(a.size());
        for (size_t series = 0; series < before.series(); ++series)
            for (int ahead = 1; ahead <= 7; ++ahead) {
                one.fill(series, 60, 60 + ahead, a.data());
                other.fill(series, 60, 60 + ahead, b.data());
                for (size_t i = 0; i < a.size(); ++i)
                    EXPECT_TRUE(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])))
                        << one.names()[i];
            }
        EXPECT_EQ(one.naive(0, 60), other.naive(0, 60));
        EXPECT_EQ(one.seasonal_naive(0, 60, 65), other.seasonal_naive(0, 60, 65));
        // The test can fail: later origins do see the other future.
        one.fill(0, 70, 71, a.data());
        other.fill(0, 70, 71, b.data());
        EXPECT_NE(a, b);
    }
}

TEST(FeaturesTest, FeaturesOfTheFutureAreUsedOnlyWhereTheyAreKnownAhead) {
    auto rows = shops(80);
    const Panel before = panel_of(rows);
    for (auto& row : rows)
        if (row.time > 20'000 + 61) row.features[0] = 1 - row.features[0];
    const Panel after = panel_of(rows);
    const auto same = [&](int known_ahead) {
        const FeatureOptions options{7, "", known_ahead};
        const Features one(before, options), other(after, options);
        std::vector<float> a(one.names().size(), 0), b(a.size(), 0);
        one.fill(2, 60, 65, a.data());
        other.fill(2, 60, 65, b.data());
        for (size_t i = 0; i < a.size(); ++i)
            if (!(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])))) return false;
        return true;
    };
    EXPECT_TRUE(same(0));
    EXPECT_TRUE(same(1));
    EXPECT_FALSE(same(7));
}

TEST(FeaturesTest, NaivesAreWhatTheySay) {
    const Panel panel = panel_of(shops(40));
    const Features features(panel, {7, "", 0});
    EXPECT_EQ(features.naive(1, 20), panel.value(1, 20));
    EXPECT_EQ(features.seasonal_naive(1, 20, 21), panel.value(1, 14));
    EXPECT_EQ(features.seasonal_naive(1, 20, 27), panel.value(1, 20));
    EXPECT_EQ(features.seasonal_naive(1, 20, 28),
              panel.value(1, 14));  // a week back is not known yet
}

TEST(BackTestTest, ScoresAreWhatTheyAreByHand) {
    std::vector<BackTestRow> rows(2);
    rows[0].actual = 10;
    rows[0].forecast = {12, 8, 11, 13};
    rows[0].naive = 5;
    rows[0].seasonal_naive = 10;
    rows[1].actual = 40;
    rows[1].forecast = {30, 20, 30, 35};
    rows[1].naive = 50;
    rows[1].seasonal_naive = 40;
    const auto scores = score_rows(rows);
    EXPECT_EQ(scores[0].forecasts, 2u);
    EXPECT_NEAR(scores[0].mape, (20 + 25) / 2.0, 1e-9);
    EXPECT_NEAR(scores[0].wape, 100 * 12.0 / 50, 1e-9);
    EXPECT_NEAR(scores[0].bias, 100 * -8.0 / 50, 1e-9);
    EXPECT_NEAR(*scores[0].coverage, 50, 1e-9);
    // 10: 0.1*2, 0.5*1, 0.1*3; 40: 0.1*20, 0.5*10, 0.9*5
    EXPECT_NEAR(*scores[0].pinball, ((0.2 + 0.5 + 0.3) / 3 + (2 + 5 + 4.5) / 3) / 2, 1e-9);
    EXPECT_NEAR(scores[1].mape, (50 + 25) / 2.0, 1e-9);
    EXPECT_EQ(scores[2].wape, 0);
}

TEST(BackTestTest, LearnsWhatThereIsToLearnAndTwiceTheSame) {
    const Panel panel = panel_of(shops(200));
    const Forecaster forecaster(panel, small());
    const auto test = forecaster.back_test({});
    ASSERT_TRUE(test.ok()) << test.error().message;
    EXPECT_EQ(test->origins, (std::vector<int>{178, 185, 192}));
    EXPECT_EQ(test->rows.size(), 6u * 7 * 3);
    EXPECT_LT(test->table.find("model")->wape, test->table.find("seasonal_naive")->wape * 0.6);
    const auto again = forecaster.back_test({});
    EXPECT_EQ(again->table.find("model")->wape, test->table.find("model")->wape);
    const auto model = forecaster.train(test->residuals, {});
    ASSERT_TRUE(model.ok());
    const auto predictions = forecaster.predict(*model);
    ASSERT_TRUE(predictions.ok());
    EXPECT_EQ(predictions->size(), 6u * 7);
    for (const auto& p : *predictions) {
        EXPECT_LE(p.outlook.p10, p.outlook.p50);
        EXPECT_LE(p.outlook.p50, p.outlook.p90);
        EXPECT_GE(p.outlook.p10, 0);
    }
    // What is saved predicts the same.
    const auto loaded = Booster::load(*model->booster->save());
    ASSERT_TRUE(loaded.ok());
    const auto spread = Spread::from_json(model->spread.to_json());
    ASSERT_TRUE(spread.ok());
    Model second;
    second.booster = std::move(const_cast<std::unique_ptr<Booster>&>(loaded.value()));
    second.spread = *spread;
    EXPECT_EQ((*forecaster.predict(second))[11].outlook.p90, (*predictions)[11].outlook.p90);
}

TEST(BackTestTest, EndsWhenItIsToldAndRefusesWhatItCantDo) {
    const Panel panel = panel_of(shops(200));
    int asked = 0;
    const auto stopped =
        Forecaster(panel, small()).back_test([&](const std::string&, uint64_t, uint64_t) {
            return ++asked < 5;
        });
    ASSERT_FALSE(stopped.ok());
    EXPECT_EQ(stopped.error().code, Code::cancelled);
    const Panel little = panel_of(shops(20));
    EXPECT_EQ(Forecaster(little, small()).back_test({}).error().code, Code::invalid_argument);
    auto options = small();
    options.booster.parameters["max_depth"] = "many";
    EXPECT_EQ(Forecaster(panel, options).back_test({}).error().code, Code::invalid_argument);
    EXPECT_FALSE(Booster::load("these are no trees").ok());
}

TEST(SpreadTest, QuantilesCoverWhatTheyPromise) {
    std::vector<Residual> residuals;
    for (int i = 0; i < 3000; ++i) {
        const float mu = 1 + static_cast<float>(i % 30) / 10;
        residuals.push_back({1 + i % 7, mu, mu + static_cast<float>(std::sin(i * 12.9898)) * 0.5f});
    }
    const Spread spread = Spread::fit(residuals, Spread::Aim::unbiased);
    int inside = 0;
    double forecast = 0, actual = 0;
    for (const auto& r : residuals) {
        const Outlook o = spread.at(r.steps_ahead, r.predicted);
        const double came = std::expm1(static_cast<double>(r.actual));
        inside += o.p10 <= came && came <= o.p90 ? 1 : 0;
        forecast += o.mean;
        actual += came;
    }
    EXPECT_NEAR(inside / 3000.0, 0.8, 0.03);
    EXPECT_NEAR(forecast / actual, 1, 0.01);
    EXPECT_LT(Spread::fit(residuals, Spread::Aim::least_mape).at(1, 3).mean, spread.at(1, 3).mean);
    EXPECT_FALSE(Spread::from_json("{}").ok());
    EXPECT_GT(Spread().at(3, 2).p90, Spread().at(3, 2).p10);
}

}  // namespace
}  // namespace tarn::models
