"""A data folder on a disk that fills up: each door says so in its own words, reads go on, and writes go on once there is
space again, without a restart. The disk is a small tmpfs: only root can mount one."""
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import uuid

import boto3
import psycopg2
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "protocol" / "mqtt"))
from mqtt_clients import Raw, connect_packet, packet, text  # noqa: E402
from lake_api import send  # noqa: E402
from tarn_server import TarnServer  # noqa: E402

DISK_MIB = 800  # the log takes 256 at its start, and the last 256 are for what frees space
LAKEFILE = """\
lake: narrow
timezone: UTC
sources:
  shelves:
    mqtt: shelves/{shelf_id}
    columns: {shelf_id: int, seq: bigint}
    key: [shelf_id, seq]
    commit: 50ms
  dropped:
    folder: drop/*.csv
    settle: 200ms
tables:
  totals:
    refresh: on_change
    sql: select count(*) as n, sum(of) as of from dropped
"""


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tarn-test", str(folder)],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"cannot mount a small disk: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


class Clients:
    """One of each. Every put_ function gives None when the server took it, else its words."""

    def __init__(self, server):
        self.server = server
        config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, connect_timeout=5, read_timeout=30)
        self.s3 = boto3.client("s3", endpoint_url=server.endpoint, aws_access_key_id=server.access_key,
                               aws_secret_access_key=server.secret_key, region_name="us-east-1", config=config)
        self.sql = server.connect()

    def ask(self, sql):
        with self.sql.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else None

    def object(self, key, body=b"small"):
        try:
            self.s3.put_object(Bucket="full", Key=key, Body=body)
            return None
        except ClientError as error:
            return (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"],
                    error.response["Error"]["Message"])

    def row(self, number):
        try:
            self.ask(f"insert into notes values ({number})")
            return None
        except psycopg2.Error as error:
            assert error.pgcode, error
            return error.pgcode, str(error)

    def reading(self, seq):
        """None, or the reason code of the PUBACK and its text."""
        publish = packet(0x32, text("shelves/1") + b"\x00\x01" + b"\x00" + json.dumps({"seq": seq}).encode())
        with Raw(self.server) as raw:
            raw.say(connect_packet(self.server, 5, client_id=uuid.uuid4().hex))
            self.next_packet(raw)
            raw.say(publish)
            first, body = self.next_packet(raw)
            assert first == 0x40, f"no PUBACK: {first:#x} {body}"
            return None if len(body) == 2 or body[2] == 0 else (body[2], body[3:].decode(errors="replace"))

    @staticmethod
    def next_packet(raw):
        head = raw.read(2)
        length, shift = head[1] & 0x7f, 7
        more = head[1] & 0x80
        while more:
            byte = raw.read(1)[0]
            length |= (byte & 0x7f) << shift
            shift, more = shift + 7, byte & 0x80
        return head[0], raw.read(length)

    def reading_311(self, seq):
        """What came before the end: only the CONNACK, when the reading was refused."""
        with Raw(self.server) as raw:
            raw.say(connect_packet(self.server, 4, client_id=uuid.uuid4().hex))
            assert raw.read(4) == b"\x20\x02\x00\x00"
            raw.say(packet(0x32, text("shelves/1") + b"\x00\x01" + json.dumps({"seq": seq}).encode()))
            return raw.read(4)

    def http(self, method, path, body=None):
        status, answer, _ = send(self.server, method, path, body, key=None if path.startswith("/api/") else False)
        return status, answer.decode()

    def ready(self):
        return self.http("GET", "/readyz")


