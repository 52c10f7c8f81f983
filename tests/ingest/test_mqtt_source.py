"""Readings published by MQTT become rows of a table: soon, once each, over kill -9, the malformed ones set aside."""
import json
import random
import subprocess
import threading
import time
import uuid

import paho.mqtt.client as mqtt
import psycopg2
import pytest

from tarn_server import TarnServer

LAKEFILE = """
lake: sensors
timezone: UTC
sources:
  shelves:
    mqtt: stores/{store_id}/shelves/{shelf_id}
    columns: {shelf_id: int, seq: bigint, read_at: timestamptz, grams: double}
    key: [shelf_id, seq]
    commit: 100ms
    late: 7d
  doors:
    mqtt: stores/{store_id}/doors/{door}
    columns: {seq: bigint, opened: boolean}
    commit: 50ms
"""


@pytest.fixture
def lake(tarn_binary, tmp_path):
    lakefile = tmp_path / "lake.yaml"
    lakefile.write_text(LAKEFILE)
    server = TarnServer(args=["--lake", lakefile])
    try:
        yield server.start()
    finally:
        print(f"--- the server's log ---\n{server.log_tail()}")
        server.close()


def ask(server, sql):
    host, port = server.address("postgres")
    connection = psycopg2.connect(host=host, port=port, user=server.access_key, password=server.secret_key, dbname="lake")
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()
    finally:
        connection.close()


def wait_for(server, sql, expected, seconds=20):
    deadline = time.monotonic() + seconds
    while (got := ask(server, sql)) != expected and time.monotonic() < deadline:
        time.sleep(0.02)
    return got


def reading(seq, at="2026-11-20T10:00:00Z", grams=1234.5):
    return json.dumps({"seq": seq, "read_at": at, "grams": grams})


class Publisher:
    """Publishes with QoS 1 until the server is gone; `acknowledged` says what got its PUBACK."""

    def __init__(self, server):
        self.paho = mqtt.Client(uuid.uuid4().hex)
        self.paho.username_pw_set(server.access_key, server.secret_key)
        self.paho.reconnect_delay_set(3600, 3600)
        self.paho.max_inflight_messages_set(100)
        connected = threading.Event()
        self.paho.on_connect = lambda *_: connected.set()
        self.paho.connect(*server.address("mqtt"))
        self.paho.loop_start()
        assert connected.wait(10), "no CONNACK"
        self.sent = []

    def publish(self, topic, payload):
        self.sent.append((topic, payload, self.paho.publish(topic, payload, qos=1)))

    def wait(self):
        for _, _, sent in self.sent:
            sent.wait_for_publish(10)
            assert sent.is_published(), "no PUBACK"

    def acknowledged(self):
        return [(topic, payload) for topic, payload, sent in self.sent if sent.is_published()]

    def unanswered(self):
        return [(topic, payload) for topic, payload, sent in self.sent if not sent.is_published()]

    def close(self):
        self.paho.disconnect()
        self.paho.loop_stop()


def mosquitto_pub(server, topic, payload):
    host, port = server.address("mqtt")
    subprocess.run(["mosquitto_pub", "-h", host, "-p", str(port), "-u", server.access_key, "-P", server.secret_key,
                    "-V", "mqttv5", "-q", "1", "-t", topic, "-m", payload], check=True, timeout=20)


@pytest.mark.quick
def test_a_reading_is_a_row_soon_and_a_malformed_one_is_set_aside(lake):
    assert ask(lake, "select count(*) from shelves") == [(0,)], "the table is there before the first reading"
    mosquitto_pub(lake, "stores/7/shelves/3", reading(1))
    published = time.monotonic()
    row = [("7", 3, 1, 1234.5)]
    sql = "select store_id, shelf_id, seq, grams from shelves"
    assert wait_for(lake, sql, row) == row
    assert time.monotonic() - published < 1.5
    mosquitto_pub(lake, "stores/7/shelves/3", reading(1, grams=7))  # sent again: the same row
    mosquitto_pub(lake, "stores/7/shelves/x", reading(2))
    mosquitto_pub(lake, "stores/7/shelves/3", '{"seq": "two"}')
    mosquitto_pub(lake, "stores/7/shelves/3", '{"seq": 3')
    mosquitto_pub(lake, "stores/7/shelves/3", reading(4, at="2026-11-01T10:00:00Z"))
    mosquitto_pub(lake, "stores/7/other/3", reading(5))  # no source takes it
    reasons = "select place, reason from shelves_rejected order by line"
    for _ in range(500):
        rejected = ask(lake, reasons) if ask(lake, "select count(*) from pg_tables where tablename = 'shelves_rejected'") == [(1,)] else []
        if len(rejected) == 4:
            break
        time.sleep(0.02)
    assert [reason.split(":")[0] for _, reason in rejected] == ["shelf_id", "seq", "the payload is not JSON", "late"]
    assert rejected[0][0] == "stores/7/shelves/x"
    assert ask(lake, sql) == [("7", 3, 1, 7.0)]
    assert ask(lake, "select count(*) from shelves") == [(1,)]


