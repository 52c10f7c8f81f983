"""A PostgreSQL followed change by change, measured three ways.

    bench/capture.py drain [--rows 1000000]      a prepared backlog of log, against a client that only reads it
    bench/capture.py fresh [--seconds 60] [--rate 5000]   from commit there to visible here, and memory

The peer of `drain` is pg_recvlogical into /dev/null on a copy of the same slot: the ceiling that the source's own process sets.
Both begin with the same log behind them and run one after the other on the same machine.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import psycopg

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from postgres_server import PostgresServer, available  # noqa: E402
from tarn_server import TarnServer  # noqa: E402
from upserts import _api, _connect, _wait  # noqa: E402

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


def fresh(seconds=60, rate=5000, rows=500_000, commit_ms=1000):
    """(p99 in ms from the commit there to visible here, MB of memory, changes a second); None without PostgreSQL."""
    if not available():
        return None
    with PostgresServer(settings=SETTINGS) as postgres, tempfile.TemporaryDirectory(prefix="tarn-bench-") as folder:
        postgres.run("CREATE TABLE t (id int PRIMARY KEY, a int, at_time timestamptz DEFAULT now()); CREATE TABLE mark (id int PRIMARY KEY)")
        postgres.run(f"INSERT INTO t SELECT g, g FROM generate_series(1, {rows}) g")
        server = _lake(folder, postgres, f"{commit_ms}ms")
        stop = threading.Event()
        committed, done = {}, [0]

        def write():
            connection = psycopg.connect(postgres.url)
            due, mark = time.monotonic(), 0
            while not stop.is_set():
                mark += 1
                with connection.transaction():
                    first = (mark * 7919) % (rows - rate)
                    connection.execute(f"UPDATE t SET a = a + 1 WHERE id > {first} AND id <= {first + rate // 20}")
                    connection.execute(f"INSERT INTO mark VALUES ({mark})")
                committed[mark] = time.monotonic()
                done[0] += rate // 20
                due += 0.05
                time.sleep(max(0, due - time.monotonic()))
        try:
            server.start()
            _wait(server, lambda source: source["state"] == "following", 300)
            watch, writer = MemoryWatch(server), threading.Thread(target=write)
            watch.start()
            writer.start()
            began, seen, delays = time.monotonic(), 0, []
            with _connect(server) as connection:
                while time.monotonic() - began < seconds:
                    newest = connection.execute("SELECT coalesce(max(id), 0) FROM erp.mark").fetchone()[0]
                    now = time.monotonic()
                    for mark in range(seen + 1, newest + 1):
                        if mark in committed:
                            delays.append((now - committed[mark]) * 1000)
                    seen = max(seen, newest)
                    time.sleep(0.01)
            stop.set()
            writer.join()
            watch.stopping.set()
            return statistics.quantiles(delays, n=100)[98], watch.most, done[0] / seconds
        finally:
            stop.set()
            server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["drain", "fresh"])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", type=int, default=5000)
    given = parser.parse_args()
    print(drain(given.rows) if given.what == "drain" else fresh(given.seconds, given.rate))
