"""asyncpg and psycopg 3: binary values, prepared statements, pipelines. Skipped where they are not installed."""
import asyncio
import datetime
import decimal
import json
import uuid

import pytest

from postgres_clients import parameters


def asyncpg_run(tarn, story):
    asyncpg = pytest.importorskip("asyncpg")
    known = parameters(tarn)

    async def main():
        made = await asyncpg.connect(host=known["host"], port=known["port"], user=known["user"], ssl="prefer",
                                     password=known["password"], database="lake")
        try:
            await story(made)
        finally:
            await made.close()
    asyncio.run(main())


def test_binary_values(tarn):
    async def story(made):
        row = (7, 1.5, "text", True, None, datetime.date(2026, 11, 20), datetime.datetime(2026, 11, 20, 1, 2, 3, 4),
               decimal.Decimal("12.50"), uuid.UUID(int=5), b"\0\1")
        got = await made.fetchrow("select $1::bigint, $2::double, $3::text, $4::boolean, $5::int, $6::date, $7::timestamp,"
                                  " $8::decimal(10,2), $9::uuid, $10::bytea", *row)
        assert tuple(got) == row
    asyncpg_run(tarn, story)


ARRAYS = "(id int, tags text[], nums int[], big bigint[], real_ double[], days date[], flags boolean[], sums decimal(10,2)[], ids uuid[])"
ARRAY_ROW = (1, ["a", None, 'b"c,{}\\'], [1, None, 3], [10**12], [1.5], [datetime.date(2026, 11, 20)], [True, False],
             [decimal.Decimal("1.25")], [uuid.UUID(int=5)])


def test_arrays(tarn, table):
    arrays = table.replace(".t", ".arrays")

    async def story(made):
        assert await made.fetchval("select [1, 2, 3]") == [1, 2, 3]
        assert await made.fetchval("select $1::int[]", [1, None]) == [1, None]
        assert await made.fetchval("select '{}'::int[]") == []
        assert await made.fetch("select oid, typname from pg_type where oid = any($1::oid[]) order by oid", [23, 16]) == [(16, "bool"), (23, "int4")]
        await made.execute(f"create table {arrays} {ARRAYS}")
        places = ", ".join(f"${i}" for i in range(1, 10))
        await made.execute(f"insert into {arrays} values ({places})", *ARRAY_ROW)
        assert tuple(await made.fetchrow(f"select * from {arrays}")) == ARRAY_ROW
        for where, value in (("id = any($1)", [7, 1]), ("id <> all($1)", [7]), ("tags[1] = any($1)", ["a"])):
            assert await made.fetchval(f"select id from {arrays} where {where}", value) == 1, where
            assert await made.fetchval(f"select count(*) from {arrays} where {where}", []) == (1 if "all" in where else 0), where
        await made.copy_records_to_table("arrays", schema_name=arrays.split(".")[0], records=[(2, ["q"], [5])], columns=["id", "tags", "nums"])
        assert await made.fetchval(f"select nums from {arrays} where id = 2") == [5]
        await made.set_type_codec("json", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
        assert await made.fetchval("select '{\"a\": [1]}'::json") == {"a": [1]}
        assert await made.fetchval("select $1::jsonb", '{"a": [1]}') == '{"a": [1]}'
        await made.execute(f"drop table {arrays}")
    asyncpg_run(tarn, story)


def test_types_of_parameters(tarn):
    """What nobody names is of the type of what it stands beside, as in PostgreSQL."""
    async def story(made):
        for expression, values, wanted in (("n + $1", (2,), 7), ("$1 * n", (2,), 10), ("n + $1 - $2", (2, 1), 6), ("n % $1 = $2", (2, 1), True),
                                           ("n between $1 and $2", (1, 9), True), ("coalesce($1, n)", (None,), 5), ("n in ($1, $2)", (5, 6), True),
                                           ("f * $1", (2.5,), 3.75), ("t || $1", ("b",), "ab"), ("case when n > $1 then n end", (1,), 5), ("$1::int + $2", (1, 2), 3), ("abs($1 - n)", (1,), 4),
                                           ("'2026-11-20'::timestamp + $1", (datetime.timedelta(1),), datetime.datetime(2026, 11, 21))):
            assert await made.fetchval(f"select {expression} from (select 5::int, 1.5::double, 'a') v(n, f, t)", *values) == wanted, expression
    asyncpg_run(tarn, story)


def test_transactions_cursors_and_errors(tarn, table):
    import asyncpg

    async def story(made):
        await made.executemany(f"insert into {table} (n, name) values ($1, $2)", [(i, str(i)) for i in range(100)])
        assert await made.fetchval(f"select count(*) from {table}") == 100
        async with made.transaction():
            seen = [row["n"] async for row in made.cursor(f"select n from {table} order by n", prefetch=10)]
        assert seen == list(range(100))
        with pytest.raises(ZeroDivisionError):
            async with made.transaction():
                await made.execute(f"delete from {table}")
                raise ZeroDivisionError
        assert await made.fetchval(f"select count(*) from {table}") == 100
        with pytest.raises(asyncpg.UndefinedTableError):
            await made.fetch("select * from no_such_table_anywhere")
        statement = await made.prepare("select $1::int + 1")
        assert [await statement.fetchval(i) for i in range(5)] == [1, 2, 3, 4, 5]
    pytest.importorskip("asyncpg")
    asyncpg_run(tarn, story)


def test_cancel_by_timeout(tarn):
    async def story(made):
        with pytest.raises((asyncio.TimeoutError, TimeoutError)):
            await made.fetch("select sum(a.i * b.i % 7) from range(1000000) a(i), range(1000000) b(i)", timeout=0.5)
        assert await made.fetchval("select 1::int") == 1
    asyncpg_run(tarn, story)


def test_psycopg3(tarn, table):
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(**parameters(tarn)) as made:
        assert made.execute("select %s::int, %s::text", [7, "a"]).fetchone() == (7, "a")
        with made.pipeline():
            first, second = made.execute("select 1::int"), made.execute("select %s::int", [2])
            assert (first.fetchone(), second.fetchone()) == ((1,), (2,))
        for i in range(10):
            assert made.execute("select %s::int + 1", [i], prepare=True).fetchone() == (i + 1,)
        with made.cursor().copy(f"copy {table} (n, name) from stdin") as copy:
            for i in range(10):
                copy.write_row((i, str(i)))
        with made.cursor().copy(f"copy (select n from {table} order by n) to stdout") as copy:
            assert [row[0] for row in copy.rows()] == [str(i) for i in range(10)]
        with made.cursor(name="walk") as cursor:
            assert len(cursor.execute(f"select * from {table}").fetchall()) == 10
        for binary in (False, True):
            with made.cursor(binary=binary) as cursor:
                assert cursor.execute("select 5::bigint").fetchone() == (5,)
                assert cursor.execute("select %s::int[], %s::text[]", [[1, None], ["a", 'b"c']]).fetchone() == ([1, None], ["a", 'b"c'])
                found = cursor.execute("select oid from pg_type where oid = any(%s) and typname = any(%s)", [[16, 23], ["int4", "x"]])
                assert found.fetchall() == [(23,)]
                assert cursor.execute("select n from (select 1 as n) x where n = any(%s) or n <> all(%s)", [[], []]).fetchone() == (1,)
