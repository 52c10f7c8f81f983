"""TPC-H on Iceberg tables, beside plain DuckDB on the very same Parquet files: rows must be equal, queries are asked in turn. Then the same
queries by a user with a row filter and a mask, beside root who reads views that say the same.

    tpch.py [SCALE] [ROUNDS] [--plain]
"""
import base64
import datetime
import decimal
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import typing
import urllib.request

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests"))
sys.path.insert(0, str(TOP / "bench"))

from sql import Peer  # noqa: E402
from sql_governed import cpu_seconds  # noqa: E402
from tpch_queries import TABLES, queries  # noqa: E402

# What the user may see, and root's views of the same.
GRANTS = {"orders": {"rows": "o_orderpriority <> '5-LOW'"},
          "customer": {"rows": "c_nationkey <> 3", "masks": {"c_phone": "left(c_phone, 2) || '-'", "c_address": "'somewhere'"}}}
VIEWS = {"orders": "select * from main.orders where o_orderpriority <> '5-LOW'",
         "customer": "select c_custkey, c_name, 'somewhere' as c_address, c_nationkey, left(c_phone, 2) || '-' as c_phone, c_acctbal, "
                     "c_mktsegment, c_comment from main.customer where c_nationkey <> 3"}


def fill(server, scale, seed=1):
    """Makes the tables and loads them as psql's \\copy does. Returns the seconds that it took."""
    program = TOP / "build" / "release" / "tpch_data"
    begun = time.perf_counter()
    with server.connect() as connection, connection.cursor() as cursor:
        for table, columns in TABLES.items():
            cursor.execute(f"create table {table} ({columns})")
            with subprocess.Popen([str(program), table, str(scale), str(seed)], stdout=subprocess.PIPE) as rows:
                cursor.copy_expert(f"copy {table} from stdin (format csv, delimiter '|')", rows.stdout, size=1 << 17)
            assert rows.returncode == 0, f"tpch_data {table} ended with {rows.returncode}"
    return time.perf_counter() - begun


def download(server, folder):
    """{table: its data files}, as any S3 client gets them."""
    import boto3
    s3 = boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id=server.access_key,
                      aws_secret_access_key=server.secret_key)
    with server.connect() as connection, connection.cursor() as cursor:
        for table in TABLES:
            (folder / table).mkdir()
            cursor.execute(f"select distinct _file from {table}")
            for (path,) in cursor.fetchall():
                bucket, key = path.removeprefix("s3://").split("/", 1)
                s3.download_file(bucket, key, str(folder / table / key.rsplit("/", 1)[1]))
    return {table: folder / table / "*.parquet" for table in TABLES}


def plain(rows):
    """The same text for the same rows, whichever driver they came by."""
    def cell(value):
        if isinstance(value, float):
            return f"{value:.10g}"
        return str(decimal.Decimal(value).normalize()) if isinstance(value, (int, decimal.Decimal)) else str(value)
    return [tuple(map(cell, row)) for row in rows]


class PlainDuck(Peer):
    """The peer, with its rows as values."""

    def ask(self, sql):
        took, rows = super().ask(sql)
        return took, eval(rows, {"Decimal": decimal.Decimal, "datetime": datetime})  # what our own process printed


class Asker:
    def __init__(self, server, key=None, path=None):
        self.pid = server.process.pid
        self.cursor = server.connect(key).cursor()
        if path:
            self.cursor.execute(f"set search_path to {path}")

    def ask(self, sql):
        begun = time.perf_counter()
        self.cursor.execute(sql)
        rows = self.cursor.fetchall()
        return (time.perf_counter() - begun) * 1000, rows


class Figures(typing.NamedTuple):
    """Of one query; milliseconds, medians of the rounds (0 without any)."""
    name: str
    rows: int
    ours: float
    theirs: float
    our_cpu: float
    their_cpu: float


def interleaved(name, sql, ours, theirs, our_pid, their_pid, rounds):
    """Figures, after one round that does not count."""
    figures = []
    for turn in range(rounds + 1):
        line = []
        for asker, pid in ((ours, our_pid), (theirs, their_pid)):
            before = cpu_seconds(pid)
            took, rows = asker.ask(sql)
            line += [took, (cpu_seconds(pid) - before) * 1000, rows]
        if plain(line[2]) != plain(line[5]):
            raise AssertionError(f"{name} gave other rows: {line[2][:3]} ... and {line[5][:3]} ...")
        if turn > 0:
            figures.append((line[0], line[3], line[1], line[4]))
    return Figures(name, len(line[2]), *([statistics.median(column) for column in zip(*figures)] or [0.0] * 4))


def api(server, method, path, body):
    request = urllib.request.Request(f"http://{server.ready['http']}{path}", method=method, data=json.dumps(body).encode())
    request.add_header("Authorization", "Basic " + base64.b64encode(f"{server.access_key}:{server.secret_key}".encode()).decode())
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or b"null")


def govern(server):
    """(the user, root with views)."""
    api(server, "PUT", "/api/v1/roles/part", {"grants": {f"main.{table}": GRANTS.get(table, {}) for table in TABLES}})
    api(server, "POST", "/api/v1/users", {"name": "part", "roles": ["part"]})
    made = api(server, "POST", "/api/v1/users/part/keys", {})
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("create schema seen")
        for name, query in VIEWS.items():
            cursor.execute(f"create view seen.{name} as {query}")
    return Asker(server, (made["access_key_id"], made["secret_access_key"])), Asker(server, path="seen, main")


def measure(scale, rounds, governed=True):
    """({"plain": [Figures], "governed": [Figures]}, seconds of loading). Raises where rows differ."""
    from tarn_server import TarnServer
    found = {"plain": [], "governed": []}
    with tempfile.TemporaryDirectory() as folder, TarnServer() as server:
        loaded = fill(server, scale)
        peer = PlainDuck(download(server, pathlib.Path(folder)))
        pid = server.process.pid
        root = Asker(server)
        for name, sql in queries(scale).items():
            found["plain"].append(interleaved(name, sql, root, peer, pid, peer.process.pid, rounds))
        peer.close()
        if governed:
            user, views = govern(server)
            for name, sql in queries(scale).items():
                found["governed"].append(interleaved(name, sql, user, views, pid, pid, rounds))
    return found, loaded


def means(rows):
    """Geometric means of the ratios: (on the clock, of CPU time)."""
    return (statistics.geometric_mean(one.ours / one.theirs for one in rows),
            statistics.geometric_mean(one.our_cpu / one.their_cpu for one in rows))


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    scale = float(words[0]) if words else 0.1
    rounds = int(words[1]) if len(words) > 1 else 3
    found, loaded = measure(scale, rounds, "--plain" not in sys.argv)
    print(f"scale {scale:g}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, loaded in {loaded:.1f} s")
    for kind, rows in found.items():
        if not rows:
            continue
        for one in rows:
            print(f"{kind:9} {one.name:4} {one.ours:8.1f} ms, other {one.theirs:8.1f} ms, ratio {one.ours / one.theirs:5.2f}; "
                  f"CPU {one.our_cpu:8.1f} and {one.their_cpu:8.1f} ms, ratio {one.our_cpu / one.their_cpu:5.2f}")
        print("{:9} geometric means: {:.3f} on the clock, {:.3f} of CPU time".format(kind, *means(rows)))


if __name__ == "__main__":
    main()
