"""The core of change capture against every PostgreSQL that it promises, 13 to 18, and what is new in some of them. The servers are real
builds that are fetched once (postgres_versions.py); without them the tests skip and say why."""
import pathlib
import shutil
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import postgres_server  # noqa: E402
import postgres_versions  # noqa: E402
from capture_lake import CaptureLake, SETTINGS, source_server  # noqa: E402
from tarn_server import binary  # noqa: E402
# Run here again, on the server of each version.
from test_capture_proof import test_a_slot_that_the_source_gave_up_to_save_its_disk_is_made_again  # noqa: E402, F401
from test_change_capture import (  # noqa: E402, F401
    pg, test_a_dropped_publication_is_made_again_and_nothing_is_missed, test_a_large_transaction_is_spooled_and_comes_whole,
    test_a_lost_slot_loads_behind_the_old_rows,
    test_a_slot_that_another_uses_names_it, test_a_table_that_is_added_later_is_loaded_and_followed,
    test_a_table_without_a_key_only_grows_and_says_so, test_changes_of_every_kind_arrive, test_columns_added_renamed_dropped_and_widened,
    test_every_type_comes_the_same_by_load_and_by_log, test_missing_privileges_are_told_as_statements,
    test_nasty_transactions_leave_both_sides_equal, test_partitions_arrive_as_their_table, test_truncate_of_several_tables_is_one_step,
    until_equal)

pytestmark = [pytest.mark.long, pytest.mark.skipif(not postgres_server.available(), reason="no PostgreSQL programs here"),
              pytest.mark.skipif(not binary().exists(), reason="tarn is not built")]


def programs_of(version):
    try:
        return postgres_versions.bin_folder_of(version)
    except postgres_versions.NotThere as why:
        pytest.skip(str(why))


@pytest.fixture(scope="module", params=list(postgres_versions.BUILDS))
def server(request):
    with source_server(programs_of(request.param)) as running:
        yield running


PROTOCOL = {13: 1, 14: 2, 15: 3, 16: 4, 17: 4, 18: 4}


def test_the_newest_protocol_of_both_sides_is_spoken(pg, tmp_path):  # noqa: F811
    pg.run("CREATE TABLE t (id int PRIMARY KEY)")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        version = int(pg.value("SHOW server_version_num")) // 10000
        lake.until(lambda: lake.source()["capture"]["protocol_version"] == PROTOCOL[version])


def test_generated_columns_are_left_out(pg, tmp_path):  # noqa: F811
    pg.run("CREATE TABLE t (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED, v text); INSERT INTO t (id, v) VALUES (1, 'a')")
    virtual = int(pg.value("SHOW server_version_num")) >= 180000
    if virtual:
        pg.run("ALTER TABLE t ADD COLUMN thrice int GENERATED ALWAYS AS (id * 3) VIRTUAL")
    with CaptureLake(tmp_path, pg.url) as lake:
        lake.until_following()
        pg.run("INSERT INTO t (id, v) VALUES (2, 'b'); UPDATE t SET id = 3 WHERE id = 1")
        lake.until_rows("SELECT * FROM erp.t ORDER BY id", [(2, "b"), (3, "a")])
        if virtual:
            # In the log from here on; what the lake has of the table does not change.
            pg.run(f'ALTER PUBLICATION "{pg.value("SELECT pubname FROM pg_publication")}" SET (publish_generated_columns = stored)')
        pg.run("INSERT INTO t (id, v) VALUES (4, 'd')")
        lake.until_rows("SELECT id, v FROM erp.t ORDER BY id", [(2, "b"), (3, "a"), (4, "d")])


def test_a_slot_that_stood_idle_for_too_long_is_made_again(tmp_path):
    settings = {"idle_replication_slot_timeout": "'1s'"}
    with source_server(programs_of("18"), **settings) as source:
        source.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        with CaptureLake(tmp_path, source.url) as lake:
            lake.until_following()
            lake.server.stop()
            source.run("INSERT INTO t VALUES (2)")
            deadline = time.monotonic() + 60
            while source.value("SELECT invalidation_reason FROM pg_replication_slots") != "idle_timeout":
                assert time.monotonic() < deadline
                time.sleep(0.5)
                source.run("CHECKPOINT")
            lake.server.start()
            until_equal(lake, source, ["t"])
            assert "threw away log" in lake.server.log_text()


# -- fail-over --------------------------------------------------------------------------------------------------------

def replica_of(primary, folder, settings):
    """A streaming replica: a copy of the stopped primary, which runs again afterwards."""
    replica = postgres_server.PostgresServer(dict(SETTINGS, **settings), programs=primary.bin, folder=folder)
    if primary.account:
        shutil.chown(folder, primary.account.pw_uid, primary.account.pw_gid)
    primary.stop()
    shutil.copytree(primary.data, replica.data, ignore=shutil.ignore_patterns("pg_replslot"))
    (replica.data / "pg_replslot").mkdir()
    (replica.data / "standby.signal").touch()
    with open(replica.data / "postgresql.conf", "a") as conf:
        conf.write(f"port = {replica.port}\nprimary_conninfo = '{primary.url_of()}'\n")
        for name, value in settings.items():
            conf.write(f"{name} = {value}\n")
    if primary.account:
        for path in [replica.data, *replica.data.rglob("*")]:
            shutil.chown(path, primary.account.pw_uid, primary.account.pw_gid)
    replica.data.chmod(0o700)
    primary.start()
    return replica


