"""Several connections change the same rows at the same moment, each statement a transaction by itself: none fails, none is lost."""
import io
import threading

import psycopg2
import pytest

from postgres_clients import connect

WRITERS, ROUNDS = 6, 12


def at_once(tarn, work):
    """`work(cursor, writer, round)` on WRITERS connections, ROUNDS times each. The errors."""
    errors, ready = [], threading.Barrier(WRITERS)

    def write(writer):
        connection = connect(tarn)
        connection.autocommit = True
        cursor = connection.cursor()
        ready.wait()
        for turn in range(ROUNDS):
            try:
                work(cursor, writer, turn)
            except psycopg2.Error as problem:
                errors.append((problem.pgcode, str(problem)))
        connection.close()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


@pytest.fixture
def cursor(tarn):
    made = connect(tarn)
    made.autocommit = True
    cursor = made.cursor()
    cursor.execute("create table counts (id int, n int)")
    cursor.execute("insert into counts select i, 0 from range(3) r(i)")
    yield cursor
    cursor.execute("drop table counts")
    made.close()


def found(cursor, sql):
    cursor.execute(sql)
    return cursor.fetchall()


def test_updates_are_all_counted(tarn, cursor):
    assert at_once(tarn, lambda c, w, i: c.execute("update counts set n = n + 1 where id = %s", (i % 3,))) == []
    assert found(cursor, "select id, n from counts order by id") == [(i, WRITERS * ROUNDS // 3) for i in range(3)]


def test_returning_tells_what_was_committed(tarn, cursor):
    told = []

    def work(c, _, __):
        c.execute("update counts set n = n + 1 where id = 0 returning n")
        told.append(c.fetchone()[0])

    assert at_once(tarn, work) == []
    assert sorted(told) == list(range(1, WRITERS * ROUNDS + 1))


def test_deletes_beside_updates_and_inserts(tarn, cursor):
    def work(c, writer, turn):
        own = 100 + writer * ROUNDS + turn
        c.execute("insert into counts values (%s, 0)", (own,))
        c.execute("update counts set n = n + 1 where id = %s or id = 1", (own,))
        c.execute("delete from counts where id = %s and n = 1", (own,))
        assert c.rowcount == 1

    assert at_once(tarn, work) == []
    assert found(cursor, "select id, n from counts order by id") == [(0, 0), (1, WRITERS * ROUNDS), (2, 0)]


def test_copies_into_a_table_with_a_key(tarn, cursor):
    cursor.execute("create table keyed (id int primary key, w int, at_time timestamptz default now(), n serial, check (w < 100))")
    errors = at_once(tarn, lambda own, writer, turn: own.copy_expert("copy keyed (id, w) from stdin", io.StringIO(
        "".join(f"{writer * 10_000 + turn * 100 + row}\t{writer}\n" for row in range(5)))))
    assert errors == []
    cursor.execute("select count(*), count(distinct id), count(distinct n), count(at_time), sum(w) from keyed")
    rows = WRITERS * ROUNDS * 5
    assert cursor.fetchone() == (rows, rows, rows, rows, ROUNDS * 5 * sum(range(WRITERS)))
    # A key that is there is told, however often it was tried.
    errors = at_once(tarn, lambda own, writer, turn: own.copy_expert("copy keyed (id, w) from stdin", io.StringIO(f"0\t1\n{90_000 + writer * 100 + turn}\t1\n")))
    assert [code for code, _ in errors] == ["23505"] * (WRITERS * ROUNDS)
    cursor.execute("select count(*) from keyed")
    assert cursor.fetchone() == (rows,)
    cursor.execute("drop table keyed")


def test_a_long_copy_is_not_kept(tarn, cursor):
    """Beyond 4 MiB the rows go into files as they come; the statement fails when somebody else was first, and nothing of it is left."""
    cursor.execute("create table keyed (id int primary key, t text)")
    other = connect(tarn)
    other.autocommit = True

    class Rows(io.TextIOBase):
        def __init__(self):
            self.sent = 0

        def read(self, _):
            self.sent += 1
            if self.sent == 700:  # in the middle of it
                other.cursor().execute("insert into keyed values (-1, 'first')")
            return f"{self.sent}\t{'x' * 8000}\n" if self.sent <= 800 else ""
    with pytest.raises(psycopg2.Error) as lost:
        cursor.copy_expert("copy keyed from stdin", Rows())
    assert lost.value.pgcode == "40001"
    cursor.execute("select count(*), min(id) from keyed")
    assert cursor.fetchone() == (1, -1)
    cursor.execute("drop table keyed")
    other.close()


def test_merges_are_all_counted(tarn, cursor):
    assert at_once(tarn, lambda c, w, i: c.execute(
        "merge into counts using (select %s as id) s on counts.id = s.id "
        "when matched then update set n = counts.n + 1 when not matched then insert values (s.id, 1)", (i % 3,))) == []
    assert found(cursor, "select id, n from counts order by id") == [(i, WRITERS * ROUNDS // 3) for i in range(3)]


def test_an_open_transaction_still_conflicts_and_is_not_waited_for(tarn, cursor):
    other = connect(tarn)
    changes = other.cursor()
    changes.execute("update counts set n = 7 where id = 0")
    cursor.execute("update counts set n = n + 1 where id = 0")  # first to commit
    with pytest.raises(psycopg2.errors.SerializationFailure):
        other.commit()
    other.close()
    assert found(cursor, "select n from counts where id = 0") == [(1,)]
