"""Literals and parameters without a type beside an operator, as PostgreSQL takes them; and the forms of intervals. Each statement runs on a
PostgreSQL, too, where there is one: rows, types and SQLSTATEs are compared."""
import psycopg2
import pytest

from postgres_clients import beside, in_schema, parameters

TABLE = """
create table t (i int, b bigint, n numeric(10,2), f float8, r real, d date, ts timestamp, tz timestamptz, tm time, x text, ar int[], ta text[], j jsonb);
insert into t values (5, 6, 7.25, 1.5, 2.5, '2026-01-31', '2026-01-31 10:00:00', '2026-01-31 10:00:00+00', '10:00', 'txt', '{1,2}', '{a,b}', '{"a": 1}')
"""

LITERALS = """
    '5' - 1 | '5' + 1 | 1 - '5' | '5' * 2 | '10' / 4 | '10' % 4 | '1.5' + 1 | 'x' + 1 | ' 5 ' + 1 | '-5' + 1 | 2.5 + '1' | 2.5 - '1.25' | '1e2' + 2.5
    i + '1' | '7' - i | i + '1.5' | i + 'x' | b * '2' | b / '4' | n - '1.25' | n - '1.255' | n * 'x' | f + '1.5' | '2' * r | i % '3' | i + '1' + '2' | '1' + i
    '5' - '3' | '5' + '3' | x + 1 | x - 'a' | x - x | 1 * x | x + interval '1 day' | d + x
    d - '2026-01-01' | '2026-02-01' - d | d + (d - date '2026-01-01') | d - date 'infinity' | d + '1' | '1' + d | d - 'x' | ts + '1 day' | '1 day' + ts | ts - '2026-01-01' | '2026-02-01' - ts | ts - '1 day' | tz + '1 hour' | tz - '2026-01-01'
    tm + '1 hour' | '1 hour' + tm | tm - '09:00' | tm - tm | date_trunc('day', ts) + '1 day' | now() - '1 hour' < now() | now() + '1 hour' > now()
    interval '1 day' + '1 hour' | '1 hour' + interval '1 day' | '1 day' - interval '1 hour' | interval '1 day' * '2' | '2' * interval '1 day'
    interval '1 day' / '2' | interval '1 day' / 2 | interval '1 day' / 1.5 | interval '1 day' / 0 | interval '3 days' > '1 hour'
    array[1] || 2 | 2 || array[1] | array[1] || array[2] | ar || 3 | 3 || ar | ar || '{3,4}' | '{3,4}' || ar | ar || '3' | ar || ar | ar || null | null || ar
    array[1] || null::int | ar || null::int[] | null::int[] || ar | ar || 7000000000 | ta || 'c' | ta || 'c'::text | x || ta | ta || '{c}' | ta || array['c']
    array[1] || array['a'] | array[1] || 'x'::text | x || null | null || x | x || 1 | 1 || x | 'a' || 1 | d || 'x' | 'a' || 'b'
    j - 'a' | j - x | j - 0 | j - array['a'] | j || '{"b": 2}' | j - '1'
    (select i from t) + '1' | case when i + '1' = 6 then 'yes' end | -i + '1'
"""

PARAMETERS = """
    i + $1: 1 | $1 - i: 1 | b * $1: 2 | f + $1: 1.5 | r * $1: 1.5 | i % $1: 2 | i + $1 + $2: 1, 2 | ($1 + i) * $2: 1, 2 | 2.5 + $1: 1 | coalesce(i, $1) + $2: 1, 2
    d - $1: 2026-01-01 | $1 - d: 2026-02-01 | ts - $1: 2026-01-01 | ts + $1: 1 day | $1 + ts: 1 day | tz + $1: 1 day | tz - $1: 2026-01-01 | tm + $1: 1 hour | tm - $1: 09:00
    interval '1 day' + $1: -1 days +02:00:00 | $1 - interval '1 day': 1 hour | interval '1 day' * $1: 2.5 | $1 * interval '1 day': 2 | interval '1 day' / $1: 2
    now() - $1::interval < now(): 1 hour | $1::interval: 1 year 2 mons -3 days +04:05:06.7 | $1::interval[]: {1 day,"1 day 02:03:04"}
    ar || $1: {3} | $1 || ar: {3} | ta || $1: {c} | ar || $1::int: 3 | x || $1: y | $1 || x: y | i || $1: y | $1 || $2: y, z
    j || $1: {"b": 2} | j - $1: a | i & $1: 1 | abs(i - $1): 1 | -$1::int: 1 | ar[1] + $1: 1
"""

