#include "protocols/mqtt/internal/codec.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "protocols/mqtt/internal/properties.h"
#include "protocols/mqtt/internal/topics.h"

namespace tarn::mqtt {
namespace {

using std::string_literals::operator""s;
using std::string_view_literals::operator""sv;

Frame frame_of(std::string_view bytes) {
    auto frame = next_frame(bytes, 1 << 20);
    EXPECT_TRUE(frame.ok() && frame->has_value());
    return **frame;
}

const std::string kConnect311 =
    "\x10\x1c\x00\x04MQTT\x04\xc6\x00\x3c\x00\x01"
    "c\x00\x01w\x00\x02xy\x00\x01u\x00\x03pwd"s;
const std::string kConnect5 =
    "\x10\x2d\x00\x04MQTT\x05\xc6\x00\x3c\x05\x11\x00\x00\x00\x0a\x00\x01"
    "c\x0a\x18\x00\x00\x00\x05\x02\x00\x00\x00\x07\x00\x01w\x00\x02xy\x00\x01u\x00\x03pwd"s;

TEST(Codec, AConnectOfEitherVersion) {
    const auto old = decode_connect(frame_of(kConnect311).body).value();
    EXPECT_EQ(old.version, Version::v311);
    EXPECT_TRUE(old.clean_start);
    EXPECT_EQ(old.keep_alive_seconds, 60);
    EXPECT_EQ(old.client_id, "c");
    EXPECT_EQ(old.will->topic, "w");
    EXPECT_EQ(old.will->payload, "xy");
    EXPECT_EQ(old.will->qos, 0);
    EXPECT_EQ(old.user_name, "u");
    EXPECT_EQ(old.password, "pwd");

    const auto five = decode_connect(frame_of(kConnect5).body).value();
    EXPECT_EQ(five.version, Version::v5);
    EXPECT_EQ(five.properties.session_expiry, 10u);
    EXPECT_EQ(five.will->properties.will_delay, 5u);
    EXPECT_EQ(five.will->properties.message_expiry, 7u);
    EXPECT_EQ(five.password, "pwd");
}

TEST(Codec, CutPacketsAreIncompleteAndCutBodiesMalformed) {
    for (const std::string& whole : {kConnect311, kConnect5}) {
        for (size_t cut = 0; cut < whole.size(); ++cut) {
            const auto frame = next_frame(whole.substr(0, cut), 1 << 20);
            ASSERT_TRUE(frame.ok());
            EXPECT_FALSE(frame->has_value());
        }
        const std::string_view body = frame_of(whole).body;
        for (size_t cut = 0; cut < body.size(); ++cut)
            EXPECT_FALSE(decode_connect(body.substr(0, cut)).ok());
        EXPECT_FALSE(decode_connect(std::string(body) + "x").ok());
    }
}

TEST(Codec, FixedHeadersThatDoNotHold) {
    EXPECT_EQ(next_frame("\x00\x00"sv, 100).error().code, Code::invalid_argument);
    EXPECT_EQ(next_frame("\x80\x00"sv, 100).error().code, Code::invalid_argument);
    EXPECT_EQ(next_frame("\x36\x00"sv, 100).error().code, Code::invalid_argument);  // QoS 3
    EXPECT_EQ(next_frame("\x30\xff\xff\xff\xff"sv, 100).error().code, Code::invalid_argument);
    EXPECT_EQ(next_frame("\x30\x80\x00"sv, 100).error().code, Code::invalid_argument);
    EXPECT_EQ(next_frame("\x30\x80\x01"sv, 100).error().code, Code::out_of_range);
    EXPECT_FALSE(next_frame("\x30\xff\xff"sv, 100).value().has_value());
}

TEST(Codec, VersionsThatAreNotSpoken) {
    EXPECT_EQ(decode_connect("\x00\x06MQIsdp\x03\x02\x00\x00\x00\x00"sv).error().code,
              Code::unimplemented);
    EXPECT_EQ(decode_connect("\x00\x04MQTT\x06\x02\x00\x00\x00\x00"sv).error().code,
              Code::unimplemented);
    EXPECT_EQ(decode_connect("\x00\x04HTTP\x04\x02\x00\x00\x00\x00"sv).error().code,
              Code::invalid_argument);
}

TEST(Codec, APublishComesBackAsItWentOut) {
    for (const Version version : {Version::v311, Version::v5}) {
        Publish sent;
        sent.topic = "a/b";
        sent.payload = "hello";
        sent.qos = 1;
        sent.dup = sent.retain = true;
        sent.packet_id = 513;
        Properties forwarded;
        if (version == Version::v5) {
            forwarded.content_type = "text/plain";
            forwarded.correlation_data = "\x00\x01"sv;
            forwarded.user = {{"k", "1"}, {"k", "2"}};
            sent.properties.message_expiry = 9;
        }
        std::string out;
        append_publish(out, sent, encode_forwarded(forwarded), version);
        EXPECT_EQ(out.size(), publish_size(sent, encode_forwarded(forwarded), version));
        const auto got = decode_publish(frame_of(out), version).value();
        EXPECT_EQ(got.topic, "a/b");
        EXPECT_EQ(got.payload, "hello");
        EXPECT_EQ(got.packet_id, 513);
        EXPECT_TRUE(got.dup && got.retain);
        EXPECT_EQ(got.properties.message_expiry, sent.properties.message_expiry);
        EXPECT_EQ(got.properties.content_type, forwarded.content_type);
        EXPECT_EQ(got.properties.user, forwarded.user);
    }
}

TEST(Codec, PropertiesObeyTheTable) {
    const auto parse = [](std::string_view list, Carrier carrier) {
        std::string bytes;
        append_varint(bytes, static_cast<uint32_t>(list.size()));
        bytes += list;
        ByteReader reader(bytes);
        const auto taken = take_properties(reader, carrier);
        return taken.ok() ? Code::internal : taken.error().code;
    };
    EXPECT_EQ(parse("\x01\x01"sv, Carrier::publish), Code::internal);
    EXPECT_EQ(parse("\x01\x02"sv, Carrier::publish), Code::precondition_failed);
    EXPECT_EQ(parse("\x01\x01\x01\x01"sv, Carrier::publish), Code::precondition_failed);
    EXPECT_EQ(parse("\x01\x01"sv, Carrier::subscribe), Code::precondition_failed);
    EXPECT_EQ(parse("\x04\x01"sv, Carrier::publish), Code::invalid_argument);
    EXPECT_EQ(parse("\x02\x00\x00"sv, Carrier::publish), Code::invalid_argument);
    EXPECT_EQ(parse("\x21\x00\x00"sv, Carrier::connect), Code::precondition_failed);
    EXPECT_EQ(parse("\x0b\x00"sv, Carrier::subscribe), Code::precondition_failed);
    EXPECT_EQ(parse("\x26\x00\x01k\x00\x01\xff"sv, Carrier::publish), Code::invalid_argument);
}

TEST(Codec, TextIsStrictUtf8) {
    EXPECT_TRUE(valid_text("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8d\xba"));
    EXPECT_FALSE(valid_text("a\0b"sv));
    EXPECT_FALSE(valid_text("\xc0\xaf"));
    EXPECT_FALSE(valid_text("\xed\xa0\x80"));
    EXPECT_FALSE(valid_text("\xf4\x90\x80\x80"));
    EXPECT_FALSE(valid_text("\xe2\x82"));
    EXPECT_FALSE(valid_text("\x80"));
}

TEST(Codec, RandomBytesDoNoHarm) {
    Random random(7);
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes = round % 2 == 0 ? kConnect5 : random.bytes(random.below(40) + 2);
        for (int flips = 0; flips < 3; ++flips)
            bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
        const auto frame = next_frame(bytes, 1 << 20);
        if (!frame.ok() || !frame->has_value()) continue;
        for (const Version version : {Version::v311, Version::v5}) {
            (void)decode_connect((*frame)->body);
            (void)decode_publish(**frame, version);
            (void)decode_subscribe((*frame)->body, version);
            (void)decode_disconnect((*frame)->body, version);
        }
    }
}

TEST(Topics, WhatMayBePublishedOn) {
    EXPECT_TRUE(valid_topic("a", 64));
    EXPECT_TRUE(valid_topic("/", 64));
    EXPECT_TRUE(valid_topic("$own/x", 64));
    for (const char* bad : {"", "a/+", "#", "a#", "$SYS/x", "$aws/things", "$share/g/t"})
        EXPECT_FALSE(valid_topic(bad, 64)) << bad;
    EXPECT_FALSE(valid_topic("a/b/c", 2));
}

TEST(Topics, FiltersTakenApart) {
    for (const char* good : {"a", "+", "#", "a/+/b", "a/#", "/", "+/+", "$SYS/#"})
        EXPECT_TRUE(parse_filter(good, 64)) << good;
    for (const char* bad : {"", "a+", "a/#/b", "#/a", "a#", "a/b+", "$share/g", "$share//a",
                            "$share/+/a", "$share/g/"})
        EXPECT_FALSE(parse_filter(bad, 64)) << bad;
    EXPECT_EQ(parse_filter("$share/g/a/#", 64)->group, "g");
    EXPECT_EQ(parse_filter("$share/g/a/#", 64)->filter, "a/#");
}

TEST(Topics, Matching) {
    const std::vector<std::pair<const char*, const char*>> fit = {
        {"a/b", "a/b"}, {"a/+", "a/b"}, {"a/+", "a/"}, {"#", "a/b/c"},       {"a/#", "a"},
        {"a/#", "a/b"}, {"+/+", "/x"},  {"/+", "/x"},  {"$own/#", "$own/x"}, {"+", "a"}};
    for (const auto& [filter, topic] : fit) EXPECT_TRUE(matches(filter, topic)) << filter << topic;
    const std::vector<std::pair<const char*, const char*>> apart = {
        {"a/b", "a"},    {"a", "a/b"},      {"a/+", "a"},  {"a/+", "a/b/c"}, {"+", "/x"},
        {"#", "$own/x"}, {"+/x", "$own/x"}, {"a/#", "ab"}, {"a/b/#", "a"}};
    for (const auto& [filter, topic] : apart)
        EXPECT_FALSE(matches(filter, topic)) << filter << topic;
}

}  // namespace
}  // namespace tarn::mqtt