class Lake:
    def __init__(self, folder, disk):
        (folder / "lake.yaml").write_text(LAKEFILE)
        (folder / "drop").mkdir()
        self.drop = folder / "drop"
        self.server = TarnServer(folder=folder, args=["--lake", folder / "lake.yaml"])
        self.server.data = disk / "data"  # its log is elsewhere
        self.server.start()
        self.clients = Clients(self.server)
        self.clients.s3.create_bucket(Bucket="full")
        self.clients.ask("create table notes (id bigint)")
        self.objects, self.rows, self.readings, self.ids = {}, set(), set(), set()

    def file(self, number):
        hidden = self.drop / f".{number}"
        hidden.write_text("id,of\n" + "".join(f"{number * 100 + i},{number}\n" for i in range(100)))
        hidden.rename(self.drop / f"{number}.csv")
        self.ids.update(range(number * 100, number * 100 + 100))

    def write_all(self, number):
        """Every door takes one."""
        for told in (self.clients.object(f"small/{number}"), self.clients.row(number), self.clients.reading(number)):
            assert told is None, told
        self.objects[f"small/{number}"] = 5
        self.rows.add(number)
        self.readings.add(number)

    def restart(self):
        self.server.restart(crash=True)
        self.clients = Clients(self.server)

    def fill(self):
        """By S3, until it says no; what it says."""
        body = os.urandom(8 << 20)
        for number in range(200):
            told = self.clients.object(f"large/{number}", body)
            if told is not None:
                return told
            self.objects[f"large/{number}"] = len(body)
        raise AssertionError("the disk did not fill")

    def verify(self, exactly=True):
        """Acknowledged is present."""
        pages = self.clients.s3.get_paginator("list_objects_v2").paginate(Bucket="full")
        there = {o["Key"]: o["Size"] for page in pages for o in page.get("Contents", [])}
        assert self.objects.items() <= there.items()
        for key in list(self.objects)[-5:]:
            assert len(self.clients.s3.get_object(Bucket="full", Key=key)["Body"].read()) == self.objects[key]
        rows = [i for (i,) in self.clients.ask("select id from notes")]
        assert len(rows) == len(set(rows)) and self.rows <= set(rows)
        until(lambda: self.readings <= {i for (i,) in self.clients.ask("select seq from shelves")}, 30, "readings")
        if self.ids:
            until(lambda: sorted(i for (i,) in self.clients.ask("select id from dropped")) == sorted(self.ids), 60, "dropped files")
            until(lambda: self.clients.ask("select n from totals") == [(len(self.ids),)], 60, "totals")


def until(read, seconds, what):
    deadline = time.monotonic() + seconds
    while True:
        try:
            if read():
                return
        except psycopg2.errors.UndefinedTable:
            pass
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.1)


@pytest.fixture
def lake(tarn_binary, tmp_path, disk):
    made = None
    try:
        made = Lake(tmp_path, disk)
        yield made
    finally:
        if made is not None:
            print(f"--- the server's log ---\n{made.server.log_tail(60)}")
            made.server.close()


def test_every_door_says_that_the_disk_is_full_and_goes_on_afterwards(lake, disk):
    lake.write_all(1)
    lake.file(1)
    until(lambda: lake.clients.ask("select count(*) from dropped") == [(100,)], 30, "the first file")
    assert lake.clients.ready()[0] == 200

    told = lake.fill()
    assert told[:2] == ("InsufficientStorage", 507) and "disk" in told[2], told
    clients = lake.clients
    # Large objects take their space in pieces of 16 MiB, so they are refused first; small writes when somebody takes the rest.
    (disk / "filler").write_bytes(b"x" * (24 << 20))
    until(lambda: clients.object("small/2") is not None, 10, "small objects are refused too")
    for told, word in ((clients.object("small/2"), "InsufficientStorage"), (clients.row(2), "53100"), (clients.reading(2), 0x97)):
        assert told and told[0] == word and "disk is nearly full" in told[-1], told
    assert clients.reading_311(3) == b"", "MQTT 3.1.1 has no word for it: no PUBACK, and the connection ends"
    with pytest.raises(psycopg2.errors.DiskFull):
        clients.ask("create table more as select 1 as a")
    status, body = clients.http("POST", "/api/v1/users", {"name": "late"})
    assert (status, json.loads(body)["error"]["reason"]) == (507, "disk_full"), body
    status, body = clients.ready()
    assert status == 503 and "disk is nearly full" in body, "who spreads work is to send it elsewhere, and is told why"
    assert clients.http("GET", "/healthz") == (200, "ok\n"), "nothing that a restart would mend"
    status = json.loads(clients.http("GET", "/api/v1/status")[1])
    assert status["ready"] is False and "nearly full" in status["not_ready_because"]
    lake.file(2)
    source = lambda: next(s for s in json.loads(clients.http("GET", "/api/v1/sources")[1])["sources"] if s["name"] == "dropped")  # noqa: E731
    until(lambda: "disk is nearly full" in source()["last_error"], 30, "the source tells its trouble")

    for _ in range(200):  # reads are recorded too, and go on
        assert clients.ask("select count(*) from notes") == [(1,)]
    assert clients.s3.get_object(Bucket="full", Key="small/1")["Body"].read() == b"small"
    assert clients.ask("select count(*) from dropped") == [(100,)]
    assert lake.server.alive()

    for number in range(5, 15):  # deletions are taken
        clients.s3.delete_object(Bucket="full", Key=f"large/{number}")
        del lake.objects[f"large/{number}"]
    until(lambda: clients.object("small/2") is None, 60, "writes after space was freed")
    lake.objects["small/2"] = 5
    lake.write_all(10)
    until(lambda: clients.ready()[0] == 200, 10, "readiness")
    lake.verify()
    lake.restart()
    lake.verify()


