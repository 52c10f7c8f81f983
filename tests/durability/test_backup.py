"""`tarn backup`, `tarn restore` and the drill: a lake comes back equal over every door, while it was written to."""
import hashlib
import json
import pathlib
import shutil
import time

import pytest

from kept_copies import Load, PASSPHRASE, check_against, everything, prepare, s3_of, tarn, told
from tarn_server import TarnServer


@pytest.fixture(scope="module")
def kept(tarn_binary, tmp_path_factory):
    """A lake that was copied under load, at rest again after a last write, and what it held."""
    folder = tmp_path_factory.mktemp("kept")
    with TarnServer() as server:
        prepare(server)
        load = Load(server)
        backups, moments = [], []
        for _ in range(2):
            time.sleep(1.5)
            moments.append(time.time())
            backups.append(told("backup", "--to", folder / "copies", server=server))
        load.end()
        user = told("users", "add", "ana", server=server)
        key = told("keys", "add", "ana", server=server)
        last = told("backup", "--to", folder / "copies", server=server)
        s3_of(server).put_object(Bucket="data", Key="one-more", Body=b"x" * 100_000)
        again = told("backup", "--to", folder / "copies", server=server)
        holds = everything(server)
        log = server.log_text()
        yield {"folder": folder, "load": load, "backups": backups, "moments": moments, "last": last, "again": again,
               "holds": holds, "key": key, "user": user, "log": log, "root": (server.access_key, server.secret_key),
               "root_key": (server.data / "root.key").read_bytes()}


def restore(kept, folder, *words, **options):
    return tarn("--json", "restore", "--from", kept["folder"] / "copies", "--data", folder / "data", *words, **options)


