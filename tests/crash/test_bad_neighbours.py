"""Who misbehaves harms nobody else: a webhook that hangs, a file that grows while it is read, an MQTT client that never
reads, a clock that jumps."""
import json
import socket
import threading
import time

import psycopg2
import pytest

from lake_api import api
from tarn_server import TarnServer
from test_failing_disk import preload  # noqa: F401
from webhook_receiver import WebhookReceiver

LAKEFILE = """\
lake: neighbours
timezone: UTC
sources:
  dropped:
    folder: drop/*.csv
    settle: 700ms
  levels:
    mqtt: levels/{{shelf}}
    columns: {{shelf: int, seq: bigint}}
    key: [shelf, seq]
    commit: 50ms
tables:
  totals:
    refresh: on_change
    sql: select count(*) as n from dropped
alerts:
  hangs:
    when: select id from risk
    one_per: [id]
    to: [{{url: "{hanging}", secret: "{hanging_secret}", allow_private: true}}]
  works:
    when: select id from risk
    one_per: [id]
    to: [{{url: "{working}", secret: "{working_secret}", allow_private: true}}]
"""


class Neighbours:
    def __init__(self, folder, env=None):
        self.folder = folder
        self.released = threading.Event()
        self.hanging, self.working = WebhookReceiver(), WebhookReceiver()
        self.hanging.answer = lambda message: self.released.wait(120) and 204
        (folder / "drop").mkdir()
        (folder / "lake.yaml").write_text(LAKEFILE.format(
            hanging=self.hanging.url, hanging_secret=self.hanging.secret, working=self.working.url, working_secret=self.working.secret))
        self.server = TarnServer(folder=folder, env=env)
        self.server.start()
        self.connect()
        self.ask("create table risk (id int)")
        self.server.args = ["--lake", str(folder / "lake.yaml")]
        self.server.restart()
        self.connect()

    def connect(self):
        self.sql = self.server.connect()

    def ask(self, text):
        with self.sql.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchall() if cursor.description else None

    def until(self, text, expected, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            try:
                got = self.ask(text)
            except psycopg2.errors.UndefinedTable:
                got = None
            if got == expected:
                return
            assert time.monotonic() < deadline, f"{text}: {got}, not {expected}"
            time.sleep(0.1)

    def http(self, path):
        return api(self.server, "GET", path)

    def resident_mb(self):
        with open(f"/proc/{self.server.process.pid}/status", encoding="ascii") as status:
            return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) >> 10

    def close(self):
        self.released.set()
        print(f"--- the server's log ---\n{self.server.log_tail(40)}")
        self.server.close()
        self.hanging.stop()
        self.working.stop()


@pytest.fixture
def neighbours(tarn_binary, tmp_path):
    made = Neighbours(tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_a_webhook_that_hangs_delays_no_other(neighbours):
    for number in range(20):
        neighbours.ask(f"insert into risk values ({number})")
    told = neighbours.working.wait(20, seconds=60)
    assert {body["data"]["row"]["id"] for body in told} == set(range(20))
    assert not neighbours.hanging.accepted(), "it answered: the test shows nothing"
    deadline = time.monotonic() + 60
    while len(waiting := neighbours.http("/api/v1/alerts/hangs/deliveries")["deliveries"]) < 20 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert len(waiting) == 20 and all(delivery["state"] == "waiting" for delivery in waiting)
    began = time.monotonic()
    assert neighbours.server.stop(30) == 0, "a hanging request does not hold the server's end up"
    assert time.monotonic() - began < 20
    neighbours.released.set()
    neighbours.server.start()
    told = neighbours.hanging.wait(20, seconds=90)
    assert {body["data"]["row"]["id"] for body in told} == set(range(20)), "what waited is delivered after the restart"


def test_a_file_that_grows_while_it_is_read_is_taken_once_and_whole(neighbours):
    rows = 0
    with open(neighbours.folder / "drop" / "grows.csv", "w", encoding="ascii") as out:
        out.write("id,name\n")
        for _ in range(40):
            for _ in range(500):
                out.write(f"{rows},row {rows}\n")
                rows += 1
            out.flush()
            time.sleep(0.1)  # within the settle time
    neighbours.until("select count(*), count(distinct id) from dropped", [(rows, rows)])
    neighbours.until("select n from totals", [(rows,)])


def test_an_mqtt_client_that_never_reads_costs_little(neighbours):
    """It subscribes to everything, and never reads; another publishes for ten seconds' worth and is answered each time."""
    import paho.mqtt.client as mqtt

    def packet(first, body):
        assert len(body) < 128
        return bytes([first, len(body)]) + body

    def text(value):
        return len(value).to_bytes(2, "big") + value.encode()

    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(neighbours.server.address("mqtt"))
    login = text("deaf") + text(neighbours.server.access_key) + text(neighbours.server.secret_key)
    deaf.sendall(packet(0x10, text("MQTT") + b"\x04\xc2\x00\x00" + login))
    deaf.sendall(packet(0x82, b"\x00\x01" + text("#") + b"\x00"))
    time.sleep(0.5)
    before = neighbours.resident_mb()
    client = mqtt.Client("talks")
    client.username_pw_set(neighbours.server.access_key, neighbours.server.secret_key)
    client.max_inflight_messages_set(200)
    client.connect(*neighbours.server.address("mqtt"))
    client.loop_start()
    sent = [client.publish(f"noise/{number % 50}", b"x" * 16_000, qos=1) for number in range(4000)]  # 64 MB
    sent += [client.publish(f"levels/{number % 5}", json.dumps({"seq": number}), qos=1) for number in range(500)]
    for message in sent:
        message.wait_for_publish(90)
        assert message.is_published(), "no PUBACK"
    client.disconnect()
    client.loop_stop()
    neighbours.until("select count(*) from levels", [(500,)])
    grown = neighbours.resident_mb() - before
    deaf.close()
    assert grown < 150, f"the process grew by {grown} MB"


def test_a_clock_that_jumps_loses_and_doubles_nothing(tarn_binary, tmp_path, preload):  # noqa: F811
    """A day forward, then two back: rows, computed tables, files and alerts go on."""
    faults = tmp_path / "faults"
    faults.write_text("")
    made = Neighbours(tmp_path, env={"LD_PRELOAD": str(preload), "TARN_FAULTS": str(faults)})
    made.working.answer = lambda message: 204
    try:
        made.ask("create table notes (id int)")
        for number, jump in enumerate((0, 86400, -86400, 0)):
            faults.write_text(f"clock * jump {jump}\n" if jump else "")
            made.connect()
            shown = made.ask("select extract(epoch from now())")[0][0]
            assert abs(float(shown) - time.time() - jump) < 600, "the clock did not jump: the test shows nothing"
            made.ask(f"insert into notes values ({number})")
            made.ask(f"insert into risk values ({number})")
            (tmp_path / "drop" / f"f{number}.csv").write_text("id,name\n" + "".join(f"{number * 10 + i},n\n" for i in range(10)))
            made.until("select count(*), count(distinct id) from dropped", [(10 * number + 10,) * 2])
            made.until("select n from totals", [(10 * number + 10,)])
            deadline = time.monotonic() + 60
            while made.http("/api/v1/alerts/works")["open"] != number + 1:
                assert time.monotonic() < deadline, made.http("/api/v1/alerts/works")
                time.sleep(0.1)
        faults.write_text("")
        made.server.restart(crash=True)
        made.connect()
        assert made.ask("select id from notes order by id") == [(0,), (1,), (2,), (3,)]
        made.until("select n from totals", [(40,)])
    finally:
        made.close()
