"""Broken, huge, deep and random input at every door: a clear error for who sent it, nothing for everybody else.

While each test runs, a well-behaved client of every door keeps asking, and none of its requests may fail.
"""
import base64
import json
import os
import pathlib
import random
import socket
import struct
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid

import boto3
import psycopg2
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "protocol" / "mqtt"))
from mqtt_clients import Client, Raw, connect_packet, packet, text  # noqa: E402
from lake_api import send, until  # noqa: E402
from tarn_server import DOORS, TarnServer  # noqa: E402

SEED = int(os.environ.get("TARN_SEED", "1"))
LAKEFILE = """\
lake: hostile
timezone: UTC
sources:
  readings:
    mqtt: readings/{place}
    columns: {seq: bigint, note: text}
    commit: 50ms
  dropped:
    folder: drop/*
    settle: 200ms
"""


@pytest.fixture(scope="module")
def lake(tarn_binary, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad_input")
    (folder / "lake.yaml").write_text(LAKEFILE)
    (folder / "drop").mkdir()
    server = TarnServer(folder=folder, args=["--lake", folder / "lake.yaml"])
    try:
        yield server.start()
    finally:
        print(f"--- the server's log ---\n{server.log_tail()}")
        server.close()


def s3(server):
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, connect_timeout=5, read_timeout=20)
    return boto3.client("s3", endpoint_url=server.endpoint, aws_access_key_id=server.access_key,
                        aws_secret_access_key=server.secret_key, region_name="us-east-1", config=config)


def sql(server):
    return server.connect().cursor()


def ask(server, statement):
    cursor = sql(server)
    try:
        cursor.execute(statement)
        return cursor.fetchall()
    finally:
        cursor.connection.close()


