"""SAVEPOINT, RELEASE and ROLLBACK TO, as drivers and frameworks use them for nested transactions."""
import psycopg2
import pytest


@pytest.fixture
def cursor(own_tarn):
    connection = own_tarn.connect()
    connection.autocommit = False
    with connection.cursor() as made:
        made.execute("create table t (a int, b text)")
        made.execute("insert into t values (1, 'before')")
        connection.commit()
        yield made
    connection.close()


def rows(cursor):
    cursor.execute("select a, b from t order by a, b")
    return cursor.fetchall()


def seen_by_others(own_tarn):
    with own_tarn.connect() as connection, connection.cursor() as cursor:
        return rows(cursor)


def test_going_back_takes_back_what_came_since(cursor, own_tarn):
    cursor.execute("insert into t values (2, 'kept')")
    cursor.execute("savepoint one")
    cursor.execute("insert into t values (3, 'gone')")
    cursor.execute("update t set b = 'changed' where a = 2")
    cursor.execute("delete from t where a = 1")
    cursor.execute("create table u as select 1 as x")
    assert rows(cursor) == [(2, "changed"), (3, "gone")]
    cursor.execute("rollback to savepoint one")
    assert rows(cursor) == [(1, "before"), (2, "kept")]
    cursor.execute("insert into t values (4, 'after')")
    cursor.connection.commit()
    assert seen_by_others(own_tarn) == [(1, "before"), (2, "kept"), (4, "after")]
    with pytest.raises(psycopg2.errors.UndefinedTable):
        cursor.execute("select * from u")


def test_after_an_error_the_transaction_goes_on(cursor, own_tarn):
    cursor.execute("insert into t values (2, 'kept')")
    for statement, state in (("select nope", "42703"), ("select 'x'::int", "22P02"), ("insert into t select 1 / 0, 'x'", "22012"),
                             ("select a::text::int / (a - 1) from t", "22012")):
        cursor.execute('savepoint "A name"')
        with pytest.raises(psycopg2.Error) as refused:
            cursor.execute(statement)
        assert refused.value.pgcode == state
        with pytest.raises(psycopg2.errors.InFailedSqlTransaction):
            cursor.execute("select 1")
        cursor.execute('rollback to "A name"')
        assert rows(cursor) == [(1, "before"), (2, "kept")]
        cursor.execute('release savepoint "A name"')
    cursor.connection.commit()
    assert seen_by_others(own_tarn) == [(1, "before"), (2, "kept")]


def test_nested(cursor, own_tarn):
    for depth in range(5):
        cursor.execute(f"savepoint s{depth}")
        cursor.execute("insert into t values (%s, 'nested')", (10 + depth,))
    cursor.execute("release s4")
    cursor.execute("rollback to s2")
    cursor.execute("insert into t values (20, 'after')")
    cursor.execute("rollback to s2")  # a savepoint stays when one goes back to it
    with pytest.raises(psycopg2.errors.InvalidSavepointSpecification):
        cursor.execute("rollback to s3")
    cursor.execute("rollback to s2")
    cursor.execute("release s1")
    cursor.connection.commit()
    assert seen_by_others(own_tarn) == [(1, "before"), (10, "nested"), (11, "nested")]


def test_what_was_cleared_comes_back(cursor, own_tarn):
    """Files of the transaction's own that TRUNCATE and DROP do not need any more are needed again."""
    cursor.execute("insert into t select i, 'own' from range(100, 103) r(i)")
    cursor.execute("create table u as select 7 as x")
    cursor.execute("savepoint one")
    cursor.execute("truncate t")
    cursor.execute("drop table u")
    assert rows(cursor) == []
    cursor.execute("rollback to one")
    cursor.execute("select * from u")
    assert cursor.fetchall() == [(7,)]
    cursor.connection.commit()
    assert seen_by_others(own_tarn) == [(1, "before"), (100, "own"), (101, "own"), (102, "own")]
    cursor.execute("select * from u")
    assert cursor.fetchall() == [(7,)]


