"""Proofs that a followed PostgreSQL database and the lake are the same, under the field's own load, with real sales, read by another
reader, with a full disk on either side, and with transactions that are larger than memory should be."""
import concurrent.futures
import csv
import gzip
import itertools
import os
import pathlib
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import postgres_server  # noqa: E402
from capture_lake import CaptureLake  # noqa: E402
from nasty_transactions import INVARIANT, TABLES as NASTY_TABLES, NastyTransactions  # noqa: E402
from real_data import data_file  # noqa: E402
from retail_replay import RetailReplay  # noqa: E402
from tarn_server import binary  # noqa: E402
from test_change_capture import pg, server, until_equal  # noqa: E402, F401
from test_foreign_reader import newest_metadata, python, run  # noqa: E402, F401
from test_full_disk import disk, take_the_rest  # noqa: E402, F401

pytestmark = [pytest.mark.skipif(not postgres_server.available(), reason="no PostgreSQL programs here"),
              pytest.mark.skipif(not binary().exists(), reason="tarn is not built")]


# -- pgbench ----------------------------------------------------------------------------------------------------------

SMALL_TABLES = ["pgbench_branches", "pgbench_tellers", "pgbench_history"]
ACCOUNTS = ("SELECT count(*), md5(string_agg(concat_ws('|', aid, bid, abalance, rtrim(filler)), ',' ORDER BY aid)) "
            "FROM {0}pgbench_accounts")  # char(n): the lake keeps it without its padding
BENCH_SUMS = ("SELECT (SELECT sum(abalance) FROM {0}pgbench_accounts), (SELECT sum(tbalance) FROM {0}pgbench_tellers), "
              "(SELECT sum(bbalance) FROM {0}pgbench_branches), (SELECT coalesce(sum(delta), 0) FROM {0}pgbench_history), "
              "(SELECT count(*) FROM {0}pgbench_history)")


class Watcher(threading.Thread):
    """Asks a question over and over; keeps the answers that are not well."""

    def __init__(self, lake, sql, well, pause=0.0):
        super().__init__(daemon=True)
        self.lake, self.sql, self.well, self.pause = lake, sql, well, pause
        self.seen, self.wrong, self.failed, self.ending = set(), [], [], threading.Event()
        self.start()

    def run(self):
        with self.lake.connect() as connection:
            while not self.ending.wait(self.pause):
                try:
                    row = connection.execute(self.sql).fetchone()
                except Exception as problem:
                    self.failed.append(str(problem))
                    return
                self.seen.add(row)
                if not self.well(row):
                    self.wrong.append(row)

    def end(self):
        self.ending.set()
        self.join(60)
        assert not self.failed and not self.wrong, (self.failed, self.wrong[:5])


