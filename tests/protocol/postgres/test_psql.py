"""psql, as a person has it."""


def test_queries(psql):
    assert psql("-Atc", "select 40 + 2, 'a', null, true").stdout == "42|a||t\n"
    assert psql("-Atc", "select 1", "-c", "select 2").stdout == "1\n2\n"
    assert psql("-At", stdin="begin;\nselect 1;\ncommit;\n").stdout == "BEGIN\n1\nCOMMIT\n"


def test_errors_point_at_the_place(psql):
    done = psql("-c", "select 1 +", ok=False)
    assert done.returncode == 1 and "ERROR" in done.stderr
    done = psql("-c", "select nothing from nowhere", ok=False)
    assert "LINE 1" in done.stderr and "^" in done.stderr


def test_a_file(psql, table, tmp_path):
    script = tmp_path / "script.sql"
    script.write_text(f"\\set ON_ERROR_STOP on\ninsert into {table} (n) select i from range(10) r(i);\n"
                      f"select count(*), sum(n) from {table};\n")
    assert psql("-Atq", "-f", str(script)).stdout == "10|45\n"


def test_copy_of_files(psql, table, tmp_path):
    data = tmp_path / "data.csv"
    data.write_text('n,name\n1,"a, b"\n2,\n')
    assert "COPY 2" in psql("-c", f"\\copy {table} (n, name) from '{data}' with (format csv, header)").stdout
    out = tmp_path / "out.csv"
    psql("-c", f"\\copy (select n, name from {table} order by n) to '{out}' with (format csv, header)")
    assert out.read_text() == data.read_text()
    assert "COPY 3" in psql("-c", f"copy {table} (n) from stdin", stdin="7\n8\n9\n").stdout


def test_the_d_family(psql, table):
    schema = table.split(".")[0]
    assert schema in psql("-Atc", "\\dn").stdout
    assert "|t|table|" in psql("-Atc", f"\\dt {schema}.*").stdout
    described = psql("-Atc", f"\\d {table}").stdout
    assert "n|bigint" in described and "amount|numeric(10,2)" in described
    for command in ("\\d", "\\dv", "\\l", "\\du", "\\df", "\\conninfo"):
        psql("-Atc", command)


def test_fetching_in_pieces(psql):
    done = psql("-Atq", "-v", "FETCH_COUNT=100", "-c", "select count(*) from range(5)", stdin="")
    assert done.stdout == "5\n"
    done = psql("-Atq", stdin="\\set FETCH_COUNT 100\nselect i from range(250) t(i);\n")
    assert len(done.stdout.splitlines()) == 250


def test_gset_and_gdesc(psql):
    assert psql("-Atq", stdin="select 5 as x \\gset\nselect :x + 1;\n").stdout == "6\n"
    assert psql("-Atq", stdin="select 5::bigint as x, 'a' as y \\gdesc\n").stdout == "x|bigint\ny|text\n"
