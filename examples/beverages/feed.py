"""The company's world: its history in a database and in files, and what happens hour by hour afterwards.

What has been told to database and lake is remembered in world.json, hour by hour, so that a second start goes on from
there. Telling an hour twice changes nothing: sales and deliveries have ids, readings have a sequence.
"""
import base64
import csv
import datetime
import json
import pathlib
import secrets
import shutil
import subprocess
import threading
import time

import paho.mqtt.client as mqtt
import psycopg2
import psycopg2.extras

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
TABLES = ("stores", "products", "customers", "shelf_map", "deliveries", "sales")
KINDS = ("reading", "sale", "order", "delivery")  # what the simulator tells, beside the hour that is over
PARTS_OF_AN_HOUR = 240
COLUMNS = {"deliveries": "(delivery_id, shelf_id, ordered_at, due_at, delivered_at, units)"}


class World:
    """The simulator's output and how far it has been told."""

    def __init__(self, folder, speed, seed=1, stores=40, days=730, readings_days=7, behind_hours=14 * 24):
        self.folder = folder
        self.files = folder / "world"
        self.state_file = folder / "world.json"
        self.speed = speed
        self.state = {"seed": seed, "stores": stores, "days": days, "readings_days": readings_days, "loaded": False,
                      "readings_told": 0, "hours_told": 0, "secrets": {}}
        if self.state_file.exists():
            self.state = json.loads(self.state_file.read_text())
        else:
            begun = int(time.time()) // 3600 * 3600 - behind_hours * 3600
            self.state["end"] = time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(begun))
        self.seed = self.state["seed"]

    def save(self):
        partial = self.state_file.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_text(json.dumps(self.state))
        partial.replace(self.state_file)

    def secret(self, name):
        if name not in self.state["secrets"]:
            made = secrets.token_bytes(24)
            self.state["secrets"][name] = ("whsec_" + base64.b64encode(made).decode()) if name.endswith("_key") else made.hex()
        return self.state["secrets"][name]

    def simulator(self, *more):
        return [str(TOP / "build" / "release" / "beverages_simulator"), "--out", str(self.files), "--seed", str(self.seed),
                "--stores", str(self.state["stores"]), "--days", str(self.state["days"]), "--end", self.state["end"],
                "--readings-days", str(self.state["readings_days"]), *more]

    def write_history(self):
        if not (self.files / "readings.tsv").exists():
            subprocess.run(self.simulator(), check=True)
        self.save()

    def drop_files(self):
        """The partner's files, each put under its name when it is whole."""
        for source in sorted((self.files / "drop").glob("*/*")):
            target = self.folder / "drop" / source.parent.name / source.name
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                partial = target.with_name("." + target.name + ".part")
                shutil.copyfile(source, partial)
                partial.rename(target)

    def history_readings(self):
        with open(self.files / "readings.tsv") as lines:
            for line in lines:
                yield tuple(line.rstrip("\n").split("\t"))

    def live(self):
        """The simulator's lines from the first hour that was not told."""
        process = subprocess.Popen(self.simulator("--live", str(self.speed), "--skip-hours", str(self.state["hours_told"])),
                                   stdout=subprocess.PIPE, text=True, start_new_session=True)
        return process

    def weather_lines(self):
        """(days and regions that are fine, lines that are no weather)."""
        good, bad = set(), 0
        for file in sorted((self.files / "drop" / "weather").glob("*.csv")):
            for number, row in enumerate(csv.reader(open(file, encoding="latin-1"), delimiter=";")):
                if number == 0:
                    continue
                try:
                    float(row[3].replace(",", ".")), float(row[4].replace(",", "."))
                    good.add((row[0], row[1]))
                except (IndexError, ValueError):
                    bad += 1
        return len(good), bad

    def holidays(self):
        return sum(1 for _ in open(self.files / "drop" / "holidays" / "holidays.jsonl"))


class Company:
    """The database of the company."""

    def __init__(self, database, world):
        self.database = database
        self.world = world

    def connect(self):
        return psycopg2.connect(self.database.url)

    def lake_url(self):
        return self.database.url_of(user="lake", password=self.world.secret("lake_password"))

    def load(self):
        """Once. Returns the number of sales."""
        with self.connect() as connection, connection.cursor() as cursor:
            if not self.world.state["loaded"]:
                here = pathlib.Path(__file__).parent
                # A first start that was cut off has left parts.
                cursor.execute("drop schema public cascade; create schema public; drop role if exists lake")
                cursor.execute((here / "schema.sql").read_text())
                for table in TABLES:
                    with open(self.world.files / "pg" / f"{table}.csv") as rows:
                        cursor.copy_expert(f"copy {table} {COLUMNS.get(table, '')} from stdin (format csv)", rows)
                cursor.execute("update deliveries set updated_at = coalesce(delivered_at, ordered_at)")
                cursor.execute((here / "keys.sql").read_text().replace(
                    ":'lake_password'", f"'{self.world.secret('lake_password')}'"))
                cursor.execute("analyze")
            cursor.execute("select count(*) from sales")
            count = cursor.fetchone()[0]
        self.world.state["loaded"] = True
        self.world.save()
        return count

    def value(self, sql):
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0]


