#include "ingest/internal/csv_guess.h"

#include <gtest/gtest.h>

#include "ingest/internal/folder_bytes.h"

namespace tarn::ingest {
namespace {

using query::Kind;

std::string layout_of(std::string_view text) {
    const auto layout = guess_layout(text, true, {});
    std::string out(1, layout.syntax.delimiter == '\t' ? 'T' : layout.syntax.delimiter);
    out += layout.syntax.quote;
    out += layout.header ? 'h' : '-';
    return out;
}

GuessedType type_of(const std::vector<std::string>& values, std::optional<char> decimal = {}) {
    std::vector<ColumnTally> columns(1);
    for (const auto& value : values) columns[0].observe(value);
    return decide_types(columns, decimal).columns[0];
}

std::string name_of(const std::vector<std::string>& values) {
    const auto guess = type_of(values);
    return query::pg_name(guess.type) + (guess.format.empty() ? "" : " " + guess.format);
}

TEST(CsvGuess, Layout) {
    EXPECT_EQ(layout_of("a,b,c\n1,2,3\n4,5,6\n"), ",\"h");
    EXPECT_EQ(
        layout_of("day;region;temp_c;rain\n2026-09-22;andes;16,6;5,2\n2026-09-23;coast;29,1;0,0\n"),
        ";\"h");
    EXPECT_EQ(layout_of("a\tb\n1\t2,5\n2\t3,5\n"), "T\"h");
    EXPECT_EQ(layout_of("a|b\nx, y|2\nx, z|3\n"), "|\"h");
    EXPECT_EQ(layout_of("name,text\n1,\"a;b;c\"\n2,\"d;e;f\"\n"), ",\"h");
    EXPECT_EQ(layout_of("'a','b'\n'x, y','2'\n'it''s','3'\n"), ",'h");
    EXPECT_EQ(layout_of("1,2\n3,4\n"), ",\"-");
    EXPECT_EQ(layout_of("2026-01-01,x\n2026-01-02,y\n"), ",\"-");
    EXPECT_EQ(layout_of("name\nanna\nbert\n"), ",\"h");
    EXPECT_EQ(layout_of(",store,brand\n1,2,3\n2,2,3\n"), ",\"h");
    EXPECT_EQ(layout_of("a;b\n1;2\nbroken\n3;4\n"), ";\"h");
    CsvDialect given;
    given.delimiter = '|';
    given.header = false;
    const auto layout = guess_layout("a,b\n1,2\n", true, given);
    EXPECT_EQ(layout.syntax.delimiter, '|');
    EXPECT_FALSE(layout.header);
}

TEST(CsvGuess, Types) {
    EXPECT_EQ(name_of({"1", "-2", "", "300"}), "bigint");
    EXPECT_EQ(name_of({"true", "FALSE", "t"}), "boolean");
    EXPECT_EQ(name_of({"0", "1"}), "bigint");
    EXPECT_EQ(name_of({"", ""}), "text");
    EXPECT_EQ(name_of({"1", "2", "x"}), "text");
    EXPECT_EQ(name_of({"00123", "4567"}), "text") << "leading zeros are identifiers";
    EXPECT_EQ(name_of({"0.5", "12", "3.25"}), "numeric(18,2)");
    EXPECT_EQ(name_of({"0.001", "2.5"}), "numeric(18,4)");
    EXPECT_EQ(name_of({"0.06046875", "1.5"}), "double precision");
    EXPECT_EQ(name_of({"1e5", "1.5"}), "double precision");
    EXPECT_EQ(name_of({"123456789012345.5"}), "double precision");
    EXPECT_EQ(name_of({"99999999999999999999"}), "text");
    EXPECT_EQ(name_of({"2026-11-20", "2026-02-28"}), "date");
    EXPECT_EQ(name_of({"2026-02-30"}), "text");
    EXPECT_EQ(name_of({"2026-11-20 08:26:00", "2026-11-20T08:26"}), "timestamp without time zone");
    EXPECT_EQ(name_of({"2026-11-20 08:26:00Z", "2026-11-20T08:26:01.5+01:00"}),
              "timestamp with time zone");
    EXPECT_EQ(name_of({"85123A", "71053"}), "text");
    EXPECT_EQ(type_of({"1,5", "2,25"}).type, query::Type::decimal(18, 2));
}

TEST(CsvGuess, DayAndMonth) {
    EXPECT_EQ(name_of({"01/02/2026", "13/02/2026"}), "date %d/%m/%Y");
    EXPECT_EQ(name_of({"01/02/2026", "02/13/2026"}), "date %m/%d/%Y");
    EXPECT_EQ(name_of({"1.2.2026", "3.4.2026"}), "date %d.%m.%Y");
    EXPECT_EQ(name_of({"12/13/10 8:26", "1/2/11 14:05"}),
              "timestamp without time zone %m/%d/%y %H:%M:%S.%f");
    EXPECT_EQ(name_of({"20-Nov-2026", "01-Jan-2026"}), "date %d-%b-%Y");
    // 13/02 and 02/13 in one column: neither order.
    EXPECT_EQ(name_of({"13/02/2026", "02/13/2026"}), "text");
    const auto unknown = type_of({"01/02/2026", "03/04/2026"});
    EXPECT_EQ(unknown.type, query::Type(Kind::text));
    EXPECT_FALSE(unknown.note.empty());
    // Another column of the file tells.
    std::vector<ColumnTally> columns(2);
    for (const char* value : {"01/02/2026", "03/04/2026"}) columns[0].observe(value);
    for (const char* value : {"25/02/2026 10:00", "03/04/2026 11:00"}) columns[1].observe(value);
    const auto both = decide_types(columns, {});
    EXPECT_EQ(both.columns[0].format, "%d/%m/%Y");
    EXPECT_EQ(both.columns[1].format, "%d/%m/%Y %H:%M:%S.%f");
}

TEST(CsvGuess, NearlyAllIsEnough) {
    std::vector<std::string> numbers(1000, "12"), decimals(60, "1,5"), few(20, "1,5");
    numbers.push_back("n/a");
    decimals.push_back("sin dato");
    few.push_back("sin dato");
    EXPECT_EQ(name_of(numbers), "bigint");
    EXPECT_EQ(name_of(decimals), "numeric(18,2)");
    EXPECT_EQ(name_of(few), "text");
    std::vector<std::string> identifiers(99, "12");
    identifiers.push_back("A1");
    EXPECT_EQ(name_of(identifiers), "text");
}

TEST(CsvGuess, Names) {
    EXPECT_EQ(column_names({"InvoiceNo", "estación", " Unit Price ", "", "2nd", "a b", "a_b",
                            "Größe", "_x", "日本"}),
              (std::vector<std::string>{"invoiceno", "estacion", "unit_price", "column4", "_2nd",
                                        "a_b", "a_b_2", "grose", "_x", "column10"}));
}

TEST(CsvValue, Formats) {
    int64_t micros = 0;
    EXPECT_TRUE(TimeFormat::compile("%d/%m/%Y %H:%M")->parse("20/11/2026 17:30", micros));
    EXPECT_EQ(micros, 1795195800000000);
    EXPECT_TRUE(TimeFormat::compile("%Y-%m-%dT%T%z")->parse("2026-11-20T18:30:00+01:00", micros));
    EXPECT_EQ(micros, 1795195800000000);
    EXPECT_TRUE(TimeFormat::compile("%m/%d/%Y %I:%M %p")->parse("11/20/2026 5:30 PM", micros));
    EXPECT_EQ(micros, 1795195800000000);
    EXPECT_FALSE(TimeFormat::compile("%d/%m/%Y")->parse("31/02/2026", micros));
    EXPECT_FALSE(TimeFormat::compile("%d/%m/%Y")->parse("20/11/2026x", micros));
    EXPECT_FALSE(TimeFormat::compile("%d/%m").ok());
    EXPECT_FALSE(TimeFormat::compile("%d/%m/%Q").ok());
    bool zone = false;
    EXPECT_TRUE(parse_iso_timestamp("2026-11-20 12:30:00-05", micros, zone));
    EXPECT_TRUE(zone);
    EXPECT_EQ(micros, 1795195800000000);
    EXPECT_FALSE(parse_iso_timestamp("2026-11-20 25:30", micros, zone));
}

TEST(CsvValue, Decimals) {
    query::Int128 out = 0;
    EXPECT_EQ(parse_decimal("-12,5", ',', 18, 2, out), DecimalFit::ok);
    EXPECT_EQ(static_cast<int64_t>(out), -1250);
    EXPECT_EQ(parse_decimal("7", '.', 18, 2, out), DecimalFit::ok);
    EXPECT_EQ(static_cast<int64_t>(out), 700);
    EXPECT_EQ(parse_decimal("7.1000", '.', 18, 2, out), DecimalFit::ok);
    EXPECT_EQ(static_cast<int64_t>(out), 710);
    EXPECT_EQ(parse_decimal("7.101", '.', 18, 2, out), DecimalFit::too_many_decimals);
    EXPECT_EQ(parse_decimal("7.10x", '.', 18, 2, out), DecimalFit::not_a_number);
    EXPECT_EQ(parse_decimal("12345", '.', 5, 2, out), DecimalFit::too_large);
    EXPECT_EQ(parse_decimal(".", '.', 5, 2, out), DecimalFit::not_a_number);
    EXPECT_EQ(parse_decimal("", '.', 5, 2, out), DecimalFit::not_a_number);
    EXPECT_EQ(parse_decimal("1.2.3", '.', 5, 2, out), DecimalFit::not_a_number);
}

TEST(Transcoder, Encodings) {
    EXPECT_EQ(guess_encoding("plain", false), std::nullopt);
    EXPECT_EQ(guess_encoding("estaci\xc3\xb3n", false), Encoding::utf8);
    EXPECT_EQ(guess_encoding("estaci\xc3", true), Encoding::utf8);
    EXPECT_EQ(guess_encoding("estaci\xf3n", false), Encoding::latin1);
    EXPECT_EQ(guess_encoding(std::string_view("a\0;\0b\0\n\0", 8), false), Encoding::utf16_little);
    EXPECT_EQ(guess_encoding("\xfe\xff", false), Encoding::utf16_big);
    const auto all = [](Encoding encoding, std::string_view bytes, size_t step) {
        Transcoder transcoder(encoding);
        std::string out;
        for (size_t at = 0; at < bytes.size(); at += step)
            out += transcoder.convert(bytes.substr(at, step));
        return out + std::string(transcoder.finish());
    };
    for (const size_t step : {1, 2, 3, 100}) {
        EXPECT_EQ(all(Encoding::utf8, "\xef\xbb\xbfx\xc3\xb3", step), "x\xc3\xb3");
        EXPECT_EQ(all(Encoding::utf8, "ab", step), "ab");
        EXPECT_EQ(all(Encoding::latin1, "5 \x80 \xf3", step), "5 \xe2\x82\xac \xc3\xb3");
        EXPECT_EQ(all(Encoding::utf16_little, std::string_view("\xff\xfe\x61\0\x3d\xd8\x00\xde", 8),
                      step),
                  "a\xf0\x9f\x98\x80");
        EXPECT_EQ(all(Encoding::utf16_big, std::string_view("\0\x61\xd8\x3d", 4), step),
                  "a\xef\xbf\xbd");
    }
}

}  // namespace
}  // namespace tarn::ingest
