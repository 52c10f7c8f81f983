"""PostgreSQL and MQTT: every way to sign in that is none, and one right at a time."""
import pathlib
import random
import statistics
import sys
import time

import psycopg2
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "protocol" / "mqtt"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "protocol" / "postgres"))

from access_clients import audited, good, new_key, new_user, statement  # noqa: E402
from lake_api import until  # noqa: E402
from mqtt_clients import MQTT5, MQTT311, Client, Raw, connect_packet, packet, text  # noqa: E402
from wire import Wire, framed, query, startup  # noqa: E402




@pytest.fixture(scope="module")
def lake(tarn):
    tarn.root = (tarn.access_key, tarn.secret_key)
    tarn.bare = new_user(tarn, "bare")
    tarn.allowed = new_user(tarn, "allowed", statement("*"))
    tarn.keyless = "keyless"
    good(tarn, "POST", "/api/v1/users", {"name": "keyless"})
    disabled, removed = new_key(tarn, "allowed"), new_key(tarn, "allowed")
    good(tarn, "PUT", f"/api/v1/keys/{disabled[0]}", {"active": False})
    good(tarn, "DELETE", f"/api/v1/keys/{removed[0]}")
    gone = new_user(tarn, "gone", statement("*"))
    good(tarn, "DELETE", "/api/v1/users/gone")
    cookie = "A" * 43
    tarn.sign_ins = {
        "nothing": ("", ""), "no password": (tarn.access_key, ""), "no name": ("", tarn.secret_key),
        "wrong": (tarn.access_key, "x" * 40), "wrong, by name": ("root", "x" * 40), "wrong, of a user": ("allowed", "x" * 40),
        "unknown name": ("nobody", "x" * 40), "unknown key": ("AKIANOBODY2345672345", tarn.secret_key),
        "a user without a key": ("keyless", "x" * 40), "another's secret": ("allowed", tarn.secret_key),
        "the secret in another case": (tarn.access_key, tarn.secret_key.swapcase()),
        "a longer secret": (tarn.access_key, tarn.secret_key + "\0"), "a shorter one": (tarn.access_key, tarn.secret_key[:-1]),
        "disabled": disabled, "removed": removed, "of a removed user": gone, "the name in another case": ("ROOT", tarn.secret_key),
        "a console session": ("root", cookie), "a name that is a pattern": ("%", tarn.secret_key), "a very long one": ("n" * 60, "x" * 5000),
    }
    return tarn


def refused_by_postgres(server, user, password):
    """What the door says; SCRAM by hand, because no library sends an empty name."""
    if not user or "\0" in password:
        with Wire(server) as wire:
            wire.send(startup(database="lake"))
            return wire.error()["M"]
    with pytest.raises(psycopg2.OperationalError) as raised:
        psycopg2.connect(host=server.address("postgres")[0], port=server.address("postgres")[1], user=user, password=password or "\x01",
                         dbname="lake", connect_timeout=60).close()
    return str(raised.value).split("FATAL:")[-1].strip().splitlines()[0]


def refused_by_mqtt(server, version, user, password):
    with Raw(server) as raw:
        raw.say(connect_packet(server, version, user=user or "\x20", password=password or "\x20"))
        return raw.until_closed()


def test_postgres_lets_nobody_in_with_less_than_the_secret(lake):
    refused = 0
    for how, (user, password) in lake.sign_ins.items():
        said = refused_by_postgres(lake, user, password)
        expected = "no user name" if not user or "\0" in password else f'password authentication failed for user "{user}"'
        assert said.startswith(expected), (how, said)
        refused += 1
    records = until(lambda: (found := [r for r in audited(lake, action="tarn:Connect", outcome="denied") + audited(
        lake, action="tarn:Connect", outcome="failed")]) and len(found) >= refused - 1 and found)
    assert all("principal" not in record for record in records), "nobody was authenticated"


def test_mqtt_lets_nobody_in_with_less_than_the_secret(lake):
    answers = {4: set(), 5: set()}
    for version in answers:
        for how, (user, password) in lake.sign_ins.items():
            answer = refused_by_mqtt(lake, version, user, password)
            assert answer[:1] == b"\x20" and answer[3] in (0x86, 4, 5, 0x87), (how, version, answer)
            answers[version].add(answer)
        assert len(answers[version]) == 1, (version, answers[version])
    until(lambda: len(audited(lake, action="iot:Connect", outcome="denied")) >= 2 * len(lake.sign_ins))


