"""A PostgreSQL database becomes tables of the lake: in full from one snapshot, then by what grows. A private PostgreSQL
stands beside the real program; what is compared is always what both answer."""
import os
import pathlib
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import postgres_server  # noqa: E402
from lake_api import api  # noqa: E402
from tarn_server import TarnServer, binary  # noqa: E402

pytestmark = pytest.mark.skipif(not postgres_server.available(), reason="no PostgreSQL programs here")


@pytest.fixture(scope="module")
def pg():
    with postgres_server.PostgresServer() as server:
        yield server


class Lake:
    """A server whose lakefile has one source `erp`; `source` are its lines."""

    def __init__(self, folder, url, tables, more=""):
        self.folder = folder
        (folder / "server").mkdir(exist_ok=True)
        self.lakefile = folder / "lake.yaml"
        self.declare(url, tables, more)
        self.server = TarnServer(folder=folder / "server", args=["--lake", self.lakefile]).start()

    def declare(self, url, tables, more=""):
        if "follow:" not in more:
            more += "    follow: once\n"
        listed = f"    tables: [{', '.join(tables)}]\n" if tables else ""
        self.lakefile.write_text(f"lake: test\nsources:\n  erp:\n    postgres: \"{url}\"\n{listed}{more}")

    def ask(self, sql):
        """Rows as psql prints them; "!" and the message when it fails."""
        host, port = self.server.address("postgres")
        done = subprocess.run(
            ["psql", "-X", "-At", "-F", "|", "-h", host, "-p", str(port), "-U", self.server.access_key, "-d", "lake",
             "-c", sql], capture_output=True, text=True, check=False,
            env=dict(os.environ, PGPASSWORD=self.server.secret_key))
        return done.stdout.strip() if done.returncode == 0 else "!" + done.stderr.strip()

    def wait_for(self, sql, expected, seconds=60):
        deadline = time.monotonic() + seconds
        while (got := self.ask(sql)) != expected:
            assert time.monotonic() < deadline, f"{sql}: {got!r}, not {expected!r}; {self.source()}\n{self.server.log_tail()}"
            time.sleep(0.1)

    def source(self):
        return api(self.server, "GET", "/api/v1/sources")["sources"][0]

    def wait_state(self, *states, seconds=120):
        deadline = time.monotonic() + seconds
        while (got := self.source())["state"] not in states:
            assert time.monotonic() < deadline, f"{got}\n{self.server.log_tail()}"
            time.sleep(0.05)
        return got

    def wait_error(self, *words, seconds=30):
        """The source's error, once it has one with these words."""
        deadline = time.monotonic() + seconds
        while True:
            error = self.source()["last_error"]
            if error and all(word in error for word in words):
                return error
            assert time.monotonic() < deadline, f"{error!r} lacks one of {words}"
            time.sleep(0.1)

    def command(self, *words):
        env = dict(self.server.client_env(), TARN_ENDPOINT="http://" + self.server.ready["http"])
        return subprocess.run([str(binary()), *map(str, words)], capture_output=True, text=True, env=env, timeout=60,
                              check=False)

    def apply(self):
        done = self.command("apply", self.lakefile, "--yes")
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def lake(tarn_binary, tmp_path, request):
    made = []

    def make(*arguments, **named):
        made.append(Lake(tmp_path, *arguments, **named))
        return made[-1]

    try:
        yield make
        if getattr(request.node, "failed_in_call", False) and made:
            print(made[-1].server.log_tail())
    finally:
        for one in made:
            one.server.close()


def both(lake, pg, sql_lake, sql_pg):
    """The same question to the lake and to the database."""
    ours = lake.ask(sql_lake)
    theirs = subprocess.run(["psql", "-X", "-At", "-F", "|", pg.url, "-c", "SET timezone = 'UTC'", "-c", sql_pg],
                            capture_output=True, text=True, check=True).stdout.strip().removeprefix("SET\n")
    assert ours == theirs
    return ours


