"""The real program on a disk that fails, is slow, or writes less than it was asked to, and with too few descriptors or too
little memory: each door says so in its own words, nothing acknowledged is lost, and nothing is acknowledged that is not stored.

The disk's calls go through tests/crash/faulty_calls.c, preloaded (it needs a C compiler).
"""
import errno
import json
import pathlib
import resource
import shutil
import socket
import subprocess
import time

import boto3
import psycopg2
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lake_api import send
from tarn_server import TarnServer

HERE = pathlib.Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def preload(tmp_path_factory):
    if shutil.which("gcc") is None:
        pytest.skip("no C compiler here")
    library = tmp_path_factory.mktemp("preload") / "faulty_calls.so"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", str(library), str(HERE / "faulty_calls.c")], check=True)
    return library


class FaultyServer:
    """A server whose calls do what set() says, from the next call on."""

    def __init__(self, folder, library):
        self.faults = folder / "faults"
        self.faults.write_text("")
        self.server = TarnServer(folder=folder, env={"LD_PRELOAD": str(library), "TARN_FAULTS": str(self.faults)})
        self.server.start()
        self.connect()

    def connect(self):
        config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, connect_timeout=5, read_timeout=60)
        self.s3 = boto3.client("s3", endpoint_url=self.server.endpoint, aws_access_key_id=self.server.access_key,
                               aws_secret_access_key=self.server.secret_key, region_name="us-east-1", config=config)
        self.sql = self.server.connect()

    def set(self, *lines):
        replacement = self.faults.with_suffix(".new")
        replacement.write_text("".join(line + "\n" for line in lines))
        replacement.rename(self.faults)

    def put(self, key, body=b"x"):
        """None, or what the answer said."""
        try:
            self.s3.put_object(Bucket="bucket", Key=key, Body=body)
            return None
        except ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"], error.response["Error"]["Message"]

    def get(self, key):
        return self.s3.get_object(Bucket="bucket", Key=key)["Body"].read()

    def keys(self):
        return {item["Key"] for item in self.s3.list_objects_v2(Bucket="bucket").get("Contents", [])}

    def ask(self, text):
        with self.sql.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchall() if cursor.description else None

    def ready(self):
        return self.http("GET", "/readyz")

    def http(self, method, path, body=None):
        status, text, _ = send(self.server, method, path, body, key=None if path.startswith("/api/") else False)
        return status, text.decode()

    def restart_well(self):
        self.set()
        self.server.restart(crash=True)
        self.connect()


@pytest.fixture
def faulty(tarn_binary, tmp_path, preload):
    made = FaultyServer(tmp_path, preload)
    try:
        made.s3.create_bucket(Bucket="bucket")
        made.ask("create table notes (id bigint)")
        yield made
    finally:
        print(f"--- the server's log ---\n{made.server.log_tail(40)}")
        made.server.close()


@pytest.mark.parametrize("call", ["fdatasync", "write"])
def test_a_failed_sync_or_write_of_the_log_is_final(faulty, call):
    """Nobody knows what is on the disk then: no call after it is acknowledged, though the disk is well again."""
    for number in range(20):
        assert faulty.put(f"before/{number}", b"b" * number) is None
    faulty.ask("insert into notes values (1)")
    faulty.set(f"{call} /wal/ error {errno.EIO}")
    status, code, _ = faulty.put("doubtful")
    assert status >= 500, (status, code)
    faulty.set()
    for number in range(5):
        status, code, message = faulty.put(f"after/{number}")
        assert (status, code) == (503, "ServiceUnavailable") and "restart" in message, (status, code, message)
    with pytest.raises(psycopg2.Error, match="the log has failed") as told:
        faulty.ask("insert into notes values (2)")
    assert told.value.pgcode == "57P03", told.value
    status, body = faulty.http("POST", "/api/v1/users", {"name": "late"})
    assert status == 503 and json.loads(body)["error"]["code"] == "unavailable", (status, body)
    status, body = faulty.http("GET", "/healthz")
    assert status == 200
    status, body = faulty.ready()
    assert status == 503 and "restart" in body, (status, body)
    assert faulty.get("before/7") == b"b" * 7, "reads go on"
    faulty.restart_well()
    kept = faulty.keys()
    assert {f"before/{number}" for number in range(20)} <= kept <= {f"before/{number}" for number in range(20)} | {"doubtful"}
    assert faulty.ask("select id from notes") == [(1,)]
    assert faulty.ready()[0] == 200 and faulty.put("again") is None


def test_a_failed_sync_of_large_bodies_refuses_them_and_nothing_else(faulty):
    assert faulty.put("large/0", b"l" * 300_000) is None
    faulty.set(f"fdatasync /extents/ error {errno.EIO}")
    status, code, message = faulty.put("large/1", b"l" * 300_000)
    assert status >= 500 and message, (status, code, message)
    faulty.set()
    assert faulty.put("small") is None, "bodies in the log are not concerned"
    told = faulty.put("large/2", b"l" * 300_000)
    assert told is not None and told[:2] == (503, "ServiceUnavailable"), told
    status, body = faulty.ready()
    assert status == 503 and "restart" in body, (status, body)
    faulty.restart_well()
    assert faulty.put("large/3", b"l" * 300_000) is None
    assert {"large/0", "small", "large/3"} <= faulty.keys() and "large/1" not in faulty.keys()
    for key in faulty.keys() - {"small"}:
        assert faulty.get(key) == b"l" * 300_000


