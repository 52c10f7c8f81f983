"""jsonb side by side with a PostgreSQL 15: what both are asked, both answer alike, errors by their SQLSTATE."""
import psycopg2
import psycopg2.extras
import pytest

from postgres_clients import connect
from postgres_server import PostgresServer, available

pytestmark = pytest.mark.skipif(not available(), reason="no PostgreSQL programs here")

VALUES = ['{"a": 1, "b": {"c": [5, 6]}, "t": "x"}', '{"b":{"c":[5,6]},  "a":1.0,"t":"x"}', '{"aa": 1, "z": 2, "aa": 3}', "[1, 2, 3]", "[]", "{}",
          '["a", "b", {"a": [1]}]', '"a"', "1", "1.50", "-0.0", "1e3", "12345678901234567890.123", "true", "null",
          r'"\u00e9\n\ud83d\ude00\u0001"', "[[1, 2], [3]]", '[1, [2, {"k": null}]]']

CONSTANTS = """
select '{"b": 1, "a": 2, "b": 3}'::jsonb
select '{"a": 1}'::jsonb || '{"b": 2}'::jsonb
select '{"a": 1}'::jsonb || '{"a": null}'
select '[1]'::jsonb || '2'::jsonb, '1'::jsonb || '[2]', '1'::jsonb || '2', '{}'::jsonb || '[]', '[]'::jsonb || '{"a": 1}', '{"a": 1}'::jsonb || '3'
select '{"a": 1}'::jsonb || null
select '{"a": 1}'::jsonb || 'no json'
select '{"a": 1}'::jsonb || 'x'::text || 'y'
select '{"a": 1}'::jsonb || 1
select '{"a": 1, "b": 2}'::jsonb @> '{"b": 2}', '{"a": 1}'::jsonb <@ '{"a": 1.0, "b": 2}'
select '["foo", "bar"]'::jsonb @> '"bar"', '"bar"'::jsonb @> '["bar"]', '[1, [2]]'::jsonb @> '[[2]]', '[1, 2]'::jsonb @> '[2, 2, 1]'
select '{"a": {"b": 1, "c": 2}}'::jsonb @> '{"a": {"b": 1}}', '{"a": 1}'::jsonb @> '{}', '[]'::jsonb @> '{}'
select '{"a": 1}'::jsonb ? 'a', '["a"]'::jsonb ? 'a', '"a"'::jsonb ? 'a', '{"a": 1}'::jsonb ? 'b', '[1]'::jsonb ? '1'
select '{"a": 1, "b": 2}'::jsonb ?| array['x', 'b'], '{"a": 1}'::jsonb ?& array['a', 'b'], '["a", "b"]'::jsonb ?& array['a', 'b']
select '{"a": {"b": 1}}'::jsonb -> 'a' ? 'b'
select not '{"a": 1}'::jsonb ? 'a' or false
select '{"a": 1, "b": 2}'::jsonb - 'a', '["a", "b", "a"]'::jsonb - 'a', '[1, 2, 3]'::jsonb - 1, '[1, 2, 3]'::jsonb - -1
select '{"a": 1, "b": 2, "c": 3}'::jsonb - array['a', 'c']
select '1'::jsonb - 'a'
select '{"a": 1}'::jsonb - 1
select '{"a": {"b": 1, "c": 2}}'::jsonb #- '{a,b}', '[1, [2, 3]]'::jsonb #- '{1,-1}', '{"a": 1}'::jsonb #- '{x,y}'
select '[1]'::jsonb #- '{x}'
select '"a"'::jsonb #- '{a}'
select '{"a": 1, "b": 2}'::jsonb = '{"b": 2.0, "a": 1}', '{"a": 1}'::jsonb = '{ "a" :1}', '[1, 2]'::jsonb = '[2, 1]', '{"a": 1}'::jsonb <> '{"a": 2}'
select '[]'::jsonb < 'null', '{}'::jsonb > '[1]', '2'::jsonb < '10', '"b"'::jsonb > '"a"', '[1]'::jsonb < '[1, 2]', 'true'::jsonb > '99'
select '{"a": 1}'::jsonb in ('{"a":1.0}', '2'), '{"a":1}'::jsonb is distinct from '{"a": 1}'::jsonb
select '3'::jsonb between '2' and '10'
select jsonb_build_object('b', 1, 'a', array[1, 2], 'c', null, 'd', true, 'e', 'x"y')
select jsonb_build_array(1, 'x', null, '{"b": 1, "a": 2}'::jsonb)
select to_jsonb('x'::text), to_jsonb(1.5), to_jsonb(array[1, 2])
select jsonb_set('{"a": [1, 2], "b": {}}', '{a,0}', '"x"'), jsonb_set('{"a": 1}', '{b}', '2'), jsonb_set('{"a": 1}', '{b}', '2', false)
select jsonb_set('[1, 2]', '{5}', '3'), jsonb_set('[1, 2]', '{-5}', '0'), jsonb_set('{"a": 1}', '{}', '3'), jsonb_set('{}', '{a,b}', '1')
select jsonb_set('1', '{a}', '2')
select jsonb_set('[1]', '{x}', '2')
select jsonb_insert('{"a": [0, 1]}', '{a,1}', '"n"'), jsonb_insert('{"a": [0, 1]}', '{a,1}', '"n"', true), jsonb_insert('{"a": 1}', '{b}', '2')
select jsonb_insert('{"a": 1}', '{a}', '2')
select jsonb_strip_nulls('{"a": null, "b": [null, {"c": null}]}')
select jsonb_typeof('1'), jsonb_typeof('"a"'), jsonb_typeof('null'), jsonb_typeof('[]'), jsonb_typeof('{}'), jsonb_typeof('true')
select jsonb_array_length('[1, 2]')
select jsonb_array_length('{}')
select jsonb_array_length('1')
select jsonb_pretty('{"b": [1, {}], "a": {"x": null}}')
select * from jsonb_array_elements('[1, "a", {"b": 2, "a": 1.50}]')
select * from jsonb_array_elements_text('[1, "a", null, [1, 2]]')
select * from jsonb_array_elements('{"a": 1}')
select * from jsonb_array_elements('1')
select * from jsonb_each('{"b": 1, "a": {"x": "y"}}')
select key, value || '{"n": 1}' from jsonb_each('{"b": {}, "a": {"x": "y"}}') order by key
select e.k, e.v from jsonb_each_text('{"b": 1, "a": {"x": "y"}, "c": null, "d": "s"}') as e(k, v)
select e.* from jsonb_each('{"b": 1}') with ordinality as e
select * from jsonb_each('[1]')
select * from jsonb_object_keys('{"b": 1, "a": 2}')
select * from jsonb_object_keys('[1]')
select jsonb_agg(v order by n) from (values (1, '{"b": 1, "a": 2}'::jsonb), (2, null), (3, '1.50')) t(n, v)
select jsonb_object_agg(k, v) from (values ('b', 1), ('a', 2), ('b', 3)) t(k, v)
select v from (values ('[1]'::jsonb), ('2'), ('10'), ('"a"'), ('{}'), ('[]'), ('null'), ('true')) t(v) order by v
select count(*) from (values ('{"a": 1, "b": 2}'::jsonb), ('{"b": 2, "a": 1}')) t(v) group by v
select '{bad'::jsonb
select '{"a": "\\u0000"}'::jsonb
select '"\\ud800"'::jsonb
select '[1, ]'::jsonb
select '01'::jsonb
select '"a\tb"'::jsonb
select ''::jsonb
"""


