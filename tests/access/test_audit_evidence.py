"""The audit trail as evidence, on the real program: a change is on record or did not happen, the record is chained, signed and
anchored, and what somebody does to it afterwards is found and named."""
import hashlib
import json
import os
import pathlib
import shutil
import struct
import subprocess

import boto3
import pytest

from access_clients import Connection, Signed, audited, call, good, new_user, policy, statement
from lake_api import until
from authority import Authority
from tarn_server import TarnServer, binary


def tarn(server, *args):
    host, port = server.address("http")
    done = subprocess.run([str(binary()), "--endpoint", f"http://{host}:{port}", "audit", *map(str, args)], capture_output=True, text=True,
                          timeout=120, env=server.client_env())
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def anchored(tarn_binary, tmp_path):
    (tmp_path / "lake").mkdir()
    server = TarnServer(folder=tmp_path / "lake", args=["--audit-anchor", tmp_path / "anchor"], start_seconds=120)
    server.anchor = tmp_path / "anchor"
    try:
        yield server.start()
    finally:
        server.close()


def do_something(server, times=5):
    for n in range(times):
        good(server, "PUT", f"/api/v1/secrets/s{n}", {"value": "v"})


def test_list_sign_and_verify(anchored):
    do_something(anchored)
    new_user(anchored, "ann")
    assert call(anchored, "GET", "/api/v1/users", None, ("ann", "wrong")).status == 401
    code, said = tarn(anchored, "list", "--action", "tarn:PutSecret")
    assert code == 0 and said.count("tarn:PutSecret") == 5
    _, said = tarn(anchored, "--json", "list", "--limit", "2", "--outcome", "allowed")
    assert len([json.loads(line) for line in said.splitlines()]) == 2
    until(lambda: tarn(anchored, "list", "--outcome", "denied")[1].count("iam:ListUsers") == 1)
    assert tarn(anchored, "list", "--principal", "nobody")[1].count("tarn:") == 0

    code, said = tarn(anchored, "verify")
    assert code == 0 and "the audit trail is whole" in said and "0 digests" in said, said
    code, said = tarn(anchored, "sign")
    assert code == 0 and json.loads(said)["number"] == 0, said
    do_something(anchored)
    assert tarn(anchored, "sign")[0] == 0
    code, said = tarn(anchored, "verify", "--anchor", anchored.anchor)
    assert code == 0 and "in 2 digests, compared with the anchor" in said, said
    _, key = tarn(anchored, "public-key")
    assert (anchored.anchor / f"audit-public-key-{good(anchored, 'GET', '/api/v1/status')['account']}.hex").read_text() == key
    assert sorted(one.name for one in anchored.anchor.glob("*.json")) == [f"audit-digest-{n:012}.json" for n in range(2)]
    # A stop signs what is left; a crash leaves it to the next start.
    assert anchored.restart() and len(good(anchored, "GET", "/api/v1/audit/digests")["digests"]) == 3
    anchored.restart(crash=True)
    code, said = tarn(anchored, "verify", "--anchor", anchored.anchor)
    assert code == 0, said
    # Another key than the one that signed.
    other = anchored.folder / "other.key"
    other.write_text("00" * 32 + "\n")
    code, said = tarn(anchored, "verify", "--public-key", other)
    assert code == 1 and "digest 0 is not signed by the key that is trusted" in said, said


def test_what_the_server_does_is_named(tarn_binary, tmp_path):
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "a.csv").write_text("id,x\n1,2\n")
    (tmp_path / "lake.yaml").write_text(f"lake: t\nsources:\n  f: {{folder: {tmp_path}/drop}}\ntables:\n  g: {{sql: select id from f}}\n")
    with TarnServer(folder=tmp_path, args=["--lake", tmp_path / "lake.yaml"]) as server:
        until(lambda: "a file was loaded" in server.log_text())

        def named():
            return {(one.get("action"), one.get("resource", "").split(":", 5)[-1].split("/")[0])
                    for one in good(server, "GET", "/api/v1/audit?limit=1000")["records"] if one.get("principal", "").endswith("system/tarn")}
        until(lambda: ("s3:PutObject", "landing") in named())
        assert named() >= {("s3:CreateBucket", "landing"), ("tarn:Create", "database"), ("tarn:Apply", "lake")}
        assert all(action and resource for action, resource in named()), named()


