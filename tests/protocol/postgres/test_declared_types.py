"""smallint, varchar(n) and char(n): what a column was declared as holds, and is shown, as in PostgreSQL. Each script runs on a
PostgreSQL, too, where there is one: rows, types and SQLSTATEs are compared."""
import io

import psycopg2
import pytest

from lake_api import api
from postgres_clients import asked, connect, in_schema, parameters


@pytest.fixture
def cursor(tarn):
    with in_schema("decl", [connect(tarn)]) as (cursor,):
        yield cursor


@pytest.fixture
def both(cursor, postgres):
    """Cursors of Tarn and, where there is one, PostgreSQL."""
    with in_schema("decl", [psycopg2.connect(postgres.url)] if postgres else []) as there:
        yield [cursor, *there]


def answer(cursor, sql):
    """Rows with their types, or what it was refused by."""
    try:
        cursor.execute(sql)
    except psycopg2.Error as problem:
        return problem.pgcode, str(problem).splitlines()[0]
    if cursor.description is None:
        return None
    return ([(each.name, each.type_code, each.internal_size) for each in cursor.description], cursor.fetchall())


def refused(cursor, sql, parameters=None):
    with pytest.raises(psycopg2.Error) as found:
        cursor.execute(sql, parameters)
    return found.value.pgcode, str(found.value).splitlines()[0]


TOO_LONG = ("22001", "value too long for type character varying(3)")
OUT_OF_RANGE = ("22003", "smallint out of range")

