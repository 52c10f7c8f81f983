"""A real PostgreSQL that reads and writes a lake as foreign tables."""
import glob

import psycopg2
import pytest

from postgres_clients import connect, parameters
from postgres_server import PostgresServer, available

pytestmark = pytest.mark.skipif(not available() or not glob.glob("/usr/share/postgresql/*/extension/postgres_fdw.control"),
                                reason="needs PostgreSQL's postgres_fdw")


@pytest.fixture
def foreign(tarn):
    lake = connect(tarn)
    lake.autocommit = True
    own = lake.cursor()
    own.execute("create schema far")
    own.execute("create table far.item (id int primary key, name text not null, price numeric(10,2) default 1.5, made timestamptz, tags text[], "
                "check (price >= 0))")
    own.execute("insert into far.item select i, 'n' || i, i * 1.25, '2026-01-01'::timestamptz + i * interval '1 hour', array['t' || i] from range(1, 1001) r(i)")
    postgres = PostgresServer()
    if not postgres.process:
        postgres.start()
    of = parameters(tarn)
    made = psycopg2.connect(postgres.url)
    made.autocommit = True
    cursor = made.cursor()
    cursor.execute("create extension postgres_fdw")
    cursor.execute(f"create server lake foreign data wrapper postgres_fdw options (host '{of['host']}', port '{of['port']}', dbname 'lake')")
    cursor.execute("create user mapping for current_user server lake options (user %s, password %s)", (of["user"], of["password"]))
    cursor.execute("create schema near")
    cursor.execute("import foreign schema far from server lake into near")
    yield cursor, own
    made.close()
    postgres.close()
    own.execute("drop schema far cascade")
    lake.close()


def test_reading_and_writing(foreign):
    near, far = foreign
    near.execute("select count(*), sum(price), max(made) from near.item where id between 10 and 20")
    far.execute("select count(*), sum(price), max(made) from far.item where id between 10 and 20")
    assert near.fetchone() == far.fetchone()
    near.execute("select name, tags from near.item order by id desc limit 2")
    assert near.fetchall() == [("n1000", ["t1000"]), ("n999", ["t999"])]
    near.execute("create table own (id int, word text)")
    near.execute("insert into own values (3, 'three'), (4, 'four')")
    near.execute("select word, name from own join near.item using (id) order by 1")
    assert near.fetchall() == [("four", "n4"), ("three", "n3")]
    near.execute("insert into near.item (id, name, price) select 2000 + id, word, 2 from own")
    near.execute("update near.item set price = price + 1 where id > 2000")
    near.execute("delete from near.item where id = 2004")
    far.execute("select id, name, price from far.item where id > 1000")
    assert [(i, n, float(p)) for i, n, p in far.fetchall()] == [(2003, "three", 3.0)]
    for sql, code in (("insert into near.item (id, name, price) values (1, 'x', 1)", "23505"), ("insert into near.item (id, name, price) values (0, 'x', -1)", "23514")):
        with pytest.raises(psycopg2.Error) as refused:
            near.execute(sql)
        assert refused.value.pgcode == code
