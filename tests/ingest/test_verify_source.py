"""`tarn verify source`: what the lake holds is compared with the live database while changes flow; what differs is named, counted,
and mended on request. A row that was changed behind our back is one that somebody changed in the lake by SQL."""
import json
import pathlib
import random
import subprocess
import sys
import threading
import time

import psycopg
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import postgres_server  # noqa: E402
from capture_lake import CaptureLake, source_server  # noqa: E402
from lake_api import api  # noqa: E402
from tarn_server import binary  # noqa: E402

pytestmark = [pytest.mark.skipif(not postgres_server.available(), reason="no PostgreSQL programs here"),
              pytest.mark.skipif(not binary().exists(), reason="tarn is not built")]


@pytest.fixture(scope="module")
def pg():
    with source_server() as running:
        running.run("CREATE TABLE sales (id bigint PRIMARY KEY, amount numeric(10,2), note text, at timestamptz DEFAULT now())")
        running.run("INSERT INTO sales (id, amount, note) SELECT i, i / 7.0, CASE WHEN i % 5 = 0 THEN NULL ELSE md5(i::text) END "
                    "FROM generate_series(1, 60000) i")
        running.run("CREATE TABLE parts (code text, version int, price float8, tags text[], PRIMARY KEY (code, version))")
        running.run("INSERT INTO parts SELECT chr(64 + i % 60) || '-' || i, i % 3, i / 3.0, ARRAY['a', NULL, 'c' || i] "
                    "FROM generate_series(1, 3000) i")
        running.run("CREATE TABLE empty_one (id int PRIMARY KEY)")
        yield running


@pytest.fixture(scope="module")
def lake(pg, tmp_path_factory):
    with CaptureLake(tmp_path_factory.mktemp("verify"), pg.url) as running:
        running.until_following()
        running.until(lambda: running.value("SELECT count(*) FROM erp.sales") == 60000)
        yield running


def command(lake, *words):
    env = dict(lake.server.client_env(), TARN_ENDPOINT=f"http://{lake.server.ready['http']}")
    return subprocess.run([str(binary()), *words], capture_output=True, text=True, env=env, timeout=180, check=False)


def tarn(lake, *words):
    """(exit code, verdict) of `tarn verify source erp ...`."""
    done = command(lake, "--json", "verify", "source", "erp", *words)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def of_table(verdict, name):
    return next(table for table in verdict["tables"] if table["table"] == f"erp.{name}")


def test_a_quiet_source_is_equal(lake):
    code, verdict = tarn(lake)
    assert code == 0 and verdict["equal"] and not verdict["error"], verdict
    sales = of_table(verdict, "sales")
    assert (sales["rows_source"], sales["rows_lake"], sales["differences"]) == (60000, 60000, 0)
    assert of_table(verdict, "parts")["state"] == of_table(verdict, "empty_one")["state"] == "equal"
    assert lake.source()["verified"]["equal"] is True
    assert 'tarn_source_differences{source="erp"} 0' in lake.metrics()


def test_rows_changed_behind_our_back_are_named_and_repaired(lake):
    with lake.connect() as sql:
        sql.execute("UPDATE erp.sales SET amount = amount + 1 WHERE id = 4711")
        sql.execute("DELETE FROM erp.sales WHERE id IN (10, 59999)")
        sql.execute("INSERT INTO erp.sales (id, amount, note) VALUES (70001, 1, 'never sold'), (-5, 1, NULL)")
        sql.execute("UPDATE erp.parts SET tags = NULL WHERE code = '@-60' AND version = 0")
    code, verdict = tarn(lake)
    assert code == 1 and not verdict["equal"]
    found = {(key["what"], key["key"]) for key in of_table(verdict, "sales")["keys"]}
    assert found == {("different", "id=4711"), ("missing", "id=10"), ("missing", "id=59999"), ("extra", "id=70001"),
                     ("extra", "id=-5")}, verdict
    assert [(key["what"], key["key"]) for key in of_table(verdict, "parts")["keys"]] == [("different", "code=@-60, version=0")]
    assert lake.source()["verified"]["differences"] == 6

    code, verdict = tarn(lake, "--table", "sales", "--repair")
    assert code == 0 and of_table(verdict, "sales")["repaired"] == 5, verdict
    assert [table["table"] for table in verdict["tables"]] == ["erp.sales"]
    code, verdict = tarn(lake)
    assert of_table(verdict, "sales")["state"] == "equal" and of_table(verdict, "parts")["state"] == "different"
    code, verdict = tarn(lake, "--repair")
    assert code == 0
    assert tarn(lake)[0] == 0
    assert lake.value("SELECT count(*) FROM erp.sales WHERE id IN (-5, 70001)") == 0


