"""Bytes that no client sends: refused in words, never a crash, never memory without bound."""
import os
import random
import struct

import pytest

from wire import Wire, framed, query, startup

SSL_REQUEST = framed(b"", struct.pack("!i", 80877103))
GSS_REQUEST = framed(b"", struct.pack("!i", 80877104))


def resident_bytes(tarn):
    with open(f"/proc/{tarn.process.pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(autouse=True)
def still_serves(tarn):
    yield
    with Wire(tarn) as wire:
        wire.sign_in()
        wire.send(query("select 1"))
        assert [kind for kind, _ in wire.until_ready()] == [b"T", b"D", b"C", b"Z"]


@pytest.mark.parametrize("junk", [b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\0", b"\0\0\0\7aaa", b"\x7f\xff\xff\xff" + b"x" * 100,
                                  b"\xff" * 64, framed(b"", b"\0\3\0\0user\0x"), framed(b"", b"\0\3\0\0user\0x\0\0tail")])
def test_broken_startup_packets(tarn, junk):
    with Wire(tarn) as wire:
        wire.send(junk)
        assert wire.error()["C"] == "08P01"
        assert wire.closed()


def test_refused_before_the_password(tarn):
    with Wire(tarn) as wire:
        wire.send(startup(user="root"))
        assert wire.message()[0] == b"R"
        wire.send(query("select 1"))
        assert wire.error()["C"] == "08P01"
        assert wire.closed()
    with Wire(tarn) as wire:
        wire.send(startup(user="root"))
        assert wire.message()[0] == b"R"
        wire.send(b"p" + struct.pack("!i", 1 << 20))
        assert wire.error()["C"] == "08P01"


def test_no_encryption_without_a_certificate(tarn):
    with Wire(tarn) as wire:
        assert wire.send(GSS_REQUEST).exactly(1) == b"N"
        assert wire.send(SSL_REQUEST).exactly(1) == b"N"
        wire.sign_in()


def test_bytes_behind_an_encryption_request(tarn):
    with Wire(tarn) as wire:
        wire.send(SSL_REQUEST + startup(user="root"))
        assert wire.error()["C"] == "08P01"
        assert wire.closed()


def test_old_and_new_versions(tarn):
    with Wire(tarn) as wire:
        wire.send(startup(version=2 << 16, user="root"))
        assert wire.error()["C"] == "0A000"
    with Wire(tarn) as wire:
        wire.send(startup(version=(3 << 16) + 2, user="root", **{"_pq_.new": "1"}))
        kind, body = wire.message()
        assert kind == b"v" and body == struct.pack("!ii", 3 << 16, 1) + b"_pq_.new\0"


@pytest.mark.parametrize("head", [b"Q\x7f\xff\xff\xff", b"Q\xff\xff\xff\xff", b"Q\0\0\0\0", b"S\0\x10\0\0", b"\1\0\0\0\4",
                                  b"?\0\0\0\4", b"Q\x40\0\0\0"])
def test_lengths_and_types_that_can_not_be(tarn, head):
    with Wire(tarn) as wire:
        wire.sign_in()
        wire.send(head)
        error = wire.error()
        assert (error["S"], error["C"]) == ("FATAL", "08P01")
        assert wire.closed()


def test_announced_bytes_take_no_memory(tarn):
    wires = []
    for _ in range(50):
        wire = Wire(tarn)
        wire.sign_in()
        wires.append(wire)
    before = resident_bytes(tarn)
    for wire in wires:
        wire.send(b"Q" + struct.pack("!i", 60 << 20) + b"select 1")
    assert resident_bytes(tarn) - before < 50 << 20
    for wire in wires:
        wire.socket.close()


@pytest.mark.parametrize("kind", [b"P", b"B", b"D", b"E", b"C"])
def test_broken_bodies_are_errors_of_the_statement(tarn, kind):
    seeded = random.Random(kind)
    with Wire(tarn) as wire:
        wire.sign_in()
        for size in (0, 1, 2, 5, 17, 200):
            wire.send(framed(kind, bytes(seeded.randrange(256) for _ in range(size))) + framed(b"S"))
            messages = wire.until_ready()
            assert messages[0][0] == b"E" and messages[-1] == (b"Z", b"I")


def test_half_messages(tarn):
    whole = framed(b"P", b"\0select 7\0\0\0") + framed(b"B", b"\0\0\0\0\0\0\0\0") + framed(b"E", b"\0\0\0\0\0") + framed(b"S")
    with Wire(tarn) as wire:
        wire.sign_in()
        for i in range(len(whole)):
            wire.send(whole[i:i + 1])
        assert [kind for kind, _ in wire.until_ready()] == [b"1", b"2", b"D", b"C", b"Z"]
        wire.send(whole[:20])  # and gone
    with Wire(tarn) as wire:
        wire.send(b"\0\0")


def test_who_does_not_sign_in_is_sent_away(tarn):
    with Wire(tarn, timeout=20) as wire:
        wire.send(startup(user="root"))
        assert wire.message()[0] == b"R"
        kind, said = wire.message()
        assert kind == b"E" and b"C57014\0" in said
        assert wire.closed()
    with Wire(tarn, timeout=20) as wire:  # nor does it say who it is
        assert wire.closed()


def test_function_calls_are_refused(tarn):
    with Wire(tarn) as wire:
        wire.sign_in()
        wire.send(framed(b"F", struct.pack("!ihhh", 1, 0, 0, 0)))
        messages = wire.until_ready()
        assert [kind for kind, _ in messages] == [b"E", b"Z"] and b"C0A000\0" in messages[0][1]


def test_a_huge_statement(tarn):
    with Wire(tarn, timeout=60) as wire:
        wire.sign_in()
        wire.send(query("select 1 -- " + "x" * (20 << 20)))
        assert wire.until_ready()[-1] == (b"Z", b"I")
        wire.send(query("select 1"))
        assert wire.until_ready()[-2][0] == b"C"


def test_text_that_is_no_utf8(tarn):
    with Wire(tarn) as wire:
        wire.sign_in()
        wire.send(framed(b"Q", b"select '\xff\xfe'\0"))
        messages = wire.until_ready()
        assert messages[0][0] == b"E" and b"C22021\0" in messages[0][1]


def test_a_reader_that_stops_holds_no_memory(tarn):
    with Wire(tarn) as wire:
        wire.sign_in()
        before = resident_bytes(tarn)
        wire.send(query("select repeat('x', 1000) from range(300000)"))
        wire.exactly(1 << 20)
        assert resident_bytes(tarn) - before < 150 << 20
        with Wire(tarn) as other:
            other.sign_in()
