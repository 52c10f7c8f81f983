"""Publishing and subscribing with paho, in both versions."""
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from mqtt_clients import MQTT5, unique


@pytest.mark.parametrize("qos", [0, 1])
def test_a_message_reaches_its_subscriber(connect, version, qos):
    topic = unique()
    reader, writer = connect(version=version), connect(version=version)
    reader.subscribe(topic, qos)
    for n in range(50):
        writer.publish(topic, f"{n}", qos)
    for n in range(50):
        message = reader.hear()
        assert (message.topic, message.payload, message.qos) == (topic, f"{n}".encode(), qos)
        assert not message.retain


def test_wildcards(connect, version):
    top = unique("w")
    reader, writer = connect(version=version), connect(version=version)
    reader.subscribe(f"{top}/+/level")
    reader.subscribe(f"{top}/deep/#")
    heard = []
    for topic in ("1/level", "2/level", "1/other", "deep", "deep/a/b", "1/x/level"):
        writer.publish(f"{top}/{topic}", "x")
    writer.publish(f"{top}/deep/end", "x")
    while not heard or heard[-1] != f"{top}/deep/end":
        heard.append(reader.hear().topic)
    assert heard == [f"{top}/{t}" for t in ("1/level", "2/level", "deep", "deep/a/b", "deep/end")]


def test_unsubscribed_topics_are_silent(connect, version):
    topic, other = unique(), unique()
    reader, writer = connect(version=version), connect(version=version)
    reader.subscribe(topic)
    reader.subscribe(other)
    reader.unsubscribe(topic)
    writer.publish(topic, "not for you")
    assert reader.silent(writer, other)


def test_retained_messages(connect, version):
    topic = unique("r")
    writer = connect(version=version)
    writer.publish(topic, "first", retain=True)
    writer.publish(topic, "last", retain=True)
    reader = connect(version=version)
    reader.subscribe(topic)
    message = reader.hear()
    assert message.payload == b"last" and message.retain
    writer.publish(topic, "", retain=True)
    assert reader.hear().payload == b""
    late, other = connect(version=version), unique()
    late.subscribe(topic)
    late.subscribe(other)
    assert late.silent(writer, other)


def test_a_will_is_published_when_the_connection_breaks(connect, tarn, version):
    topic = unique("will")
    reader = connect(version=version)
    reader.subscribe(topic)
    dying = connect(version=version, will={"topic": topic, "payload": "gone", "qos": 1})
    dying.cut()
    assert reader.hear().payload == b"gone"
    polite = connect(version=version, will={"topic": topic, "payload": "never", "qos": 1})
    polite.close()
    assert reader.silent(connect(version=version), topic)


def test_take_over(connect, version):
    first = connect(version=version, client_id="twice")
    second = connect(version=version, client_id="twice")
    assert first.disconnected.wait(10)
    if version == MQTT5:
        assert first.disconnect_reason.value == 0x8e
    topic = unique()
    second.subscribe(topic)
    second.publish(topic, "still here")
    assert second.hear().payload == b"still here"


def test_a_session_keeps_what_came_while_its_client_was_away(connect, version):
    topic, name = unique(), unique("s").replace("/", "-")
    keep = {"expiry": 300} if version == MQTT5 else {}
    first = connect(version=version, client_id=name, clean=False, **keep)
    assert not first.session_present
    first.subscribe(topic)
    first.close()
    writer = connect(version=version)
    for n in range(20):
        writer.publish(topic, f"{n}")
    again = connect(version=version, client_id=name, clean=False, **keep)
    assert again.session_present
    assert [again.hear().payload for _ in range(20)] == [f"{n}".encode() for n in range(20)]
    again.close()
    assert not connect(version=version, client_id=name, clean=True).session_present


def test_properties_of_a_publish_go_on(connect):
    topic = unique()
    reader, writer = connect(), connect()
    reader.subscribe(topic)
    properties = Properties(PacketTypes.PUBLISH)
    properties.ContentType = "text/csv"
    properties.ResponseTopic = "answers/here"
    properties.CorrelationData = b"\x00\x01\xff"
    properties.UserProperty = [("a", "1"), ("a", "2")]
    properties.MessageExpiryInterval = 100
    writer.publish(topic, "1,2", properties=properties)
    got = reader.hear().properties
    assert got.ContentType == "text/csv" and got.ResponseTopic == "answers/here"
    assert got.CorrelationData == b"\x00\x01\xff"
    assert got.UserProperty == [("a", "1"), ("a", "2")]
    assert 90 <= got.MessageExpiryInterval <= 100


def test_no_local_and_shared_subscriptions(connect):
    topic, end = unique(), unique()
    one, two, writer = connect(), connect(), connect()
    one.subscribe(topic, options=SubscribeOptions(qos=1, noLocal=True), qos=0)
    one.subscribe(end)
    one.publish(topic, "my own")
    assert one.silent(writer, end)
    shared = unique()
    one.subscribe(f"$share/g/{shared}")
    two.subscribe(f"$share/g/{shared}")
    for n in range(10):
        writer.publish(shared, f"{n}")
    heard = [one.hear().payload for _ in range(5)] + [two.hear().payload for _ in range(5)]
    assert sorted(heard) == [f"{n}".encode() for n in range(10)]


def test_a_client_gets_an_identifier(connect):
    client = connect(client_id="")
    topic = unique()
    client.subscribe(topic)
    client.publish(topic, "x")
    assert client.hear().payload == b"x"


def test_a_large_payload(connect, version):
    topic = unique()
    reader, writer = connect(version=version), connect(version=version)
    reader.subscribe(topic)
    body = bytes(range(256)) * 3900
    writer.publish(topic, body)
    assert reader.hear().payload == body
