"""Changes of a followed database as files in the bucket `landing`, laid out as AWS DMS lays out its S3 target: exactly the committed
changes, in order, whatever dies. The files are read by nobody of ours: Python's csv, and DuckDB's own reader for Parquet."""
import csv
import io
import json
import os
import pathlib
import random
import re
import subprocess
import sys

import boto3
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import postgres_server  # noqa: E402
from capture_lake import CaptureLake, source_server  # noqa: E402
from tarn_server import binary  # noqa: E402

pytestmark = [pytest.mark.skipif(not postgres_server.available(), reason="no PostgreSQL programs here"),
              pytest.mark.skipif(not binary().exists(), reason="tarn is not built")]

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
READ_PARQUET = """
import duckdb, json, sys
rows = duckdb.connect().execute("select * replace (commit_timestamp::varchar as commit_timestamp) from read_parquet(?)", [sys.argv[1]])
names = [column[0] for column in rows.description]
print(json.dumps([dict(zip(names, row)) for row in rows.fetchall()], default=str))
"""
CHANGE_FILE = re.compile(r"erp/sales/(\d{4})/(\d\d)/(\d\d)/\1\2\3-\d{9}-[0-9A-F]{16}-\d{8}\.(csv|parquet)")
LOAD_FILE = re.compile(r"erp/sales/LOAD[0-9A-F]{8}\.(csv|parquet)")


@pytest.fixture(scope="module")
def server():
    with source_server() as running:
        yield running


def landing(lake):
    """{key: bytes} of the landing bucket, in order of names."""
    client = boto3.client("s3", endpoint_url=lake.server.endpoint, aws_access_key_id=lake.server.access_key,
                          aws_secret_access_key=lake.server.secret_key, region_name="us-east-1")
    found = {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket="landing"):
        for one in page.get("Contents", []):
            found[one["Key"]] = client.get_object(Bucket="landing", Key=one["Key"])["Body"].read()
    return found


def read_csv(data):
    """Rows as dictionaries; None where the field is empty and was not quoted is what the reader can't tell: texts here are not empty."""
    return [{name: value or None for name, value in row.items()} for row in csv.DictReader(io.StringIO(data.decode()))]


def replay(files, read):
    """(rows by id as the files say, number of changes); every change must fit what was there."""
    state, changes = {}, 0
    loads = sorted(key for key in files if LOAD_FILE.fullmatch(key))
    later = sorted((key for key in files if CHANGE_FILE.fullmatch(key)), key=lambda key: key.rsplit("/", 1)[1].split("-", 2)[2])
    assert len(loads) + len(later) == len(files), sorted(files)
    for key in loads:
        for row in read(files[key]):
            assert row["Op"] == "I" and int(row["id"]) not in state
            state[int(row["id"])] = row["note"]
    for key in later:
        for row in read(files[key]):
            changes += 1
            number = int(row["id"])
            assert list(row)[:2] == ["Op", "commit_timestamp"]
            if row["Op"] == "I":
                assert number not in state, f"{number} came twice"
                state[number] = row["note"]
            elif row["Op"] == "U":
                assert number in state
                state[number] = row["note"]
            else:
                assert row["Op"] == "D" and state.pop(number, "gone") == row["note"]
    return state, changes


def settled(lake, pg, read):
    """Until the files say what the source says."""
    expected = dict(pg.rows("SELECT id, note FROM sales"))
    found = {}

    def same():
        found["now"] = replay(landing(lake), read)
        return found["now"][0] == expected
    lake.until(same, 60)
    return found["now"][1]


def test_csv_holds_the_load_and_each_change_once_whatever_dies(server, tmp_path):
    server.run("DROP TABLE IF EXISTS sales; CREATE TABLE sales (id int PRIMARY KEY, note text)")
    server.run("INSERT INTO sales SELECT i, 'note, \"' || i || '\"' FROM generate_series(1, 2000) i")
    chance = random.Random(5)
    told = 0
    with CaptureLake(tmp_path, server.url, ["sales"], "    landing: csv\n") as lake:
        lake.until_following()
        settled(lake, server, read_csv)
        for round_ in range(12):
            for i in range(10):
                key = chance.randrange(1, 2001)
                server.run(f"UPDATE sales SET note = 'changed {round_} {i}' WHERE id = {key}")
                told += server.value(f"SELECT count(*) FROM sales WHERE id = {key}")
            server.run(f"DELETE FROM sales WHERE id = {2000 - round_}; INSERT INTO sales VALUES ({10000 + round_}, 'new')")
            server.run(f"UPDATE sales SET id = {20000 + round_} WHERE id = {1000 + round_}")  # gone under one key, there under another
            told += 4
            if round_ % 4 == 1:
                lake.server.restart(crash=True)
        assert settled(lake, server, read_csv) == told
        assert len([key for key in landing(lake) if LOAD_FILE.fullmatch(key)]) == 1


def test_parquet_is_read_by_others(server, tmp_path):
    python = pathlib.Path(os.environ.get("TARN_VENV", ROOT / ".venv")) / "bin" / "python"
    if not python.exists():
        pytest.skip("DuckDB for Python is in .venv, which ./x setup makes")
    server.run("DROP TABLE IF EXISTS sales; CREATE TABLE sales (id int PRIMARY KEY, note text)")
    server.run("INSERT INTO sales VALUES (1, 'one'), (2, NULL)")

    def read(data):
        file = tmp_path / "one.parquet"
        file.write_bytes(data)
        done = subprocess.run([str(python), "-c", READ_PARQUET, str(file)], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)
    with CaptureLake(tmp_path, server.url, ["sales"], "    landing: parquet\n") as lake:
        lake.until_following()
        settled(lake, server, read)
        server.run("UPDATE sales SET note = 'two' WHERE id = 2; DELETE FROM sales WHERE id = 1; INSERT INTO sales VALUES (3, '')")
        assert settled(lake, server, read) == 3
