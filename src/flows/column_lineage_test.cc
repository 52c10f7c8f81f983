#include "flows/column_lineage.h"

#include <gmock/gmock.h>

namespace tarn::flows {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const InputColumns kInputs = {
    {{"erp", "sales"}, {"sold_at", "store_id", "units", "price"}},
    {{"main", "weather"}, {"day", "region", "temp_c"}},
};

std::vector<std::string> told(const std::string& sql) {
    std::vector<std::string> out;
    for (const auto& column : column_lineage(sql, kInputs)) {
        std::string line = column.column + " <-";
        for (const auto& part : column.parts)
            line += " " + part.table.full_name() + "." + part.column;
        out.push_back(line);
    }
    return out;
}

TEST(ColumnLineage, NamesAliasesCastsAndExpressions) {
    EXPECT_THAT(
        told("select s.sold_at::date as day, s.store_id, sum(s.units * s.price)::bigint as "
             "revenue,\n"
             "  max(case when w.temp_c > 3 then 1 else 0 end) hot, count(*) as n -- all\n"
             "from erp.sales s left join weather as w on w.day = s.sold_at::date group by 1, 2"),
        ElementsAre("day <- erp.sales.sold_at", "store_id <- erp.sales.store_id",
                    "revenue <- erp.sales.price erp.sales.units", "hot <- main.weather.temp_c",
                    "n <-"));
}

TEST(ColumnLineage, NamesWithoutATableWhereOnlyOneHasThem) {
    EXPECT_THAT(
        told(
            "select Region, upper(region) as u, \"units\" from erp.sales, weather where units > 0"),
        ElementsAre("region <- main.weather.region", "u <- main.weather.region",
                    "units <- erp.sales.units"));
}

TEST(ColumnLineage, SaysNothingWhereItIsNotPlain) {
    for (const char* sql :
         {"select * from nobody.knows", "select s.* from erp.sales t", "select * exclude (price) from erp.sales",
          "with a as (select 1) select x from a", "select units from erp.sales union select 1",
          "select units from erp.sales union select units, price from erp.sales", "select 1 + 1 from erp.sales",
          "with recursive r as (select units from erp.sales) select units from r",
          "select (select max(day) from weather) as newest from erp.sales",
          "select * from erp.sales join weather using (day)", "select a from (select units from erp.sales) x(a)",
          "select units", "", "update erp.sales set units = 1", "select x from range(10) t(x)",
          "select 'a", "select ((", "select a as from", "select \""})
        EXPECT_THAT(told(sql), IsEmpty()) << sql;
}

TEST(ColumnLineage, FollowsWithAndQueriesInFrom) {
    EXPECT_THAT(told("with a as (select store_id, sum(units) as sold from erp.sales group by 1),\n"
                     "     b as not materialized (select a.store_id, a.sold * 2 as twice from a)\n"
                     "select x.store_id, x.twice + 1 as more from (select * from b where twice > 3) as x order by 1;"),
                ElementsAre("store_id <- erp.sales.store_id", "more <- erp.sales.units"));
    // A WITH stands before a table of its name, but not of another database's.
    EXPECT_THAT(told("with weather as (select price as temp_c from erp.sales) select temp_c from weather"),
                ElementsAre("temp_c <- erp.sales.price"));
    EXPECT_THAT(told("with weather as (select price as temp_c from erp.sales) select temp_c from main.weather"),
                ElementsAre("temp_c <- main.weather.temp_c"));
}

TEST(ColumnLineage, AUnionsColumnIsOfEachPart) {
    EXPECT_THAT(told("(select units as n from erp.sales) union all select temp_c from weather union select price from erp.sales"),
                ElementsAre("n <- erp.sales.price erp.sales.units main.weather.temp_c"));
    EXPECT_THAT(told("select units from erp.sales except select temp_c from weather"), ElementsAre("units <- erp.sales.units"));
}

TEST(ColumnLineage, AStarIsTheColumnsInTheirOrder) {
    EXPECT_THAT(told("select w.*, s.units * 2 as twice, twice + 1 as more from weather w, erp.sales s"),
                ElementsAre("day <- main.weather.day", "region <- main.weather.region", "temp_c <- main.weather.temp_c",
                            "twice <- erp.sales.units", "more <- erp.sales.units"));
    EXPECT_THAT(told("select * from weather where day in (select sold_at from erp.sales)"),
                ElementsAre("day <- main.weather.day", "region <- main.weather.region", "temp_c <- main.weather.temp_c"));
}

TEST(ColumnLineage, WhatDoublesWithEachWithIsGivenUp) {
    std::string sql = "with a0 as (select * from erp.sales)";
    for (int i = 1; i < 40; ++i)
        sql += ", a" + std::to_string(i) + " as (select x.*, y.* from a" + std::to_string(i - 1) + " x, a" +
               std::to_string(i - 1) + " y)";
    EXPECT_THAT(told(sql + " select * from a39"), IsEmpty());
    std::string deep = "select units from erp.sales";
    for (int i = 0; i < 40; ++i) deep = "select units from (" + deep + ") q";
    EXPECT_THAT(told(deep), IsEmpty());
}

TEST(ColumnLineage, TextsAndCommentsAreNoNames) {
    EXPECT_THAT(told("select 'units' || store_id as x /* price */ from erp.sales"),
                ElementsAre("x <- erp.sales.store_id"));
}

}  // namespace
}  // namespace tarn::flows