class Scales:
    """Tells what happens: readings by MQTT with QoS 1, sales and deliveries to the database. An hour counts as told when
    the database has it and every reading of it is acknowledged."""

    def __init__(self, lake, world):
        self.lake = lake
        self.world = world
        self.acknowledged = 0
        self.trouble = None
        self._stop = threading.Event()
        self._paused = threading.Event()
        self._idle = threading.Event()
        self._process = None
        self._thread = None

    def start(self, company, database):
        self.company = company
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def pause(self):
        """Ends with a whole hour told."""
        self._paused.set()
        self._idle.wait(120)

    def stop(self):
        self._stop.set()
        self._paused.set()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._thread is not None:
            self._thread.join(10)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _run(self):
        try:
            client = self._connect()
            self._tell_history(client)
            self._tell_live(client)
            client.disconnect()
            client.loop_stop()
        except Exception as error:  # shown by the demo; the feed is over
            self.trouble = error
        finally:
            self._idle.set()

    def _connect(self):
        host, port = self.lake.ready["mqtt"].rsplit(":", 1)
        client = mqtt.Client(client_id="shelf-scales", clean_session=False)
        client.username_pw_set(self.lake.key, self.lake.secret)
        client.reconnect_delay_set(0.2, 1)
        client.max_inflight_messages_set(500)
        client.connect(host, int(port), keepalive=30)
        client.loop_start()
        return client

    def _publish(self, client, readings):
        """All of them, acknowledged. paho sends again what a connection that broke left without its PUBACK."""
        waiting = [client.publish(topic, payload, qos=1) for topic, payload in readings]
        for message in waiting:
            if message.rc == mqtt.MQTT_ERR_NO_CONN:  # kept until the connection is back, yet is_published() would raise
                message.rc = mqtt.MQTT_ERR_SUCCESS
            while not message.is_published():
                if self._stop.is_set():
                    return False
                time.sleep(0.002)
        self.acknowledged += len(waiting)
        return True

    def _tell_history(self, client):
        batch, number = [], 0
        for number, reading in enumerate(self.world.history_readings(), 1):
            if number <= self.world.state["readings_told"]:
                continue
            batch.append(reading)
            if len(batch) == 5000:
                if self._stop.is_set() or not self._publish(client, batch):
                    return
                self.world.state["readings_told"] = number
                self.world.save()
                batch = []
        if batch and self._publish(client, batch):
            self.world.state["readings_told"] = number
            self.world.save()

    def _tell_live(self, client):
        if self._paused.is_set():
            return
        self._process = self.world.live()
        hour = {kind: [] for kind in KINDS}
        for line in self._process.stdout:
            kind, _, rest = line.rstrip("\n").partition("\t")
            if kind in KINDS:
                hour[kind].append(rest)
                continue
            if not self._tell_hour(client, hour, datetime.datetime.fromisoformat(rest).timestamp()):
                return
            if self._paused.is_set() or self._stop.is_set():
                return
            hour = {kind: [] for kind in KINDS}

    def _tell_hour(self, client, hour, ended):
        """At once, while the company is behind the clock. After that in the course of the next hour, as shops would."""
        next_ends = ended + 3600
        parts = 1 if next_ends <= time.time() else PARTS_OF_AN_HOUR
        for part in range(parts):
            if not self._tell(client, {kind: lines[part::parts] for kind, lines in hour.items()}):
                return False
            if parts > 1:
                self._paused.wait(max(0, next_ends - 60 - time.time()) / (parts - part))  # then the rest at once
        self.world.state["hours_told"] += 1
        self.world.save()
        return True

    def _tell(self, client, hour):
        with self.company.connect() as connection, connection.cursor() as cursor:
            if hour["sale"]:
                psycopg2.extras.execute_values(
                    cursor, "insert into sales (sale_id, sold_at, store_id, product_id, units, price, amount, promo) "
                    "values %s on conflict do nothing", [line.split(",") for line in hour["sale"]])
            for line in hour["order"]:
                cursor.execute("insert into deliveries (delivery_id, shelf_id, ordered_at, due_at, units) "
                               "values (%s, %s, %s, %s, %s) on conflict do nothing", line.split(","))
            for line in hour["delivery"]:
                number, at = line.split(",")
                cursor.execute("update deliveries set delivered_at = %s, updated_at = now() where delivery_id = %s",
                               (at, number))
        return self._publish(client, [tuple(line.split("\t")) for line in hour["reading"]])