def test_who_may_look(anchored):
    reader = new_user(anchored, "reader", statement("cloudtrail:LookupEvents"))
    auditor = new_user(anchored, "auditor", statement("tarn:CheckAudit", "tarn:ListAuditDigests"))
    for key, allowed in ((reader, {"audit"}), (auditor, {"audit/check", "audit/digests"})):
        for path in ("audit", "audit/check", "audit/digests"):
            assert call(anchored, "GET", "/api/v1/" + path, None, key).status == (200 if path in allowed else 403), (path, key)
        assert call(anchored, "POST", "/api/v1/audit/digests", {}, key).status == 403


def test_an_older_lake_in_its_place_is_seen_by_the_anchor(anchored):
    do_something(anchored)
    tarn(anchored, "sign")
    anchored.stop()
    shutil.copytree(anchored.data, anchored.folder / "copy")
    anchored.start()
    good(anchored, "POST", "/api/v1/users", {"name": "intruder"})
    tarn(anchored, "sign")
    anchored.stop()
    shutil.rmtree(anchored.data)
    (anchored.folder / "copy").rename(anchored.data)
    anchored.start()
    assert tarn(anchored, "verify")[0] == 0, "in itself it is whole"
    code, said = tarn(anchored, "verify", "--anchor", anchored.anchor)
    assert code == 1 and "is not the one in the anchor" in said or "the lake lacks digest" in said, said


@pytest.fixture
def in_a_bucket(tarn_binary, tmp_path):
    """A lake whose anchor is a bucket of another one, over TLS: (the lake, the other, words of `verify`)."""
    authority = Authority(tmp_path / "ca")
    certificate, key = authority.issue("other")
    (tmp_path / "lake").mkdir()
    (tmp_path / "other").mkdir()
    with TarnServer(folder=tmp_path / "other", args=["--tls-certificate", certificate, "--tls-key", key]) as other:
        bucket = boto3.client("s3", endpoint_url=f"https://{other.ready['aws']}", verify=str(authority.ca), region_name="us-east-1",
                              aws_access_key_id=other.access_key, aws_secret_access_key=other.secret_key)
        bucket.create_bucket(Bucket="evidence")
        place = ["s3://evidence/lake", "--{}-endpoint", f"https://{other.ready['aws']}", "--{}-ca-file", authority.ca]
        server = TarnServer(folder=tmp_path / "lake", start_seconds=120, args=[
            "--audit-anchor", *(str(word).format("audit-anchor") for word in place), "--audit-anchor-credentials-file", other.credentials_file])
        server.verify = ["verify", "--anchor", *(str(word).format("anchor") for word in place), "--anchor-credentials", other.credentials_file]
        try:
            yield server.start(), other, bucket
        finally:
            server.close()


def test_an_anchor_in_a_bucket(in_a_bucket):
    server, other, bucket = in_a_bucket
    names = [f"lake/audit-digest-{n:012}.json" for n in range(3)]

    def held():
        return [one["Key"] for one in bucket.list_objects_v2(Bucket="evidence").get("Contents", []) if one["Key"].endswith(".json")]
    do_something(server)
    code, said = tarn(server, "sign")
    assert code == 0 and held() == names[:1], said
    code, said = tarn(server, *server.verify)
    assert code == 0 and "in 1 digests, compared with the anchor" in said, said
    # It is away: the lake goes on, ends in time, and says what is missing.
    port = other.address("aws")[1]
    other.kill()
    do_something(server)
    code, said = tarn(server, "sign")
    assert code == 1 and str(port) in said, said
    code, said = tarn(server, *server.verify)
    assert code == 1 and str(port) in said, said
    until(lambda: "the anchor lacks digests" in server.log_text())
    assert other.secret_key not in server.log_text()
    server.stop(seconds=15)
    server.start()
    do_something(server)
    other.start({"aws": port})
    assert tarn(server, "sign")[0] == 0
    assert len(held()) >= 3 and held()[:3] == names
    assert tarn(server, *server.verify)[0] == 0
    # What stands there is not written again, and what was changed there is named.
    bucket.put_object(Bucket="evidence", Key=names[0], Body=bucket.get_object(Bucket="evidence", Key=names[1])["Body"].read())
    server.restart()
    do_something(server)
    assert tarn(server, "sign")[0] == 0
    code, said = tarn(server, *server.verify)
    assert code == 1 and "digest 0 is not the one in the anchor" in said, said


