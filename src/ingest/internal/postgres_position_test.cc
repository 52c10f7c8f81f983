// Types, positions and the questions of a database source, without a database.
#include "ingest/internal/postgres_position.h"

#include <gtest/gtest.h>

namespace tarn::ingest {
namespace {

using query::Kind;
using query::Type;

PostgresTable orders() {
    PostgresTable table;
    table.schema = "public";
    table.outside = "Orders";
    table.name = "orders";
    table.key = {"id"};
    table.rows_estimated = 1'000'000;
    table.columns = {
        {"Id", "id", Kind::int64, "bigint", true, ""},
        {"code", "code", Kind::text, "character(8)", false, ""},
        {"updated_at", "updated_at", Kind::timestamptz, "timestamp with time zone", false, ""}};
    return table;
}

PostgresSource following(const std::string& by) {
    PostgresSource source;
    source.follow = PostgresSource::Follow::incremental;
    source.by = by;
    return source;
}

TEST(PostgresTypesTest, NumericByItsModifier) {
    const auto modifier = [](int precision, int scale) {
        return (precision << 16 | (scale & 0x7ff)) + 4;
    };
    EXPECT_EQ(type_of_postgres(1700, modifier(10, 2)), Type::decimal(10, 2));
    EXPECT_EQ(type_of_postgres(1700, modifier(38, 0)), Type::decimal(38, 0));
    EXPECT_EQ(type_of_postgres(1700, modifier(39, 0)), Type(Kind::text));
    EXPECT_EQ(type_of_postgres(1700, modifier(4, -2)), Type::decimal(6, 0));
    EXPECT_EQ(type_of_postgres(1700, modifier(2, 5)), Type::decimal(5, 5));
    EXPECT_EQ(type_of_postgres(1700, -1), Type::decimal(38, 9));
    EXPECT_EQ(type_of_postgres(21, -1), Type(Kind::int32));
    EXPECT_EQ(type_of_postgres(869, -1), Type(Kind::text));
}

TEST(PostgresPositionTest, ComesBackAsItWas) {
    for (const auto& position : {PostgresPosition{}, PostgresPosition{"id", std::nullopt, 0},
                                 PostgresPosition{"updated_at", "2026-11-21 10:00:00.5+00", 720}}) {
        const auto again = PostgresPosition::decode(position.encode());
        ASSERT_TRUE(again.ok());
        EXPECT_EQ(*again, position);
    }
    for (const char* broken : {"", "{}", "[1]", "42", "{\"by\":1}", "{\"by\""})
        EXPECT_EQ(PostgresPosition::decode(broken).error().code, Code::corrupted) << broken;
}

TEST(PostgresPositionTest, PlansByColumnKeyOrWhole) {
    auto table = orders();
    EXPECT_EQ(follow_plan(table, following("Updated_At"))->by, "updated_at");
    EXPECT_EQ(follow_plan(table, following(""))->by, "id");
    EXPECT_TRUE(follow_plan(table, following(""))->upsert);
    EXPECT_NE(
        follow_plan(table, following("changed_at")).error().message.find("no column changed_at"),
        std::string::npos);
    EXPECT_EQ(follow_plan(table, following("code")).error().code, Code::invalid_argument);
    table.rows_estimated = 500;
    EXPECT_EQ(follow_plan(table, following("changed_at"))->by, "");
    table.key.clear();
    EXPECT_EQ(follow_plan(table, following("")).error().code, Code::invalid_argument);
    EXPECT_FALSE(follow_plan(table, following("id"))->upsert);
}

TEST(PostgresPositionTest, AsksFromTheOverlapOn) {
    auto table = orders();
    const auto by_time = *follow_plan(table, following("updated_at"));
    EXPECT_EQ(
        follow_select(table, by_time, {"updated_at", "2026-11-21 10:00:00+00", 600}),
        "SELECT \"Id\", \"code\"::text, \"updated_at\" FROM \"public\".\"Orders\" WHERE "
        "\"updated_at\" >= "
        "'2026-11-21 10:00:00+00'::timestamptz - interval '600 seconds' ORDER BY \"updated_at\"");
    const auto by_key = *follow_plan(table, following(""));
    EXPECT_NE(
        follow_select(table, by_key, {"id", "7", 10'000}).find("\"Id\" >= '7'::bigint - 10000"),
        std::string::npos);
    EXPECT_NE(follow_select(table, by_key, {"id", "7'; DROP", 0}).find("'7''; DROP'"),
              std::string::npos);
    EXPECT_EQ(high_select(table, by_key, {}),
              "SELECT (max(\"Id\"))::text FROM \"public\".\"Orders\" WHERE TRUE");
    EXPECT_NE(high_select(table, by_time, {}).find("interval '1 day'"), std::string::npos);
    table.key.clear();  // nothing may come twice
    const auto only_adds = *follow_plan(table, following("id"));
    EXPECT_NE(follow_select(table, only_adds, {"id", "7", 0}).find("\"Id\" > '7'::bigint"),
              std::string::npos);
}

TEST(PostgresNamesTest, InTheLake) {
    EXPECT_EQ(lake_name("Customer Orders"), "customer_orders");
    EXPECT_EQ(lake_name("2024"), "_2024");
    EXPECT_EQ(lake_name(""), "_");
    EXPECT_EQ(lake_name(std::string(80, 'x')).size(), 63u);
    EXPECT_EQ(quote_name("a\"b"), "\"a\"\"b\"");
}

}  // namespace
}  // namespace tarn::ingest
