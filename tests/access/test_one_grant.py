"""One user an action: who may do one thing does that one, at every door, and nothing else. Deny beats allow."""
import pathlib
import sys
import time
import uuid

import psycopg2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "protocol" / "postgres"))

from access_clients import (SOME_OR_ALL, Connection, Signed, api_operations, audited, basic, good, new_user,
                            own_actions, policy,
                            s3_operations, sample, statement)
from test_s3_matrix import OPERATIONS, shape, vault  # noqa: E402,F401  (the fixture)
from wire import Wire, query  # noqa: E402

DESTROYS = {"DeleteBucket", "DeleteObject", "DeleteObjects", "CompleteMultipartUpload", "AbortMultipartUpload",
            "DeleteObjectTagging", "DeleteBucketTagging", "CreateBucket"}


def passed(reply, operation):
    """The authorizer said yes: what comes then is the operation's own answer."""
    if operation[0] == "DeleteObjects":
        return reply.status == 200 and reply.code != "AccessDenied"
    return reply.status != 403


def needs(operation):
    """What one request needs; a copy reads as well, and attributes are told to who may read."""
    reads = operation[4] == "x-amz-copy-source" or operation[0] == "GetObjectAttributes"
    return {operation[5]} | ({"s3:GetObject"} if reads else set())


def ask(server, connection, key, operation):
    method, path, query, headers, body = shape(server, operation)
    return Signed(server, key, method, path, query, headers, body).send(connection)


@SOME_OR_ALL
def test_an_action_of_s3_is_that_action(vault, whole):  # noqa: F811
    connection = Connection(vault, "aws")
    actions = sorted({one[5] for one in OPERATIONS})
    for action in sample(actions, 14, whole):
        name = "one-" + uuid.uuid4().hex[:12]
        key = new_user(vault, name, statement(action))
        for operation in OPERATIONS if whole else sample(OPERATIONS, 40, whole) + [o for o in OPERATIONS if o[5] == action]:
            if operation[0] in DESTROYS and operation[5] == action:
                continue  # done below, on things of its own
            reply = ask(vault, connection, key, operation)
            if needs(operation) == {action}:
                assert passed(reply, operation), (action, operation, reply.body[:300])
            elif operation[5] == action:
                assert reply.status == 403, ("without reading", operation, reply.body[:300])
            elif operation[0] == "DeleteObjects":
                assert reply.code == "AccessDenied" and b"<Deleted>" not in reply.body
            else:
                assert reply.status == 403, (action, operation, reply.status, reply.body[:300])


def test_what_destroys_needs_its_action(vault):  # noqa: F811
    """On a bucket of its own: refused with every other action of S3, done with this one."""
    connection = Connection(vault, "aws")
    every = {one[5] for one in s3_operations()}
    for name, action, make, todo in (
            ("delete-object", "s3:DeleteObject", ("PUT", "/{b}/k", "", b"x"), ("DELETE", "/{b}/k", "")),
            ("tagging", "s3:DeleteObjectTagging", ("PUT", "/{b}/k", "", b"x"), ("DELETE", "/{b}/k", "tagging=")),
            ("bucket-tagging", "s3:PutBucketTagging", None, ("DELETE", "/{b}", "tagging=")),
            ("delete-bucket", "s3:DeleteBucket", None, ("DELETE", "/{b}", "")),
            ("create-bucket", "s3:CreateBucket", None, ("PUT", "/{b}-new", ""))):
        bucket = f"b-{name}"
        Signed(vault, vault.root, "PUT", f"/{bucket}").send(connection)
        if make:
            Signed(vault, vault.root, make[0], make[1].format(b=bucket), make[2], None, make[3]).send(connection)
        all_but = new_user(vault, f"all-but-{name}", statement(*sorted(every - {action})))
        denied = new_user(vault, f"denied-{name}", statement("s3:*"), statement(action, effect="Deny"))
        alone = new_user(vault, f"alone-{name}", statement(action))
        method, path, query = todo
        for key in (all_but, denied):
            reply = Signed(vault, key, method, path.format(b=bucket), query).send(connection)
            assert reply.status == 403, (name, reply.body)
        reply = Signed(vault, alone, method, path.format(b=bucket), query).send(connection)
        assert reply.status in (200, 204), (name, reply.status, reply.body)


