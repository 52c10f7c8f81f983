"""A PostgreSQL followed change by change, measured three ways.

    bench/capture.py drain [--rows 1000000]      a prepared backlog of log, against a client that only reads it
    bench/capture.py fresh [--seconds 60] [--rate 5000]   from commit there to visible here, and memory

The peer of `drain` is pg_recvlogical into /dev/null on a copy of the same slot: the ceiling that the source's own process sets.
Both begin with the same log behind them and run one after the other on the same machine.
"""
import argparse
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import typing

import psycopg

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from postgres_server import PostgresServer, available  # noqa: E402
from tarn_server import TarnServer  # noqa: E402
from upserts import _connect, _wait  # noqa: E402

SETTINGS = {"wal_level": "logical", "max_wal_size": "'8GB'"}


def _lake(folder, postgres, commit="1s"):
    lakefile = pathlib.Path(folder) / "lake.yaml"
    lakefile.write_text(f"lake: bench\nsources:\n  erp:\n    postgres: \"{postgres.url}\"\n    follow: changes\n    commit: {commit}\n")
    return TarnServer(folder=folder, args=["--lake", lakefile])


def _rss_mb(server):
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0


def _cpu_s(server):
    words = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / 100


class MemoryWatch(threading.Thread):
    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.most, self.stopping = server, 0, threading.Event()

    def run(self):
        while not self.stopping.wait(0.2):
            try:
                self.most = max(self.most, _rss_mb(self.server))
            except (OSError, AttributeError):
                pass


def drain(rows=1_000_000, per_transaction=100):
    """(changes a second of the lake, of the reader that keeps nothing, MB of memory, our CPU seconds); None without PostgreSQL."""
    if not available():
        return None
    with PostgresServer(settings=SETTINGS) as postgres, tempfile.TemporaryDirectory(prefix="tarn-bench-") as folder:
        postgres.run("CREATE TABLE t (id int PRIMARY KEY, a int, b numeric(12,2), c text, d timestamptz DEFAULT now())")
        postgres.run(f"INSERT INTO t SELECT g, g, g / 7.0, md5(g::text) FROM generate_series(1, {rows}) g")
        server = _lake(folder, postgres)
        try:
            server.start()
            _wait(server, lambda source: source["state"] == "following", 300)
            server.stop()
            slot = postgres.value("SELECT slot_name FROM pg_replication_slots")
            postgres.run(f"SELECT pg_copy_logical_replication_slot('{slot}', 'peer')")
            postgres.run("CREATE PROCEDURE churn() LANGUAGE plpgsql AS $$ BEGIN "
                         f"FOR i IN 0..{rows // per_transaction - 1} LOOP UPDATE t SET a = a + 1, c = md5(c) "
                         f"WHERE id BETWEEN i * {per_transaction} + 1 AND (i + 1) * {per_transaction}; COMMIT; END LOOP; END $$")
            postgres.run("CALL churn()")
            end = postgres.value("SELECT pg_current_wal_lsn()")
            began = time.monotonic()
            subprocess.run([str(postgres.bin / "pg_recvlogical"), "-d", postgres.url, "--slot", "peer", "--start", "-f", "/dev/null", "-o",
                            "proto_version=1", "-o", f"publication_names={slot}", "--endpos", end, "-F", "0"], check=True, timeout=900)
            peer = rows / (time.monotonic() - began)
            began = time.monotonic()
            server.start()
            watch = MemoryWatch(server)
            watch.start()
            _wait(server, lambda source: source.get("capture", {}).get("changes", 0) >= rows, 900)
            with _connect(server) as connection:
                while connection.execute("SELECT count(*) FROM erp.t WHERE a = id + 1").fetchone()[0] != rows:
                    time.sleep(0.05)
            took = time.monotonic() - began
            watch.stopping.set()
            return rows / took, peer, watch.most, _cpu_s(server)
        finally:
            server.close()


