"""Names of columns that nobody named, as PostgreSQL gives them."""
import psycopg2
import pytest

from postgres_clients import connect

UNNAMED = {
    "count(*)": "count", "min(n)": "min", "count(distinct n)": "count", "sum(n) over ()": "sum", "row_number() over ()": "row_number",
    "n::text": "n", "1::int": "int4", "'a'::text": "text", "'2026-11-20'::date": "date", "(n + 1)::decimal(10,2)": "numeric",
    "'{1}'::int[]": "int4", "1 + 1": "?column?", "-n": "?column?", "null": "?column?", "'a'": "?column?", "1.5": "?column?", "true": "bool",
    "n = 1": "?column?", "n is null": "?column?", "not true": "?column?", "t like 'a'": "?column?", "t ~ 'a'": "?column?", "t || 'a'": "?column?",
    "case when true then 1 end": "case", "case when true then 1 else n end": "n", "case when true then 1 else 2 end": "case",
    "coalesce(n, 1)": "coalesce", "nullif(n, 1)": "nullif", "greatest(n, 1)": "greatest", "upper(t)": "upper", "now()": "now",
    "current_date": "current_date", "current_user": "current_user", "array[1, 2]": "array", "(array[n])[1]": "array", "l[1]": "l",
    "exists (select 1)": "exists", "(select max(n) from v)": "max", "(select 1)": "?column?", "interval '1 day'": "interval", "v.n": "n",
    "'v'::regclass": "regclass", "n as named": "named", "pg_catalog.format_type(20, null)": "format_type", "date_trunc('day', now())": "date_trunc",
}


@pytest.fixture
def cursor(tarn):
    made = connect(tarn)
    made.autocommit = True
    yield made.cursor()
    made.close()


def names(cursor, sql):
    cursor.execute(sql)
    return [column.name for column in cursor.description]


@pytest.mark.parametrize("expression, name", UNNAMED.items())
def test_a_name(cursor, expression, name):
    group = " group by n, t, l" if expression.startswith(("count(", "min(")) else ""
    assert names(cursor, f"with v as (select 1 as n, 'a' as t, [1] as l) select {expression} from v{group}") == [name]


def test_lists(cursor):
    assert names(cursor, "select *, 1, count(*) over () from (select 1 as a, 2 as b) x") == ["a", "b", "?column?", "count"]
    assert names(cursor, "select max(i) from range(3) t(i) union all select 1") == ["max"]
    assert names(cursor, "values (1, 2)") == ["column1", "column2"]
    assert names(cursor, "with c as (select 1 as x) select sum(x), min(x) from c") == ["sum", "min"]
    cursor.execute("select count(*), i % 2 as odd from range(5) t(i) group by odd order by count desc")
    assert cursor.fetchall() == [(3, 0), (2, 1)]
    cursor.execute("select i::text from (values (2), (10)) t(i) order by i")  # PostgreSQL, too, sorts by the text
    assert cursor.fetchall() == [("10",), ("2",)]


def test_what_is_made_of_a_query(cursor):
    cursor.execute("create table unnamed as select count(*), max(i) from range(3) t(i)")
    cursor.execute("create view unnamed_view as select count(*), 1 + 1 from unnamed")
    assert names(cursor, "select * from unnamed") == ["count", "max"]
    assert names(cursor, "select count, max + 1 from unnamed") == ["count", "?column?"]
    assert names(cursor, "select * from unnamed_view") == ["count", "?column?"]
    assert names(cursor, "insert into unnamed values (7, 8) returning max, count + 1, upper('a')") == ["max", "?column?", "upper"]
    cursor.execute("drop view unnamed_view")
    cursor.execute("drop table unnamed")
    with pytest.raises(psycopg2.errors.UndefinedTable):
        cursor.execute("select * from unnamed")