def until(what, seconds=60):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def caught_up(primary, replica):
    end = primary.value("SELECT pg_current_wal_lsn()")
    until(lambda: replica.value("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", (end,)))


FAILOVER = {"hot_standby_feedback": "on", "primary_slot_name": "'physical'", "sync_replication_slots": "on"}


@pytest.fixture
def pair(tmp_path):
    """(primary, a function that makes its replica and starts it), PostgreSQL 17."""
    opened = []
    with source_server(programs_of("17")) as primary:
        def make(settings):
            folder = primary.folder.parent / (primary.folder.name + "-replica")
            folder.mkdir()
            replica = replica_of(primary, folder, settings)
            replica.own_folder = True
            opened.append(replica)
            return replica.start()
        try:
            yield primary, make
        finally:
            for replica in opened:
                replica.close()


def loads(lake):
    return lake.server.log_text().count("tables of a database are being loaded")


def test_a_replica_that_has_the_slot_takes_over_without_a_load(pair, tmp_path):
    primary, make = pair
    primary.run("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT g, 0 FROM generate_series(1, 500) g")
    primary.run("SELECT pg_create_physical_replication_slot('physical', true)")
    replica = make(FAILOVER)
    with CaptureLake(tmp_path, primary.url) as lake:
        lake.until_following()
        assert primary.value("SELECT failover FROM pg_replication_slots WHERE slot_type = 'logical'")
        primary.run("UPDATE t SET v = 1 WHERE id <= 100")
        until_equal(lake, primary, ["t"])

        def synced():
            primary.run("SELECT pg_log_standby_snapshot()")  # it needs one to make its copy of the slot
            return replica.value("SELECT count(*) FROM pg_replication_slots WHERE synced AND NOT temporary AND invalidation_reason IS NULL")
        until(synced, 120)
        primary.run("UPDATE t SET v = 2 WHERE id BETWEEN 50 AND 150; DELETE FROM t WHERE id = 7")
        caught_up(primary, replica)
        primary.kill()
        replica.run("SELECT pg_promote()")
        replica.run("INSERT INTO t VALUES (1000, 5)")
        lake.apply(replica.url)
        until_equal(lake, replica, ["t"])
        replica.run("DELETE FROM t WHERE id = 1000; UPDATE t SET v = v + 1")
        until_equal(lake, replica, ["t"])
        assert loads(lake) == 1, "what it had was not loaded again"
        lake.server.restart(crash=True)
        replica.run("INSERT INTO t VALUES (1001, 5)")
        until_equal(lake, replica, ["t"])
        assert loads(lake) == 1


def test_a_replica_without_the_slot_is_loaded_behind_the_old_rows(pair, tmp_path):
    primary, make = pair
    primary.run("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT g, 0 FROM generate_series(1, 500) g")
    replica = make({"hot_standby_feedback": "on"})
    with CaptureLake(tmp_path, primary.url) as lake:
        lake.until_following()
        primary.run("UPDATE t SET v = 1 WHERE id <= 100")
        until_equal(lake, primary, ["t"])
        caught_up(primary, replica)
        primary.kill()
        replica.run("SELECT pg_promote()")
        replica.run("DELETE FROM t WHERE id > 400")
        counts = set()
        lake.apply(replica.url)

        def loaded():
            counts.add(lake.value("SELECT count(*) FROM erp.t"))
            return 400 in counts
        lake.until(loaded, 60)
        assert counts <= {500, 400}, "its old rows until the new ones are there"
        assert "its replication slot is gone" in lake.server.log_text()
        replica.run("INSERT INTO t VALUES (1000, 5)")
        until_equal(lake, replica, ["t"])


def test_a_replica_that_lacks_what_the_lake_has_is_never_mixed_with_it(pair, tmp_path):
    primary, make = pair
    primary.run("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'old' FROM generate_series(1, 100) g")
    primary.run("SELECT pg_create_physical_replication_slot('physical', true)")
    replica = make(FAILOVER)
    with CaptureLake(tmp_path, primary.url) as lake:
        lake.until_following()

        def synced():
            primary.run("SELECT pg_log_standby_snapshot()")
            return replica.value("SELECT count(*) FROM pg_replication_slots WHERE synced AND NOT temporary AND invalidation_reason IS NULL")
        until(synced, 120)
        replica.stop()
        primary.run("INSERT INTO t VALUES (1000, 'lost with the primary')")
        until_equal(lake, primary, ["t"])
        primary.kill()
        replica.start()
        replica.run("SELECT pg_promote()")
        # The replica's own log goes on beyond where the lake stands, so that its length says nothing.
        replica.run("INSERT INTO t SELECT g, repeat('new', 300) FROM generate_series(2000, 4000) g")
        lake.apply(replica.url)
        until_equal(lake, replica, ["t"])
        assert loads(lake) == 2 and "lacked" in lake.server.log_text()
        replica.run("DELETE FROM t WHERE id = 2000")
        until_equal(lake, replica, ["t"])
