#!/usr/bin/env python3
"""A mixed load on one server for minutes or hours: are memory and latency flat, and is nothing wrong?

    bench/soak.py [--minutes 120] [--speed 1] [--no-capture] [--report docs/soak.md]

All doors at once, at a steady rate that a small machine keeps up with: S3 (puts, gets that compare the bytes, lists, deletes), SQL
(inserts, updates, queries, deletes of what is old), readings by MQTT into a table with a rule and a webhook behind it, the HTTP API, and
a PostgreSQL followed change by change, where its programs are there. At the end each side is counted against what was acknowledged."""
import argparse
import base64
import json
import os
import pathlib
import platform
import random
import statistics
import sys
import tempfile
import threading
import time
import traceback
import urllib.request

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "tests"), str(TOP / "bench")]

import psycopg2  # noqa: E402
from load import cpu_seconds, make_bucket  # noqa: E402
from mqtt import connect as mqtt_connect, packet, text  # noqa: E402
from page import cores_in_use, machine  # noqa: E402
from postgres_server import PostgresServer, available  # noqa: E402
from tarn_server import TarnServer  # noqa: E402
from webhook_receiver import WebhookReceiver  # noqa: E402

SAMPLE_SECONDS = 10
WARM_SHARE = 0.1  # of the time, before memory is compared
CURVE_POINTS = 12
CALLS = 4  # where a sample has the calls so far; before it: seconds, MB, threads, files

LAKEFILE = """\
lake: soak
sources:
  shelves:
    mqtt: stores/{{store}}/shelves/{{shelf}}
    columns: {{seq: bigint, grams: double}}
    key: [shelf, seq]
    commit: 200ms
{capture}
tables:
  levels:
    sql: select shelf, count(*) as readings, min(grams) as least from shelves group by shelf
    key: [shelf]
alerts:
  light:
    when: select shelf, seq from shelves where grams < 1
    one_per: [shelf, seq]
    to: [{{url: "{url}", secret: "{secret}", allow_private: true}}]
"""
CAPTURE = "  shop:\n    postgres: \"{url}\"\n    follow: changes\n"


class Door:
    """One kind of work, again and again at its rate, on a thread of its own. A call that fails is an error with its text."""
    speed = 1  # of all doors

    def __init__(self, name, per_second, call):
        self.name, self.pause, self.call = name, 1 / (per_second * self.speed), call
        self.took, self.errors = [], []  # (since the start, seconds); texts

    def run(self, began, stopping):
        due = time.monotonic()
        while not stopping.is_set():
            at = time.monotonic()
            try:
                self.call()
            except Exception:  # whatever it is, it is what the report is about
                self.errors.append((at - began, traceback.format_exc(limit=3)))
                stopping.wait(1)
            self.took.append((at - began, time.monotonic() - at))
            due = max(due + self.pause, time.monotonic() - 1)
            stopping.wait(max(0, due - time.monotonic()))


class S3Work:
    """`kept`, what the bucket holds, is shared by those who put, get and delete; a key is in one call at a time."""
    locks = [threading.Lock() for _ in range(256)]

    def __init__(self, server, kept):
        self.client = make_bucket(server)
        self.random = random.Random()
        self.kept = kept

    def lock(self, key):
        return self.locks[hash(key) % len(self.locks)]

    def key(self):
        return f"folder-{self.random.randrange(20)}/object-{self.random.randrange(100)}"

    def put(self):
        key, body = self.key(), os.urandom(4096)
        with self.lock(key):
            self.client.put_object(Bucket="bench", Key=key, Body=body)
            self.kept[key] = body

    def put_large(self):
        self.client.put_object(Bucket="bench", Key=f"large-{self.random.randrange(8)}", Body=os.urandom(2 << 20))

    def get(self):
        if not self.kept:
            return
        key = self.random.choice(list(self.kept))
        with self.lock(key):
            if key in self.kept:
                found = self.client.get_object(Bucket="bench", Key=key)["Body"].read()
                assert found == self.kept[key], f"{key} has other bytes"

    def list(self):
        page = self.client.list_objects_v2(Bucket="bench", Delimiter="/")
        assert len(page.get("CommonPrefixes", [])) <= 20

    def delete(self):
        if not self.kept:
            return
        key = self.random.choice(list(self.kept))
        with self.lock(key):
            self.client.delete_object(Bucket="bench", Key=key)
            self.kept.pop(key, None)


class SqlWork:
    def __init__(self, server):
        database = server.connect()
        self.cursor = database.cursor()
        self.next = 0

    def one(self, sql, *values):
        self.cursor.execute(sql, values)
        return self.cursor.fetchone()[0]

    def create(self):
        self.cursor.execute("create table events (id bigint, kind text, amount double)")
        return self

    def insert(self):
        rows = ", ".join(f"({self.next + i}, 'kind {i % 7}', {i}.5)" for i in range(20))
        self.cursor.execute(f"insert into events values {rows}")
        self.next += 20

    def update(self):
        self.cursor.execute("update events set amount = amount + 1 where id = %s", (max(0, self.next - 50),))

    def remove(self):
        self.cursor.execute("delete from events where id < %s", (self.next - 2000,))

    def query(self):
        self.cursor.execute("select kind, count(*), sum(amount) from events group by kind order by kind")
        assert len(self.cursor.fetchall()) <= 7


