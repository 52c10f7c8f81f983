"""A source that gets another name goes on where it stands: no row twice, none lost, nothing loaded again, whatever dies meanwhile."""
import json
import pathlib
import random
import sys
import threading

import paho.mqtt.client as mqtt
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import postgres_server  # noqa: E402
from capture_lake import CaptureLake, source_server  # noqa: E402
from lake_api import api  # noqa: E402
from tarn_server import binary  # noqa: E402

pytestmark = [pytest.mark.skipif(not postgres_server.available(), reason="no PostgreSQL programs here"),
              pytest.mark.skipif(not binary().exists(), reason="tarn is not built")]

SENSORS = "    mqtt: shop/{shelf}/level\n    columns: {n: bigint}\n    commit: 50ms\n"


@pytest.fixture
def pg():
    with source_server() as server:
        server.run("CREATE TABLE sales (id int PRIMARY KEY, n int); INSERT INTO sales SELECT i, i FROM generate_series(1, 1000) i;"
                   "CREATE TABLE stores (id int PRIMARY KEY)")
        yield server


def declaration(names, url, drop, was=()):
    database, sensor, files = names
    told = dict(zip(names, was))
    line = {name: f"    was: {told[name]}\n" if name in told else "" for name in names}
    return (f"lake: test\nsources:\n"
            f"  {database}:\n{line[database]}    postgres: \"{url}\"\n    follow: changes\n    history: true\n    commit: 100ms\n"
            f"  {sensor}:\n{line[sensor]}{SENSORS}"
            f"  {files}:\n{line[files]}    folder: {drop}/*.csv\n    settle: 100ms\n")


def slots(pg):
    return sorted(pg.rows("SELECT slot_name FROM pg_replication_slots"))


class Readings:
    """Publishes 0, 1, 2 ... until it is told to end; a reading counts when its PUBACK came."""

    def __init__(self, server):
        self.acknowledged = 0
        self.client = mqtt.Client("readings")
        self.client.username_pw_set(server.access_key, server.secret_key)
        self.client.connect(*server.address("mqtt"))
        self.client.loop_start()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stop.is_set():
            sent = self.client.publish("shop/a1/level", json.dumps({"n": self.acknowledged}), qos=1)
            sent.wait_for_publish(20)
            if not sent.is_published():
                return
            self.acknowledged += 1

    def end(self):
        self.stop.set()
        self.thread.join(30)
        self.client.loop_stop()


def test_a_source_of_each_kind_is_renamed_under_load(pg, tmp_path):
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "one.csv").write_text("day;n\n2026-01-01;1\n2026-01-02;2\n")
    lake = CaptureLake(tmp_path / "lake", pg.url)
    with lake:
        lake.lakefile.write_text(declaration(("erp", "levels", "days"), pg.url, drop))
        lake.apply_file()
        lake.until_rows("SELECT count(*) FROM erp.sales", [(1000,)])
        lake.until_rows("SELECT count(*) FROM days", [(2,)])
        lake.until_following()
        before = slots(pg)
        readings = Readings(lake.server)
        pg.run("UPDATE sales SET n = n + 1 WHERE id <= 10")
        lake.until(lambda: lake.value("SELECT count(*) FROM levels") > 20)
        names = [("shop", "shelf_levels", "calendar"), ("erp", "levels", "days"), ("shop2", "levels2", "days2")]
        was = ("erp", "levels", "days")
        for new in names:  # there, back, and to a third
            lake.lakefile.write_text(declaration(new, pg.url, drop, was))
            pg.run("UPDATE sales SET n = n + 1 WHERE id <= 10; INSERT INTO sales VALUES ((SELECT max(id) + 1 FROM sales), 0)")
            lake.apply_file()
            pg.run("DELETE FROM sales WHERE id = (SELECT max(id) FROM sales)")
            was = new
        (drop / "two.csv").write_text("day;n\n2026-01-03;3\n")
        readings.end()
        lake.until_rows("SELECT count(*), sum(n) FROM shop2.sales", [tuple(int(x) for x in pg.rows("SELECT count(*), sum(n) FROM sales")[0])])
        lake.until_rows("SELECT count(*), count(DISTINCT n), max(n) FROM levels2", [(readings.acknowledged,) * 2 + (readings.acknowledged - 1,)])
        lake.until_rows("SELECT count(*), sum(n) FROM days2", [(3, 6)])
        # Each change once, in one history; nothing was loaded again, and the slot is the one of the first day.
        assert lake.value("SELECT count(*) FROM shop2.sales_history") == 46
        assert slots(pg) == before
        assert lake.rows("SELECT table_schema FROM information_schema.tables WHERE table_schema IN ('erp', 'shop')") == []
        # It goes on after a kill, under the new name.
        lake.server.kill()
        pg.run("UPDATE sales SET n = 7 WHERE id = 7")
        lake.server.start()
        lake.until_rows("SELECT n FROM shop2.sales WHERE id = 7", [(7,)])
        assert lake.value("SELECT count(*) FROM days2") == 3


