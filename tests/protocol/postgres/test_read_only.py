"""What a transaction that only reads may become, and what it may not do, beside a PostgreSQL 15."""
import psycopg2
import pytest

from postgres_clients import connect
from postgres_server import PostgresServer, available

pytestmark = pytest.mark.skipif(not available(), reason="no PostgreSQL programs here")

SCRIPTS = [
    "set default_transaction_read_only = on; begin; set transaction read write; insert into ro.t values (1); commit",
    "set default_transaction_read_only = on; begin; show transaction_read_only; set transaction read write; insert into ro.t values (1); commit",
    "set default_transaction_read_only = on; begin; select * from ro.t; set transaction read write",
    "begin read only; set transaction read write; insert into ro.t values (1); commit",
    "begin read only; select * from ro.t; set transaction read write",
    "begin read only; select set_config('transaction_read_only', 'off', true)",
    "begin read only; select * from ro.t; set transaction_read_only = off",
    "begin; select * from ro.t; set transaction read only; insert into ro.t values (1)",
    "begin read only; insert into ro.t values (1)",
    "begin read only; select nextval('ro.n_id_seq')",
    "begin read only; select setval('ro.n_id_seq', 10)",
    "begin; select nextval('ro.n_id_seq') is not null, setval('ro.n_id_seq', 10); rollback",
    "set default_transaction_read_only = on; select nextval('ro.n_id_seq')",
    "set default_transaction_read_only = on; copy (select nextval('ro.n_id_seq')) to stdout",
    "set default_transaction_read_only = on; begin read write; select setval('ro.n_id_seq', 11); commit",
    "begin read only; declare c cursor for select * from ro.t; set transaction read write",
]


@pytest.fixture(scope="module")
def both(tarn):
    with PostgresServer() as server:
        for made in (connect(tarn), psycopg2.connect(server.url)):
            made.autocommit = True
            made.cursor().execute("create schema ro")
            made.cursor().execute("create table ro.t (a int)")
            made.cursor().execute("create table ro.n (id serial, a int)")
            made.close()
        yield (lambda: connect(tarn)), (lambda: psycopg2.connect(server.url))


def told(opened, script):
    """Each statement's rows or SQLSTATE, on a connection of its own."""
    made = opened()
    made.autocommit = True
    cursor = made.cursor()
    answers = []
    for statement in script.split("; "):
        try:
            if statement.startswith("copy"):
                import io
                out = io.StringIO()
                cursor.copy_expert(statement, out)
                answers.append(out.getvalue())
                continue
            cursor.execute(statement)
            answers.append(cursor.fetchall() if cursor.description else None)
        except psycopg2.Error as problem:
            answers.append(problem.pgcode)
    made.close()
    return answers


@pytest.mark.parametrize("script", SCRIPTS)
def test_as_postgresql_does(both, script):
    here, there = (told(opened, script) for opened in both)
    assert here == there
