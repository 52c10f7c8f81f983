"""`tarn verify`: a flipped bit in any file is found and named, and a busy lake that is sound is called sound.

TARN_FLIPS sets how many bits of each kind of file are flipped (1 here, 10 in the long tier), TARN_SEED chooses them.
"""
import json
import os
import pathlib
import random
import shutil
import subprocess
import threading

import psycopg2
import pytest

from tarn_server import TarnServer, binary
from test_kill import client_of

LARGE = b"large body " * 30_000
SMALL = b"small body " * 300


def sql(server):
    return server.connect().cursor()


def fill(server):
    s3, cursor = client_of(server), sql(server)
    s3.create_bucket(Bucket="verify")
    for number in range(5):
        s3.put_object(Bucket="verify", Key=f"large/{number}", Body=b"%d " % number + LARGE)
        s3.put_object(Bucket="verify", Key=f"small/{number}", Body=b"%d " % number + SMALL)
    upload = s3.create_multipart_upload(Bucket="verify", Key="parts")["UploadId"]
    s3.upload_part(Bucket="verify", Key="parts", UploadId=upload, PartNumber=1, Body=b"part " * 50_000)
    cursor.execute("create table sold (id bigint, name varchar)")
    for number in range(5):
        cursor.execute(f"insert into sold select range, md5(range::varchar) from range({number * 20000}, {number * 20000 + 20000})")
    cursor.execute("delete from sold where id % 7 = 0")
    cursor.execute("update sold set name = 'x' where id < 10")


def verify(*args, server=None):
    env = server.client_env() if server else dict(os.environ)
    if server:
        env["TARN_ENDPOINT"] = "http://" + server.ready["http"]
    done = subprocess.run([str(binary()), "verify", "--json", *args], capture_output=True, text=True, env=env, timeout=300)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def texts(verdict):
    return "\n".join(f"{finding['where']}: {finding['what']}" for finding in verdict["findings"])


def flip(path, offset, bit):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1 << bit]))


def used(path):
    """Up to the last byte that is not zero."""
    return len(path.read_bytes().rstrip(b"\0"))


@pytest.fixture(scope="module")
def stopped(tarn_binary, tmp_path_factory):
    """A lake that was filled and stopped."""
    server = TarnServer(folder=tmp_path_factory.mktemp("verified"))
    try:
        fill(server.start())
        server.stop()
        yield server.data
    finally:
        server.close()


def anywhere(path, dice):
    return path, dice.randrange(used(path))


def in_log(data, dice):
    path = dice.choice(sorted((data / "state/wal").glob("*.wal")))
    at = dice.randrange(84 + used(path) - 4096)  # the header's page holds 84 bytes
    return path, at if at < 84 else at - 84 + 4096, path.name


