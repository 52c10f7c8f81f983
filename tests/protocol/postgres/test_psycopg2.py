"""psycopg2, which opens a transaction by itself and speaks the simple protocol."""
import datetime
import decimal
import io
import threading
import time

import psycopg2
import psycopg2.errors
import psycopg2.extras
import pytest

from postgres_clients import connect


def test_values_both_ways(connection):
    cursor = connection.cursor()
    row = (7, "it's", 1.5, True, None, datetime.date(2026, 11, 20), datetime.datetime(2026, 11, 20, 18, 30, 1, 250000),
           decimal.Decimal("12.50"))
    cursor.execute("select %s, %s, %s::double, %s, %s::text, %s::date, %s::timestamp, %s::decimal(10,2)", row)
    assert cursor.fetchone() == row


def test_transactions(tarn, connection, table):
    cursor = connection.cursor()
    cursor.execute(f"insert into {table} (n) values (1), (2)")
    assert cursor.rowcount == 2
    cursor.execute(f"select count(*) from {table}")
    assert cursor.fetchone() == (2,)
    other = connect(tarn)
    other_cursor = other.cursor()
    other_cursor.execute(f"select count(*) from {table}")
    assert other_cursor.fetchone() == (0,)
    other.rollback()
    connection.commit()
    other_cursor.execute(f"select count(*) from {table}")
    assert other_cursor.fetchone() == (2,)
    other.close()
    cursor.execute(f"delete from {table}")
    connection.rollback()
    cursor.execute(f"select count(*) from {table}")
    assert cursor.fetchone() == (2,)


def test_an_error_fails_the_transaction(connection):
    cursor = connection.cursor()
    cursor.execute("select 1")
    with pytest.raises(psycopg2.errors.UndefinedTable) as raised:
        cursor.execute("select * from no_such_table_anywhere")
    assert raised.value.diag.sqlstate == "42P01"
    with pytest.raises(psycopg2.errors.InFailedSqlTransaction):
        cursor.execute("select 1")
    connection.rollback()
    cursor.execute("select 1")


def test_error_positions(connection):
    cursor = connection.cursor()
    with pytest.raises(psycopg2.errors.SyntaxError) as raised:
        cursor.execute("select 1 frmo x y z")
    assert raised.value.diag.statement_position is not None
    connection.rollback()


def test_several_statements_are_one_transaction(connection, table):
    connection.autocommit = True
    cursor = connection.cursor()
    with pytest.raises(psycopg2.Error):
        cursor.execute(f"insert into {table} (n) values (1); select * from no_such_table_anywhere")
    cursor.execute(f"select count(*) from {table}")
    assert cursor.fetchone() == (0,)
    cursor.execute(f"insert into {table} (n) values (1); insert into {table} (n) values (2); select sum(n) from {table}")
    assert cursor.fetchone() == (3,)


def test_executemany_and_values(connection, table):
    cursor = connection.cursor()
    cursor.executemany(f"insert into {table} (n, name) values (%s, %s)", [(i, f"name {i}") for i in range(20)])
    psycopg2.extras.execute_values(cursor, f"insert into {table} (n, name) values %s",
                                   [(i, f"name {i}") for i in range(20, 1000)])
    connection.commit()
    cursor.execute(f"select count(*), sum(n) from {table} where name like 'name %%'")
    assert cursor.fetchone() == (1000, sum(range(1000)))


def test_server_side_cursors(connection):
    cursor = connection.cursor("walk")
    cursor.itersize = 1000
    cursor.execute("select i from range(5000) t(i)")
    assert sum(row[0] for row in cursor) == sum(range(5000))
    cursor.close()
    connection.commit()


