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
         {"select * from erp.sales", "select s.* from erp.sales s",
          "with a as (select 1) select x from a", "select units from erp.sales union select 1",
          "select x from (select units as x from erp.sales)", "select 1 + 1 from erp.sales",
          "select units", "", "update erp.sales set units = 1", "select x from range(10) t(x)",
          "select 'a", "select ((", "select a as from", "select \""})
        EXPECT_THAT(told(sql), IsEmpty()) << sql;
}

TEST(ColumnLineage, TextsAndCommentsAreNoNames) {
    EXPECT_THAT(told("select 'units' || store_id as x /* price */ from erp.sales"),
                ElementsAre("x <- erp.sales.store_id"));
}

}  // namespace
}  // namespace tarn::flows
