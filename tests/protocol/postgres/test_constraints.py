"""CHECK and FOREIGN KEY, sequences, ADD COLUMN ... DEFAULT, RESTART IDENTITY."""
import io

import psycopg2
import pytest

from postgres_clients import asked, connect


@pytest.fixture
def cursor(tarn):
    made = connect(tarn)
    made.autocommit = True
    cursor = made.cursor()
    cursor.execute("create schema ruled")
    cursor.execute("set search_path to ruled")
    yield cursor
    made.rollback()
    cursor.execute("drop schema ruled cascade")
    made.close()


def refused(cursor, sql):
    with pytest.raises(psycopg2.Error) as found:
        cursor.execute(sql)
    return found.value.pgcode, found.value.diag.message_primary


def test_a_check_is_kept_by_every_way_in(cursor):
    cursor.execute("create table t (a int check (a > 0), b int, c text default 'x', constraint b_below check (b < a), check (c in ('x', 'y')))")
    cursor.execute("insert into t (a, b) values (5, 3), (null, null), (2, null)")
    assert refused(cursor, "insert into t (a, b) values (0, -1)") == ("23514", 'new row for relation "t" violates check constraint "t_a_check"')
    for sql in ("insert into t (a, b) values (3, 3)", "insert into t (a, c) values (1, 'z')", "insert into t (a, b) select 1, 2", "update t set a = 3 where a = 5",
                "update t set b = 99 where a = 5", "merge into t using (values (5)) s(a) on t.a = s.a when matched then update set c = 'w'",
                "merge into t using (values (-1)) s(a) on t.a = s.a when not matched then insert (a) values (s.a)"):
        assert refused(cursor, sql)[0] == "23514", sql
    for rows, columns in (("1\\t2\\n", "a, b"), ("-1\\n", "a"), ("q\\n", "c")):
        with pytest.raises(psycopg2.Error) as found:
            cursor.copy_expert(f"copy t ({columns}) from stdin", io.StringIO(rows.replace("\\t", "\t").replace("\\n", "\n")))
        assert found.value.pgcode == "23514"
    assert len(asked(cursor, "select * from t")) == 3
    cursor.execute("update t set c = 'y' where a = 5")


def test_checks_follow_their_columns(cursor):
    cursor.execute("create table t (a int, b int, constraint kept check (a + b < 10))")
    cursor.execute("alter table t rename column a to first")
    assert refused(cursor, "insert into t values (9, 9)")[0] == "23514"
    assert asked(cursor, "select pg_get_constraintdef(oid) from pg_constraint where conname = 'kept'")[0][0].count("first") == 1
    cursor.execute("insert into t values (1, 100 - 99)")
    assert refused(cursor, "alter table t add constraint more check (first > 5)") == \
        ("23514", 'check constraint "more" of relation "t" is violated by some row')
    cursor.execute("alter table t add constraint more check (first > 5) not valid")
    assert refused(cursor, "insert into t values (1, 1)")[0] == "23514"
    assert refused(cursor, "alter table t add constraint more check (b > 0)")[0] == "42710"
    cursor.execute("alter table t drop constraint more")
    assert refused(cursor, "alter table t drop constraint more")[0] == "42704"
    cursor.execute("alter table t drop constraint if exists more")
    cursor.execute("insert into t values (2, 2)")
    cursor.execute("alter table t drop column b")
    cursor.execute("insert into t values (1000)")
    assert asked(cursor, "select count(*) from pg_constraint where conname = 'kept'") == [(0,)]


@pytest.mark.parametrize("check, code", [("(select 1) = 1", "0A000"), ("nothing > 1", "42703"), ("count(a) > 1", None)])
def test_checks_that_are_none(cursor, check, code):
    found = refused(cursor, f"create table t (a int, check ({check}))")[0]
    assert code is None or found == code


def test_a_check_tells_no_value(cursor):
    cursor.execute("create table t (a text, constraint number check (cast(a as int) > 0))")
    assert refused(cursor, "insert into t values ('word')") == ("23514", 'check constraint "number" of relation "t" cannot be computed for a row')


