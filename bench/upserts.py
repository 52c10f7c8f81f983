"""A table of 10 million rows that changes all the time: updates at a steady rate in a PostgreSQL, followed change by change into
Iceberg, with compaction beside it. Measured is what a scan of it takes meanwhile, against a copy that was written in one go.

    bench/upserts.py [--seconds 300] [--rate 2000] [--rows 10000000] [--follow changes] [--json]
    bench/upserts.py --sizes 1000000,4000000 [--seconds 60] [--rate 2000]     processor time of a change, by the table's size

TARN_BENCH_UPSERT_SECONDS=3600 makes the same of `./x bench upserts`: the hour.
"""
import argparse
import base64
import json
import os
import pathlib
import random
import statistics
import sys
import tempfile
import threading
import time
import typing
import urllib.request

import psycopg

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from postgres_server import PostgresServer, available  # noqa: E402
from tarn_server import TarnServer  # noqa: E402

SCAN = "SELECT count(*), sum(amount), max(note) FROM {table}"


def _api(server, path):
    request = urllib.request.Request(f"http://{server.ready['http']}/api/v1{path}")
    pair = f"{server.access_key}:{server.secret_key}".encode()
    request.add_header("Authorization", "Basic " + base64.b64encode(pair).decode())
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def _wait(server, ready, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        source = _api(server, "/sources")["sources"][0]
        if source.get("last_error"):
            raise RuntimeError(source["last_error"])
        if ready(source):
            return
        time.sleep(0.1)
    raise RuntimeError(f"the source is not there after {seconds} s: {source}")


def _connect(server):
    host, port = server.address("postgres")
    return psycopg.connect(host=host, port=port, user=server.access_key, password=server.secret_key, dbname="lake", autocommit=True)


def _cpu_ms(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 10


def _scan_ms(server, connection, table):
    """(wall, CPU of the server) in milliseconds."""
    began, used = time.monotonic(), _cpu_ms(server)
    with connection.cursor() as cursor:
        cursor.execute(SCAN.format(table=table))
        cursor.fetchone()
    return (time.monotonic() - began) * 1000, _cpu_ms(server) - used


class Writer(threading.Thread):
    """`rate` rows a second by random keys, one transaction each second."""

    def __init__(self, postgres, rate, rows):
        super().__init__(daemon=True)
        self.postgres, self.rate, self.rows = postgres, rate, rows
        self.done, self.late, self.stopping = 0, 0.0, threading.Event()

    def run(self):
        chance = random.Random(1)
        connection = psycopg.connect(self.postgres.url)
        due = time.monotonic()
        while not self.stopping.is_set():
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute("UPDATE hot SET amount = amount + 1, note = md5(note), changed = clock_timestamp() "
                               "WHERE id = ANY(%s)", ([chance.randrange(self.rows) for _ in range(self.rate)],))
                self.done += cursor.rowcount
            due += 1
            self.late = max(self.late, time.monotonic() - due)
            time.sleep(max(0, due - time.monotonic()))
        connection.close()


class Upserts(typing.NamedTuple):
    scan_cpu_ms: float        # of the table as it stands at the end
    copy_cpu_ms: float        # of a copy that was written in one go
    updates_per_second: float
    scan_wall_ms: float       # while it changed
    cores: float              # of our processor, the scans left out
    behind_s: float           # at most
    memory_mb: float          # at most
    rows: int
    seconds: int


def _peak_mb(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def _same(postgres, connection, seconds=180):
    """Waits until the lake has all that the database has."""
    sums = "SELECT count(*), sum(amount)::text, sum(id * amount)::text, max(note) FROM {}"
    there, end = postgres.rows(sums.format("hot"))[0], time.monotonic() + seconds
    while (here := connection.execute(sums.format("erp.hot")).fetchone()) != there:
        if time.monotonic() > end:
            raise RuntimeError(f"the lake has {here}, the database {there}")
        time.sleep(1)


def _hot_table(postgres, rows):
    postgres.run("CREATE TABLE hot (id bigint PRIMARY KEY, amount bigint NOT NULL, note text NOT NULL, "
                 "changed timestamptz NOT NULL) WITH (fillfactor = 70)")
    postgres.run(f"INSERT INTO hot SELECT i, i % 1000, md5(i::text), now() FROM generate_series(0, {rows - 1}) i")


def _declare(folder, postgres, words="changes"):
    lakefile = pathlib.Path(folder) / "lake.yaml"
    lakefile.write_text(f"lake: bench\nsources:\n  erp:\n    postgres: \"{postgres.url}\"\n    tables: [hot]\n    follow: {words}\n")
    return TarnServer(folder=folder, args=["--lake", lakefile])


def _until_idle(server, seconds=180):
    end, used = time.monotonic() + seconds, _cpu_ms(server)
    while time.monotonic() < end:
        time.sleep(2)
        before, used = used, _cpu_ms(server)
        if used - before < 200:
            return


def cost(rows, seconds=60, rate=2000):
    """(microseconds of our processor for a change by a random key, the most seconds that the lake was behind, MB of memory): of a
    table of so many rows, compaction and commits in it, the load and the key index not. None without PostgreSQL."""
    if not available():
        return None
    with PostgresServer(settings={"wal_level": "logical", "max_wal_size": "'8GB'"}) as postgres, \
            tempfile.TemporaryDirectory(prefix="tarn-bench-") as folder:
        _hot_table(postgres, rows)
        server = _declare(folder, postgres)
        try:
            server.start()
            _wait(server, lambda source: source["state"] == "following", 900)
            postgres.run("UPDATE hot SET amount = 0 WHERE id < 1000")  # the first change makes the key index
            _wait(server, lambda source: source["capture"]["changes"] >= 1000, 900)
            _until_idle(server)  # the new index sorts itself out
            writer = Writer(postgres, rate, rows)
            began, used, late = time.monotonic(), _cpu_ms(server), 0.0
            writer.start()
            while time.monotonic() < began + seconds:
                time.sleep(0.5)
                late = max(late, _api(server, "/sources")["sources"][0]["capture"]["lag_seconds"])
            writer.stopping.set()
            writer.join()
            _wait(server, lambda source: source["capture"]["changes"] >= 1000 + writer.done, 600)
            spent = _cpu_ms(server) - used
            return spent * 1000 / writer.done, late, _peak_mb(server)
        finally:
            server.close()


def measure(seconds, rate=2000, rows=10_000_000, follow="changes"):
    """What `Upserts` has; None without PostgreSQL. Fails when the lake does not hold what the database does at the end."""
    if not available():
        return None
    with PostgresServer(settings={"wal_level": "logical"}) as postgres, \
            tempfile.TemporaryDirectory(prefix="tarn-bench-") as folder:
        _hot_table(postgres, rows)
        if follow != "changes":
            postgres.run("CREATE INDEX ON hot (changed)")
        words = "changes" if follow == "changes" else "{every: 1s, by: changed}"
        server = _declare(folder, postgres, words)
        try:
            server.start()
            _wait(server, lambda source: source["state"] in ("complete", "following"), 600)
            connection = _connect(server)
            writer = Writer(postgres, rate, rows)
            began = time.monotonic()
            writer.start()
            times, late, used, asked = [], 0.0, _cpu_ms(server), 0.0
            while time.monotonic() < began + seconds:
                time.sleep(max(1.0, seconds / 60))
                wall, cpu = _scan_ms(server, connection, "erp.hot")
                times.append(wall)
                asked += cpu
                behind = _api(server, "/sources")["sources"][0].get("capture", {}).get("lag_seconds", 0.0)
                late = max(late, behind)
                print(f"{time.monotonic() - began:6.0f} s: scan {wall:.0f} ms, {writer.done} updates, {behind:.1f} s behind, "
                      f"{(_cpu_ms(server) - used - asked) / 10 / (time.monotonic() - began):.0f} % of a core beside the scans",
                      file=sys.stderr, flush=True)
            writer.stopping.set()
            writer.join()
            span = time.monotonic() - began
            share = (_cpu_ms(server) - used - asked) / 1000 / span
            _same(postgres, connection)
            # As it stands at the end, against a copy: in turn, CPU time and the best of several, because the machine does other
            # things too.
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE main.copy AS SELECT * FROM erp.hot ORDER BY id")
            pairs = [(_scan_ms(server, connection, "erp.hot")[1], _scan_ms(server, connection, "main.copy")[1]) for _ in range(15)]
            hot, copy = (max(1, min(column)) for column in zip(*pairs))  # of a tiny table the clock sees nothing
            connection.close()
            return Upserts(hot, copy, writer.done / span, statistics.median(times), share, late, _peak_mb(server), rows, round(span))
        finally:
            server.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=int(os.environ.get("TARN_BENCH_UPSERT_SECONDS", "300")))
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--follow", choices=["changes", "incremental"], default="changes")
    parser.add_argument("--sizes", default="")
    parser.add_argument("--json", action="store_true", help="the result as one line of JSON")
    chosen = parser.parse_args()
    for rows in filter(None, chosen.sizes.split(",")):
        each, late, memory = cost(int(rows), chosen.seconds, chosen.rate)
        print(f"{int(rows):,} rows: {each:.1f} us of processor for a change, {late:.1f} s behind at most, {memory:.0f} MB, "
              f"load {os.getloadavg()[0]:.1f}", flush=True)
    if chosen.sizes:
        return
    done = measure(chosen.seconds, chosen.rate, chosen.rows, chosen.follow)
    if done is None:
        sys.exit("no PostgreSQL programs here: apt install postgresql")
    if chosen.json:
        print(json.dumps(dict(done._asdict(), ratio=round(done.scan_cpu_ms / done.copy_cpu_ms, 3), load=os.getloadavg()[0])))
        return
    print(f"{done.updates_per_second:,.0f} updates/s on {done.rows:,} rows for {done.seconds} s: scan {done.scan_cpu_ms:.0f} CPU ms, "
          f"fresh copy {done.copy_cpu_ms:.0f} CPU ms, ratio {done.scan_cpu_ms / done.copy_cpu_ms:.2f}; while it changed "
          f"{done.scan_wall_ms:.0f} ms, {done.behind_s:.1f} s behind at most, {done.cores:.2f} cores, {done.memory_mb:.0f} MB")


if __name__ == "__main__":
    main()
