"""What stock programs write: defaults, numbered columns, keys, prepared statements, row locks, comments, LIKE ANY, to_char."""
import io
import threading
import time
from decimal import Decimal

import psycopg2
import pytest

from lake_api import api
from postgres_clients import connect, parameters
from tarn_server import TarnServer


@pytest.fixture
def cursor(tarn):
    made = connect(tarn)
    made.autocommit = True
    cursor = made.cursor()
    cursor.execute("create schema stock")
    cursor.execute("set search_path to stock")
    yield cursor
    made.rollback()
    cursor.execute("drop schema stock cascade")
    made.close()


def second(tarn):
    made = connect(tarn)
    cursor = made.cursor()
    cursor.execute("set search_path to stock")
    made.commit()
    return cursor


def asked(cursor, sql, parameters=None):
    cursor.execute(sql, parameters)
    return cursor.fetchall()


def refused(cursor, sql):
    with pytest.raises(psycopg2.Error) as found:
        cursor.execute(sql)
    return found.value.pgcode


def test_defaults_are_the_tables(tarn, cursor):
    cursor.execute("create table t (a int default 7, b text default 'x' || 'y', c date default current_date, d timestamp default now(), e int)")
    assert asked(cursor, "insert into t (e) values (1) returning a, b, c = current_date, d is not null, e") == [(7, "xy", True, True, 1)]
    assert asked(cursor, "insert into t values (default, 'z', null, null, 2) returning *") == [(7, "z", None, None, 2)]
    cursor.copy_expert("copy t (e) from stdin", io.StringIO("3\n4\n"))
    cursor.execute("insert into t default values")
    assert asked(cursor, "select a, b, e from t order by e nulls last") == [(7, "xy", 1), (7, "z", 2), (7, "xy", 3), (7, "xy", 4), (7, "xy", None)]
    cursor.execute("alter table t alter column a set default 8")
    cursor.execute("alter table t rename column a to first")
    cursor.execute("alter table t alter column b drop default")
    assert asked(cursor, "insert into t (e) values (5) returning first, b") == [(8, None)]
    cursor.execute("update t set first = default where e = 1")
    assert asked(cursor, "select first from t where e = 1") == [(8,)]
    assert asked(cursor, "select column_name, column_default from information_schema.columns where table_schema = 'stock' "
                         "and column_default is not null order by 1") == [("c", "current_date"), ("d", "now()"), ("first", "8")]
    cursor.execute("alter table t drop column first")
    assert asked(cursor, "insert into t (e) values (6) returning *")[0][0] is None
    assert refused(cursor, "create table u (a int default (select max(e) from t))") in ("0A000", "42601")


def test_numbered_columns(tarn, cursor):
    cursor.execute("create table t (id serial, name text)")
    assert asked(cursor, "insert into t (name) values ('a'), ('b') returning id") == [(1,), (2,)]
    cursor.execute("insert into t values (100, 'own')")
    cursor.copy_expert("copy t (name) from stdin", io.StringIO("c\nd\n"))
    assert asked(cursor, "select id, name from t order by id") == [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (100, "own")]
    assert refused(cursor, "insert into t values (null, 'x')") == "23502"
    cursor.execute("create table g (id bigint generated always as identity (start with 10 increment by 5), name text)")
    assert asked(cursor, "insert into g (name) values ('a'), ('b') returning id") == [(10,), (15,)]
    assert asked(cursor, "insert into g values (default, 'c') returning id") == [(20,)]
    assert refused(cursor, "insert into g values (1, 'x')") == "428C9"
    assert refused(cursor, "insert into g select 1, 'x'") == "428C9"
    assert refused(cursor, "update g set id = 3") == "428C9"
    assert asked(cursor, "insert into g overriding system value values (1, 'x') returning id") == [(1,)]
    assert refused(cursor, "create temp table tt (id serial)") == "0A000"


def test_numbers_go_on_after_a_crash():
    with TarnServer() as server:
        cursor = server.connect().cursor()
        cursor.execute("create table t (id int generated always as identity, name text)")
        cursor.execute("insert into t (name) values ('a'), ('b')")
        server.restart(crash=True)
        cursor = server.connect().cursor()
        (number,) = asked(cursor, "insert into t (name) values ('later') returning id")[0]
        assert number > 2
        cursor.execute("drop table t")
        cursor.execute("create table t (id serial)")
        assert asked(cursor, "insert into t values (default) returning id") == [(1,)]


