"""The full load of a 16-column table (TPC-H's lineitem, made up) out of a PostgreSQL on the same machine."""
import base64
import json
import pathlib
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from postgres_server import PostgresServer, available  # noqa: E402
from tarn_server import TarnServer  # noqa: E402

COLUMNS = """l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey bigint NOT NULL, l_linenumber int NOT NULL,
l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL, l_discount numeric(15,2) NOT NULL,
l_tax numeric(15,2) NOT NULL, l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL,
l_commitdate date NOT NULL, l_receiptdate date NOT NULL, l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL,
l_comment varchar(44) NOT NULL"""
FILL = """INSERT INTO lineitem SELECT i / 4, (i * 7919) % 200000, (i * 104729) % 10000, i % 4 + 1, i % 50 + 1,
((i * 31) % 9000000) / 100.0, (i % 11) / 100.0, (i % 9) / 100.0, substr('RAN', (i % 3)::int + 1, 1),
substr('OF', (i % 2)::int + 1, 1), date '1992-01-01' + (i % 2500)::int, date '1992-01-31' + (i % 2450)::int,
date '1992-02-03' + (i % 2520)::int, (array['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])[i % 4 + 1],
(array['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'])[i % 7 + 1],
substr(md5(i::text) || md5((i + 1)::text), 1, (10 + i % 34)::int) FROM generate_series(1::bigint, {rows}) i"""


def _cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _memory_peak_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def _state(server):
    request = urllib.request.Request(f"http://{server.ready['http']}/api/v1/sources")
    pair = f"{server.access_key}:{server.secret_key}".encode()
    request.add_header("Authorization", "Basic " + base64.b64encode(pair).decode())
    with urllib.request.urlopen(request, timeout=30) as answer:
        source = json.loads(answer.read())["sources"][0]
    if source["last_error"]:
        raise RuntimeError(source["last_error"])
    return source["state"]


def measure(runs, rows=3_000_000, connections=2):
    """A list of (rows per own CPU second, rows per second of wall time, peak MB); None without PostgreSQL."""
    if not available():
        return None
    out = []
    with PostgresServer() as postgres:
        postgres.run(f"CREATE TABLE lineitem ({COLUMNS})")
        postgres.run(FILL.format(rows=rows))
        postgres.run("VACUUM ANALYZE lineitem")
        for _ in range(runs):
            with tempfile.TemporaryDirectory(prefix="tarn-bench-") as folder:
                lakefile = pathlib.Path(folder) / "lake.yaml"
                lakefile.write_text(f"lake: bench\nsources:\n  erp:\n    postgres: \"{postgres.url}\"\n"
                                    f"    tables: [lineitem]\n    follow: once\n    limits: {{connections: {connections}}}\n")
                server = TarnServer(folder=folder, args=["--lake", lakefile])
                try:
                    began = time.monotonic()
                    server.start()
                    while _state(server) != "complete":
                        time.sleep(0.02)
                    wall = time.monotonic() - began
                    pid = server.process.pid
                    out.append((rows / _cpu_seconds(pid), rows / wall, _memory_peak_mb(pid)))
                finally:
                    server.close()
    return out


if __name__ == "__main__":
    for per_cpu, per_wall, peak in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 3):
        print(f"{per_cpu:,.0f} rows per CPU second, {per_wall:,.0f} rows/s, {peak:.0f} MB")
