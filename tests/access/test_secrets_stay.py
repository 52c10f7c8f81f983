"""A busy server that is led through failures at every door, with secrets that the test knows: nothing that it wrote or said has
one of them - as it is, in base64, in hexadecimal, in a URL's form or backwards."""
import base64
import pathlib
import subprocess
import sys
import urllib.parse

import psycopg2
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "protocol" / "mqtt"))

from access_clients import Connection, Signed, audited, basic, call, good, new_key, new_user, statement  # noqa: E402
from lake_api import until  # noqa: E402
from mqtt_clients import Raw, connect_packet  # noqa: E402
from tarn_server import TarnServer, binary  # noqa: E402
from webhook_receiver import WebhookReceiver  # noqa: E402

LAKEFILE = """lake: secretive
sources:
  erp: {{postgres: "${{secret:erp_url}}"}}
tables:
  broken: {{sql: select 'x'::int as n from levels}}
alerts:
  low:
    when: select shelf, units from levels where units < 3
    one_per: [shelf]
    to: [{{url: "{url}", secret: "${{secret:signing}}", allow_private: true}}]
dashboards:
  shown:
    embed: ["https://intranet.example"]
    charts: [{{title: One, sql: select 1 as one}}]
"""


def forms(secret):
    """What a secret could have become on its way; parts too, so that a cut text does not hide it."""
    raw = secret if isinstance(secret, bytes) else secret.encode()
    found = {raw, raw[::-1], raw.hex().encode(), raw.hex().upper().encode(), urllib.parse.quote(raw, safe="").encode()}
    for before in range(3):  # a secret in the middle of what was encoded
        for encoded in (base64.b64encode(b"\0" * before + raw), base64.urlsafe_b64encode(b"\0" * before + raw)):
            found.add(encoded.rstrip(b"=")[4 if before else 0:-2])
    if len(raw) >= 24:
        found |= {raw[:16], raw[-16:]}
    return {form for form in found if len(form) >= 10}


def check_absent(secrets, where, data, but=()):
    for name, secret in secrets.items():
        if name in but:
            continue
        for form in forms(secret):
            at = data.find(form)
            assert at < 0, f"{name} stands in {where}: ...{data[max(0, at - 60):at + 60]!r}"


def written_in(file):
    """A segment is longer than what is in it: without its zeros."""
    with open(file, "rb") as opened:
        return b"".join(chunk for chunk in iter(lambda: opened.read(1 << 20), b"") if chunk.count(0) < len(chunk))


@pytest.fixture(scope="module")
def busy(tarn_binary):
    with WebhookReceiver() as receiver:
        server = TarnServer(args=["--log-level", "debug"], env={"PGPASSWORD": "password-of-the-environment"})
        server.secrets, server.said = {}, []
        with_archive(server)
        try:
            server.start()
            lead_through(server, receiver)
            yield server
        finally:
            server.close()


