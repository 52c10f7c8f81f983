// Dashboards over a real lake in a folder: what charts become, who sees what, what is kept.
#include "dashboards/dashboards.h"

#include <gtest/gtest.h>

#include "query/test_lake.h"

namespace tarn::dashboards {
namespace {

using query::must;

security::Caller caller(const std::string& name) {
    security::Caller caller;
    caller.principal.name = name;
    caller.principal.arn = "arn:" + name;
    caller.principal.kind =
        name == "root" ? security::Principal::Kind::root : security::Principal::Kind::user;
    caller.door = "http";
    return caller;
}

ChartSpec chart(ChartSpec::Kind kind, std::vector<std::string> measures, std::string from,
                std::string by = {}) {
    ChartSpec spec;
    spec.kind = kind;
    spec.title = "chart";
    spec.measures = std::move(measures);
    spec.from = std::move(from);
    spec.by = std::move(by);
    return spec;
}

/// One lake for all tests: starting the engine is what costs.
struct Lake {
    Lake() {
        tables::CreateDatabase main;
        main.name = "main";
        main.if_absent = true;
        must(lake.catalog->create_database(lake.owner, main));
        fill();
    }
    void run(const std::string& sql) { lake.run(sql); }
    void fill() {
        run("create table daily_sales (day date, store_id int, region text, units int)");
        run("insert into daily_sales select date '2026-01-01' + i::int, s, case when s < 3 then "
            "'north' else 'south' end, 10 * s "
            "from range(0, 10) t(i), range(1, 5) u(s)");
        run("create table demand (day date, store_id int, units double, p10 double, p90 double)");
        run("insert into demand select date '2026-01-09' + i::int, s, 11.0 * s, 9.0 * s, 13.0 * s "
            "from range(0, 5) t(i), "
            "range(1, 5) u(s)");
        run("create table places (store_id int, name text, latitude double, longitude double)");
        run("insert into places values (1, 'One', 4.5, -74.1), (2, 'Two', 6.2, -75.5)");
        run("create table empty_one (day date, units int)");
    }

    SystemClock clock;
    query::TestGrants grants;
    query::TestFolder folder{"dashboards"};
    query::TestLake lake{folder.path(), clock, {.owner = caller("root"), .access = &grants}};
};

class DashboardsTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { lake_ = new Lake; }
    static void TearDownTestSuite() { delete std::exchange(lake_, nullptr); }
    DashboardsTest() : dashboards_({*lake_->lake.engine, *lake_->lake.catalog, lake_->grants, lake_->clock}) {
        lake_->grants.tables.clear();
    }

    void declare(std::vector<ChartSpec> charts, std::vector<std::string> filters = {}) {
        DashboardSpec spec;
        spec.name = "stock";
        spec.charts = std::move(charts);
        spec.filters = std::move(filters);
        must(dashboards_.configure({spec}));
    }
    DashboardData page(const Filters& filters = {}, const std::string& who = "root") {
        return must(dashboards_.data("stock", filters, caller(who)));
    }
    /// "a,b;c,d", or "!code: message".
    static std::string text(const ChartData& chart) {
        if (chart.error)
            return "!" + std::string(to_string(chart.error->code)) + ": " + chart.error->message;
        std::string out;
        for (size_t row = 0; row < chart.rows->rows(); ++row) {
            if (row > 0) out += ';';
            for (size_t i = 0; i < chart.rows->columns.size(); ++i) {
                if (i > 0) out += ',';
                if (!chart.rows->columns[i].is_null(row))
                    chart.rows->columns[i].append_pg_text(row, out);
            }
        }
        return out;
    }
    std::string one(ChartSpec spec, const Filters& filters = {}, const std::string& who = "root") {
        declare({std::move(spec)}, {"region", "store_id"});
        return text(page(filters, who).charts[0]);
    }