def test_cursors_that_outlive_their_transaction(connection):
    with connection.cursor("held", withhold=True) as held, connection.cursor() as plain:
        held.itersize = 3
        held.execute("select i from range(5000) t(i)")
        plain.execute("declare brief cursor for select 1")
        assert held.fetchmany(2) == [(0,), (1,)]
        connection.commit()
        held.scroll(4000)
        assert held.fetchmany(2) == [(4002,), (4003,)]
        with pytest.raises(psycopg2.errors.InvalidCursorName):
            plain.execute("fetch from brief")
        connection.rollback()
        assert held.fetchone() == (4004,)
    cursor = connection.cursor()
    cursor.execute("declare gone cursor with hold for select 1")
    connection.rollback()
    with pytest.raises(psycopg2.errors.InvalidCursorName):
        cursor.execute("fetch from gone")
    connection.rollback()
    cursor.execute("declare twice cursor for select 1")
    for statement, error in (("declare twice cursor for select 1", psycopg2.errors.DuplicateCursor), ("declare w cursor for delete from nothing", psycopg2.Error),
                             ("declare b scroll cursor for select 1", psycopg2.errors.FeatureNotSupported)):
        cursor.execute("savepoint here")
        with pytest.raises(error):
            cursor.execute(statement)
        connection.rollback()
        cursor.execute("declare twice cursor for select 1")


def test_copy(connection, table):
    cursor = connection.cursor()
    lines = "".join(f"{i}\tna\\tme {i}\t{i}.25\t2026-11-20 10:00:00\n" for i in range(5000)) + "5000\t\\N\t\\N\t\\N\n"
    cursor.copy_expert(f"copy {table} from stdin", io.StringIO(lines))
    assert cursor.rowcount == 5001
    connection.commit()
    cursor.execute(f"select count(*), count(name), max(n) from {table}")
    assert cursor.fetchone() == (5001, 5000, 5000)
    out = io.StringIO()
    cursor.copy_expert(f"copy (select * from {table} order by n) to stdout", out)
    assert out.getvalue() == lines
    csv = io.StringIO()
    cursor.copy_expert(f"copy (select n, name from {table} where n < 2 order by n) to stdout with (format csv, header)", csv)
    assert csv.getvalue().splitlines()[0] == "n,name"
    binary = io.BytesIO()
    cursor.copy_expert(f"copy {table} to stdout with (format binary)", binary)
    cursor.execute(f"delete from {table}")
    binary.seek(0)
    cursor.copy_expert(f"copy {table} from stdin with (format binary)", binary)
    assert cursor.rowcount == 5001


def test_a_broken_copy_leaves_nothing(connection, table):
    cursor = connection.cursor()
    with pytest.raises(psycopg2.Error) as raised:
        cursor.copy_expert(f"copy {table} (n) from stdin", io.StringIO("1\n2\nthree\n"))
    assert "3" in str(raised.value)
    connection.rollback()

    class Breaks(io.StringIO):
        def read(self, *_):
            raise RuntimeError("the source broke")
    with pytest.raises(psycopg2.Error):
        cursor.copy_expert(f"copy {table} (n) from stdin", Breaks())
    connection.rollback()
    cursor.execute(f"select count(*) from {table}")
    assert cursor.fetchone() == (0,)


SLOW = "select sum(a.i * b.i % 7) from range(1000000) a(i), range(1000000) b(i)"


def test_cancel(connection):
    cursor = connection.cursor()
    threading.Timer(0.5, connection.cancel).start()
    begun = time.monotonic()
    with pytest.raises(psycopg2.errors.QueryCanceled):
        cursor.execute(SLOW)
    assert time.monotonic() - begun < 10
    connection.rollback()
    cursor.execute("select 1")
    assert cursor.fetchone() == (1,)


def test_statement_timeout(tarn):
    made = connect(tarn, options="-c statement_timeout=300")
    cursor = made.cursor()
    begun = time.monotonic()
    with pytest.raises(psycopg2.errors.QueryCanceled):
        cursor.execute(SLOW)
    assert time.monotonic() - begun < 10
    made.close()


def test_who_goes_away_stops_his_query(tarn):
    made = connect(tarn)
    thread = threading.Thread(target=lambda: pytest.raises(psycopg2.Error, made.cursor().execute, SLOW))
    thread.start()
    time.sleep(0.5)
    import os
    import socket
    socket.socket(fileno=os.dup(made.fileno())).shutdown(socket.SHUT_RDWR)
    thread.join(10)
    other = connect(tarn)
    begun = time.monotonic()
    other.cursor().execute("select sum(i) from range(1000000) t(i)")
    assert time.monotonic() - begun < 5
    other.close()