def test_numbers_are_given_once(tarn, cursor):
    cursor.execute("create table t (id bigserial primary key, name text)")
    numbers, wrong = [], []

    def add():
        mine = second(tarn)
        mine.connection.autocommit = True
        try:
            for _ in range(5):
                mine.execute("insert into t (name) values ('x'), ('y') returning id")
                numbers.extend(mine.fetchall())
        except psycopg2.Error as error:
            wrong.append(error)
        mine.connection.close()
    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(set(numbers)) == len(numbers) == 30
    assert asked(cursor, "select count(*), count(distinct id) from t") == [(30, 30)]


def test_keys_are_kept(tarn, cursor):
    cursor.execute("create table t (id int primary key, mail text unique, note text)")
    cursor.execute("insert into t values (1, 'a', 'first'), (2, null, 'x'), (3, null, 'x')")
    for broken in ("insert into t values (1, 'b', '')", "insert into t values (4, 'a', '')", "insert into t values (5, 'n', ''), (5, 'm', '')",
                   "update t set id = 2 where id = 1", "update t set mail = 'same'", "insert into t select 7, 'q', '' from generate_series(1, 2)",
                   "merge into t using (select 9 as id from range(2)) s on t.id = s.id when not matched then insert (id) values (s.id)"):
        assert refused(cursor, broken) == "23505", broken
    assert refused(cursor, "insert into t values (null, 'n', '')") == "23502"
    with pytest.raises(psycopg2.errors.UniqueViolation) as found:
        cursor.copy_expert("copy t (id, note) from stdin", io.StringIO("20\ta\n1\tb\n"))
    assert found.value.diag.message_detail == "Key (id)=(1) already exists."
    cursor.execute("update t set id = id + 1")
    cursor.execute("insert into t values (2, 'z', 'again') on conflict (id) do update set note = excluded.note")
    assert asked(cursor, "select * from t order by id") == [(2, "a", "again"), (3, None, "x"), (4, None, "x")]
    cursor.execute("begin; delete from t where id = 2; insert into t values (2, 'a', 'new')")
    assert refused(cursor, "insert into t values (3, 'b', '')") == "23505"
    cursor.execute("rollback")
    assert asked(cursor, "select note from t where id = 2") == [("again",)]
    assert asked(cursor, "select constraint_name, constraint_type from information_schema.table_constraints where table_schema = 'stock' "
                         "order by 1") == [("t_mail_key", "UNIQUE"), ("t_pkey", "PRIMARY KEY")]


def test_keys_of_two_at_once(tarn, cursor):
    cursor.execute("create table t (id int primary key)")
    one, other = second(tarn), second(tarn)
    one.execute("insert into t values (1)")
    other.execute("insert into t values (1)")
    one.connection.commit()
    with pytest.raises(psycopg2.errors.SerializationFailure):
        other.connection.commit()
    assert refused(other, "insert into t values (1)") == "23505"
    one.connection.close(), other.connection.close()
    assert asked(cursor, "select * from t") == [(1,)]


def test_keys_are_added(cursor):
    cursor.execute("create table t (a int, b int)")
    cursor.execute("insert into t values (1, 1), (2, null), (2, null)")
    assert refused(cursor, "alter table t add primary key (a)") == "23505"
    assert refused(cursor, "alter table t add primary key (b)") == "23502"
    cursor.execute("alter table t add constraint once unique (b)")
    assert refused(cursor, "insert into t values (3, 1)") == "23505"
    cursor.execute("delete from t where a = 2")
    cursor.execute("alter table only stock.t add constraint t_pk primary key (a)")
    assert refused(cursor, "alter table t add primary key (b)") == "42P16"
    assert refused(cursor, "insert into t values (null, 5)") == "23502"
    assert refused(cursor, "alter table t drop column a") == "2BP01"
    cursor.execute("insert into t values (1, 9) on conflict (a) do nothing")
    assert asked(cursor, "select a, b from t") == [(1, 1)]


