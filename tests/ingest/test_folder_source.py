"""Files dropped into a folder become rows of a table: each once, whole or not at all."""
import gzip
import os
import pathlib
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from real_data import data_file, plain_duckdb  # noqa: E402
from tarn_server import TarnServer  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def ask(server, sql):
    host, port = server.address("postgres")
    done = subprocess.run(["psql", "-X", "-At", "-h", host, "-p", str(port), "-U", server.access_key, "-d", "lake", "-c", sql],
                          capture_output=True, text=True,
                          env=dict(os.environ, PGPASSWORD=server.secret_key, PGSSLMODE="prefer"))
    return done.stdout.strip() if done.returncode == 0 else "!" + done.stderr.strip()


def wait_for(server, sql, expected, seconds=60):
    deadline = time.monotonic() + seconds
    got = None
    while time.monotonic() < deadline:
        got = ask(server, sql)
        if got == expected:
            return
        time.sleep(0.1)
    raise AssertionError(f"{sql}: {got!r}, not {expected!r}\n{server.log_tail()}")


class Drop:
    """A server whose lakefile has one folder source called `dropped`."""

    def __init__(self, folder, more="", settle="300ms"):
        self.folder = folder / "drop"
        self.folder.mkdir()
        lakefile = folder / "lake.yaml"
        lakefile.write_text("lake: test\nsources:\n  dropped:\n"
                            f"    folder: {self.folder}/*\n    settle: {settle}\n{more}")
        self.server = TarnServer(folder=folder / "server", args=["--lake", lakefile])
        (folder / "server").mkdir()
        self.server.start()

    def put(self, name, data):
        """As a careful partner does it: under another name, then renamed."""
        (self.folder / f".{name}").write_bytes(data if isinstance(data, bytes) else data.encode())
        (self.folder / f".{name}").rename(self.folder / name)


@pytest.fixture
def drop(tarn_binary, tmp_path, request):
    made = Drop(tmp_path, getattr(request, "param", ""))
    try:
        yield made
        if getattr(request.node, "failed_in_call", False):
            print(made.server.log_tail())
    finally:
        made.server.close()


WEATHER = "day;region;estación;temp_c;rain_mm\n"


def weather(month, days, bad=()):
    lines = [WEATHER]
    for day in range(1, days + 1):
        lines.append(f"2026-{month:02}-{day:02};coast;Malecón;{20 + day % 10},5;0,0\n")
    return "".join(lines) + "".join(bad)


def test_weather_in_latin1_with_broken_lines(drop):
    drop.put("weather_09.csv", weather(9, 30).encode("latin1"))
    wait_for(drop.server, "select count(*) from dropped", "30")
    drop.put("weather_10.csv", weather(10, 31, ["2026-10-31;coast;Malecón;sin dato;--\n", "2026-10-31;andes\n"]).encode("latin1"))
    wait_for(drop.server, "select count(*) from dropped", "61")
    assert ask(drop.server, "select distinct estacion from dropped") == "Malecón"
    assert ask(drop.server, "select sum(temp_c) from dropped where day < date '2026-10-01'") == "750.00"
    rejected = ask(drop.server, "select place, line, reason from dropped_rejected order by line").splitlines()
    assert rejected == ['weather_10.csv|33|column temp_c: "sin dato" is no numeric(18,2)',
                        "weather_10.csv|34|2 fields, the table's rows have 5"]


def test_half_written_file_is_waited_for(tarn_binary, tmp_path):
    drop = Drop(tmp_path, settle="3s")  # long beside the pauses of the writer, however busy the machine is
    try:
        with open(drop.folder / "slow.csv", "w") as out:
            out.write("a,b\n")
            for i in range(12):
                out.write(f"{i},{'x' * 10}\n")
                out.flush()
                time.sleep(0.4)
            assert ask(drop.server, "select count(*) from dropped").startswith("!")
        wait_for(drop.server, "select count(*), sum(a) from dropped", "12|66")
    finally:
        drop.server.close()


def test_same_bytes_under_another_name_once(drop):
    drop.put("a.csv", "a,b\n1,2\n")
    wait_for(drop.server, "select count(*) from dropped", "1")
    drop.put("b.csv", "a,b\n1,2\n")
    drop.put("c.csv.gz", gzip.compress(b"a,b\n3,4\n"))
    wait_for(drop.server, "select count(*) from dropped", "2")
    drop.server.restart(crash=True)
    drop.put("d.csv", "a,b\n1,2\n")
    drop.put("e.csv", "a,b\n5,6\n")
    wait_for(drop.server, "select string_agg(a::text, ',' order by a) from dropped", "1,3,5")


def test_json_lines_and_hidden_files(drop):
    drop.put("h.jsonl", '{"day":"2026-10-12","name":"Día de la Raza"}\n{"day":"2026-11-01","name":"Todos"}\nnot json\n')
    (drop.folder / "x.csv.part").write_text("day,name\n2020-01-01,x\n")
    os.symlink("/etc/passwd", drop.folder / "passwd.csv")
    wait_for(drop.server, "select string_agg(name, ',' order by day) from dropped", "Día de la Raza,Todos")
    assert ask(drop.server, "select line, text from dropped_rejected") == "3|not json"


@pytest.mark.parametrize("drop", ["    key: [id]\n"], indirect=True)
def test_killed_between_and_during_drops(drop):
    """Each file exactly once, wherever the server dies; a later file replaces rows of the same key."""
    expected = {}
    for i in range(8):
        rows = {f"{(i * 700 + j) % 3000}": f"{i}" for j in range(1000)}
        expected.update(rows)
        drop.put(f"{i:02}.csv", "id,of\n" + "".join(f"{k},{v}\n" for k, v in rows.items()))
        time.sleep(0.25 + 0.11 * i)
        drop.server.restart(crash=True)
    wait_for(drop.server, "select count(*), count(distinct id), sum(of) from dropped",
             f"{len(expected)}|{len(expected)}|{sum(int(v) for v in expected.values())}")


def test_killed_while_rows_are_only_added(drop):
    for i in range(6):
        drop.put(f"{i:02}.csv", "id,of\n" + "".join(f"{i * 20000 + j},{i}\n" for j in range(20000)))
        time.sleep(0.35 + 0.06 * i)
        drop.server.restart(crash=True)
    wait_for(drop.server, "select count(*), count(distinct id) from dropped", "120000|120000")


def test_online_retail_equals_plain_duckdb(drop):
    path = data_file("online_retail/online_retail.csv.gz")
    drop.put("online_retail.csv.gz", path.read_bytes())
    wait_for(drop.server, "select count(*) from dropped", "541909", seconds=120)
    sums = "count(*), sum(quantity), sum(quantity * unitprice)::decimal(20,4), count(description), count(distinct invoiceno), " \
           "min(invoicedate)::varchar, max(invoicedate)::varchar, count(customerid), count(distinct stockcode)"
    theirs = plain_duckdb(f"set enable_progress_bar = false; select {sums} from (select * replace (unitprice::decimal(18,4) as unitprice) "
                          f"from read_csv('{path}', types={{'UnitPrice': 'varchar', 'InvoiceNo': 'varchar', 'StockCode': 'varchar'}}))")
    assert ask(drop.server, f"select {sums} from dropped").split("|") == [str(value) for value in theirs[0]]
    assert ask(drop.server, "select count(*) from dropped_rejected").startswith("!")
