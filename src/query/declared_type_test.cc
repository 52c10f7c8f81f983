#include "query/declared_type.h"

#include <gtest/gtest.h>

namespace tarn::query {
namespace {

using Kind = DeclaredType::Kind;

TEST(DeclaredType, IsReadAsItIsWritten) {
    for (const char* text : {"smallint", "varchar", "varchar(3)", "bpchar", "bpchar(10485760)"})
        EXPECT_EQ(declared_text(parse_declared(text)), text);
    EXPECT_EQ(parse_declared("varchar(3)"), (DeclaredType{Kind::varchar, 3}));
}

TEST(DeclaredType, KnowsNothingElse) {
    for (const char* text : {"", "json", "jsonb", "int", "varchar(", "varchar()", "varchar(0)",
                             "varchar(-1)", "varchar(3", "varchar(3)x", "varchar(3,4)",
                             "varchar(10485761)", "varchar(99999999999)", "smallint(2)"})
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