KINDS = {  # column: (type, value, what the lake prints when it is another text)
    "c_bool": ("bool", "true"),
    "c_int2": ("int2", "-32768"),
    "c_int4": ("int4", "2147483647"),
    "c_int8": ("int8", "-9223372036854775808"),
    "c_real": ("real", "1.5"),
    "c_double": ("float8", "1e300"),
    "c_numeric": ("numeric", "-99999999999999999999999999999.999999999"),
    "c_money_like": ("numeric(5,2)", "999.99"),
    "c_numeric38": ("numeric(38,10)", "1234567890123456789012345678.0123456789"),
    "c_numeric50": ("numeric(50,10)", "12345678901234567890123456789012345678.5"),
    "c_numeric_round": ("numeric(4,-2)", "123400"),
    "c_numeric_small": ("numeric(2,5)", "0.00012"),
    "c_text": ("text", "E'tab\\tnew\\nline\\\\back\\r end'"),
    "c_varchar": ("varchar(20)", "'ü€𝄞'"),
    "c_date": ("date", "'2026-11-21'"),
    "c_time": ("time", "'23:59:59.999999'"),
    "c_timetz": ("timetz", "'12:00:00+02'"),
    "c_timestamp": ("timestamp", "'2026-11-21 17:30:00.123456'"),
    "c_timestamptz": ("timestamptz", "'2026-11-21 17:30:00.5+01'"),
    "c_interval": ("interval", "'1 year 2 mons 3 days 04:05:06.7'"),
    "c_uuid": ("uuid", "'6f1f2a54-3f5e-4b77-9f0d-2a3c4d5e6f70'"),
    "c_bytea": ("bytea", "'\\x00ff5c09'"),
    "c_json": ("json", "'{\"a\": [1, 2]}'"),
    "c_jsonb": ("jsonb", "'{\"b\": null}'"),
    "c_enum": ("mood", "'ok'"),
    "c_domain": ("price", "12.30"),
    "c_ints": ("int[]", "'{1,NULL,3}'"),
    "c_texts": ("text[]", "'{\"a,b\",\"NULL\",NULL,\"q\\\"uote\",\"\"}'"),
    "c_uuids": ("uuid[]", "'{6f1f2a54-3f5e-4b77-9f0d-2a3c4d5e6f70}'"),
    "c_times": ("timestamptz[]", "'{\"2026-01-01 00:00:00+00\"}'"),
    "c_enums": ("mood[]", "'{sad,happy}'"),
    "c_two": ("int[][]", "'{{1,2},{3,4}}'"),
    "c_inet": ("inet", "'10.0.0.1/8'"),
    "c_cidr": ("cidr", "'10.0.0.0/8'"),
    "c_macaddr": ("macaddr", "'08:00:2b:01:02:03'"),
    "c_bit": ("bit(5)", "'10101'"),
    "c_varbit": ("varbit", "'101'"),
    "c_xml": ("xml", "'<a>1</a>'"),
    "c_point": ("point", "'(1,2)'"),
    "c_boxes": ("box[]", "'{(1,1),(0,0);(2,2),(1,1)}'"),
    "c_range": ("int4range", "'[1,5)'"),
    "c_tsvector": ("tsvector", "'a fat cat'"),
    "c_money": ("money", "'12.34'"),
    "c_name": ("name", "'nm'"),
    "c_oid": ("oid", "4000000000"),
    "c_pair": ("pair", "'(1,\"x y\")'"),
}


