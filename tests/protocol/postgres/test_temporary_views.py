"""Temporary views: seen by their session only, gone at its end. Each script runs on a PostgreSQL, too, where there is one: rows and SQLSTATEs are
compared."""
import psycopg2
import pytest

from postgres_clients import beside, connect, in_schema

SCRIPTS = {
    "reading": """
        create temp view v as select * from t where a = 1
        select * from v
        create temporary view counted (k, n) as select b, count(*) from t group by b
        select * from counted order by k
        select x.* from v x, counted where k = b
        select v.b from v
        select * from pg_temp.v
        create temp view chain as select a + 1 as next from v
        select * from chain
        with w as (select * from chain) select count(*) from w
        create temp view own as with t as (select 7 as a) select * from t
        select * from own
        create temp view cast_ as select (b || 'z')::varchar(1)::text as one, a::text as text from t
        select * from cast_ order by 2
        create temp view bad as select * from nothing
        create temp view bad as select nothing from t
    """,
    "with tables of the session": """
        create temp table mine (a int primary key, z text)
        insert into mine values (1, 'zz')
        create view both_ as select t.a, z from t join mine using (a)
        select * from both_
        create view tv.elsewhere as select * from mine
        create temp view tv.elsewhere as select 1 as one
        create temp view pg_temp.here as select 1 as one
        select * from here
        create temp table mine as select 1
        create temp view mine as select 1
        create or replace temp view mine as select 1 as a
        drop view mine
        drop table both_
        drop view both_, here
        select * from both_
    """,
    "names mean what they meant": """
        create temp view v as select a from t
        create temp table t (a int)
        select * from v order by a
        select * from t
        drop table pg_temp.t
        set search_path to pg_catalog
        select * from v order by a
        set search_path to tv
        create or replace temp view v as select a, b from t
        select * from v order by a
        create or replace temp view v as select * from v
        select * from v
    """,
    "transactions": """
        create temp table mine as select 1 as a
        begin
        create temp view w as select 5 as five
        create temp view reads as select * from later
        rollback
        select * from w
        begin
        create temp view w as select 5 as five
        create temp view u as select five + 1 as six from w
        savepoint s
        create or replace temp view w as select 6 as five
        create temp view gone as select * from mine
        insert into mine values (2)
        select * from u
        rollback to s
        select * from u
        select * from mine
        drop view u
        rollback to s
        select * from w
        select * from u
        commit
        select * from u
        alter view w rename to renamed
        select * from renamed
        discard temp
        select * from renamed
        select * from mine
    """,
    "rows stand in tables": """
        create temp view v as select a, count(*) as n from t group by a
        insert into v values (1, 2)
        update v set a = 1
        delete from v
        drop table v
        alter table v add column x int
    """,
    "catalogs": """
        create temp view v (k, n) as select b, count(*) from t group by b
        create temp table mine (a int default 7, b text not null, unique (b), primary key (a))
        select relname::text, relkind::text, relpersistence::text from pg_class where relname in ('v', 'mine') order by 1
        select attname::text, attnum, atttypid::int from pg_attribute where attrelid = 'v'::regclass and attnum > 0 order by attnum
        select attname::text, attnotnull, atthasdef from pg_attribute where attrelid = 'mine'::regclass and attnum > 0 order by attnum
        select table_name::text, table_type::text from information_schema.tables where table_name in ('v', 'mine') order by 1
        select viewname::text from pg_views where viewname = 'v'
        select pg_get_viewdef('v'::regclass) is not null
        select c.relname::text, i.indisprimary, i.indisunique from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = 'mine'::regclass order by 1
        select conname::text, contype::text, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'mine'::regclass order by 1
    """,
}


@pytest.fixture
def both(tarn, postgres):
    """Cursors of Tarn and, where there is one, PostgreSQL."""
    with in_schema("tv", beside(tarn, postgres)) as cursors:
        for cursor in cursors:
            cursor.execute("create table t (a int, b text); insert into t values (1, 'x'), (2, 'y')")
        yield cursors


def answer(cursor, sql):
    try:
        cursor.execute(sql)
    except psycopg2.Error as problem:
        return problem.pgcode
    return ([(each.name, each.type_code) for each in cursor.description], cursor.fetchall()) if cursor.description else None


@pytest.mark.parametrize("script", SCRIPTS)
def test_as_postgresql(both, script):
    for sql in filter(None, (line.strip() for line in SCRIPTS[script].splitlines())):
        answers = [answer(cursor, sql) for cursor in both]
        assert answers[0] == answers[-1], sql


def test_they_are_the_sessions_own(tarn, both):
    cursor = both[0]
    cursor.execute("create temp view v as select * from t")
    cursor.execute("create temp view w as select * from v")
    other = connect(tarn).cursor()
    other.connection.autocommit = True
    assert answer(other, "select * from v") == "42P01"
    assert answer(other, "select * from pg_temp.v") == "42P01"
    assert answer(other, "select count(*) from pg_class where relname in ('v', 'w')")[1] == [(0,)]
    other.execute("create temp view v as select 'mine' as x")
    assert answer(other, "select * from v")[1] == [("mine",)]
    other.connection.close()
    assert answer(cursor, "select * from w order by a")[1] == [(1, "x"), (2, "y")]
    cursor.execute("alter table t add column c int")
    assert answer(cursor, "select count(*) from w")[1] == [(2,)]


def test_a_view_that_reads_one_is_told_to_be_temporary(both):
    cursor = both[0]
    cursor.execute("create temp table mine as select 1 as a; create view v as select * from mine")
    assert "the view will be temporary" in cursor.connection.notices[-1]
    cursor.execute("select relpersistence from pg_class where relname = 'v'")
    assert cursor.fetchall() == [("t",)]


def test_there_are_bounds(both):
    cursor = both[0]
    for number in range(256):
        cursor.execute(f"create temp view v{number} as select {number}")
    assert answer(cursor, "create temp view more as select 1") == "54000"
    cursor.execute("create or replace temp view v7 as select 8")
    cursor.execute("discard temp")
    assert answer(cursor, f"create temp view long as select '{'x' * (1 << 20)}'") == "54000"