class Writer(threading.Thread):
    """Writes by one door until it is told to end; keeps what was acknowledged and every refusal."""

    def __init__(self, write):
        super().__init__(daemon=True)
        self.write = write
        self.acknowledged, self.refused, self.broken = [], [], []
        self.ending = threading.Event()
        self.start()

    def run(self):
        number = 1000
        while not self.ending.is_set():
            number += 1
            try:
                told = self.write(number)
            except (OSError, IndexError, AssertionError, psycopg2.Error, BotoCoreError) as error:
                self.broken.append(repr(error))
                time.sleep(0.05)
                continue
            if told is None:
                self.acknowledged.append(number)
            else:
                self.refused.append(told)
                time.sleep(0.02)

    def end(self):
        self.ending.set()
        self.join(60)
        assert not self.is_alive()


def take_the_rest(disk):
    """Somebody else's file takes the disk to its last byte."""
    with open(disk / "filler", "ab", buffering=0) as out:
        for size in (1 << 24, 1 << 16, 4096):
            block = b"x" * size
            try:
                while True:
                    out.write(block)
            except OSError:
                pass


def test_a_disk_without_a_byte(lake, disk):
    """The last bytes go to somebody else while clients write: nothing acknowledged is lost, and it goes on afterwards."""
    lake.write_all(1)
    lake.file(1)
    writers = [Writer(lambda n: lake.clients.object(f"small/{n}", b"small" * 100)), Writer(lake.clients.row), Writer(lake.clients.reading)]
    time.sleep(1)
    filler = threading.Thread(target=take_the_rest, args=(disk,))
    filler.start()
    filler.join()
    lake.file(2)
    time.sleep(3)
    assert lake.server.alive()
    clients = Clients(lake.server)
    assert clients.ask("select count(*) from notes")[0][0] >= 1
    assert clients.s3.get_object(Bucket="full", Key="small/1")["Body"].read() == b"small"
    status, body = clients.ready()
    assert status == 503 and "disk is full" in body, body
    assert clients.http("GET", "/healthz")[0] == 200
    with pytest.raises(ClientError, match="InsufficientStorage.*disk is full"):
        clients.s3.delete_object(Bucket="full", Key="small/1")  # the index could not be written any more
    for writer in writers:
        writer.end()
        assert writer.acknowledged and writer.refused, (writer.acknowledged[-3:], writer.refused[-3:], writer.broken[-3:])
        assert not writer.broken, writer.broken[:3]
    words = {told[0] for writer in writers for told in writer.refused}
    assert words == {"InsufficientStorage", "53100", 0x97}, words
    lake.objects.update({f"small/{n}": 500 for n in writers[0].acknowledged})
    lake.rows.update(writers[1].acknowledged)
    lake.readings.update(writers[2].acknowledged)

    (disk / "filler").unlink()
    until(lambda: clients.object("after") is None, 30, "writes after space was freed")
    until(lambda: clients.ready()[0] == 200, 10, "readiness")
    lake.clients = clients
    lake.write_all(2)
    lake.verify()
    lake.restart()
    lake.verify()


def test_a_start_on_a_full_disk(lake, disk):
    """Killed, and no byte left: it says that it cannot start. With little space it starts and serves what there is."""
    for number in range(1, 30):
        lake.write_all(number)
    lake.file(1)
    lake.verify()
    lake.server.kill()
    take_the_rest(disk)
    with pytest.raises(AssertionError, match="disk of .* has 0 MiB left, a start needs 32 MiB: free space"):
        lake.server.start()

    os.truncate(disk / "filler", (disk / "filler").stat().st_size - (40 << 20))
    lake.server.start()
    lake.clients = Clients(lake.server)
    lake.verify()
    # The start gave back what the log had reserved, and reserved nothing again. It goes on where that is taken, too.
    with open(disk / "filler", "ab") as out:
        out.write(b"x" * (100 << 20))
    until(lambda: lake.clients.row(1000) is not None, 10, "writes are refused")
    assert lake.clients.row(1000)[0] == "53100"
    assert lake.clients.ready()[0] == 503 and "disk is nearly full" in lake.clients.ready()[1]
    lake.clients.s3.delete_object(Bucket="full", Key="small/1")
    del lake.objects["small/1"]
    (disk / "filler").unlink()
    until(lambda: lake.clients.object("after") is None, 30, "writes after space was freed")
    lake.write_all(2000)
    lake.restart()
    lake.verify()