def test_nothing_is_done_before_the_password(lake):
    """Messages that come before it, or with it, are not carried out."""
    good(lake, "POST", "/api/v1/sql", {"sql": "create table if not exists early (n int)"})
    for early in (query("insert into early values (1)"), framed(b"P", b"\0insert into early values (1)\0\0\0") + framed(b"S"),
                  framed(b"p", b"md5" + b"0" * 32 + b"\0") + query("insert into early values (1)")):
        with Wire(lake) as wire:
            wire.send(startup(user=lake.access_key, database="lake") + early)
            kinds = []
            with pytest.raises((EOFError, ConnectionError)):
                while True:
                    kinds.append(wire.message()[0])
            assert kinds in ([b"E"], [b"R", b"E"]), kinds
    for version in (4, 5):
        publish = packet(0x30, text("early") + (b"\0" if version == 5 else b"") + b"payload")
        for first in (b"", connect_packet(lake, version, password="wrong")):
            with Raw(lake) as raw:
                raw.say(first + publish)
                raw.until_closed()
    assert good(lake, "POST", "/api/v1/sql", {"sql": "select count(*) from early"})["rows"] == [[0]]
    assert not [s for s in good(lake, "GET", "/api/v1/streams")["streams"] if s.get("records")]


def test_times_tell_nothing(lake):
    def median(refused, names):
        spent = {name: [] for name in names}
        for _ in range(15):
            for name in random.sample(names, len(names)):
                begun = time.perf_counter()
                refused(name)
                spent[name].append(time.perf_counter() - begun)
        return {name: statistics.median(times) for name, times in spent.items()}
    for refused in (lambda name: refused_by_postgres(lake, name, "wrong"), lambda name: refused_by_mqtt(lake, 5, name, "wrong")):
        took = median(refused, ("allowed", "nobody", "keyless"))
        assert max(took.values()) < 1.6 * min(took.values()) + 0.002, took


# --- one right at a time

RIGHTS = ("iot:Connect", "iot:Publish", "iot:Subscribe", "iot:Receive")


def connected(server, key, version):
    client = Client(server, version=version, user=key[0], password=key[1], wait=False)
    assert client.connected.wait(60)
    reason = int(getattr(client.reason, "value", client.reason))
    if reason != 0:
        client.close()
        return None
    return client


@pytest.mark.parametrize("version", [MQTT311, MQTT5], ids=["3.1.1", "5"])
def test_a_right_of_mqtt_is_that_right(lake, version):
    listener = Client(lake, version=version)
    listener.subscribe("open/#")
    for right in RIGHTS:
        key = new_user(lake, f"only-{right[4:]}-{version}", statement(right))
        client = connected(lake, key, version)
        assert (client is not None) == (right == "iot:Connect"), right
        if client:
            client.close()
    for right in RIGHTS[1:]:
        key = new_user(lake, f"with-{right[4:]}-{version}", statement("iot:Connect", right))
        client = connected(lake, key, version)
        topic = f"open/{right[4:].lower()}{version}"
        if right == "iot:Publish":
            client.publish(topic, "allowed")
            assert listener.hear(60).payload == b"allowed"
        else:
            client.paho.publish(topic, "refused", 1)
            assert listener.silent(Client(lake, version=version), topic), right
        client.close()
        # A subscription is made with iot:Subscribe; without iot:Receive nothing comes through it.
        client = connected(lake, key, version)
        granted = []
        client.paho.on_subscribe = lambda _c, _u, _m, codes, *_: (granted.extend(int(getattr(c, "value", c)) for c in codes),
                                                                   client.acked.set())
        client.paho.subscribe("open/#", 1)
        until(lambda: client.acked.is_set() or client.disconnected.is_set())
        assert (granted == [1]) == (right == "iot:Subscribe"), (right, granted)
        listener.publish(topic, "for those who may")
        listener.hear(60)
        time.sleep(0.2)
        assert client.messages.empty(), right
        client.close()
    key = new_user(lake, f"reads-{version}", statement("iot:Connect", "iot:Subscribe", "iot:Receive"),
                   statement("iot:Receive", effect="Deny", resource="arn:aws:iot:*:*:topic/open/closed*"))
    client = connected(lake, key, version)
    client.subscribe("open/#")
    for topic, payload in ((f"open/closed{version}", "denied"), (f"open/heard{version}", "heard")):
        listener.publish(topic, payload)
    assert client.hear(60).payload == b"heard", "deny beats allow"
    client.close()
    listener.close()


def test_a_connection_of_mqtt_ends_with_its_key(lake):
    key = new_user(lake, "mqtt-open", statement("iot:*"))
    client = Client(lake, user=key[0], password=key[1])
    client.publish("still/good", "1")
    good(lake, "DELETE", f"/api/v1/keys/{key[0]}")
    deadline = time.monotonic() + 60
    while not client.disconnected.is_set():
        assert time.monotonic() < deadline, "the key is gone, the connection is not"
        client.paho.publish("still/good", "2", 1)
        time.sleep(0.1)
    client.was_cut = True
    client.paho.loop_stop()