@pytest.fixture(scope="module")
def postgres():
    with PostgresServer() as made:
        yield made


@pytest.fixture(scope="module")
def both(tarn, postgres):
    """Cursors of both, in a schema of their own. Values come as they are sent."""
    cursors = []
    for made in (connect(tarn), psycopg2.connect(postgres.url)):
        made.autocommit = True
        cursor = made.cursor()
        psycopg2.extras.register_default_jsonb(cursor, loads=lambda text: text)
        cursor.execute("create schema jb")
        cursor.execute("set search_path to jb")
        cursor.execute("create table t (id int, j jsonb)")
        for number, value in enumerate(VALUES):
            cursor.execute("insert into t values (%s, %s)", (number, value))
        cursors.append(cursor)
    yield cursors
    cursors[0].execute("drop schema jb cascade")
    for cursor in cursors:
        cursor.connection.close()


def answer(cursor, sql, parameters=None):
    try:
        cursor.execute(sql, parameters)
        return cursor.fetchall()
    except psycopg2.Error as problem:
        return problem.pgcode


def alike(both, sql, parameters=None):
    here, there = (answer(cursor, sql, parameters) for cursor in both)
    assert here == there, sql
    return here


@pytest.mark.parametrize("sql", [line for line in CONSTANTS.splitlines() if line])
def test_as_postgresql_answers(both, sql):
    alike(both, sql)


