"""Programs as they come: pgbench, asyncpg's pools, and SQLAlchemy where it is installed."""
import asyncio
import datetime
import decimal
import os
import shutil
import subprocess
import uuid
from urllib.parse import quote

import pytest

from postgres_clients import parameters


def test_pgbench(tarn):
    if not shutil.which("pgbench"):
        pytest.skip("pgbench is not installed")
    host, port = tarn.address("postgres")
    environment = dict(os.environ, PGHOST=host, PGPORT=str(port), PGUSER=tarn.access_key, PGPASSWORD=tarn.secret_key, PGDATABASE="lake")

    def pgbench(*arguments):
        done = subprocess.run(["pgbench", *arguments], env=environment, text=True, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
    try:
        pgbench("-i", "-s", "1")
        for mode in ("simple", "prepared"):
            assert "actually processed: 5/5" in pgbench("-n", "-t", "5", "-M", mode, "--max-tries=10")
        assert "actually processed: 20/20" in pgbench("-n", "-S", "-c", "2", "-t", "10")
    finally:
        pgbench("-i", "-I", "d")


def test_a_pool_gives_connections_again(tarn):
    asyncpg = pytest.importorskip("asyncpg")
    host, port = tarn.address("postgres")

    async def run():
        pool = await asyncpg.create_pool(host=host, port=port, user=tarn.access_key, password=tarn.secret_key, database="lake",
                                         min_size=1, max_size=1)
        for number in range(3):
            async with pool.acquire() as connection:
                assert await connection.fetchval("select $1::int", number) == number
                await connection.execute("set application_name = 'mine'")
        rows = await pool.fetch("select a from (values (1, 'x'), (2, 'y')) t(a, b) where (a, b) = ($1, $2) or (a, b) > ($3, 'x') or b like any($4)",
                                1, "x", 5, ["z%"])
        assert [row["a"] for row in rows] == [1]
        await pool.close()
    asyncio.run(run())


@pytest.fixture
def engine(tarn):
    sqlalchemy = pytest.importorskip("sqlalchemy")
    of = parameters(tarn)
    made = sqlalchemy.create_engine(
        f"postgresql+psycopg2://{quote(of['user'], safe='')}:{quote(of['password'], safe='')}@{of['host']}:{of['port']}/lake")
    yield made
    made.dispose()


def test_an_orm_makes_fills_and_reads_its_tables(engine):
    import sqlalchemy as sa
    from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "orm_person"
        __table_args__ = {"comment": "people"}
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.String(30), nullable=False, index=True)
        mail = mapped_column(sa.Text, unique=True, comment="by which they are found")
        visits = mapped_column(sa.Integer, server_default="7")

    Base.metadata.create_all(engine)
    try:
        with Session(engine) as session:
            session.add_all([Person(name="a", mail="a@x"), Person(name="b")])
            session.flush()
            assert [(each.id, each.visits) for each in session.scalars(sa.select(Person).order_by(Person.id))] == [(1, 7), (2, 7)]
            session.commit()
        with Session(engine) as session:
            found = session.scalars(sa.select(Person).where(Person.name == "a").with_for_update()).one()
            found.visits += 1
            session.commit()
            session.add(Person(name="c", mail="a@x"))
            with pytest.raises(sa.exc.IntegrityError):
                session.commit()
        seen = sa.inspect(engine)
        assert seen.get_pk_constraint("orm_person")["constrained_columns"] == ["id"]
        assert [each["column_names"] for each in seen.get_unique_constraints("orm_person")] == [["mail"]]
        assert seen.get_table_comment("orm_person") == {"text": "people"}
        assert {each["name"]: each["comment"] for each in seen.get_columns("orm_person")}["mail"] == "by which they are found"
        reflected = sa.Table("orm_person", sa.MetaData(), autoload_with=engine)
        with engine.connect() as connection:
            assert connection.execute(sa.select(reflected.c.visits).order_by(reflected.c.id)).scalars().all() == [8, 7]
    finally:
        Base.metadata.drop_all(engine)


def test_psycopg_copies_in_text_and_binary(tarn):
    psycopg = pytest.importorskip("psycopg")
    types = ["int4", "text", "date", "numeric", "float8", "timestamptz", "uuid", "bytea", "int4[]"]
    row = (1, "x\ty", datetime.date(2026, 1, 2), decimal.Decimal("1.50"), 2.5, datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc), uuid.UUID(int=5),
           b"\0a", [1, 2])
    nothing = (2,) + (None,) * 8
    with psycopg.connect(**parameters(tarn), autocommit=True) as made:
        cursor = made.cursor()
        cursor.execute("create table copied (a int, b text, d date, n numeric(10,2), f float8, z timestamptz, u uuid, r bytea, l int[])")
        try:
            for form in ("", "(format binary)"):
                with cursor.copy(f"copy copied from stdin {form}") as copy:
                    copy.set_types(types)
                    copy.write_row(row)
                    copy.write_row(nothing)
                with cursor.copy(f"copy (select * from copied order by a) to stdout {form}") as copy:
                    copy.set_types(types)
                    assert [tuple(bytes(v) if isinstance(v, memoryview) else v for v in each) for each in copy.rows()] == [row, nothing]
                with cursor.copy(f"copy (select a from copied where a > 5) to stdout {form}") as copy:
                    assert b"".join(copy) == (b"PGCOPY\n\xff\r\n" + bytes(9) + b"\xff\xff" if form else b"")
                cursor.execute("truncate copied")
        finally:
            cursor.execute("drop table copied")


