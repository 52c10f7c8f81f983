"""Two real tables through the PostgreSQL door, against published sums and plain DuckDB over the same files."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from real_data import data_file, plain_duckdb, unpacked  # noqa: E402

SALES = ("store integer, brand integer, week integer, logmove double precision, constant integer, "
         + ", ".join(f"price{i} double precision" for i in range(1, 12))
         + ", deal double precision, feat double precision, profit double precision")


def psql(server, *commands, stdin=None):
    host, port = server.address("postgres")
    command = ["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", "-h", host, "-p", str(port), "-U", server.access_key, "-d", "lake"]
    for one in commands:
        command += ["-c", one]
    done = subprocess.run(command, capture_output=True, text=True, stdin=stdin,
                          env=dict(os.environ, PGPASSWORD=server.secret_key, PGSSLMODE="prefer"))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def juice(tarn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("juice")
    sales, stores = unpacked("orange_juice/sales.csv.gz", folder), data_file("orange_juice/stores.csv")
    header = stores.read_text().splitlines()[0]
    columns = [name.strip().strip('"').lower() for name in header.split(",")]
    psql(tarn, "create schema oj", f"create table oj.sales ({SALES})",
         "create table oj.stores (" + ", ".join(f'"{name}" double precision' for name in columns) + ")")
    with open(sales, "rb") as rows:
        psql(tarn, "copy oj.sales from stdin (format csv, header)", stdin=rows)
    with open(stores, "rb") as rows:
        psql(tarn, "copy oj.stores from stdin (format csv, header)", stdin=rows)
    return tarn, sales, stores, columns


def test_published_sums(juice):
    server = juice[0]
    count, total = psql(server, "select count(*), round(sum(exp(logmove))::numeric(20,4), 2) from oj.sales").split("|")
    assert int(count) == 106139
    assert float(total) == 1000392608.02


def test_join_equals_plain_duckdb(juice):
    server, sales, stores, columns = juice
    key = columns[0]
    ours = psql(server, f"select brand, count(*), round(sum(exp(logmove)), 1) from oj.sales s join oj.stores t on s.store = t.{key} "
                        "where t.income > 10.5 group by brand order by brand")
    theirs = plain_duckdb(f"select brand, count(*), round(sum(exp(logmove)), 1) from '{sales}' s join '{stores}' t "
                          f"on s.store = t.{key} where t.income > 10.5 group by brand order by brand")
    assert [tuple(float(cell) for cell in line.split("|")) for line in ours.splitlines()] == \
        [tuple(float(cell) for cell in row) for row in theirs]
    assert theirs, "the comparison compares nothing"


def test_rows_survive_a_kill(juice):
    server = juice[0]
    psql(server, "delete from oj.sales where brand = 11", "update oj.sales set deal = 9 where brand = 10")
    before = psql(server, "select count(*), sum(week), sum(deal) from oj.sales")
    server.restart(crash=True)
    assert psql(server, "select count(*), sum(week), sum(deal) from oj.sales") == before