def test_a_resource_is_that_resource(vault):  # noqa: F811
    connection = Connection(vault, "aws")
    for name in ("one", "one-more"):
        Signed(vault, vault.root, "PUT", f"/r-{name}").send(connection)
        for key in ("a/x", "a/y", "ab/x"):
            Signed(vault, vault.root, "PUT", f"/r-{name}/{key}", "", None, b"data").send(connection)
    key = new_user(vault, "of-one", statement("s3:GetObject", "s3:PutObject", resource="arn:aws:s3:::r-one/a/*"),
                   statement("s3:GetObject", effect="Deny", resource="arn:aws:s3:::r-one/a/y"))
    for path, status in (("/r-one/a/x", 200), ("/r-one/a/y", 403), ("/r-one/ab/x", 403), ("/r-one-more/a/x", 403),
                         ("/r-one/A/x", 403), ("/r-one/a", 403), ("/r-one/a/../ab/x", 403), ("/r-one/a/%2e%2e/ab/x", 403),
                         ("/r-one//a/x", 403)):
        reply = Signed(vault, key, "GET", path).send(connection)
        assert reply.status in ((status,) if status == 200 else (403, 400)), (path, reply.status, reply.body)
    # A copy is a read of its source, however it is named.
    for source in ("/r-one/a/y", "r-one/a%2Fy", "/r-one-more/a/x", "r-one/ab/x"):
        reply = Signed(vault, key, "PUT", "/r-one/a/stolen", "", {"x-amz-copy-source": source}).send(connection)
        assert reply.status == 403, (source, reply.body)
    assert Signed(vault, key, "PUT", "/r-one/a/copy", "", {"x-amz-copy-source": "/r-one/a/x"}).send(connection).status == 200


def filled(path):
    return "/".join("x" if part.startswith("{") else part for part in path.split("/"))


@SOME_OR_ALL
def test_an_action_of_the_api_is_that_action(vault, whole):  # noqa: F811
    connection, own = Connection(vault, "http"), own_actions()
    operations = [one for one in api_operations(vault) if one[2] not in own and one[2] != "tarn:SignIn"]
    for action in sample(sorted({one[2] for one in operations}), 14, whole):
        key = new_user(vault, "api-" + uuid.uuid4().hex[:12], statement(action))
        for method, path, wanted in operations:
            reply = connection.send(method, filled(path), basic(key), b"{}" if method in ("POST", "PUT") else b"")
            refused = reply.status == 403 and f"not authorized to perform: {wanted} " in reply.body.decode()
            assert refused == (wanted != action), (action, method, path, reply.status, reply.body[:300])


# --- PostgreSQL and MQTT: the actions that their doors ask for

def connects(server, key):
    host, port = server.address("postgres")
    try:
        psycopg2.connect(host=host, port=port, user=key[0], password=key[1], dbname="lake", connect_timeout=30).close()
        return True
    except psycopg2.OperationalError as refused:
        assert "not authorized to perform: tarn:Connect" in str(refused), refused
        return False


def test_connect_is_asked_of_postgres(vault):  # noqa: F811
    for name, rights, expected in (
            ("none", [], False), ("connect", [statement("tarn:Connect")], True),
            ("other", [statement("tarn:ExecuteStatement", "s3:*", "iot:*", "iam:*")], False),
            ("not", [statement("*"), statement("tarn:Connect", effect="Deny")], False),
            ("lake", [statement("tarn:Connect", resource="arn:aws:tarn:*:*:lake")], True),
            ("another", [statement("tarn:Connect", resource="arn:aws:tarn:*:*:other")], False)):
        assert connects(vault, new_user(vault, "pg-" + name, *rights)) == expected, name


def test_an_open_session_ends_with_its_rights(vault):  # noqa: F811
    def opened(name):
        key = new_user(vault, name, statement("tarn:Connect"))
        wire = Wire(vault, timeout=60)
        wire.sign_in(key[0], key[1])
        return key, wire
    (disabled, first), (_, second), (_, third), (_, removed), (_, untouched) = (
        opened(f"pg-open-{n}") for n in ("key", "policy", "role", "user", "kept"))
    good(vault, "PUT", f"/api/v1/keys/{disabled[0]}", {"active": False})
    good(vault, "PUT", "/api/v1/users/pg-open-policy/policies/p", policy(statement("tarn:Connect", effect="Deny")))
    good(vault, "PUT", "/api/v1/users/pg-open-role/roles", {"roles": ["other"]})
    good(vault, "DELETE", "/api/v1/users/pg-open-user")
    deadline = time.monotonic() + 1.1  # what the door promises, then its word
    for wire in (first, second, third, removed):
        while True:
            wire.send(query("select 1"))
            kind, body = wire.message()
            if kind == b"E":
                assert b"C57P01" in body and b"terminating connection" in body
                assert wire.closed()
                break
            while kind != b"Z":
                kind, _ = wire.message()
            assert time.monotonic() < deadline + 60
            time.sleep(0.05)
    untouched.send(query("select 1"))
    assert untouched.until_ready()[0][0] == b"T"
    assert len(audited(vault, action="tarn:Connect", outcome="denied")) >= 4
