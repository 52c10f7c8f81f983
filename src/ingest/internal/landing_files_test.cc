#include "ingest/internal/landing_files.h"

#include <gtest/gtest.h>

namespace tarn::ingest {
namespace {

using query::Kind;
using Format = PostgresSource::Landing;

TEST(LandingFiles, Names) {
    EXPECT_EQ(load_file_key("erp", "sales", 10, Format::csv), "erp/sales/LOAD0000000A.csv");
    const auto at = parse_time("2026-11-21T19:45:12.123456Z");
    ASSERT_TRUE(at.ok());
    EXPECT_EQ(change_file_key("erp", "sales", *at, 0x16B374D848, 3, Format::parquet),
              "erp/sales/2026/11/21/20261121-194512123-00000016B374D848-00000003.parquet");
    const auto whole = parse_time("2026-01-02T03:04:05Z");
    EXPECT_EQ(change_file_key("erp", "sales", *whole, 1, 1, Format::csv),
              "erp/sales/2026/01/02/20260102-030405000-0000000000000001-00000001.csv");
}

TEST(LandingFiles, CsvTellsNullFromEmpty) {
    query::Chunk rows;
    rows.columns.emplace_back(query::Type(Kind::text));
    rows.columns.emplace_back(query::Type(Kind::text));
    const auto add = [&](std::optional<std::string> text) {
        rows.columns[0].append_text("I");
        if (text)
            rows.columns[1].append_text(*text);
        else
            rows.columns[1].append_null();
    };
    add("plain");
    add(std::nullopt);
    add("");
    add("a,\"b\"\r\nc");
    EXPECT_EQ(csv_file({{"Op", Kind::text}, {"x,y", Kind::text}}, rows),
              "Op,\"x,y\"\nI,plain\nI,\nI,\"\"\nI,\"a,\"\"b\"\"\r\nc\"\n");
}

TEST(LandingFiles, PositionReadsWhatItWrote) {
    const LandingPosition position{"16/B374D848", 77, 3, 12};
    const auto read = LandingPosition::decode(position.encode());
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->encode(), position.encode());
    EXPECT_EQ(LandingPosition::decode("{}").error().code, Code::corrupted);
    EXPECT_EQ(LandingPosition::decode("[1").error().code, Code::corrupted);
}

}  // namespace
}  // namespace tarn::ingest
