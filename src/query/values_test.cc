// Values in PostgreSQL's text and binary forms, and the tokenizer.
#include <gtest/gtest.h>

#include <limits>

#include "base/bytes.h"
#include "query/engine.h"
#include "query/internal/array_text.h"
#include "query/internal/sql_text.h"
#include "query/types.h"

namespace tarn::query {
namespace {

std::string round_trip(const Type& type, const std::string& text) {
    const auto value = parse_pg_text(type, text);
    if (!value.ok()) return "!" + value.error().reason;
    std::string bytes;
    append_pg_binary(type, *value, bytes);
    const auto back = parse_pg_binary(type, bytes);
    if (!back.ok()) return "!binary " + back.error().reason;
    EXPECT_EQ(*back, *value) << text;
    return pg_text(type, *back);
}

TEST(Values, RoundTrip) {
    EXPECT_EQ(round_trip(Kind::boolean, "yes"), "t");
    EXPECT_EQ(round_trip(Kind::int16, " -32768 "), "-32768");
    EXPECT_EQ(round_trip(Kind::int16, "32768"), "!22003");
    EXPECT_EQ(round_trip(Kind::int64, "12x"), "!22P02");
    EXPECT_EQ(round_trip(Kind::float64, "1e300"), "1e+300");
    EXPECT_EQ(round_trip(Kind::float64, "0.1"), "0.1");
    EXPECT_EQ(round_trip(Kind::float64, "-Infinity"), "-Infinity");
    EXPECT_EQ(round_trip(Type::decimal(10, 2), "-12.345"), "-12.35");
    EXPECT_EQ(round_trip(Type::decimal(4, 2), "100"), "!22003");
    EXPECT_EQ(round_trip(Type::decimal(38, 38), "0.12345678901234567890123456789012345678"),
              "0.12345678901234567890123456789012345678");
    EXPECT_EQ(round_trip(Type::decimal(38, 0), "-99999999999999999999999999999999999999"),
              "-99999999999999999999999999999999999999");
    EXPECT_EQ(round_trip(Type::decimal(18, 3), "0.001"), "0.001");
    EXPECT_EQ(round_trip(Type::decimal(18, 3), "10000"), "10000.000");
    EXPECT_EQ(round_trip(Kind::binary, "\\x00ff"), "\\x00ff");
    EXPECT_EQ(round_trip(Kind::date, "2024-02-29"), "2024-02-29");
    EXPECT_EQ(round_trip(Kind::date, "2023-02-29"), "!22P02");
    EXPECT_EQ(round_trip(Kind::date, "infinity"), "infinity");
    EXPECT_EQ(round_trip(Kind::time, "23:59:59.999999"), "23:59:59.999999");
    EXPECT_EQ(round_trip(Kind::timestamp, "1969-12-31 23:59:59.5"), "1969-12-31 23:59:59.5");
    EXPECT_EQ(round_trip(Kind::timestamptz, "2024-01-01T00:00:00-05:30"), "2024-01-01 05:30:00+00");
    EXPECT_EQ(round_trip(Kind::uuid, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"),
              "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    EXPECT_EQ(round_trip(Type::list(Kind::text), "{a,\"b, \\\"c\",NULL,\"null\",\"\"}"),
              "{a,\"b, \\\"c\",NULL,\"null\",\"\"}");
    EXPECT_EQ(round_trip(Type::list(Kind::text), "{\\a\\,b , c d,\\NULL}"),
              "{\"a,b\",\"c d\",\"NULL\"}");
    EXPECT_EQ(round_trip(Type::list(Kind::int32), "{}"), "{}");
    EXPECT_EQ(round_trip(Type::list(Kind::int32), "{1,"), "!22P02");
    EXPECT_EQ(round_trip(Kind::oid, "4294967295"), "4294967295");
    EXPECT_EQ(round_trip(Kind::oid, "-1"), "!22003");
    EXPECT_EQ(round_trip(Type::list(Kind::oid), "{16,NULL}"), "{16,NULL}");
    EXPECT_EQ(pg_oid(Type::list(Kind::oid)), 1028u);
    EXPECT_EQ(type_of_pg_oid(1028), Type::list(Kind::oid));
}

TEST(Values, BinaryArraysSayWhatTheyAreOf) {
    std::string bytes;
    append_pg_binary(Type::list(Kind::int64), Value(Values{Value(1), Value()}), bytes);
    EXPECT_TRUE(parse_pg_binary(Type::list(Kind::int64), bytes).ok());
    EXPECT_EQ(parse_pg_binary(Type::list(Kind::float64), bytes).error().reason, "42804");
    EXPECT_EQ(parse_pg_binary(Type::list(Kind::int64), bytes + "x").error().reason, "22P03");
}

TEST(SqlText, SplitsAndRewrites) {
    const auto parts =
        split_statements("select ';' ; -- ; \n select $a$;$a$; /* ; /* ; */ */ select \";\";;");
    ASSERT_EQ(parts.size(), 3u);
    EXPECT_EQ(parts[1].sql, "select $a$;$a$");
    const std::string sql =
        "select $1, a OPERATOR(pg_catalog.~) 'x' COLLATE pg_catalog.default, b::pg_catalog.text "
        "from t";
    auto edited = rewrite_spellings(sql, tokenize(sql), {Type(Kind::int32)});
    const std::string text = edited.finish();
    EXPECT_NE(text.find("CAST($1 AS INTEGER)"), std::string::npos) << text;
    EXPECT_EQ(text.find("pg_catalog"), std::string::npos) << text;
    EXPECT_EQ(sql.substr(edited.original_offset(text.find("from")), 4), "from");
}

std::string rewritten(const std::string& sql, const std::vector<std::optional<Type>>& types = {}) {
    return rewrite_spellings(sql, tokenize(sql), types).finish();
}

TEST(SqlText, Arrays) {
    EXPECT_EQ(rewritten("a = any('{1,NULL}')"), "a  IN ('1',NULL)");
    EXPECT_EQ(rewritten("a <> ALL ('{\"it''s\"}')"), "a  NOT IN ('it''s')");
    EXPECT_EQ(rewritten("a = any('{}')"), "a  IN (SELECT NULL WHERE false)");
    EXPECT_EQ(rewritten("a < any('{1}')"), "a < any('{1}')");
    EXPECT_EQ(rewritten("a = any('{1')"), "a = any('{1')");
    EXPECT_EQ(rewritten("a = any($1)", {std::nullopt}), "a =  ($1)");
    EXPECT_EQ(rewritten("a = any($1)", {Type::list(Kind::int32)}), "a = any(CAST($1 AS INTEGER[]))");
    EXPECT_EQ(rewritten("x::oid[], 5 as oid"), "x::TARN_OID[], 5 as oid");
    const std::string sql = "a = any($2) and b >= all($1) and c in ($3) or any($4)";
    EXPECT_EQ(array_parameters(tokenize(sql)), (std::vector<size_t>{2, 1}));
}

TEST(SqlText, ClausesOfTables) {
    const std::string sql = "create temp table t (a int primary key not enforced) on commit drop";
    Clauses clauses;
    EXPECT_EQ(rewrite_spellings(sql, tokenize(sql), {}, &clauses).finish(),
              "create temp table t (a int primary key  )  ");
    EXPECT_EQ(clauses.on_commit, OnCommit::drop);
    EXPECT_TRUE(clauses.key_not_enforced);
}

std::string without_clauses(const std::string& sql, Clauses& clauses) {
    return rewrite_spellings(sql, tokenize(sql), {}, &clauses).finish();
}

TEST(SqlText, ClausesThatDuckDbDoesNotKnow) {
    Clauses clauses;
    EXPECT_EQ(without_clauses("create table t (id serial not null, serial text) with (fillfactor=70)", clauses),
              "create table t (id integer DEFAULT tarn_identity('by default', 1, 1) not null, serial text)  ");
    EXPECT_EQ(clauses.notices.size(), 1u);
    EXPECT_EQ(without_clauses("create table t (a int generated always as identity (start with 5 increment by -2), b int)", clauses),
              "create table t (a int DEFAULT tarn_identity('always', 5, -2), b int)");
    EXPECT_EQ(without_clauses("select a from t x for no key update of x, y nowait limit 1", clauses), "select a from t x   limit 1");
    EXPECT_EQ(clauses.locks.of, (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(without_clauses("select 1 where a not ilike all('{b}') and substr(c for 2) = d", clauses),
              "select 1 where a  &!~~* CAST('{b}' AS VARCHAR[]) and substr(c for 2) = d");
    EXPECT_EQ(without_clauses("select a like any(select 1)", clauses), "select a like any(select 1)");
    EXPECT_EQ(without_clauses("select cast('t' as regclass), n from generate_series(1, 2) as n where n > 1", clauses),
              "select tarn_regclass('t'  ), n from generate_series(1, 2) as n(n) where n > 1");
    EXPECT_FALSE(clauses.refused);
    without_clauses("select 1 from t for update skip locked", clauses);
    EXPECT_TRUE(clauses.refused);
}

template <typename Number>
std::string big_endian(Number number) {
    std::string bytes;
    append_be(bytes, number);
    return bytes;
}

TEST(Values, TimesBeyondTheCalendarAreRefused) {
    const auto date = [](int32_t days) { return parse_pg_binary(Kind::date, big_endian(days)); };
    EXPECT_EQ(pg_text(Kind::date, *date(2'145'031'948)), "5874897-12-31");
    EXPECT_EQ(pg_text(Kind::date, *date(-2'451'545)), "4714-11-24 BC");
    EXPECT_EQ(pg_text(Kind::date, *date(std::numeric_limits<int32_t>::max())), "infinity");
    for (const int32_t days : {2'145'031'949, 2'147'483'646, -2'451'546}) EXPECT_EQ(date(days).error().reason, "22008") << days;
    for (const Kind kind : {Kind::timestamp, Kind::timestamptz}) {
        for (const int64_t micros : {std::numeric_limits<int64_t>::max() - 1, std::numeric_limits<int64_t>::min() + 1})
            EXPECT_EQ(parse_pg_binary(kind, big_endian(micros)).error().reason, "22008") << micros;
        EXPECT_EQ(pg_text(kind, *parse_pg_binary(kind, big_endian(std::numeric_limits<int64_t>::min()))), "-infinity");
    }
    for (const char* text : {"-67872026-11-20 17:30", "-0001-01-01"})
        EXPECT_EQ(parse_pg_text(Kind::timestamp, text).error().reason, "22P02") << text;
    EXPECT_EQ(pg_text(Kind::time, *parse_pg_binary(Kind::time, big_endian(int64_t{86'400'000'000}))), "24:00:00");
    for (const int64_t micros : {int64_t{-1}, int64_t{86'400'000'001}})
        EXPECT_EQ(parse_pg_binary(Kind::time, big_endian(micros)).error().reason, "22008") << micros;
}

TEST(ArrayText, AsPostgresReadsIt) {
    EXPECT_EQ(rewrite_array("{a,\"b, c\",NULL}"), "[\"a\",\"b, c\",NULL]");
    EXPECT_EQ(rewrite_array("{a\\, b}"), "[\"a, b\"]");
    EXPECT_EQ(rewrite_array("{ a b ,c\\ }"), "[\"a b\",\"c \"]");
    EXPECT_EQ(rewrite_array("{\\null,\\}}"), "[\"null\",\"}\"]");
    EXPECT_EQ(rewrite_array("{{1,2},{}}"), "[[\"1\",\"2\"],[]]");
    for (const char* broken : {"{a", "{a,}", "{a}b", "{a\"b\"}", "{{{{{{{1}}}}}}}", "a", "{a\\", "{{1}=}", "{{{1}}x}"})
        EXPECT_EQ(rewrite_array(broken), std::nullopt) << broken;
}

}  // namespace
}  // namespace tarn::query