    static Lake* lake_;
    Dashboards dashboards_;
};
Lake* DashboardsTest::lake_ = nullptr;

using Kind = ChartSpec::Kind;

TEST_F(DashboardsTest, ANumberCountsWhatItsConditionLeaves) {
    auto spec = chart(Kind::number, {"count(*)"}, "daily_sales");
    EXPECT_EQ(one(spec), "40");
    spec.where = "units > 20 -- the owner's comment";
    EXPECT_EQ(one(spec), "20");
    EXPECT_EQ(one(spec, {{"region", {"north"}}}), "0");
    EXPECT_EQ(one(spec, {{"store_id", {"3", "4"}}}), "20");
}

TEST_F(DashboardsTest, ABareColumnIsSummedAndPointsAreTheNewestInOrder) {
    auto spec = chart(Kind::line, {"units", "avg(units) as mean"}, "daily_sales", "day");
    spec.limit = 2;
    EXPECT_EQ(one(spec), "2026-01-09,100,25;2026-01-10,100,25");
}

TEST_F(DashboardsTest, AForecastIsDrawnOverSalesAndFollowsTheFilters) {
    auto spec = chart(Kind::line, {"units", "demand"}, "daily_sales", "day");
    spec.limit = 4;
    EXPECT_EQ(one(spec),
              "2026-01-10,100,110,90,130;2026-01-11,,110,90,130;2026-01-12,,110,90,130;2026-01-13,,"
              "110,90,130");
    // demand has no region: it goes through the stores of daily_sales.
    EXPECT_EQ(
        one(spec, {{"region", {"north"}}}),
        "2026-01-10,30,33,27,39;2026-01-11,,33,27,39;2026-01-12,,33,27,39;2026-01-13,,33,27,39");
    const auto columns = page().charts[0].columns;
    ASSERT_EQ(columns.size(), 5u);
    EXPECT_EQ(columns[2].role, Role::forecast);
    EXPECT_EQ(columns[3].role, Role::low);
    EXPECT_EQ(columns[3].of, "demand");
    EXPECT_EQ(columns[4].role, Role::high);
}

TEST_F(DashboardsTest, QuantilesAmongTheMeasuresAreABand) {
    one(chart(Kind::line, {"sum(units)", "sum(p10)", "sum(p90)"}, "demand", "day"));
    const auto columns = page().charts[0].columns;
    ASSERT_EQ(columns.size(), 4u);
    EXPECT_EQ(columns[1].role, Role::measure);
    EXPECT_EQ(columns[2].role, Role::low);
    EXPECT_EQ(columns[2].of, "units");
    EXPECT_EQ(columns[3].role, Role::high);
}

TEST_F(DashboardsTest, BarsTablesAndPlaces) {
    EXPECT_EQ(one(chart(Kind::bar, {"units"}, "daily_sales", "region")), "south,700;north,300");
    auto table = chart(Kind::table, {}, "daily_sales");
    table.columns = {"store_id", "units * 2 as twice"};
    table.order = "day, store_id desc";
    table.limit = 2;
    EXPECT_EQ(one(table), "4,80;3,60");
    EXPECT_TRUE(page().charts[0].truncated);
    auto map = chart(Kind::map, {"places"}, "daily_sales");
    map.colour = "units";
    EXPECT_EQ(one(map), "2,Two,6.2,-75.5,20;1,One,4.5,-74.1,10");
}

TEST_F(DashboardsTest, OneMeasureBySeries) {
    auto split = chart(Kind::stacked, {"units"}, "daily_sales", "day");
    split.split = "region";
    split.limit = 2;  // of days
    EXPECT_EQ(one(split),
              "2026-01-09,north,30;2026-01-09,south,70;2026-01-10,north,30;2026-01-10,south,70");
    const auto columns = page().charts[0].columns;
    ASSERT_EQ(columns.size(), 3u);
    EXPECT_EQ(columns[1].role, Role::series);
    EXPECT_EQ(columns[1].name, "region");
    auto heat = chart(Kind::heatmap, {"units"}, "daily_sales", "store_id");
    heat.split = "region";
    EXPECT_EQ(one(heat, {{"region", {"north"}}}), "1,north,100;2,north,200");
}

TEST_F(DashboardsTest, ANumberOverTimeHasItsPast) {
    auto spec = chart(Kind::number, {"units"}, "daily_sales", "day");
    spec.limit = 3;
    EXPECT_EQ(one(spec), "2026-01-08,100;2026-01-09,100;2026-01-10,100");
    EXPECT_EQ(page().charts[0].columns[1].role, Role::value);
}

TEST_F(DashboardsTest, FiguresOfOneTableAreOneScan) {
    auto narrow = chart(Kind::number, {"count(*)"}, "daily_sales");
    narrow.where = "units > 20";
    declare({chart(Kind::number, {"count(*)"}, "daily_sales"), narrow,
             chart(Kind::number, {"units"}, "daily_sales"),
             chart(Kind::number, {"avg(units) as mean"}, "daily_sales")},
            {"region"});
    const auto texts = [&](const Filters& filters) {
        std::string out;
        for (const auto& one : page(filters).charts) out += text(one) + "|";
        return out;
    };
    EXPECT_EQ(texts({}), "40|20|1000|25|");
    EXPECT_EQ(texts({{"region", {"north"}}}), "20|0|300|15|");
    const auto again = page();
    EXPECT_TRUE(again.charts[0].from_cache && again.charts[3].from_cache);
    EXPECT_EQ(again.charts[3].columns[0].name, "mean");
    // One that does not work leaves the others of its scan.
    declare({chart(Kind::number, {"count(*)"}, "daily_sales"),
             chart(Kind::number, {"sum(untis)"}, "daily_sales")});
    EXPECT_EQ(text(page().charts[0]), "40");
    EXPECT_EQ(text(page().charts[1]).substr(0, 1), "!");
}

ChartSpec narrowed(ChartSpec spec, const std::string& where) {
    spec.where = where;
    return spec;
}

TEST_F(DashboardsTest, ChartsThatShareAScanAnswerAsAlone) {
    auto split = chart(Kind::stacked, {"units"}, "daily_sales", "day");
    split.split = "region";
    split.limit = 2;
    auto spark = chart(Kind::table, {}, "daily_sales", "day");
    spark.columns = {"region"};
    spark.spark = "units";
    auto bar = chart(Kind::bar, {"units", "count(*) as rows"}, "daily_sales", "store_id");
    bar.limit = 2;
    auto newest = chart(Kind::number, {"avg(units)"}, "daily_sales", "day");
    newest.limit = 1;
    auto line = chart(Kind::line, {"max(units)", "sum(units) / count(distinct store_id) as each"}, "daily_sales", "day");
    line.limit = 3;
    const std::vector<ChartSpec> charts = {
        chart(Kind::number, {"count(distinct store_id)"}, "daily_sales"), line, bar, split, spark, newest,
        chart(Kind::scatter, {"store_id", "units", "count(*)"}, "daily_sales", "region"),
        chart(Kind::line, {"units", "demand"}, "daily_sales", "day"),
        narrowed(chart(Kind::number, {"count(*)"}, "daily_sales"), "units > 20"), narrowed(line, "units > 20 -- the owner's comment"),
        narrowed(chart(Kind::number, {"units"}, "daily_sales"), "units > 99"), narrowed(bar, "region = 'north' or units = 40"),
        narrowed(split, "units between 15 and 35"), narrowed(newest, "store_id in (select store_id from places)"),
        narrowed(chart(Kind::number, {"count(distinct store_id)"}, "daily_sales"), "untis > 1")};
    for (const Filters& filters : {Filters{}, Filters{{"region", {"north"}}}, Filters{{"region", {"nowhere"}}}}) {
        declare(charts, {"region", "store_id"});
        const auto together = page(filters);
        EXPECT_EQ(together.filters[0].values, (std::vector<std::string>{"north", "south"}));
        EXPECT_EQ(together.filters[1].values, (std::vector<std::string>{"1", "2", "3", "4"}));
        for (size_t i = 0; i < charts.size(); ++i) {
            declare({charts[i]}, {"region", "store_id"});
            const auto alone = page(filters).charts[0];
            EXPECT_EQ(text(together.charts[i]), text(alone)) << i;
            EXPECT_EQ(together.charts[i].truncated, alone.truncated) << i;
            ASSERT_EQ(together.charts[i].columns.size(), alone.columns.size()) << i;
            for (size_t column = 0; column < alone.columns.size(); ++column) {
                EXPECT_EQ(together.charts[i].columns[column].name, alone.columns[column].name) << i;
                EXPECT_EQ(together.charts[i].columns[column].role, alone.columns[column].role) << i;
                EXPECT_EQ(together.charts[i].columns[column].type, alone.columns[column].type) << i;
            }
        }
    }
}

TEST_F(DashboardsTest, PointsAndSmallLines) {
    EXPECT_EQ(one(chart(Kind::scatter, {"store_id", "units", "count(*)"}, "daily_sales", "region")),
              "north,1.5,15,20;south,3.5,35,20");
    auto table = chart(Kind::table, {}, "daily_sales", "day");
    table.columns = {"region"};
    table.spark = "units";
    const std::string rows = one(table);
    EXPECT_EQ(rows.substr(0, 13), "south,70,{70,");
    EXPECT_EQ(page().charts[0].columns[2].role, Role::trend);
}

TEST_F(DashboardsTest, AMeasureIsSaidOnce) {
    DashboardSpec spec;
    spec.name = "stock";
    spec.charts = {chart(Kind::bar, {"sold", "each as per_store"}, "daily_sales", "region")};
    const Measures measures = {
        {"main.daily_sales", {{"sold", "sum(units)"}, {"each", "sum(units) / count(distinct store_id)"}}}};
    must(dashboards_.configure({spec}, measures));
    const auto found = page().charts[0];
    EXPECT_EQ(text(found), "south,700,350;north,300,150");
    EXPECT_EQ(found.columns[1].name, "sold");
    EXPECT_EQ(found.columns[2].name, "per_store");
    EXPECT_EQ(dashboards_.list()[0].charts[0].measures[0], "sold");
    EXPECT_EQ(must(dashboards_.measures(caller("root").principal)), measures);
    EXPECT_TRUE(must(dashboards_.measures(caller("nobody").principal)).empty());
}

TEST_F(DashboardsTest, SqlOfTheOwnerIsNarrowedWhereItHasTheColumn) {
    auto spec = chart(Kind::table, {}, "");
    spec.sql = "select region, sum(units) as units from daily_sales group by 1 order by 1";
    EXPECT_EQ(one(spec, {{"region", {"south"}}}), "south,700");
    declare({spec}, {"region", "store_id"});
    EXPECT_EQ(page({{"store_id", {"1"}}}).charts[0].filters_ignored,
              std::vector<std::string>{"store_id"});
}

TEST_F(DashboardsTest, WhatAViewerChoosesNeverBecomesSql) {
    const auto spec = chart(Kind::number, {"count(*)"}, "daily_sales");
    for (const char* attempt : {"north' or '1'='1", "north') or 1=1 --",
                                "'; drop table daily_sales; --", "\\'", "$1", "\"region\""})
        EXPECT_EQ(one(spec, {{"region", {attempt}}}), "0") << attempt;
    EXPECT_EQ(one(spec, {{"store_id", {"1 or 1=1"}}}).substr(0, 17), "!invalid_argument");
    EXPECT_EQ(one(spec), "40");
    const auto refused =
        dashboards_.data("stock", {{"units\" > 0 or \"units", {"1"}}}, caller("root"));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Code::invalid_argument);
    const std::string long_value(1000, 'x');
    EXPECT_FALSE(dashboards_.data("stock", {{"region", {long_value}}}, caller("root")).ok());
}

