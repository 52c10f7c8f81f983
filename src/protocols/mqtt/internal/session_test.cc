#include "protocols/mqtt/internal/session.h"

#include <gtest/gtest.h>

#include "protocols/mqtt/internal/test_door.h"

namespace tarn::mqtt {
namespace {

using std::string_literals::operator""s;

constexpr Version kBoth[] = {Version::v311, Version::v5};

std::string puback(uint16_t id) {
    return "\x40\x02"s + static_cast<char>(id >> 8) + static_cast<char>(id & 0xff);
}

Frame first_frame(const std::string& bytes) {
    auto frame = next_frame(bytes, 1 << 20);
    EXPECT_TRUE(frame.ok() && frame->has_value()) << testing::PrintToString(bytes);
    return frame.ok() && frame->has_value() ? **frame : Frame{};
}

Publish publish_in(const std::string& bytes, Version version = Version::v5) {
    const Frame frame = first_frame(bytes);
    EXPECT_EQ(frame.type, PacketType::publish);
    std::string_view body = frame.body;
    auto packet = decode_publish(frame, version);
    if (packet.ok()) return *packet;
    // A server's publish may have subscription identifiers.
    Publish tolerant;
    ByteReader reader(body);
    tolerant.topic = *take_text(reader);
    tolerant.qos = frame.flags >> 1 & 3;
    if (tolerant.qos > 0) tolerant.packet_id = *reader.take_be<uint16_t>();
    tolerant.properties = take_properties(reader, Carrier::publish).value();
    tolerant.payload = reader.rest();
    return tolerant;
}

uint8_t connack_reason(const std::string& bytes) {
    const Frame frame = first_frame(bytes);
    EXPECT_EQ(frame.type, PacketType::connack);
    return static_cast<uint8_t>(frame.body.at(1));
}

uint8_t disconnect_reason(const std::string& bytes) {
    const Frame frame = first_frame(bytes);
    EXPECT_EQ(frame.type, PacketType::disconnect);
    return frame.body.empty() ? 0 : static_cast<uint8_t>(frame.body[0]);
}

TEST(Session, ConnectsAndPublishesInBothVersions) {
    TestDoor door;
    for (const Version version : kBoth) {
        TestClient client(door, version);
        EXPECT_EQ(connack_reason(client.connect("c")), 0);
        EXPECT_EQ(client.publish("a/b", "21", 7), puback(7));
        EXPECT_EQ(client.say("\xc0\x00"s), "\xd0\x00"s);
    }
    const auto records = door.records();
    ASSERT_EQ(records.size(), 2u);
    EXPECT_EQ(records[0].key, "a/b");
    EXPECT_EQ(records[0].payload, "21");
}

TEST(Session, ManyPublishesOfOneTurnAreOneAppendAndAcknowledgedInOrder) {
    TestDoor door;
    TestClient client(door);
    client.connect("c");
    std::string many, acks;
    for (uint16_t id = 1; id <= 100; ++id) {
        many += publish_packet(Version::v5, "t", std::to_string(id), 1, id);
        acks += puback(id);
    }
    const size_t before = door.blocks();
    EXPECT_EQ(client.say(many), "");
    EXPECT_EQ(client.hear(acks.size()), acks);
    EXPECT_EQ(door.blocks(), before + 1);
    EXPECT_EQ(door.records().size(), 100u);
}

TEST(Session, TwoConnectionsOfALoopShareAnAppend) {
    TestDoor door;
    TestClient one(door), two(door);
    one.connect("1");
    two.connect("2");
    const size_t before = door.blocks();
    one.say(publish_packet(Version::v5, "t", "x", 1, 1));
    two.say(publish_packet(Version::v5, "t", "y", 1, 2));
    one.transport->run_posted();
    std::string heard_one, heard_two;
    while (heard_one.empty() || heard_two.empty()) {
        one.transport->run_posted();
        two.transport->run_posted();
        heard_one += one.transport->take_sent();
        heard_two += two.transport->take_sent();
    }
    EXPECT_EQ(heard_one, puback(1));
    EXPECT_EQ(heard_two, puback(2));
    EXPECT_EQ(door.blocks(), before + 1);
}

TEST(Session, WhatWasPublishedBeforeTheEndIsKept) {
    TestDoor door;
    {
        TestClient client(door);
        client.connect("c");
        client.say(publish_packet(Version::v5, "t", "x") + "\xe0\x00"s);
    }
    while (door.records().empty()) std::this_thread::yield();
    EXPECT_EQ(door.records()[0].payload, "x");
}

TEST(Session, RefusesWhoIsNotKnown) {
    TestDoor door;
    for (const Version version : kBoth) {
        const uint8_t wrong = version == Version::v5 ? 0x86 : 0x04;
        for (const auto& [user, password] : std::vector<std::pair<std::string, std::string>>{
                 {"", ""}, {"nobody", "x"}, {door.root.id, "x"}, {door.root.id, ""}}) {
            TestClient client(door, version);
            ConnectSpec spec = client.spec("c");
            spec.user = user;
            spec.password = password;
            EXPECT_EQ(connack_reason(client.say(connect_packet(spec))), wrong);
            EXPECT_TRUE(client.transport->closing());
        }
        TestClient far(door, version);
        far.transport->peer = "192.0.2.7";
        EXPECT_EQ(connack_reason(far.connect("c")), version == Version::v5 ? 0x87 : 0x05);
    }
    EXPECT_EQ(door.shared->places, 0u);
}

TEST(Session, RefusesOtherBeginnings) {
    TestDoor door;
    for (const std::string& bytes : {"GET / HTTP/1.1\r\n\r\n"s, "\xc0\x00"s, "\x10\x02\x00\x04"s,
                                     "\x00"s, packet(0x10, std::string(300 * 1024, 'x'))}) {
        TestClient client(door);
        EXPECT_EQ(client.say(bytes), "");
        EXPECT_TRUE(client.transport->closing());
    }
    TestClient old(door);
    EXPECT_EQ(old.say("\x10\x0e\x00\x06MQIsdp\x03\x02\x00\x00\x00\x00"s), "\x20\x02\x00\x01"s);
    TestClient slow(door);
    EXPECT_EQ(slow.transport->deadline(), std::chrono::seconds(10));
    slow.session->on_deadline();
    EXPECT_TRUE(slow.transport->closing());
}

TEST(Session, ProtocolErrorsEndTheConnectionWithTheirReason) {
    TestDoor door;
    const std::vector<std::pair<std::string, uint8_t>> cases = {
        {publish_packet(Version::v5, "t", "x", 2, 1), 0x9b},
        {publish_packet(Version::v5, "t/#", "x"), 0x90},
        {publish_packet(Version::v5, "", "x"), 0x82},
        {publish_packet(Version::v5, "t", "x", 1, 0), 0x82},
        {"\x36\x00"s, 0x81},
        {connect_packet({}), 0x82},
        {"\x30\xff\xff\x7f"s, 0x95},
        {"\x82\x02\x00\x01"s, 0x81},
    };
    for (const auto& [bytes, reason] : cases) {
        TestClient client(door);
        client.connect("c");
        EXPECT_EQ(disconnect_reason(client.say(bytes)), reason);
        EXPECT_TRUE(client.transport->closing());
        TestClient old(door, Version::v311);
        old.connect("c");
        old.say(publish_packet(Version::v311, "t", "x", 2, 1));
        EXPECT_TRUE(old.transport->closing());
    }
}

TEST(Session, ABadTopicAtQos1IsAnswered) {
    TestDoor door;
    TestClient client(door);
    client.connect("c");
    const std::string answer = client.publish("$SYS/x", "1", 3);
    const auto ack = decode_acknowledgement(first_frame(answer).body, Version::v5).value();
    EXPECT_EQ(ack.packet_id, 3);
    EXPECT_EQ(ack.reason, Reason::topic_name_invalid);
    EXPECT_FALSE(client.transport->closing());
}

TEST(Session, BytesMayComeOneByOne) {
    TestDoor door;
    TestClient client(door);
    const std::string all = connect_packet(client.spec("c")) +
                            publish_packet(Version::v5, "t", std::string(300, 'x'), 1, 5);
    for (const char c : all) client.session->on_bytes(std::string_view(&c, 1));
    const std::string heard = client.hear(20);
    EXPECT_TRUE(heard.ends_with(puback(5)));
}

TEST(Session, SubscribersGetWhatIsDurable) {
    TestDoor door;
    for (const Version version : kBoth) {
        TestClient reader(door, version), writer(door, version);
        reader.connect("r");
        writer.connect("w");
        EXPECT_EQ(reader.say(subscribe_packet(version, 9, "s/+/level", 1)),
                  version == Version::v5 ? "\x90\x04\x00\x09\x00\x01"s : "\x90\x03\x00\x09\x01"s);
        EXPECT_EQ(writer.publish("s/1/level", "full", 1), puback(1));
        const std::string heard = reader.hear();
        const Publish got = publish_in(heard, version);
        EXPECT_EQ(got.topic, "s/1/level");
        EXPECT_EQ(got.payload, "full");
        EXPECT_EQ(got.qos, 1);
        EXPECT_FALSE(got.retain);
        writer.publish("s/1/other", "x", 2);
        reader.transport->run_posted();
        EXPECT_EQ(reader.transport->take_sent(), "");
    }
}

TEST(Session, OverlappingSubscriptionsGiveOneMessageWithAllIdentifiers) {
    TestDoor door;
    TestClient client(door);
    client.connect("c");
    client.say(subscribe_packet(Version::v5, 1, "a/#", 0, 11));
    client.say(subscribe_packet(Version::v5, 2, "a/+", 1, 22));
    client.say(subscribe_packet(Version::v5, 3, "a/b", 1 | 4, 33));  // no local
    client.say(publish_packet(Version::v5, "a/b", "x", 1, 1));
    const std::string heard = client.hear(12);
    const size_t at = heard.find('\x32');
    ASSERT_NE(at, heard.npos);
    const std::string bytes = heard.substr(at);
    const Publish got = publish_in(bytes);
    EXPECT_EQ(got.properties.subscription_ids, (std::vector<uint32_t>{11, 22}));
}

TEST(Session, PropertiesGoOnAndExpiryCountsDown) {
    TestDoor door;
    TestClient reader(door), writer(door);
    reader.connect("r", false, 100);
    reader.say(subscribe_packet(Version::v5, 1, "t", 1));
    reader.hang_up();
    writer.connect("w");
    Properties properties;
    properties.message_expiry = 30;
    properties.content_type = "text/plain";
    properties.response_topic = "answer";
    properties.user = {{"a", "1"}, {"a", "2"}};
    writer.publish("t", "x", 1, false, properties);
    properties.message_expiry = 5;
    writer.publish("t", "soon over", 2, false, properties);
    door.clock.advance(std::chrono::seconds(10));
    TestClient again(door);
    const std::string heard = again.connect("r", false, 100);
    EXPECT_EQ(heard[2], 1);  // session present
    const std::string bytes = heard.substr(first_frame(heard).size);
    const Publish got = publish_in(bytes);
    EXPECT_EQ(first_frame(bytes).size, bytes.size()) << "the second one has expired";
    EXPECT_EQ(got.payload, "x");
    EXPECT_EQ(got.properties.message_expiry, 20u);
    EXPECT_EQ(got.properties.content_type, "text/plain");
    EXPECT_EQ(got.properties.response_topic, "answer");
    EXPECT_EQ(got.properties.user.size(), 2u);
}

TEST(Session, UnacknowledgedMessagesComeAgainAfterAReconnectOnly) {
    TestDoor door;
    TestClient writer(door);
    writer.connect("w");
    {
        TestClient reader(door);
        reader.connect("r", false, 100);
        reader.say(subscribe_packet(Version::v5, 1, "t", 1));
        for (uint16_t id = 1; id <= 3; ++id) writer.publish("t", std::to_string(id), id);
        const std::string heard = reader.hear(27);
        EXPECT_FALSE(publish_in(heard).dup);
        reader.say(puback(publish_in(heard).packet_id));
    }
    TestClient again(door);
    std::string heard = again.connect("r", false, 100);
    heard.erase(0, first_frame(heard).size);
    const Publish second = publish_in(heard);
    EXPECT_TRUE(second.dup);
    EXPECT_EQ(second.payload, "2");
    heard.erase(0, first_frame(heard).size);
    EXPECT_EQ(publish_in(heard).payload, "3");
    EXPECT_EQ(first_frame(heard).size, heard.size());
}

TEST(Session, ReceiveMaximumBoundsWhatIsInFlight) {
    TestDoor door;
    TestClient reader(door), writer(door);
    ConnectSpec spec = reader.spec("r");
    spec.properties.receive_maximum = 1;
    reader.say(connect_packet(spec));
    reader.say(subscribe_packet(Version::v5, 1, "t", 1));
    writer.connect("w");
    writer.publish("t", "1", 1);
    writer.publish("t", "2", 2);
    std::string heard = reader.hear();
    EXPECT_EQ(publish_in(heard).payload, "1");
    EXPECT_EQ(first_frame(heard).size, heard.size());
    heard = reader.say(puback(publish_in(heard).packet_id));
    EXPECT_EQ(publish_in(heard).payload, "2");
}

TEST(Session, MoreThanOurReceiveMaximumEndsTheConnection) {
    DoorOptions options;
    options.receive_max = 2;
    TestDoor door(options);
    TestClient client(door);
    client.connect("c");
    std::string three;
    for (uint16_t id = 1; id <= 3; ++id) three += publish_packet(Version::v5, "t", "x", 1, id);
    EXPECT_EQ(disconnect_reason(client.say(three)), 0x93);
}

TEST(Session, RetainedMessagesOutliveARestart) {
    TestDoor door;
    {
        TestClient writer(door);
        writer.connect("w");
        writer.publish("r/a", "kept", 1, true);
        writer.publish("r/b", "gone", 2, true);
        writer.publish("r/b", "", 3, true);
    }
    door.open();
    EXPECT_EQ(door.shared->broker.retained().size(), 1u);
    for (const Version version : kBoth) {
        TestClient reader(door, version);
        reader.connect("r");
        std::string heard = reader.say(subscribe_packet(version, 1, "r/#", 1));
        heard.erase(0, first_frame(heard).size);
        heard += reader.hear();
        const Publish got = publish_in(heard, version);
        EXPECT_EQ(got.payload, "kept");
        EXPECT_TRUE(got.retain);
        EXPECT_EQ(got.qos, 1);
    }
    TestClient picky(door);
    picky.connect("p");
    picky.say(subscribe_packet(Version::v5, 1, "r/#", 0x21));  // retain handling 2
    picky.transport->run_posted();
    EXPECT_EQ(picky.transport->take_sent(), "");
}

TEST(Session, RetainedMessagesAreBounded) {
    DoorOptions options;
    options.retained_messages_max = 1;
    TestDoor door(options);
    TestClient client(door);
    client.connect("c");
    EXPECT_EQ(client.publish("a", "1", 1, true), puback(1));
    const std::string answer = client.publish("b", "1", 2, true);
    EXPECT_EQ(decode_acknowledgement(first_frame(answer).body, Version::v5)->reason,
              Reason::quota_exceeded);
    EXPECT_EQ(client.publish("a", "2", 3, true), puback(3));
}

TEST(Session, AWillIsPublishedUnlessTheClientSaysGoodbye) {
    TestDoor door;
    TestClient reader(door);
    reader.connect("r");
    reader.say(subscribe_packet(Version::v5, 1, "gone/+", 1));
    for (const bool polite : {true, false}) {
        TestClient dying(door);
        ConnectSpec spec = dying.spec("d");
        spec.will = Will{"gone/d", "bye", 1, false, {}};
        dying.say(connect_packet(spec));
        if (polite) dying.say("\xe0\x00"s);
        dying.hang_up();
        door.shared->broker.keep();
        reader.transport->run_posted();
        const std::string heard = reader.transport->take_sent();
        EXPECT_EQ(heard.empty(), polite);
    }
    ASSERT_EQ(door.records().size(), 1u);
    EXPECT_EQ(door.records()[0].key, "gone/d");
}

TEST(Session, AWillWaitsForItsDelayAndTheClientMayComeBack) {
    TestDoor door;
    for (const bool comes_back : {true, false}) {
        TestClient dying(door);
        ConnectSpec spec = dying.spec("d");
        spec.clean = false;
        spec.properties.session_expiry = 100;
        spec.will = Will{"w", "bye", 1, false, {}};
        spec.will->properties.will_delay = 10;
        dying.say(connect_packet(spec));
        dying.hang_up();
        door.shared->broker.keep();
        EXPECT_EQ(door.records().size(), 0u);
        TestClient again(door);
        if (comes_back) {
            EXPECT_EQ(again.connect("d", false, 100)[2], 1);
            again.say("\xe0\x00"s);
            again.hang_up();
        }
        door.clock.advance(std::chrono::seconds(11));
        door.shared->broker.keep();
    }
    EXPECT_EQ(door.records().size(), 1u);
}

TEST(Session, TakeOverEndsTheOlderConnection) {
    TestDoor door;
    TestClient first(door);
    first.connect("same", false, 100);
    first.say(subscribe_packet(Version::v5, 1, "t", 1));
    TestClient second(door);
    EXPECT_EQ(second.connect("same", false, 100)[2], 1);
    first.transport->run_posted();
    EXPECT_EQ(disconnect_reason(first.transport->take_sent()), 0x8e);
    first.hang_up();
    EXPECT_NE(second.publish("t", "x", 1), "");
    TestClient third(door);
    EXPECT_EQ(third.connect("same")[2], 0);
    EXPECT_EQ(door.shared->broker.sessions(), 1u);
    EXPECT_FALSE(door.shared->broker.subscriptions().any());
}

TEST(Session, SessionsExpire) {
    TestDoor door;
    {
        TestClient client(door);
        client.connect("c", false, 50);
        client.say(subscribe_packet(Version::v5, 1, "t", 1));
    }
    EXPECT_EQ(door.shared->broker.sessions(), 1u);
    door.clock.advance(std::chrono::seconds(51));
    door.shared->broker.keep();
    EXPECT_EQ(door.shared->broker.sessions(), 0u);
    EXPECT_FALSE(door.shared->broker.subscriptions().any());
}

TEST(Session, TopicAliases) {
    TestDoor door;
    TestClient client(door);
    client.connect("c");
    Properties alias;
    alias.topic_alias = 4;
    client.publish("long/topic", "1", 1, false, alias);
    client.publish("", "2", 2, false, alias);
    ASSERT_EQ(door.records().size(), 2u);
    EXPECT_EQ(door.records()[1].key, "long/topic");
    alias.topic_alias = 5;
    EXPECT_EQ(disconnect_reason(client.publish("", "3", 3, false, alias)), 0x94);
}

TEST(Session, KeepAliveIsOneAndAHalfTimes) {
    TestDoor door;
    TestClient client(door);
    ConnectSpec spec = client.spec("c");
    spec.keep_alive = 10;
    client.say(connect_packet(spec));
    EXPECT_EQ(client.transport->deadline(), std::chrono::seconds(15));
    client.session->on_deadline();
    EXPECT_EQ(disconnect_reason(client.transport->take_sent()), 0x8d);
}

TEST(Session, PoliciesDecide) {
    TestDoor door;
    const std::string account = door.users->account_id();
    const std::string policy =
        R"({"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:*:*:client/sensor-*"},
        {"Effect":"Allow","Action":["iot:Publish","iot:Receive"],
         "Resource":"arn:aws:iot:*:*:topic/in/*"},
        {"Effect":"Allow","Action":"iot:Subscribe",
         "Resource":"arn:aws:iot:*:*:topicfilter/*"}]})";
    ASSERT_TRUE(door.users->create_user({"ann", {{"p", policy}}, {}, {}}).ok());
    const auto key = door.users->create_key("ann").value();
    const auto connect = [&](TestClient& client, const char* id) {
        ConnectSpec spec = client.spec(id);
        spec.user = "ann";
        spec.password = key.secret;
        return connack_reason(client.say(connect_packet(spec)));
    };
    TestClient other(door);
    EXPECT_EQ(connect(other, "pump-1"), 0x87);
    TestClient client(door);
    ASSERT_EQ(connect(client, "sensor-1"), 0);
    EXPECT_EQ(client.publish("in/x", "1", 1), puback(1));
    const std::string no = client.publish("out/x", "1", 2);
    EXPECT_EQ(decode_acknowledgement(first_frame(no).body, Version::v5)->reason,
              Reason::not_authorized);
    EXPECT_EQ(door.records().size(), 1u);

    // A filter may be wider than what may be received.
    client.say(subscribe_packet(Version::v5, 1, "#", 1));
    TestClient root(door);
    EXPECT_EQ(connack_reason(root.connect("sensor-1")), 0x87) << "ann's session";
    TestClient writer(door);
    writer.connect("w");
    writer.publish("out/secret", "1", 1);
    client.transport->run_posted();
    EXPECT_EQ(client.transport->take_sent(), "");
    writer.publish("in/open", "1", 2);
    EXPECT_EQ(publish_in(client.hear()).topic, "in/open");

    ASSERT_TRUE(door.users->delete_user("ann").ok());
    door.clock.advance(std::chrono::seconds(2));
    EXPECT_EQ(disconnect_reason(client.publish("in/x", "1", 3)), 0x98);
}

