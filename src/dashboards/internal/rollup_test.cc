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

TEST(Rollup, ANarrowedChartCountsTheRowsOfItsCondition) {
    Rollup rollup;
    EXPECT_EQ(rollup.present(), "");
    EXPECT_EQ(rollup.over_groups("sum(units)"), "sum(a0)");
    rollup.narrow("price < 2 and \"select\" <> '$;--'");
    EXPECT_EQ(rollup.over_groups("sum(units)"), "sum(a1)");
    EXPECT_EQ(rollup.present(), " where a2 > 0");
    const std::string only = " filter (where (price < 2 and \"select\" <> '$;--'\n))";
    EXPECT_EQ(rollup.sql("t", ""), "select sum(units) as a0, sum(units)" + only + " as a1, count(*)" + only + " as a2 from t");
    EXPECT_TRUE(rollup.fits());
    for (const char* condition : {"day = (SELECT max(day) from t)", "a -- b", "a /* b */", "a = $1", "a; b"}) {
        Rollup other;
        other.narrow(condition);
        EXPECT_FALSE(other.fits()) << condition;
    }
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