@pytest.mark.parametrize("args, says", [
    (["--audit-anchor", "s3://evidence/lake"], "no access key"), (["--audit-anchor", "s3://"], "s3://bucket"),
    (["--audit-anchor", "s3://evidence/lake", "--audit-anchor-endpoint", "nowhere"], "https://host:port")])
def test_an_anchor_that_is_none_stops_the_start(tarn_binary, tmp_path, args, says):
    done = subprocess.run([str(binary()), "serve", "--data", str(tmp_path / "data"), *args], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "TARN_AUDIT_ANCHOR_ACCESS_KEY_ID": "" if says == "no access key" else "k",
                               "TARN_AUDIT_ANCHOR_SECRET_ACCESS_KEY": "s"})
    assert done.returncode != 0 and says in done.stderr, done.stderr


# --- the log, forged as who knows its format would

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)


def crc32c(data, seed=0):
    value = seed ^ 0xFFFFFFFF
    for byte in data:
        value = TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF


def frames(segment):
    """(offset, length of the records section, of the bodies) of each frame."""
    at = 4096
    while segment[at:at + 4] == b"TRFM":
        records, bodies = struct.unpack_from("<IQ", segment, at + 20)
        yield at, records, bodies
        at += 72 + records + bodies


def forge(data_folder, old, new):
    """Changes bytes in the log, and every checksum and chain hash behind them: nothing of the log itself will object."""
    assert len(old) == len(new)
    changed = 0
    for path in sorted((data_folder / "state" / "wal").glob("*.wal")):
        segment = bytearray(path.read_bytes())
        seed = crc32c(segment[:80])
        chain = bytes(segment[48:80])
        for at, records, _ in list(frames(segment)):
            start, end = at + 72, at + 72 + records
            changed += segment[start:end].count(old)
            segment[start:end] = segment[start:end].replace(old, new)
            segment[at + 32:at + 36] = struct.pack("<I", crc32c(segment[start:end], seed))
            segment[at + 40:at + 72] = chain
            segment[at + 4:at + 8] = struct.pack("<I", crc32c(segment[at + 8:at + 72], seed))
            chain = hashlib.sha256(bytes(segment[at:end])).digest()
        path.write_bytes(segment)
    return changed


def test_a_record_changed_in_the_log_is_named(anchored):
    """The intruder knows the log's format, mends its checksums and chain, and lets the start-up replay what it wrote."""
    do_something(anchored, 3)
    good(anchored, "POST", "/api/v1/users", {"name": "intruder"})
    request = call(anchored, "PUT", "/api/v1/secrets/marked", {"value": "v"})
    marked = request.headers["x-request-id"]
    tarn(anchored, "sign")
    anchored.kill()
    index = anchored.data / "state" / "index"
    shutil.rmtree(index)  # it is made again from the log
    old = b'"request_id":"%s","principal":"arn:aws:iam::' % marked.encode()
    assert forge(anchored.data, old, old.replace(b"principal", b"princlpal")) >= 1
    anchored.start()
    code, said = tarn(anchored, "verify")
    assert code == 1 and ": changed" in said, said
    number = int(said.split("record ")[1].split(":")[0])
    page = good(anchored, "GET", f"/api/v1/audit?before={number + 1}&limit=1")["records"]
    assert page[0]["request_id"] == marked


# --- a change is on record, or did not happen

