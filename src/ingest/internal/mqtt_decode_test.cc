#include "ingest/internal/mqtt_decode.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "base/random.h"
#include "ingest/internal/mqtt_batch.h"

namespace tarn::ingest {
namespace {

using query::Kind;
using query::Type;

SourceSpec source(std::vector<ColumnSpec> columns, std::vector<std::string> key = {},
                  std::string topic = "t/{shelf}") {
    MqttSource from;
    from.topic = std::move(topic);
    from.columns = std::move(columns);
    from.key = std::move(key);
    return {"s", "main", from};
}

/// The row as PostgreSQL prints it, or "!" and the reason.
std::string decode(const MqttShape& shape, std::string_view payload,
                   std::string_view topic = "t/A") {
    MqttDecoder decoder(shape);
    const Status done = decoder.decode(topic, payload);
    if (!done.ok()) return "!" + done.error().message;
    std::string out;
    for (size_t i = 0; i < shape.columns.size(); ++i) {
        if (i > 0) out += '|';
        const auto& value = decoder.row()[i];
        out += value.is_null() ? "NULL" : query::pg_text(shape.columns[i].type, value);
    }
    return out;
}

MqttShape shape_of(const SourceSpec& spec) {
    auto made = MqttShape::make(spec);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return std::move(made).value();
}

struct Case {
    Type type;
    const char* json;
    const char* is;  // a trailing "..." ends a comparison of the beginning
};

TEST(MqttDecode, EveryTypeTakesWhatItHoldsExactly) {
    const Case cases[] = {
        {Kind::int64, "7", "7"},
        {Kind::int64, "-9223372036854775808", "-9223372036854775808"},
        {Kind::int64, "9223372036854775808", "!v: 9223372036854775808 is out of range for bigint"},
        {Kind::int64, "17.0", "17"},
        {Kind::int64, "1e3", "1000"},
        {Kind::int64, "1.5", "!v: 1.5 is no whole number"},
        {Kind::int64, "1e30", "!v: 1e30 is out of range for bigint"},
        {Kind::int64, "\"7\"", "!v: the text \"7\" is no bigint"},
        {Kind::int64, "true", "!v: true is no bigint"},
        {Kind::int64, "[7]", "!v: an array is no bigint"},
        {Kind::int64, "{\"a\":7}", "!v: an object is no bigint"},
        {Kind::int64, "null", "NULL"},
        {Kind::int32, "2147483647", "2147483647"},
        {Kind::int32, "2147483648", "!v: 2147483648 is out of range for integer"},
        {Kind::int16, "32767", "32767"},
        {Kind::int16, "32768", "!v: 32768 is out of range for smallint"},
        {Kind::float64, "0.1", "0.1"},
        {Kind::float64, "-1e-400", "-0"},
        {Kind::float64, "1e400", "!v: 1e400 is out of range for double precision"},
        {Kind::float64, "NaN", "!the payload is not JSON..."},
        {Kind::float64, "Infinity", "!the payload is not JSON..."},
        {Kind::float64, "\"1.5\"", "!v: the text \"1.5\" is no double precision"},
        {Kind::float32, "1e39", "!v: 1e39 is out of range for real"},
        {Kind::float32, "1.5", "1.5"},
        {Type::decimal(10, 2), "12.34", "12.34"},
        {Type::decimal(10, 2), "\"12.34\"", "12.34"},
        {Type::decimal(10, 2), "12.345", "12.35"},
        {Type::decimal(10, 2), "1e3", "1000.00"},
        {Type::decimal(4, 2), "123.4", "!v: 123.4 is out of range for numeric(4,2)"},
        {Type::decimal(38, 10), "1234567890123456789012345678.0123456789",
         "1234567890123456789012345678.0123456789"},
        {Type::decimal(10, 2), "\"x\"", "!v: \"x\" is no numeric(10,2)"},
        {Kind::boolean, "true", "t"},
        {Kind::boolean, "1", "!v: the number 1 is no boolean"},
        {Kind::text, "\"caf\\u00e9 \\ud83e\\udd64\"", "café 🥤"},
        {Kind::text, "7.10", "7.10"},
        {Kind::text, "false", "false"},
        {Kind::text, "{\"a\": [1, 2 ] } ", "{\"a\": [1, 2 ] }"},
        {Kind::text, "[]", "[]"},
        {Kind::text, "\"a\\u0000b\"", "!v: a text with a zero byte"},
        {Kind::text, "\"\\ud800\"", "!the payload is not JSON..."},
        {Kind::json, "{\"a\":1}", "{\"a\":1}"},
        {Kind::date, "\"2026-11-20\"", "2026-11-20"},
        {Kind::date, "\"2026-02-30\"", "!v: \"2026-02-30\" is no date"},
        {Kind::date, "\"infinity\"", "!v: infinity is no date"},
        {Kind::time, "\"17:30:01.5\"", "17:30:01.5"},
        {Kind::timestamp, "\"2026-11-20T17:30:00\"", "2026-11-20 17:30:00"},
        {Kind::timestamptz, "\"2026-11-20T17:30:00Z\"", "2026-11-20 17:30:00+00"},
        {Kind::timestamptz, "\"2026-11-20T17:30:00.123456-05:00\"",
         "2026-11-20 22:30:00.123456+00"},
        {Kind::timestamptz, "\"2026-11-20 17:30:00\"", "2026-11-20 17:30:00+00"},
        {Kind::timestamptz, "1763659800",
         "!v: the number 1763659800 is no timestamp with time zone"},
        {Kind::timestamptz, "\"yesterday\"", "!v: \"yesterday\" is no timestamp with time zone"},
        {Kind::uuid, "\"123e4567-e89b-12d3-a456-426614174000\"",
         "123e4567-e89b-12d3-a456-426614174000"},
        {Kind::uuid, "\"123\"", "!v: \"123\" is no uuid"},
    };
    for (const auto& one : cases) {
        const auto shape = shape_of(source({{"v", one.type}}, {}, "t/+"));
        const std::string got = decode(shape, std::string("{\"v\":") + one.json + "}");
        const std::string_view want = one.is;
        if (want.ends_with("..."))
            EXPECT_EQ(got.substr(0, want.size() - 3), want.substr(0, want.size() - 3)) << one.json;
        else
            EXPECT_EQ(got, want) << one.json;
    }
}

TEST(MqttDecode, OnlyOneObjectOfJsonIsAReading) {
    const auto shape = shape_of(source({{"v", Kind::int64}, {"w", Kind::text}}, {"shelf", "v"}));
    std::string deep = "{\"v\":1,\"x\":";
    for (int i = 0; i < 40; ++i) deep += '[';
    for (int i = 0; i < 40; ++i) deep += ']';
    deep += '}';
    const std::pair<std::string, std::string> cases[] = {
        {"{\"v\":1}", "A|1|NULL"},
        {" \n{ \"V\" : 1 , \"extra\" : {\"a\":[1,2.5e3,null,true,\"x\"]}, \"w\":\"y\" } \r\n",
         "A|1|y"},
        {"{\"w\":\"y\"}", "!v is part of the key and missing"},
        {"{\"v\":null}", "!v is part of the key and missing"},
        {"{}", "!v is part of the key and missing"},
        {"{\"v\":1,\"v\":2}", "!v is there twice"},
        {"{\"v\":1,\"V\":2}", "!v is there twice"},
        {"{\"v\":1,\"shelf\":\"B\"}", "A|1|NULL"},  // the topic says which shelf it is
        {"", "!the payload is empty"},
        {"  ", "!the payload is empty"},
        {"[{\"v\":1}]", "!the payload is no JSON object: one reading is one object"},
        {"7", "!the payload is no JSON object: one reading is one object"},
        {"\"x\"", "!the payload is no JSON object: one reading is one object"},
        {"{\"v\":1}{\"v\":2}", "!the payload goes on after its JSON object"},
        {"{\"v\":1} x}", "!the payload goes on after its JSON object"},
        {"{\"v\":1", "!the payload is not JSON"},
        {"{\"v\":1,}", "!the payload is not JSON"},
        {"{\"v\" 1}", "!the payload is not JSON"},
        {"{\"v\":01}", "!the payload is not JSON"},
        {"{\"v\":1 \"w\":2}", "!the payload is not JSON"},
        {"{\"v\":+1}", "!the payload is not JSON"},
        {"{\"v\":1,\"x\":tru}", "!the payload is not JSON"},
        {"{\"v\":1,\"x\":nul}", "!the payload is not JSON"},
        {"{\"v\":1,\"x\":[1,]}", "!the payload is not JSON"},
        {"{\"v\":1,\"x\":{\"a\"}}", "!the payload is not JSON"},
        {"{\"v\":1,\"x\":1.}", "!the payload is not JSON"},
        {"{\"v\":1,\"x\":\"\t\"}", "!the payload is not JSON"},
        {"{v:1}", "!the payload is not JSON"},
        {"{\"v\":1,\"x\":\"\xff\"}", "!the payload is not UTF-8"},
        {deep, "!nested more than 32 levels deep"},
    };
    for (const auto& [payload, want] : cases) {
        const std::string got = decode(shape, payload);
        EXPECT_EQ(want == "!the payload is not JSON" ? got.substr(0, want.size()) : got, want)
            << payload;
    }
    EXPECT_EQ(decode(shape, "{\"v\":1}", "other/A"), "!the topic does not match \"t/{shelf}\"");
    EXPECT_EQ(decode(shape, "{\"v\":1}", "t/"), "!shelf: its level of the topic is empty");
}

TEST(MqttDecode, CapturesAreTypedWhereTheyAreListed) {
    const auto shape = shape_of(
        source({{"seq", Kind::int64}, {"shelf", Kind::int32}}, {"shelf"}, "t/{store}/{shelf}"));
    EXPECT_EQ(decode(shape, "{\"seq\":5}", "t/north/17"), "north|5|17");
    EXPECT_EQ(decode(shape, "{\"seq\":5}", "t/north/x"), "!shelf: \"x\" is no integer");
    EXPECT_EQ(decode(shape, "{\"seq\":5}", "t/north/99999999999"),
              "!shelf: 99999999999 is out of range for integer");
}

TEST(MqttDecode, CountsMembersThatNobodyDeclared) {
    const auto shape = shape_of(source({{"v", Kind::int64}}));
    MqttDecoder decoder(shape);
    EXPECT_TRUE(decoder.decode("t/A", "{\"v\":1,\"x\":1,\"y\":12345678901234567890123}").ok());
    EXPECT_TRUE(decoder.decode("t/A", "{\"x\":1}").ok());
    EXPECT_EQ(decoder.members_ignored(), 3u);
}

/// Whatever we take, simdjson's strict parser takes, and the other way round.
TEST(MqttDecode, TakesJsonAndNothingElse) {
    const auto shape = shape_of(source({{"v", Kind::text}}, {}, "t/+"));
    const std::string seeds[] = {
        R"({"v":"a\nb","x":[1,-2.5e+3,{"y":null}],"z":true,"":false})",
        R"({"v":{"a":[[],{},"\u00e9"]},"n":0.0})",
        R"( { "v" : -0 , "w" : "\\\"" } )",
    };
    const std::string_view alphabet = "{}[]\",:\\ 019.-+eEtrufalsn\xc3\xa9\x01";
    Random random(7);
    simdjson::dom::parser parser;
    size_t taken = 0, refused = 0;
    for (int round = 0; round < 60'000; ++round) {
        std::string text = seeds[random.below(3)];
        const auto changes = random.below(3);
        for (uint64_t i = 0; i < changes; ++i) {
            const size_t at = random.below(text.size());
            const char c = alphabet[random.below(alphabet.size())];
            switch (random.below(3)) {
                case 0:
                    text[at] = c;
                    break;
                case 1:
                    text.insert(at, 1, c);
                    break;
                default:
                    text.erase(at, 1);
            }
        }
        MqttDecoder decoder(shape);
        const Status ours = decoder.decode("t/A", text);
        simdjson::dom::element element;
        const bool theirs = !parser.parse(text).get(element) &&
                            element.type() == simdjson::dom::element_type::OBJECT;
        const bool ours_only = !ours.ok() && (ours.error().message == "v is there twice" ||
                                              ours.error().message == "v: a text with a zero byte");
        ASSERT_TRUE(ours_only || ours.ok() == theirs) << text;
        (ours.ok() ? taken : refused)++;
    }
    EXPECT_GT(taken, 10'000u);
    EXPECT_GT(refused, 10'000u);
}

TEST(MqttShape, RefusesWhatCannotBe) {
    const auto why = [](const SourceSpec& spec) {
        const auto made = MqttShape::make(spec);
        return made.ok() ? std::string("fine") : made.error().message;
    };
    EXPECT_EQ(why(source({{"v", Kind::int64}}, {"w"})),
              "source s: key \"w\" is neither a column nor a level of the topic");
    EXPECT_EQ(why(source({{"v", Kind::int64}, {"v", Kind::text}})),
              "source s: column v is there twice");
    EXPECT_NE(why(source({{"v", Type::list(Kind::int64)}})).find("declare it text"),
              std::string::npos);
    EXPECT_EQ(why(source({}, {}, "t/+")),
              "source s: it has no columns: list them, or name levels of the topic");
    auto late = source({{"v", Kind::int64}});
    std::get<MqttSource>(late.from).late = std::chrono::seconds(5);
    EXPECT_NE(why(late).find("late needs an event time"), std::string::npos);
    late = source({{"a", Kind::timestamptz}, {"b", Kind::timestamptz}});
    std::get<MqttSource>(late.from).late = std::chrono::seconds(5);
    EXPECT_NE(why(late).find("late needs an event time"), std::string::npos);
    std::get<MqttSource>(late.from).event_time = "b";
    EXPECT_EQ(why(late), "fine");
    std::get<MqttSource>(late.from).event_time = "shelf";
    EXPECT_EQ(why(late), "source s: event_time \"shelf\" is no timestamptz");
}

TEST(MqttPrintable, EscapesWhatATextCannotHold) {
    EXPECT_EQ(printable("café", 100), "café");
    EXPECT_EQ(printable(std::string("a\0b\xff", 4), 100), "a\\x00b\\xff");
    EXPECT_EQ(printable("\xc3", 100), "\\xc3");
    EXPECT_EQ(printable("\xed\xa0\x80", 100), "\\xed\\xa0\\x80");
    EXPECT_EQ(printable("aé", 2), "a...");
}

class MqttBatches : public ::testing::Test {
 protected:
    MqttBatches() : shape_(shape_of(source({{"at", Kind::timestamptz}}))) {}

    static constexpr int64_t kHour = 3'600'000'000;
    void add(MqttBatch& batch, uint64_t offset, int64_t event_hours, int64_t taken_hours) {
        const std::string at = query::pg_text(Kind::timestamptz, query::Value(event_hours * kHour));
        batch.add({offset, Timestamp{taken_hours * kHour}, "t/A", "{\"at\":\"" + at + "\"}"});
    }
    const MqttShape shape_;
};

TEST_F(MqttBatches, WhatIsTooOldIsSetAside) {
    MqttBatch batch(shape_, std::chrono::hours(2), {});
    add(batch, 10, 100, 1000);
    add(batch, 11, 98, 1000);  // as old as may be
    add(batch, 12, 97, 1000);
    add(batch, 13, 101, 1000);
    EXPECT_EQ(batch.rows().rows(), 3u);
    ASSERT_EQ(batch.rejected().size(), 1u);
    EXPECT_EQ(batch.rejected()[0].reason.substr(0, 5), "late:");
    EXPECT_NE(batch.rejected()[0].reason.find("more than 2h before"), std::string::npos);
    EXPECT_EQ(batch.rejected()[0].place, "t/A");
    EXPECT_EQ(batch.rejected()[0].line, 13u);  // the record's number, from 1
    EXPECT_EQ(batch.position(), (MqttPosition{14, 101 * kHour}));
}

TEST_F(MqttBatches, AClockThatRunsAheadDoesNotMakeOthersLate) {
    MqttBatch batch(shape_, std::chrono::hours(2), {});
    add(batch, 0, 9000, 100);
    add(batch, 1, 99, 100);
    EXPECT_TRUE(batch.rejected().empty());
    EXPECT_EQ(batch.position(), (MqttPosition{2, 100 * kHour}));
}

TEST_F(MqttBatches, WhereABatchIsCutDecidesNothing) {
    Random random(3);
    std::vector<int64_t> hours;
    for (int i = 0; i < 200; ++i) hours.push_back(static_cast<int64_t>(random.below(20)) + i / 10);
    const auto rejected = [&](size_t cut) {
        std::vector<uint64_t> lines;
        MqttPosition position;
        for (size_t begin = 0; begin < hours.size(); begin += cut) {
            MqttBatch batch(shape_, std::chrono::hours(10), position);
            for (size_t i = begin; i < std::min(hours.size(), begin + cut); ++i)
                add(batch, i, hours[i], 1000);
            for (const auto& row : batch.rejected()) lines.push_back(row.line);
            position = MqttPosition::parse(batch.position().text()).value();
        }
        return lines;
    };
    const auto whole = rejected(200);
    EXPECT_GT(whole.size(), 3u);
    EXPECT_EQ(rejected(1), whole);
    EXPECT_EQ(rejected(7), whole);
}

TEST(MqttPositions, AreReadBackOrRefused) {
    for (const MqttPosition& one : {MqttPosition{}, MqttPosition{7, {}}, MqttPosition{7, -5}})
        EXPECT_EQ(MqttPosition::parse(one.text()).value(), one);
    EXPECT_EQ(MqttPosition::parse({}).value(), MqttPosition{});
    for (const char* text : {"", "x", "7 ", "7 x", "7 8 9", "-1"})
        EXPECT_FALSE(MqttPosition::parse(std::string(text)).ok()) << text;
}

}  // namespace
}  // namespace tarn::ingest
