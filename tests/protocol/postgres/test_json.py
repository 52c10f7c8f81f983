"""json and jsonb: columns that stay so, their binary form, and operators as PostgreSQL reads them."""
import io
import json

import psycopg2
import pytest

from lake_api import api
from postgres_clients import asked, connect, parameters


@pytest.fixture
def cursor(tarn):
    made = connect(tarn)
    made.autocommit = True
    cursor = made.cursor()
    cursor.execute("create schema js")
    cursor.execute("set search_path to js")
    yield cursor
    cursor.execute("drop schema js cascade")
    made.close()


def refused(cursor, sql, parameters=None):
    with pytest.raises(psycopg2.Error) as found:
        cursor.execute(sql, parameters)
    return found.value.pgcode


@pytest.mark.parametrize("type_name", ["json", "jsonb"])
def test_binary_copy_both_ways(tarn, cursor, type_name):
    """jsonb's binary form is a version byte and the text, json's is the text."""
    psycopg = pytest.importorskip("psycopg")
    from psycopg.types.json import Json, Jsonb
    wrap = {"json": Json, "jsonb": Jsonb}[type_name]
    cursor.execute(f"create table t (id int, j {type_name}, s text)")
    rows = [(1, {"a": [1, "x"]}, "\x01{}"), (2, None, "t")]
    with psycopg.connect(**parameters(tarn), autocommit=True) as connection:
        for form in ("binary", "text"):
            with connection.cursor().copy(f"copy js.t from stdin (format {form})") as copy:
                copy.set_types(["int4", type_name, "text"])
                for row in rows:
                    copy.write_row((row[0], wrap(row[1]) if row[1] else None, row[2]))
        assert asked(cursor, "select id, j, j::text, s from t order by id") == [
            (1, {"a": [1, "x"]}, '{"a": [1, "x"]}', "\x01{}")] * 2 + [(2, None, None, "t")] * 2
        with connection.cursor().copy("copy (select id, j, s from js.t order by id limit 1) to stdout (format binary)") as copy:
            copy.set_types(["int4", type_name, "text"])
            assert list(copy.rows()) == rows[:1]
        for binary in (False, True):
            row = connection.cursor(binary=binary).execute("select j from js.t where id = 1 limit 1").fetchone()
            assert row == ({"a": [1, "x"]},)
        for number, placeholder in ((3, "%s"), (4, "%b"), (5, "%t")):
            given = connection.execute(f"insert into js.t values ({number}, {placeholder}, 'p') returning j, j::text",
                                       (wrap({"b": number}),)).fetchone()
            assert given == ({"b": number}, json.dumps({"b": number}))
    wrong = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0" + b"\0\1\0\0\0\2" + b"[]" + b"\xff\xff"
    if type_name == "jsonb":  # without its version
        with pytest.raises(psycopg2.Error) as found:
            cursor.copy_expert("copy t (j) from stdin (format binary)", io.BytesIO(wrong))
        assert found.value.pgcode == "22P03"


def test_what_is_no_json_is_refused(cursor):
    cursor.execute("create table t (id int primary key, j jsonb default '{\"d\": 1}', k json)")
    assert refused(cursor, "insert into t (id, j) values (1, '{bad')") == "22P02"
    assert refused(cursor, "insert into t (id, k) values (1, %s)", ("word",)) == "22P02"
    assert refused(cursor, "alter table t alter column j set default 'word'") == "22P02"
    assert refused(cursor, "alter table t add column l jsonb default 'word'") == "22P02"
    with pytest.raises(psycopg2.Error) as found:
        cursor.copy_expert("copy t (id, j) from stdin", io.StringIO("1\t{bad\n"))
    assert found.value.pgcode == "22P02"
    assert asked(cursor, "insert into t (id) values (1) returning j, k") == [({"d": 1}, None)]
    cursor.copy_expert("copy t (id) from stdin", io.StringIO("2\n"))
    cursor.execute("insert into t values (2, '[1]') on conflict (id) do update set j = excluded.j")
    cursor.execute("update t set k = '{\"u\": 1}' where id = 2")
    assert asked(cursor, "select * from t order by id") == [(1, {"d": 1}, None), (2, [1], {"u": 1})]


def test_columns_say_what_they_are(cursor):
    cursor.execute("create table t (id int, j jsonb, k json)")
    cursor.execute("alter table t add column l jsonb default '{}'")
    cursor.execute("create table u as select * from t")
    for table in ("t", "u"):
        assert asked(cursor, "select column_name, data_type, udt_name from information_schema.columns where table_schema = 'js' "
                             "and table_name = %s order by ordinal_position", (table,)) == [
            ("id", "integer", "int4"), ("j", "jsonb", "jsonb"), ("k", "json", "json"), ("l", "jsonb", "jsonb")]
        cursor.execute(f"select * from {table}")
        assert [column.type_code for column in cursor.description] == [23, 3802, 114, 3802]
    cursor.execute("alter table t rename column j to jj")
    cursor.execute("alter table t alter column l type text")
    cursor.execute("alter table t drop column k")
    cursor.execute("insert into t values (1, '[1]', 'words')")
    cursor.execute("select jj, l from t")
    assert [column.type_code for column in cursor.description] == [3802, 25] and cursor.fetchall() == [([1], "words")]
    assert refused(cursor, "alter table t alter column l type jsonb") == "0A000"