def test_a_change_that_was_acknowledged_is_on_record_after_a_kill(own_tarn):
    """Each changing operation, the answer, a kill: the record is there, because it is in the change's own batch."""
    root = (own_tarn.access_key, own_tarn.secret_key)
    done = []

    def api(method, path, body=None):
        reply = call(own_tarn, method, path, body)
        assert reply.status < 300, (method, path, reply.body)
        done.append(reply.headers["x-request-id"])
        return reply.json()

    def s3(method, path, query="", body=b"", **headers):
        reply = Signed(own_tarn, root, method, path, query, headers, body).send(Connection(own_tarn, "aws"))
        assert reply.status < 300, (method, path, reply.body)
        done.append(reply.headers["x-amz-request-id"])
        return reply
    tagging = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    steps = [
        lambda: api("POST", "/api/v1/users", {"name": "ann"}),
        lambda: api("PUT", "/api/v1/users/ann/policies/p", policy(statement("s3:*"))),
        lambda: api("PUT", "/api/v1/users/ann/roles", {"roles": ["r"]}),
        lambda: api("PUT", "/api/v1/roles/r", {"read": "all"}),
        lambda: api("POST", "/api/v1/users/ann/keys", {}),
        lambda: api("PUT", "/api/v1/secrets/s", {"value": "v"}),
        lambda: api("POST", "/api/v1/sign-in-tokens", {}),
        lambda: s3("PUT", "/vault"),
        lambda: s3("PUT", "/vault/small", "", b"x"),
        lambda: s3("PUT", "/vault/large", "", b"x" * 300_000),
        lambda: s3("PUT", "/vault/small", "tagging=", tagging),
        lambda: s3("PUT", "/vault/copy", "", b"", **{"x-amz-copy-source": "/vault/small"}),
        lambda: s3("POST", "/vault/parts", "uploads="),
        lambda: s3("DELETE", "/vault/copy"),
        lambda: api("DELETE", "/api/v1/secrets/s"),
        lambda: api("DELETE", "/api/v1/users/ann"),
    ]
    for number, step in enumerate(steps):
        step()
        if number % 4 == 3:
            own_tarn.restart(crash=True)
    own_tarn.restart(crash=True)
    found = {record["request_id"]: record for record in audited(own_tarn)}
    missing = [one for one in done if one not in found]
    assert not missing, f"{len(missing)} of {len(done)} changes are without a record"
    assert all(found[one]["outcome"] == "allowed" for one in done)


def test_a_change_whose_record_cannot_be_written_fails(own_tarn):
    """The log takes no more bytes (the process's limit on a file's size): every change fails, at every door, and is not there
    afterwards; with the change its record."""
    root = (own_tarn.access_key, own_tarn.secret_key)
    connection = Connection(own_tarn, "aws")
    assert Signed(own_tarn, root, "PUT", "/vault").send(connection).status == 200
    good(own_tarn, "POST", "/api/v1/users", {"name": "before"})
    descriptors = pathlib.Path(f"/proc/{own_tarn.process.pid}/fd")
    logs = [one for one in descriptors.iterdir() if os.readlink(one).endswith(".wal")]
    assert logs, "the log is not open"
    subprocess.run(["prlimit", "--pid", str(own_tarn.process.pid), "--fsize=4096:4096"], check=True)
    statuses = []
    for number in range(5):
        statuses.append(Signed(own_tarn, root, "PUT", f"/vault/after{number}", "", None, b"x").send(connection).status)
        statuses.append(call(own_tarn, "POST", "/api/v1/users", {"name": f"after{number}"}).status)
    assert all(status >= 500 for status in statuses), statuses
    # What was to be read is read still: its record waits in memory, and no more than that.
    assert not good(own_tarn, "GET", "/api/v1/status")["ready"]
    own_tarn.restart(crash=True)
    names = [user["name"] for user in good(own_tarn, "GET", "/api/v1/users")["users"]]
    assert "before" in names and not [name for name in names if name.startswith("after")]
    listing = Signed(own_tarn, root, "GET", "/vault", "list-type=2").send(Connection(own_tarn, "aws")).body
    assert b"after" not in listing
    assert not [r for r in audited(own_tarn, outcome="allowed") if r.get("action") in ("iam:CreateUser", "s3:PutObject") and "after" in str(r)]