SCRIPTS = {
    "rows": """
        create table t (id int, a smallint, b varchar(3), c char(5), d varchar, e char, f text, g int2 not null default 7)
        insert into t values (1, 1, 'abc', 'ab', 'long enough', 'x', 'y')
        insert into t values (2, -32768, 'äöü', 'äöü', '', '', ''), (3, 32767, 'a  ', 'a  ', ' ', ' ', ' ')
        insert into t values (4, 70000)
        insert into t values (4, -32769)
        insert into t (id, b) values (4, 'abcd')
        insert into t (id, c) values (4, 'abcdef')
        insert into t (id, e) values (4, 'xy')
        insert into t (id, b, c, e) values (4, 'ab    ', 'ab        ', 'x   ')
        insert into t (id, g) values (5, 40000)
        insert into t select 5, id * 10000 from t
        insert into t (id, b) select 5, f || 'abcd' from t
        select * from t order by id
        update t set a = a + 1 where id = 3
        update t set b = b || 'x' where id = 1
        update t set b = b || '   ' where id = 1
        update t set c = c || 'xyz' where id = 1
        update t set a = default, b = upper(b) where id = 1 returning a, b, c
        insert into t (id, a, b, c) values (6, 12, 'x', 'y') returning c, b, a, g
        delete from t where id = 6 returning a, b, c, d, e
        select length(c)::int, c || '|', upper(c), c = 'ab', b || '|' from t where id = 1
        select a, b, c, e from (select * from t) s where id < 4 order by id
        select c, count(*) from t group by c order by 1
        select distinct b, c from t where id < 4 order by b
        with w as (select a, b from t) select * from w order by a, b
        select b from t union all select b from t order by 1
        select c::text, a::int, b::text from t where id = 1
        select c::text || '|' from t where id = 1 group by c::text order by c::text
        select max(id) from t
    """,
    "not null and checks come after": """
        create table t (a smallint not null, b varchar(3) check (b <> 'xyz'), c char(3) check (length(c) > 1))
        insert into t values (null, 'abcd')
        insert into t values (1, 'xyz')
        insert into t values (1, 'xyz ')
        insert into t values (1, 'abc', 'a')
        insert into t values (1, 'abc', 'ab')
        select * from t
    """,
    "keys": """
        create table t (id smallint primary key, v varchar(3), c char(3) unique)
        insert into t values (1, 'a', 'x')
        insert into t values (1, 'abcd') on conflict (id) do update set v = excluded.v
        insert into t values (1, 'abc') on conflict (id) do update set v = excluded.v || 'd'
        insert into t values (1, 'b') on conflict (id) do update set v = excluded.v
        insert into t values (2, 'b', 'x  ')
        insert into t values (40000, 'b')
        merge into t using (values (1, 'toolong'), (2, 'n')) as s(id, v) on t.id = s.id when matched then update set v = s.v when not matched then insert (id, v) values (s.id, s.v)
        select * from t
    """,
    "in a transaction": """
        create table t (a smallint, b varchar(3))
        begin
        insert into t values (1, 'a')
        insert into t values (2, 'abcd')
        select 1
        rollback
        begin
        create table u (a smallint, b varchar(3))
        insert into u values (1, 'abc')
        alter table u alter column b type varchar(5)
        insert into u values (2, 'abcde')
        select * from u order by a
        commit
        select * from u order by a
        insert into u values (3, 'abcdef')
    """,
    "other types": """
        create table t (a varchar(3), b smallint, c char(2))
        insert into t values ('abc', 7, 'x')
        alter table t alter column a type varchar(10)
        insert into t (a) values ('0123456789')
        insert into t (a) values ('0123456789a')
        alter table t alter column a type varchar
        insert into t (a) values ('0123456789a')
        select * from t order by a
        alter table t alter column a type text
        alter table t alter column b type integer
        insert into t (b) values (70000)
        alter table t alter column b type bigint
        insert into t (b) values (7000000000)
        alter table t alter column c type varchar(4)
        insert into t (c) values ('abcd')
        insert into t (c) values ('abcde')
        select * from t order by a, b, c
        alter table t add column d varchar(2) default 'xy'
        alter table t add column e smallint
        alter table t add column f char(3)
        insert into t (d) values ('xyz')
        insert into t (e) values (70000)
        insert into t (f) values ('xyza')
        insert into t (f) values ('x') returning d, e, f
        alter table t rename column d to dd
        insert into t (dd) values ('xyz')
        alter table t drop column dd
        select * from t order by a, b, c
    """,
    "tables from tables": """
        create table t (a smallint, b varchar(3), c char(5), d varchar, e text)
        insert into t values (1, 'abc', 'de', 'fg', 'hi')
        create table u as select a, b, c, d, e, a + 1 as f, b || 'x' as g, c::text as h, b as i from t
        select * from u
        insert into u (a) values (70000)
        insert into u (i) values ('abcd')
        insert into u (g, h) values ('any length', 'of these')
    """,
    "temporary tables": """
        create temp table tt (a smallint, b varchar(3), c text)
        insert into tt values (1, 'abc', 'de')
        insert into tt values (70000)
        insert into tt (b) values ('abcd')
        update tt set b = b || 'x'
        select * from tt
        drop table tt
    """,
    "declarations": """
        create table t (a varchar(0))
        create table t (a varchar(10485761))
        create table t (a character varying(4), b character (2), c national character varying(3), d nchar(2), e bpchar, f character, g character varying)
        insert into t values ('abcd', 'ab', 'abc', 'ab', 'any', 'a', 'any')
        insert into t (c) values ('abcd')
        insert into t (d) values ('abc')
        select * from t
    """,
    "digits of a second": """
        create table t (a timestamp(3), b timestamptz(0), c time(2), d timestamp(6), e timestamp(0) without time zone, f time(0))
        insert into t values ('2024-01-01 12:34:56.7895', '2024-01-01 12:34:56.5+00', '12:34:56.789', '2024-01-01 12:34:56.123456', '2024-01-01 12:34:56.499', '12:34:56.5')
        insert into t values ('1969-12-31 23:59:59.9995', '1969-12-31 23:59:59.5+00', null, null, '1999-12-31 23:59:59.5', null)
        insert into t (a) values ('infinity'), (null)
        select * from t where a <> 'infinity' order by a
        update t set a = a + interval '0.6 milliseconds' where c is not null returning a
        alter table t alter column a type timestamp(6)
        update t set a = a + interval '1 microsecond' where c is not null returning a
        alter table t alter column a type timestamp
        create table u as select a, b, c, e from t
        select * from u where c is not null
        alter table t add column g timestamp(3)
        update t set g = '2024-01-01 12:34:56.7895' where c is not null returning g
    """,
    "arrays": """
        create table t (id int, a varchar(3)[], b smallint[], c varchar[])
        insert into t values (1, '{abc,NULL,"ab    "}', '{1,NULL,-32768}', '{any,length}')
        insert into t (a) values ('{abc,abcd}')
        insert into t (a) values (array['abcd'])
        insert into t (b) values (array[1,32768])
        insert into t values (2, '{}', null, null)
        update t set a = array_append(a, 'xyz') where id = 2
        update t set a = array_append(a, 'wxyz') where id = 2
        select * from t order by id
        select a[1]::text, b[1]::int from t where id = 1 and a[1] = 'abc'
    """,
    "numbers and times": """
        create table t (a numeric(5,2), b real, c date, d timestamp, e uuid, f bytea, g time, h double precision)
        insert into t (a) values (1000)
        insert into t (a) values (999.99)
        insert into t (a) values (999.999)
        insert into t (a) values ('1234.5')
        insert into t (b) values (1.5)
        insert into t (b) values ('1e50')
        insert into t (h) values ('1e400')
        insert into t (h) values ('infinity'), ('-Infinity'), ('1e300')
        insert into t (c) values ('2024-02-30')
        insert into t (c) values ('2024-02-29')
        insert into t (d) values ('2024-02-29 12:34:56.789012')
        insert into t (e) values ('no')
        insert into t (e) values ('00000000-0000-0000-0000-000000000001')
        insert into t (f) values ('\\x00ff')
        insert into t (g) values ('25:00')
        insert into t (g) values ('12:34:56.789')
        select a, b, c, d, e, g, h from t order by a, b, c, d, e, g, h
    """,
}