def test_every_type(lake, pg):
    pg.run("CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')")
    pg.run("CREATE DOMAIN price AS numeric(10,2) CHECK (value >= 0)")
    pg.run("CREATE TYPE pair AS (a int, b text)")
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in KINDS.items())
    pg.run(f"CREATE TABLE kinds (id int PRIMARY KEY, {columns}, \"C Big\" text NOT NULL, c_char char(8))")
    pg.run("COMMENT ON TABLE kinds IS 'one of each'")
    pg.run(f"INSERT INTO kinds VALUES (1, {', '.join(value for _, value in KINDS.values())}, 'Up', 'x')")
    pg.run("INSERT INTO kinds (id, \"C Big\") VALUES (2, '')")
    pg.run("""INSERT INTO kinds (id, "C Big", c_real, c_double, c_date, c_timestamp, c_timestamptz, c_time, c_bytea, c_ints, c_text)
              VALUES (3, '', 'NaN', '-Infinity', 'infinity', '-infinity', 'infinity', '24:00:00', '', '{}', E'\\\\N'),
                     (4, '', 'Infinity', 'NaN', '0044-03-15 BC', '0044-03-15 12:00:00 BC', '0001-01-01 00:00:00+00', '0:0', NULL, NULL, '')""")
    lakes = lake(pg.url, ["kinds"])
    lakes.wait_state("complete")
    assert len(KINDS) >= 40
    for name, (kind, _) in KINDS.items():
        # Where the lake keeps the text, the database's text is what it must be.
        both(lakes, pg, f"SELECT id, {name} FROM erp.kinds ORDER BY id", f"SELECT id, {name} FROM kinds ORDER BY id")
    assert lakes.ask("SELECT c_char || '.', c_big FROM erp.kinds WHERE id = 1") == "x.|Up"
    types = dict(line.split("|") for line in lakes.ask(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'erp'").splitlines())
    assert types["c_int8"] == "bigint" and types["c_timestamptz"] == "timestamp with time zone" and types["c_json"] == "text"
    assert lakes.ask("SELECT obj_description('erp.kinds'::regclass)") == "one of each"


def test_values_that_have_no_place(lake, pg):
    pg.run("CREATE TABLE odd (id int PRIMARY KEY, ratio numeric)")
    pg.run("INSERT INTO odd VALUES (1, 1), (2, 'NaN')")
    lakes = lake(pg.url, ["odd"])
    error = lakes.wait_error("public.odd", "column ratio", "NaN", "read a view")
    assert "secret" not in error
    assert lakes.ask("SELECT 1 FROM erp.odd").startswith("!")


def fill(pg, table, rows):
    pg.run(f"DROP TABLE IF EXISTS {table} CASCADE")
    pg.run(f"""CREATE TABLE {table} (id bigint PRIMARY KEY, shop int NOT NULL, day date, amount numeric(12,2), note text,
                                     updated_at timestamptz NOT NULL DEFAULT clock_timestamp())""")
    pg.run(f"""INSERT INTO {table} SELECT i, i % 100, date '2020-01-01' + (i % 2000)::int, (i % 100000) / 100.0,
               CASE WHEN i % 7 = 0 THEN NULL ELSE md5(i::text) END, now() - interval '1 hour' FROM generate_series(1, {rows}) i""")
    pg.run(f"ANALYZE {table}")


SUMS = "SELECT count(*), sum(id), sum(shop), sum(amount), count(note), sum(length(note)), min(day), max(day) FROM "


def test_a_million_rows_by_two_connections(lake, pg):
    fill(pg, "sales", 1_000_000)
    pg.run("CREATE TABLE parts_of (day date, n int) PARTITION BY RANGE (day)")
    for year in (2024, 2025):
        pg.run(f"CREATE TABLE parts_{year} PARTITION OF parts_of FOR VALUES FROM ('{year}-01-01') TO ('{year + 1}-01-01')")
    pg.run("INSERT INTO parts_of SELECT date '2024-01-01' + i, i FROM generate_series(0, 700) i")
    pg.run("CREATE VIEW seen AS SELECT id, amount FROM sales WHERE id <= 10")
    lakes = lake(pg.url, ["sales", "parts_of", "seen"], "    limits: {connections: 2}\n")
    most = 0
    while lakes.source()["state"] not in ("complete", "failed"):
        most = max(most, pg.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tarn'"))
        time.sleep(0.02)
    assert lakes.source()["state"] == "complete", lakes.source()
    assert most <= 2
    both(lakes, pg, SUMS + "erp.sales", SUMS + "sales")
    both(lakes, pg, "SELECT count(*), sum(n) FROM erp.parts_of", "SELECT count(*), sum(n) FROM parts_of")
    both(lakes, pg, "SELECT count(*), sum(amount) FROM erp.seen", "SELECT count(*), sum(amount) FROM seen")
    tables = {t["table"]: t for t in lakes.source()["tables"]}
    assert tables["erp.sales"]["rows"] == tables["erp.sales"]["rows_estimated"] == 1_000_000
    # Read once: a restart needs no database.
    lakes.server.restart(crash=True)
    assert lakes.wait_state("complete")["last_error"] == ""
    both(lakes, pg, SUMS + "erp.sales", SUMS + "sales")


def test_killed_in_the_middle_of_the_load(lake, pg):
    fill(pg, "sales", 1_000_000)
    pg.run("DROP TABLE IF EXISTS small; CREATE TABLE small AS SELECT i AS n FROM generate_series(1, 1000) i")
    lakes = lake(pg.url, ["small", "sales"], "    limits: {connections: 2}\n")
    killed = 0
    for rows in (1, 200_000, 500_000):
        while True:
            source = lakes.source()
            taken = sum(t["rows"] for t in source["tables"])
            if taken >= rows or source["state"] == "complete":
                break
            time.sleep(0.005)
        if source["state"] != "complete":
            assert lakes.ask("SELECT count(*) FROM erp.small").startswith("!"), "a part of a load is visible"
            killed += 1
        lakes.server.restart(crash=True)
    assert killed >= 1, "the load was over before it could be killed"
    lakes.wait_state("complete")
    both(lakes, pg, SUMS + "erp.sales", SUMS + "sales")
    assert lakes.ask("SELECT count(*), count(DISTINCT id) FROM erp.sales") == "1000000|1000000"
    assert lakes.ask("SELECT count(*), sum(n) FROM erp.small") == "1000|500500"


def test_the_database_restarts_in_the_middle_of_the_load(lake, pg):
    fill(pg, "sales", 1_000_000)
    lakes = lake(pg.url, ["sales"])
    while sum(t["rows"] for t in lakes.source()["tables"]) < 50_000:
        time.sleep(0.005)
    pg.kill()
    try:
        lakes.wait_error("127.0.0.1")
        assert lakes.source()["state"] == "waiting"
    finally:
        pg.start()
    lakes.wait_state("complete")
    both(lakes, pg, SUMS + "erp.sales", SUMS + "sales")


FOLLOW = "    follow: {every: 1s, by: updated_at}\n    limits: {connections: 1}\n"


def test_follow_inserts_updates_and_late_commits(lake, pg):
    fill(pg, "orders", 20_000)
    pg.run("DROP TABLE IF EXISTS shops; CREATE TABLE shops (code text PRIMARY KEY, name text)")
    pg.run("INSERT INTO shops VALUES ('a', 'Ant'), ('b', 'Bee')")
    lakes = lake(pg.url, ["orders", "shops"], FOLLOW)
    lakes.wait_for("SELECT count(*) FROM erp.orders", "20000")
    planned = lakes.command("plan", lakes.lakefile)
    assert "cannot see deletes" in planned.stdout, planned.stdout + planned.stderr

    def same():
        theirs = pg.rows("SELECT count(*), sum(amount), count(note) FROM orders")[0]
        lakes.wait_for("SELECT count(*), sum(amount), count(note) FROM erp.orders", "|".join(map(str, theirs)))

    pg.run("INSERT INTO orders VALUES (20001, 1, '2026-01-01', 7, 'new')")
    pg.run("UPDATE orders SET amount = 0.5, note = 'changed', updated_at = clock_timestamp() WHERE id BETWEEN 10 AND 19")
    same()
    lakes.wait_for("SELECT note FROM erp.orders WHERE id = 15", "changed")
    # Ties: many rows of the very value that was the highest.
    pg.run("""INSERT INTO orders SELECT 30000 + i, 1, '2026-01-01', 1, 'tie', (SELECT max(updated_at) FROM orders)
              FROM generate_series(1, 50) i""")
    same()
    # A transaction that takes its time first and commits after others.
    late = pg.connect()
    late.autocommit = False
    late.execute("INSERT INTO orders VALUES (40001, 1, '2026-01-01', 100, 'late', now())")
    time.sleep(1.5)
    pg.run("INSERT INTO orders VALUES (40002, 1, '2026-01-01', 200, 'first')")
    lakes.wait_for("SELECT note FROM erp.orders WHERE id = 40002", "first")
    late.commit()
    late.close()
    lakes.wait_for("SELECT note FROM erp.orders WHERE id = 40001", "late")
    same()
    # A small table without the column is read in full, and only what changed is put in place.
    pg.run("UPDATE shops SET name = 'Cat' WHERE code = 'a'; INSERT INTO shops VALUES ('d', 'Dog')")
    lakes.wait_for("SELECT string_agg(code || name, ',' ORDER BY code) FROM erp.shops", "aCat,bBee,dDog")


def test_follow_goes_on_after_a_crash_and_a_new_column(lake, pg):
    fill(pg, "orders", 20_000)
    lakes = lake(pg.url, ["orders"], FOLLOW)
    lakes.wait_for("SELECT count(*) FROM erp.orders", "20000")
    lakes.server.kill()
    pg.run("INSERT INTO orders VALUES (20001, 1, '2026-01-01', 7, 'while away')")
    pg.run("ALTER TABLE orders ADD COLUMN channel text")
    pg.run("UPDATE orders SET channel = 'web', updated_at = clock_timestamp() WHERE id <= 3")
    lakes.server.start()
    lakes.wait_for("SELECT count(*), count(channel) FROM erp.orders", "20001|3")
    assert lakes.ask("SELECT count(DISTINCT id) FROM erp.orders") == "20001"


def test_follow_makes_no_commits_when_nothing_changes(lake, pg):
    fill(pg, "orders", 5_000)
    pg.run("UPDATE orders SET updated_at = clock_timestamp()")
    lakes = lake(pg.url, ["orders"], FOLLOW)
    lakes.wait_for("SELECT count(*) FROM erp.orders", "5000")
    committed = lakes.source()["tables"][0]["last_commit"]
    time.sleep(3.5)
    source = lakes.source()
    assert source["tables"][0]["last_commit"] == committed and source["last_error"] == ""
    assert source["tables"][0]["rows"] == 5_000


def test_follow_without_a_key_only_adds(lake, pg):
    pg.run("DROP TABLE IF EXISTS log; CREATE TABLE log (n bigint, line text)")
    pg.run("INSERT INTO log SELECT i, 'l' || i FROM generate_series(1, 100) i")
    lakes = lake(pg.url, ["log"], "    follow: {every: 1s, by: n}\n")
    lakes.wait_for("SELECT count(*) FROM erp.log", "100")
    pg.run("INSERT INTO log SELECT i, 'm' FROM generate_series(101, 150) i")
    lakes.wait_for("SELECT count(*), max(n) FROM erp.log", "150|150")
    lakes.server.restart(crash=True)
    time.sleep(2.5)
    assert lakes.ask("SELECT count(*), count(DISTINCT n) FROM erp.log") == "150|150"


def test_errors_say_what_to_do(lake, pg):
    pg.run("DROP TABLE IF EXISTS closed; CREATE TABLE closed (n int); INSERT INTO closed VALUES (1)")
    pg.run("DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD 'r'")
    lakes = lake(pg.url_of(password="s3cr3t-typo"), ["closed"])
    error = lakes.wait_error("refused user tarn", "correct user and password")
    assert "s3cr3t" not in error + lakes.server.log_text()
    assert lakes.source()["state"] == "failed"

    def now(url, tables, *words, more=""):
        lakes.declare(url, tables, more)
        lakes.apply()
        return lakes.wait_error(*words)

    reader = pg.url_of("reader", "r")
    now(reader, ["closed"], 'GRANT SELECT ON "public"."closed" TO "reader"')
    now(pg.url, ["nothing_here"], "has no table nothing_here")
    now(pg.url_of(database="nowhere"), ["closed"], "no database nowhere")
    now(pg.url_of(port=1), ["closed"], "cannot connect", "127.0.0.1:1")
    now(pg.url, ["closed"], "cannot be followed", "updated_at", more="    follow: {every: 1s, by: updated_at}\n")
    # What a person mends heals by itself.
    pg.run("GRANT SELECT ON closed TO reader")
    lakes.declare(reader, ["closed"])
    lakes.apply()
    lakes.wait_for("SELECT n FROM erp.closed", "1")


def test_a_table_of_somebody_else_is_left_alone(lake, pg):
    pg.run("DROP TABLE IF EXISTS taken; CREATE TABLE taken (n int); INSERT INTO taken VALUES (1)")
    lakes = lake(pg.url, ["taken"])
    lakes.wait_for("SELECT n FROM erp.taken", "1")
    lakes.declare(pg.url_of(port=1), ["taken"], "    follow: {every: 1h, by: n}\n")
    lakes.apply()
    lakes.ask("DROP TABLE erp.taken")
    lakes.ask("CREATE TABLE erp.taken (n int)")
    lakes.ask("INSERT INTO erp.taken VALUES (42)")
    lakes.declare(pg.url, ["taken"])
    lakes.apply()
    lakes.wait_error("rows that this source did not write")
    assert lakes.ask("SELECT n FROM erp.taken") == "42"


def test_try_shows_rows_and_types(lake, pg):
    pg.run("DROP TABLE IF EXISTS shown; CREATE TABLE shown (id int PRIMARY KEY, price numeric)")
    pg.run("INSERT INTO shown SELECT i, i / 2.0 FROM generate_series(1, 500) i")
    lakes = lake(pg.url_of(port=1), ["shown"])
    lakes.declare(pg.url, ["shown"])
    done = lakes.command("try", lakes.lakefile)
    assert done.returncode == 0, done.stderr
    for word in ("shown", "price", "numeric(38,9)", "rounded"):
        assert word in done.stdout, done.stdout
    assert lakes.ask("SELECT 1 FROM erp.shown").startswith("!"), "a preview kept something"


def test_a_table_that_vanishes_does_not_stop_the_others(lake, pg):
    fill(pg, "orders", 1_000)
    pg.run("DROP TABLE IF EXISTS gone; CREATE TABLE gone (id int PRIMARY KEY, updated_at timestamptz)")
    lakes = lake(pg.url, ["gone", "orders"], FOLLOW)
    lakes.wait_for("SELECT count(*) FROM erp.orders", "1000")
    pg.run("DROP TABLE gone")
    lakes.wait_error("has no table gone")
    lakes.server.restart()
    pg.run("INSERT INTO orders VALUES (1001, 1, '2026-01-01', 7, 'new')")
    lakes.wait_for("SELECT count(*) FROM erp.orders", "1001")
    assert lakes.ask("SELECT count(*) FROM erp.gone") == "0"
