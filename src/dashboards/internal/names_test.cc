#include "dashboards/internal/names.h"

#include <gtest/gtest.h>

namespace tarn::dashboards {
namespace {

TEST(Names, TablesOfSql) {
    const auto found = possible_tables(
        "select s.units, 'from hidden' from Levels s join erp.shelf_map m using (shelf_id) -- , "
        "lost\n"
        "where x in (select y from \"daily sales\") /* gone */ and z = $$ from never $$");
    EXPECT_TRUE(found.contains(Name("main", "levels")));
    EXPECT_TRUE(found.contains(Name("erp", "shelf_map")));
    EXPECT_TRUE(found.contains(Name("main", "daily sales")));
    for (const char* absent : {"hidden", "lost", "gone", "never"})
        EXPECT_FALSE(found.contains(Name("main", absent))) << absent;
}

TEST(Names, UnclosedQuotesEnd) {
    for (const char* text :
         {"'abc", "\"abc", "$$abc", "/* abc", "-- abc", "$a$ b $a", "a.", ".", ""})
        possible_tables(text);
}

TEST(Names, Quoting) {
    EXPECT_EQ(quoted_name(R"(a"b)"), R"("a""b")");
    EXPECT_EQ(quoted_name(Name("erp", "sales")), R"("erp"."sales")");
    EXPECT_EQ(parse_name("erp.sales").value(), Name("erp", "sales"));
    EXPECT_EQ(parse_name("risk").value(), Name("main", "risk"));
    for (const char* bad : {"", "a b", "risk; drop table x", "a.b.c", "Risk", "risk\"", "1a", "."})
        EXPECT_FALSE(parse_name(bad).ok()) << bad;
}

TEST(Names, Labels) {
    EXPECT_EQ(split_label("sum(units) as sold").second, "sold");
    EXPECT_EQ(split_label("sum(units) as sold").first, "sum(units)");
    EXPECT_EQ(split_label("sum(units) as \"Units sold\"").second, "Units sold");
    EXPECT_EQ(split_label("cast(units as bigint)").second, "");
    EXPECT_EQ(split_label("cast(units as bigint)").first, "cast(units as bigint)");
    EXPECT_EQ(column_of("units"), "units");
    EXPECT_EQ(column_of("sum(units)"), "units");
    EXPECT_EQ(column_of("sum(units)::bigint"), "units");
    EXPECT_EQ(column_of("count(*)"), "");
    EXPECT_EQ(column_of("sum(a) / sum(b)"), "");
}

}  // namespace
}  // namespace tarn::dashboards
