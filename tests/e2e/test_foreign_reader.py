"""A reader that is not ours opens our Iceberg metadata and Parquet through S3 and gets the same rows."""
import json
import os
import pathlib
import subprocess

import boto3
import psycopg2
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


def newest_metadata(server):
    s3 = boto3.client("s3", endpoint_url=server.endpoint, aws_access_key_id=server.access_key,
                      aws_secret_access_key=server.secret_key, region_name="us-east-1")
    found = [item for item in s3.list_objects_v2(Bucket="lake", Prefix="foreign_/")["Contents"]
             if item["Key"].endswith(".metadata.json")]
    return "s3://lake/" + max(found, key=lambda item: item["Key"])["Key"]


def test_pyiceberg_reads_what_we_wrote(tarn, python):
    host, port = tarn.address("postgres")
    connection = psycopg2.connect(host=host, port=port, user=tarn.access_key, password=tarn.secret_key, dbname="lake")
    connection.autocommit = True
    sql = connection.cursor()
    sql.execute("create schema foreign_")
    sql.execute("create table foreign_.t (n bigint, name text, amount decimal(10,2), day date)")
    steps = ["insert into foreign_.t select i, 'row ' || i, i * 1.25, date '2026-01-01' + i::int from range(100) r(i)",
             "delete from foreign_.t where n % 7 = 0",
             "update foreign_.t set name = 'changed', amount = amount + 1 where n between 20 and 30",
             "alter table foreign_.t rename column name to label",
             "alter table foreign_.t rename column label to name",
             "insert into foreign_.t values (1000, null, null, null)"]
    for step in steps:
        sql.execute(step)
        if step.endswith("to label"):
            continue
        sql.execute("select n, name, amount::text, day::text from foreign_.t")
        ours = sorted([n, name, str(amount), str(day)] for n, name, amount, day in sql.fetchall())
        env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        done = subprocess.run([str(python), "-c", READ, newest_metadata(tarn), tarn.endpoint, tarn.access_key, tarn.secret_key],
                              capture_output=True, text=True, env=env)
        assert done.returncode == 0, done.stderr[-2000:]
        assert json.loads(done.stdout.splitlines()[-1]) == ours, step