def test_a_new_source_with_a_name_of_before_begins_at_its_beginning(pg, tmp_path):
    pg.run("CREATE DATABASE second")
    second = pg.url.rsplit("/", 1)[0] + "/second"
    pg.psql("CREATE TABLE sales (id int PRIMARY KEY); INSERT INTO sales VALUES (1), (2)", database="second")
    lake = CaptureLake(tmp_path / "lake", pg.url)

    def source(name, url, was=""):
        return f"  {name}:\n" + (f"    was: {was}\n" if was else "") + f"    postgres: \"{url}\"\n    follow: changes\n    commit: 100ms\n"
    with lake:
        lake.until_rows("SELECT count(*) FROM erp.sales", [(1000,)])
        lake.lakefile.write_text("lake: test\nsources:\n" + source("old_erp", pg.url, "erp"))
        lake.apply_file()
        lake.lakefile.write_text("lake: test\nsources:\n" + source("old_erp", pg.url) + source("erp", second))
        lake.apply_file()
        lake.until_rows("SELECT count(*) FROM erp.sales", [(2,)])
        pg.psql("INSERT INTO sales VALUES (3)", database="second")
        pg.run("DELETE FROM sales WHERE id > 500")
        lake.until_rows("SELECT count(*) FROM erp.sales", [(3,)])
        lake.until_rows("SELECT count(*) FROM old_erp.sales", [(500,)])
        assert len(slots(pg)) == 2
        lake.lakefile.write_text("lake: test\nsources:\n" + source("old_erp", pg.url))
        lake.apply_file()
        lake.until(lambda: len(slots(pg)) == 1)
        pg.run("DELETE FROM sales WHERE id > 400")
        lake.until_rows("SELECT count(*) FROM old_erp.sales", [(400,)])


@pytest.mark.parametrize("seed", range(3))
def test_a_kill_in_a_rename_leaves_one_name_or_the_other(pg, tmp_path, seed):
    random.seed(seed)
    lake = CaptureLake(tmp_path / "lake", pg.url)
    with lake:
        lake.until_rows("SELECT count(*) FROM erp.sales", [(1000,)])
        lake.lakefile.write_text(f"lake: test\nsources:\n  shop:\n    was: erp\n    postgres: \"{pg.url}\"\n    follow: changes\n    commit: 100ms\n")
        killer = threading.Timer(random.uniform(0.02, 0.4), lake.server.kill)
        killer.start()
        try:
            lake.apply_file()
        except AssertionError:
            pass  # it died under the command
        killer.join()
        pg.run("UPDATE sales SET n = 0 WHERE id = 1")
        lake.server.start()
        applied = api(lake.server, "GET", "/api/v1/lakefile")["items"]
        name = applied[0]["item"].split(".")[1]
        lake.until_rows(f"SELECT count(*), sum(n) FROM {name}.sales", [(1000, 500499)])
        assert len(slots(pg)) == 1
        other = {"erp": "shop", "shop": "erp"}[name]
        assert lake.rows(f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{other}'") == []
        if name == "erp":
            lake.apply_file()
            lake.until_rows("SELECT count(*), sum(n) FROM shop.sales", [(1000, 500499)])
