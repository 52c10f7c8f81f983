"""A reader that is not ours opens our Iceberg metadata and Parquet through S3 and gets the same rows."""
import json
import os
import pathlib
import subprocess

import boto3
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
READ = """
import json, sys
from pyiceberg.table import StaticTable
location, endpoint, key, secret = sys.argv[1:]
table = StaticTable.from_metadata(location, {"s3.endpoint": endpoint, "s3.access-key-id": key, "s3.secret-access-key": secret,
                                             "s3.region": "us-east-1", "s3.force-virtual-addressing": "false"})
rows = table.scan().to_arrow().to_pylist()
print(json.dumps(sorted([[r.get("n"), r.get("name"), str(r.get("amount")), str(r.get("day"))] for r in rows])))
"""


@pytest.fixture(scope="module")
def python():
    path = pathlib.Path(os.environ.get("TARN_VENV", ROOT / ".venv")) / "bin" / "python"
    if not path.exists():
        pytest.skip("pyiceberg is in .venv, which ./x setup makes")
    return path


def newest_metadata(server, schema):
    s3 = boto3.client("s3", endpoint_url=server.endpoint, aws_access_key_id=server.access_key,
                      aws_secret_access_key=server.secret_key, region_name="us-east-1")
    found = [item for item in s3.list_objects_v2(Bucket="lake", Prefix=schema + "/")["Contents"]
             if item["Key"].endswith(".metadata.json")]
    return "s3://lake/" + max(found, key=lambda item: item["Key"])["Key"]


STEPS = ["insert into {schema}.t select i, 'row ' || i, i * 1.25, date '2026-01-01' + i::int from range(100) r(i)",
         "delete from {schema}.t where n % 7 = 0",
         "update {schema}.t set name = 'changed', amount = amount + 1 where n between 20 and 30",
         "alter table {schema}.t rename column name to label",
         "alter table {schema}.t rename column label to name",
         "insert into {schema}.t values (1000, null, null, null)"]


def run(command):
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def states(server, schema):
    """Makes the table and yields after each step: the step, the location of its metadata, the rows as SQL gives them."""
    connection = server.connect()
    sql = connection.cursor()
    sql.execute(f"create schema {schema}")
    sql.execute(f"create table {schema}.t (n bigint, name text, amount decimal(10,2), day date)")
    for step in STEPS:
        sql.execute(step.format(schema=schema))
        if step.endswith("to label"):
            continue
        sql.execute(f"select n, name, amount::text, day::text from {schema}.t")
        yield step, newest_metadata(server, schema), sorted([n, name, str(amount), str(day)] for n, name, amount, day in sql.fetchall())
    connection.close()


def test_pyiceberg_reads_what_we_wrote(tarn, python):
    for step, metadata, ours in states(tarn, "for_pyiceberg"):
        assert run([str(python), "-c", READ, metadata, tarn.endpoint, tarn.access_key, tarn.secret_key]) == ours, step


def test_icebird_reads_what_we_wrote(tarn):
    icebird = ROOT / ".node" / "node_modules" / "icebird" / "src" / "index.js"
    if not icebird.exists():
        pytest.skip("icebird is in .node, which ./x setup makes")
    for step, metadata, ours in states(tarn, "for_icebird"):
        table, _, name = metadata.partition("/metadata/")
        found = run(["node", str(ROOT / "tests" / "e2e" / "read_with_icebird.mjs"), str(icebird), tarn.endpoint,
                     tarn.access_key, tarn.secret_key, table, name])
        rows = sorted([n, text, str(None) if amount is None else f"{amount:.2f}", str(day)] for n, text, amount, day in found)
        assert rows == ours, step
