"""SIGKILL at seeded moments while clients write; then everything acknowledged must be there, and nothing that nobody sent.

TARN_KILLS sets how often (10 here, 1,000 in the long tier), TARN_SEED replays a run.
"""
import hashlib
import os
import random
import threading
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tarn_server import TarnServer

WRITERS = 6
KEYS = 40
SIZES = (0, 1, 100, 4096, 65536, 65537, 300_000)


def client_of(server):
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, connect_timeout=5, read_timeout=20)
    return boto3.client("s3", endpoint_url=server.endpoint, aws_access_key_id=server.access_key,
                        aws_secret_access_key=server.secret_key, region_name="us-east-1", config=config)


def body_of(writer, key, attempt, size):
    """Bytes that say who wrote them: the digest of one attempt stands for no other."""
    seed = f"{writer}/{key}/{attempt}".encode()
    block = hashlib.sha256(seed).digest()
    return (block * (size // 32 + 1))[:size]


class Writer(threading.Thread):
    """Owns its keys. For each it keeps what was acknowledged last, and what was asked for since and never answered."""

    def __init__(self, number, seed):
        super().__init__(daemon=True)
        self.number = number
        self.random = random.Random(seed * 1000 + number)
        self.acknowledged = {}      # key -> digest or None (deleted)
        self.in_doubt = {}          # key -> set of digests or None that may have happened
        self.attempts = 0
        self.acknowledgements = 0
        self.stopping = threading.Event()
        self.server = None

    def begin(self, server):
        self.server = server
        self.stopping.clear()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def end(self):
        self.stopping.set()
        self.thread.join(60)
        assert not self.thread.is_alive()

    def work(self):
        client = client_of(self.server)
        while not self.stopping.is_set():
            key = f"w{self.number}/k{self.random.randrange(KEYS)}"
            self.attempts += 1
            choice = self.random.random()
            body = None if choice < 0.15 else body_of(self.number, key, self.attempts, self.random.choice(SIZES))
            digest = None if body is None else hashlib.md5(body).hexdigest()
            doubts = self.in_doubt.setdefault(key, set())
            doubts.add(digest)
            try:
                if body is None:
                    client.delete_object(Bucket="crash", Key=key)
                elif choice < 0.25:
                    self.multipart(client, key, body)
                else:
                    client.put_object(Bucket="crash", Key=key, Body=body)
            except (BotoCoreError, ClientError):
                return  # the server has gone: what was under way stays in doubt
            self.acknowledged[key] = digest
            self.acknowledgements += 1
            doubts.clear()

    def multipart(self, client, key, body):
        upload = client.create_multipart_upload(Bucket="crash", Key=key)["UploadId"]
        part = client.upload_part(Bucket="crash", Key=key, UploadId=upload, PartNumber=1, Body=body)
        client.complete_multipart_upload(Bucket="crash", Key=key, UploadId=upload,
                                         MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})

    def verify(self, client, present):
        for key in set(self.acknowledged) | set(self.in_doubt):
            allowed = {self.acknowledged.get(key)} | self.in_doubt.get(key, set())
            found = None
            if key in present:
                found = hashlib.md5(client.get_object(Bucket="crash", Key=key)["Body"].read()).hexdigest()
            assert found in allowed, f"{key}: {found} is neither what was acknowledged nor what was under way"
            # What is there now is the state to go on from.
            self.acknowledged[key] = found
            self.in_doubt[key] = set()


def keys_in(client):
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="crash")
    return {item["Key"] for page in pages for item in page.get("Contents", [])}


def run(kills, seed, tmp_path):
    moments = random.Random(seed)
    server = TarnServer(folder=tmp_path)
    server.start()
    client_of(server).create_bucket(Bucket="crash")
    writers = [Writer(i, seed) for i in range(WRITERS)]
    try:
        for _ in range(kills):
            for writer in writers:
                writer.begin(server)
            time.sleep(moments.uniform(0.05, 0.9))
            server.kill()
            for writer in writers:
                writer.end()
            server.start()
            client = client_of(server)
            present = keys_in(client)
            known = {key for writer in writers for key in set(writer.acknowledged) | set(writer.in_doubt)}
            assert present <= known, f"keys that nobody wrote: {sorted(present - known)[:5]}"
            for writer in writers:
                writer.verify(client, present)
        return sum(writer.acknowledgements for writer in writers)
    finally:
        server.close()


def test_acknowledged_survives_kill(tarn_binary, tmp_path):
    seed = int(os.environ.get("TARN_SEED", "1"))
    acknowledged = run(int(os.environ.get("TARN_KILLS", "10")), seed, tmp_path)
    assert acknowledged > 100, "the writers hardly wrote: the test shows nothing"


@pytest.mark.long
def test_acknowledged_survives_many_kills(tarn_binary, tmp_path):
    run(int(os.environ.get("TARN_KILLS", "1000")), int(os.environ.get("TARN_SEED", "2")), tmp_path)