def test_prepare_and_execute(cursor):
    cursor.execute("create table t (a int, b text)")
    cursor.execute("prepare add (int, text) as insert into t values ($1, $2)")
    cursor.execute("execute add(1, 'one'); execute add(1 + 1, upper('two'))")
    cursor.execute("prepare get as select b from t where a = $1 or b = any($2) order by a")
    assert asked(cursor, "execute get(1, '{TWO}')") == [("one",), ("TWO",)]
    assert cursor.statusmessage == "SELECT 2"
    assert refused(cursor, "prepare get as select 1") == "42P05"
    assert refused(cursor, "execute get(1)") == "42601"
    assert refused(cursor, "prepare bad as create table u (a int)") == "42601"
    assert refused(cursor, "prepare bad as select nothing from t") == "42703"
    cursor.execute("deallocate get")
    assert refused(cursor, "execute get(1, null)") == "26000"
    cursor.execute("discard all")
    assert refused(cursor, "execute add(1, '')") == "26000"


def test_rows_that_were_asked_for_conflict(tarn, cursor):
    cursor.execute("create table account (id int, money int)")
    cursor.execute("create table log (what text)")
    cursor.execute("insert into account values (1, 100), (2, 100)")
    for lock in ("select money from account where id = 1 for update", "lock table account in exclusive mode"):
        one, other = second(tarn), second(tarn)
        one.execute(lock)
        one.execute("insert into log values ('decided by what was read')")
        other.execute("update account set money = money - 1 where id = 2")
        other.connection.commit()
        with pytest.raises(psycopg2.errors.SerializationFailure):
            one.connection.commit()
        one.execute(lock)
        one.connection.commit()  # nothing was changed: nothing was decided
        one.execute(lock + ("" if lock.startswith("lock") else " nowait"))
        one.execute("insert into log values ('again')")
        one.connection.commit()
        one.connection.close(), other.connection.close()
    assert asked(cursor, "select count(*) from log") == [(2,)]
    assert refused(cursor, "select * from account for update skip locked") == "0A000"
    assert refused(cursor, "select * from account for update of nobody") == "42P01"
    assert refused(cursor, "lock table account") == "25P01"
    assert asked(cursor, "select id from account a order by id limit 1 for share of a") == [(1,)]


def test_comments(tarn, cursor):
    cursor.execute("begin; create table t (a int, b int)")
    cursor.execute("comment on table t is 'numbers'; comment on column t.a is 'the first'; commit")
    cursor.execute("comment on column t.b is 'the second'")
    shown = "select obj_description('t'::regclass), col_description('t'::regclass, 1), col_description('t'::regclass, 2)"
    assert asked(cursor, shown) == [("numbers", "the first", "the second")]
    cursor.execute("comment on table t is null")
    assert asked(cursor, shown) == [(None, "the first", "the second")]
    assert refused(cursor, "comment on column t.c is 'x'") == "42703"


def test_what_has_nothing_to_do_says_so(cursor):
    cursor.execute("create table t (a int) with (fillfactor = 70)")
    cursor.execute("vacuum (analyze) t; analyze t; create index on t (a)")
    assert len(cursor.connection.notices) == 4
    assert refused(cursor, "create table u (a int) with (format = 'csv')") == "0A000"
    assert refused(cursor, "create unique index on t (a) where a > 1") == "0A000"
    assert refused(cursor, "create unique index on t (abs(a))") == "0A000"
    cursor.execute("create unique index only_a on t (a); insert into t values (1)")
    assert refused(cursor, "insert into t values (1)") == "23505"
    for statement in ("grant select on t to someone", "revoke all on t from public"):
        with pytest.raises(psycopg2.errors.FeatureNotSupported) as found:
            cursor.execute(statement)
        assert "lakefile" in found.value.diag.message_hint