def test_short_writes_are_continued(faulty):
    faulty.set("write /wal/ short 700", "write /extents/ short 5000")
    for number in range(10):
        assert faulty.put(f"k{number}", bytes([number]) * 40_000 * (1 + number % 3)) is None
    faulty.ask("insert into notes select * from range(1000)")
    faulty.restart_well()
    for number in range(10):
        assert faulty.get(f"k{number}") == bytes([number]) * 40_000 * (1 + number % 3)
    assert faulty.ask("select count(*) from notes") == [(1000,)]


def test_a_slow_disk_slows_writers_only(faulty):
    assert faulty.put("k", b"v") is None
    faulty.set("fdatasync * sleep 400")
    began = time.monotonic()
    assert faulty.put("slow", b"s") is None
    assert time.monotonic() - began > 0.3, "the disk was not slow: the test shows nothing"
    faulty.ask("insert into notes values (1)")
    slowest = 0.0
    for _ in range(20):
        began = time.monotonic()
        assert faulty.get("k") == b"v"
        slowest = max(slowest, time.monotonic() - began)
    assert faulty.ready()[0] == 200
    faulty.restart_well()
    assert faulty.get("slow") == b"s" and faulty.ask("select id from notes") == [(1,)]


def test_too_few_descriptors(own_tarn):
    """Connections beyond the limit wait or are closed; the program lives, goes on when there are some again, and loses nothing."""
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, connect_timeout=5, read_timeout=30)
    s3 = boto3.client("s3", endpoint_url=own_tarn.endpoint, aws_access_key_id=own_tarn.access_key,
                      aws_secret_access_key=own_tarn.secret_key, region_name="us-east-1", config=config)
    s3.create_bucket(Bucket="bucket")
    used = len(list(pathlib.Path(f"/proc/{own_tarn.process.pid}/fd").iterdir()))
    resource.prlimit(own_tarn.process.pid, resource.RLIMIT_NOFILE, (used + 20, used + 20))
    idle, acknowledged = [], set()
    for number in range(60):
        idle.append(socket.create_connection(own_tarn.address(("aws", "http", "postgres", "mqtt")[number % 4]), timeout=5))
    for number in range(10):
        try:
            s3.put_object(Bucket="bucket", Key=f"k{number}", Body=b"x" * 100_000)
            acknowledged.add(f"k{number}")
        except (BotoCoreError, ClientError):
            pass
    assert own_tarn.alive()
    for each in idle:
        each.close()
    deadline = time.monotonic() + 60
    while True:
        try:
            s3.put_object(Bucket="bucket", Key="after", Body=b"x" * 100_000)
            break
        except (BotoCoreError, ClientError) as error:
            assert time.monotonic() < deadline and own_tarn.alive(), error
            time.sleep(0.1)
    own_tarn.restart(crash=True)
    s3 = boto3.client("s3", endpoint_url=own_tarn.endpoint, aws_access_key_id=own_tarn.access_key,
                      aws_secret_access_key=own_tarn.secret_key, region_name="us-east-1", config=config)
    kept = {item["Key"] for item in s3.list_objects_v2(Bucket="bucket")["Contents"]}
    assert acknowledged | {"after"} <= kept


def test_too_little_memory(own_tarn):
    """With 100 MB of addresses left a query that wants more is refused, or the process ends; what was acknowledged is there."""
    def connect():
        return own_tarn.connect().cursor()
    cursor = connect()
    cursor.execute("create table notes as select range as id from range(1000)")
    status = pathlib.Path(f"/proc/{own_tarn.process.pid}/status").read_text()
    size = int(next(line for line in status.splitlines() if line.startswith("VmSize")).split()[1]) << 10
    resource.prlimit(own_tarn.process.pid, resource.RLIMIT_AS, (size + (100 << 20), size + (100 << 20)))
    with pytest.raises(psycopg2.Error) as told:
        cursor.execute("select count(*) from (select list(md5(range::varchar)) as l from range(8000000) group by range % 7) where len(l) > 0")
    assert own_tarn.alive(), f"the process ended: {told.value}\n{own_tarn.log_tail()}"
    assert told.value.pgcode in ("53200", "57014"), told.value
    cursor = connect()
    cursor.execute("insert into notes values (-1)")
    cursor.execute("select count(*) from notes")
    assert cursor.fetchone() == (1001,)
    own_tarn.restart(crash=True)
    cursor = connect()
    cursor.execute("select count(*) from notes")
    assert cursor.fetchone() == (1001,)
