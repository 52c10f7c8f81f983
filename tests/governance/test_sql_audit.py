"""Who has read which table and which of its columns stands in the audit record of the statement, on each door."""
import json
import pathlib
import sys
import time

import psycopg2
import pytest
from tarn_server import TarnServer
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from test_new_doors import good, user  # noqa: E402


@pytest.fixture(scope="module")
def shop(tarn_binary):
    with TarnServer() as server:
        for statement in ("create schema shop", "create schema desk", "create table shop.sales (day date, region text, amount int)",
                          "create table shop.people (id int, mail text, city text)", "create table desk.notes (n int, note text)",
                          "insert into shop.sales values ('2026-01-01', 'north', 10)",
                          "create view shop.mails as select mail from shop.people"):
            good(server, "POST", "/api/v1/sql", {"sql": statement})
        good(server, "PUT", "/api/v1/roles/reader", {"grants": {
            "shop.sales": {"rows": "region in (select region from shop.sales)"}, "shop.people": {}, "shop.mails": {},
            "desk.notes": {"write": ["insert", "update", "delete"]}}})
        server.reader = user(server, "reader", (), ["reader"])
        yield server


def records(server, wanted, seconds=60):
    """Those of the reader that name the wanted text in their resource."""
    deadline = time.monotonic() + seconds
    while True:
        found = [r for r in good(server, "GET", "/api/v1/audit?principal=reader&limit=1000")["records"] if wanted in r["resource"]]
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


ASKED = [
    ("select amount from shop.sales", ["table/shop/sales#amount"]),
    ("select * from shop.people", ["table/shop/people#*"]),
    ("select count(*) from shop.people where city = 'x'", ["table/shop/people#city"]),
    ("select * from shop.mails", ["table/shop/people#mail"]),
    ("select s.day, p.id from shop.sales s join shop.people p on p.city = s.region",
     ["table/shop/people#city,id ", "table/shop/sales#day,region"]),
    ("with p as (select mail, id from shop.people) select 1 where exists (select 1 from p where id = 3)", ["table/shop/people#id,mail"]),
]


@pytest.mark.parametrize("door", ["postgres", "http", "queries"])
def test_each_read_names_its_tables_and_columns(shop, door):
    host, port = shop.address("postgres")
    for number, (statement, tables) in enumerate(ASKED):
        before = len(records(shop, tables[0], 0))
        if door == "postgres":
            made = psycopg2.connect(host=host, port=port, user=shop.reader[0], password=shop.reader[1], dbname="lake")
            made.cursor().execute(statement)
            made.close()
        elif door == "http":
            good(shop, "POST", "/api/v1/sql", {"sql": statement}, shop.reader)
        else:
            good(shop, "POST", "/api/v1/queries", {"sql": statement, "wait_ms": 5000}, shop.reader)
        deadline = time.monotonic() + 60
        while len(found := records(shop, tables[0], 0)) <= before:
            assert time.monotonic() < deadline, f"{door}: no record names {tables[0]}"
            time.sleep(0.1)
        assert found[0]["action"] == ("tarn:ExecuteStatement" if door == "http" else "tarn:Select"), found[0]
        for table in tables:
            assert table in found[0]["resource"] + " ", found[0]


def test_a_temporary_view_names_what_it_reads(shop):
    host, port = shop.address("postgres")
    made = psycopg2.connect(host=host, port=port, user=shop.reader[0], password=shop.reader[1], dbname="lake")
    cursor = made.cursor()
    cursor.execute("create temp view towns as select city, mail from shop.people where id > 0; create temp view again as select city from towns")
    cursor.execute("select count(city) from again")
    made.close()
    found = records(shop, "table/shop/people#city,id")
    assert found and found[0]["action"] == "tarn:Select", found


def test_what_a_change_reads_is_recorded_beside_the_change(shop):
    good_rows = "insert into desk.notes select id, mail from shop.people"
    host, port = shop.address("postgres")
    made = psycopg2.connect(host=host, port=port, user=shop.reader[0], password=shop.reader[1], dbname="lake")
    made.autocommit = True
    made.cursor().execute(good_rows)
    made.cursor().execute("insert into desk.notes values (1, 'x')")
    made.close()
    deadline = time.monotonic() + 60
    while not any(r["action"] == "tarn:SelectForChange" for r in records(shop, "table/shop/people#id,mail")):
        assert time.monotonic() < deadline, "no record of what the change read"
        time.sleep(0.1)