def statements(script):
    return [line.strip() for line in script.strip().splitlines()]


@pytest.mark.parametrize("name", SCRIPTS)
def test_as_postgres_does(both, name):
    """Messages are compared where they are those of the lengths."""
    for sql in statements(SCRIPTS[name]):
        if len(both) > 1 and sql.startswith("merge") and both[1].connection.server_version < 150000:
            continue
        answers = [answer(cursor, sql) for cursor in both]
        if len(answers) < 2:
            continue
        ours, theirs = answers
        states = [isinstance(each, tuple) and isinstance(each[0], str) for each in answers]
        if all(states) and "too long" not in theirs[1] and ("smallint" not in theirs[1] or "temp" in name):
            ours, theirs = ours[0], theirs[0]
        if not any(states) and theirs is not None:
            ours, theirs = list(ours), list(theirs)
        assert ours == theirs, sql


CATALOGS = {
    "pg_attribute": "select attname, atttypid, attlen, atttypmod, format_type(atttypid, atttypmod) from pg_attribute "
                    "where attrelid = 'decl.t'::regclass and attnum > 0 order by attnum",
    "columns": "select column_name, data_type, udt_name, character_maximum_length, character_octet_length, numeric_precision, "
               "numeric_precision_radix, numeric_scale, datetime_precision from information_schema.columns where table_schema = 'decl' "
               "and table_name = 't' and data_type <> 'ARRAY' and data_type not like '%[]' order by ordinal_position",
    "by name": "select atttypid::regtype::text from pg_attribute where attrelid = 'decl.t'::regclass and attnum > 0 order by attnum",
}


def test_catalogs_say_it(both):
    for cursor in both:
        cursor.execute("create table t (a smallint, b varchar(3), c char(5), d varchar, e char, f text, g int, h bigint, i numeric(5,2), "
                       "j real, k double precision, l timestamp(3), m timestamptz(0), n time(2), o timestamp, p varchar(3)[], q smallint[])")
    for name, sql in CATALOGS.items():
        rows = [asked(cursor, sql) for cursor in both]
        assert rows[0] == rows[-1], name
    assert asked(both[0], CATALOGS["pg_attribute"])[:5] == [
        ("a", 21, 2, -1, "smallint"), ("b", 1043, -1, 7, "character varying(3)"), ("c", 1042, -1, 9, "character(5)"),
        ("d", 1043, -1, -1, "character varying"), ("e", 1042, -1, 5, "character(1)")]


def test_psql_and_pg_dump_show_it(tarn, cursor, psql):
    cursor.execute("create table t (a smallint, b varchar(3) not null, c char(5), d varchar)")
    shown = psql("-c", "\\d decl.t").stdout
    for line in (" a      | smallint ", " b      | character varying(3) ", " c      | character(5) ", " d      | character varying "):
        assert line in shown, shown
    cursor.execute("insert into t values (1, 'x', 'y', 'z')")
    assert "1|x|y    |z" in psql("-At", "-c", "select * from decl.t").stdout