class MqttWork:
    """Bursts of readings on one connection; each burst waits for its PUBACKs. Every thousandth is light."""
    BURST = 20

    def __init__(self, server):
        self.sock = mqtt_connect(server.address("mqtt"), server.access_key.encode(), server.secret_key.encode(), b"soak")
        self.sent = self.light = 0

    def publish(self):
        burst = b""
        for i in range(self.BURST):
            seq = self.sent + i
            grams = 0 if seq % 1000 == 999 else 500
            self.light += grams == 0
            body = json.dumps({"seq": seq, "grams": grams}).encode()
            burst += packet(0x32, text(b"stores/1/shelves/%d" % (seq % 16)) + (i + 1).to_bytes(2, "big") + body)
        self.sock.sendall(burst)
        got = 0
        while got < 4 * self.BURST:
            piece = self.sock.recv(4096)
            assert piece, "the server closed the connection"
            got += len(piece)
        self.sent += self.BURST


class HttpWork:
    def __init__(self, server):
        self.base = f"http://{server.ready['http']}/api/v1"
        pair = f"{server.access_key}:{server.secret_key}".encode()
        self.authorization = "Basic " + base64.b64encode(pair).decode()

    def ask(self, path, body=None):
        request = urllib.request.Request(self.base + path, data=json.dumps(body).encode() if body else None,
                                         headers={"Authorization": self.authorization, "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def status(self):
        self.ask("/status")

    def sql(self):
        self.ask("/sql", {"sql": "select count(*) from levels"})


class ShopWork:
    """A database that is followed: orders come and change."""

    def __init__(self, postgres):
        self.connection = psycopg2.connect(postgres.url)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.orders = 0

    def change(self):
        self.cursor.execute("insert into orders values (%s, 'new')", (self.orders,))
        self.orders += 1
        if self.orders % 3 == 0:
            self.cursor.execute("update orders set state = 'sent' where id = %s", (self.orders // 2,))


def sample(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    resident = int(status.split("VmRSS:")[1].split()[0]) / 1024
    return resident, int(status.split("Threads:")[1].split()[0]), len(os.listdir(f"/proc/{pid}/fd"))


def curve(samples):
    """Memory at equal steps of the work done, so that runs at other speeds and beside other loads compare."""
    wanted = [samples[-1][CALLS] * i / CURVE_POINTS for i in range(CURVE_POINTS + 1)]
    return [min(samples, key=lambda s: abs(s[CALLS] - at)) for at in wanted]


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] * 1000 if values else 0


def wait_until(ready, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return True
        time.sleep(0.5)
    return False


def compare(sql, mqtt, shop, receiver, s3):
    """What stands at the end against what was acknowledged: (what, expected, found)."""
    counts = [("MQTT readings that are rows", mqtt.sent, lambda: sql.one("select count(*) from shelves")),
              ("webhook messages received", mqtt.light, lambda: len(receiver.accepted())),
              ("webhook messages with a wrong signature", 0, lambda: len(receiver.refused)),
              ("objects in the bucket, the large ones left out", len(s3.kept), lambda: sum(
                  len(page.get("Contents", [])) for page in
                  s3.client.get_paginator("list_objects_v2").paginate(Bucket="bench", Prefix="folder-")))]
    if shop:
        counts.append(("followed rows", shop.orders, lambda: sql.one("select count(*) from shop.orders")))
    out = []
    for what, expected, count in counts:
        wait_until(lambda: count() == expected, 60)
        out.append((what, expected, count()))
    return out


def report(args, began_at, doors, samples, counts, cpu, others):
    span = args.minutes * 60
    warm = [s for s in samples if s[0] >= span * WARM_SHARE] or samples
    quarter = max(1, len(warm) // 4)
    lines = ["# Soak", "", f"Written by `bench/soak.py --minutes {args.minutes:g} --speed {args.speed:g}`, begun {began_at} UTC; {machine()}",
             f"Others used {others:.1f} cores when it began (more than a third of one: the times below are not those of a quiet machine). "
             f"The server used {cpu / span:.2f} of a core.", "",
             "| work | calls | errors | p50 ms, first quarter | p50, last | p99 ms, first quarter | p99, last |", "|---|---|---|---|---|---|---|"]
    for door in doors:
        first = [took for at, took in door.took if at < span / 4]
        last = [took for at, took in door.took if at >= span * 3 / 4]
        lines.append(f"| {door.name} | {len(door.took):,} | {len(door.errors)} | {quantile(first, .5):.1f} | {quantile(last, .5):.1f} | "
                     f"{quantile(first, .99):.1f} | {quantile(last, .99):.1f} |")
    lines += ["", "| of the process | first quarter after warming up | last quarter | most |", "|---|---|---|---|"]
    for i, name in ((1, "resident memory, MB"), (2, "threads"), (3, "open files")):
        values = [s[i] for s in warm]
        lines.append(f"| {name} | {statistics.median(values[:quarter]):.0f} | {statistics.median(values[-quarter:]):.0f} | "
                     f"{max(values):.0f} |")
    points = curve(samples)
    lines += ["", "| calls so far | " + " | ".join(f"{p[CALLS]:,}" for p in points) + " |", "|---" * (len(points) + 1) + "|",
              "| minutes | " + " | ".join(f"{p[0] / 60:.1f}" for p in points) + " |",
              "| resident memory, MB | " + " | ".join(f"{p[1]:.0f}" for p in points) + " |"]
    lines += ["", "| at the end | expected | found |", "|---|---|---|"]
    lines += [f"| {what} | {expected:,} | {found:,} |" for what, expected, found in counts]
    errors = [(at, door.name, text) for door in doors for at, text in door.errors]
    if errors:
        lines += ["", "Errors (the first ten):", ""]
        lines += [f"- {name} after {at:.0f} s: `{text.strip().splitlines()[-1][:200]}`" for at, name, text in sorted(errors)[:10]]
    pathlib.Path(args.report).write_text("\n".join(lines) + "\n")
    return errors


def begin_shop():
    postgres = PostgresServer(settings={"wal_level": "logical"}).start()
    postgres.run("create table orders (id bigint primary key, state text)")
    return postgres, CAPTURE.format(url=postgres.url)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--speed", type=float, default=1, help="times the usual rate of each kind of work")
    parser.add_argument("--no-capture", action="store_true")
    parser.add_argument("--report", default=str(TOP / "docs" / "soak.md"))
    args = parser.parse_args()
    Door.speed = args.speed
    postgres, capture = begin_shop() if available() and not args.no_capture else (None, "")
    with tempfile.TemporaryDirectory() as folder, WebhookReceiver() as receiver:
        lakefile = pathlib.Path(folder) / "lake.yaml"
        lakefile.write_text(LAKEFILE.format(url=receiver.url, secret=receiver.secret, capture=capture))
        server = TarnServer(args=["--lake", lakefile], start_seconds=120).start()
        try:
            return soak(args, server, receiver, postgres)
        finally:
            server.close()
            if postgres:
                postgres.stop()


def soak(args, server, receiver, postgres):
    others = cores_in_use(5)
    kept = {}
    s3, get_s3, large_s3, list_s3, delete_s3 = (S3Work(server, kept) for _ in range(5))
    sql, asks, counter = SqlWork(server).create(), SqlWork(server), SqlWork(server)
    mqtt, web = MqttWork(server), HttpWork(server)
    shop = ShopWork(postgres) if postgres else None
    if shop:
        assert wait_until(lambda: web.ask("/sources")["sources"] and exists(counter, "shop.orders")), "the followed table did not come"
    doors = [Door("S3 put 4 KiB", 10, s3.put), Door("S3 get 4 KiB, compared", 20, get_s3.get), Door("S3 put 2 MiB", 0.2, large_s3.put_large),
             Door("S3 list", 1, list_s3.list), Door("SQL insert of 20 rows", 2, sql.insert), Door("SQL group by", 2, asks.query),
             Door("MQTT burst of 20, PUBACKs", 10, mqtt.publish), Door("HTTP status", 2, web.status), Door("HTTP query", 1, web.sql)]
    if shop:
        doors.append(Door("change in the followed PostgreSQL", 20, shop.change))
    deleting = SqlWork(server)

    def tidy_up():
        deleting.next = sql.next
        deleting.remove()
    doors += [Door("SQL delete of old rows", 0.1, tidy_up), Door("S3 delete", 2, delete_s3.delete)]
    stopping, pid = threading.Event(), server.ready["pid"]
    began_at = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    began, cpu = time.monotonic(), cpu_seconds(pid)
    threads = [threading.Thread(target=door.run, args=(began, stopping), daemon=True) for door in doors]
    for thread in threads:
        thread.start()
    samples = []
    while time.monotonic() - began < args.minutes * 60 and server.alive():
        samples.append((time.monotonic() - began, *sample(pid), sum(len(door.took) for door in doors)))
        time.sleep(SAMPLE_SECONDS)
    alive = server.alive()
    stopping.set()
    for thread in threads:
        thread.join(60)
    used = cpu_seconds(pid) - cpu if alive else 0
    counts = compare(counter, mqtt, shop, receiver, s3) if alive else [("the server runs", 1, 0)]
    errors = report(args, began_at, doors, samples, counts, used, others)
    print(pathlib.Path(args.report).read_text())
    return 1 if errors or any(expected != found for _, expected, found in counts) else 0


def exists(sql, table):
    try:
        sql.one(f"select count(*) from {table}")
        return True
    except psycopg2.Error:
        return False


if __name__ == "__main__":
    print(f"soak on {platform.node()}", flush=True)
    sys.exit(main())
