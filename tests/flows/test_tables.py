"""Computed tables from outside: a lakefile, sources filled by SQL, the graph's results and history, crashes."""
import random
import time

import psycopg2
import pytest

from lake_api import until
from tarn_server import TarnServer

LAKEFILE = """
lake: flows_test
timezone: America/Bogota
tables:
  levels:
    key: [shelf_id, seq]
    refresh: on_change
    sql: |
      select r.shelf_id, r.seq, r.read_at::date as day, (r.grams - m.tare) / m.unit as units
      from readings r join shelf_map m using (shelf_id)
    checks:
      units between 0 and 500: set_aside
  per_day:
    key: [day]
    refresh: on_change
    sql: select day, count(*) as n, sum(units) as units from levels group by day
    checks:
      unique(key): stop
"""


def connect(server):
    return server.connect()


def ask(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


@pytest.fixture
def lake(tarn_binary, tmp_path):
    lakefile = tmp_path / "lake.yaml"
    lakefile.write_text(LAKEFILE)
    server = TarnServer()
    try:
        server.start()
        with connect(server) as connection:
            ask(connection, "create table shelf_map (shelf_id int, tare double, unit double)")
            ask(connection, "create table readings (shelf_id int, seq int, read_at timestamptz, grams double)")
            ask(connection, "insert into shelf_map values (1, 0, 10), (2, 100, 5)")
        server.stop()
        server.args = ["--lake", str(lakefile)]  # its tables read what there is now
        server.start()
        yield server
    finally:
        server.close()


def settled(server, connection):
    """True when the computed tables hold what their SELECTs give now."""
    try:
        good = ask(connection, """select count(*) from readings join shelf_map using (shelf_id)
                                  where (grams - tare) / unit between 0 and 500""")
        bad = ask(connection, """select count(*) from readings join shelf_map using (shelf_id)
                                 where not (grams - tare) / unit between 0 and 500""")
        rejected = ask(connection, "select count(*) from levels_rejected") if bad[0][0] else [(0,)]
        return (ask(connection, "select count(*), count(distinct (shelf_id, seq)) from levels") == [(good[0][0],) * 2]
                and rejected == bad
                and ask(connection, "select coalesce(sum(n), 0) from per_day") == good)
    except psycopg2.Error:
        return False  # not made yet


def test_a_chain_follows_its_sources(lake):
    connection = connect(lake)
    ask(connection, "insert into readings values (1, 1, '2026-01-02T03:00:00Z', 120), (2, 1, '2026-01-02T08:00:00Z', 150)")
    until(lambda: settled(lake, connection))
    # 03:00 UTC is still the day before in Bogota.
    assert [str(r[0]) for r in ask(connection, "select day from per_day order by 1")] == ["2026-01-01", "2026-01-02"]
    began = time.monotonic()
    ask(connection, "insert into readings values (1, 2, '2026-01-02T09:00:00Z', 90), (1, 3, '2026-01-02T09:01:00Z', 99999)")
    until(lambda: settled(lake, connection))
    assert time.monotonic() - began < 5
    assert ask(connection, "select reason from levels_rejected") == [("units between 0 and 500",)]
    ask(connection, "delete from readings where seq = 1")
    ask(connection, "update shelf_map set unit = 1 where shelf_id = 1")
    until(lambda: settled(lake, connection))


def test_kill_in_between_repeats_and_loses_nothing(lake):
    moments = random.Random(7)
    seq = 0
    for _ in range(6):
        connection = connect(lake)
        end = time.monotonic() + moments.uniform(0.05, 0.6)
        while time.monotonic() < end:
            rows = ", ".join(f"({moments.choice((1, 2, 3))}, {seq + i}, '2026-01-0{1 + i % 7}T12:00:00Z', {moments.randrange(100, 6000)})"
                             for i in range(5))
            ask(connection, f"insert into readings values {rows}")
            seq += 5
        lake.restart(crash=True)
    connection = connect(lake)
    until(lambda: settled(lake, connection))