def secret_file(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def with_archive(server):
    """Kept copies that go to a place where nobody answers."""
    known = server.secrets
    known["archive's secret"] = "secret-key-of-the-archives-place"
    known["archive's passphrase"] = "the passphrase of the archive"
    pair = "[default]\naws_access_key_id = AKIAOFTHEARCHIVE\naws_secret_access_key = " + known["archive's secret"]
    server.args += ["--archive", "s3://away/lake", "--archive-endpoint", "http://127.0.0.1:1",
                    "--archive-credentials-file", str(secret_file(server.folder / "archive.credentials", pair)),
                    "--archive-passphrase-file", str(secret_file(server.folder / "passphrase", known["archive's passphrase"] + "\n"))]


def copy(server, tell):
    """A backup that works, one whose place is away, and commands with the wrong words."""
    known = server.secrets
    known["backup's passphrase"], known["wrong passphrase"] = "the passphrase of the backup", "quite another passphrase"
    known["backup place's secret"] = "secret-key-of-the-backups-place"
    away = {"to": "s3://away/lake", "endpoint": "http://127.0.0.1:1", "access_key_id": "AKIAOFTHEBACKUP",
            "secret_access_key": known["backup place's secret"]}
    for to, outcome in (({"to": str(server.folder / "copy")}, "point"), (away, "error")):
        reply = tell("POST", "/api/v1/backups", {**to, "passphrase": known["backup's passphrase"]})
        assert reply.status in (200, 202), reply.body
        until(lambda: (good(server, "GET", "/api/v1/backups")["last"] or {}).get(outcome))
        tell("GET", "/api/v1/backups")
    tell("POST", "/api/v1/backups", {**away, "to": "nonsense://" + known["backup place's secret"][:5], "passphrase": known["wrong passphrase"]})
    for words in (("restore", "--from", server.folder / "copy", "--data", server.folder / "again"),
                  ("backup", "--to", "s3://away/lake", "--to-endpoint", "http://127.0.0.1:1"), ("status",)):
        environment = {**server.client_env(), "TARN_ENDPOINT": f"http://{server.ready['http']}",
                       "TARN_BACKUP_PASSPHRASE": known["wrong passphrase"], "TARN_BACKUP_ACCESS_KEY_ID": "AKIAOFTHEBACKUP",
                       "TARN_BACKUP_SECRET_ACCESS_KEY": known["backup place's secret"]}
        done = subprocess.run([str(binary()), *map(str, words)], env=environment, capture_output=True, timeout=120, check=False,
                              stdin=subprocess.DEVNULL)
        assert (done.returncode == 0) == (words == ("status",)), (words, done.stderr)
        server.said.append((f"tarn {words[0]}", done.stdout + done.stderr))


def lead_through(server, receiver):
    known = server.secrets
    known["root's secret"] = server.secret_key
    known["root.key"] = (server.data / "root.key").read_bytes()
    known["password of the environment"] = "password-of-the-environment"
    known["source's password"] = "hunter2-of-the-source"
    known["signing secret"] = "whsec_" + base64.b64encode(b"signing-secret-of-the-webhook").decode()
    known["signing key"] = b"signing-secret-of-the-webhook"
    user = new_user(server, "ann", statement("*"))
    known["user's secret"] = user[1]
    spare = new_key(server, "ann")
    known["disabled key's secret"] = spare[1]

    def tell(method, path, body=None, key=None, headers=None):
        reply = call(server, method, path, body, key, headers)
        server.said.append((f"{method} {path}", reply.body + repr(reply.headers).encode()))
        return reply
    # Declared things that fail: a source that nobody answers, a receiver that answers 500, a step that cannot be computed.
    for name, value in (("erp_url", "postgresql://reader:" + known["source's password"] + "@127.0.0.1:1/erp"),
                        ("signing", known["signing secret"])):
        assert tell("PUT", f"/api/v1/secrets/{name}", {"value": value}).status == 204
    good(server, "POST", "/api/v1/sql", {"sql": "create table levels (shelf text, units int)"})
    receiver.answer = lambda message: 500
    body = {"lakefile": LAKEFILE.format(url=receiver.url), "folder": ""}
    plan = tell("POST", "/api/v1/plan", body).json()
    assert not plan["problems"], plan
    assert tell("POST", "/api/v1/apply", {**body, "plan": plan["plan"]}).status == 200
    good(server, "POST", "/api/v1/sql", {"sql": "insert into levels values ('a', 1)"})
    until(lambda: [d for d in good(server, "GET", "/api/v1/alerts/low/deliveries")["deliveries"] if d["attempts"]])
    until(lambda: any(s.get("last_error") for s in good(server, "GET", "/api/v1/sources")["sources"]))
    known["given signing secret"] = tell("GET", "/api/v1/alerts/low/webhooks/0/secret").json().get("secret", known["signing secret"])
    server.said.pop()  # the one answer that gives it
    # Sessions, links and embeds, used well and badly.
    token = good(server, "POST", "/api/v1/sign-in-tokens", {}, user)["token"]
    reply = call(server, "POST", "/api/v1/session", {"token": token}, False)
    cookie = reply.headers["set-cookie"].split(";")[0]
    known.update({"sign-in token": token, "session cookie": cookie.split("=")[1], "csrf token": reply.json()["csrf_token"]})
    embed = good(server, "POST", "/api/v1/dashboards/shown/embeds", {"user": "ann"})["path"].split("#")[1]
    known["embed link"] = embed
    tell("POST", "/api/v1/session", {"token": token}, False)
    tell("POST", "/api/v1/session", {"user": "ann", "password": user[1] + "x"}, False)
    tell("DELETE", "/api/v1/users/ann", None, False, {"Cookie": cookie})
    tell("GET", "/api/v1/dashboards/none", None, False, {"Authorization": "Embed " + embed})
    tell("PUT", f"/api/v1/keys/{spare[0]}", {"active": False})
    tell("GET", "/api/v1/users", None, spare)
    # A secret at a wrong place: as a name, in an address, in a header, in SQL's own words.
    for key in ((user[1], user[0]), (user[0], user[1].lower()), ("ann", server.secret_key)):
        tell("GET", "/api/v1/users", None, key)
    tell("GET", "/api/v1/users", None, False, {"Authorization": "Bearer " + user[1]})
    tell("POST", "/api/v1/sql", {"sql": "select * from missing_table"}, user)
    tell("POST", "/api/v1/users", {"name": "bad name", "policies": {"p": {"Version": "x"}}}, user)
    connection = Connection(server, "aws")
    for key, options in ((user, {}), (spare, {}), ((user[0], "x" * 40), {}), (user, {"at": 1_000_000_000}), (user, {"region": "x/y"})):
        for method in ("GET", "PUT"):
            reply = Signed(server, key, method, "/no-such-bucket/key", "", None, b"x" if method == "PUT" else b"", **options).send(connection)
            server.said.append((f"S3 {method}", reply.body))
    server.said.append(("S3 by Basic", connection.send("GET", "/", basic(user)).body))
    host, port = server.address("postgres")
    for name, password in (user, spare, ("ann", user[1] + "x"), ("nobody", user[1])):
        try:
            made = psycopg2.connect(host=host, port=port, user=name, password=password, dbname="lake", application_name="spy")
            made.autocommit = True
            for statement_ in ("select 1/0", "selec", "select * from read_text('/etc/passwd')", "set nonsense = 1"):
                try:
                    made.cursor().execute(statement_)
                except psycopg2.Error as refused:
                    server.said.append((statement_, str(refused).encode()))
            made.close()
        except psycopg2.OperationalError as refused:
            server.said.append(("psql", str(refused).encode()))
    for name, password in (user, spare, ("ann", "wrong"), ("nobody", user[1])):
        with Raw(server) as raw:
            raw.say(connect_packet(server, 5, user=name, password=password) + b"\xff\xff")
            server.said.append(("MQTT", raw.until_closed()))
    copy(server, tell)
    # Everything that can be asked.
    for path in ("status", "me", "users", "roles", "audit?limit=1000", "secrets", "sources", "tables", "runs", "graph", "models", "alerts",
                 "alert-events", "alert-deliveries", "alerts/low", "alerts/low/events", "alerts/low/deliveries", "queries", "catalog",
                 "usage", "growth", "backups", "measures", "dashboards", "dashboards/shown", "lakefile", "audit/digests", "audit/check", "streams"):
        reply = tell("GET", "/api/v1/" + path)
        assert reply.status == 200, (path, reply.body)
    server.said.append(("the trail", str(audited(server)).encode()))
    assert tell("GET", "/metrics").status == 200


def test_nothing_that_was_answered_has_a_secret(busy):
    for where, said in busy.said:
        # Who asked may hear again what it just sent as its own name.
        check_absent(busy.secrets, "the answer to " + where, said)


def test_nothing_that_was_written_has_a_secret(busy):
    known = busy.secrets
    assert busy.stop() == 0
    busy.start()  # a start writes and logs as well
    busy.kill()
    check_absent(known, "the log", busy.log_file.read_bytes())
    looked = 0
    for file in sorted(busy.data.rglob("*")):
        if not file.is_file():
            continue
        looked += 1
        own = {"root.key": ("root.key",), "root.credentials": ("root's secret",)}.get(file.name, ())
        check_absent(known, str(file.relative_to(busy.data)), written_in(file), own)
    assert looked > 8
    copied = [file for file in (busy.folder / "copy").rglob("*") if file.is_file()]
    for file in copied:
        check_absent(known, str(file), written_in(file))
    assert len(copied) > 3
    for name in ("root.key", "root.credentials"):
        assert (busy.data / name).stat().st_mode & 0o77 == 0, name
    assert busy.data.stat().st_mode & 0o77 == 0, "the data folder is the server's alone"


def test_the_test_finds_what_it_looks_for(busy):
    for secret in busy.secrets.values():
        raw = secret if isinstance(secret, bytes) else secret.encode()
        for text in (raw, base64.b64encode(b"user:" + raw), raw.hex().encode(), b"x" + base64.b64encode(raw)):
            with pytest.raises(AssertionError):
                check_absent({"it": secret}, "this", b"before " + text + b" after")
