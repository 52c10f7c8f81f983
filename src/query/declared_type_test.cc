#include "query/declared_type.h"

#include <gtest/gtest.h>

#include <limits>

namespace tarn::query {
namespace {

using Kind = DeclaredType::Kind;

TEST(DeclaredType, IsReadAsItIsWritten) {
    for (const char* text :
         {"smallint", "varchar", "varchar(3)", "bpchar", "bpchar(10485760)", "time(0)",
          "timestamp(3)", "timestamptz(6)", "varchar(3)[]", "smallint[]"})
        EXPECT_EQ(declared_text(parse_declared(text)), text);
    EXPECT_EQ(parse_declared("varchar(3)"), (DeclaredType{Kind::varchar, 3}));
}

TEST(DeclaredType, KnowsNothingElse) {
    for (const char* text :
         {"", "json", "jsonb", "int", "varchar(", "varchar()", "varchar(0)", "varchar(-1)",
          "varchar(3", "varchar(3)x", "varchar(3,4)", "varchar(10485761)", "varchar(99999999999)",
          "smallint(2)", "timestamp", "timestamp(7)", "time(-1)", "[]", "varchar[](3)"})
        EXPECT_FALSE(parse_declared(text)) << text;
}

TEST(DeclaredType, IsSaidAsPostgresSaysIt) {
    const auto varchar = pg_type(query::Kind::text, {Kind::varchar, 3});
    EXPECT_EQ(varchar.oid, 1043u);
    EXPECT_EQ(varchar.modifier, 7);
    EXPECT_EQ(varchar.name, "character varying(3)");
    const auto smallint = pg_type(query::Kind::int32, {Kind::smallint, 0});
    EXPECT_EQ(smallint.oid, 21u);
    EXPECT_EQ(smallint.length, 2);
    EXPECT_EQ(pg_type(query::Kind::text, {Kind::bpchar, 5}).name, "character(5)");
    EXPECT_EQ(pg_type(query::Kind::text, {Kind::bpchar, 0}).name, "bpchar");
    EXPECT_EQ(pg_type(query::Kind::int64, {}).name, "bigint");
    EXPECT_EQ(pg_type(query::Kind::timestamp, {Kind::timestamp, 0}).modifier, 0);
    EXPECT_EQ(pg_type(query::Kind::timestamp, {Kind::timestamptz, 3}).name,
              "timestamp(3) with time zone");
    EXPECT_EQ(pg_type(Type::list(query::Kind::text), {Kind::varchar, 3, true}).name,
              "character varying(3)[]");
}

TEST(DeclaredType, RoundsTimesAsPostgresDoes) {
    const DeclaredType millis{Kind::timestamp, 3}, seconds{Kind::timestamp, 0}, time{Kind::time, 2};
    EXPECT_EQ(fit_time(millis, 1'700'000'000'123'500), 1'700'000'000'124'000);
    EXPECT_EQ(fit_time(millis, 1'700'000'000'123'499), 1'700'000'000'123'000);
    EXPECT_EQ(fit_time(millis, 123'500), 123'000);  // before 2000
    EXPECT_EQ(fit_time(seconds, 1'700'000'000'500'000), 1'700'000'001'000'000);
    EXPECT_EQ(fit_time(time, 45'296'789'000), 45'296'790'000);
    EXPECT_EQ(fit_time({Kind::timestamp, 6}, 1'700'000'000'123'456), 1'700'000'000'123'456);
    for (const int64_t end :
         {std::numeric_limits<int64_t>::max(), -std::numeric_limits<int64_t>::max()})
        EXPECT_EQ(fit_time(millis, end), end);
}

TEST(DeclaredType, CountsCharactersAndCutsSpaces) {
    const DeclaredType varchar{Kind::varchar, 3}, padded{Kind::bpchar, 3};
    EXPECT_EQ(fit_text(varchar, "abc"), "abc");
    EXPECT_EQ(fit_text(varchar, "abc   "), "abc");
    EXPECT_EQ(fit_text(varchar, "a  "), "a  ");
    EXPECT_EQ(fit_text(varchar, "äöü"), "äöü");
    EXPECT_EQ(fit_text(varchar, "äöü "), "äöü");
    EXPECT_EQ(fit_text(varchar, "abcd"), std::nullopt);
    EXPECT_EQ(fit_text(varchar, "abc d"), std::nullopt);
    EXPECT_EQ(fit_text(padded, "a  "), "a");
    EXPECT_EQ(fit_text(padded, "abc    "), "abc");
    EXPECT_EQ(fit_text(padded, "   "), "");
    EXPECT_EQ(fit_text(padded, "abcd"), std::nullopt);
    EXPECT_EQ(fit_text({Kind::bpchar, 0}, "ab "), "ab");
    EXPECT_EQ(padding_of(padded, "ä"), 2u);
    EXPECT_EQ(padding_of(padded, "abcd"), 0u);
    EXPECT_EQ(padding_of(varchar, "a"), 0u);
}

}  // namespace
}  // namespace tarn::query