def test_binary_both_ways(tarn, cursor):
    psycopg = pytest.importorskip("psycopg")
    cursor.execute("create table t (id int, a smallint, b varchar(3), c char(5))")
    rows = [(1, -5, "abc", "ab   "), (2, None, None, None)]
    with psycopg.connect(**parameters(tarn), autocommit=True) as connection:
        with connection.cursor().copy("copy decl.t from stdin (format binary)") as copy:
            copy.set_types(["int4", "int2", "varchar", "text"])
            for row in rows:
                copy.write_row(row)
        for binary in (False, True):
            read = connection.cursor(binary=binary).execute("select * from decl.t order by id")
            assert read.fetchall() == rows
            assert [(each.type_code, each.internal_size) for each in read.description] == [(23, 4), (21, 2), (1043, None), (1042, None)]
            assert read.description[2].display_size == 3
        with connection.cursor().copy("copy (select * from decl.t order by id) to stdout (format binary)") as copy:
            copy.set_types(["int4", "int2", "varchar", "text"])
            assert list(copy.rows()) == rows
        for placeholder in ("%s", "%b", "%t"):
            for value, state in ((7, None), (70_000, "22003")):
                try:
                    connection.execute(f"insert into decl.t (id, a) values (3, {placeholder})", (value,))
                    assert state is None
                except psycopg.Error as problem:
                    assert problem.sqlstate == state
            with pytest.raises(psycopg.Error) as found:
                connection.execute(f"insert into decl.t (id, b) values (3, {placeholder})", ("abcd",))
            assert found.value.sqlstate == "22001"
    assert asked(cursor, "select a from t where id = 3") == [(7,)] * 3


@pytest.mark.parametrize("text, state", [("1\t70000\\N\\N\n", "22003"), ("1\t1\tabcd\t\\N\n", "22001"), ("1\t1\tabc\tabcdef\n", "22001")])
def test_copy_is_checked(cursor, text, state):
    cursor.execute("create table t (id int, a smallint, b varchar(3), c char(5))")
    with pytest.raises(psycopg2.Error) as found:
        cursor.copy_expert("copy t from stdin", io.StringIO(text.replace("70000\\N", "70000\t\\N\t")))
    assert found.value.pgcode == state
    cursor.copy_expert("copy t from stdin", io.StringIO("1\t1\tabc   \tab      \n"))
    assert asked(cursor, "select * from t") == [(1, 1, "abc", "ab   ")]
    out = io.StringIO()
    cursor.copy_expert("copy t to stdout", out)
    assert out.getvalue() == "1\t1\tabc\tab   \n"


def test_a_temporary_table_takes_copies(cursor):
    cursor.execute("create temp table t (a smallint, b varchar(3))")
    cursor.copy_expert("copy t from stdin", io.StringIO("1\tabc\n"))
    for text, state in (("70000\ta\n", "22003"), ("1\tabcd\n", "22001")):
        with pytest.raises(psycopg2.Error) as found:
            cursor.copy_expert("copy t from stdin", io.StringIO(text))
        assert found.value.pgcode == state
    assert asked(cursor, "select * from t") == [(1, "abc")]
    assert asked(cursor, "select column_name, data_type, character_maximum_length from information_schema.columns "
                         "where table_schema = 'pg_temp' order by ordinal_position") == [("a", "smallint", None), ("b", "character varying", 3)]


def test_what_would_have_to_be_looked_at_is_refused(cursor):
    cursor.execute("create table t (a int, b varchar(10), c text, d bigint)")
    for change in ("a type smallint", "b type varchar(3)", "c type varchar(3)", "b type char(10)"):
        assert refused(cursor, "alter table t alter column " + change)[0] == "0A000", change


@pytest.mark.parametrize("type_name", ["interval", "bit(3)", "bit", "timetz", "time with time zone", "interval day to second"])
def test_what_no_table_holds_is_refused(cursor, type_name):
    cursor.execute("create table t (a int)")
    assert refused(cursor, f"create table u (a {type_name})")[0] == "0A000"
    assert refused(cursor, f"alter table t add column b {type_name}")[0] == "0A000"


def test_a_view_and_other_sessions(tarn, cursor):
    cursor.execute("create table t (a smallint, b varchar(3), c char(5))")
    cursor.execute("insert into t values (1, 'a', 'b')")
    cursor.execute("create view v as select a, c, b as bb from t")
    other = connect(tarn)
    with other.cursor() as reader:
        reader.execute("select * from decl.v")
        assert [each.type_code for each in reader.description] == [21, 1042, 1043] and reader.fetchall() == [(1, "b    ", "a")]
    other.close()