def test_what_is_stored_is_jsonb(both):
    assert len(alike(both, "select id, j::text, jsonb_typeof(j) from t order by id")) == len(VALUES)


@pytest.mark.parametrize("operator", ["||", "@>", "<@", "=", "<>", "<", ">="])
def test_each_with_each(both, operator):
    rows = alike(both, f"select a.id, b.id, (a.j {operator} b.j)::text from t a, t b order by 1, 2")
    assert len(rows) == len(VALUES) ** 2


@pytest.mark.parametrize("condition", ["j ? 'a'", "j ?| array['z', 'a']", "j ?& array['a', 't']", "j @> '{\"a\": 1}'", "j <@ '[1, 2, 3, 4]'", "j = '1.5'",
                                       "j = '{\"t\": \"x\", \"b\": {\"c\": [5, 6]}, \"a\": 1}'", "j in ('1000', '[]')", "not j ? 'a' and j = j"])
def test_conditions_on_a_table(both, condition):
    assert alike(both, f"select id from t where {condition} order by id")


def test_order_join_and_group(both):
    alike(both, "select id from t order by j desc, id")
    alike(both, "select a.id, b.id from t a join t b on a.j = b.j order by 1, 2")
    alike(both, "select id from t where j in (select j from t where id in (0, 5)) order by id")
    alike(both, "select id, row_number() over (order by j, id) from t order by id")
    alike(both, "select (select count(*) from t u where u.j = t.j) from t order by id")
    alike(both, "select e.value from t, jsonb_array_elements(t.j) e where t.id = 3 order by 1")
    alike(both, "select id, e.key, e.value from t, lateral jsonb_each(t.j) e where id < 3 order by 1, 2")


def test_changes_and_parameters(both):
    for statement in ("create table u (id int, j jsonb default '{\"z\": 1,  \"a\": 2}')", "insert into u (id) values (1)",
                      "insert into u values (2, '{\"k\":1}')", "update u set j = j || '{\"n\": [1]}' where j ? 'a'",
                      "update u set j = jsonb_set(j, '{n,0}', '5') - 'z' where id = 1", "delete from u where j = '{ \"k\" : 1.00 }'"):
        for cursor in both:
            cursor.execute(statement)
    assert alike(both, "select id, j from u") == [(1, '{"a": 2, "n": [5]}')]
    assert alike(both, "select id from u where j @> %s::jsonb", ('{"a": 2}',)) == [(1,)]
    assert alike(both, "select j || %s from u", ('{"p": 1}',)) == [('{"a": 2, "n": [5], "p": 1}',)]


def test_columns_are_called_and_typed_alike(both):
    shapes = []
    for cursor in both:
        cursor.execute("select j || '{}', j - 'a', j @> '{}', j ? 'a', jsonb_set(j, '{a}', '1'), jsonb_agg(1) over (), jsonb_build_object('a', 1), to_jsonb(1) "
                       "from t where id = 0")
        shapes.append([(column.name, column.type_code) for column in cursor.description])
    assert shapes[0] == shapes[1]


def test_what_is_not_built_is_refused(both):
    here = both[0]
    for sql in ("select jsonb_path_query('{}', '$.a')", "select '{}'::jsonb @? '$.a'", "select '{}'::jsonb @@ '$.a'",
                "select * from jsonb_to_record('{}') as x(a int)", "select '1e999999'::jsonb", "select ('[' || repeat('[', 2000) || repeat(']', 2000) || ']')::jsonb",
                "select ('[1e9999' || repeat(',1e9999', 50) || ']')::jsonb"):
        assert isinstance(answer(here, sql), str), sql


def test_views_have_the_operators(both):
    for cursor in both:
        cursor.execute("create view v as select id, j ? 'a' as has from t where j @> '{}'")
    alike(both, "select * from v order by id")
    assert "?" in answer(both[0], "select pg_get_viewdef('jb.v'::regclass)")[0][0]