TEST_F(DashboardsTest, GrantsHoldInChartsAndChoices) {
    auto number = chart(Kind::number, {"sum(units)"}, "daily_sales");
    declare({number, chart(Kind::number, {"count(*)"}, "demand")}, {"region"});
    lake_->grants.tables["main.daily_sales"].read = {
        query::ReadGrant{true, {}, "region = 'north'", {}}};
    const auto mine = page({}, "ann");
    EXPECT_EQ(text(mine.charts[0]), "300");
    ASSERT_TRUE(mine.charts[1].error);
    EXPECT_EQ(mine.charts[1].error->code, Code::permission_denied);
    EXPECT_TRUE(mine.charts[1].tables.empty());
    EXPECT_EQ(mine.filters[0].values, std::vector<std::string>{"north"});
    // The rows that were kept for ann are nobody else's, and go with the grant.
    EXPECT_EQ(text(page().charts[0]), "1000");
    EXPECT_EQ(page().filters[0].values, (std::vector<std::string>{"north", "south"}));
    EXPECT_TRUE(page({}, "ann").charts[0].from_cache);
    lake_->grants.tables.clear();
    EXPECT_TRUE(page({}, "ann").charts[0].error);
    // A table that is not there says the same as one that may not be seen.
    declare({chart(Kind::number, {"count(*)"}, "nowhere"),
             chart(Kind::number, {"count(*)"}, "demand")});
    const auto both = page({}, "ann");
    EXPECT_EQ(text(both.charts[0]), text(both.charts[1]));
    EXPECT_EQ(text(page().charts[0]).substr(0, 10), "!not_found");
}

