"""SIGKILL at seeded moments while everything is under load that a lakefile declares: readings by MQTT with and without a
key, a PostgreSQL followed by its rows and by its log, dropped files with and without a key, SQL clients, S3 clients, computed tables, an alert with
its webhook. What the lake holds is compared with what the clients know, cheaply after each restart and whole at the end.

TARN_KILLS sets how often (10 here, 1,000 in the long tier), TARN_SEED replays the moments of a run.
"""
import collections
import json
import os
import random
import threading
import time
import uuid

import paho.mqtt.client as mqtt
import psycopg2
import pytest

import postgres_server
from lake_api import api
from tarn_server import TarnServer
from test_kill import Writer, client_of, keys_in
from webhook_receiver import WebhookReceiver

pytestmark = pytest.mark.skipif(not postgres_server.available(), reason="no PostgreSQL programs here")

COMPUTED = {
    "levels": "select shelf_id, seq, grams * 2 as units from shelves where grams < 900",  # row-wise, of a table with a key
    "openings": "select door, seq from doors where opened",  # row-wise, of a table that only grows
    "per_shelf": "select shelf_id, count(*) as n, sum(units) as units from levels group by shelf_id",
    "revenue": "select shop, count(*) as n, sum(amount) as amount from erp.sales group by shop",
}

LAKEFILE = """\
lake: pipeline
timezone: UTC
sources:
  shelves:
    mqtt: p/{{store_id}}/shelves/{{shelf_id}}
    columns: {{shelf_id: int, seq: bigint, grams: bigint}}
    key: [shelf_id, seq]
    commit: 50ms
  doors:
    mqtt: p/{{store_id}}/doors/{{door}}
    columns: {{seq: bigint, opened: boolean}}
    commit: 50ms
  erp:
    postgres: "{url}"
    tables: [sales]
    follow: {{every: 1s, by: updated_at}}
  books:
    postgres: "{url}"
    tables: [entries]
    follow: changes
    commit: 100ms
  dropped:
    folder: drop/plain/*.csv
    settle: 300ms
  prices:
    folder: drop/keyed/*.csv
    settle: 300ms
    key: [id]
tables:
{tables}alerts:
  runs_empty:
    when: select name, units from stock where units < 3
    one_per: [name]
    to: [{{url: "{webhook}", secret: "{secret}", allow_private: true}}]
"""
NAMES = ["k0", "k1", "k2", "k3"]


def connect(server):
    host, port = server.address("postgres")
    made = psycopg2.connect(host=host, port=port, user=server.access_key, password=server.secret_key, dbname="lake",
                            connect_timeout=10)
    made.autocommit = True
    return made