def test_one_state_of_the_lake_throughout(cursor, own_tarn):
    cursor.execute("savepoint one")
    assert rows(cursor) == [(1, "before")]
    with own_tarn.connect() as other, other.cursor() as writer:
        writer.execute("insert into t values (9, 'meanwhile')")
    cursor.execute("rollback to one")
    assert rows(cursor) == [(1, "before")]


def test_outside_of_a_transaction(own_tarn):
    cursor = own_tarn.connect().cursor()
    for statement in ("savepoint x", "release x", "rollback to x"):
        with pytest.raises(psycopg2.errors.NoActiveSqlTransaction):
            cursor.execute(statement)


def test_rolled_back_as_a_whole(cursor, own_tarn):
    cursor.execute("savepoint one")
    cursor.execute("insert into t values (2, 'gone')")
    cursor.execute("rollback to one")
    cursor.execute("insert into t values (3, 'gone')")
    cursor.connection.rollback()
    assert rows(cursor) == [(1, "before")]


def value(cursor, sql):
    cursor.execute(sql)
    return cursor.fetchall()


def test_temporary_tables_go_back(cursor):
    cursor.execute("create temp table old (id int primary key, x text)")
    cursor.execute("insert into old values (1, 'committed')")
    cursor.connection.commit()
    cursor.execute("savepoint clean")  # nothing temporary was changed yet
    cursor.execute("insert into old values (2, 'gone')")
    cursor.execute("rollback to clean")
    assert value(cursor, "select id from old") == [(1,)]
    cursor.execute("create temp table made (x int not null) on commit drop")
    cursor.execute("insert into made values (1), (2)")
    cursor.execute("update old set x = 'changed'")
    cursor.execute("savepoint one")
    cursor.execute("insert into t select x, 'staged' from made")
    cursor.execute("savepoint two")
    cursor.execute("drop table old")
    cursor.execute("delete from made where x = 1")
    cursor.execute("create temp table newer as select 1 as x")
    with pytest.raises(psycopg2.errors.InvalidTextRepresentation):
        cursor.execute("select 'x'::int")
    cursor.execute("rollback to two")
    assert value(cursor, "select x from made order by x") == [(1,), (2,)]
    assert value(cursor, "select * from old") == [(1, "changed")]
    assert rows(cursor) == [(1, "before"), (1, "staged"), (2, "staged")]
    for statement, error in (("select * from newer", psycopg2.errors.UndefinedTable), ("insert into old values (1, 'twice')", psycopg2.errors.UniqueViolation),
                             ("insert into made values (null)", psycopg2.errors.NotNullViolation)):
        with pytest.raises(error):
            cursor.execute(statement)
        cursor.execute("rollback to one")
    assert rows(cursor) == [(1, "before")]
    cursor.connection.commit()
    assert value(cursor, "select * from old") == [(1, "changed")]
    with pytest.raises(psycopg2.errors.UndefinedTable):
        cursor.execute("select * from made")


def test_a_schema_may_go_again(cursor, own_tarn):
    cursor.execute("create schema brief")
    cursor.execute("create table brief.t as select 1 as x")
    cursor.execute("savepoint one")
    cursor.execute("drop schema brief cascade")
    assert value(cursor, "select count(*) from pg_namespace where nspname = 'brief'") == [(0,)]
    cursor.execute("rollback to one")
    assert value(cursor, "select x from brief.t") == [(1,)]
    cursor.execute("drop schema brief cascade")
    cursor.execute("create schema brief")
    cursor.execute("create table brief.other as select 2 as x")
    cursor.connection.commit()
    assert value(cursor, "select x from brief.other") == [(2,)]
    cursor.execute("drop schema brief cascade")
    cursor.connection.commit()
    with own_tarn.connect() as other, other.cursor() as reader:
        assert value(reader, "select count(*) from pg_namespace where nspname = 'brief'") == [(0,)]
