"""What belongs to one session: settings that end with the transaction, temporary tables; and DROP SCHEMA CASCADE with its records."""
import io
import os
import time

import psycopg2
import pytest

from lake_api import api
from postgres_clients import connect
from tarn_server import TarnServer


@pytest.fixture
def cursor(tarn):
    made = connect(tarn)
    made.autocommit = True
    yield made.cursor()
    made.close()


def value(cursor, sql):
    cursor.execute(sql)
    return cursor.fetchone()[0]


def test_set_local(psql):
    done = psql("-At", stdin="begin; set local my.key = 'here'; show my.key; commit;\nselect current_setting('my.key', true) is null;\n"
                             "set local my.key = 'x';\nselect current_setting('my.key', true) is null;\n"
                             "\\set VERBOSITY verbose\nset local my.key = 'y';\n")
    assert done.stdout.split() == ["BEGIN", "SET", "here", "COMMIT", "t", "SET", "t", "SET"]
    assert "25P01: SET LOCAL can only be used in transaction blocks" in done.stderr


def refusal(cursor, sql):
    with pytest.raises(psycopg2.Error) as refused:
        cursor.execute(sql)
    return refused.value.pgcode, refused.value.diag.message_primary


CHANGES = {"insert into kept values (2)": "INSERT", "update kept set n = 3": "UPDATE", "delete from kept": "DELETE", "truncate kept": "TRUNCATE TABLE",
           "create table other (n int)": "CREATE TABLE", "create table other as select 1 as n": "CREATE TABLE AS", "create view v as select 1 as n": "CREATE VIEW",
           "create schema others": "CREATE SCHEMA", "drop table kept": "DROP TABLE", "alter table kept add column m int": "ALTER TABLE",
           "alter table kept add primary key (n)": "ALTER TABLE", "comment on table kept is 'x'": "COMMENT", "copy kept from stdin": "COPY",
           "select * from kept for update": "SELECT FOR UPDATE", "create temp table t2 (n int)": "CREATE TABLE"}


def test_a_transaction_that_only_reads(tarn, cursor):
    cursor.execute("create table kept (n int); insert into kept values (1); create temp table mine (n int)")
    for begin in ("begin read only", "start transaction isolation level read committed, read only", "begin; set transaction read only",
                  "set default_transaction_read_only = on; begin"):
        cursor.execute(begin)
        assert value(cursor, "show transaction_read_only") == "on" and value(cursor, "select count(*) from kept") == 1
        cursor.execute("insert into mine values (1)")
        assert refusal(cursor, "insert into kept values (2)") == ("25006", "cannot execute INSERT in a read-only transaction")
        cursor.execute("rollback; reset default_transaction_read_only")
    for sql, word in CHANGES.items():
        cursor.execute("begin read only")
        assert refusal(cursor, sql) == ("25006", f"cannot execute {word} in a read-only transaction"), sql
        cursor.execute("rollback")
    for way_out in ("set transaction_read_only = off", "set transaction read write", "select set_config('transaction_read_only', 'off', true)",
                    "reset all"):
        cursor.execute("begin read only; select count(*) from kept")
        assert refusal(cursor, way_out)[0] == "25001", way_out
        cursor.execute("rollback")
    assert refusal(cursor, "set default_transaction_read_only = maybe")[0] == "22023"
    cursor.execute("insert into kept values (2)")
    cursor.connection.set_session(readonly=True, autocommit=True)
    assert refusal(cursor, "insert into kept values (3)")[0] == "25006"
    cursor.execute("begin read write; insert into kept values (3); commit")
    cursor.connection.set_session(readonly=False)
    cursor.execute("insert into kept values (4)")
    assert value(cursor, "select count(*) from kept") == 4


def test_rollback_takes_settings_back(cursor):
    before = value(cursor, "show statement_timeout")
    cursor.execute("begin")
    cursor.execute("set application_name = 'inner'; set statement_timeout = '5s'")
    cursor.execute("rollback")
    assert value(cursor, "show application_name") == ""
    assert value(cursor, "show statement_timeout") == before
    assert cursor.connection.get_parameter_status("application_name") == ""  # the client is told, too


