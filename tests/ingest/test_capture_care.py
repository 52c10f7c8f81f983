"""How a followed PostgreSQL database is, told by status, API and metrics; how gently it is read; what becomes of a table that cannot be
followed while the others go on; and a disk that fills up there. From outside, against live servers."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import postgres_server  # noqa: E402
from capture_lake import SETTINGS, CaptureLake  # noqa: E402
from tarn_server import binary  # noqa: E402
from test_change_capture import loads, pg, server, until_equal  # noqa: E402, F401
from test_full_disk import take_the_rest  # noqa: E402

pytestmark = [pytest.mark.skipif(not postgres_server.available(), reason="no PostgreSQL programs here"),
              pytest.mark.skipif(not binary().exists(), reason="tarn is not built")]


def metric(lake, line):
    """The value of a metric with its labels; None without it."""
    found = [text for text in lake.metrics().splitlines() if text.startswith(line + " ")]
    return float(found[0].rsplit(" ", 1)[1]) if found else None


def printed_status(lake):
    env = dict(lake.server.client_env(), TARN_ENDPOINT="http://" + lake.server.ready["http"])
    done = subprocess.run([str(binary()), "status"], capture_output=True, text=True, env=env, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# -- how it is --------------------------------------------------------------------------------------------------------

def test_a_silent_source_falls_behind_in_status_and_metrics(pg, tmp_path):  # noqa: F811
    pg.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        pg.run("INSERT INTO t VALUES (100)")
        until_equal(lake, pg, ["t"])
        lake.until(lambda: lake.source()["capture"]["lag_seconds"] == 0, 30)
        assert metric(lake, 'tarn_source_failing{source="erp"}') == 0
        assert metric(lake, 'tarn_capture_lag_seconds{source="erp"}') == 0
        assert metric(lake, 'tarn_capture_lag_bytes{source="erp"}') is not None
        assert metric(lake, 'tarn_source_table_rows{source="erp",table="t"}') >= 1
        assert time.time() - metric(lake, 'tarn_source_table_commit_time_seconds{source="erp",table="t"}') < 60
        pg.kill()
        try:
            lake.until(lambda: metric(lake, 'tarn_source_failing{source="erp"}') == 1, 30)
            behind = metric(lake, 'tarn_capture_lag_seconds{source="erp"}')
            time.sleep(2)
            assert metric(lake, 'tarn_capture_lag_seconds{source="erp"}') >= behind + 1.9
            told = lake.source()
            assert told["capture"]["lag_seconds"] > 2 and "cannot connect" in told["last_error"]
            assert "cannot connect" in printed_status(lake) and " s behind" in printed_status(lake)
        finally:
            pg.start()
        lake.until(lambda: metric(lake, 'tarn_source_failing{source="erp"}') == 0, 60)
        lake.until(lambda: metric(lake, 'tarn_capture_lag_seconds{source="erp"}') == 0, 30)


def test_a_transaction_that_waits_has_its_age(pg, tmp_path):  # noqa: F811
    """The lake commits every ten seconds here; what was committed there meanwhile gets older."""
    pg.run("CREATE TABLE t (id int PRIMARY KEY)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.lakefile.write_text(lake.lakefile.read_text().replace("100ms", "10s"))
        lake.apply_file()
        lake.until_following()
        pg.run("INSERT INTO t VALUES (1)")
        lake.until_rows("SELECT count(*) FROM erp.t", [(1,)])
        pg.run("INSERT INTO t VALUES (2)")
        lake.until(lambda: lake.source()["capture"]["lag_seconds"] > 3, 30)
        assert lake.value("SELECT count(*) FROM erp.t") == 1 and not lake.source().get("last_error")
        lake.until_rows("SELECT count(*) FROM erp.t", [(2,)])
        lake.until(lambda: lake.source()["capture"]["lag_seconds"] == 0, 30)


# -- how gently it is read --------------------------------------------------------------------------------------------

def test_a_full_load_keeps_to_its_rate_and_its_connections(pg, tmp_path):  # noqa: F811
    pg.run("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, repeat(md5(g::text), 10) FROM generate_series(1, 20000) g;"
           "CREATE TABLE u (id int PRIMARY KEY, v text); INSERT INTO u SELECT * FROM t LIMIT 100; ANALYZE")
    most, done = [0], threading.Event()

    def watch():
        with pg.connect() as connection:
            while not done.wait(0.02):
                count = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tarn'").fetchone()[0]
                most[0] = max(most[0], count)
    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.monotonic()
    try:
        with CaptureLake(tmp_path, pg.url, more="    limits: {connections: 2, rate: 1MB}\n") as lake:
            until_equal(lake, pg, ["t", "u"])
            took = time.monotonic() - began
            lake.until_following()
    finally:
        done.set()
        watcher.join()
    bytes_read = pg.value("SELECT sum(length(id::text) + length(v) + 2) FROM t")
    assert bytes_read > 6_000_000
    assert took >= bytes_read / 1_000_000 - 0.5, "the rate was not kept"
    assert took < bytes_read / 1_000_000 + 20, "it was read much slower than allowed"
    assert most[0] <= 3, "the load's two, and the one that asks"


def test_a_table_that_is_written_anew_during_its_load_loses_nothing(pg, tmp_path):  # noqa: F811
    """To a snapshot of before, PostgreSQL shows such a table without rows."""
    pg.run("CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a SELECT g, repeat(md5(g::text), 10) FROM generate_series(1, 20000) g;"
           "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)")
    with CaptureLake(tmp_path, pg.url, more="    limits: {connections: 1, rate: 1MB}\n") as lake:
        lake.until(lambda: lake.table("a").get("rows", 0) > 0)
        assert not lake.table("t").get("rows")
        pg.run("ALTER TABLE t ADD COLUMN r float8 DEFAULT random()")
        until_equal(lake, pg, ["a", "t"], 90)
        assert "written anew while it was loaded" in lake.server.log_text()


def test_a_table_that_is_locked_during_its_load_is_loaded_later(pg, tmp_path):  # noqa: F811
    """The others are there meanwhile."""
    pg.run("CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a SELECT g, repeat(md5(g::text), 10) FROM generate_series(1, 10000) g;"
           "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)")
    with CaptureLake(tmp_path, pg.url, more="    limits: {connections: 1, rate: 1MB}\n") as lake, pg.connect() as owner:
        lake.until(lambda: lake.table("a").get("rows", 0) > 0)
        owner.execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        lake.until_rows("SELECT count(*) FROM erp.a", [(10000,)], 60)
        pg.run("INSERT INTO a VALUES (0, 'new')")
        lake.until_rows("SELECT count(*) FROM erp.a", [(10001,)], 60)
        owner.execute("COMMIT")
        until_equal(lake, pg, ["a", "t"], 90)


# -- what cannot be followed ------------------------------------------------------------------------------------------

def test_a_table_that_does_not_fit_lets_the_others_be_loaded(pg, tmp_path):  # noqa: F811
    pg.run("CREATE TABLE odd (id int PRIMARY KEY, n numeric); INSERT INTO odd VALUES (1, 'NaN'), (2, 5);"
           "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_rows("SELECT id FROM erp.t", [(1,)])
        said = lake.until_error("odd", "column n", "NaN")
        assert "correct the value" in said
        pg.run("INSERT INTO t VALUES (2)")
        lake.until_rows("SELECT count(*) FROM erp.t", [(2,)])
        assert lake.source()["state"] == "following"
        assert metric(lake, 'tarn_source_table_failing{source="erp",table="odd"}') == 1
        assert metric(lake, 'tarn_source_table_failing{source="erp",table="t"}') == 0
        assert "column n" in lake.table("odd")["last_error"] and not lake.table("t")["last_error"]
        assert "column n" in printed_status(lake)
        pg.run("UPDATE odd SET n = 6 WHERE id = 1")
        lake.until_rows("SELECT id, n::float8 FROM erp.odd ORDER BY id", [(1, 6.0), (2, 5.0)], 150)
        lake.until(lambda: not lake.source()["last_error"] and not lake.table("odd")["last_error"])
        assert metric(lake, 'tarn_source_table_failing{source="erp",table="odd"}') == 0


def test_a_value_that_has_no_place_pauses_its_table_until_it_is_mended(pg, tmp_path):  # noqa: F811
    pg.run("CREATE TABLE odd (id int PRIMARY KEY, n numeric); INSERT INTO odd VALUES (1, 5); CREATE TABLE t (id int PRIMARY KEY)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        pg.run("INSERT INTO odd VALUES (2, 'NaN'); INSERT INTO t VALUES (1)")
        lake.until_rows("SELECT count(*) FROM erp.t", [(1,)])
        said = lake.until_error("could not be loaded again", "column n", seconds=60)
        assert "mend it there" in said and "paused" in lake.table("odd") and "column n" in printed_status(lake)
        assert metric(lake, 'tarn_capture_paused_tables{source="erp"}') == 1
        assert lake.rows("SELECT id, n::float8 FROM erp.odd") == [(1, 5.0)], "the old rows stay"
        pg.run("UPDATE odd SET n = 7 WHERE id = 2; INSERT INTO t VALUES (2)")
        lake.until_rows("SELECT count(*) FROM erp.t", [(2,)])
        lake.until_rows("SELECT id, n::float8 FROM erp.odd ORDER BY id", [(1, 5.0), (2, 7.0)], 150)
        lake.until(lambda: "paused" not in lake.table("odd") and not lake.source()["last_error"])


@pytest.mark.parametrize("named", [False, True])
def test_a_table_that_is_dropped_there_is_told_and_comes_again_with_a_new_one(pg, tmp_path, named):  # noqa: F811
    pg.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE TABLE other (id int PRIMARY KEY)")
    with CaptureLake(tmp_path, pg.url, ["t", "other"] if named else []) as lake:
        lake.until_following()
        pg.run("DROP TABLE t; INSERT INTO other VALUES (1)")
        lake.until_rows("SELECT count(*) FROM erp.other", [(1,)])
        said = lake.until_error("no longer in the database", "DROP TABLE erp.t", seconds=100)
        assert "`tables`" in said or not named
        assert lake.source()["state"] == "following" and lake.rows("SELECT id FROM erp.t") == [(1,)]
        pg.run("INSERT INTO other VALUES (2)")
        lake.until_rows("SELECT count(*) FROM erp.other", [(2,)])
        pg.run("CREATE TABLE t (id int PRIMARY KEY, more text); INSERT INTO t VALUES (7, 'new')")
        lake.until_rows("SELECT id, more FROM erp.t", [(7, "new")], 150)
        lake.until(lambda: not lake.source()["last_error"] and not lake.table("t")["last_error"])


def test_a_table_that_may_not_be_read_is_told_with_the_grant_and_the_others_go_on(pg, tmp_path):  # noqa: F811
    pg.run("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE mine (id int PRIMARY KEY); DROP ROLE IF EXISTS keeper;"
           "CREATE ROLE keeper LOGIN REPLICATION PASSWORD 'secret'; GRANT USAGE, CREATE ON SCHEMA public TO keeper; "
           "GRANT CREATE ON DATABASE shop TO keeper; ALTER TABLE mine OWNER TO keeper")
    with CaptureLake(tmp_path, pg.url_of(user="keeper"), ["t", "mine"]) as lake:
        said = lake.until_error("may not read table public.t", "GRANT SELECT")
        pg.run("INSERT INTO mine VALUES (1)")
        lake.until_rows("SELECT id FROM erp.mine", [(1,)])
        assert said == lake.table("t")["last_error"] and not lake.table("mine")["last_error"]


def test_values_that_a_change_of_type_computed_are_loaded_again(pg, tmp_path):  # noqa: F811
    """They are in no log. A wider type keeps the values that it had, as a rule: that needs no load, and the rule is told."""
    pg.run("CREATE TABLE t (id int PRIMARY KEY, v text, n int); INSERT INTO t SELECT g, repeat('x', g), g FROM generate_series(1, 50) g;"
           "CREATE TABLE other (id int PRIMARY KEY)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        pg.run("ALTER TABLE t ALTER n TYPE bigint; UPDATE t SET n = 9007199254740993 WHERE id = 1")
        until_equal(lake, pg, ["t"])
        assert loads(lake) == 1
        lake.until_error("column n", "wider type", "tarn verify source")
        pg.run("UPDATE t SET n = 3 WHERE id = 1; ALTER TABLE t ALTER n TYPE int USING n + 7; UPDATE t SET v = 'y' WHERE id = 2; INSERT INTO other VALUES (1)")
        lake.until_rows("SELECT count(*) FROM erp.other", [(1,)])
        until_equal(lake, pg, ["t"], 60)
        assert loads(lake) == 2 and "its values became" in lake.server.log_text()
        pg.run("ALTER TABLE t ALTER v TYPE int USING length(v); UPDATE t SET n = 2 WHERE id = 2; INSERT INTO other VALUES (2)")
        lake.until_rows("SELECT count(*) FROM erp.other", [(2,)])
        lake.until_error("column v", "DROP TABLE erp.t")
        with lake.connect() as connection:
            connection.execute("DROP TABLE erp.t")
        until_equal(lake, pg, ["t"], 120)


def test_values_computed_anew_for_a_column_of_the_same_type_are_loaded_again(pg, tmp_path):  # noqa: F811
    """The log describes the table as before. Rows that only lie elsewhere, or columns that were only touched, need no load."""
    pg.run("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT g, g FROM generate_series(1, 50) g; CREATE TABLE other (id int PRIMARY KEY)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()

        def connect_again():  # the tables are looked at then; else every few seconds
            held = "SELECT active_pid FROM pg_replication_slots WHERE active_pid IS NOT NULL"
            lake.until(lambda: pg.rows(held), 30)
            pid = pg.rows(held)[0][0]
            pg.run(f"SELECT pg_terminate_backend({pid})")
            lake.until(lambda: pg.rows(held) not in ([], [(pid,)]), 30)
            pg.run("INSERT INTO other SELECT coalesce(max(id), 0) + 1 FROM other")
            until_equal(lake, pg, ["other"], 60)

        pg.run("ALTER TABLE t ALTER n SET DEFAULT 5")
        connect_again()
        pg.run("VACUUM FULL t")
        connect_again()
        pg.run("ALTER TABLE t ALTER n SET NOT NULL; UPDATE t SET n = 0 WHERE id = 1")
        until_equal(lake, pg, ["t"])
        assert loads(lake) == 1
        pg.run("ALTER TABLE t ALTER n TYPE int USING n * 2 + 1; UPDATE t SET n = 3 WHERE id = 2")
        connect_again()
        until_equal(lake, pg, ["t"], 60)
        assert loads(lake) == 2 and "computed values of its rows anew" in lake.server.log_text()


def test_a_table_whose_rows_could_not_be_told_apart_is_loaded_again_when_they_can(pg, tmp_path):  # noqa: F811
    pg.run("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'v' FROM generate_series(1, 20) g;"
           "ALTER TABLE t REPLICA IDENTITY NOTHING; CREATE TABLE k (id int PRIMARY KEY)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        lake.until_error("rows are only added", "REPLICA IDENTITY DEFAULT")
        pg.run("UPDATE t SET v = 'missed' WHERE id < 5; DELETE FROM t WHERE id = 6; INSERT INTO t VALUES (100, 'came')")
        lake.until_rows("SELECT count(*) FROM erp.t", [(21,)])
        pg.run("ALTER TABLE t REPLICA IDENTITY DEFAULT")
        pg.run("UPDATE t SET v = 'seen' WHERE id = 7")
        until_equal(lake, pg, ["t"], 150)
        lake.until(lambda: not lake.table("t").get("note") and not lake.table("t").get("paused"))


@pytest.mark.parametrize("key", [True, False])
def test_partitions_that_come_and_go_with_their_rows(pg, tmp_path, key):  # noqa: F811
    """The log tells no row of them: the table is loaded again. One that is made as a partition has all its rows in the log."""
    pg.run("CREATE TABLE m (id int, d int, v text) PARTITION BY RANGE (d); CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);"
           "CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20); INSERT INTO m SELECT g, g % 20, 'v' FROM generate_series(1, 60) g;"
           "CREATE TABLE extra (id int NOT NULL, d int NOT NULL, v text); INSERT INTO extra SELECT g, 25, 'e' FROM generate_series(100, 120) g")
    if key:
        pg.run("ALTER TABLE m ADD PRIMARY KEY (id, d)")
    with CaptureLake(tmp_path, pg.url, ["m"]) as lake:
        lake.until_following()
        pg.run("BEGIN; CREATE TABLE m4 PARTITION OF m FOR VALUES FROM (30) TO (40); INSERT INTO m VALUES (500, 35, 'new'); COMMIT")
        until_equal(lake, pg, ["m"])
        pg.run("ALTER TABLE m ATTACH PARTITION extra FOR VALUES FROM (20) TO (30); INSERT INTO m VALUES (501, 25, 'n')")
        until_equal(lake, pg, ["m"], 120)
        assert loads(lake) == 2 and "a partition with rows was attached" in lake.server.log_text(), "and none for the one that was made"
        pg.run("ALTER TABLE m DETACH PARTITION m1; INSERT INTO m VALUES (502, 25, 'n')")
        until_equal(lake, pg, ["m"], 120)
        pg.run("TRUNCATE m2")
        until_equal(lake, pg, ["m"], 120)
        lake.server.stop()
        pg.run("DROP TABLE extra; INSERT INTO m VALUES (503, 35, 'n')")
        lake.server.start()
        until_equal(lake, pg, ["m"], 120)
        assert loads(lake) == 5


def test_tables_that_inherit_are_tables_of_their_own(pg, tmp_path):  # noqa: F811
    pg.run("CREATE TABLE p (id int PRIMARY KEY, v text); CREATE TABLE c (extra int, PRIMARY KEY (id)) INHERITS (p);"
           "INSERT INTO p VALUES (1, 'p'); INSERT INTO c VALUES (2, 'c', 9)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        pg.run("INSERT INTO p VALUES (3, 'p'); INSERT INTO c VALUES (4, 'c', 9); UPDATE p SET v = 'u'")
        lake.until_rows("SELECT * FROM erp.p ORDER BY id", [(1, "u"), (3, "u")])
        lake.until_rows("SELECT id, v, extra FROM erp.c ORDER BY id", [(2, "u", 9), (4, "u", 9)])


def test_columns_of_odd_types_do_not_stop_a_table(pg, tmp_path):  # noqa: F811
    types = {"tz": ("timetz", "12:30:00.5+05:30"), "iv": ("interval", "-1 year 2 mons -3 days 04:05:06.789"), "mo": ("money", "$1,234.56"),
             "b": ("bit(5)", "10101"), "vb": ("varbit", "1"), "ip": ("inet", "::1/64"), "ci": ("cidr", "10.0.0.0/8"), "pt": ("point", "(1.5,-2)"),
             "ts": ("tsvector", "a:1 fat:2A"), "x": ("xml", "<a>\u00fc</a>"), "ol": ("oidvector", "1 2 3"), "iv2": ("int2vector", "4 5"),
             "l": ("pg_lsn", "16/B374D848"), "a2": ("int[][]", "{{1,2},{3,4}}"), "jp": ("jsonpath", '$."a"[*]')}
    pg.run(f"CREATE TABLE t (id int PRIMARY KEY, {', '.join(f'{name} {of}' for name, (of, _) in types.items())})")
    row = ", ".join(f"'{text}'" for _, text in types.values())
    pg.run(f"INSERT INTO t VALUES (1, {row})")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        pg.run(f"INSERT INTO t VALUES (2, {row})")
        lake.until_rows("SELECT count(*) FROM erp.t", [(2,)])
        for name in types:
            assert {value for value, in lake.rows(f"SELECT {name}::text FROM erp.t")} == {pg.value(f"SELECT {name}::text FROM t WHERE id = 1")}, name


# -- a full disk there ------------------------------------------------------------------------------------------------

@pytest.fixture
def small_disk():
    """A disk of its own for a server's data, which the server's account can reach."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tarn-small-disk-"))
    folder.chmod(0o755)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m,mode=755", "tarn-test", str(folder)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        folder.rmdir()
        pytest.skip(f"cannot mount a small disk: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)
        folder.rmdir()


def test_a_disk_that_is_full_there_is_told_with_the_remedy(small_disk, tmp_path):
    """Its log lies elsewhere, or the server would end. What is followed goes on; what has to be written there waits."""
    small = postgres_server.PostgresServer(SETTINGS, folder=small_disk / "pg")
    log = pathlib.Path(tempfile.mkdtemp(prefix="tarn-small-disk-log-"))
    try:
        small.start()
        small.stop()
        shutil.move(small.data / "pg_wal", log / "pg_wal")
        owner = f"{small.account.pw_uid}:{small.account.pw_gid}"
        subprocess.run(["chown", "-R", owner, str(log)], check=True)
        (small.data / "pg_wal").symlink_to(log / "pg_wal")
        small.start()
        small.run("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1); CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1)")
        with CaptureLake(tmp_path, small.url, ["t"]) as lake:
            lake.until_following()
            take_the_rest(small_disk)
            lake.apply(small.url, ["t", "u"])
            said = lake.until_error("No space left on device", "make room", seconds=60)
            assert "limits: {retained_wal" in said
            assert "make room" in printed_status(lake)
            assert metric(lake, 'tarn_source_failing{source="erp"}') == 1
            (small_disk / "filler").unlink()
            small.run("INSERT INTO u VALUES (2); UPDATE t SET v = 2")
            until_equal(lake, small, ["t", "u"], 90)
            lake.until(lambda: not lake.source()["last_error"])
    finally:
        small.close()
        shutil.rmtree(log, ignore_errors=True)
