"""Small inputs that would become large ones, and names that would lead elsewhere: memory stays bounded, nothing is written outside."""
import gzip
import io
import json
import os
import time
import urllib.error
import urllib.request
import zipfile

import boto3
import psycopg2
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from abuse_doors import Probe, memory_kb
from lake_api import send
from tarn_server import TarnServer

LAKEFILE = """\
lake: bombs
timezone: UTC
sources:
  dropped:
    folder: drop/*
    settle: 100ms
"""
GROWTH_KB = 400_000  # what a bomb may cost while it is looked at


@pytest.fixture(scope="module")
def lake(tarn_binary, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bombs")
    (folder / "lake.yaml").write_text(LAKEFILE)
    (folder / "drop").mkdir()
    server = TarnServer(folder=folder, args=["--lake", folder / "lake.yaml"])
    try:
        yield server.start()
    finally:
        print(f"--- the server's log ---\n{server.log_tail()}")
        server.close()


def sql(server):
    return server.connect().cursor()


def s3(server):
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, connect_timeout=5, read_timeout=20)
    return boto3.client("s3", endpoint_url=server.endpoint, aws_access_key_id=server.access_key, aws_secret_access_key=server.secret_key,
                        region_name="us-east-1", config=config)


def rows(cursor, where):
    try:
        cursor.execute(f"select count(*) from dropped where {where}")
        return cursor.fetchone()[0]
    except psycopg2.errors.UndefinedTable:
        return 0


def drop(lake, name, data):
    folder = lake.folder / "drop"
    (folder / ".new").write_bytes(data)
    (folder / ".new").rename(folder / name)