def test_masks_of_json_are_text(tarn, cursor):
    """A mask is any text; to whom it is shown the column is no JSON, in no row of it."""
    cursor.execute("create table t (id int, j jsonb, k jsonb)")
    cursor.execute("insert into t values (1, '{\"a\": 1}', '{\"b\": 1}'), (2, '[2]', '[3]'), (3, '[4]', '[5]')")
    api(tarn, "PUT", "/api/v1/roles/jsmasked", {"grants": {"js.t": {"rows": "id < 3", "masks": {"j": "'***'"}}}})
    api(tarn, "PUT", "/api/v1/roles/jsplain", {"grants": {"js.t": {"rows": "id = 2"}}})
    everything = {"Effect": "Allow", "Action": ["tarn:ExecuteStatement", "tarn:Connect", "tarn:Get*", "tarn:List*"], "Resource": "*"}
    api(tarn, "POST", "/api/v1/users", {"name": "jsreader", "roles": ["jsmasked"],
                                        "policies": {"p": {"Version": "2012-10-17", "Statement": [everything]}}})
    key = api(tarn, "POST", "/api/v1/users/jsreader/keys", {})
    seen = {("jsmasked",): [(1, "***", {"b": 1}), (2, "***", [3])], ("jsmasked", "jsplain"): [(1, "***", {"b": 1}), (2, "[2]", [3])]}
    try:
        for roles, rows in seen.items():
            api(tarn, "PUT", "/api/v1/users/jsreader/roles", {"roles": list(roles)})
            made = connect(tarn, user=key["access_key_id"], password=key["secret_access_key"])
            asks = made.cursor()
            assert asked(asks, "select * from js.t order by id") == rows
            assert [column.type_code for column in asks.description] == [23, 25, 3802]
            assert asked(asks, "select id from js.t where k->>'b' = '1' and j = '***'") == [(1,)]
            made.close()
    finally:
        api(tarn, "DELETE", "/api/v1/users/jsreader", None)


def test_arrows_bind_closely(cursor):
    """As in PostgreSQL, where -> stands above comparisons, AND and NOT."""
    cursor.execute("create table t (id int, j jsonb)")
    cursor.execute("""insert into t values (1, '{"a": 1, "b": {"c": [5, 6]}}'), (2, '[1, 2]')""")
    for condition, wanted in (("id = 1 and j->>'a' = '1'", [1]), ("not j->>'a' = '2'", [1]), ("j->>'a' = '1' and j->>'b' is not null", [1]),
                              ("t.j->'b'->'c'->>0 = '5' or j->>1 = '2'", [1, 2]), ("(j->'b')->'c'-> -1 = '6'", [1]),
                              ("coalesce(j->>'a', 'n') || 'x' in ('1x', 'nx')", [1, 2]), ("j->>'a' like '1%' and j::json->>'a' > '0'", [1]),
                              ("(j->>'a')::int between 0 and 2 and id < 2", [1]), ("j->>'a'::text <> '2' or false", [1]),
                              ("id in (1) and (select j)->>'a' = '1'", [1]), ("'x' || (j->>'a') = 'x1' and id = 1", [1])):
        assert asked(cursor, f"select id from t where {condition} order by id") == [(n,) for n in wanted], condition
    assert asked(cursor, "select j->'b'->>'c' || 'x' from t where id = 1 and j->>'a' = %s", ("1",)) == [("[5, 6]x",)]
    assert asked(cursor, "select list_transform([1, 2], x -> x + 1), list_filter([1, 2], (x) -> x > 1 and x < 9)") == [([2, 3], [2])]
    assert asked(cursor, "select case when id = 1 then j else j end -> 'a' from t where id = 1") == [(1,)]
    assert asked(cursor, "select j #> '{b,c}', j #>> '{b,c,1}', j #>> '{nope,x}', j #>> '{}' is not null from t where j #> '{b,c}' is not null and id = 1") == [
        ([5, 6], "6", None, True)]


def test_declared_types_come_back(tarn):
    """A driver that said varchar is not told text: some end the connection then."""
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(**parameters(tarn)) as connection:
        wire = connection.pgconn
        wire.prepare(b"declared", b"select $1, $2 + 1, $3::jsonb", [1043, 0, 114])
        described = wire.describe_prepared(b"declared")
        assert [described.param_type(i) for i in range(3)] == [1043, 23, 114]