def in_extents(data, dice):
    whole = dice.choice([path for path in sorted((data / "extents").iterdir()) if b"large body" in path.read_bytes()])
    content = whole.read_bytes()
    at = content.index(b"large body") + dice.randrange(len(LARGE) // 2)
    return whole, at, "object verify/large/"


def in_extent_header(data, dice):
    path = dice.choice(sorted((data / "extents").iterdir()))
    return path, dice.randrange(8), path.name


def in_table(data, dice):
    path = dice.choice(sorted((data / "state/index").glob("*.sst")))
    return *anywhere(path, dice), path.name


def in_manifest(data, dice):
    return *anywhere(next((data / "state/index").glob("MANIFEST-*")), dice), "index"


def in_current(data, dice):
    return *anywhere(data / "state/index/CURRENT", dice), "index"


def in_lake_id(data, dice):
    return data / "state/lake-id", dice.randrange(32), "wal|lake id|lake-id"


def in_root_key(data, dice):
    return *anywhere(data / "root.key", dice), "root.key|root key|secret|seal"


KINDS = [in_log, in_extents, in_extent_header, in_table, in_manifest, in_current, in_lake_id, in_root_key]


def run_flips(stopped, tmp_path, kind, flips, seed):
    for number in range(flips):
        dice = random.Random(f"{kind.__name__}/{seed}/{number}")
        data = tmp_path / f"copy{number}"
        shutil.copytree(stopped, data)
        path, offset, named = kind(data, dice)
        bit = dice.randrange(8)
        flip(path, offset, bit)
        where = f"seed {seed}, flip {number}: bit {bit} of byte {offset} of {path.relative_to(data)}"
        code, verdict = verify("--data", str(data))
        assert code == 1 and verdict["damages"] > 0, f"{where}: not found; {verdict}"
        assert any(name in texts(verdict) for name in named.split("|")), f"{where}: {named} is not named in\n{texts(verdict)}"
        shutil.rmtree(data)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_flipped_bit_is_found_and_named(stopped, tmp_path, kind):
    run_flips(stopped, tmp_path, kind, int(os.environ.get("TARN_FLIPS", "1")), int(os.environ.get("TARN_SEED", "1")))


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_ten_flipped_bits_are_found_and_named(stopped, tmp_path, kind):
    run_flips(stopped, tmp_path, kind, 10, int(os.environ.get("TARN_SEED", "2")))


def test_a_missing_file_is_named(stopped, tmp_path):
    for number, (folder, pattern) in enumerate((("state/wal", "*.wal"), ("extents", "*"), ("state/index", "*.sst"))):
        data = tmp_path / f"copy{number}"
        shutil.copytree(stopped, data)
        missing = sorted((data / folder).glob(pattern))[0]
        missing.unlink()
        code, verdict = verify("--data", str(data))
        assert code == 1 and verdict["damages"] > 0, (missing, verdict)


def test_a_sound_lake_is_called_sound(stopped, tmp_path):
    data = tmp_path / "copy"
    shutil.copytree(stopped, data)
    code, verdict = verify("--data", str(data))
    assert code == 0 and verdict["sound"] and verdict["damages"] == 0, texts(verdict)
    looked = verdict["looked_at"]
    assert looked["objects"]["count"] >= 10 and looked["data files"]["count"] >= 5 and looked["parts of uploads"]["count"] == 1
    assert looked["log segments"]["bytes"] > 0 and looked["records"]["count"] > 20 and looked["index files"]["count"] > 0
    nothing = subprocess.run([str(binary()), "verify", "--data", str(tmp_path / "absent")], capture_output=True, text=True)
    assert nothing.returncode == 2 and "holds no lake" in nothing.stderr


def test_a_busy_lake_is_called_sound_and_damage_is_found_while_it_is_served(own_tarn):
    fill(own_tarn)
    ending, broken, rounds = threading.Event(), [], [0]

    def work(number):
        s3, cursor = client_of(own_tarn), sql(own_tarn)
        try:
            while not ending.is_set():
                rounds[0] += 1
                s3.put_object(Bucket="verify", Key=f"busy/{number}/{rounds[0] % 20}", Body=os.urandom(1000 + rounds[0] % 7 * 40_000))
                s3.delete_object(Bucket="verify", Key=f"busy/{number}/{(rounds[0] + 7) % 20}")
                cursor.execute(f"insert into sold values ({-rounds[0]}, 'busy')")
                if rounds[0] % 9 == 0:
                    try:
                        cursor.execute("delete from sold where id < 0")
                    except psycopg2.errors.SerializationFailure:
                        pass  # the other one was first
        except Exception as error:  # noqa: BLE001
            broken.append(error)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for worker in workers:
        worker.start()
    try:
        for _ in range(3):
            before = rounds[0]
            code, verdict = verify(server=own_tarn)
            assert code == 0 and verdict["sound"], texts(verdict)
        assert rounds[0] > before, "nothing was written meanwhile: the test shows nothing"
    finally:
        ending.set()
        for worker in workers:
            worker.join(60)
    assert not broken, broken
    dice = random.Random(3)
    path, offset, named = in_extents(pathlib.Path(own_tarn.data), dice)
    flip(path, offset, 3)
    code, verdict = verify(server=own_tarn)
    assert code == 1 and named in texts(verdict), texts(verdict)
    assert own_tarn.alive()
    shown = subprocess.run([str(binary()), "verify", "--last"], capture_output=True, text=True, timeout=60,
                           env=dict(own_tarn.client_env(), TARN_ENDPOINT="http://" + own_tarn.ready["http"]))
    assert shown.returncode == 1 and "DAMAGED  object verify/large/" in shown.stdout, shown.stdout