def test_one_row_per_record_and_one_per_key_over_kills(lake):
    dice = random.Random(5)
    attempted, acknowledged, unanswered = {}, set(), []
    doors_attempted, doors_acknowledged = set(), set()
    bad_attempted, bad_acknowledged = set(), set()
    seq = 0
    for life in range(4):
        publisher = Publisher(lake)
        again = []
        for topic, payload in unanswered:  # a client that got no answer sends it again
            publisher.publish(topic, payload)
        for _ in range(1500):
            seq += 1
            shelf = seq % 20
            publisher.publish(f"stores/1/shelves/{shelf}", reading(seq))
            attempted[(shelf, seq)] = True
            if seq % 3 == 0:
                publisher.publish(f"stores/1/doors/{shelf}", json.dumps({"seq": seq, "opened": True}))
                doors_attempted.add(seq)
            if seq % 10 == 0:
                bad = f"malformed {seq}"
                publisher.publish("stores/1/doors/1", bad)
                bad_attempted.add(bad)
        time.sleep(dice.uniform(0.2, 1.2))
        lake.kill()
        publisher.close()
        for topic, payload in publisher.acknowledged():
            if payload.startswith("malformed"):
                bad_acknowledged.add(payload)
            elif "/doors/" in topic:
                doors_acknowledged.add(json.loads(payload)["seq"])
            else:
                acknowledged.add((int(topic.rsplit("/", 1)[1]), json.loads(payload)["seq"]))
        again = [(t, p) for t, p in publisher.unanswered() if "/shelves/" in t]
        unanswered = again
        lake.start()
    publisher = Publisher(lake)
    for topic, payload in unanswered:
        publisher.publish(topic, payload)
    publisher.publish("stores/1/shelves/0", reading(10**9))
    publisher.publish("stores/1/doors/0", json.dumps({"seq": 10**9}))
    publisher.wait()
    publisher.close()
    assert wait_for(lake, f"select count(*) from shelves where seq = {10**9}", [(1,)]) == [(1,)]
    assert wait_for(lake, f"select count(*) from doors where seq = {10**9}", [(1,)]) == [(1,)]
    assert len(acknowledged) >= 1000 and len(bad_acknowledged) >= 50

    rows = ask(lake, f"select shelf_id, seq from shelves where seq < {10**9}")
    assert len(rows) == len(set(rows)), "a key is there twice"
    assert acknowledged <= set(rows) <= set(attempted)
    assert set(rows) == set(attempted), "what got no answer was sent again"
    doors = [seq for (seq,) in ask(lake, f"select seq from doors where seq < {10**9}")]
    assert len(doors) == len(set(doors)), "a record is there twice"
    assert doors_acknowledged <= set(doors) <= doors_attempted
    bad = [text for (text,) in ask(lake, "select text from doors_rejected")]
    assert len(bad) == len(set(bad)), "a malformed record is there twice"
    assert bad_acknowledged <= set(bad) <= bad_attempted


def test_what_comes_in_while_the_source_is_behind_is_worked_off(lake):
    """Thousands of readings, and all are rows a moment after the last PUBACK."""
    publisher = Publisher(lake)
    for seq in range(20_000):
        publisher.publish(f"stores/1/doors/{seq % 7}", json.dumps({"seq": seq, "opened": seq % 2 == 0, "more": [1, 2]}))
    publisher.wait()
    done = time.monotonic()
    sql = "select count(*), count(distinct seq), sum(opened::int) from doors"
    assert wait_for(lake, sql, [(20_000, 20_000, 10_000)]) == [(20_000, 20_000, 10_000)]
    assert time.monotonic() - done < 5
    publisher.close()
