"""What the tests of backups and the archive share: clients that write on every door and note what was acknowledged when, and all
that a lake holds as one value to compare."""
import hashlib
import json
import os
import subprocess
import threading
import time
import uuid

import boto3
import paho.mqtt.client as mqtt
from botocore.config import Config

from lake_api import api
from tarn_server import binary

PASSPHRASE = "a passphrase that is long enough"
SIZES = (10, 4_000, 60_000, 70_000, 400_000)


def tarn(*words, server=None, env=None, passphrase=PASSPHRASE):
    """The command line, with the environment of nobody but what is given."""
    full = dict(os.environ) if server is None else server.client_env()
    full.update(env or {})
    if server is not None:
        full["TARN_ENDPOINT"] = f"http://{server.ready['http']}"
    if passphrase:
        full["TARN_BACKUP_PASSPHRASE"] = passphrase
    return subprocess.run([str(binary()), *map(str, words)], capture_output=True, text=True, env=full, timeout=300,
                          stdin=subprocess.DEVNULL, check=False)


def told(*words, **options):
    done = tarn("--json", *words, **options)
    assert done.returncode == 0, f"{words}: {done.returncode} {done.stderr} {done.stdout}"
    return json.loads(done.stdout)


def until(wanted, what, seconds=90):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        got = wanted()
        if got:
            return got
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


def s3_of(server, key=None, ca=None):
    """`ca`: of the server's certificate, where it speaks TLS."""
    user, secret = key or (server.access_key, server.secret_key)
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, connect_timeout=5, read_timeout=30)
    endpoint = f"https://{server.ready['aws']}" if ca else server.endpoint
    return boto3.client("s3", endpoint_url=endpoint, verify=str(ca) if ca else None, aws_access_key_id=user, aws_secret_access_key=secret,
                        region_name="us-east-1", config=config)


def postgres_of(server):
    return server.connect()


def prepare(server):
    s3_of(server).create_bucket(Bucket="data")
    with postgres_of(server).cursor() as cursor:
        cursor.execute("create table sales (id bigint, shop text)")


class Load:
    """Writes on three doors until end(). `acknowledged` says when each thing was, by the wall clock."""

    def __init__(self, server):
        self.server = server
        self.acknowledged = {"objects": {}, "rows": {}, "readings": {}}   # thing -> (time, digest or None)
        self.begun = {"objects": {}, "rows": set(), "readings": set()}
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.keep, args=(work,), daemon=True)
                        for work in (self.objects, self.rows, self.readings)]
        for thread in self.threads:
            thread.start()

    def keep(self, work):
        try:
            work()
        except Exception:  # the server is killed under it
            if not self.stopping.is_set():
                self.stopping.wait(0.1)

    def end(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()

    def objects(self):
        s3, number = s3_of(self.server), 0
        while not self.stopping.is_set():
            key = f"k{number % 60}" if number % 3 == 0 else f"n{number}"
            body = hashlib.sha256(f"{key}/{number}".encode()).digest() * (SIZES[number % len(SIZES)] // 32 + 1)
            digest = hashlib.md5(body).hexdigest()
            self.begun["objects"].setdefault(key, set()).add(digest)
            s3.put_object(Bucket="data", Key=key, Body=body)
            self.acknowledged["objects"][key] = (time.time(), digest)
            number += 1
            self.stopping.wait(0.03)

    def rows(self):
        cursor, number = postgres_of(self.server).cursor(), 0
        while not self.stopping.is_set():
            self.begun["rows"].add(number)
            cursor.execute(f"insert into sales values ({number}, 'shop {number % 7}')")
            self.acknowledged["rows"][number] = (time.time(), None)
            number += 1
            self.stopping.wait(0.03)

    def readings(self):
        paho = mqtt.Client(uuid.uuid4().hex)
        paho.username_pw_set(self.server.access_key, self.server.secret_key)
        paho.reconnect_delay_set(3600, 3600)
        paho.connect(*self.server.address("mqtt"))
        paho.loop_start()
        number = 0
        while not self.stopping.is_set():
            text = f"reading {number}"
            self.begun["readings"].add(text)
            sent = paho.publish("sensors/1", text, qos=1)
            sent.wait_for_publish(5)
            if not sent.is_published():
                break
            self.acknowledged["readings"][text] = (time.time(), None)
            number += 1
            self.stopping.wait(0.03)
        paho.loop_stop()


def everything(server):
    """All that the lake holds, read on each door."""
    s3, objects = s3_of(server), {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="data"):
        for item in page.get("Contents", []):
            body = s3.get_object(Bucket="data", Key=item["Key"])["Body"].read()
            objects[item["Key"]] = hashlib.md5(body).hexdigest()
    with postgres_of(server).cursor() as cursor:
        cursor.execute("select id, shop from sales order by id")
        rows = cursor.fetchall()
    readings, offset = [], 0
    while "mqtt" in [stream["name"] for stream in api(server, "GET", "/api/v1/streams")["streams"]]:
        page = api(server, "GET", f"/api/v1/streams/mqtt?offset={offset}")
        readings += [record["payload"] for record in page["records"]]
        if not page["records"]:
            break
        offset = page["next"]
    return {"objects": objects, "rows": rows, "readings": readings}


def check_against(load, found, moment):
    """Everything acknowledged before `moment` is in `found`, once and whole; nothing is that was never sent. Returns how many things
    that were acknowledged later are lost, and how many seconds the oldest of them reaches back from the last acknowledgement."""
    lost = []
    ends = max((at for kind in load.acknowledged.values() for at, _ in kind.values()), default=moment)
    for key, digest in found["objects"].items():
        assert digest in load.begun["objects"][key], f"{key} holds what nobody has sent"
    for key, (at, digest) in load.acknowledged["objects"].items():
        if key not in found["objects"] or (key.startswith("n") and found["objects"][key] != digest):
            lost.append(at)
        elif at < moment:
            assert found["objects"][key] == digest or key.startswith("k")
    ids = [row[0] for row in found["rows"]]
    assert len(ids) == len(set(ids)) and set(ids) <= load.begun["rows"]
    assert all(shop == f"shop {number % 7}" for number, shop in found["rows"])
    lost += [at for number, (at, _) in load.acknowledged["rows"].items() if number not in set(ids)]
    assert set(found["readings"]) <= load.begun["readings"]
    assert len(found["readings"]) == len(set(found["readings"]))
    lost += [at for text, (at, _) in load.acknowledged["readings"].items() if text not in set(found["readings"])]
    early = [at for at in lost if at < moment]
    assert not early, f"{len(early)} things are lost that were acknowledged up to {moment - min(early):.1f} s before"
    return len(lost), (ends - min(lost) if lost else 0.0)