def test_a_busy_source_is_equal_and_differences_are_found_in_it(pg, lake):
    stopping = threading.Event()

    def write():
        chance = random.Random(3)
        with psycopg.connect(pg.url, autocommit=True) as connection:
            while not stopping.is_set():
                keys = [chance.randrange(1, 60001) for _ in range(40)]
                connection.execute("UPDATE sales SET amount = amount + 1 WHERE id = ANY(%s)", (keys,))
                connection.execute("DELETE FROM sales WHERE id = %s", (keys[0],))
                connection.execute("INSERT INTO sales (id, note) VALUES (%s, 'again') ON CONFLICT DO NOTHING", (keys[1],))
                time.sleep(0.02)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        code, verdict = tarn(lake, "--table", "sales")
        assert code == 0, verdict
        # Out of the writer's way, so that nobody but us can mend it.
        lake.until(lambda: lake.rows("INSERT INTO erp.sales (id, note) VALUES (99999999, 'ghost') RETURNING id"))
        code, verdict = tarn(lake, "--table", "sales")
        assert code == 1 and [key["key"] for key in of_table(verdict, "sales")["keys"]] == ["id=99999999"], verdict
        code, verdict = tarn(lake, "--table", "sales", "--repair")
        assert code == 0 and of_table(verdict, "sales")["repaired"] == 1, verdict
    finally:
        stopping.set()
        writer.join()
    assert tarn(lake, "--table", "sales")[0] == 0


def test_the_last_verdict_survives_a_restart(lake):
    before = tarn(lake, "--last")[1]
    lake.server.restart(crash=True)
    lake.until_following()
    assert tarn(lake, "--last")[1] == before
    status = command(lake, "status")
    assert "equal to its source" in status.stdout, status.stdout + status.stderr


def test_what_can_not_be_compared_says_so(lake):
    code, verdict = tarn(lake, "--table", "nowhere")
    assert code == 1 and "no table nowhere" in verdict["error"]
    done = command(lake, "verify", "source", "crm")
    assert done.returncode == 1 and "no source crm" in done.stderr


def test_it_runs_on_schedule_and_repairs_if_told_so(tmp_path):
    with source_server() as pg:
        pg.run("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b')")
        with CaptureLake(tmp_path, pg.url, ["t"], "    history: true\n    verify: {every: 2s, repair: true}\n") as lake:
            lake.until_following()
            lake.until(lambda: lake.source()["verified"] and lake.source()["verified"]["equal"], 60)
            with lake.connect() as sql:
                sql.execute("INSERT INTO erp.t VALUES (3, 'ghost')")
                sql.execute("UPDATE erp.t SET v = 'wrong' WHERE id = 1")
            lake.until_rows("SELECT id, v FROM erp.t ORDER BY id", [(1, "a"), (2, "b")], 120)
            assert api(lake.server, "GET", "/api/v1/sources/erp/verify")["scheduled"] is True
            # Whoever follows the history is told, in the order of the log.
            pg.run("INSERT INTO t VALUES (4, 'd')")
            lake.until_rows("SELECT operation, before_id, before_v, after_id, after_v, transaction_id = 0 FROM erp.t_history "
                            "ORDER BY commit_lsn, ordinal, coalesce(before_id, after_id)",
                            [("U", 1, "wrong", 1, "a", True), ("D", 3, "ghost", None, None, True), ("I", None, None, 4, "d", False)])