TEST_F(DashboardsTest, AnswersAreKeptUntilATableChanges) {
    lake_->run("create table moving (n int)");
    declare({chart(Kind::number, {"count(*)"}, "moving")});
    EXPECT_EQ(text(page().charts[0]), "0");
    EXPECT_TRUE(page().charts[0].from_cache);
    const auto before = must(dashboards_.versions("stock", caller("root").principal));
    lake_->run("insert into moving values (1)");
    const auto after = must(dashboards_.versions("stock", caller("root").principal));
    EXPECT_NE(before, after);
    EXPECT_TRUE(after.contains("main.moving"));
    const auto changed = page().charts[0];
    EXPECT_FALSE(changed.from_cache);
    EXPECT_EQ(text(changed), "1");
    ASSERT_EQ(changed.tables.size(), 1u);
    EXPECT_TRUE(changed.tables[0].at);
    EXPECT_FALSE(
        must(dashboards_.versions("stock", caller("ann").principal)).contains("main.moving"));
}

TEST_F(DashboardsTest, OneBrokenChartLeavesTheOthers) {
    declare({chart(Kind::number, {"sum(untis)"}, "daily_sales"),
             chart(Kind::line, {"units"}, "empty_one", "day"),
             chart(Kind::number, {"count(*)"}, "daily_sales")});
    const auto found = page();
    EXPECT_TRUE(found.charts[0].error);
    EXPECT_EQ(text(found.charts[1]), "");
    EXPECT_EQ(found.charts[1].columns.size(), 2u);
    EXPECT_EQ(text(found.charts[2]), "40");
}

