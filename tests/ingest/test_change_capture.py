"""A PostgreSQL database followed change by change: what the lake shows equals the source, one whole transaction after another,
whatever dies; and what keeps it from following is told with its remedy. Live servers of our own on both sides."""
import os
import pathlib
import random
import re
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import postgres_server  # noqa: E402
from capture_lake import CaptureLake, source_server  # noqa: E402
from nasty_transactions import INVARIANT, TABLES, NastyTransactions, differences  # noqa: E402
from tarn_server import binary  # noqa: E402

pytestmark = [pytest.mark.skipif(not postgres_server.available(), reason="no PostgreSQL programs here"),
              pytest.mark.skipif(not binary().exists(), reason="tarn is not built")]


@pytest.fixture(scope="module")
def server():
    with source_server() as running:
        yield running


@pytest.fixture
def pg(server):
    """The server with an empty database and nothing left of other lakes."""
    server.run("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active")
    deadline = time.monotonic() + 10
    while server.value("SELECT count(*) FROM pg_replication_slots WHERE active") and time.monotonic() < deadline:
        time.sleep(0.05)
    server.run("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
    for (name,) in server.rows("SELECT pubname FROM pg_publication"):
        server.run(f'DROP PUBLICATION "{name}"')
    for (name,) in server.rows("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"):
        server.run(f'DROP SCHEMA "{name}" CASCADE')
    server.run("CREATE SCHEMA public")
    yield server


def until_equal(lake, pg, tables, seconds=60):
    found = []

    def equal():
        found[:] = differences(pg, lake.rows, tables)
        return not found
    try:
        lake.until(equal, seconds)
    except AssertionError as problem:
        raise AssertionError(f"{found}: {problem}") from None


def loads(lake):
    """How many times tables were read in full."""
    return lake.server.log_text().count("tables of a database are being loaded")


# -- what is followed -------------------------------------------------------------------------------------------------

def test_changes_of_every_kind_arrive(pg, tmp_path):
    pg.run("CREATE TABLE t (id int PRIMARY KEY, v text, n numeric(10,2)); INSERT INTO t VALUES (1, 'a', 1.5), (2, NULL, 2), (3, 'c', 3)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_rows("SELECT id, v, n::text FROM erp.t ORDER BY id", [(1, "a", "1.50"), (2, None, "2.00"), (3, "c", "3.00")])
        lake.until_following()
        pg.run("INSERT INTO t VALUES (4, 'd', 4); UPDATE t SET v = 'b' WHERE id = 2; DELETE FROM t WHERE id = 3; UPDATE t SET id = 9 WHERE id = 1")
        lake.until_rows("SELECT id, v FROM erp.t ORDER BY id", [(2, "b"), (4, "d"), (9, "a")])
        source = lake.source()
        assert source["state"] == "following" and not source.get("last_error")
        assert source["capture"]["changes"] >= 4 and "/" in source["capture"]["position"]
        assert "tarn_capture_changes_total" in lake.metrics()


def test_every_type_comes_the_same_by_load_and_by_log(pg, tmp_path):
    pg.run("CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN money2 AS numeric(12,2);"
           "CREATE TABLE t (id int PRIMARY KEY, b boolean, s smallint, i bigint, r real, d float8, n numeric, m money2, x text, v varchar(9), "
           "c char(5), y bytea, da date, ti time, ts timestamp, tz timestamptz, u uuid, j jsonb, e mood, l int[], lt text[], iv interval, "
           "rg int4range, ip inet)")
    row = ("true, -7, 9007199254740993, 1.5, 1e300, 12345678901234567890.123456789, 9.99, E'tab\\tquote\" back\\\\slash', 'v', 'ab', "
           "'\\x00ff', '2026-02-28', '23:59:59.5', '2026-01-01 00:00:00.000001', '2026-01-01 12:00:00+03', "
           "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{\"a\": [1, null]}', 'glad', '{1,NULL,3}', '{\"a,b\",\"\"}', '1 day 02:00', '[1,5)', '10.0.0.1'")
    pg.run(f"INSERT INTO t VALUES (1, {row}), (3, {', '.join(['NULL'] * 23)})")
    pg.run("INSERT INTO t (id, da, ts, tz) VALUES (5, 'infinity', '-infinity', 'infinity')")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        pg.run(f"INSERT INTO t VALUES (2, {row}), (4, {', '.join(['NULL'] * 23)})")
        pg.run("INSERT INTO t (id, da, ts, tz) VALUES (6, 'infinity', '-infinity', 'infinity')")
        lake.until_rows("SELECT count(*) FROM erp.t", [(6,)])
        columns = [row[0] for row in pg.rows("SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 1 ORDER BY attnum")]
        texts = ", ".join(f"{column}::text" for column in columns)
        for loaded, followed in ((1, 2), (3, 4), (5, 6)):
            assert lake.rows(f"SELECT {texts} FROM erp.t WHERE id = {loaded}") == lake.rows(f"SELECT {texts} FROM erp.t WHERE id = {followed}")


def test_nasty_transactions_leave_both_sides_equal(pg, tmp_path):
    nasty = NastyTransactions(pg, seed=11)
    nasty.create()
    with CaptureLake(tmp_path, pg.url) as lake:
        broken, done = [], threading.Event()

        def watch():
            while not done.is_set():
                try:
                    off = lake.value(INVARIANT)
                    if off:
                        broken.append(off)
                except Exception:
                    time.sleep(0.05)  # not loaded yet
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            for _ in range(4):
                nasty.run(60)
                until_equal(lake, pg, TABLES, 90)
        finally:
            done.set()
            watcher.join()
        assert not broken, broken


def test_a_large_transaction_is_spooled_and_comes_whole(pg, tmp_path):
    pg.run("CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        seen = set()
        with pg.connect() as connection:
            connection.execute("BEGIN")
            connection.execute("INSERT INTO a SELECT g, repeat('x', 50) FROM generate_series(1, 150000) g")
            connection.execute("SAVEPOINT s")
            connection.execute("INSERT INTO a SELECT g, 'undone' FROM generate_series(200001, 250000) g")
            connection.execute("ROLLBACK TO s")
            connection.execute("INSERT INTO b SELECT g FROM generate_series(1, 1000) g")
            time.sleep(1)
            assert lake.rows("SELECT count(*) FROM erp.a") == [(0,)]
            connection.execute("COMMIT")

        def whole():
            counts = lake.rows("SELECT (SELECT count(*) FROM erp.a), (SELECT count(*) FROM erp.b)")[0]
            seen.add(counts)
            return counts == (150000, 1000)
        lake.until(whole, 90)
        assert seen <= {(0, 0), (150000, 1000)}, seen


def test_a_backlog_of_small_transactions_is_worked_off_together(pg, tmp_path):
    """Also where a commit takes longer than the interval between two: one transaction a commit would take minutes."""
    pg.run("CREATE TABLE t (id int PRIMARY KEY, v int)")
    pg.run("CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..10000 LOOP INSERT INTO t VALUES (i, 0); COMMIT; END LOOP; END $$")
    with CaptureLake(tmp_path, pg.url, more="    history: true\n") as lake:
        lake.lakefile.write_text(lake.lakefile.read_text().replace("100ms", "10ms"))
        lake.apply_file()
        lake.until_following()
        lake.server.stop()
        pg.run("CALL fill()")
        lake.server.start()
        lake.until_rows("SELECT count(*), count(DISTINCT transaction_id) FROM erp.t_history", [(10000, 10000)], 60)
        until_equal(lake, pg, ["t"])


def test_truncate_of_several_tables_is_one_step(pg, tmp_path):
    pg.run("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY REFERENCES a); INSERT INTO a SELECT generate_series(1, 100); "
           "INSERT INTO b SELECT generate_series(1, 100)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_rows("SELECT count(*) FROM erp.b", [(100,)])
        pg.run("BEGIN; TRUNCATE a CASCADE; INSERT INTO a VALUES (7); COMMIT")
        lake.until_rows("SELECT (SELECT count(*) FROM erp.a), (SELECT count(*) FROM erp.b)", [(1, 0)])


def test_a_table_that_is_added_later_is_loaded_and_followed(pg, tmp_path):
    pg.run("CREATE TABLE a (id int PRIMARY KEY, v int); INSERT INTO a VALUES (1, 1)")
    with CaptureLake(tmp_path, pg.url, ["a"]) as lake:
        lake.until_following()
        pg.run("CREATE TABLE b (id int PRIMARY KEY, v int); INSERT INTO b SELECT g, 0 FROM generate_series(1, 1000) g")
        stop = threading.Event()

        def write():
            with pg.connect() as connection:
                while not stop.is_set():
                    connection.execute("BEGIN; UPDATE a SET v = v + 1; UPDATE b SET v = v + 1 WHERE id % 10 = 1; COMMIT")
                    time.sleep(0.01)
        writer = threading.Thread(target=write)
        writer.start()
        try:
            lake.apply(pg.url, ["a", "b"])
            lake.until_rows("SELECT count(*) FROM erp.b", [(1000,)], 60)
            time.sleep(1)
        finally:
            stop.set()
            writer.join()
        until_equal(lake, pg, ["a", "b"])


def test_partitions_arrive_as_their_table(pg, tmp_path):
    pg.run("CREATE TABLE m (id int, day date, v int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);"
           "CREATE TABLE m1 PARTITION OF m FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');"
           "CREATE TABLE m2 PARTITION OF m FOR VALUES FROM ('2026-02-01') TO ('2026-03-01'); INSERT INTO m VALUES (1, '2026-01-05', 1)")
    with CaptureLake(tmp_path, pg.url, ["m"]) as lake:
        lake.until_following()
        pg.run("INSERT INTO m VALUES (2, '2026-02-07', 2); UPDATE m SET day = '2026-02-05' WHERE id = 1")
        pg.run("CREATE TABLE m3 PARTITION OF m FOR VALUES FROM ('2026-03-01') TO ('2026-04-01'); INSERT INTO m VALUES (3, '2026-03-01', 3)")
        until_equal(lake, pg, ["m"])


# -- tables that change their shape -----------------------------------------------------------------------------------

def test_columns_added_renamed_dropped_and_widened(pg, tmp_path):
    pg.run("CREATE TABLE t (id int PRIMARY KEY, a int, b text, old int); INSERT INTO t VALUES (1, 1, 'one', 5)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        pg.run("BEGIN; INSERT INTO t VALUES (2, 2, 'two', 6); ALTER TABLE t ADD COLUMN c int; INSERT INTO t VALUES (3, 3, 'three', 7, 33); COMMIT")
        lake.until_rows("SELECT id, c FROM erp.t ORDER BY id", [(1, None), (2, None), (3, 33)])
        pg.run("ALTER TABLE t RENAME COLUMN b TO name; UPDATE t SET name = 'drei' WHERE id = 3")
        lake.until_rows("SELECT id, name FROM erp.t ORDER BY id", [(1, "one"), (2, "two"), (3, "drei")])
        pg.run("ALTER TABLE t ALTER COLUMN a TYPE bigint; INSERT INTO t VALUES (4, 9007199254740993, 'four', 8, 44)")
        lake.until_rows("SELECT a FROM erp.t WHERE id = 4", [(9007199254740993,)])
        pg.run("ALTER TABLE t DROP COLUMN old; UPDATE t SET c = 1 WHERE id = 4; INSERT INTO t VALUES (5, 5, 'five', 55)")
        lake.until_rows("SELECT id, old FROM erp.t ORDER BY id", [(1, 5), (2, 6), (3, 7), (4, None), (5, None)])
        pg.run("ALTER TABLE t ADD COLUMN old text; UPDATE t SET old = 'new' WHERE id = 1")
        lake.until_rows("SELECT old FROM erp.t WHERE id = 1", [("new",)])
        until_equal(lake, pg, ["t"])
        assert loads(lake) == 1


def test_a_column_with_a_default_is_in_all_rows_without_a_load(pg, tmp_path):
    """The database keeps one value beside the rows that were there and sends none of them. Rows before, in the middle of the
    transaction, and after; with a key, without one, in partitions; with a history."""
    pg.run("CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t SELECT g, 'a' || g FROM generate_series(1, 3000) g;"
           "CREATE TABLE whole (x int, y text); ALTER TABLE whole REPLICA IDENTITY FULL; INSERT INTO whole SELECT g % 5, 'y' FROM generate_series(1, 50) g;"
           "CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF parted FOR VALUES FROM (0) TO (100);"
           "CREATE TABLE p2 PARTITION OF parted FOR VALUES FROM (100) TO (200); INSERT INTO parted SELECT g, 'v' FROM generate_series(1, 150) g;"
           "CREATE TABLE other (id int PRIMARY KEY)")
    tables = ["t", "whole", "parted", "other"]
    with CaptureLake(tmp_path, pg.url, more="    history: true\n") as lake:
        lake.until_following()
        pg.run("BEGIN; INSERT INTO t VALUES (4001, 'before'); UPDATE t SET a = 'x' WHERE id = 7; INSERT INTO other VALUES (1);"
               "ALTER TABLE t ADD COLUMN v int DEFAULT 7; INSERT INTO t VALUES (4002, 'after', 8); UPDATE t SET v = NULL WHERE id = 9; COMMIT")
        until_equal(lake, pg, tables)
        assert lake.rows("SELECT count(*), count(v) FROM erp.t WHERE v = 7 OR v IS NULL") == [(3001, 3000)]
        pg.run("ALTER TABLE t ADD COLUMN n numeric(12,3) DEFAULT 1.5, ADD COLUMN s text NOT NULL DEFAULT 'it''s \"a\\b\"', "
               "ADD COLUMN since timestamptz DEFAULT now(), ADD COLUMN l int[] DEFAULT '{1,NULL,3}', ADD COLUMN ok boolean DEFAULT true, "
               "ADD COLUMN b bytea DEFAULT '\\x00ff'; ALTER TABLE t ALTER n SET DEFAULT 2.5; DELETE FROM t WHERE id = 1")
        pg.run("UPDATE t SET ok = false WHERE id = 2; INSERT INTO t (id) VALUES (5000)")
        pg.run("BEGIN; INSERT INTO whole VALUES (9, 'z'); ALTER TABLE whole ADD COLUMN w text DEFAULT 'w'; "
               "DELETE FROM whole WHERE ctid = (SELECT ctid FROM whole LIMIT 1); COMMIT")
        pg.run("ALTER TABLE parted ADD COLUMN w int DEFAULT 3; UPDATE parted SET w = 4 WHERE id IN (5, 120)")
        until_equal(lake, pg, tables)
        pg.run("UPDATE t SET a = a || '.' WHERE id % 2 = 0; DELETE FROM whole WHERE x = 2; UPDATE parted SET id = id + 49 WHERE id = 150")
        until_equal(lake, pg, tables)
        assert loads(lake) == 1, lake.server.log_tail(40)
        # Each row has its own value, and the log has none of them: only now is the table read again.
        pg.run("ALTER TABLE t ADD COLUMN r float8 DEFAULT random(); UPDATE t SET a = 'last' WHERE id = 3")
        until_equal(lake, pg, tables)
        assert loads(lake) == 2


QUICK_DDL = [
    "INSERT INTO t VALUES (1001, 1, 'b')", "ALTER TABLE t ADD COLUMN c int DEFAULT 5", "UPDATE t SET a = a + 1 WHERE id % 3 = 0",
    "ALTER TABLE t RENAME COLUMN a TO x", "ALTER TABLE t RENAME COLUMN b TO a", "UPDATE t SET a = 'second' WHERE id = 2",
    "ALTER TABLE t ADD COLUMN d text DEFAULT 'd', ADD COLUMN n int", "INSERT INTO t VALUES (1002, 2, 'b', 6, 'd2', 1)",
    "ALTER TABLE t DROP COLUMN c", "DELETE FROM t WHERE id = 5", "ALTER TABLE t ADD COLUMN c numeric(8,2) DEFAULT 1.25",
    "UPDATE t SET c = 2.5 WHERE id = 6", "ALTER TABLE t ADD COLUMN short int DEFAULT 1", "UPDATE t SET short = 2 WHERE id = 7",
    "ALTER TABLE t DROP COLUMN short", "BEGIN; ALTER TABLE t RENAME COLUMN x TO aside; ALTER TABLE t RENAME COLUMN a TO x; UPDATE t SET aside = 0 "
    "WHERE id = 8; ALTER TABLE t RENAME COLUMN aside TO a; COMMIT", "UPDATE t SET a = 9, x = 'nine' WHERE id = 9",
    "ALTER TABLE t RENAME COLUMN d TO e", "INSERT INTO t (id, e) VALUES (1003, 'e')"]


@pytest.mark.parametrize("down", [False, True])
def test_many_changes_of_columns_one_after_the_other_need_no_load(pg, tmp_path, down):
    """The catalog is ahead of the log: by a little, or by all of it."""
    pg.run("CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t SELECT g, g, 'b' || g FROM generate_series(1, 500) g")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        pg.run("VACUUM FULL t")
        lake.server.restart()  # it sees that all rows lie elsewhere while it knows all columns: nothing to it
        lake.until_following()
        if down:
            lake.server.stop()
        with pg.connect() as connection:
            for statement in QUICK_DDL:
                connection.execute(statement)
        if down:
            lake.server.start()
        until_equal(lake, pg, ["t"])
        assert loads(lake) == 1, lake.server.log_tail(40)
        assert sorted(name for name, in lake.rows("SELECT column_name FROM information_schema.columns WHERE table_name = 't'"))[:2] == ["a", "c"]


def test_columns_that_go_while_the_catalog_is_looked_at_need_no_load(pg, tmp_path):
    """The moment in which a column is there still and nobody may read it any more is met by one table or another."""
    tables = [f"t{i}" for i in range(12)]
    for table in tables:
        pg.run(f"CREATE TABLE {table} (id int PRIMARY KEY, a int, b text); INSERT INTO {table} SELECT g, g, 'b' FROM generate_series(1, 50) g")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        with pg.connect() as connection:
            for table in tables:
                for statement in QUICK_DDL:
                    connection.execute(re.sub(r"\bt\b", table, statement))
        until_equal(lake, pg, tables, 120)
        assert loads(lake) == 1, lake.server.log_tail(40)


def test_a_table_that_somebody_has_for_himself_holds_up_no_other(pg, tmp_path):
    """ALTER TABLE or VACUUM FULL of a large table take their time."""
    pg.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE TABLE other (id int PRIMARY KEY)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        with pg.connect() as owner:
            owner.execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
            lake.server.restart()
            lake.until_following(15)
            pg.run("INSERT INTO other VALUES (1)")
            lake.until_rows("SELECT id FROM erp.other", [(1,)], 15)
            owner.execute("INSERT INTO t VALUES (2); COMMIT")
        until_equal(lake, pg, ["t", "other"])
        assert loads(lake) == 1, lake.server.log_tail(40)


def test_a_commit_that_waits_for_a_standby_is_awaited(pg, tmp_path):
    """The log has it before anybody can see in the catalog what it did to the columns."""
    pg.run("CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t SELECT g, g, 'b' FROM generate_series(1, 100) g")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        pg.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        pg.run("SELECT pg_reload_conf()")
        time.sleep(1)  # the server's processes read their settings one by one
        try:
            def change():
                with pg.connect() as connection:
                    connection.execute("SET synchronous_commit = on")
                    connection.execute("BEGIN; ALTER TABLE t DROP COLUMN a; ALTER TABLE t ADD COLUMN a int; "
                                       "UPDATE t SET a = 7 WHERE id = 7; COMMIT")
            changing = threading.Thread(target=change)
            changing.start()
            lake.until_error("waits for a synchronous standby")
            assert changing.is_alive()
            assert lake.rows("SELECT id, a FROM erp.t WHERE id = 7") == [(7, 7)]  # of before: nobody there sees another
            assert lake.rows("SELECT count(a) FROM erp.t") == [(100,)]
        finally:
            pg.run("ALTER SYSTEM RESET synchronous_standby_names")
            pg.run("SELECT pg_reload_conf()")
        changing.join(30)
        until_equal(lake, pg, ["t"])
        assert lake.rows("SELECT count(a) FROM erp.t") == [(1,)]
        assert loads(lake) == 1, lake.server.log_tail(40)


def test_a_type_that_does_not_fit_pauses_that_table_alone(pg, tmp_path):
    pg.run("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1); CREATE TABLE other (id int PRIMARY KEY)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        pg.run("ALTER TABLE t ALTER COLUMN v TYPE text; INSERT INTO t VALUES (2, 'two'); INSERT INTO other VALUES (1)")
        lake.until_rows("SELECT count(*) FROM erp.other", [(1,)])
        lake.until_error("column v", "DROP TABLE erp.t")
        assert lake.rows("SELECT id, v FROM erp.t") == [(1, 1)]
        pg.run("INSERT INTO other VALUES (2)")
        lake.until_rows("SELECT count(*) FROM erp.other", [(2,)])
        with lake.connect() as connection:
            connection.execute("DROP TABLE erp.t")
        until_equal(lake, pg, ["t", "other"], 120)


# -- what keeps it from following -------------------------------------------------------------------------------------

def test_a_wrong_wal_level_says_what_to_set(tmp_path):
    with postgres_server.PostgresServer({"wal_level": "replica"}) as plain:
        plain.run("CREATE TABLE t (id int PRIMARY KEY)")
        with CaptureLake(tmp_path, plain.url) as lake:
            lake.until_error("wal_level is replica", "ALTER SYSTEM SET wal_level = logical")


def test_missing_privileges_are_told_as_statements(pg, tmp_path):
    pg.run("CREATE TABLE t (id int PRIMARY KEY); DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD 'secret'; "
           "GRANT USAGE ON SCHEMA public TO reader; GRANT SELECT ON t TO reader")
    with CaptureLake(tmp_path, pg.url_of(user="reader"), ["t"]) as lake:
        lake.until_error('ALTER ROLE "reader" REPLICATION')
        pg.run("ALTER ROLE reader REPLICATION")
        said = lake.until_error("CREATE PUBLICATION", '"public"."t"', seconds=60)
        statement = said[said.index("CREATE PUBLICATION"):]
        pg.run(statement)  # what it says is what helps
        lake.until_following(90)
        pg.run("INSERT INTO t VALUES (1)")
        lake.until_rows("SELECT id FROM erp.t", [(1,)])


def test_a_table_without_a_key_only_grows_and_says_so(pg, tmp_path):
    pg.run("CREATE TABLE t (n int); INSERT INTO t VALUES (1); CREATE TABLE k (id int PRIMARY KEY)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        pg.run("INSERT INTO t VALUES (2); UPDATE t SET n = 5 WHERE n = 1")  # the source must still allow it
        lake.until_rows("SELECT n FROM erp.t ORDER BY n", [(1,), (2,)])
        lake.until_error("rows are only added", "REPLICA IDENTITY FULL")
        pg.run("TRUNCATE t")
        lake.until_rows("SELECT count(*) FROM erp.t", [(0,)])


def test_a_slot_that_another_uses_names_it(pg, tmp_path):
    pg.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    with CaptureLake(tmp_path / "one", pg.url) as lake:
        lake.until_following()
        slot = pg.value("SELECT slot_name FROM pg_replication_slots")
        lake.server.stop()
        import subprocess
        other = subprocess.Popen([str(pg.bin / "pg_recvlogical"), "-d", pg.url + "?application_name=thief", "--slot", slot, "--start", "-f",
                                  os.devnull, "-o", "proto_version=1", "-o", f"publication_names={slot}"])
        try:
            deadline = time.monotonic() + 20
            while not pg.value("SELECT count(*) FROM pg_replication_slots WHERE active"):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            lake.server.start()
            lake.until_error("used by process", "thief", seconds=60)
        finally:
            other.kill()
            other.wait()
        pg.run("INSERT INTO t VALUES (2)")
        lake.until_rows("SELECT count(*) FROM erp.t", [(2,)], 90)


def test_a_dropped_publication_is_made_again_and_nothing_is_missed(pg, tmp_path):
    pg.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        name = pg.value("SELECT pubname FROM pg_publication")
        pg.run(f'DROP PUBLICATION "{name}"')
        pg.run("INSERT INTO t VALUES (2)")
        pg.run("INSERT INTO t VALUES (3); DELETE FROM t WHERE id = 1")
        lake.until_rows("SELECT id FROM erp.t ORDER BY id", [(2,), (3,)], 90)
        assert "publication" in lake.server.log_text()


@pytest.mark.parametrize("down", [False, True])
def test_a_table_that_was_out_of_the_publication_for_a_moment_is_loaded_again(pg, tmp_path, down):
    """What changed meanwhile is in no log; the other table goes on as it was."""
    pg.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100); CREATE TABLE other (id int PRIMARY KEY)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        name = pg.value("SELECT pubname FROM pg_publication")
        if down:
            lake.server.stop()
        pg.run(f'ALTER PUBLICATION "{name}" DROP TABLE t')
        pg.run("DELETE FROM t WHERE id <= 50; INSERT INTO other VALUES (1)")
        pg.run(f'ALTER PUBLICATION "{name}" ADD TABLE t')
        pg.run("INSERT INTO t VALUES (101)")
        if down:
            lake.server.start()
        until_equal(lake, pg, ["t", "other"])
        assert "taken out of the source's publication" in lake.server.log_text()
        assert loads(lake) == 2
        lake.server.restart()  # and not again
        pg.run("INSERT INTO t VALUES (102)")
        until_equal(lake, pg, ["t", "other"])
        assert loads(lake) == 2


def test_a_lost_slot_loads_behind_the_old_rows(pg, tmp_path):
    pg.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 2000)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        lake.server.stop()
        pg.run("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots; DELETE FROM t WHERE id <= 500")
        lake.server.start()
        counts = set()

        def loaded():
            counts.add(lake.value("SELECT count(*) FROM erp.t"))
            return 1500 in counts
        lake.until(loaded, 90)
        assert counts <= {2000, 1500}
        pg.run("INSERT INTO t VALUES (5000)")
        until_equal(lake, pg, ["t"])


def test_retained_log_above_its_limit_is_given_up_and_loaded_again(pg, tmp_path):
    pg.run("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'x')")
    with CaptureLake(tmp_path, pg.url, more="    limits: {connections: 2, retained_wal: {limit: 1MB, above: reload}}\n") as lake:
        lake.until_following()
        lake.server.stop()
        pg.run("INSERT INTO t SELECT g, repeat('y', 1000) FROM generate_series(2, 5000) g")
        lake.server.start()
        until_equal(lake, pg, ["t"], 120)


@pytest.mark.long
def test_an_idle_slot_moves_on_while_others_write(pg, tmp_path):
    """Nothing that we follow changes, and the source may forget its log all the same; how far behind we are is shown."""
    pg.run("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE noise (v text)")
    with CaptureLake(tmp_path, pg.url, ["t"]) as lake:
        lake.until_following()
        pg.run("INSERT INTO noise SELECT repeat('x', 500) FROM generate_series(1, 20000)")
        end = pg.value("SELECT pg_current_wal_lsn()")
        lake.until(lambda: pg.rows(f"SELECT 1 FROM pg_replication_slots WHERE confirmed_flush_lsn >= '{end}'"), 60)
        lake.until(lambda: 'tarn_capture_lag_bytes{source="erp"}' in lake.metrics() and lake.source()["capture"]["lag_bytes"] < 1_000_000, 60)
        assert lake.source()["capture"]["retained_bytes"] > 0


def test_another_database_under_the_same_name_is_not_mixed_in(pg, tmp_path):
    pg.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    with source_server() as second, CaptureLake(tmp_path, pg.url) as lake:
        second.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (100)")
        lake.until_following()
        lake.apply(second.url)
        lake.until_error("another one than the lake followed")
        assert lake.rows("SELECT id FROM erp.t") == [(1,)]


def test_a_source_that_is_removed_leaves_no_slot(pg, tmp_path):
    pg.run("CREATE TABLE t (id int PRIMARY KEY)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        lake.lakefile.write_text("lake: test\n")
        lake.apply_file()
        lake.until(lambda: pg.value("SELECT (SELECT count(*) FROM pg_replication_slots) + (SELECT count(*) FROM pg_publication)") == 0)


# -- what dies --------------------------------------------------------------------------------------------------------

def test_a_new_password_and_a_restart_of_the_source_lose_nothing(pg, tmp_path):
    pg.run("DROP ROLE IF EXISTS rotor; CREATE ROLE rotor SUPERUSER LOGIN PASSWORD 'one'; CREATE TABLE t (id int PRIMARY KEY)")
    with CaptureLake(tmp_path, pg.url_of(user="rotor", password="one")) as lake:
        lake.until_following()
        pg.run("ALTER ROLE rotor PASSWORD 'two'; INSERT INTO t VALUES (1)")
        lake.apply(pg.url_of(user="rotor", password="two"))
        pg.run("INSERT INTO t VALUES (2)")
        lake.until_rows("SELECT count(*) FROM erp.t", [(2,)], 60)
        pg.kill()
        time.sleep(1)
        pg.start()
        pg.run("INSERT INTO t VALUES (3)")
        lake.until_rows("SELECT count(*) FROM erp.t", [(3,)], 60)
        assert loads(lake) == 1


def test_changes_by_sql_here_do_not_stop_it(pg, tmp_path):
    pg.run("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT g, 0 FROM generate_series(1, 200) g")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        with lake.connect() as connection:
            for i in range(20):
                pg.run("UPDATE t SET v = v + 1 WHERE id <= 100")
                try:
                    connection.execute("UPDATE erp.t SET v = -1 WHERE id > 150")
                except Exception as problem:
                    assert "40001" in str(getattr(problem, "sqlstate", "")) or "chang" in str(problem)
        lake.until_rows("SELECT count(*) FROM erp.t WHERE id <= 100 AND v = 20", [(100,)], 60)


@pytest.mark.parametrize("kills, seed", [(10, 5), pytest.param(200, 6, marks=pytest.mark.long)])
def test_killed_at_any_moment_it_goes_on_without_loss_or_doubles(pg, tmp_path, kills, seed):
    nasty = NastyTransactions(pg, seed=seed)
    nasty.create()
    chance = random.Random(seed)
    with CaptureLake(tmp_path, pg.url) as lake:
        stop = threading.Event()
        failed = []

        def write():
            try:
                while not stop.is_set():
                    nasty.run(1)
                    time.sleep(0.01)
            except Exception as problem:
                failed.append(problem)
        writer = threading.Thread(target=write)
        writer.start()
        try:
            for kill in range(kills):
                time.sleep(chance.uniform(0.05, 2.5))
                lake.server.kill()
                lake.server.start()
                if kill % 5 == 4:
                    pg.rows("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active")
        finally:
            stop.set()
            writer.join()
        assert not failed, failed
        until_equal(lake, pg, TABLES, 120)
        assert lake.value(INVARIANT) == 0
