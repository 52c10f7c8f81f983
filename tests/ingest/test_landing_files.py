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
CHANGE_FILE = re.compile(r"erp/sales/(\d{4})/(\d\d)/(\d\d)/\1\2\3-\d{9}-[0-9A-F]{16}-\d{8,}\.(csv|parquet)")
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


@pytest.mark.long
def test_a_repair_is_in_the_files_in_its_place(server, tmp_path):
    """`tarn verify source --repair` puts right what somebody changed here, and whoever follows the files gets to the source's state, too:
    also of rows that change there at the same time, and when the server dies before the files are written."""
    server.run("DROP TABLE IF EXISTS sales; CREATE TABLE sales (id int PRIMARY KEY, note text)")
    server.run("INSERT INTO sales SELECT i, 'note ' || i FROM generate_series(1, 300) i")
    with CaptureLake(tmp_path, server.url, ["sales"], "    landing: csv\n") as lake:
        lake.until_following()
        settled(lake, server, read_csv)
        def until_mended():
            expected = dict(server.rows("SELECT id, note FROM sales"))
            lake.until(lambda: mended(landing(lake)) == expected, 30)
        for round_ in range(2):
            server.run(f"UPDATE sales SET note = 'there {round_}' WHERE id = {round_ + 1}")
            until_mended()
            with lake.connect() as sql:
                lake.until(lambda: sql.execute("UPDATE erp.sales SET note = 'wrong' WHERE id BETWEEN 100 AND 109").rowcount == 10)
                lake.until(lambda: sql.execute("DELETE FROM erp.sales WHERE id IN (200, 201)").rowcount == 2)
                lake.until(lambda: sql.execute("INSERT INTO erp.sales VALUES (9000, 'ghost')").rowcount == 1)
            done = subprocess.run([str(binary()), "--json", "verify", "source", "erp", "--repair"], capture_output=True, text=True, timeout=120,
                                  env=dict(lake.server.client_env(), TARN_ENDPOINT=f"http://{lake.server.ready['http']}"), check=False)
            assert done.returncode == 0 and json.loads(done.stdout)["tables"][0]["repaired"] == 13, done.stdout + done.stderr
            server.run(f"UPDATE sales SET note = 'after {round_}' WHERE id IN (100, 200); DELETE FROM sales WHERE id = {110 + round_}")
            if round_ == 1:
                lake.server.restart(crash=True)
            until_mended()


def mended(files):
    """The rows as a follower has them who takes each row's last word, which is all that a repair can promise: what was changed behind
    the source's back came without files."""
    state = {}
    for key in sorted(key for key in files if LOAD_FILE.fullmatch(key)) + sorted(
            (key for key in files if CHANGE_FILE.fullmatch(key)), key=lambda key: key.rsplit("/", 1)[1].split("-", 2)[2]):
        for row in read_csv(files[key]):
            if row["Op"] == "D":
                state.pop(int(row["id"]), None)
            else:
                state[int(row["id"])] = row["note"]
    return state


def test_a_column_with_a_default_begins_the_files_anew(server, tmp_path):
    """No change brought its values, so files of changes alone would lack them."""
    server.run("DROP TABLE IF EXISTS sales; CREATE TABLE sales (id int PRIMARY KEY, note text); INSERT INTO sales VALUES (1, 'a'), (2, 'b')")
    with CaptureLake(tmp_path, server.url, ["sales"], "    landing: csv\n") as lake:
        lake.until_following()
        settled(lake, server, read_csv)
        server.run("ALTER TABLE sales ADD COLUMN kind text DEFAULT 'old'; INSERT INTO sales VALUES (3, 'c', 'new')")

        def rows():
            files = landing(lake)
            found = {}
            for key in sorted(key for key in files if LOAD_FILE.fullmatch(key))[1:] + sorted(key for key in files if "-" in key):
                for row in read_csv(files[key]):
                    found[int(row["id"])] = row.get("kind")
            return found
        lake.until(lambda: rows() == {1: "old", 2: "old", 3: "new"}, 60)
        assert lake.server.log_text().count("tables of a database are being loaded") == 1
