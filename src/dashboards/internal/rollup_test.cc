#include "dashboards/internal/rollup.h"

#include <gtest/gtest.h>

namespace tarn::dashboards {
namespace {

/// "<over the groups> of <the scan>", or "rows": it cannot be made of groups.
std::string over(const std::string& aggregate) {
    Rollup rollup;
    const std::string sql = rollup.over_groups(aggregate);
    return rollup.fits() ? sql + " of " + rollup.sql("t", "") : "rows";
}

TEST(Rollup, AggregatesOfRowsAreSaidOverGroups) {
    EXPECT_EQ(over("sum(units * price)"), "sum(a0) of select sum(units * price) as a0 from t");
    EXPECT_EQ(over("(Count(*)\n)"), "(coalesce(sum(a0), 0)::bigint\n) of select count(*) as a0 from t");
    EXPECT_EQ(over("max(\"a,b(\")"), "max(a0) of select max(\"a,b(\") as a0 from t");
    EXPECT_EQ(over("avg(x)"), "(sum(a0)::double / nullif(sum(a1), 0)) of select sum(x) as a0, count(x) as a1 from t");
    EXPECT_EQ(over("round(100.0 * sum(a) / nullif(sum(b), 0), 1)"),
              "round(100.0 * sum(a0) / nullif(sum(a1), 0), 1) of select sum(a) as a0, sum(b) as a1 from t");
    EXPECT_EQ(over("count(distinct store_id)"), "count(distinct k0) of select \"store_id\" as k0 from t group by 1");
    EXPECT_EQ(over("sum(a) - sum(a)"), "sum(a0) - sum(a0) of select sum(a) as a0 from t");
}

TEST(Rollup, WhatIsNotTheSameOfGroupsIsAskedOfRows) {
    for (const char* sql : {"median(x)", "sum(distinct x)", "avg(distinct x)", "sum(x) filter (where y)", "sum(x) over ()", "max(x, 3)",
                            "count(*) + (select 1)", "sum((select max(y) from u))", "x", "\"x\"", "sum(x) -- a word", "sum(x /* ( */)",
                            "sum(x", "main.sum(x)", "sum(x) + $1", "any_value(x)", "sum($$)$$)", "list(x)[1]"})
        EXPECT_EQ(over(sql), "rows") << sql;
}

TEST(Rollup, AChartGoesWhereItsAggregatesAreMade) {
    const std::vector<Keys> charts = {{"day"}, {}, {"store"}, {"day"}, {"store"}};
    EXPECT_EQ(share_aggregates({{0, 1, 3}, {2, 4}}, charts, {{"sum(u)"}, {"sum(p)", "count(p)"}, {"sum(u)", "sum(p)"}, {"max(p)"}, {}}), (Scans{{0, 3}, {2, 4, 1}}));
    // It stays where its keys are, and where nothing is won.
    EXPECT_EQ(share_aggregates({{0, 1, 3}, {2, 4}}, charts, {{"sum(u)"}, {"sum(u)"}, {"sum(u)"}, {"sum(p)"}, {"sum(p)"}}), (Scans{{0, 1, 3}, {2, 4}}));
    EXPECT_EQ(share_aggregates({{0}, {1}}, {{}, {}}, {{"sum(u)"}, {"sum(u)"}}), (Scans{{1, 0}}));
    EXPECT_EQ(share_aggregates({}, {}, {}), Scans{});
}

TEST(Rollup, FewGroupsShareAScan) {
    using Lists = std::vector<std::vector<size_t>>;
    const std::map<std::string, double> values = {{"day", 366}, {"region", 8}, {"category", 12}, {"store", 200}};
    EXPECT_EQ(share_scans({{}, {"day"}, {"day", "region"}, {"day", "category"}, {"category", "region"}, {"store"}, {"store", "category"}, {"store", "day"}}, values),
              (Lists{{7}, {0, 1, 2, 3, 4}, {5, 6}}));
    // Nothing is known of the keys: only the same ones.
    EXPECT_EQ(share_scans({{"day"}, {"region"}, {"day"}}, {}), (Lists{{0, 2}, {1}}));
    EXPECT_EQ(share_scans({}, {}), Lists{});
}

}  // namespace
}  // namespace tarn::dashboards