def test_temporary_tables_are_the_sessions_own(tarn, cursor):
    cursor.execute("create table shared as select 'lake' as x")
    cursor.execute("create temp table shared (x text) ")
    cursor.execute("create temp table staged (id int primary key, x text)")
    cursor.copy_expert("copy staged from stdin", io.StringIO("1\ta\n2\tb\n"))
    cursor.execute("insert into shared select x from staged where id = %s", (2,))
    assert value(cursor, "select x from shared") == "b"
    assert value(cursor, "select x from main.shared") == "lake"
    out = io.StringIO()
    cursor.copy_expert("copy staged to stdout", out)
    assert out.getvalue() == "1\ta\n2\tb\n"
    cursor.execute("insert into main.shared select x from staged")
    other = connect(tarn).cursor()
    assert value(other, "select count(*) from shared") == 3
    for catalog in ("pg_class where relname like '%staged%'", "pg_attribute where attname = 'id'",
                    "information_schema.tables where table_name like '%staged%'", "pg_tables where tablename like '%staged%'"):
        assert value(other, f"select count(*) from {catalog}") == 0, catalog
    with pytest.raises(psycopg2.errors.UndefinedTable):
        other.execute("select * from staged")
    other.connection.close()
    cursor.execute("discard all")
    with pytest.raises(psycopg2.errors.UndefinedTable):
        cursor.execute("select * from staged")
    assert value(cursor, "select count(*) from shared") == 3
    cursor.execute("drop table shared")


def test_too_much_in_temporary_tables(tarn_binary):
    with TarnServer(args=["--sql-memory-mb", "64"]) as server:
        cursor = connect(server).cursor()
        cursor.connection.autocommit = True
        cursor.execute("create temp table small as select 1 as x")
        with pytest.raises(psycopg2.Error) as full:
            cursor.execute("create temp table large as select i, hash(i)::text as h from range(4000000) r(i)")
        assert full.value.pgcode in ("53100", "53200"), full.value
        assert value(cursor, "select x from small") == 1
        cursor.execute("create temp table again as select 2 as x")  # what was refused takes no room


def test_too_much_in_the_temporary_tables_of_one_session(tarn_binary):
    with TarnServer(args=["--sql-memory-mb", "256", "--sql-temporary-mb", "16"]) as server:
        cursor, other = connect(server).cursor(), connect(server).cursor()
        cursor.connection.autocommit = other.connection.autocommit = True
        cursor.execute("create temp table kept as select 1 as x")
        for rows in ("select i, hash(i)::text as h from range(1000000) r(i)",
                     "select repeat(i::text, 2000) as h from range(10000) r(i)"):  # texts beside the columns
            with pytest.raises(psycopg2.errors.DiskFull, match="of this session would take more than 16 MiB"):
                cursor.execute(f"create temp table large as {rows}")
            other.execute("create temp table small as select i, hash(i)::text as h from range(100000) r(i)")
            other.execute("drop table small")
        cursor.execute("create temp table filled (h text)")
        with pytest.raises(psycopg2.errors.DiskFull):
            cursor.copy_expert("copy filled from stdin", io.StringIO("".join(f"{os.urandom(40).hex()}\n" for _ in range(300_000))))
        assert value(cursor, "select count(*) from filled") == 0  # what was refused is not there
        assert value(cursor, "select x from kept") == 1


def recorded(tarn, resource, wanted):
    """(action, end of the resource) of records, once all that are wanted are there."""
    deadline = time.monotonic() + 60
    while True:
        records = api(tarn, "GET", f"/api/v1/audit?resource={resource}&limit=100")["records"]
        told = {(record["action"], record["resource"].split(":")[-1]) for record in records if record["outcome"] == "allowed"}
        if wanted <= told:
            return told
        assert time.monotonic() < deadline, records
        time.sleep(0.1)


def test_changes_are_recorded_table_by_table(tarn, cursor):
    cursor.execute("create schema doomed")
    cursor.execute("create table doomed.a (x int)")
    cursor.execute("insert into doomed.a values (1), (2)")
    cursor.execute("update doomed.a set x = 3 where x = 2")
    cursor.execute("delete from doomed.a where x = 3")
    cursor.execute("alter table doomed.a add column y int")
    cursor.execute("create table doomed.b as select 2 as x")
    with pytest.raises(psycopg2.Error) as refused:
        cursor.execute("drop schema doomed")
    assert refused.value.pgcode == "2BP01"
    recorded(tarn, "*/doomed/a", {(f"tarn:{action}", "table/doomed/a") for action in ("Create", "Insert", "Update", "Delete", "Alter")})
    cursor.execute("drop schema doomed cascade")
    with pytest.raises(psycopg2.Error):
        cursor.execute("select x from doomed.a")
    recorded(tarn, "*doomed*", {("tarn:Drop", "table/doomed/a"), ("tarn:Drop", "table/doomed/b"), ("tarn:Drop", "database/doomed")})