def test_like_any_and_rows(cursor):
    cursor.execute("create table t (a int, b text)")
    cursor.execute("insert into t values (1, 'apple'), (2, 'Pear'), (3, 'fig'), (4, null)")
    found = "select string_agg(a::text, '' order by a) from t where b "
    assert asked(cursor, found + "like any(array['a%', 'f%'])") == [("13",)]
    assert asked(cursor, found + "ilike any('{A%,p%}')") == [("12",)]
    assert asked(cursor, found + "not like all(%s)", (["a%", "f%"],)) == [("2",)]
    assert asked(cursor, found + "not ilike any(array['%e%', '%i%'])") == [("123",)]
    assert asked(cursor, "select null like any(array['a']), 'a' like any(array['b', null]), 'a' like any('{}')") == [(None, None, False)]
    assert asked(cursor, "select a from t where (a, b) in ((1, 'apple'), (2, 'x'))") == [(1,)]
    assert asked(cursor, "select '{a\\, b,c}'::text[]") == [(["a, b", "c"],)]
    assert asked(cursor, "select sum(n) from generate_series(1, 4) as n") == [(10,)]


def test_long_nonsense_is_refused_soon(cursor):
    """What looks for clauses takes a time in proportion to the text."""
    begun = time.monotonic()
    for text in ("select " + "x like any (" * 100_000, "create table t (a int) " + "with (fillfactor " * 100_000, "select " + "cast(" * 100_000,
                 "create table t (" + "a int generated always as identity (" * 30_000):
        assert refused(cursor, text)
    assert time.monotonic() - begun < 30


def test_bytes_as_text(cursor):
    """psycopg2 sends bytes as '\\x...'::bytea."""
    every = bytes(range(256))
    cursor.execute("create table blobs (b bytea)")
    cursor.execute("insert into blobs values (%s), (%s)", (psycopg2.Binary(every), psycopg2.Binary(b"\0AB")))
    cursor.execute("select b from blobs order by b desc")
    assert [bytes(row[0]) for row in cursor.fetchall()] == [b"\0AB", every]
    assert asked(cursor, "select count(*) from blobs where b = '\\x004142' or b::text::bytea <> b") == [(1,)]
    assert asked(cursor, "select b::text, octet_length(b), ('a\\\\b\\001'::text::bytea)::text from blobs where b = '\\x004142'::bytea") == [
        ("\\x004142", 3, "\\x615c6201")]
    assert refused(cursor, "select '\\xgg'::bytea") == "22P02"


def test_functions(cursor):
    assert asked(cursor, "select to_char(timestamp '2024-03-05 14:07:09', 'YYYY-MM-DD HH24:MI:SS'), to_char(date '2024-03-05', 'FMDay DD Mon'), "
                         "to_char(1234.5, 'FM9,999.00'), to_char(-12::bigint, '999'), to_char(1.5::float8, '9D9'), to_char(null::date, 'YYYY')") == [
        ("2024-03-05 14:07:09", "Tuesday 05 Mar", "1,234.50", " -12", " 1.5", None)]
    assert asked(cursor, "select to_date('05.03.2024', 'DD.MM.YYYY')::text, to_timestamp('2024-03-05 14:07', 'YYYY-MM-DD HH24:MI') = "
                         "timestamptz '2024-03-05 14:07:00+00'") == [("2024-03-05", True)]
    assert asked(cursor, "select encode(decode('00ff41', 'hex'), 'hex'), encode('abc'::bytea, 'base64'), encode(decode('00415c', 'hex'), 'escape'), "
                         "encode(decode('YWJj', 'base64'), 'escape'), encode(decode('0aFF', 'hex'), 'hex')") == [
        ("00ff41", "YWJj", "\\000A\\\\", "abc", "0aff")]
    assert asked(cursor, "select jsonb_build_object('a', 1, 'b', json_build_array(1, 'x'))::text, '{\"a\": [1, 2]}'::jsonb -> 'a' ->> 1, "
                         "cardinality(array[1, 2, 3]), initcap('the cAT-house')") == [('{"a": 1, "b": [1, "x"]}', "2", 3, "The Cat-House")]
    assert refused(cursor, "select encode('a'::bytea, 'rot13')") == "22023"
    assert refused(cursor, "select to_char(1, '9EEEE')") == "0A000"
    assert refused(cursor, "select to_date('2024-02-30', 'YYYY-MM-DD')") == "22008"


