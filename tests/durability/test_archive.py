"""The archive: the log is followed to another place, and losing the machine loses seconds. What was really lost is measured."""
import shutil
import time

import pytest

from authority import Authority
from kept_copies import Load, PASSPHRASE, check_against, everything, prepare, s3_of, tarn, told, until
from lake_api import api, send
from tarn_server import TarnServer

SECONDS_MAX = 5


def with_archive(folder, to, *more, env=None):
    folder.mkdir(parents=True, exist_ok=True)
    phrase = folder / "passphrase"
    phrase.write_text(PASSPHRASE + "\n")
    phrase.chmod(0o600)
    return TarnServer(folder, args=["--archive", to, "--archive-passphrase-file", phrase, *more], env=env)


def archive_of(server):
    return api(server, "GET", "/api/v1/status")["archive"]


def metric(server, name):
    text = send(server, "GET", "/metrics").body.decode()
    return float(next(line.split()[1] for line in text.splitlines() if line.startswith(name + " ")))


def lose(server, load):
    """The machine is gone: nothing of it is left. Returns when."""
    lag = metric(server, "tarn_archive_lag_seconds")
    moment = time.time()
    server.kill()
    load.end()
    shutil.rmtree(server.data)
    return moment, lag


def come_back(load, moment, lag, tmp_path, *source, env=None):
    done = tarn("--json", "restore", *source, "--data", tmp_path / "again" / "data", env=env)
    assert done.returncode == 0, done.stderr
    with TarnServer(tmp_path / "again") as server:
        lost, seconds = check_against(load, everything(server), moment - max(SECONDS_MAX, 2 * lag + 1))
    print(f"lost {lost} acknowledged things of the last {seconds:.2f} s; the metric said {lag:.2f} s")
    assert seconds <= max(SECONDS_MAX, 2 * lag + 1)
    return seconds


def test_a_lost_machine_loses_seconds(tarn_binary, tmp_path):
    server = with_archive(tmp_path / "first", tmp_path / "archive").start()
    try:
        prepare(server)
        load = Load(server)
        until(lambda: archive_of(server)["following"], "a first point")
        time.sleep(4)
        assert "behind" in tarn("status", server=server).stdout
        moment, lag = lose(server, load)
    finally:
        server.close()
    come_back(load, moment, lag, tmp_path, "--from", tmp_path / "archive")
    points = told("backups", "--from", tmp_path / "archive")
    assert points[-1]["tails"] >= 1
    # Each second is a state that can be had again: as against a mistake.
    middle = f"{points[-1]['point']}+{points[-1]['tails'] // 2}"
    assert tarn("restore", "--from", tmp_path / "archive", "--at", middle, "--verify", "--scratch", tmp_path).returncode == 0


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_another_tarn_is_a_place_for_it_and_may_be_away(tarn_binary, tmp_path, secure):
    (tmp_path / "second").mkdir()
    authority = Authority(tmp_path / "ca") if secure else None
    tls = [word for pair in zip(("--tls-certificate", "--tls-key"), authority.issue("second")) for word in pair] if secure else []
    with TarnServer(tmp_path / "second", args=tls) as second:
        s3_of(second, ca=authority and authority.ca).create_bucket(Bucket="copies")
        port = second.address("aws")[1]
        endpoint = f"{'https' if secure else 'http'}://127.0.0.1:{port}"
        ca = {name: [name, authority.ca] if secure else [] for name in ("--archive-ca-file", "--from-ca-file")}
        env = {"TARN_ARCHIVE_ACCESS_KEY_ID": second.access_key, "TARN_ARCHIVE_SECRET_ACCESS_KEY": second.secret_key}
        first = with_archive(tmp_path / "first", "s3://copies/lake", "--archive-endpoint", endpoint, *ca["--archive-ca-file"], env=env)
        try:
            first.start()
            prepare(first)
            load = Load(first)
            until(lambda: archive_of(first)["following"], "a first point")
            second.kill()
            until(lambda: archive_of(first)["error"] and metric(first, "tarn_archive_lag_seconds") > 2, "the lag shows")
            until(lambda: metric(first, "tarn_archive_failing") == 1, "so does the failure")
            assert second.secret_key not in first.log_text()
            second.start({"aws": port})
            until(lambda: not archive_of(first)["error"] and archive_of(first)["lag_seconds"] < 4, "it catches up")
            time.sleep(2)
            moment, lag = lose(first, load)
        finally:
            first.close()
        key = {"TARN_BACKUP_ACCESS_KEY_ID": second.access_key, "TARN_BACKUP_SECRET_ACCESS_KEY": second.secret_key}
        come_back(load, moment, lag, tmp_path, "--from", "s3://copies/lake", "--from-endpoint", endpoint, *ca["--from-ca-file"], env=key)
        if secure:
            unknown = tarn("backups", "--from", "s3://copies/lake", "--from-endpoint", endpoint, env=key)
            assert unknown.returncode == 1 and "certificate" in unknown.stderr, unknown.stderr


def test_an_ordered_end_loses_nothing(tarn_binary, tmp_path):
    server = with_archive(tmp_path / "first", tmp_path / "archive").start()
    try:
        prepare(server)
        until(lambda: archive_of(server)["following"], "a first point")
        s3_of(server).put_object(Bucket="data", Key="last", Body=b"the last word" * 10_000)
        assert server.stop() == 0
    finally:
        server.close()
    assert tarn("restore", "--from", tmp_path / "archive", "--data", tmp_path / "again" / "data").returncode == 0
    with TarnServer(tmp_path / "again") as again:
        assert "last" in everything(again)["objects"]


@pytest.mark.long
def test_a_restart_begins_a_point_and_goes_on(tarn_binary, tmp_path):
    server = with_archive(tmp_path / "first", tmp_path / "archive").start()
    try:
        prepare(server)
        s3_of(server).put_object(Bucket="data", Key="a", Body=b"a" * 200_000)
        until(lambda: archive_of(server)["following"] and archive_of(server)["lag_seconds"] == 0, "all is shipped")
        server.restart(crash=True)
        s3_of(server).put_object(Bucket="data", Key="b", Body=b"b" * 200_000)
        until(lambda: archive_of(server)["following"] and archive_of(server)["lag_seconds"] == 0, "all is shipped")
        holds = everything(server)
        server.kill()
    finally:
        server.close()
    assert tarn("restore", "--from", tmp_path / "archive", "--data", tmp_path / "again" / "data").returncode == 0
    with TarnServer(tmp_path / "again") as again:
        assert everything(again) == holds


@pytest.mark.parametrize("wrong, says", [("relative/folder", "absolute"), ("s3://", "s3://bucket")])
def test_a_wrong_place_is_told_and_the_lake_goes_on(tarn_binary, tmp_path, wrong, says):
    server = with_archive(tmp_path / "first", wrong).start()
    try:
        prepare(server)
        assert says in until(lambda: archive_of(server)["error"], "an error")
    finally:
        server.close()