def pgbench(pg, *arguments):
    done = subprocess.run([str(pg.bin / "pgbench"), *map(str, arguments), pg.url], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("rounds, seconds", [(3, 5), pytest.param(20, 30, marks=pytest.mark.long)])
def test_pgbench_while_followed(pg, tmp_path, rounds, seconds):  # noqa: F811
    pgbench(pg, "-i", "-q", "-s", 1)
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_rows("SELECT count(*) FROM erp.pgbench_accounts", [(100_000,)], 60)
        lake.until_following()
        watcher = Watcher(lake, BENCH_SUMS.format("erp."), lambda row: len(set(row[:4])) == 1)
        for _ in range(rounds):
            pgbench(pg, "-n", "-c", 4, "-j", 2, "-T", seconds)
            lake.until_rows(BENCH_SUMS.format("erp."), pg.rows(BENCH_SUMS.format("")), 60)
            assert lake.rows(ACCOUNTS.format("erp.")) == pg.rows(ACCOUNTS.format(""))
            until_equal(lake, pg, SMALL_TABLES)
        watcher.end()
        assert len(watcher.seen) > 3 * rounds, "the lake moved while it was watched"
        assert not lake.source().get("last_error") and lake.server.log_text().count("tables of a database are being loaded") == 1


@pytest.mark.long
def test_minutes_of_pgbench_and_nasty_transactions_together(pg, tmp_path):  # noqa: F811
    """Five minutes; at each pause every table has the source's rows, and in no snapshot does a transaction show by half."""
    pgbench(pg, "-i", "-q", "-s", 2)
    nasty = NastyTransactions(pg, seed=23)
    nasty.create()
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        lake.until_rows("SELECT count(*) FROM erp.pgbench_accounts", [(200_000,)], 60)
        bench_watcher = Watcher(lake, BENCH_SUMS.format("erp."), lambda row: len(set(row[:4])) == 1, pause=0.2)
        nasty_watcher = Watcher(lake, INVARIANT, lambda row: row[0] == 0, pause=0.05)
        rounds, loads = 12, []
        for number in range(rounds):
            with concurrent.futures.ThreadPoolExecutor(1) as beside:
                generator = beside.submit(until_told, nasty, time.monotonic() + 25)
                pgbench(pg, "-n", "-c", 3, "-j", 1, "-T", 25, "--random-seed", number + 1)
                generator.result()
            lake.until_rows(BENCH_SUMS.format("erp."), pg.rows(BENCH_SUMS.format("")), 90)
            assert lake.rows(ACCOUNTS.format("erp.")) == pg.rows(ACCOUNTS.format(""))
            until_equal(lake, pg, SMALL_TABLES + NASTY_TABLES, 90)
            loads.append(lake.server.log_text().count("tables of a database are being loaded"))
        bench_watcher.end()
        nasty_watcher.end()
        print(f"{nasty.count} nasty transactions, {lake.value('SELECT count(*) FROM erp.pgbench_history')} of pgbench, "
              f"{len(bench_watcher.seen)} states seen, loads {loads}")
        assert nasty.count > 100 * rounds and len(bench_watcher.seen) > 10 * rounds, "the lake moved while it was watched"
        assert not lake.source().get("last_error")


def until_told(nasty, end):
    with nasty.pg.connect() as connection:
        while time.monotonic() < end:
            nasty.run(1, connection)


# -- real sales -------------------------------------------------------------------------------------------------------

def test_real_sales_corrections_and_cancellations(pg, tmp_path):  # noqa: F811
    with gzip.open(data_file("online_retail/online_retail.csv.gz"), "rt", encoding="utf-8") as text:
        lines = list(itertools.islice(csv.DictReader(text), 30_000))
    replay = RetailReplay(pg)
    replay.create()
    with CaptureLake(tmp_path, pg.url, more="    history: true\n") as lake:
        lake.until_following()
        replay.run(lines)
        assert replay.transactions > 1200 and {kind for kind, _, _ in replay.log} == {"I", "U", "D"}
        lake.until_rows("SELECT count(*) FROM erp.sales_history", [(len(replay.log),)], 60)
        until_equal(lake, pg, ["sales"])
        columns = ", ".join(replay.COLUMNS)
        assert sorted(lake.rows(f"SELECT {columns} FROM erp.sales")) == sorted(replay.rows.values())
        told = lake.rows("SELECT operation, count(*) FROM erp.sales_history GROUP BY operation ORDER BY operation")
        assert told == replay.counts()
        sides = ", ".join(f"{side}_{column}" for side in ("before", "after") for column in replay.COLUMNS)
        width = len(replay.COLUMNS)
        log = lake.rows(f"SELECT operation, {sides} FROM erp.sales_history ORDER BY commit_lsn, ordinal")
        for number, (row, (kind, before, after)) in enumerate(zip(log, replay.log)):
            nothing = (None,) * width
            assert row == (kind, *(before or nothing), *(after or nothing)), number
        assert lake.value("SELECT count(DISTINCT transaction_id) FROM erp.sales_history") == replay.transactions


# -- a reader that is not ours ----------------------------------------------------------------------------------------

READ_FOLLOWED = """
import json, sys
from pyiceberg.table import StaticTable
location, endpoint, key, secret = sys.argv[1:]
table = StaticTable.from_metadata(location, {"s3.endpoint": endpoint, "s3.access-key-id": key, "s3.secret-access-key": secret,
                                             "s3.region": "us-east-1", "s3.force-virtual-addressing": "false"})
rows = table.scan().to_arrow().to_pylist()
print(json.dumps(sorted([r["id"], r["v"], str(r["n"]), str(r["made"]), r["ok"]] for r in rows)))
"""


def test_pyiceberg_reads_the_current_state_of_a_followed_table(pg, tmp_path, python):  # noqa: F811
    pg.run("CREATE TABLE t (id int PRIMARY KEY, v text, n numeric(12,2), made timestamp, ok boolean);"
           "INSERT INTO t SELECT g, 'v' || g, g * 1.25, timestamp '2026-01-01' + g * interval '1 minute', g % 2 = 0 FROM generate_series(1, 3000) g")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        steps = ["UPDATE t SET v = v || ' changed', n = n + 1 WHERE id % 3 = 0; DELETE FROM t WHERE id % 7 = 0",
                 "INSERT INTO t SELECT g, NULL, g, now()::timestamp(0), NULL FROM generate_series(3001, 3500) g;"
                 "UPDATE t SET id = id + 100000 WHERE id BETWEEN 100 AND 160; UPDATE t SET ok = true WHERE id > 100000",
                 "BEGIN; DELETE FROM t WHERE id = 5; INSERT INTO t VALUES (5, 'again', 5, NULL, true); DELETE FROM t WHERE id < 3; COMMIT"]
        for step in steps:
            pg.run(step)
            until_equal(lake, pg, ["t"])
            there = sorted([i, v, str(n), str(made), ok] for i, v, n, made, ok in pg.rows("SELECT id, v, n, made, ok FROM t"))
            found = run([str(python), "-c", READ_FOLLOWED, newest_metadata(lake.server, "erp"), lake.server.endpoint,
                         lake.server.access_key, lake.server.secret_key])
            assert found == there, step


# -- full disks -------------------------------------------------------------------------------------------------------

class Changes(threading.Thread):
    """Small transactions on t (with a key) and lines (without one) until it is told to end."""

    def __init__(self, pg):  # noqa: F811
        super().__init__(daemon=True)
        self.pg, self.number, self.failed, self.ending = pg, 0, None, threading.Event()
        self.start()

    def run(self):
        try:
            with self.pg.connect() as connection:
                while not self.ending.is_set():
                    self.number += 1
                    n = self.number
                    connection.execute(f"BEGIN; INSERT INTO lines VALUES ({n}); INSERT INTO t VALUES ({n}, repeat(md5('{n}'), 20)); "
                                       f"UPDATE t SET v = '{n}' WHERE id = {n // 2}; DELETE FROM t WHERE id = {n // 3}; COMMIT")
                    time.sleep(0.005)
        except Exception as problem:
            self.failed = problem

    def end(self):
        self.ending.set()
        self.join(60)
        assert self.failed is None, self.failed


def test_a_full_disk_here_loses_nothing_and_it_goes_on_by_itself(pg, tmp_path, disk):  # noqa: F811
    pg.run("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE lines (n int); CREATE TABLE big (id int PRIMARY KEY, v text)")
    (tmp_path / "lake" / "server").mkdir(parents=True)
    (disk / "data").mkdir()
    (tmp_path / "lake" / "server" / "data").symlink_to(disk / "data")  # its log is elsewhere
    with CaptureLake(tmp_path / "lake", pg.url) as lake:
        lake.until_following()
        changes = Changes(pg)
        lake.until(lambda: lake.value("SELECT count(*) FROM erp.lines") > 50)
        take_the_rest(disk)
        pg.run("INSERT INTO big SELECT g, repeat(md5(g::text), 5) FROM generate_series(1, 30000) g")  # must wait on the source
        said = lake.until_error("disk", "full")
        assert "space" in said, said
        held = lake.value("SELECT count(*) FROM erp.lines")
        time.sleep(2)
        assert lake.server.alive() and lake.value("SELECT count(*) FROM erp.lines") == held < changes.number, "reads go on"
        (disk / "filler").unlink()
        lake.until(lambda: lake.value("SELECT count(*) FROM erp.lines") > held, 60)
        changes.end()
        until_equal(lake, pg, ["t", "lines", "big"], 60)
        lake.until(lambda: not lake.source().get("last_error"), 30)
        lake.server.restart(crash=True)
        pg.run("INSERT INTO lines VALUES (-1)")
        until_equal(lake, pg, ["t", "lines", "big"], 60)
        assert lake.server.log_text().count("tables of a database are being loaded") == 1, "nothing was loaded again"


RETAINED = "    limits: {{retained_wal: {{limit: 1MB, above: {}}}}}\n"
TWO_MB = "INSERT INTO t SELECT g, repeat('y', 1000) FROM generate_series({}, {} + 3000) g"


def test_log_that_the_source_keeps_above_its_limit_is_told_until_it_is_given_back(pg, tmp_path):  # noqa: F811
    pg.run("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE other (id int PRIMARY KEY)")
    with CaptureLake(tmp_path, pg.url, more=RETAINED.format("alert")) as lake:
        lake.until_following()
        lake.server.stop()
        with pg.connect() as holder:  # a transaction that is open holds the log, whatever the lake reads
            holder.execute("BEGIN; INSERT INTO other VALUES (1)")
            pg.run(TWO_MB.format(1, 1))
            lake.server.start()
            said = lake.until_error("more than limits.retained_wal (1 MB)")
            assert "its disk fills" in said
            pg.run(TWO_MB.format(10_000, 10_000))
            until_equal(lake, pg, ["t"])
            source = lake.source()
            assert "limits.retained_wal" in (source.get("last_error") or ""), "a commit does not take the alert away"
            assert [table["table"] for table in source["tables"]] == ["erp.other", "erp.t"], "also one that did not change"
            assert source["state"] == "following" and source["capture"]["retained_bytes"] > 1_000_000
            assert lake.server.log_text().count("tables of a database are being loaded") == 1
            holder.execute("COMMIT")

        def given_back():
            pg.run("CHECKPOINT; UPDATE other SET id = id + 1")
            return not lake.source().get("last_error")
        lake.until(given_back, 60)
        until_equal(lake, pg, ["t", "other"])


def test_log_above_its_limit_is_given_back_by_a_new_load(pg, tmp_path):  # noqa: F811
    pg.run("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (0, 'x')")
    with CaptureLake(tmp_path, pg.url, more=RETAINED.format("reload")) as lake:
        lake.until_following()
        lake.server.stop()
        with pg.connect() as holder:
            holder.execute("BEGIN; DELETE FROM t WHERE id = 0")
            pg.run(TWO_MB.format(1, 1))
            before = pg.value("SELECT restart_lsn FROM pg_replication_slots")
            lake.server.start()
            lake.until(lambda: "more than limits.retained_wal" in lake.server.log_text(), 60)
            holder.execute("COMMIT")
        until_equal(lake, pg, ["t"], 60)
        assert pg.value("SELECT count(*) FROM pg_replication_slots") == 1
        assert pg.value("SELECT restart_lsn > %s::pg_lsn FROM pg_replication_slots", (before,))
        assert lake.server.log_text().count("tables of a database are being loaded") >= 2


def test_a_slot_that_the_source_gave_up_to_save_its_disk_is_made_again(pg, tmp_path):  # noqa: F811
    pg.run("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (0, 'x')")
    pg.run("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
    pg.run("SELECT pg_reload_conf()")
    try:
        with CaptureLake(tmp_path, pg.url) as lake:
            lake.until_following()
            lake.server.stop()
            for i in range(4):
                pg.run(f"INSERT INTO t VALUES ({i + 1}, 'y'); DELETE FROM t WHERE id = {i}")
                pg.run("SELECT pg_switch_wal()")
                pg.run("CHECKPOINT")
            assert pg.value("SELECT wal_status FROM pg_replication_slots") == "lost"
            lake.server.start()
            until_equal(lake, pg, ["t"], 60)
            pg.run("INSERT INTO t VALUES (100, 'z')")
            until_equal(lake, pg, ["t"], 60)
            assert pg.rows("SELECT wal_status <> 'lost', active FROM pg_replication_slots") == [(True, True)]
    finally:
        pg.run("ALTER SYSTEM RESET max_slot_wal_keep_size")
        pg.run("SELECT pg_reload_conf()")


# -- large transactions -----------------------------------------------------------------------------------------------

ASKED = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"


def peak_memory_mb(lake):
    """The server's highest resident set."""
    text = pathlib.Path(f"/proc/{lake.server.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM")) // 1024


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory is read in /proc")
@pytest.mark.parametrize("rows", [300_000, pytest.param(5_000_000, marks=pytest.mark.long)])
def test_a_transaction_of_any_size_comes_whole_in_bounded_memory(pg, tmp_path, rows):  # noqa: F811
    pg.run("CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric(12,2), note text); CREATE TABLE totals (id int PRIMARY KEY, n bigint);"
           "INSERT INTO orders SELECT g, g % 100, g, 'old' FROM generate_series(1, 10000) g; INSERT INTO totals VALUES (1, 10000)")
    state = "SELECT count(*), sum(amount)::text, sum(length(note))::text, min(id), max(id), (SELECT max(n) FROM {0}totals) FROM {0}orders"
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        old = lake.rows(state.format("erp."))
        asked = pg.value(ASKED)
        watcher = Watcher(lake, state.format("erp."), lambda row: True, pause=rows / 3_000_000)
        with pg.connect() as connection:
            connection.execute("BEGIN")
            connection.execute("ALTER TABLE orders ALTER COLUMN customer SET STATISTICS 50")  # from here on the log describes it again and again
            connection.execute(f"INSERT INTO orders SELECT g, g % 1000, g / 4.0, md5(g::text) FROM generate_series(10001, {rows * 4 // 5}) g")
            connection.execute(f"UPDATE orders SET amount = amount + 1 WHERE id % 10 = 0 AND id <= {rows}")
            connection.execute("DELETE FROM orders WHERE id % 9 = 0")
            connection.execute("UPDATE totals SET n = (SELECT count(*) FROM orders)")
            connection.execute("COMMIT")
        new = pg.rows(state.format(""))
        lake.until(lambda: new[0] in watcher.seen or watcher.failed, 60 + rows // 5000)
        watcher.end()
        assert watcher.seen <= {*old, *new}, watcher.seen
        pg.run("UPDATE orders SET note = 'small' WHERE id = 10")
        lake.until_rows("SELECT note FROM erp.orders WHERE id = 10", [("small",)])
        # The log describes the table after every 64 kB; the source is not asked each time.
        assert pg.value(ASKED) - asked < 300 + rows // 1000
        peak = peak_memory_mb(lake)
        print(f"{rows} rows: {peak} MB at most")
        # The whole process, with the SQL that reads all rows over and over beside it.
        assert peak < 512, f"{peak} MB"