def test_a_new_table_and_a_new_view_take_the_places_of_the_old(cursor):
    """As dbt does it: in one transaction."""
    cursor.execute("create table t as select 1 as a")
    cursor.execute("create view v as select 1 as a")
    for number in (2, 3):
        cursor.execute(f"begin; create table t_new as select {number} as a; comment on table t_new is 'number {number}'; "
                       "alter table t rename to t_old; alter table t_new rename to t")
        assert asked(cursor, "select a from t") == [(number,)]
        cursor.execute("commit; drop table t_old")
        cursor.execute(f"begin; create view v_new as select {number} as a; alter view v rename to v_old; alter view v_new rename to v; "
                       "commit; drop view v_old")
        assert asked(cursor, "select t.a, v.a, obj_description('t'::regclass) from t, v") == [(number, number, f"number {number}")]
    assert refused(cursor, "alter table t rename to v") == "42P07"
    assert asked(cursor, "select count(*) from lake.information_schema.tables where table_schema = 'stock'") == [(2,)]


def test_functions_in_from(cursor):
    assert asked(cursor, "select * from abs(-5) as result") == [(5,)]
    assert [each.name for each in cursor.description] == ["result"]
    assert asked(cursor, "select * from lower('A'), upper('b') u(x)") == [("a", "B")]
    assert [each.name for each in cursor.description] == ["lower", "x"]
    assert asked(cursor, "select value from json_array_elements('[1, \"x\"]')") == [(1,), ("x",)]
    assert asked(cursor, "select k from json_object_keys('{\"a\": 1, \"b\": 2}') k order by 1") == [("a",), ("b",)]
    assert asked(cursor, "select x from string_to_table('a,b', ',') x") == [("a",), ("b",)]
    assert asked(cursor, "select extract(epoch from age(timestamp '2026-01-02', timestamp '2026-01-01'))::int") == [(86400,)]
    assert refused(cursor, "select * from nothing_of_that_name(1)") == "42883"
    assert asked(cursor, "select d::date::text from generate_series(date '2026-01-30', date '2026-02-01', interval '1 day') d") == [
        ("2026-01-30",), ("2026-01-31",), ("2026-02-01",)]


def test_fewer_values_than_columns(cursor):
    """The first columns get them, the others their defaults."""
    cursor.execute("create table t (a int, b int default 7, c text)")
    cursor.execute("insert into t values (1), (2)")
    cursor.execute("insert into t select 3, 4")
    cursor.execute("insert into t values (%s, %s)", (5, 6))
    assert asked(cursor, "select * from t order by a") == [(1, 7, None), (2, 7, None), (3, 4, None), (5, 6, None)]
    cursor.execute("create temp table own (a int, b int default 7)")
    cursor.execute("insert into own values (1)")
    assert asked(cursor, "select * from own") == [(1, 7)]
    cursor.execute("create table keyed (id int primary key, n int default 9)")
    for _ in range(2):
        cursor.execute("insert into keyed values (1) on conflict (id) do nothing")
    assert asked(cursor, "select * from keyed") == [(1, 9)]
    for more in ("insert into t values (1, 2, 'x', 4)", "insert into t (a, b) values (1)", "insert into t values (1), (2, 3)"):
        assert refused(cursor, more) == "42601"


def test_relations_and_types_are_shown_by_name(cursor):
    cursor.execute("create table t (a int, b varchar(3))")
    assert asked(cursor, "select 't'::regclass, 't'::regclass::text, cast('stock.t' as regclass)") == [("t", "t", "t")]
    assert [each.name for each in cursor.description] == ["regclass", "text", "regclass"]
    assert asked(cursor, "select oid::regclass, oid::regclass::text from pg_class where relnamespace = 'stock'::regnamespace order by relname") == [
        ("t", "t")]
    assert asked(cursor, "select max(x) from (select attrelid::regclass::text as x from pg_attribute where attrelid = 't'::regclass) y") == [("t",)]
    assert asked(cursor, "select 't'::regclass::oid = c.oid, c.oid = to_regclass('t') from pg_class c where c.oid::regclass::text = 't'") == [(True, True)]
    assert asked(cursor, "select atttypid::regtype from pg_attribute where attrelid = 't'::regclass and attnum > 0 order by attnum") == [
        ("integer",), ("character varying",)]
    assert asked(cursor, "select 'int4'::regtype, 23::regtype::text, 'integer'::regtype::oid, 0::oid::regclass, 0::oid::regtype::text") == [
        ("integer", "integer", 23, "-", "-")]
    assert asked(cursor, "select typname from pg_type where oid = 'bigint'::regtype") == [("int8",)]
    cursor.execute("set search_path to main")
    assert asked(cursor, "select 'stock.t'::regclass") == [("stock.t",)]
    cursor.execute("set search_path to stock")