def test_a_restored_lake_is_equal_over_all_doors(kept, tmp_path):
    done = restore(kept, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["has_root_key"]
    with TarnServer(tmp_path) as server:
        assert (server.access_key, server.secret_key) == kept["root"]
        assert everything(server) == kept["holds"]
        key = (kept["key"]["access_key_id"], kept["key"]["secret_access_key"])
        with pytest.raises(Exception, match="AccessDenied"):
            s3_of(server, key).list_buckets()  # signed in, and without rights as before
        # It goes on: what is written now is no part of any copy.
        s3_of(server).put_object(Bucket="data", Key="new", Body=b"new")
        assert told("backup", "--to", kept["folder"] / "copies", server=server)["bytes_sent"] > 0
    assert len(told("backups", "--from", kept["folder"] / "copies")) == 5


def test_a_copy_under_load_is_one_point_in_time(kept, tmp_path):
    for number, (backup, moment) in enumerate(zip(kept["backups"], kept["moments"])):
        here = tmp_path / str(number)
        assert restore(kept, here, "--at", backup["point"]).returncode == 0
        with TarnServer(here) as server:
            check_against(kept["load"], everything(server), moment)


def test_the_next_copy_sends_what_is_new(kept):
    assert kept["again"]["bytes_sent"] < kept["last"]["bytes_done"] / 2
    assert kept["again"]["bytes_sent"] < 9_000_000, "the log's open block, the index' new files, one object"


def test_no_secret_is_in_the_log_or_readable_in_the_copy(kept):
    assert PASSPHRASE not in kept["log"]
    secret = kept["root"][1].encode()
    for file in (kept["folder"] / "copies").rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert kept["root_key"] not in content and secret not in content and PASSPHRASE.encode() not in content


def test_the_passphrase_or_the_key_is_needed(kept, tmp_path):
    wrong = restore(kept, tmp_path / "a", passphrase="another passphrase")
    assert wrong.returncode == 1 and "passphrase" in wrong.stderr
    assert not (tmp_path / "a" / "data").exists(), "it is told before anything is written"
    # Without: all is there but the key, which can come from elsewhere.
    without = restore(kept, tmp_path / "b", passphrase=None)
    assert without.returncode == 0 and not json.loads(without.stdout)["has_root_key"]
    with pytest.raises(AssertionError, match="root.key"):
        TarnServer(tmp_path / "b").start()
    elsewhere = tmp_path / "root.key"
    elsewhere.write_bytes(b"k" * 32)
    other = restore(kept, tmp_path / "c", "--root-key", elsewhere, passphrase=None)
    assert other.returncode == 1 and "not the root key" in other.stderr
    elsewhere.write_bytes(kept["root_key"])
    assert restore(kept, tmp_path / "d", "--root-key", elsewhere, passphrase=None).returncode == 0
    with TarnServer(tmp_path / "d") as server:
        assert (server.access_key, server.secret_key) == kept["root"]


def test_a_folder_that_is_not_empty_is_refused(kept, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "letter").write_text("dear")
    refused = restore(kept, tmp_path)
    assert refused.returncode == 1 and "not empty" in refused.stderr
    assert [p.name for p in (tmp_path / "data").iterdir()] == ["letter"]


def test_the_drill_checks_everything_and_leaves_nothing(kept, tmp_path):
    source = ["restore", "--from", kept["folder"] / "copies", "--verify", "--scratch", tmp_path]
    sound = tarn("--json", *source)
    assert sound.returncode == 0, sound.stderr
    verdict = json.loads(sound.stdout)
    assert verdict["damages"] == 0 and verdict["verified_bytes"] > 1_000_000
    assert tarn(*source, passphrase=None).returncode == 0, "checksums need no key"
    assert list(tmp_path.iterdir()) == []


def test_the_drill_names_what_is_damaged(kept, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(kept["folder"] / "copies", broken)
    pieces = sorted(broken.glob("*/pieces/*/*"), key=lambda p: p.stat().st_size)
    content = bytearray(pieces[-1].read_bytes())
    content[len(content) // 2] ^= 1
    pieces[-1].write_bytes(content)
    found = tarn("restore", "--from", broken, "--verify", "--scratch", tmp_path)
    assert found.returncode == 1 and pieces[-1].name in found.stderr and "damaged" in found.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["broken"]


def test_a_hostile_copy_writes_nowhere_else(kept, tmp_path):
    """A manifest whose checksum is right and whose paths lead out of the folder."""
    hostile = tmp_path / "hostile"
    shutil.copytree(kept["folder"] / "copies", hostile)
    for point in hostile.glob("*/points/*"):
        content = point.read_bytes()[:-32].replace(b"state/lake-id", b"../../outside")
        point.write_bytes(content + hashlib.sha256(content).digest())
    refused = tarn("restore", "--from", hostile, "--data", tmp_path / "data")
    assert refused.returncode == 1 and "no point that is whole" in refused.stderr
    assert not (tmp_path / "data").exists() and not (tmp_path / "outside").exists()


def test_what_may_not_be_is_refused(own_tarn, tmp_path):
    prepare(own_tarn)
    inside = tarn("backup", "--to", own_tarn.data / "copies", server=own_tarn)
    assert inside.returncode != 0 and "another disk" in inside.stderr
    full = tmp_path / "mine"
    full.mkdir()
    (full / "letter").write_text("dear")
    assert "neither empty nor" in tarn("backup", "--to", full, server=own_tarn).stderr
    short = tarn("backup", "--to", tmp_path / "c", server=own_tarn, passphrase="short")
    assert short.returncode == 2 and "passphrase" in short.stderr
    plain = tarn("backup", "--to", "s3://copies/x", "--to-endpoint", "http://203.0.113.7:9000", server=own_tarn,
                 env={"TARN_BACKUP_ACCESS_KEY_ID": "A", "TARN_BACKUP_SECRET_ACCESS_KEY": "S"})
    assert plain.returncode == 1 and "readable" in plain.stderr
    told("users", "add", "bo", server=own_tarn)
    key = told("keys", "add", "bo", server=own_tarn)
    stranger = tarn("backup", "--to", tmp_path / "c", server=own_tarn,
                    env={"AWS_ACCESS_KEY_ID": key["access_key_id"], "AWS_SECRET_ACCESS_KEY": key["secret_access_key"]})
    assert stranger.returncode == 1 and not (tmp_path / "c").exists()


@pytest.mark.long
def test_old_backups_go_and_their_space_comes_back(own_tarn, tmp_path):
    prepare(own_tarn)
    s3 = s3_of(own_tarn)
    size = lambda: sum(f.stat().st_size for f in pathlib.Path(tmp_path / "c").rglob("*") if f.is_file())
    for number in range(3):
        s3.put_object(Bucket="data", Key="same", Body=bytes([number]) * 3_000_000)
        told("backup", "--to", tmp_path / "c", "--keep", "1", server=own_tarn)
    assert len(told("backups", "--from", tmp_path / "c")) == 1
    time.sleep(1.1)
    told("backup", "--to", tmp_path / "c", "--keep", "1", server=own_tarn)
    assert size() < 8_000_000
    assert tarn("restore", "--from", tmp_path / "c", "--verify", "--scratch", tmp_path).returncode == 0


@pytest.mark.long
def test_another_tarn_is_a_place_for_backups(own_tarn, tmp_path):
    prepare(own_tarn)
    (tmp_path / "second").mkdir()
    with TarnServer(tmp_path / "second") as second:
        s3_of(second).create_bucket(Bucket="copies")
        key = {"TARN_BACKUP_ACCESS_KEY_ID": second.access_key, "TARN_BACKUP_SECRET_ACCESS_KEY": second.secret_key}
        to = ["--to", "s3://copies/a/lake", "--to-endpoint", second.endpoint]
        source = ["--from", "s3://copies/a/lake", "--from-endpoint", second.endpoint]
        for number in range(3):
            s3_of(own_tarn).put_object(Bucket="data", Key=f"k{number}", Body=bytes([number]) * 3_000_000)
            made = told("backup", *to, "--keep", "2", server=own_tarn, env=key)
            assert made["bytes_sent"] < 6_000_000, "what is there is not sent again"
        assert [point["has_root_key"] for point in told("backups", *source, env=key)] == [True, True]
        holds = everything(own_tarn)
        assert tarn("restore", *source, "--data", tmp_path / "again" / "data", env=key).returncode == 0
        with TarnServer(tmp_path / "again") as again:
            assert everything(again) == holds
        wrong = tarn("backup", *to, server=own_tarn, env={**key, "TARN_BACKUP_SECRET_ACCESS_KEY": "x" * 40})
        assert wrong.returncode == 1 and "SignatureDoesNotMatch" in wrong.stderr
        absent = tarn("backups", "--from", "s3://nothing/x", "--from-endpoint", second.endpoint, env=key)
        assert absent.returncode == 1 and "NoSuchBucket" in absent.stderr


def test_damage_in_the_lake_is_told_and_the_rest_is_copied(own_tarn, tmp_path):
    prepare(own_tarn)
    s3 = s3_of(own_tarn)
    s3.put_object(Bucket="data", Key="whole", Body=b"w" * 5_000)
    s3.put_object(Bucket="data", Key="broken", Body=b"b" * 300_000)
    extents, = (own_tarn.data / "extents").glob("*.extents")
    with open(extents, "r+b") as file:
        file.seek(4096 + 70_000)
        file.write(b"B")
    told_of = tarn("--json", "backup", "--to", tmp_path / "c", server=own_tarn)
    assert told_of.returncode == 3 and extents.name in told_of.stderr
    done = tarn("restore", "--from", tmp_path / "c", "--data", tmp_path / "again" / "data")
    assert done.returncode == 3 and extents.name in done.stderr
    assert tarn("restore", "--from", tmp_path / "c", "--verify", "--scratch", tmp_path).returncode == 3
    with TarnServer(tmp_path / "again") as again:
        assert s3_of(again).get_object(Bucket="data", Key="whole")["Body"].read() == b"w" * 5_000
        with pytest.raises(Exception):
            s3_of(again).get_object(Bucket="data", Key="broken")["Body"].read()
