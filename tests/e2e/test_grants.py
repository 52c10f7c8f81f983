"""A user with one role sees exactly what its grants show, on every door, and leaves a trace when it asks for more."""
import subprocess

import boto3
import psycopg2
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lake_api import api, send


def connect(server, key=None):
    host, port = server.address("postgres")
    user, secret = key or (server.access_key, server.secret_key)
    made = psycopg2.connect(host=host, port=port, user=user, password=secret, dbname="lake")
    made.autocommit = True
    return made.cursor()


@pytest.fixture(scope="module")
def shop(tarn):
    root = connect(tarn)
    root.execute("create schema shop")
    root.execute("create table shop.sales (day date, region text, amount int, margin int)")
    root.execute("insert into shop.sales values ('2026-01-01', 'north', 10, 777001), ('2026-01-01', 'south', 20, 777002), "
                 "('2026-01-02', 'north', 30, 777003)")
    root.execute("create table shop.secret (n int)")
    api(tarn, "PUT", "/api/v1/roles/analyst",
        {"grants": {"shop.sales": {"hide": ["margin"], "rows": "region = user.region"}}})
    api(tarn, "POST", "/api/v1/users", {"name": "ana", "roles": ["analyst"], "attributes": {"region": "north"}})
    made = api(tarn, "POST", "/api/v1/users/ana/keys")
    return tarn, (made["access_key_id"], made["secret_access_key"])


def test_rows_and_columns(shop):
    server, key = shop
    ana = connect(server, key)
    ana.execute("select * from shop.sales order by day")
    assert [column.name for column in ana.description] == ["day", "region", "amount"]
    assert [row[1:] for row in ana.fetchall()] == [("north", 10), ("north", 30)]
    ana.execute("with s as (select * from shop.sales) select count(*), sum(amount) from s")
    assert [int(cell) for cell in ana.fetchone()] == [2, 40]


@pytest.mark.parametrize("attack", [
    "select margin from shop.sales",
    "select s.margin from shop.sales s join shop.sales t on s.day = t.day",
    "select * from shop.secret",
    "select * from shop.sales where margin > 0",
    "update shop.sales set amount = 1",
    "delete from shop.sales",
    "insert into shop.sales values ('2026-01-03', 'north', 1, 1)",
    "drop table shop.sales",
    "create table shop.copy as select * from shop.sales",
    "select * from read_parquet('s3://lake/**')",
    "select * from duckdb_tables()",
    "select sum((['x' || amount])::int[][1]) from shop.sales where region = 'south' or [region]::int[] is null",
    "explain analyze select count(*) from shop.sales where amount = 20",
    "copy (select margin from shop.sales) to stdout",
])
def test_what_is_not_granted_is_refused_and_shows_nothing(shop, attack):
    server, key = shop
    ana = connect(server, key)
    try:
        if attack.startswith("copy"):
            ana.copy_expert(attack, open("/dev/null", "w"))
        else:
            ana.execute(attack)
        said = str(ana.fetchall()) if ana.description else ""
    except psycopg2.Error as refused:
        said = str(refused)
    else:
        assert attack.startswith("explain"), f"was answered: {said}"
    for hidden in ("777001", "777002", "777003", "south"):
        assert hidden not in said.replace(attack, ""), said


def test_catalogs_show_what_is_granted(shop):
    server, key = shop
    ana = connect(server, key)
    ana.execute("select table_name, column_name from information_schema.columns where table_schema = 'shop' order by 1, 2")
    assert ana.fetchall() == [("sales", "amount"), ("sales", "day"), ("sales", "region")]
    ana.execute("select relname from pg_catalog.pg_class where relkind = 'r'")
    assert ana.fetchall() == [("sales",)]


def test_the_files_are_closed(shop):
    server, key = shop
    s3 = {}
    for name, (user, secret) in {"ana": key, "root": (server.access_key, server.secret_key)}.items():
        s3[name] = boto3.client("s3", endpoint_url=server.endpoint, aws_access_key_id=user, aws_secret_access_key=secret,
                                region_name="us-east-1", config=Config(retries={"max_attempts": 0}))
    api(server, "PUT", "/api/v1/users/ana/policies/s3",
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    files = [item["Key"] for item in s3["root"].list_objects_v2(Bucket="lake")["Contents"]]
    assert any(name.endswith(".parquet") for name in files)
    for name in files:
        with pytest.raises(ClientError, match="AccessDenied"):
            s3["ana"].get_object(Bucket="lake", Key=name)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3["root"].put_object(Bucket="lake", Key=files[0], Body=b"x")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3["root"].delete_object(Bucket="lake", Key=files[0])


def test_denials_are_audited(shop):
    server, key = shop
    assert send(server, "GET", "/api/v1/users", key=key).status == 403
    for _ in range(40):
        found = api(server, "GET", "/api/v1/audit?principal=ana&outcome=denied&limit=1000")["records"]
        if any(record["action"] == "iam:ListUsers" for record in found):
            return
        subprocess.run(["sleep", "0.1"], check=True)
    raise AssertionError(f"no record of the denial: {found[:3]}")


def test_a_withdrawn_grant_is_gone_at_once(shop):
    server, key = shop
    ana = connect(server, key)
    ana.execute("select count(*) from shop.sales")
    assert ana.fetchone() == (2,)
    api(server, "PUT", "/api/v1/users/ana/roles", {"roles": []})
    with pytest.raises(psycopg2.Error):
        ana.execute("select count(*) from shop.sales")
    api(server, "PUT", "/api/v1/users/ana/roles", {"roles": ["analyst"]})