INTERVALS = """
    1 day | 1 year 2 mons 3 days 04:05:06.789 | -1 days +02:03:00 | 04:05 | -04:05:06.5 | 1 day 2 hours ago | @ 1 minute | P1Y2M3DT4H5M6S | P1DT2H | PT0.5S | P1W
    1.5 days | 1.5 hours | 0.5 months | 1.5 years | 90 | 1.5 | 1 week | 2 weeks 3 hrs | 1d 2h 3m 4s | 1-2 | 1-2 3 4:05:06 | 3 4:05:06 | -1-2 | 1 decade 1 century
    100 ms | 7 us | 1 y 2 mon | 1 DAY | -1 day | 1 day -2 hours | 1 day, 2:03:04 | 00:00:00 | 999999 days 23:59:59.999999 | 05:06.7 | - 1 day | 1 day -01:02:03
    x | 1 foo | ago | P | PT | 1 2 | 1 day 2 | 9999999999 days | PX | 1:2:60 | 1 day 1-2 | -P1D | P-1D
"""


def cells(table):
    return [each.strip() for line in table.splitlines() for each in line.split(" | ") if each.strip()]


@pytest.fixture
def both(tarn, postgres):
    """Cursors of Tarn and, where there is one, PostgreSQL."""
    with in_schema("unk", beside(tarn, postgres)) as cursors:
        for cursor in cursors:
            cursor.execute(TABLE)
        yield cursors


def answer(cursor, sql):
    try:
        cursor.execute(sql)
    except psycopg2.Error as problem:
        return problem.pgcode
    return [each.type_code for each in cursor.description], cursor.fetchall()


def test_literals(both):
    for expression in cells(LITERALS):
        answers = [answer(cursor, f"select {expression} from t") for cursor in both]
        assert answers[0] == answers[-1], expression


def test_literals_elsewhere(both):
    said = []
    for cursor in both:
        cursor.execute("update t set i = i + '1', ts = ts + '1 day', n = '10' - n, ar = ar || 9 where i - '1' = 4 and tz < now() + '1 day'")
        cursor.execute("create view v as select i + '1' as next, '1 day' + ts as later from t")
        cursor.execute("create table checked (d timestamp check (d - '2020-01-01' > '5 days'), a int[] check (a || 1 <> '{1}'))")
        said.append([answer(cursor, sql) for sql in ("select i, ts, n, ar from t where i + '1' = 7 order by i - '1'", "select * from v",
                                                     "insert into checked values ('2021-01-01', '{2}') returning d",
                                                     "insert into checked values ('2020-01-02', '{2}')", "insert into checked values ('2021-01-02', '{}')")])
    assert said[0] == said[-1]
    assert said[0][3:] == ["23514", "23514"]


def test_parameters(both):
    """As they are described to clients that ask (asyncpg, pgx), then with values as text."""
    psycopg = pytest.importorskip("psycopg")
    connections = [psycopg.connect(cursor.connection.dsn, password=cursor.connection.info.password, autocommit=True) for cursor in both]
    for each in connections:
        each.execute("set search_path to unk")
    for cell in cells(PARAMETERS):
        expression, values = cell.rsplit(": ", 1) if cell != 'j || $1: {"b": 2}' else ("j || $1", '{"b": 2}')
        values = [value.encode() for value in values.split(", ")]
        said = []
        for each in connections:
            wire = each.pgconn
            prepared = wire.prepare(b"", f"select {expression} from t".encode())
            assert prepared.status == psycopg.pq.ExecStatus.COMMAND_OK, (cell, prepared.error_message)
            described = wire.describe_prepared(b"")
            done = wire.exec_prepared(b"", values)
            assert done.status == psycopg.pq.ExecStatus.TUPLES_OK, (cell, done.error_message)
            said.append(([described.param_type(i) for i in range(described.nparams)], described.ftype(0), done.get_value(0, 0)))
        assert said[0] == said[-1], cell
    for each in connections:
        each.close()


def test_intervals(both):
    for text in cells(INTERVALS):
        answers = []
        for cursor in both:
            try:
                cursor.execute("select %s::interval, %s::interval::text, %s::interval || 'x'", (text,) * 3)
                answers.append(cursor.fetchall())
            except psycopg2.Error as problem:
                answers.append(problem.pgcode)
        assert answers[0] == answers[-1], text
    cursor = both[0]
    cursor.execute("select try_cast('x' as interval)")
    assert cursor.fetchall() == [(None,)]


def test_intervals_in_binary_and_lists(tarn):
    psycopg = pytest.importorskip("psycopg")
    import datetime
    with psycopg.connect(**parameters(tarn), autocommit=True) as connection:
        for value in (datetime.timedelta(days=-1, hours=2), datetime.timedelta(days=400, microseconds=7)):
            for binary in (False, True):
                cursor = connection.cursor(binary=binary)
                for form in ("%s", "%b", "%t"):
                    assert cursor.execute(f"select {form}::interval", (value,)).fetchone() == (value,)
                assert cursor.execute("select timestamp '2026-01-01' + %s", (value,)).fetchone() == (datetime.datetime(2026, 1, 1) + value,)