def test_foreign_keys_are_kept_and_not_enforced(cursor):
    cursor.execute("create table parent (id int primary key, other int)")
    cursor.execute("create table child (p int references parent on delete cascade, q int, constraint second foreign key (q) references parent (other))")
    assert any("not enforced" in notice for notice in cursor.connection.notices)
    cursor.execute("insert into child values (1, 2)")
    cursor.execute("alter table child add constraint third foreign key (p, q) references parent (id, other) on update set null")
    assert asked(cursor, "select conname, pg_get_constraintdef(oid), confdeltype::text, confupdtype::text, conkey, confkey from pg_constraint "
                         "where contype = 'f' order by 1") == [
        ("child_p_fkey", "FOREIGN KEY (p) REFERENCES ruled.parent(id) ON DELETE CASCADE NOT VALID", "c", "a", [1], [1]),
        ("second", "FOREIGN KEY (q) REFERENCES ruled.parent(other) NOT VALID", "a", "a", [2], [2]),
        ("third", "FOREIGN KEY (p, q) REFERENCES ruled.parent(id, other) ON UPDATE SET NULL NOT VALID", "a", "n", [1, 2], [1, 2])]
    assert asked(cursor, "select constraint_name, delete_rule from information_schema.referential_constraints where constraint_name = 'child_p_fkey'") == [
        ("child_p_fkey", "CASCADE")]
    cursor.execute("create table node (id int primary key, up int references node (id))")
    assert refused(cursor, "create table x (a int references nothing (id))")[0] == "42P01"
    assert refused(cursor, "create table x (a int references parent (nothing))")[0] == "42703"
    assert refused(cursor, "create table x (a int, foreign key (a) references parent (id, other))")[0] == "42830"
    cursor.execute("drop table parent")
    assert asked(cursor, "select conname from pg_constraint where contype = 'f' and conname like 'child%'") == []


def test_sequences_of_numbered_columns(tarn, cursor):
    cursor.execute("create table t (id serial primary key, name text)")
    assert refused(cursor, "select lastval()")[0] == "55000"
    assert refused(cursor, "select currval('t_id_seq')")[0] == "55000"
    assert asked(cursor, "select last_value, is_called from t_id_seq") == [(1, False)]
    cursor.execute("insert into t (name) values ('a'), ('b')")
    assert asked(cursor, "select currval('t_id_seq'), lastval(), currval(pg_get_serial_sequence('t', 'id'))") == [(2, 2, 2)]
    for part in ("plans", "temp", "sequences"):
        cursor.execute(f"discard {part}")
        assert cursor.statusmessage == f"DISCARD {part.upper()}"
    assert refused(cursor, "select lastval()")[0] == "55000"
    assert asked(cursor, "select nextval('ruled.t_id_seq'::regclass)") == [(3,)]
    assert asked(cursor, "select setval('t_id_seq', 10)") == [(10,)]
    assert asked(cursor, "insert into t (name) values ('c') returning id") == [(11,)]
    assert asked(cursor, "select setval('t_id_seq', 20, false)") == [(20,)]
    assert asked(cursor, "insert into t (name) values ('d') returning id") == [(20,)]
    assert asked(cursor, "select last_value, is_called from ruled.t_id_seq") == [(20, True)]
    cursor.execute("alter sequence t_id_seq restart with 50")
    assert asked(cursor, "insert into t (name) values ('e') returning id") == [(50,)]
    assert refused(cursor, "select nextval('nothing_seq')")[0] == "42P01"
    assert asked(cursor, "select sequencename from pg_sequences where schemaname = 'ruled'") == [("t_id_seq",)]
    cursor.execute("discard all")
    cursor.execute("set search_path to ruled")
    assert refused(cursor, "select lastval()")[0] == "55000"
    cursor.execute("create sequence own start with 7 increment by 3")
    cursor.execute("create table u (id bigint not null, n int)")
    cursor.execute("alter table only u alter column id set default nextval('own'::regclass)")
    assert asked(cursor, "insert into u (n) values (1), (2) returning id") == [(7,), (10,)]
    assert asked(cursor, "select setval('own', 16, true)") == [(16,)]
    assert asked(cursor, "insert into u (n) values (3) returning id") == [(19,)]


