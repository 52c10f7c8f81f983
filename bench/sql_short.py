"""Short statements: psql's `select 1`, a point look-up in a table of 10 million rows, a table of 10,000 data files, 1,000 connections.

    sql_short.py [ROWS] [FILES] [CONNECTIONS]
"""
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests"))
sys.path.insert(0, str(TOP / "bench"))

from sql_governed import cpu_seconds  # noqa: E402


def psql(server, script):
    host, port = server.address("postgres")
    env = dict(os.environ, PGPASSWORD=server.secret_key)
    return subprocess.run(["psql", "-X", "-q", "-h", host, "-p", str(port), "-U", server.access_key, "lake"], input=script,
                          capture_output=True, text=True, env=env, check=True).stdout


def select_1(server, times=500):
    """Sorted milliseconds, as psql's \\timing tells them."""
    out = psql(server, "\\timing on\n" + "select 1;\n" * times)
    return sorted(float(ms) for ms in re.findall(r"^Time: ([\d.]+) ms", out, re.MULTILINE))


class Timed:
    """Statements of one connection, with the clock's and the server's CPU milliseconds of each."""

    def __init__(self, server):
        self.pid = server.process.pid
        self.cursor = server.connect().cursor()

    def run(self, statements):
        waits = []
        before = cpu_seconds(self.pid)
        for sql in statements:
            begun = time.perf_counter()
            self.cursor.execute(sql)
            rows = self.cursor.fetchall()
            waits.append((time.perf_counter() - begun) * 1000)
        return sorted(waits), (cpu_seconds(self.pid) - before) * 1000 / len(waits), rows


def point_look_up(server, rows=10_000_000, times=200):
    """Of a table in the order of its key, and of one in which keys lie anywhere."""
    timed = Timed(server)
    dice = random.Random(1)
    found = {}
    for name, order in (("ordered", "i"), ("anywhere", f"(i * 7919) % {rows}")):
        timed.cursor.execute(f"create table {name} as select {order} as id, i % 1000 as n, 'someone' || i as name, i / 7.0::double as d "
                             f"from range({rows}) t(i)")
        wanted = [dice.randrange(rows) for _ in range(times)]
        timed.run([f"select * from {name} where id = {wanted[0]}"] * 3)
        waits, cpu, last = timed.run([f"select * from {name} where id = {i}" for i in wanted])
        assert len(last) == 1 and last[0][0] == wanted[-1], last
        found[name] = waits, cpu
    return found


def many_files(server, count=10_000, times=20):
    """A table of `count` data files: {what: (sorted waits, CPU)}."""
    timed = Timed(server)
    timed.cursor.execute("create table files (day int, n int) partitioned by (day)")
    for first in range(0, count, 1_000):
        timed.cursor.execute(f"insert into files select i, i from range({first}, {min(first + 1_000, count)}) t(i)")
    found = {}
    for name, sql in (("plan", "explain select sum(n) from files"), ("one file", "select n from files where day = {i}"),
                      ("one value", "select day from files where n = {i}"), ("count", "select count(*) from files")):
        statements = [sql.format(i=i * 7) for i in range(times)]
        waits, cpu, rows = timed.run(statements)
        found[name] = waits, cpu
        assert "{" not in sql or len(rows) == 1
    return found


def resident(server):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{server.process.pid}/status").read_text()).group(1)) * 1024


def crowd(server, count=1_000):
    """(bytes for each of `count` open connections that have asked once, seconds to open one, sorted waits of a question with all open)."""
    server.connect().cursor().execute("select 1")
    before, begun = resident(server), time.perf_counter()
    cursors = []
    for _ in range(count):
        cursors.append(server.connect().cursor())
        cursors[-1].execute("select 1")
    opened = (time.perf_counter() - begun) / count
    each = (resident(server) - before) / count
    waits = []
    for i, cursor in enumerate(cursors):
        begun = time.perf_counter()
        cursor.execute(f"select {i}")
        assert cursor.fetchall() == [(i,)]
        waits.append((time.perf_counter() - begun) * 1000)
    for cursor in cursors:
        cursor.connection.close()
    return each, opened, sorted(waits)


def measure(rows=10_000_000, files=10_000, connections=1_000):
    """{what: median ms}, and "each": bytes of a connection."""
    from tarn_server import TarnServer
    with TarnServer() as server:
        waits = select_1(server)
        _, cpu, _ = Timed(server).run(["select 1"] * 300)
        found = {"select 1": told("psql select 1", waits, cpu)}
        for name, (waits, cpu) in point_look_up(server, rows).items():
            found[name] = told(f"look-up, {name}", waits, cpu)
        for name, (waits, cpu) in many_files(server, files).items():
            found[name] = told(f"{files} files, {name}", waits, cpu)
        found["each"], opened, waits = crowd(server, connections)
        found["crowd"] = told(f"{connections} connections, {found['each'] / 1024:.1f} KiB each, opened in {opened * 1000:.1f} ms each", waits, 0)
    return found


def told(name, waits, cpu):
    print(f"{name}: p50 {statistics.median(waits):.2f} ms, least {waits[0]:.2f}, worst {waits[-1]:.2f}, {cpu:.2f} ms CPU of the server, "
          f"load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    return statistics.median(waits)


if __name__ == "__main__":
    measure(*map(int, sys.argv[1:]))