def ask(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


def until(read, expected, seconds, what):
    """Waits for read() to be `expected`; a table that is not made yet is nothing."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            got = read()
        except psycopg2.errors.UndefinedTable:
            got = None
        if got == expected:
            return
        assert time.monotonic() < deadline, f"{what}: {str(got)[:500]}, not {str(expected)[:500]}"
        time.sleep(0.05)


class Load:
    """One client on a thread. begin() and end() once per life of the server; `problems` are answers that no kill explains."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.problems = []

    def begin(self, server):
        self.server = server
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def end(self):
        self.stopping.set()
        self.thread.join(60)
        assert not self.thread.is_alive(), f"{type(self).__name__} hangs"
        assert not self.problems, self.problems[:3]

    def _run(self):
        try:
            self.work()
        except psycopg2.Error as error:
            if error.pgcode is not None:
                self.problems.append(f"{type(self).__name__}: {error.pgcode} {error}")
        except OSError:
            pass  # the server has gone
        except Exception as error:  # noqa: BLE001
            self.problems.append(f"{type(self).__name__}: {error!r}")


class SqlRows(Load):
    """Inserts rows by SQL; every fifth time into two tables in one transaction."""

    def __init__(self, seed):
        super().__init__(seed)
        self.next = 0
        self.attempted, self.acknowledged, self.paired = set(), set(), set()

    def work(self):
        connection = connect(self.server)
        while not self.stopping.is_set():
            ids = range(self.next, self.next + self.random.randint(1, 5))
            self.next = ids.stop
            self.attempted.update(ids)
            insert = "insert into notes values " + ", ".join(f"({i}, 'n{i}')" for i in ids)
            if self.random.random() < 0.2:
                self.paired.update(ids)
                connection.autocommit = False
                ask(connection, insert)
                ask(connection, "insert into ledger values " + ", ".join(f"({i})" for i in ids))
                connection.commit()
                connection.autocommit = True
            else:
                ask(connection, insert)
            self.acknowledged.update(ids)
            time.sleep(0.005)

    def verify(self, connection):
        notes = [i for (i,) in ask(connection, "select id from notes")]
        found = set(notes)
        assert len(notes) == len(found), "a row by SQL is there twice"
        assert self.acknowledged <= found, f"lost: {sorted(self.acknowledged - found)[:5]}"
        assert found <= self.attempted
        ledger = [i for (i,) in ask(connection, "select id from ledger")]
        assert sorted(ledger) == sorted(found & self.paired), "a transaction is there in half"
        self.acknowledged = found  # what is there now stays there


class Stock(Load):
    """Lets an alert open and recover."""

    def work(self):
        connection = connect(self.server)
        while not self.stopping.is_set():
            name = self.random.choice(NAMES)
            ask(connection, f"update stock set units = {self.random.choice((0, 50))} where name = '{name}'")
            time.sleep(self.random.uniform(0.03, 0.15))


class Readings(Load):
    """Publishes with QoS 1. Readings with a key that got no PUBACK are sent again in the next life, others are not."""

    def __init__(self, seed):
        super().__init__(seed)
        self.seq = 0
        self.again = []
        self.attempted = collections.defaultdict(set)  # kind -> payload ids
        self.acknowledged = collections.defaultdict(set)

    def publish(self, kind, topic, payload, identity):
        self.attempted[kind].add(identity)
        self.sent.append((kind, topic, payload, identity, self.paho.publish(topic, payload, qos=1)))

    def work(self):
        self.sent = []
        self.paho = mqtt.Client(uuid.uuid4().hex)
        self.paho.username_pw_set(self.server.access_key, self.server.secret_key)
        self.paho.reconnect_delay_set(3600, 3600)
        self.paho.max_inflight_messages_set(100)
        connected = threading.Event()
        self.paho.on_connect = lambda *_: connected.set()
        self.paho.connect(*self.server.address("mqtt"))
        self.paho.loop_start()
        if not connected.wait(2):
            return  # killed before it could answer
        for kind, topic, payload, identity in self.again:
            self.publish(kind, topic, payload, identity)
        while not self.stopping.is_set() and self.paho.is_connected():
            for _ in range(10):
                self.one()
            time.sleep(0.02)

    def one(self):
        self.seq += 1
        shelf = self.seq % 12
        self.publish("shelves", f"p/1/shelves/{shelf}", json.dumps({"seq": self.seq, "grams": self.seq * 37 % 1000}),
                     (shelf, self.seq))
        if self.seq % 2 == 0:
            self.publish("doors", f"p/1/doors/{shelf}", json.dumps({"seq": self.seq, "opened": self.seq % 3 == 0}), self.seq)
        if self.seq % 20 == 0:
            self.publish("malformed", "p/1/doors/0", f"malformed {self.seq}", f"malformed {self.seq}")

    def finish(self):
        """Waits for all PUBACKs."""
        for *_, sent in self.sent:
            sent.wait_for_publish(20)
            assert sent.is_published(), "no PUBACK"

    def end(self, last=False):
        super().end()
        if last:
            self.finish()
        self.paho.disconnect()
        self.paho.loop_stop()
        again = {identity: item for *item, identity in [(k, t, p, i) for k, t, p, i in self.again]}
        for kind, topic, payload, identity, sent in self.sent:
            if sent.rc == mqtt.MQTT_ERR_SUCCESS and sent.is_published():
                self.acknowledged[kind].add(identity)
                again.pop(identity, None)
            elif kind == "shelves":
                again[identity] = (kind, topic, payload)
        self.again = [(*item, identity) for identity, item in again.items()]

    def rows(self, connection):
        yield "shelves", ask(connection, "select shelf_id, seq from shelves")
        yield "doors", [seq for (seq,) in ask(connection, "select seq from doors")]
        try:
            yield "malformed", [text for (text,) in ask(connection, "select text from doors_rejected")]
        except psycopg2.errors.UndefinedTable:
            yield "malformed", []

    def verify(self, connection):
        for kind, rows in self.rows(connection):
            assert len(rows) == len(set(rows)), f"{kind}: a record is there twice"
            assert set(rows) <= self.attempted[kind], f"{kind}: a row that nobody sent"

    def complete(self, connection):
        """Acknowledged but not yet a row."""
        return {kind: len(self.acknowledged[kind] - set(rows)) for kind, rows in self.rows(connection)}


class Drops(Load):
    """Files of whole tables and files whose later rows replace earlier ones, each renamed into place."""

    def __init__(self, seed, folder):
        super().__init__(seed)
        self.plain, self.keyed = folder / "plain", folder / "keyed"
        self.plain.mkdir(parents=True)
        self.keyed.mkdir()
        self.files = 0
        self.ids, self.prices = [], {}

    def put(self, folder, lines):
        hidden = folder / f".{self.files:05}.csv"
        hidden.write_text("id,of\n" + "".join(f"{a},{b}\n" for a, b in lines))
        hidden.rename(folder / f"{self.files:05}.csv")

    def drop(self):
        self.files += 1
        rows = range(self.files * 1000, self.files * 1000 + self.random.choice((1, 10, 500)))
        self.put(self.plain, [(i, self.files) for i in rows])
        self.ids.extend(rows)
        changed = {self.random.randrange(200): self.files for _ in range(20)}
        self.put(self.keyed, changed.items())
        self.prices.update(changed)

    def work(self):
        while not self.stopping.is_set():
            self.drop()
            self.stopping.wait(self.random.uniform(0.2, 0.6))

    def verify(self, connection):
        ids = [i for (i,) in ask(connection, "select id from dropped")]
        assert len(ids) == len(set(ids)), "a file is there twice"
        assert set(ids) <= set(self.ids)
        per_file = collections.Counter(i // 1000 for i in self.ids)
        assert {f: n for f, n in collections.Counter(i // 1000 for i in ids).items() if n != per_file[f]} == {}, "half a file"
        assert ask(connection, "select count(*) - count(distinct id) from prices") == [(0,)]


class Erp(Load):
    """Changes in the database: `sales` is followed by a growing column, `entries` by the log of changes."""

    def __init__(self, seed, pg):
        super().__init__(seed)
        self.url = pg.url
        self.next = 1000
        self.attempted = set(range(1000))

    def work(self):
        connection = psycopg2.connect(self.url)
        connection.autocommit = True
        while not self.stopping.is_set():
            self.attempted.add(self.next)
            ask(connection, f"insert into sales values ({self.next}, {self.next % 7}, {self.random.randrange(10**6)} / 100.0)")
            self.next += 1
            ask(connection, f"update sales set amount = amount + 1, updated_at = clock_timestamp() where id = {self.random.randrange(self.next)}")
            ask(connection, f"begin; insert into entries values ({self.next}, 1); update entries set amount = amount + 1 "
                            f"where id = {self.random.randrange(self.next)}; delete from entries where id = {self.random.randrange(self.next)}; commit")
            time.sleep(0.02)

    def verify(self, connection):
        entries = [i for (i,) in ask(connection, "select id from books.entries")]
        assert len(entries) == len(set(entries)), "a row of the database's log is there twice"
        ids = [i for (i,) in ask(connection, "select id from erp.sales")]
        assert len(ids) == len(set(ids)), "a row of the database is there twice"
        assert set(ids) <= self.attempted


class Webhook:
    """What arrived, also what the server did not live to see answered."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.arrived = []
        self.receiver = WebhookReceiver()
        self.receiver.answer = self.answer

    def answer(self, message):
        self.arrived.append(message)
        time.sleep(self.random.uniform(0, 0.06))
        return 204

    def verify(self):
        assert not self.receiver.refused
        by_id, moments = {}, {}
        for place, message in enumerate(self.arrived):
            assert by_id.setdefault(message.id, message.raw) == message.raw, "the same webhook-id with another body"
            body = message.body
            key = (body["data"]["alert_id"], body["type"])
            assert moments.setdefault(key, (place, message.id))[1] == message.id, f"two messages for {key}"
            if body["type"] == "alert.recovered":
                assert (body["data"]["alert_id"], "alert.opened") in moments, "recovered before opened"
        return {body_type: {alert for alert, kind in moments if kind == body_type}
                for body_type in ("alert.opened", "alert.recovered")}

    def repeats(self):
        return len(self.arrived) - len({message.id for message in self.arrived})


class Pipeline:
    def __init__(self, folder, pg, seed):
        self.folder, self.pg = folder, pg
        self.dice = random.Random(seed)
        self.webhook = Webhook(seed)
        self.server = TarnServer(folder=folder)
        self.sql, self.readings = SqlRows(seed + 1), Readings(seed + 2)
        self.drops, self.erp = Drops(seed + 3, folder / "drop"), Erp(seed + 4, pg)
        self.objects = [Writer(i, seed) for i in range(2)]
        self.loads = [self.sql, self.readings, self.drops, self.erp, Stock(seed + 5)] + self.objects
        self.starts_killed = 0

    def prepare(self):
        self.pg.run("create table sales (id bigint primary key, shop int, amount numeric(12,2), "
                    "updated_at timestamptz not null default clock_timestamp())")
        self.pg.run("insert into sales select i, i % 7, i from generate_series(0, 999) i")
        self.pg.run("create table entries (id bigint primary key, amount bigint)")
        self.pg.run("insert into entries select i, 1 from generate_series(0, 999) i")
        self.server.start()
        with connect(self.server) as connection:
            ask(connection, "create table stock (name text, units int)")
            ask(connection, "create table notes (id bigint, text text)")
            ask(connection, "create table ledger (id bigint)")
            ask(connection, "insert into stock values " + ", ".join(f"('{name}', 50)" for name in NAMES))
        client_of(self.server).create_bucket(Bucket="crash")
        tables = "".join(f"  {name}:\n    refresh: on_change\n    sql: {sql}\n" for name, sql in COMPUTED.items())
        lakefile = self.folder / "lake.yaml"
        lakefile.write_text(LAKEFILE.format(url=self.pg.url, tables=tables, webhook=self.webhook.receiver.url,
                                            secret=self.webhook.receiver.secret))
        self.drops.drop()  # so that its tables are there
        self.server.args = ["--lake", str(lakefile)]
        self.server.restart()
        connection = connect(self.server)
        for table in ("erp.sales", "books.entries", "dropped", "prices"):
            until(lambda: ask(connection, f"select count(*) > 0 from {table}"), [(True,)], 30, table)

    def kill_once(self):
        for load in self.loads:
            load.begin(self.server)
        time.sleep(self.dice.uniform(0.1, 1.6))
        self.server.kill()
        for load in self.loads:
            load.end()
        if self.dice.random() < 0.3:  # once more, while it starts
            timer = threading.Timer(self.dice.uniform(0.01, 0.3), lambda p=self.server: p.process and p.process.kill())
            timer.start()
            try:
                self.server.start()
            except AssertionError:
                assert self.server.process is None
                self.starts_killed += 1
            timer.join()
            self.server.kill()
        self.server.start()
        self.verify()

    def verify(self):
        connection = connect(self.server)
        for load in (self.sql, self.readings, self.drops, self.erp):
            load.verify(connection)
        connection.close()
        self.webhook.verify()
        client = client_of(self.server)
        present = keys_in(client)
        assert present <= {key for w in self.objects for key in set(w.acknowledged) | set(w.in_doubt)}
        for writer in self.objects:
            writer.verify(client, present)

    def finish(self):
        """A last life that ends in peace; then everything has to be there and equal."""
        for load in self.loads:
            load.begin(self.server)
        time.sleep(0.5)
        for load in self.loads:
            load.end(last=True) if load is self.readings else load.end()
        connection = connect(self.server)
        until(lambda: self.readings.complete(connection), {"shelves": 0, "doors": 0, "malformed": 0}, 60, "acknowledged readings that are no rows")
        self.verify()
        shelves = set(ask(connection, "select shelf_id, seq from shelves"))
        assert shelves == self.readings.attempted["shelves"], "what got no answer was sent again"
        until(lambda: ask(connection, "select count(*) from dropped"), [(len(self.drops.ids),)], 60, "dropped rows")
        until(lambda: dict(ask(connection, "select id, of from prices")), self.drops.prices, 60, "prices")
        self.drops.verify(connection)
        source = "select id, shop, amount, updated_at from {} order by id"
        with psycopg2.connect(self.pg.url) as theirs:
            ask(theirs, "set timezone = 'UTC'")
            expected = ask(theirs, source.format("sales"))
        assert len(expected) > 1000
        ask(connection, "set timezone = 'UTC'")
        until(lambda: ask(connection, source.format("erp.sales")) == expected, True, 60, "erp.sales equals the database")
        with psycopg2.connect(self.pg.url) as theirs:
            entries = ask(theirs, "select id, amount from entries order by id")
        until(lambda: ask(connection, "select id, amount from books.entries order by id") == entries, True, 60, "books.entries equals the database")
        for table, sql in COMPUTED.items():
            differs = f"select (select count(*) from (select * from {table} except all {sql}))," \
                      f" (select count(*) from ({sql} except all select * from {table})), (select count(*) > 0 from {table})"
            until(lambda: ask(connection, differs), [(0, 0, True)], 60, f"{table} equals its SELECT")
        self.alerts(connection)

    def alerts(self, connection):
        for units, kind in ((0, "alert.opened"), (50, "alert.recovered")):
            ask(connection, f"update stock set units = {units}")
            until(lambda: len(api(self.server, "GET", "/api/v1/alerts")["open"]), len(NAMES) if units == 0 else 0, 30, kind)
        path = "/api/v1/alerts/runs_empty/deliveries"
        until(lambda: {d["state"] for d in api(self.server, "GET", path)["deliveries"]}, {"delivered"}, 60, "deliveries")
        told = self.webhook.verify()
        assert told["alert.opened"] == told["alert.recovered"], "each alert was told when it opened and when it recovered"
        events = api(self.server, "GET", "/api/v1/alerts/runs_empty/events")["events"]
        assert {event["id"] for event in events} <= told["alert.opened"], "an alert that nobody was told of"
        assert len(events) >= 2 * len(NAMES)


def run(kills, seed, folder):
    print(f"seed {seed}: TARN_SEED={seed} replays its moments")
    with postgres_server.PostgresServer() as pg:
        pipeline = Pipeline(folder, pg, seed)
        try:
            pipeline.prepare()
            for life in range(kills):
                try:
                    pipeline.kill_once()
                    if life % 100 == 99:
                        print(f"{life + 1} kills", flush=True)
                except AssertionError as wrong:
                    raise AssertionError(f"seed {seed}, after kill {life + 1}: {wrong}\n{pipeline.server.log_tail()}") from wrong
            pipeline.finish()
            counts = {kind: len(ids) for kind, ids in pipeline.readings.acknowledged.items()}
            print(f"{kills} kills and {pipeline.starts_killed} while starting: readings {counts}, rows by SQL "
                  f"{len(pipeline.sql.acknowledged)}, files {2 * pipeline.drops.files}, rows of the database {pipeline.erp.next}, "
                  f"objects {sum(w.acknowledgements for w in pipeline.objects)}, webhooks {len(pipeline.webhook.arrived)} "
                  f"({pipeline.webhook.repeats()} repeated)")
            return pipeline
        except BaseException:
            print(pipeline.server.log_tail())
            raise
        finally:
            pipeline.server.close()
            pipeline.webhook.receiver.close()


def test_the_whole_path_survives_kills(tarn_binary, tmp_path):
    done = run(int(os.environ.get("TARN_KILLS", "10")), int(os.environ.get("TARN_SEED", "1")), tmp_path)
    assert len(done.sql.acknowledged) > 50 and len(done.readings.acknowledged["doors"]) > 100
    assert done.webhook.arrived, "nothing was told: the test shows nothing"


@pytest.mark.long
def test_the_whole_path_survives_many_kills(tarn_binary, tmp_path):
    run(int(os.environ.get("TARN_KILLS", "1000")), int(os.environ.get("TARN_SEED", "2")), tmp_path)