def test_restart_identity(tarn, cursor):
    cursor.execute("create table t (id serial, name text)")
    cursor.execute("create table u (id serial, name text)")
    cursor.execute("insert into t (name) values ('a'), ('b')")
    cursor.execute("truncate t restart identity")
    assert asked(cursor, "insert into t (name) values ('c') returning id") == [(1,)]
    cursor.execute("truncate table t, u restart identity cascade")
    assert asked(cursor, "insert into t (name) values ('d') returning id") == [(1,)]
    cursor.execute("truncate t continue identity")
    assert asked(cursor, "insert into t (name) values ('e') returning id") == [(2,)]
    cursor.execute("begin")
    cursor.execute("truncate t restart identity")
    cursor.execute("rollback")
    assert asked(cursor, "insert into t (name) values ('f') returning id") == [(3,)]


def test_a_column_comes_with_its_default(cursor):
    cursor.execute("create table t (a int) partitioned by (a)")
    cursor.execute("insert into t select i % 3 from range(5000) r(i)")
    cursor.execute("delete from t where a = 2")
    cursor.execute("alter table t add column b int default 7")
    assert asked(cursor, "select b, count(*) from t group by b") == [(7, 3334)]
    cursor.execute("insert into t (a) values (1)")
    cursor.execute("insert into t values (1, null)")
    assert asked(cursor, "select b, count(*) from t group by b order by 1") == [(7, 3335), (None, 1)]
    cursor.execute("alter table t add column if not exists b int default 9")
    assert asked(cursor, "select count(*) from t where b = 9") == [(0,)]
    cursor.execute("begin")
    cursor.execute("alter table t add column c text default 'x' || 'y'")
    assert asked(cursor, "select distinct c from t") == [("xy",)]
    cursor.execute("rollback")
    assert refused(cursor, "select c from t")[0] == "42703"
    cursor.execute("alter table t add column d int default 4 not null")
    assert asked(cursor, "select min(d), max(d) from t") == [(4, 4)]
    assert refused(cursor, "insert into t (a, d) values (1, null)")[0] == "23502"
    cursor.execute("create table empty (a int)")
    cursor.execute("alter table empty add column b text default 'q'")
    assert asked(cursor, "insert into empty (a) values (1) returning b") == [("q",)]
    assert refused(cursor, "alter table t add column e int default 'word'")[0] == "22P02"
    assert refused(cursor, "alter table t alter column b set default 'word'")[0] == "22P02"
    assert refused(cursor, "create table bad (a int default 'word')")[0] == "22P02"


def test_json_aggregates(cursor):
    cursor.execute("create table t (g int, n int, s text)")
    cursor.execute("insert into t values (1, 2, 'b'), (1, 1, 'a'), (2, null, 'c')")
    assert asked(cursor, "select g, json_agg(n order by s), jsonb_agg(s order by s desc) filter (where s <> 'a') from t group by g order by g") == [
        (1, [1, 2], ["b"]), (2, [None], ["c"])]
    assert asked(cursor, "select json_agg(t order by s) from t")[0][0][0] == {"g": 1, "n": 1, "s": "a"}
    assert asked(cursor, "select json_object_agg(s, n order by s), jsonb_object_agg(s, json_build_object('n', n)) from t where g = 1") == [
        ({"a": 1, "b": 2}, {"a": {"n": 1}, "b": {"n": 2}})]
    assert asked(cursor, "select json_agg(n), json_object_agg(s, n) from t where g = 9") == [(None, None)]
    assert refused(cursor, "select json_object_agg(null::text, n) from t")[0] == "22004"
    assert asked(cursor, "select row_to_json(r) from (select 1 as a, 'x' as b) r") == [({"a": 1, "b": "x"},)]
    assert asked(cursor, "select to_jsonb(array[1,2]), array_agg(n order by n desc nulls last), string_agg(s, '-' order by s) from t") == [
        ([1, 2], [2, 1, None], "a-b-c")]
    assert asked(cursor, "select json_agg(x) over (order by x) from (values (1), (2)) v(x)") == [([1],), ([1, 2],)]
    assert asked(cursor, "select length('\\x0102'::bytea), octet_length('\\x0102'::bytea), octet_length('t\u00eb')") == [(2, 2, 3)]
    cursor.execute("select json_agg(n) from t")
    assert cursor.description[0].name == "json_agg" and cursor.description[0].type_code == 114