TEST(Session, ReadingPausesWhileTooMuchIsInFlight) {
    DoorOptions options;
    options.flight_bytes_max = 1000;
    TestDoor door(options);
    TestClient client(door);
    client.connect("c");
    client.session->on_bytes(publish_packet(Version::v5, "t", std::string(2000, 'x'), 1, 1));
    EXPECT_FALSE(client.transport->reading());
    EXPECT_EQ(client.hear(), puback(1));
    EXPECT_TRUE(client.transport->reading());
}

TEST(Session, ASlowReaderLosesQos0Only) {
    DoorOptions options;
    options.unsent_bytes_max = 100;
    TestDoor door(options);
    TestClient reader(door), writer(door);
    reader.connect("r");
    reader.say(subscribe_packet(Version::v5, 1, "t", 1));
    reader.transport->hold_sends = true;
    reader.session->pump();
    writer.connect("w");
    writer.publish("t", std::string(200, 'a'), 1);
    reader.transport->run_posted();  // 200 bytes wait now
    writer.say(publish_packet(Version::v5, "t", "lost"));
    writer.publish("t", "kept", 2);
    reader.transport->run_posted();
    std::string heard = reader.transport->take_sent();
    EXPECT_EQ(heard.find("kept"), heard.npos);
    reader.session->on_drained();
    heard = reader.transport->take_sent();
    EXPECT_NE(heard.find("kept"), heard.npos);
    EXPECT_EQ(heard.find("lost"), heard.npos);
}

