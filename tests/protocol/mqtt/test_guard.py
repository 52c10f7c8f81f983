"""Who is let in, and what hostile bytes do: nothing."""
import os
import random
import socket
import struct
import time

import pytest

from mqtt_clients import MQTT5, Client, Raw, connect_packet, packet, text, unique


def refused(tarn, version, **who):
    client = Client(tarn, version=version, wait=False, **who)
    assert client.connected.wait(10)
    client.close()
    return int(getattr(client.reason, "value", client.reason))


def test_wrong_password_and_unknown_user(tarn, version):
    wrong = 0x86 if version == MQTT5 else 4
    assert refused(tarn, version, password="wrong") == wrong
    assert refused(tarn, version, user="nobody") == wrong
    assert refused(tarn, version, user="", password="") == wrong


def test_qos_2_is_refused(tarn, connect, version):
    client = connect(version=version)
    if version == MQTT5:
        # paho obeys the maximum QoS of CONNACK, a rude client does not.
        with Raw(tarn) as raw:
            raw.say(connect_packet(tarn, 5) + packet(0x34, text("t") + b"\x00\x01\x00x"))
            assert b"\x9b" in raw.until_closed()
    else:
        client.paho.publish("t", "x", qos=2)
        assert client.disconnected.wait(10)


@pytest.mark.parametrize("level", [4, 5])
def test_malformed_packets_end_the_connection_only(tarn, connect, level):
    hello = connect_packet(tarn, level)
    bad = [
        b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00", b"\xff" * 64, b"\x10\xff\xff\xff\xff\x01",
        packet(0x10, text("MQTT")), packet(0x10, text("MQTT") + b"\x07\x02\x00\x00"),
        connect_packet(tarn, level, client_id=b"\xc3\x28"),
        hello + hello,
        hello + b"\x36\x03\x00\x01t",
        hello + packet(0x30, text("a/#") + b"\x00"),
        hello + packet(0x30, text(b"a\x00b") + b"\x00"),
        hello + packet(0x30, text(b"\xed\xa0\x80") + b"\x00"),
        hello + packet(0x82, b"\x00\x01" + (b"\x00" if level == 5 else b"")),
        hello + packet(0x80, b"\x00\x01"),
        hello + packet(0x30, b"\xff\xff"),
    ]
    for data in bad:
        with Raw(tarn) as raw:
            raw.say(data)
            raw.socket.shutdown(socket.SHUT_WR)
            raw.until_closed()
    topic = unique()
    client = connect()
    client.subscribe(topic)
    client.publish(topic, "alive")
    assert client.hear().payload == b"alive"
    assert tarn.alive()


def test_truncated_packets(tarn, connect):
    whole = connect_packet(tarn, 4) + packet(0x32, text("t") + b"\x00\x01" + b"payload")
    for cut in range(1, len(whole), 3):
        with Raw(tarn) as raw:
            raw.say(whole[:cut])
    connect()
    assert tarn.alive()


@pytest.mark.parametrize("level", [4, 5])
def test_huge_packets_are_refused_at_their_length(tarn, level):
    with Raw(tarn) as raw:
        raw.say(connect_packet(tarn, level))
        raw.read(4)
        raw.say(b"\x30\xff\xff\xff\x7f" + b"x" * 1000)
        answer = raw.until_closed()
        assert level == 4 or b"\x95" in answer
    with Raw(tarn) as raw:
        raw.say(b"\x10\xff\xff\xff\x7f" + b"x" * 1000)
        assert raw.until_closed() == b""


def test_random_bytes(tarn, connect):
    seed = int(os.environ.get("TARN_SEED", random.randrange(1 << 32)))
    print(f"TARN_SEED={seed}")
    rng = random.Random(seed)
    hello = connect_packet(tarn, 5)
    for _ in range(100):
        body = bytearray(packet(rng.choice([0x30, 0x32, 0x82, 0xa2, 0xe0, 0x40, 0xf0]), rng.randbytes(rng.randrange(60))))
        with Raw(tarn) as raw:
            raw.say(hello + bytes(body) + rng.randbytes(rng.randrange(200)))
    connect()
    assert tarn.alive()


def test_packets_in_pieces(tarn):
    with Raw(tarn) as raw:
        for byte in connect_packet(tarn, 4) + packet(0x32, text("pieces") + b"\x00\x07hello"):
            raw.say(bytes([byte]))
        assert raw.read(8) == b"\x20\x02\x00\x00\x40\x02\x00\x07"


def test_many_publishes_at_once_are_acknowledged_in_order(tarn):
    count = 5000
    with Raw(tarn) as raw:
        raw.say(connect_packet(tarn, 4))
        assert raw.read(4) == b"\x20\x02\x00\x00"
        raw.say(b"".join(packet(0x32, text("burst") + struct.pack(">H", n) + b"x" * 64) for n in range(1, count + 1)))
        acks = raw.read(4 * count)
    assert acks == b"".join(b"\x40\x02" + struct.pack(">H", n) for n in range(1, count + 1))


def test_the_server_stops_with_a_word(own_tarn):
    with Raw(own_tarn) as raw, Raw(own_tarn) as old:
        raw.say(connect_packet(own_tarn, 5))
        old.say(connect_packet(own_tarn, 4, client_id="old"))
        assert raw.read(2)[0] == 0x20 and old.read(4) == b"\x20\x02\x00\x00"
        assert own_tarn.stop() == 0
        assert raw.until_closed().endswith(b"\xe0\x01\x8b")
        assert old.until_closed() == b""


def test_silence_ends_a_connection(tarn):
    with Raw(tarn) as raw:
        body = text("MQTT") + b"\x04\xc2" + struct.pack(">H", 1) + text("quiet") + text(tarn.access_key)
        raw.say(packet(0x10, body + text(tarn.secret_key)))
        begun = time.monotonic()
        raw.until_closed()
        assert 1 < time.monotonic() - begun < 5