def test_settings_and_notices(tarn):
    made = connect(tarn, application_name="tests")
    cursor = made.cursor()
    made.autocommit = True
    cursor.execute("show application_name")
    assert cursor.fetchone() == ("tests",)
    assert made.get_parameter_status("server_encoding") == "UTF8"
    assert made.get_parameter_status("standard_conforming_strings") == "on"
    assert made.server_version == 150000
    cursor.execute("set application_name to 'other'")
    assert made.get_parameter_status("application_name") == "other"
    cursor.execute("commit")
    assert any("no transaction" in notice for notice in made.notices)
    made.close()


def test_scans_of_the_catalog_side_by_side(tarn):
    """Parts of one query look names up at the same time, on several threads; the first such query of a transaction finds none of
    them made yet."""
    scans = ["information_schema.columns", "pg_catalog.pg_attribute", "information_schema.tables", "pg_catalog.pg_class",
             "pg_catalog.pg_namespace", "information_schema.schemata"]
    query = "select * from " + ", ".join(f"(select count(*) from {scan}) s{i}" for i, scan in enumerate(scans))
    with connect(tarn) as made, made.cursor() as cursor:
        for i in range(8):
            cursor.execute(f"create schema if not exists beside{i}")
            cursor.execute(f"create table if not exists beside{i}.t (a_column_with_a_name_of_some_length bigint)")
    answers = []

    def ask():
        asking = connect(tarn)
        asking.autocommit = True
        with asking.cursor() as cursor:
            for _ in range(40):
                cursor.execute(query)
                answers.append(cursor.fetchone())
        asking.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 160 and len(set(answers)) == 1


def open_many(tarn, made, count):
    def some(n):
        for _ in range(n):
            made.append(connect(tarn))
    threads = [threading.Thread(target=some, args=(count // 4,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == count
    for one in made:
        one.cursor().execute("select 1")


def test_many_connections(tarn):
    made = []
    try:
        open_many(tarn, made, 300)
    finally:
        for one in made:
            one.close()
    connect(tarn).close()


@pytest.mark.long
def test_as_many_connections_as_there_are_places(tarn):
    made = []
    try:
        open_many(tarn, made, 1_180)
        with pytest.raises(psycopg2.OperationalError, match="too many clients"):
            for _ in range(40):
                made.append(connect(tarn))
    finally:
        for one in made:
            one.close()
    time.sleep(0.5)
    connect(tarn).close()


def test_settings_in_expressions(tarn):
    with connect(tarn) as connection, connection.cursor() as cursor:
        cursor.execute("select current_setting('server_version_num')::int >= 150000, current_setting('nope', true), set_config('my.key', 'x', false)")
        assert cursor.fetchone() == (True, None, "x")
        cursor.execute("select current_setting('my.key'), pg_catalog.current_setting('search_path')")
        assert cursor.fetchone() == ("x", "main")
        for statement, state in (("select current_setting('memory_limit')", "42704"), ("select set_config('server_version', '9', false)", "55P02")):
            with pytest.raises(psycopg2.Error) as refused:
                cursor.execute(statement)
            assert refused.value.pgcode == state
            connection.rollback()


def test_several_at_once(tarn):
    connection = connect(tarn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("create table sev1 as select 1 as x")
        cursor.execute("create table sev2 as select 2 as x")
        cursor.execute("truncate table sev1, sev2")
        assert cursor.statusmessage == "TRUNCATE TABLE"
        cursor.execute("select (select count(*) from sev1) + (select count(*) from sev2)")
        assert cursor.fetchone() == (0,)
        with pytest.raises(psycopg2.errors.UndefinedTable):
            cursor.execute("drop table sev1, no_such_table")
        cursor.execute("drop table if exists sev1, main.sev2, no_such_table cascade")
        assert cursor.statusmessage == "DROP TABLE"
        cursor.execute("select count(*) from pg_tables where tablename like 'sev%'")
        assert cursor.fetchone() == (0,)
    connection.close()


def test_patterns(tarn):
    with connect(tarn) as connection, connection.cursor() as cursor:
        cursor.execute("select 'xABy' ~ 'AB', 'xABy' ~ 'ab', 'xABy' ~* 'ab', 'xABy' !~* 'ab', array_remove(array[1, 2, null], 2)")
        assert cursor.fetchone() == (True, False, True, False, [1, None])
