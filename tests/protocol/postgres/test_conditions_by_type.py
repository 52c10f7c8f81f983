"""A condition on a stored column finds what it says, whatever the type: files and row groups are passed over by their bounds."""
import pytest

from postgres_clients import connect

# Ascending values of each type, as literals.
VALUES = {
    "boolean": ["false", "true"],
    "smallint": ["-300", "-1", "0", "7", "300"],
    "integer": ["-70000", "-1", "0", "256", "70000"],
    "bigint": ["-5000000000", "-1", "0", "255", "5000000000"],
    "real": ["-1.5e10::real", "-0.25::real", "0::real", "1.5::real", "3e10::real"],
    "double precision": ["-1.5e100", "-0.25", "0", "1.5", "3e100"],
    "numeric(10,2)": ["-12345.67", "-0.01", "0", "0.5", "99999.99"],
    "numeric(38,4)": ["-123456789012345678901234567890.1234", "-0.0001", "0", "1", "999999999999999999999999999999.9999"],
    "text": ["''", "'A'", "'a'", "'a\u0301'", "'\u00e4'", "'\U0001f600'", "repeat('\U0001f600', 40)"],
    "bytea": [r"'\x'", r"'\x00'", r"'\x0001ff'", r"'\x61'", r"'\x7fff'", r"'\xff00'", "('\\x' || repeat('ff', 40))::bytea"],
    "date": ["'0001-01-01'", "'1969-12-31'", "'1970-01-01'", "'2024-02-29'", "'9999-12-31'"],
    "time": ["'00:00:00'", "'00:00:00.000001'", "'12:30:00'", "'23:59:59.999999'"],
    "timestamp": ["'1900-01-01 00:00:00'", "'1969-12-31 23:59:59.999999'", "'1970-01-01 00:00:00'", "'2024-02-29 12:00:00.5'"],
    "timestamptz": ["'1900-01-01 00:00:00+00'", "'1969-12-31 23:59:59.999999+00'", "'1970-01-01 00:00:00+00'", "'2024-02-29 12:00:00.5+00'"],
    "uuid": ["'00000000-0000-0000-0000-000000000001'", "'7fffffff-0000-0000-0000-000000000000'",
             "'80000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"],
}


@pytest.mark.parametrize("kind", VALUES)
def test_bounds_hide_no_row(tarn, kind):
    made = connect(tarn)
    made.autocommit = True
    cursor = made.cursor()
    name = "bounds_" + "".join(c if c.isalnum() else "_" for c in kind)
    values = VALUES[kind]
    cursor.execute(f"create table {name} (n int, v {kind})")
    for n, value in enumerate(values):  # a file for each, so that each has bounds of its own, and one with all
        cursor.execute(f"insert into {name} values ({n}, {value})")
    cursor.execute(f"insert into {name} values " + ", ".join(f"({n}, {value})" for n, value in enumerate(values)) + ", (99, null)")
    for n, value in enumerate(values):
        for sign, wanted in (("=", [n]), ("<", range(n)), (">", range(n + 1, len(values))), ("<=", range(n + 1)), (">=", range(n, len(values)))):
            cursor.execute(f"select n from {name} where v {sign} {value} order by n")
            assert [row[0] for row in cursor.fetchall()] == [i for i in wanted for _ in range(2)], f"v {sign} {value}"
    cursor.execute(f"select count(*) from {name} where v is null")
    assert cursor.fetchall() == [(1,)]
    cursor.execute(f"drop table {name}")
    made.close()