class Others(threading.Thread):
    """A client of every door, over and over."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.rounds, self.slowest, self.failed = server, 0, 0.0, None
        self.ending = threading.Event()

    def run(self):
        try:
            cursor, objects, mqtt = sql(self.server), s3(self.server), Client(self.server)
            while not self.ending.is_set():
                began = time.monotonic()
                cursor.execute("select 40 + 2")
                assert cursor.fetchall() == [(42,)]
                objects.put_object(Bucket="others", Key="k", Body=b"v")
                mqtt.publish("others", "x")
                assert send(self.server, "GET", "/api/v1/status").status == 200
                sql(self.server).connection.close()
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.rounds += 1
            mqtt.close()
        except BaseException as error:  # noqa: BLE001
            self.failed = error


@pytest.fixture(autouse=True)
def others(lake):
    try:
        s3(lake).create_bucket(Bucket="others")
    except ClientError:
        pass  # there from the test before
    made = Others(lake)
    made.start()
    until(lambda: made.rounds > 0 or made.failed)
    yield made
    made.ending.set()
    made.join(30)
    assert lake.alive(), "the server died"
    assert made.failed is None, f"another client was troubled: {made.failed!r}"
    assert made.slowest < 10, f"another client waited {made.slowest:.1f} s"


def count(server, table, where="true"):
    try:
        return ask(server, f"select count(*) from {table} where {where}")[0][0]
    except psycopg2.errors.UndefinedTable:
        return 0


def drop(lake, name, data):
    folder = lake.folder / "drop"
    (folder / f".{name}").write_bytes(data)
    (folder / f".{name}").rename(folder / name)


def test_broken_files(lake):
    """The good lines of all files are there, the bad ones told; what is no table at all is told too, and stops nothing."""
    dice = random.Random(SEED)
    drop(lake, "01_good.csv", b"id,name\n" + b"".join(b"%d,n%d\n" % (i, i) for i in range(100)))
    until(lambda: count(lake, "dropped") == 100, what="the good file")
    drop(lake, "02_quote.csv", b"id,name\n200,n200\n201,\"never closed\n202,n202\n203,n203\n")
    drop(lake, "03_fields.csv", b"id,name\n300,n300\n301\n302,a,b,c\nx,n303\n304,n304\n")
    drop(lake, "04_nul.csv", b"id,name\n400,n400\n401,a\x00b\n402,\xff\xfe\xfd\n403,n403\n")
    drop(lake, "05_line.csv", b"id,name\n500,n500\n501," + b"y" * (20 << 20) + b"\n502,n502\n")
    drop(lake, "06_random.csv", dice.randbytes(300_000))
    drop(lake, "07_random.csv.gz", b"\x1f\x8b\x08\x00" + dice.randbytes(10_000))
    drop(lake, "08_empty.csv", b"")
    drop(lake, "09_lines.jsonl", b'{"id": 900, "name": "n900"}\n{"id": 901, "name"\n[1, 2]\n' + b"[" * 200_000 + b"\n"
         + b'{"id": 902, "name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n" + b'{"id": 903, "name": "n903"}\n')
    drop(lake, "99_last.csv", b"id,name\n9900,n9900\n")
    until(lambda: count(lake, "dropped", "id = 9900") == 1, 60, "the file behind the broken ones")
    for good in (200, 300, 304, 400, 403, 500, 502, 900, 903):
        assert count(lake, "dropped", f"id = {good}") == 1, good
    told = ask(lake, "select place, line, reason from dropped_rejected order by place, line")
    places = {place for place, _, _ in told}
    assert {"03_fields.csv", "09_lines.jsonl"} <= places, told[:20]
    assert [line for place, line, _ in told if place == "03_fields.csv"] == [3, 4, 5]
    assert {2, 3, 4} <= {line for place, line, _ in told if place == "09_lines.jsonl"}
    assert all(reason for _, _, reason in told)
    # Nothing is made of noise.
    assert count(lake, "dropped", "id is null") == 0


def test_truncated_and_deep_messages(lake):
    whole = connect_packet(lake, 5) + packet(0x32, text("readings/a") + b"\x00\x01\x00" + b'{"seq": 1}')
    for cut in range(1, len(whole), 5):
        with Raw(lake) as raw:
            raw.say(whole[:cut])
            if cut % 2:
                raw.socket.shutdown(socket.SHUT_WR)
                raw.until_closed()
    client = Client(lake)
    bad = ["[" * 200_000, '{"seq":' * 50_000, '{"seq": 1', '{"seq": 1e999}', '{"seq": 99999999999999999999}', "", "null", '{"seq": [1]}',
           '{"note": "\\ud800"}']
    for payload in bad:
        client.publish("readings/bad", payload)
    client.publish("readings/good", json.dumps({"seq": 7, "note": "n"}))
    until(lambda: count(lake, "readings", "place = 'good'") == 1, what="the good reading")
    rows = count(lake, "readings", "place = 'bad'")
    refused = count(lake, "readings_rejected", "place = 'readings/bad'")
    assert rows + refused == len(bad), "each is a row or is set aside"
    assert refused >= len(bad) - 1
    client.close()


def test_huge_and_deep_sql(lake):
    cursor = sql(lake)
    huge = "x" * (20 << 20)
    try:
        cursor.execute(f"select length('{huge}')")
        assert cursor.fetchall() == [(len(huge),)]
    except psycopg2.Error as error:
        assert error.pgcode or "too large" in str(error) or "too long" in str(error), repr(error)
    cursor = sql(lake)
    for deep in ("select " + "(" * 100_000 + "1" + ")" * 100_000, "select " + "-" + " -" * 200_000 + " 1",
                 "select " + "not " * 200_000 + "true", "select 1" + " + 1" * 1_000_000,
                 "select * from (" * 20_000 + "select 1" + ") t" * 20_000,
                 "select " + "[" * 50_000 + "]" * 50_000, "select " + "case when true then " * 20_000 + "1" + " end" * 20_000,
                 "select '" + "[" * 1_000_000 + "'::json", "select json_extract('" + "[" * 500_000 + "', '$[0]')",
                 "select 1 in (" + "1," * 100_000 + "1)", "select 'never closed", "select $tag$ never closed", "\x01\x02;;;;", ";" * 100_000 + "select"):
        began = time.monotonic()
        try:
            cursor.execute(deep)
            cursor.fetchall() if cursor.description else None
        except psycopg2.Error as error:
            assert error.pgcode, f"{deep[:40]}: {error!r}"
            assert len(str(error)) < 100_000, "an error as long as the statement"
        assert time.monotonic() - began < 30, deep[:40]
        cursor.execute("select 1")  # the session goes on
        assert cursor.fetchall() == [(1,)]
    status, body, _ = send(lake, "POST", "/api/v1/sql", json.dumps({"sql": f"select '{huge}'"}).encode())
    assert status == 413 and "larger than" in json.loads(body)["error"]["message"], (status, body[:200])


def test_deep_and_broken_bodies_of_the_api(lake):
    for body in (b"[" * 200_000, b'{"a":' * 100_000, b'{"sql": "select 1"', b"\xff\xfe", b"null", b'{"sql": 7}', b'{"sql": "\\ud800"}',
                 b'{"sql": ' + b"9" * 100_000 + b"}"):
        status, answer, _ = send(lake, "POST", "/api/v1/sql", body)
        assert status == 400 and json.loads(answer)["error"]["message"], (body[:20], status, answer[:200])
    for text_ in ("[" * 50_000, "a:\n" + "".join(" " * i + "- \n" for i in range(2000)), "lake: &a [*a, *a]", "\x00", "lake: " + "x" * 1_000_000,
                  "a: {" * 20_000):
        status, answer, _ = send(lake, "POST", "/api/v1/plan", json.dumps({"lakefile": text_}).encode())
        assert status in (200, 400), (text_[:20], status, answer[:300])
        if status == 200:
            assert json.loads(answer).get("problems"), (text_[:20], answer[:300])
    status, answer, _ = send(lake, "POST", "/api/v1/users", b'{"name": "' + b"a" * 100_000 + b'"}')
    assert status == 400
    assert send(lake, "GET", "/api/v1/" + "a" * 60_000).status in (404, 414, 431)


def test_broken_bodies_of_s3(lake):
    client = s3(lake)
    bodies = ["<Delete>" * 50_000, "<Delete><Object><Key>a", "\x00\xff", "<!DOCTYPE a [<!ENTITY b 'c'>]><Delete>&b;</Delete>", ""]

    def replace(request, body):
        request.data = body.encode("latin1")

    for body in bodies:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        import hashlib
        raw = body.encode("latin1")
        request = AWSRequest("POST", f"{lake.endpoint}/others?delete=", data=raw, headers={
            "Content-MD5": base64.b64encode(hashlib.md5(raw).digest()).decode(), "x-amz-content-sha256": hashlib.sha256(raw).hexdigest()})
        SigV4Auth(Credentials(lake.access_key, lake.secret_key), "s3", "us-east-1").add_auth(request)
        try:
            urllib.request.urlopen(urllib.request.Request(request.url, raw, dict(request.headers)), timeout=20)
            raise AssertionError(f"taken: {body[:30]!r}")
        except urllib.error.HTTPError as error:
            answer = error.read().decode()
            assert error.code == 400 and ("MalformedXML" in answer or "MissingRequestBody" in answer), (body[:30], error.code, answer)
    for key in ("a" * 1025, "\x00", "a/../b"):
        try:
            client.put_object(Bucket="others", Key=key, Body=b"")
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, error


def garbage(dice):
    """Bytes that no door expects, and some that begin as it expects."""
    yield dice.randbytes(dice.randrange(1, 5000))
    yield b"\x00" * 5000
    yield b"\x16\x03\x01\x02\x00" + dice.randbytes(600)  # begins like TLS
    yield b"GET " + b"/" * 200_000
    yield b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000 + b"\r\n"
    yield b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"
    yield b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n" + dice.randbytes(100)
    yield b"PUT /others/k HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n" + dice.randbytes(100)
    yield struct.pack(">II", 0xffffffff, 196608) + dice.randbytes(100)  # a PostgreSQL packet of 4 GiB
    yield struct.pack(">II", 8, 80877103) + dice.randbytes(100)  # SSLRequest, then noise
    yield struct.pack(">II", 9, 196608) + b"\x00" + b"p" + struct.pack(">I", 0x7fffffff)
    yield struct.pack(">II", 40, 196608) + b"user\x00" + b"x" * 27
    yield b"\x10\xff\xff\xff\x7f" + dice.randbytes(1000)  # an MQTT packet of 256 MiB
    yield packet(0x10, dice.randbytes(50))


def test_garbage_on_every_port(lake):
    dice = random.Random(SEED)
    hung = []
    for door in DOORS:
        for turn in range(4):
            for data in garbage(dice):
                with socket.create_connection(lake.address(door), timeout=10) as connection:
                    try:
                        connection.sendall(data)
                        connection.shutdown(socket.SHUT_WR)
                        while connection.recv(65536):
                            pass
                    except TimeoutError:
                        hung.append((door, data[:20]))
                    except OSError:
                        pass  # reset while we spoke
    assert not hung, hung[:5]


def test_noise_inside_a_signed_in_session(lake):
    """After a good start-up packet and password every byte is random."""
    dice = random.Random(SEED)
    host, port = lake.address("postgres")
    for _ in range(30):
        made = psycopg2.connect(host=host, port=port, user=lake.access_key, password=lake.secret_key, dbname="lake")
        with socket.socket(fileno=os.dup(made.fileno())) as wire:
            wire.settimeout(10)
            kind = bytes([dice.choice(b"QPBEDSCHFdcfpX\x00\xff")])
            size = dice.choice((0, 3, 4, 5, 100, 1 << 31, 0xffffffff))
            try:
                wire.sendall(kind + struct.pack(">I", size) + dice.randbytes(dice.randrange(0, 300)))
                wire.shutdown(socket.SHUT_WR)
                while wire.recv(65536):
                    pass
            except OSError as error:
                assert not isinstance(error, TimeoutError), (kind, size)
        made.close()
    for _ in range(30):
        with Raw(lake) as raw:
            raw.say(connect_packet(lake, dice.choice((4, 5)), client_id=uuid.uuid4().hex) + dice.randbytes(dice.randrange(1, 500)))
            raw.socket.shutdown(socket.SHUT_WR)
            raw.until_closed()