def members(piece, times):
    """A packed file that says `piece` again and again, at a thousandth of its size."""
    return gzip.compress(piece * ((32 << 20) // len(piece))) * times


@pytest.mark.long
def test_packed_files(lake):
    """Each unpacks to hundreds of megabytes; the file behind them is read, and the memory did not follow them."""
    cursor, before = sql(lake), memory_kb(lake)
    drop(lake, "00_first.csv", b"id,name\n1,a\n")
    with Probe(lake) as probe:
        drop(lake, "01_zeros.csv.gz", members(b"\0", 12))
        drop(lake, "02_one_line.csv.gz", gzip.compress(b"id,name\n1,") + members(b"x", 12))
        drop(lake, "03_fields.csv.gz", gzip.compress(b"id,name\n") + members(b",", 12))
        drop(lake, "04_quote.csv.gz", gzip.compress(b"id,name\n1,\"") + members(b"\n", 4))
        drop(lake, "05_deep.jsonl.gz", members(b"[", 12))
        drop(lake, "06_member.jsonl.gz", gzip.compress(b'{"name": "') + members(b"y", 12))
        drop(lake, "07_packed_twice.csv.gz", gzip.compress(members(b"1,a\n", 12)))
        drop(lake, "99_last.csv", b"id,name\n99,z\n")
        deadline = time.monotonic() + 240
        while rows(cursor, "id = 99") == 0:
            assert time.monotonic() < deadline, "the file behind the bombs is not read"
            assert lake.alive()
            time.sleep(0.2)
    grown = memory_kb(lake, "VmHWM") - before
    print(f"packed bombs: memory {before} kB, highest {before + grown} kB; others: slowest {probe.slowest * 1000:.0f} ms")
    assert grown < GROWTH_KB
    assert probe.slowest < 15


def rows_without_end(lake, number, times, seconds):
    """`times` 32 MiB of good rows, packed to a thousandth: they all become rows, in bounded memory."""
    cursor, before = sql(lake), memory_kb(lake)
    with Probe(lake) as probe:
        drop(lake, f"{number}_rows.csv.gz", gzip.compress(b"id,name\n") + members(b"%d,many\n" % number, times))
        deadline = time.monotonic() + seconds
        while (found := rows(cursor, f"id = {number}")) == 0:
            assert time.monotonic() < deadline and lake.alive(), "the rows do not come"
            time.sleep(0.2)
    assert found == ((32 << 20) // len(b"%d,many\n" % number)) * times
    grown = memory_kb(lake, "VmHWM") - before
    print(f"{found:,} rows of a packed file: memory {before} kB, {grown} kB more at most; others: slowest {probe.slowest * 1000:.0f} ms")
    assert grown < GROWTH_KB
    assert probe.slowest < 15


def test_packed_rows(lake):
    rows_without_end(lake, 7001, 1, 120)


@pytest.mark.long
def test_packed_rows_without_end(lake):
    rows_without_end(lake, 7002, 24, 900)


def test_an_archive_of_files_is_no_file(lake):
    """A zip, with names that lead elsewhere and a member that unpacks to much: not unpacked, told, and in nobody's way."""
    cursor, above = sql(lake), tree(lake.folder.parent, lake.data)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("../../outside.csv", "/etc/outside.csv", "C:\\outside.csv", "a\0b.csv"):
            archive.writestr(name, "id,name\n7100,zip\n")
        archive.writestr("zeros.csv", b"\0" * (64 << 20))
    for name in ("a.zip", "b.csv.zip", "c.csv", "d.csv.gz", "e.jsonl"):
        drop(lake, f"z7_{name}", packed.getvalue())
    drop(lake, "z7_last.csv", b"id,name\n7101,last\n")
    deadline = time.monotonic() + 60
    while rows(cursor, "id = 7101") == 0:
        assert time.monotonic() < deadline, "the file behind the zips is not read"
        time.sleep(0.1)
    assert rows(cursor, "id = 7100") == 0
    assert b"was refused" in send(lake, "GET", "/api/v1/sources").body
    grown = {path for path in tree(lake.folder.parent, lake.data) - above if "/drop/" not in path}
    assert not grown, grown


def test_packed_bodies(lake):
    """A body is taken as the bytes that it is: no door unpacks one."""
    bomb = members(b" ", 20)
    for encoding in ("gzip", "deflate", "br", "zstd"):
        status, answer, _ = send(lake, "POST", "/api/v1/sql", bomb, headers={"Content-Encoding": encoding, "Content-Type": "application/json"})
        assert status in (400, 413, 415), (encoding, status, answer[:200])
    s3(lake).create_bucket(Bucket="packed")
    s3(lake).put_object(Bucket="packed", Key="k", Body=bomb, ContentEncoding="gzip")
    assert s3(lake).get_object(Bucket="packed", Key="k")["Body"].read() == bomb


EVERY_FIELD = bool(os.environ.get("TARN_EVERY_FIELD"))  # each alone, too: ten times as many bodies
BAD_VALUES = [5, -1, 1e300, True, None, [], {}, [[]], "", "\x00", "\ud800", "x" * 70_000, ["a", 5], {"a": {"b": []}}]


def test_bodies_of_other_types(lake):
    """Every call of the API that takes a body, with each of its fields of another type: an answer in words, never a failure of ours."""
    status, text, _ = send(lake, "GET", "/api/v1/openapi.json")
    assert status == 200, text[:200]
    paths = json.loads(text)["paths"]
    wrong, asked = [], 0
    for path, methods in paths.items():
        for method, call in methods.items():
            if method not in ("post", "put", "patch", "delete") or path.endswith("/session"):
                continue
            schema = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            fields = list(schema.get("properties", {})) or ["name", "sql", "policy", "lakefile", "value", "key", "until", "filters"]
            where = path
            while "{" in where:
                where = where[:where.index("{")] + "nothing" + where[where.index("}") + 1:]
            for value in BAD_VALUES:
                for body in [{field: value for field in fields}] + ([{field: value} for field in fields] if EVERY_FIELD else []):
                    status, answer, _ = send(lake, method.upper(), where, json.dumps(body).encode())
                    asked += 1
                    if status >= 500 and status not in (501, 503):  # 503: as many statements as one may have
                        wrong.append((method, where, str(body)[:80], status, answer[:160]))
            for body in (b"[]", b"5", b'"x"', b"null", b"{", b"\xff", b'{"a":1,"a":2}'):
                status, answer, _ = send(lake, method.upper(), where, body)
                asked += 1
                if status >= 500 and status not in (501, 503):  # 503: as many statements as one may have
                    wrong.append((method, where, body, status, answer[:160]))
    assert lake.alive()
    print(f"{asked} bodies, {len(wrong)} failures")
    assert not wrong, "\n".join(map(str, wrong[:20]))


def tree(folder, without):
    return {os.path.join(path, name) for path, _, names in os.walk(folder) for name in names if not path.startswith(str(without))}


def test_names_that_lead_elsewhere(lake):
    """Keys, buckets, tables and files called like ways out of the folder: they are names, or refused; no file appears elsewhere."""
    above = tree(lake.folder.parent, lake.data)
    client = s3(lake)
    client.create_bucket(Bucket="names")
    for key in ("../../outside", "/etc/passwd", "a/../../../b", "..", ".", "a//b", "....//x", "%2e%2e%2fx", "C:\\x", "a\nb", "a\tb", "\u202etxt"):
        try:
            client.put_object(Bucket="names", Key=key, Body=key.encode())
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, (key, error)
            continue
        assert client.get_object(Bucket="names", Key=key)["Body"].read() == key.encode(), key
    for bucket in ("..", ".", "a..b", "..%2f..", "%2e%2e", "lake%2f..", "-a", "a" * 64, "LAKE", "a_b", "xn--a"):
        request = urllib.request.Request(f"{lake.endpoint}/{bucket}/k", method="PUT", data=b"x")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=20)
        assert refused.value.code in (400, 403, 404), bucket
    cursor = sql(lake)
    for name in ("../../outside", "/etc/passwd", "a/../../b", "..", "a\\b", "a\nb", "x" * 5000):
        for statement in (f'create table "{name}" (x int)', f'create schema "{name}"', f'create table main."{name}" as select 1 as x'):
            try:
                cursor.execute(statement)
            except psycopg2.Error as error:
                assert error.pgcode and error.pgcode != "XX000", (statement[:60], error.pgcode, str(error)[:200])
    for statement in ("copy (select 1) to '/tmp/tarn-outside'", "select * from read_csv('/etc/passwd')", "select * from '/etc/passwd'",
                      "attach '/tmp/tarn-outside.db'", "copy t from '/etc/passwd'", "select * from glob('/*')", "install httpfs",
                      "load '/tmp/x.so'", "export database '/tmp/tarn-outside'", "select * from read_text('../../root.key')"):
        with pytest.raises(psycopg2.Error) as refused:
            cursor.execute(statement)
        assert refused.value.pgcode and refused.value.pgcode != "XX000", (statement, refused.value)
    secret = lake.folder / "secret.csv"
    secret.write_bytes(b"id,name\n77,secret\n")
    (lake.folder / "drop" / "link.csv").symlink_to(secret)
    for name in ("..csv", "a\nb.csv", "-rf.csv", "$(id).csv", "a;b.csv", "caf\u00e9.csv", "x" * 240 + ".csv"):
        drop(lake, name, b"id,name\n50,n\n")
    drop(lake, "zz_end.csv", b"id,name\n51,n\n")
    deadline = time.monotonic() + 60
    while rows(cursor, "id = 51") == 0:
        assert time.monotonic() < deadline, "the files with strange names are in the way"
        time.sleep(0.1)
    assert rows(cursor, "id = 77") == 0, "a link led out of the folder"
    grown = {path for path in tree(lake.folder.parent, lake.data) - above if "/drop/" not in path and not path.endswith("secret.csv")}
    assert not grown, grown
    assert not os.path.exists("/tmp/tarn-outside")