class Freshness(typing.NamedTuple):
    """What `fresh` found. Milliseconds are from the commit there to the answer here that shows it."""
    p50: float
    p99: float
    most: float
    query_ms: float  # median of the question alone, which is in the above
    memory_mb: float
    cpu: float  # of our processor, seconds in a second: following, compaction and the questions
    changes: float  # a second
    load: float  # of the machine, one-minute average at the end

    def __str__(self):
        return (f"commit to visible p50 {self.p50:.0f} ms, p99 {self.p99:.0f} ms, most {self.most:.0f} ms (a question {self.query_ms:.0f} ms); "
                f"{self.changes:,.0f} changes/s, {self.cpu:.2f} of a processor, {self.memory_mb:.0f} MB, load {self.load:.1f}")


class Ticks(threading.Thread):
    """`rate` updates a second, spread over all rows, in 20 transactions; each leaves its number in the table `tick`."""

    def __init__(self, url, rate, rows):
        super().__init__(daemon=True)
        self.url, self.rate, self.rows = url, rate, rows
        self.committed, self.done, self.stopping = {}, 0, threading.Event()

    def run(self):
        connection, chance = psycopg.connect(self.url), random.Random(1)
        some, number, due = max(1, self.rate // 20), 0, time.monotonic()
        while not self.stopping.is_set():
            number += 1
            with connection.transaction():
                connection.execute("UPDATE t SET a = a + 1 WHERE id = ANY(%s)", (chance.sample(range(1, self.rows + 1), some),))
                connection.execute("UPDATE tick SET n = %s", (number,))
            self.committed[number] = time.monotonic()
            self.done += some
            due += 0.05
            time.sleep(max(0, due - time.monotonic()))
        connection.close()


def fresh(seconds=60, rate=5000, rows=500_000, commit_ms=1000):
    """Freshness; None without PostgreSQL."""
    if not available():
        return None
    # As servers are set up: without it a commit is in the log, and so with us, up to 600 ms later.
    settings = dict(SETTINGS, synchronous_commit="on")
    with PostgresServer(settings=settings) as postgres, tempfile.TemporaryDirectory(prefix="tarn-bench-") as folder:
        postgres.run("CREATE TABLE t (id int PRIMARY KEY, a int, at_time timestamptz DEFAULT now()) WITH (fillfactor = 70);"
                     "CREATE TABLE tick (id int PRIMARY KEY, n int); INSERT INTO tick VALUES (1, 0)")
        postgres.run(f"INSERT INTO t SELECT g, g FROM generate_series(1, {rows}) g")
        server = _lake(folder, postgres, f"{commit_ms}ms")
        ticks = Ticks(postgres.url, rate, rows)
        try:
            server.start()
            _wait(server, lambda source: source["state"] == "following", 300)
            watch = MemoryWatch(server)
            watch.start()
            ticks.start()
            time.sleep(2 * commit_ms / 1000)  # the first commits open tables and make the key index
            with _connect(server) as connection:
                seen = connection.execute("SELECT n FROM erp.tick").fetchone()[0]
                began, used, done = time.monotonic(), _cpu_s(server), ticks.done
                delays, questions = [], []
                while time.monotonic() - began < seconds:
                    asked = time.monotonic()
                    newest = connection.execute("SELECT n FROM erp.tick").fetchone()[0]
                    now = time.monotonic()
                    questions.append((now - asked) * 1000)
                    delays += [(now - ticks.committed[one]) * 1000 for one in range(seen + 1, newest + 1) if one in ticks.committed]
                    seen = max(seen, newest)
                    time.sleep(0.01)
                took = time.monotonic() - began
                cpu, changes = (_cpu_s(server) - used) / took, (ticks.done - done) / took
            watch.stopping.set()
            return Freshness(statistics.median(delays), statistics.quantiles(delays, n=100)[98], max(delays), statistics.median(questions),
                             watch.most, cpu, changes, os.getloadavg()[0])
        finally:
            ticks.stopping.set()
            server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["drain", "fresh"])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", type=int, default=5000)
    given = parser.parse_args()
    print(drain(given.rows) if given.what == "drain" else fresh(given.seconds, given.rate))
