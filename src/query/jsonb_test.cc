#include "query/jsonb.h"

#include <gtest/gtest.h>

namespace tarn::query {
namespace {

std::string shown(std::string_view text) {
    const auto value = parse_jsonb(text);
    return value.ok() ? format_jsonb(*value) : value.error().reason;
}

std::string key(std::string_view text) {
    return jsonb_sort_key(*parse_jsonb(text));
}

TEST(Jsonb, IsWrittenInOneWay) {
    EXPECT_EQ(shown(R"( {"bb":1,"a" : [ 1 ,2.50],"bb":{"x":null} } )"),
              R"({"a": [1, 2.50], "bb": {"x": null}})");
    EXPECT_EQ(shown(R"("\u00e9\ud83d\ude00\/\u0007")"), "\"é😀/\\u0007\"");
    for (const auto& [number, as] : {std::pair("1e3", "1000"),
                                     {"-0.0", "0.0"},
                                     {"1.50e1", "15.0"},
                                     {"12E-4", "0.0012"},
                                     {"-1.5e-3", "-0.0015"},
                                     {"100e-2", "1.00"},
                                     {"0e5", "0"}})
        EXPECT_EQ(shown(number), as) << number;
}

TEST(Jsonb, WhatIsNoneIsRefused) {
    for (const char* text : {"", "{", "[1,]", "01", "1.", "-", "+1", "tru", "\"a\tb\"", "\"\\x\"",
                             "\"\\ud800\"", "\"\\udc00\"", "{a: 1}", "{\"a\" 1}", "1 2", "\"open"})
        EXPECT_EQ(shown(text), "22P02") << text;
    EXPECT_EQ(shown("\"\\u0000\""), "22P05");
    EXPECT_EQ(shown(std::string(2000, '[') + std::string(2000, ']')), "54001");
    EXPECT_EQ(shown("1e999999999999999999999"), "22003");
    EXPECT_EQ(shown("1e-90000"), "22003");
    std::string digits = "[1e9000";
    for (int i = 0; i < 100; ++i) digits += ",1e9000";
    EXPECT_EQ(shown(digits + "]"), "54000");
}

TEST(Jsonb, KeysSortAsValuesDo) {
    const char* ordered[] = {
        "[]",  "null",  "\"a\"",  "\"b\"", "-10",        "-9.5",       "-1",
        "0",   "0.001", "1",      "2",     "10",         "false",      "true",
        "[1]", "[2]",   "[1, 1]", "{}",    "{\"b\": 0}", "{\"b\": 1}", "{\"a\": 1, \"b\": 1}"};
    for (size_t i = 1; i < std::size(ordered); ++i)
        EXPECT_LT(key(ordered[i - 1]), key(ordered[i])) << ordered[i];
    EXPECT_EQ(key("[1.0, {\"a\": 1e1}]"), key("[1, {\"a\": 10.00}]"));
}

TEST(Jsonb, MuchToCompareEnds) {
    Jsonb whole, part;
    whole.kind = part.kind = Jsonb::Kind::array;
    whole.elements.resize(10'000);
    Jsonb one;
    one.kind = Jsonb::Kind::number;
    one.text = "1";
    part.elements.assign(10'000, one);
    whole.elements.back() = one;
    const auto found = jsonb_contains(whole, part);
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().reason, "54000");
}

TEST(Jsonb, LinesAreNotMostlyBlanks) {
    std::string deep;
    for (int i = 0; i < 900; ++i) deep += '[';
    for (int i = 0; i < 5000; ++i) deep += i == 0 ? "1" : ",1";
    deep += std::string(900, ']');
    EXPECT_FALSE(format_jsonb_lines(*parse_jsonb(deep)).ok());
    EXPECT_EQ(*format_jsonb_lines(*parse_jsonb("[1, {}]")), "[\n    1,\n    {\n    }\n]");
}

}  // namespace
}  // namespace tarn::query