def test_masks_are_of_any_length(tarn, cursor):
    """To whom a mask is shown the column is what it is to the lake."""
    cursor.execute("create table t (id smallint, a smallint, b varchar(3), c char(5))")
    cursor.execute("insert into t values (1, 1, 'abc', 'x'), (2, 2, 'def', 'y')")
    api(tarn, "PUT", "/api/v1/roles/declmasked", {"grants": {"decl.t": {"rows": "id < 2", "masks": {"a": "70000", "b": "'hidden'", "c": "'secret'"}}}})
    everything = {"Effect": "Allow", "Action": ["tarn:ExecuteStatement", "tarn:Connect", "tarn:Get*", "tarn:List*"], "Resource": "*"}
    api(tarn, "POST", "/api/v1/users", {"name": "declreader", "roles": ["declmasked"],
                                        "policies": {"p": {"Version": "2012-10-17", "Statement": [everything]}}})
    try:
        key = api(tarn, "POST", "/api/v1/users/declreader/keys", {})
        made = connect(tarn, user=key["access_key_id"], password=key["secret_access_key"])
        asks = made.cursor()
        assert asked(asks, "select * from decl.t where c = 'secret  ' or c = 'secret'") == [(1, 70000, "hidden", "secret")]
        assert [each.type_code for each in asks.description] == [21, 23, 25, 25]
        assert asked(asks, "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'decl.t'::regclass and attnum > 0 "
                           "order by attnum") == [("smallint",), ("integer",), ("text",), ("text",)]
        made.close()
    finally:
        api(tarn, "DELETE", "/api/v1/users/declreader", None)


def test_char_is_compared_without_its_spaces(both):
    for cursor in both:
        cursor.execute("create table t (id int, c char(5), v varchar(5))")
        cursor.execute("insert into t values (1, 'ab', 'ab'), (2, 'cd', 'cd  '), (3, '', '')")
    for condition in ("c = 'ab   '", "c = 'ab'", "c in ('ab  ', 'x')", "c not in ('ab  ', 'x')", "c between 'ab ' and 'ab  '", "'cd ' = c", "v = 'cd'",
                      "v = 'cd  '", "c = v", "c > 'ab    '", "length(c) = 2", "c is null", "c <> 'cd       '", "c = ''", "c = '  '"):
        for form in (f"select id from t where {condition} order by id", f"select id, {condition} from t order by id"):
            answers = [asked(cursor, form) for cursor in both]
            assert answers[0] == answers[-1], form


def test_explicit_casts(both):
    for cursor in both:
        cursor.execute("create table t (id int, v varchar(10))")
        cursor.execute("insert into t values (1, 'abcdef'), (2, 'äöüß'), (3, null)")
    for sql in ("select 'abcdef'::varchar(3), cast('ab' as varchar(3)), 'abcdef'::character varying(2)", "select v::varchar(3) from t order by id",
                "select v::varchar(2), count(*) from t group by v::varchar(2) order by v::varchar(2)", "select id from t where v::varchar(2) = 'ab'",
                "select 70000::smallint", "select id::smallint from t order by id", "select (id * 20000)::smallint from t order by id",
                "select x from (select v::varchar(1) as x from t) s order by 1", "select 12345.678::numeric(5,2)", "select 123.456::numeric(5,2)",
                "select 'abc'::varchar(0)"):
        answers = [answer(cursor, sql) for cursor in both]
        ours, theirs = ([each[0]] if isinstance(each[0], str) else [len(each[0]), each[1]] for each in (answers[0], answers[-1]))
        assert ours == theirs, sql
    cursor = both[0]
    cursor.execute("create view w as select v::varchar(2) as x from t where v::varchar(2) = 'ab'")
    assert asked(cursor, "select * from w") == [("ab",)]
    assert "tarn_cut" not in asked(cursor, "select pg_get_viewdef('w'::regclass)")[0][0]


def test_results_tell_their_tables(cursor):
    """What pgjdbc's updatable result sets go by."""
    psycopg = pytest.importorskip("psycopg")
    cursor.execute("create table t (a int, b varchar(3), c smallint)")
    oid = asked(cursor, "select 'decl.t'::regclass::oid")[0][0]
    with psycopg.connect(host=cursor.connection.info.host, port=cursor.connection.info.port, user=cursor.connection.info.user,
                         password=cursor.connection.info.password, dbname="lake", autocommit=True) as connection:
        for sql, places in (("select c, a, b from decl.t", [3, 1, 2]), ("select a + 1, b as x from decl.t order by 1 limit 1", [0, 2]),
                            ("select count(*), b from decl.t group by b", [0, 2]), ("insert into decl.t values (1) returning b, a", [2, 1])):
            result = connection.execute(sql).pgresult
            assert [result.ftablecol(i) for i in range(result.nfields)] == places, sql
            assert [result.ftable(i) for i in range(result.nfields)] == [oid if place else 0 for place in places], sql