def test_listening(cursor):
    for statement in ("listen word", "notify word, 'x'"):
        assert refused(cursor, statement) == "0A000"
    cursor.execute("unlisten *")


def test_delete_gives_what_it_deleted(cursor):
    cursor.execute("create table t (id int primary key, a text, j jsonb)")
    cursor.execute("insert into t select i, 'a' || i, '{}' from generate_series(1, 6) g(i)")
    assert asked(cursor, "delete from t where id = 1 returning *") == [(1, "a1", {})]
    assert cursor.statusmessage == "DELETE 1"
    assert asked(cursor, "delete from t as x where a in (select 'a2') returning x.id as n, upper(a) || '!'") == [(2, "A2!")]
    assert [column.name for column in cursor.description] == ["n", "?column?"]
    # A row that two others match goes once.
    assert asked(cursor, "delete from t using (values (3), (3)) v(i) where t.id = v.i returning t.id, a") == [(3, "a3")]
    assert asked(cursor, "delete from t where id = any(array(select x.id from t x where x.id < t.id + 1 and t.id = 4)) returning id") == [(4,)]
    assert asked(cursor, "delete from t where false returning id") == []
    cursor.execute("begin")
    assert sorted(asked(cursor, "delete from t returning id")) == [(5,), (6,)]
    cursor.execute("rollback")
    assert asked(cursor, "select id from t order by id") == [(5,), (6,)]
    cursor.execute("create temp table m (i int)")
    cursor.execute("insert into m values (1), (2)")
    assert asked(cursor, "delete from m where i = 1 returning i") == [(1,)]


def test_names_that_are_keywords_elsewhere(cursor):
    cursor.execute("create table t (id int, by int)")
    cursor.execute("insert into t (id, by) values (1, 2), (2, 1)")
    assert asked(cursor, "select by, t.by, count(*) over (partition by by) from t group by by order by by") == [(1, 1, 1), (2, 2, 1)]
    cursor.execute("update t set by = by + 1 where by = 2")
    assert asked(cursor, "select id from t order by by desc") == [(1,), (2,)]


def test_relations_by_name(cursor):
    cursor.execute("create table t (id serial primary key)")
    cursor.execute("create schema stock2")
    try:
        cursor.execute("create table stock2.only_there (a int)")
        assert asked(cursor, "select to_regclass('t'), to_regclass('stock2.only_there'), to_regclass('only_there'), to_regclass('stock2.t')") == [
            ("t", "stock2.only_there", None, None)]
        assert asked(cursor, "select 't'::regclass union all select 'stock2.only_there'::regclass") == [("t",), ("stock2.only_there",)]
        assert asked(cursor, "select ('t' || '_id_seq')::regclass, pg_get_serial_sequence('t', 'id')::regclass::oid = 't_id_seq'::regclass") == [
            ("t_id_seq", True)]
        assert asked(cursor, "select s.seqincrement from pg_attribute a join pg_sequence s on s.seqrelid = "
                             "cast(cast(pg_get_serial_sequence(cast(cast(a.attrelid as regclass) as text), a.attname) as regclass) as oid) "
                             "where a.attrelid = 't'::regclass") == [(1,)]
        assert asked(cursor, "select i.indkey, indoption, 1 = any(indkey) from pg_index i where indrelid = 't'::regclass") == [("1", "0", True)]
    finally:
        cursor.execute("drop schema stock2 cascade")


def test_heads_of_copies_are_quoted(cursor):
    cursor.execute("""create table t ("a,b" int, "q""q" int, "Up" int, plain int)""")
    out = io.StringIO()
    cursor.copy_expert("copy t to stdout (format csv, header)", out)
    assert out.getvalue() == '"a,b","q""q",Up,plain\n'
    cursor.copy_expert("copy t from stdin (format csv, header)", io.StringIO('"a,b","q""q",Up,plain\n1,2,3,4\n'))
    assert asked(cursor, "select * from t") == [(1, 2, 3, 4)]
    assert refused(cursor, "copy t from stdin (format csv, header match)") == "0A000"