def test_the_tables_of_a_policy_are_not_the_readers(shop):
    assert not records(shop, "table/shop/sales#region ", 0)


def test_the_usage_page_counts_tables(shop):
    usage = good(shop, "GET", "/api/v1/usage")
    mine = [reader for reader in usage["readers"] if reader["principal"] == "reader"]
    assert mine and "table/shop/people" in json.dumps(mine[0]["what"]), usage


READS = {"tarn:Select", "tarn:ExecuteStatement", "tarn:CopyOut", "tarn:GetDashboard", "tarn:SampleTable", "tarn:ProfileTable", "tarn:ReadStream",
         "s3:GetObject", "iot:Subscribe", "iot:Receive", "tarn:StartQuery", "tarn:RunQuery"}


def trail(server, since):
    """All records from `since` on, newest first."""
    found, before = [], ""
    while before is not None:
        page = good(server, "GET", f"/api/v1/audit?limit=1000&from={since}{before}")
        found += page["records"]
        before = f"&before={page['next']}" if page.get("next") is not None else None
    return found


def test_the_sums_of_reads_are_what_the_trail_says_also_after_a_restart(tarn_binary):
    with TarnServer() as server:
        for statement in ("create table t (n int)", "insert into t values (1), (2)", "create table u (n int)"):
            good(server, "POST", "/api/v1/sql", {"sql": statement})
        good(server, "PUT", "/api/v1/roles/reader", {"grants": {"main.t": {}}})
        pairs = {name: user(server, name, (), ["reader"]) for name in ("ann", "ben")}
        host, port = server.address("postgres")

        def read(name, statements):
            made = psycopg2.connect(host=host, port=port, user=pairs[name][0], password=pairs[name][1], dbname="lake")
            made.autocommit = True
            for statement in statements:
                try:
                    made.cursor().execute(statement)
                except psycopg2.Error:
                    pass  # refused or wrong: counted too
            made.close()

        def sums():
            usage = good(server, "GET", "/api/v1/usage?hours=24")
            assert usage["truncated"] is False
            told = {one["principal"]: one for one in usage["readers"]}
            return usage["from"], {name: (told[name]["times"], told[name]["refused"] + told[name]["failed"], told[name]["bytes"], told[name]["last"],
                                          {one["name"]: one["times"] for one in told[name]["what"]}) for name in pairs if name in told}

        def counted(since):
            out = {}
            for record in trail(server, since):
                name = record.get("principal", "").rsplit("/", 1)[-1]
                if name not in pairs or record["action"] not in READS:
                    continue
                times, others, size, last, what = out.get(name, (0, 0, 0, "", {}))
                count = record.get("count", 1)
                for one in record["resource"].split(" "):
                    thing = one.rsplit(":", 1)[-1].split("#")[0]
                    if thing != "lake":
                        what[thing] = what.get(thing, 0) + count
                allowed = record["outcome"] == "allowed"
                out[name] = (times + (count if allowed else 0), others + (0 if allowed else count), size + record.get("bytes", 0),
                             max(last, record["time"]), what)
            return out

        def equal(seconds=30):
            deadline = time.monotonic() + seconds
            while True:
                since, told = sums()
                right = counted(since)
                if told == right:
                    return told
                assert time.monotonic() < deadline, (told, right)
                time.sleep(0.2)

        read("ann", ["select * from t", "select count(*) from t", "select * from u", "select nothing from t"] * 5)
        read("ben", ["select n from t"] * 3)
        deadline = time.monotonic() + 30
        while (told := equal()).get("ben", (0,))[0] < 3 or told["ann"][0] < 10:
            assert time.monotonic() < deadline, told
            time.sleep(0.2)
        server.restart()
        host, port = server.address("postgres")
        assert equal() == told
        read("ben", ["select n from t"] * 4)
        deadline = time.monotonic() + 30
        while (after := equal())["ben"][0] < told["ben"][0] + 4:
            assert time.monotonic() < deadline, after
            time.sleep(0.2)
        server.restart(crash=True)
        assert equal() == after
