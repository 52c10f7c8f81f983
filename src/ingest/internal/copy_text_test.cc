// COPY's text format into columns: every type, NULL, escapes, infinity, arrays, and bytes that are
// no row.
#include "ingest/internal/copy_text.h"

#include <gtest/gtest.h>

namespace tarn::ingest {
namespace {

using query::Kind;
using query::Type;

/// The one value of a one-column row, as PostgreSQL prints it; "NULL"; or "!" and the error.
std::string read(const Type& type, std::string_view field) {
    CopyTextDecoder decoder({{"c", type}});
    auto chunk = decoder.make_chunk(1);
    const Status done = decoder.decode(std::string(field) + "\n", chunk);
    if (!done.ok()) return "!" + done.error().message;
    if (chunk.rows() != 1) return "!no row";
    if (chunk.columns[0].is_null(0)) return "NULL";
    std::string out;
    chunk.columns[0].append_pg_text(0, out);
    return out;
}

bool refused(const Type& type, std::string_view field) {
    return read(type, field).starts_with("!");
}

TEST(CopyTextTest, IntegersAndBooleans) {
    EXPECT_EQ(read(Kind::int32, "2147483647"), "2147483647");
    EXPECT_EQ(read(Kind::int32, "-2147483648"), "-2147483648");
    EXPECT_EQ(read(Kind::int64, "-9223372036854775808"), "-9223372036854775808");
    EXPECT_EQ(read(Kind::int16, "-32768"), "-32768");
    EXPECT_EQ(read(Kind::boolean, "t"), "t");
    EXPECT_EQ(read(Kind::boolean, "f"), "f");
    EXPECT_TRUE(refused(Kind::int32, "2147483648"));
    EXPECT_TRUE(refused(Kind::int64, "9223372036854775808"));
    EXPECT_TRUE(refused(Kind::int32, ""));
    EXPECT_TRUE(refused(Kind::int32, "1x"));
    EXPECT_TRUE(refused(Kind::boolean, "maybe"));
}

TEST(CopyTextTest, Reals) {
    EXPECT_EQ(read(Kind::float64, "1e+300"), "1e+300");
    EXPECT_EQ(read(Kind::float64, "0.1"), "0.1");
    EXPECT_EQ(read(Kind::float32, "1.5"), "1.5");
    EXPECT_EQ(read(Kind::float64, "NaN"), "NaN");
    EXPECT_EQ(read(Kind::float64, "-Infinity"), "-Infinity");
    EXPECT_EQ(read(Kind::float32, "Infinity"), "Infinity");
    EXPECT_TRUE(refused(Kind::float64, "1,5"));
}

TEST(CopyTextTest, Decimals) {
    EXPECT_EQ(read(Type::decimal(5, 2), "999.99"), "999.99");
    EXPECT_EQ(read(Type::decimal(5, 2), "-0.5"), "-0.50");
    EXPECT_EQ(read(Type::decimal(18, 0), "999999999999999999"), "999999999999999999");
    EXPECT_EQ(read(Type::decimal(38, 9), "-99999999999999999999999999999.999999999"),
              "-99999999999999999999999999999.999999999");
    EXPECT_EQ(read(Type::decimal(38, 9), "0.000000001"), "0.000000001");
    EXPECT_EQ(read(Type::decimal(5, 5), "0.00012"), "0.00012");
    // More digits than the scale has: rounded as PostgreSQL rounds.
    EXPECT_EQ(read(Type::decimal(38, 9), "0.33333333333333333333"), "0.333333333");
    EXPECT_EQ(read(Type::decimal(38, 9), "0.66666666666666666666"), "0.666666667");
    EXPECT_TRUE(refused(Type::decimal(5, 2), "1000"));
    EXPECT_TRUE(refused(Type::decimal(5, 2), "999.999"));
    EXPECT_TRUE(refused(Type::decimal(38, 9), "NaN"));
    EXPECT_TRUE(refused(Type::decimal(38, 9), "1234567890123456789012345678901"));
    EXPECT_TRUE(refused(Type::decimal(5, 2), "1.2.3"));
    EXPECT_TRUE(refused(Type::decimal(5, 2), "-"));
    EXPECT_TRUE(refused(Type::decimal(5, 2), "."));
    EXPECT_NE(read(Type::decimal(38, 9), "NaN").find("read a view"), std::string::npos);
}

TEST(CopyTextTest, TextsAndEscapes) {
    EXPECT_EQ(read(Kind::text, "plain"), "plain");
    EXPECT_EQ(read(Kind::text, ""), "");
    EXPECT_EQ(read(Kind::text, "\\N"), "NULL");
    EXPECT_EQ(read(Kind::text, "\\\\N"), "\\N");
    EXPECT_EQ(read(Kind::text, "a\\tb\\nc\\\\d\\re\\bf\\fg\\vh"), "a\tb\nc\\d\re\bf\fg\vh");
    EXPECT_EQ(read(Kind::text, "\xc3\xbc\xe2\x82\xac"), "\xc3\xbc\xe2\x82\xac");
    EXPECT_TRUE(refused(Kind::text, "half an escape\\"));
}

TEST(CopyTextTest, UnknownEncodings) {
    CopyTextDecoder decoder({{"c", Kind::text}});
    decoder.trust_utf8(false);
    auto chunk = decoder.make_chunk(1);
    EXPECT_TRUE(decoder.decode("\xc3\xbc\n", chunk).ok());
    EXPECT_EQ(decoder.decode("\xfc\n", chunk).error().code, Code::invalid_argument);
}

TEST(CopyTextTest, DatesAndTimes) {
    EXPECT_EQ(read(Kind::date, "2026-11-21"), "2026-11-21");
    EXPECT_EQ(read(Kind::date, "1969-12-31"), "1969-12-31");
    EXPECT_EQ(read(Kind::date, "12026-11-21"), "12026-11-21");
    EXPECT_EQ(read(Kind::date, "infinity"), "infinity");
    EXPECT_EQ(read(Kind::date, "-infinity"), "-infinity");
    EXPECT_EQ(read(Kind::date, "0044-03-15 BC"), "0044-03-15 BC");
    EXPECT_EQ(read(Kind::date, "0001-01-01 BC"), "0001-01-01 BC");
    EXPECT_EQ(read(Kind::time, "24:00:00"), "24:00:00");
    EXPECT_EQ(read(Kind::time, "23:59:59.999999"), "23:59:59.999999");
    EXPECT_EQ(read(Kind::timestamp, "2026-11-21 17:30:00.5"), "2026-11-21 17:30:00.5");
    EXPECT_EQ(read(Kind::timestamp, "infinity"), "infinity");
    EXPECT_EQ(read(Kind::timestamp, "-infinity"), "-infinity");
    EXPECT_EQ(read(Kind::timestamp, "0044-03-15 12:00:00.25 BC"), "0044-03-15 12:00:00.25 BC");
    EXPECT_EQ(read(Kind::timestamp, "20000-01-01 00:00:00"), "20000-01-01 00:00:00");
    EXPECT_EQ(read(Kind::timestamptz, "1999-12-31 23:59:59.999999+00"),
              "1999-12-31 23:59:59.999999+00");
    EXPECT_EQ(read(Kind::timestamptz, "2026-11-21 17:30:00+01"), "2026-11-21 16:30:00+00");
    EXPECT_TRUE(refused(Kind::date, "2026-13-01"));
    EXPECT_TRUE(refused(Kind::date, "2026-11"));
    EXPECT_TRUE(refused(Kind::date, " BC"));
    EXPECT_TRUE(refused(Kind::time, "25:00:00"));
    EXPECT_TRUE(refused(Kind::time, "24:00:01"));
    EXPECT_TRUE(refused(Kind::timestamp, "2026-11-21 17"));
    EXPECT_TRUE(refused(Kind::timestamp, "2026-11-21 17:30:00.12345678x"));
}

TEST(CopyTextTest, IdentifiersAndBytes) {
    EXPECT_EQ(read(Kind::uuid, "6f1f2a54-3f5e-4b77-9f0d-2a3c4d5e6f70"),
              "6f1f2a54-3f5e-4b77-9f0d-2a3c4d5e6f70");
    EXPECT_TRUE(refused(Kind::uuid, "6f1f2a54-3f5e-4b77-9f0d-2a3c4d5e6f7"));
    EXPECT_TRUE(refused(Kind::uuid, "6f1f2a54-3f5e-4b77-9f0d-2a3c4d5e6f7x"));
    EXPECT_EQ(read(Kind::binary, "\\\\x00ff5c09"), "\\x00ff5c09");
    EXPECT_EQ(read(Kind::binary, "\\\\x"), "\\x");
    EXPECT_TRUE(refused(Kind::binary, "\\\\x0"));
    EXPECT_TRUE(refused(Kind::binary, "\\\\xzz"));
}

TEST(CopyTextTest, Arrays) {
    EXPECT_EQ(read(Type::list(Kind::int32), "{1,NULL,3}"), "{1,NULL,3}");
    EXPECT_EQ(read(Type::list(Kind::int32), "{}"), "{}");
    EXPECT_EQ(read(Type::list(Kind::int32), "\\N"), "NULL");
    EXPECT_EQ(read(Type::list(Kind::text), "{\"a,b\",\"NULL\",NULL,\"q\\\\\"uote\",\"\"}"),
              "{\"a,b\",\"NULL\",NULL,\"q\\\"uote\",\"\"}");
    EXPECT_EQ(read(Type::list(Type::decimal(8, 3)), "{1.5,2.25}"), "{1.500,2.250}");
    EXPECT_TRUE(refused(Type::list(Kind::int32), "{1,2"));
    EXPECT_TRUE(refused(Type::list(Kind::int32), "{1,,2}"));
    EXPECT_NE(read(Type::list(Kind::int32), "{{1,2},{3,4}}").find("arrays of arrays"),
              std::string::npos);
}

TEST(CopyTextTest, Rows) {
    CopyTextDecoder decoder({{"a", Kind::int32}, {"b", Kind::text}, {"c", Kind::boolean}});
    auto chunk = decoder.make_chunk(2);
    ASSERT_TRUE(decoder.decode("1\tx\tt\n", chunk).ok());
    ASSERT_TRUE(decoder.decode("\\N\t\\N\t\\N", chunk).ok());
    ASSERT_EQ(chunk.rows(), 2u);
    EXPECT_EQ(chunk.columns[0].number(0), 1);
    EXPECT_EQ(chunk.columns[1].text(0), "x");
    for (const auto& column : chunk.columns) EXPECT_TRUE(column.is_null(1));
    for (const char* broken : {"1\tx\n", "1\tx\tt\tmore\n", "\n", "1"}) {
        auto spoilt = decoder.make_chunk(1);
        EXPECT_EQ(decoder.decode(broken, spoilt).error().code, Code::corrupted) << broken;
    }
    auto spoilt = decoder.make_chunk(1);
    const Status wrong = decoder.decode("one\tx\tt\n", spoilt);
    EXPECT_NE(wrong.error().message.find("column a"), std::string::npos);
}

}  // namespace
}  // namespace tarn::ingest