def test_arguments_of_type_void_are_none(tarn):
    """What pgjdbc makes of {? = call f(?)}: the result is a parameter of type void, which is no argument."""
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(**parameters(tarn)) as connection:
        wire = connection.pgconn
        for sql, types, values, wanted in ((b"select * from upper($1,$2) as result", [2278, 1043], [None, b"ab"], b"AB"),
                                           (b"select * from upper($2,$1) as result", [2278, 1043], [None, b"ab"], b"AB"),
                                           (b"select * from concat($1,$2,$3) as result", [1043, 2278, 1043], [b"a", None, b"b"], b"ab"),
                                           (b"select * from pi($1) as result", [2278], [None], b"3.141592653589793")):
            done = wire.exec_params(sql, values, types)
            assert done.get_value(0, 0) == wanted, (sql, done.error_message)
            wire.prepare(b"", sql, types)
            assert [wire.describe_prepared(b"").param_type(i) for i in range(len(types))] == types


# pgjdbc 42.7's PgDatabaseMetaData.getPrimaryUniqueKeys() and PgResultSetMetaData.fetchFieldMetaData().
KEYS = """SELECT        result.TABLE_CAT,        result.TABLE_SCHEM,        result.TABLE_NAME,        result.COLUMN_NAME,        result.KEY_SEQ,
 result.PK_NAME,        result.IS_NOT_NULL FROM      (SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM,   ct.relname AS TABLE_NAME, a.attname AS COLUMN_NAME,
 (information_schema._pg_expandarray(i.indkey)).n AS KEY_SEQ, ci.relname AS PK_NAME,   information_schema._pg_expandarray(i.indkey) AS KEYS,
 a.attnum AS A_ATTNUM,   a.attnotnull AS IS_NOT_NULL FROM pg_catalog.pg_class ct   JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid)
 JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid)   JOIN pg_catalog.pg_index i ON ( a.attrelid = i.indrelid)
 JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) WHERE (i.indisprimary OR (     i.indisunique     AND i.indisvalid     AND i.indpred IS NULL
 AND i.indexprs IS NULL   ))  AND ct.relname = '{table}' ) result where  result.A_ATTNUM = (result.KEYS).x  ORDER BY result.table_name, result.pk_name, result.key_seq"""
FIELDS = """SELECT c.oid, a.attnum, a.attname, c.relname, n.nspname, a.attnotnull OR (t.typtype = 'd' AND t.typnotnull), a.attidentity != '' OR
 pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval(%' FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON (c.relnamespace = n.oid)
 JOIN pg_catalog.pg_attribute a ON (c.oid = a.attrelid) JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid)
 LEFT JOIN pg_catalog.pg_attrdef d ON (d.adrelid = a.attrelid AND d.adnum = a.attnum) JOIN ({places}) vals ON (c.oid = vals.oid AND a.attnum = vals.attnum)"""


def test_what_updatable_result_sets_ask_for(tarn):
    """ResultSet.CONCUR_UPDATABLE: the table's keys, which column of it each of the result is, and then changes by the key with types of pgjdbc's."""
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(**parameters(tarn), autocommit=True) as connection:
        connection.execute("create schema upd; set search_path to upd")
        connection.execute("create table many (id serial primary key, name varchar(20) not null unique, amt numeric(10,2) default 1.5)")
        connection.execute("create table pair (a int, v text, b text, primary key (b, a))")
        connection.execute("create table bare (a int)")
        connection.execute("create temp table own (id int primary key, v text)")
        try:
            def keys(table):
                return [row[3:] for row in connection.execute(KEYS.format(table=table)).fetchall()]
            assert keys("many") == [("name", 1, "many_name_key", True), ("id", 1, "many_pkey", True)]
            assert keys("pair") == [("b", 1, "pair_pkey", True), ("a", 2, "pair_pkey", True)]
            assert keys("bare") == []
            assert keys("own") == [("id", 1, "own_pkey", True)]
            for sql, wanted in (("select amt, id from many", [("amt", "many", "upd", False, None), ("id", "many", "upd", True, True)]),
                                ("select v from own", [("v", "own", "pg_temp", False, None)])):
                result = connection.execute(sql).pgresult
                places = " UNION ALL ".join(f"SELECT {result.ftable(i)} AS oid , {result.ftablecol(i)} AS attnum" for i in range(result.nfields))
                found = {row[2]: row[2:] for row in connection.execute(FIELDS.format(places=places)).fetchall()}
                assert [found[each[0]][:-1] for each in wanted] == [each[:-1] for each in wanted]
                assert [bool(found[each[0]][-1]) for each in wanted] == [bool(each[-1]) for each in wanted]
            wire = connection.pgconn
            for sql, values, types, wanted in ((b'INSERT INTO many("name","id") VALUES ($1,$2)', [b"a", b"7"], [1043, 23], b"INSERT 0 1"),
                                               (b'UPDATE many SET  "amt" = $1 WHERE "id" = $2', [b"7.25", b"7"], [1700, 23], b"UPDATE 1"),
                                               (b'UPDATE pair SET "v" = $1 WHERE "b" = $2 and "a" = $3', [b"x", b"y", b"1"], [1043, 1043, 23], b"UPDATE 0"),
                                               (b'INSERT INTO own("v","id") VALUES ($1,$2)', [b"a", b"7"], [1043, 23], b"INSERT 0 1"),
                                               (b'UPDATE own SET "v" = $1 WHERE "id" = $2', [None, b"7"], [1043, 23], b"UPDATE 1")):
                done = wire.exec_params(sql, values, types)
                assert done.command_status == wanted, (sql, done.error_message)
            assert wire.exec_params(b'select "id","amt" from many where "id" = $1', [b"7"], [23]).get_value(0, 1) == b"7.25"
            done = wire.exec_params(b'DELETE FROM many where "id" = $1', [b"7"], [23])
            assert done.command_status == b"DELETE 1", done.error_message
        finally:
            connection.execute("drop schema upd cascade")