TEST(Session, DrainWaitsForWhatIsInFlight) {
    TestDoor door;
    TestClient busy(door), idle(door);
    busy.connect("b");
    idle.connect("i");
    idle.session->on_drain();
    EXPECT_EQ(disconnect_reason(idle.transport->take_sent()), 0x8b);
    busy.say(publish_packet(Version::v5, "t", "x", 1, 1));
    busy.session->on_drain();
    EXPECT_EQ(busy.hear(6), puback(1) + "\xe0\x01\x8b"s);
}

TEST(Session, ConnectionsAreBounded) {
    DoorOptions options;
    options.connections_max = 1;
    TestDoor door(options);
    TestClient one(door), two(door), old(door, Version::v311);
    EXPECT_EQ(connack_reason(one.connect("1")), 0);
    EXPECT_EQ(connack_reason(two.connect("2")), 0x97);
    EXPECT_EQ(connack_reason(old.connect("3")), 0x03);
    one.hang_up();
    TestClient next(door);
    EXPECT_EQ(connack_reason(next.connect("4")), 0);
}

TEST(Session, RoutesChooseTheStream) {
    struct ByFirstLevel final : TopicRoutes {
        std::string stream_of(std::string_view topic) const override {
            return std::string(topic.substr(0, topic.find('/')));
        }
    };
    TestDoor door;
    door.shared->broker.set_routes(std::make_shared<ByFirstLevel>());
    TestClient client(door);
    client.connect("c");
    client.say(publish_packet(Version::v5, "x/1", "1", 1, 1) +
               publish_packet(Version::v5, "y/1", "2", 1, 2) +
               publish_packet(Version::v5, "x/2", "3", 1, 3));
    EXPECT_EQ(client.hear(12), puback(1) + puback(2) + puback(3));
    EXPECT_EQ(door.records("x").size(), 2u);
    EXPECT_EQ(door.records("y").size(), 1u);
}

TEST(Session, SharedSubscriptionsTakeTurns) {
    TestDoor door;
    TestClient one(door), two(door), writer(door);
    one.connect("1");
    two.connect("2");
    writer.connect("w");
    one.say(subscribe_packet(Version::v5, 1, "$share/g/t", 1));
    two.say(subscribe_packet(Version::v5, 1, "$share/g/t", 1));
    writer.publish("t", "a", 1);
    writer.publish("t", "b", 2);
    EXPECT_EQ(publish_in(one.hear()).payload, "a");
    EXPECT_EQ(publish_in(two.hear()).payload, "b");
}

}  // namespace
}  // namespace tarn::mqtt