TEST_F(DashboardsTest, WordsThatDoNotFitAreRefused) {
    const auto check = [](ChartSpec spec) {
        DashboardSpec dashboard;
        dashboard.name = "stock";
        dashboard.charts = {std::move(spec)};
        return Dashboards::check(dashboard).ok();
    };
    EXPECT_TRUE(check(chart(Kind::number, {"count(*)"}, "risk")));
    EXPECT_FALSE(check(chart(Kind::number, {"a", "b"}, "risk")));
    EXPECT_FALSE(check(chart(Kind::number, {}, "risk")));
    EXPECT_FALSE(check(chart(Kind::number, {"count(*)"}, "")));
    EXPECT_FALSE(check(chart(Kind::number, {"count(*)"}, "risk, other")));
    EXPECT_FALSE(check(chart(Kind::line, {"units"}, "risk")));
    EXPECT_FALSE(check(chart(Kind::map, {"a b"}, "risk")));
    EXPECT_FALSE(check(chart(Kind::map, {}, "risk")));
    EXPECT_FALSE(check(chart(Kind::heatmap, {"units"}, "risk", "day")));
    EXPECT_FALSE(check(chart(Kind::scatter, {"units"}, "risk")));
    EXPECT_TRUE(check(chart(Kind::scatter, {"units", "hours"}, "risk")));
    DashboardSpec framed;
    framed.name = "stock";
    for (const char* origin : {"*", "https://a b", "https://a; script-src *", "https://host/path", "ftp://host"}) {
        framed.embed = {origin};
        EXPECT_FALSE(Dashboards::check(framed).ok()) << origin;
    }
    framed.embed = {"https://intranet.example:8443"};
    EXPECT_TRUE(Dashboards::check(framed).ok());
    DashboardSpec twice;
    twice.name = "stock";
    EXPECT_FALSE(dashboards_.configure({twice, twice}).ok());
    EXPECT_FALSE(dashboards_.data("absent", {}, caller("root")).ok());
}

}  // namespace
}  // namespace tarn::dashboards
