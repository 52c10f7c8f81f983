"""format() and the functions that quote, side by side with a PostgreSQL 15."""
import psycopg2
import pytest

from postgres_clients import connect
from postgres_server import PostgresServer, available

pytestmark = pytest.mark.skipif(not available(), reason="no PostgreSQL programs here")

ASKED = """
select format('%I %L %s', 'Some name', 'it''s', 5)
select format('%s|%10s|%-10s|%I|%L', 'a', 'b', 'c', 'select', null)
select format('%2$s %1$s %s', 'a', 'b')
select format('%*s|%-*s|%1$*3$s', 5, 'x', 4, 'y')
select format('100%%, %s', null)
select format('%s %s %s %s', true, 1.50, array[1, 2], date '2024-01-02')
select format('%L', E'a\\\\b'), format('%10L|', 'x'), format('%I', 'ok_1'), format('%I', '1x'), format('%I', '')
select format('no arguments'), format(null, 1)
select format('%s')
select format('%x', 1)
select format('%', 1)
select format('%1$', 1)
select format('%0$s', 1)
select format('%I', null)
select format('%3$s', 1)
select format('é%5s|', 'é')
select quote_ident('a'), quote_ident('A'), quote_ident('user'), quote_ident('a"b'), quote_ident('int'), quote_ident('name')
select quote_literal('a''b'), quote_literal(42), quote_literal(E'a\\\\b'), quote_literal(null), quote_literal(true)
select quote_nullable(null), quote_nullable('x'), quote_nullable(1.50)
select pg_catalog.format('%s', 1), pg_catalog.quote_ident('A')
"""


@pytest.fixture(scope="module")
def both(tarn):
    with PostgresServer() as server:
        here, there = connect(tarn), psycopg2.connect(server.url)
        here.autocommit = there.autocommit = True
        yield here.cursor(), there.cursor()
        here.close()
        there.close()


def answer(cursor, sql):
    try:
        cursor.execute(sql)
        return cursor.fetchall()
    except psycopg2.Error as problem:
        return problem.pgcode


@pytest.mark.parametrize("sql", [line for line in ASKED.splitlines() if line])
def test_as_postgresql_answers(both, sql):
    here, there = (answer(cursor, sql) for cursor in both)
    assert here == there


def test_rows_and_bounds(both):
    here = both[0]
    assert answer(here, "select format('%s of %I', n, 'T' || n) from generate_series(1, 3) s(n)") == [(f'{n} of "T{n}"',) for n in (1, 2, 3)]
    assert answer(here, "select format('%2000000000s', 'x')") == "54000"
    assert answer(here, "select format('{} {}', 1, 2)") == "22023"  # the engine's own is not meant, and not mistaken