def test_float_has_eight_bytes(cursor):
    cursor.execute("create table t (a float, b real, c float not null, d float[], e float8)")
    cursor.execute("alter table t add column f float")
    cursor.execute("insert into t values (0.1234567890123, 0.5, 0.1234567890123, '{0.1234567890123}', 1, 0.1234567890123)")
    assert asked(cursor, "select a, b, c, d, f, 0.1234567890123::float, cast(a as float), a as float from t") == [
        (0.1234567890123, 0.5, 0.1234567890123, [0.1234567890123], 0.1234567890123, 0.1234567890123, 0.1234567890123, 0.1234567890123)]
    assert cursor.description[-1].name == "float"
    cursor.execute("select * from t")
    assert [column.type_code for column in cursor.description] == [701, 700, 701, 1022, 701, 701]


def test_temporary_tables_are_listed_for_their_session(tarn, cursor):
    cursor.execute("create temp table staged (id int, name text, j jsonb)")
    columns = "select column_name, data_type from information_schema.columns where table_name = 'staged' order by ordinal_position"
    assert asked(cursor, columns) == [("id", "integer"), ("name", "text"), ("j", "jsonb")]
    assert asked(cursor, "select n.nspname, c.relpersistence, pg_table_is_visible(c.oid) from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                         "where c.relname = 'staged'") == [("pg_temp", "t", True)]
    assert asked(cursor, "select table_schema, table_type from information_schema.tables where table_name = 'staged'") == [("pg_temp", "LOCAL TEMPORARY")]
    assert asked(cursor, "select to_regclass('staged') is not null, 'staged'::regclass::oid = oid from pg_class where relname = 'staged'") == [(True, True)]
    other = second(tarn)
    assert asked(other, columns) == [] and asked(other, "select 1 from pg_namespace where nspname = 'pg_temp'") == []
    other.connection.close()


def test_a_unique_index_may_name_the_database(cursor):
    cursor.execute("create table t (id int)")
    cursor.execute('create unique index if not exists "k1" on "lake"."stock"."t" using btree (id)')
    cursor.execute("insert into t values (1)")
    assert refused(cursor, "insert into t values (1)") == "23505"


def test_groups_by_a_primary_key(cursor):
    cursor.execute("create table a (id int primary key, name text, n int)")
    cursor.execute("create table b (a int, price int)")
    cursor.execute("insert into a values (1, 'x', 10), (2, 'y', 20)")
    cursor.execute("insert into b values (1, 5), (1, 6), (2, 7)")
    assert asked(cursor, "select a.id, a.name, count(*), sum(b.price) from a join b on b.a = a.id group by a.id order by a.name desc") == [
        (2, "y", 1, 7), (1, "x", 2, 11)]
    assert asked(cursor, "select id, name, upper(name) || '!' from a group by 1 having n > 10") == [(2, "y", "Y!")]
    assert asked(cursor, "select z.*, max(price) from a z, b where z.id = b.a group by z.id order by 1") == [(1, "x", 10, 6), (2, "y", 20, 7)]
    assert asked(cursor, "select q.name from (select id, name from a group by id) q order by 1") == [("x",), ("y",)]
    # Not what is no key, and no other relation of that name.
    assert refused(cursor, "select name, n from a group by name") == "42803"
    assert refused(cursor, "select b.a, price from b group by b.a") == "42803"
    assert refused(cursor, "with a as (select 1 as id, 'q' as name) select a.id, a.name from a group by a.id") == "42803"
    assert asked(cursor, "with a as (select 1 as id, g as n from generate_series(1, 3) s(g)) select a.id, sum(a.n) from a group by a.id") == [(1, 6)]


def test_lists_side_by_side_fill_tables(cursor):
    cursor.execute("create table t (a int, b text)")
    cursor.execute("insert into t select * from unnest('{1,2}'::int[], '{x,y}'::text[])")
    cursor.execute("insert into t (a) select g from generate_series(3, 4) g")
    cursor.execute("create table u as select * from unnest(array[1, 2], array['p', 'q']) v(a, b)")
    cursor.execute("update t set b = v.b from unnest(array[3, 4], array['m', 'n']) v(a, b) where t.a = v.a")
    assert asked(cursor, "select * from t order by a") == [(1, "x"), (2, "y"), (3, "m"), (4, "n")]
    assert asked(cursor, "select * from u order by a") == [(1, "p"), (2, "q")]
    cursor.execute("set constraints all immediate")


def test_what_drivers_ask_of_types_and_indexes(cursor):
    cursor.execute("create table t (id int primary key)")
    assert asked(cursor, "select t.typname from pg_type t join pg_proc p on p.oid = t.typreceive where p.proname = 'array_recv' "
                         "and t.typelem = 'int4'::regtype") == [("_int4",)]
    assert asked(cursor, "select o.opcdefault, pg_stat_get_numscans(i.indexrelid) from pg_index i join pg_opclass o on o.oid = i.indclass[1] "
                         "where i.indrelid = 't'::regclass") == [(True, 0)]
    assert asked(cursor, "select parse_ident('a.\"B.c\"'), parse_ident('T')") == [(["a", "B.c"], ["t"])]


def test_numeric_keeps_its_digits(cursor):
    cursor.execute("create table t (a numeric, b decimal not null, c numeric(10,2), d numeric[])")
    cursor.execute("insert into t values (1.23456, 12345678901234567890.123456789, 1.5, '{1.23456}')")
    assert asked(cursor, "select a, b, c, d, 1.23456::numeric, cast('1.23456' as decimal), (a * 1)::numeric from t") == [
        (Decimal("1.23456"), Decimal("12345678901234567890.123456789"), Decimal("1.5"), [Decimal("1.23456")],
         Decimal("1.23456"), Decimal("1.23456"), Decimal("1.23456"))]


def test_a_date_may_have_a_zone(tarn):
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(**parameters(tarn)) as connection:
        connection.execute("create temp table t (d date)")
        done = connection.pgconn.exec_params(b"insert into t values ($1)", [b"2026-01-02 +00"])  # as pgjdbc sends it
        assert done.command_status == b"INSERT 0 1", done.error_message
        assert str(connection.execute("select d from t").fetchone()[0]) == "2026-01-02"


def test_public_is_made_by_two_at_once_and_not_by_everyone(tarn):
    """docs/decisions/0019, where it can go wrong."""
    made = connect(tarn)
    made.autocommit = True
    cursor = made.cursor()
    cursor.execute("drop schema if exists public cascade")
    account = tarn.ready.get("account", "*")
    statement = [{"Effect": "Allow", "Action": ["tarn:Connect", "tarn:ExecuteStatement", "tarn:Get*"], "Resource": "*"},
                 {"Effect": "Allow", "Action": "tarn:CreateTable", "Resource": f"arn:aws:tarn:*:{account}:table/public/*"}]
    api(tarn, "POST", "/api/v1/users", {"name": "noschemas", "roles": [], "policies": {"p": {"Version": "2012-10-17", "Statement": statement}}})
    try:
        key = api(tarn, "POST", "/api/v1/users/noschemas/keys", {})
        restricted = connect(tarn, user=key["access_key_id"], password=key["secret_access_key"])
        restricted.autocommit = True
        assert refused(restricted.cursor(), "create table public.mine (a int)") == "42501"
        assert asked(cursor, "select 1 from pg_namespace where nspname = 'public'") == []
        problems = []
        together = threading.Barrier(4)

        def create(number):
            own = connect(tarn)
            own.autocommit = True
            together.wait()
            try:
                own.cursor().execute(f"create table public.t{number} (a int)")
            except psycopg2.Error as problem:
                problems.append((problem.pgcode, str(problem)))
            own.close()
        threads = [threading.Thread(target=create, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        assert asked(cursor, "select tablename from pg_tables where schemaname = 'public' order by 1") == [("t0",), ("t1",), ("t2",), ("t3",)]
        restricted.close()
    finally:
        api(tarn, "DELETE", "/api/v1/users/noschemas", None)
        cursor.execute("drop schema if exists public cascade")
        made.close()