def test_elements_by_their_alias(both):
    alike(both, "select e, e.value, e.value ->> 0 from t, jsonb_array_elements(t.j) e where t.id = 16 and e.value <> '[3]'")
    alike(both, "select x ->> 'a' from jsonb_array_elements('[{\"a\": 1}, {\"a\": \"b\"}]') x where x.value @> '{\"a\": 1}'")
    alike(both, "select (select string_agg(e.value, '+' order by e.value) from jsonb_array_elements_text(t.j) as e) from t where id in (3, 6) order by id")


def test_numbers_are_numbers_still(both):
    alike(both, "select 5 - 1, 5 - '1', id - 1, 1.5 - id, date '2024-01-02' - 1, -id from t where id = 3")
    alike(both, "select array[1, 2] @> array[1], array[1] <@ array[1, 2], array[1] || array[2], 'a' || 1, 1 || 'a'")


@pytest.mark.parametrize("step", ["-> 'a'", "->> 'a'", "-> 0", "->> 0", "-> -1", "-> 5", "->> -9", "#> '{b,c,1}'", "#>> '{b,c}'", "#> '{}'", "#>> '{}'", "#> '{1,1,k}'",
                                  "#> '{2,a}'", "-> 'b' -> 'c' ->> 1", "-> '/a'", "-> ''", "->> 't'", "-> id", "->> ('a' || '')", "#> '{b,x}'"])
def test_steps_into_each(both, step):
    alike(both, f"select id, (j {step})::text from t order by id")


def test_steps_keep_what_is_written(both):
    for kind in ("json", "jsonb"):
        value = """'{"n": 12345678901234567890.123, "d" : 1.50, "o": {"y":1,  "x": [1,2]}, "q\\"\\u00e9": "z\\n\\u00e9", "e": "", "d":2.50}'"""
        alike(both, f"select {value}::{kind} -> 'n', {value}::{kind} ->> 'd', {value}::{kind} -> 'o', {value}::{kind} #>> '{{o,x}}'")
        alike(both, f"""select {value}::{kind} ->> 'q"é', {value}::{kind} -> 'q"é', {value}::{kind} ->> 'e', {value}::{kind} -> 'nope', '1'::{kind} -> 0""")
    shapes = []
    for cursor in both:
        cursor.execute("select j -> 'a', j ->> 'a', j #> '{a}', j::text::json -> 'a' from t")
        shapes.append([(column.name, column.type_code) for column in cursor.description])
    assert shapes[0] == shapes[1]


CHECKED = [("j ? 'a'", ['{"a": 1}', '{"b": 1}', None]), ("(j->>'n')::int > 0", ['{"n": 1}', '{"n": 0}', "{}"]),
           ("jsonb_typeof(j) = 'object'", ["{}", "[]"]), ("""j @> '{"a": 1}'""", ['{"a": 1.0}', '{"a": 2}']), ("""j = '{"a": 1}'""", ['{"a": 1.0}', '{"a": 2}']),
           ("j ?& array['a', 'b'] and not j ?| array['z']", ['{"a": 1, "b": 2}', '{"a": 1}', '{"a": 1, "b": 2, "z": 3}']),
           ("j #>> '{a,b}' <> ''", ['{"a": {"b": "x"}}', '{"a": {"b": ""}}']), ("j -> 'a' ? 'b'", ['{"a": {"b": 1}}', '{"a": {}}']),
           ("j - 'a' = '{}'", ['{"a": 1}', '{"a": 1, "b": 2}']), ("jsonb_array_length(j) < 3", ["[1, 2]", "[1, 2, 3]"])]


@pytest.mark.parametrize("condition, values", CHECKED)
def test_checks(both, condition, values):
    for create in (f"create table checked (n int, j jsonb, check ({condition}))",
                   f"create table checked (n int, j jsonb); alter table checked add constraint c check ({condition})"):
        alike(both, create)
        for value in values:
            alike(both, "insert into checked values (1, %s)", (value,))
        alike(both, f"update checked set j = '{values[-1] or values[-2]}'")
        alike(both, f"alter table checked add constraint more check (not ({condition}))")
        alike(both, "drop table checked")


def test_checks_are_shown(both):
    ours = both[0]
    ours.execute("create table checked (j jsonb, check (j ? 'a' and j ?| array['a']))")
    ours.execute("select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'checked'::regclass")
    definition = ours.fetchone()[0]
    ours.execute(f"drop table checked; create table checked (j jsonb, {definition})")
    assert "? 'a'" in definition
    ours.execute("drop table checked")
