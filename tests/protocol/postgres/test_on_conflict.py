"""INSERT ... ON CONFLICT on the identifier fields that PRIMARY KEY ... NOT ENFORCED names."""
import threading

import psycopg2
import pytest

from postgres_clients import connect


@pytest.fixture
def cursor(tarn):
    made = connect(tarn)
    made.autocommit = True
    cursor = made.cursor()
    cursor.execute("create table stock (shelf int, bottles int, note text, primary key (shelf) not enforced)")
    cursor.execute("insert into stock values (1, 10, 'first'), (2, 20, 'first')")
    yield cursor
    cursor.execute("drop table stock")
    made.close()


def rows(cursor):
    cursor.execute("select shelf, bottles, note from stock order by shelf")
    return cursor.fetchall()


def refused(cursor, sql):
    with pytest.raises(psycopg2.Error) as found:
        cursor.execute(sql)
    return found.value.pgcode


def test_nothing_and_update(cursor):
    cursor.execute("insert into stock values (2, 99, 'second'), (3, 30, 'second') on conflict do nothing")
    assert cursor.rowcount == 1
    assert rows(cursor) == [(1, 10, "first"), (2, 20, "first"), (3, 30, "second")]
    cursor.execute("insert into stock values (%s, %s, 'third'), (4, 40, 'third') on conflict (shelf) do update "
                   "set bottles = stock.bottles + excluded.bottles, note = excluded.note where stock.bottles < 30", (2, 5))
    assert rows(cursor) == [(1, 10, "first"), (2, 25, "third"), (3, 30, "second"), (4, 40, "third")]


def test_returning(cursor):
    cursor.execute("insert into stock values (2, 99, 'second'), (3, 30, 'second') on conflict (shelf) do update "
                   "set bottles = stock.bottles + excluded.bottles returning shelf, bottles, bottles * 2 as twice")
    assert sorted(cursor.fetchall()) == [(2, 119, 238), (3, 30, 60)]
    assert cursor.rowcount == 2
    cursor.execute("insert into stock values (2, 5, ''), (4, 40, 'new') on conflict do nothing returning *")
    assert cursor.fetchall() == [(4, 40, "new")]
    cursor.execute("insert into stock values (2, 5, '') on conflict do nothing returning shelf")
    assert cursor.fetchall() == []
    assert rows(cursor) == [(1, 10, "first"), (2, 119, "first"), (3, 30, "second"), (4, 40, "new")]


def test_what_is_refused(cursor):
    assert refused(cursor, "insert into stock values (1, 1, '') on conflict (note) do nothing") == "42P10"
    assert refused(cursor, "insert into stock values (7, 1, ''), (7, 2, '') on conflict (shelf) do update set bottles = 0") == "21000"
    cursor.execute("create table loose (a int)")
    assert refused(cursor, "insert into loose values (1) on conflict (a) do nothing") == "42P10"
    cursor.execute("drop table loose")
    assert rows(cursor) == [(1, 10, "first"), (2, 20, "first")]


def test_writers_side_by_side_count_each_once(tarn, cursor):
    counted, failed = [], []

    def work():
        connection = connect(tarn)
        connection.autocommit = True
        own = connection.cursor()
        done = 0
        while done < 5:
            try:
                own.execute("insert into stock values (9, 1, '') on conflict (shelf) do update set bottles = stock.bottles + 1")
                done += 1
            except psycopg2.Error as error:
                failed.append(error)
                break
        counted.append(done)
        connection.close()

    writers = [threading.Thread(target=work) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not failed, failed[0]
    assert [row for row in rows(cursor) if row[0] == 9] == [(9, sum(counted), "")]
