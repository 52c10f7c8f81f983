"""Requests signed by hand, so that each part can be wrong, and the tables of operations that the tests go through."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import random
import re
import time
import urllib.parse

import pytest

from tarn_server import ROOT

SEED = int(os.environ.get("TARN_SEED", random.randrange(1 << 32)))
# The whole product is the long run's; ./x test draws from it.
SOME_OR_ALL = pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)], ids=["drawn", "whole"])
EMPTY = hashlib.sha256(b"").hexdigest()


def sample(cases, most, whole):
    """`most` of the cases, drawn by the seed, or all of them."""
    cases = list(cases)
    print(f"TARN_SEED={SEED}: {most} of {len(cases)} cases" if not whole else f"{len(cases)} cases")
    return cases if whole or len(cases) <= most else random.Random(SEED).sample(cases, most)


# --- the tables

def s3_operations():
    """(name, method, target, sub-resource, also, action, implemented) of every row of the S3 door's own table."""
    text = (ROOT / "src/protocols/s3/internal/operations.cc").read_text()
    rows = re.findall(r'^ *\{"(\w+)", *"(\w+)", *k(\w+), *"([\w-]*)", *"([\w-]*)", *"([\w:-]+)", *(\w+)\},', text, re.M)
    assert len(rows) == len(re.findall(r'^ *\{"', text, re.M)) > 100, "the table is written in another way now"
    return [(name, method, target.lower(), sub, also, action, handler != "nullptr")
            for name, method, target, sub, also, action, handler in rows]


def api_operations(server):
    """(method, path with {names}, action), as the program describes itself."""
    paths = good(server, "GET", "/api/v1/openapi.json")["paths"]
    found = [(method.upper(), path, what["x-action"]) for path, methods in paths.items() for method, what in methods.items()]
    assert len(found) > 70
    return found + [("GET", "/metrics", "tarn:GetMetrics")]


def own_actions():
    """What everybody who is signed in may do."""
    text = (ROOT / "src/protocols/admin/door.cc").read_text()
    return set(re.findall(r'"(tarn:\w+)"', re.search(r"kOwnActions\[\] = \{(.*?)\}", text, re.S)[1])) | {"tarn:WatchDashboard"}


# --- the HTTP door

def basic(key):
    return {"Authorization": "Basic " + base64.b64encode(":".join(key).encode()).decode()}


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = {k.lower(): v for k, v in response.getheaders()}
        self.body = response.read()

    @property
    def code(self):
        """S3's word for what went wrong."""
        text = self.body.decode(errors="replace")
        return text.split("<Code>")[1].split("</Code>")[0] if "<Code>" in text else ""

    def json(self):
        return json.loads(self.body) if self.body else None


class Connection:
    """One connection to a door, kept while the other side keeps it."""

    def __init__(self, server, door):
        self.host, self.port = server.address(door)
        self.connection = None

    def send(self, method, path, headers=None, body=b""):
        for fresh in (False, True):
            if self.connection is None or fresh:
                self.close()
                self.connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
            try:
                self.connection.putrequest(method, path, skip_host="Host" in (headers or {}), skip_accept_encoding=True)
                sent = dict(headers or {})
                if body or method in ("PUT", "POST"):
                    sent.setdefault("Content-Length", str(len(body)))
                for name, value in sent.items():
                    self.connection.putheader(name, value)
                self.connection.endheaders(body or None)
                reply = Reply(self.connection.getresponse())
                if reply.headers.get("connection") == "close":
                    self.close()
                return reply
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                if fresh:
                    raise
        raise AssertionError("unreachable")

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


def call(server, method, path, body=None, key=None, headers=None):
    """`key` None: root; False: nobody."""
    connection = Connection(server, "http")
    sent = dict(headers or {})
    if key is not False:
        sent.update(basic(key or (server.access_key, server.secret_key)))
    reply = connection.send(method, path, sent, b"" if body is None else json.dumps(body).encode())
    connection.close()
    return reply


def good(server, method, path, body=None, key=None):
    reply = call(server, method, path, body, key)
    assert reply.status < 300, f"{method} {path}: {reply.status} {reply.body[:600]}"
    return reply.json()


# --- users

def statement(*actions, effect="Allow", resource="*"):
    return {"Effect": effect, "Action": list(actions), "Resource": resource}


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def new_user(server, name, *statements, roles=(), attributes=None):
    """Its key pair."""
    body = {"name": name, "roles": list(roles), "attributes": attributes or {}}
    if statements:
        body["policies"] = {"p": policy(*statements)}
    good(server, "POST", "/api/v1/users", body)
    return new_key(server, name)


def new_key(server, name):
    made = good(server, "POST", f"/api/v1/users/{name}/keys", {})
    return made["access_key_id"], made["secret_access_key"]


def audited(server, **filters):
    """All records that fit, newest first."""
    records, before = [], None
    while True:
        asked = urllib.parse.urlencode({**filters, "limit": 1000, **({"before": before} if before else {})})
        page = good(server, "GET", "/api/v1/audit?" + asked)
        records += page["records"]
        before = page.get("next")
        if before is None:
            return records


# --- Signature Version 4 (AWS General Reference, "Create a signed AWS API request")

def stamp(at):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))


def _signature(secret, day, region, service, text):
    key = ("AWS4" + secret).encode()
    for piece in (day, region, service, "aws4_request"):
        key = hmac.digest(key, piece.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _canonical(method, path, query, headers, names, payload):
    pairs = sorted(tuple((part + "=").split("=")[:2]) for part in query.split("&") if part)
    return "\n".join([method, path, "&".join(f"{n}={v}" for n, v in pairs),
                      "".join(f"{name}:{headers[name]}\n" for name in names), ";".join(names), payload])


class Signed:
    """A signed request that has not been sent: change its parts, then send it."""

    def __init__(self, server, key, method, path, query="", headers=None, body=b"", service="s3", region="us-east-1", at=None,
                 payload=None):
        at = time.time() if at is None else at
        host = "%s:%d" % server.address("aws" if service == "s3" else "http")
        payload = payload or (hashlib.sha256(body).hexdigest() if body else EMPTY)
        self.method, self.path, self.query, self.body = method, path, query, body
        self.headers = {"host": host, "x-amz-date": stamp(at), "x-amz-content-sha256": payload,
                        **{k.lower(): v for k, v in (headers or {}).items()}}
        names = sorted(self.headers)
        day = stamp(at)[:8]
        self.scope = f"{day}/{region}/{service}/aws4_request"
        canonical = _canonical(method, path, query, self.headers, names, payload)
        text = f"AWS4-HMAC-SHA256\n{stamp(at)}\n{self.scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        self.headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={key[0]}/{self.scope}, SignedHeaders={';'.join(names)}, "
            f"Signature={_signature(key[1], day, region, service, text)}")

    def changed(self, what):
        """Applies one tampering by name; returns self."""
        TAMPERINGS[what](self)
        return self

    def send(self, connection):
        headers = {("Host" if k == "host" else k): v for k, v in self.headers.items()}
        return connection.send(self.method, self.path + ("?" + self.query if self.query else ""), headers, self.body)


def presigned(server, key, method, path, query="", seconds=60, at=None, region="us-east-1"):
    """(path with query, headers)."""
    at = time.time() if at is None else at
    host = "%s:%d" % server.address("aws")
    day = stamp(at)[:8]
    scope = f"{day}/{region}/s3/aws4_request"
    parts = [query] if query else []
    parts += ["X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Credential=" + urllib.parse.quote(f"{key[0]}/{scope}", safe=""),
              f"X-Amz-Date={stamp(at)}", f"X-Amz-Expires={seconds}", "X-Amz-SignedHeaders=host"]
    whole = "&".join(parts)
    canonical = _canonical(method, path, whole, {"host": host}, ["host"], "UNSIGNED-PAYLOAD")
    text = f"AWS4-HMAC-SHA256\n{stamp(at)}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return f"{path}?{whole}&X-Amz-Signature={_signature(key[1], day, region, 's3', text)}"


def _replace(request, name, old, new):
    assert old in request.headers[name], (name, old)
    request.headers[name] = request.headers[name].replace(old, new)


def _flip(request):
    last = request.headers["authorization"][-1]
    request.headers["authorization"] = request.headers["authorization"][:-1] + ("0" if last != "0" else "1")


def _longer_body(request):
    request.body += b"x"
    if "content-length" in request.headers:
        request.headers["content-length"] = str(len(request.body))


TAMPERINGS = {
    "method": lambda r: setattr(r, "method", {"GET": "DELETE", "HEAD": "GET", "PUT": "DELETE", "POST": "PUT", "DELETE": "GET"}[r.method]),
    "path": lambda r: setattr(r, "path", r.path + "x"),
    "query added": lambda r: setattr(r, "query", r.query + ("&" if r.query else "") + "versionId=null"),
    "header added": lambda r: r.headers.update({"x-amz-meta-extra": "1"}),
    "header removed": lambda r: r.headers.pop("x-amz-meta-signed"),
    "header changed": lambda r: r.headers.update({"x-amz-meta-signed": "other"}),
    "host": lambda r: r.headers.update(host="other.example:1"),
    "date": lambda r: r.headers.update({"x-amz-date": stamp(time.time() - 60)}),
    "region": lambda r: _replace(r, "authorization", "/us-east-1/", "/eu-west-1/"),
    "service": lambda r: _replace(r, "authorization", "/s3/", "/iam/"),
    "day": lambda r: _replace(r, "authorization", r.scope[:8], "20200101"),
    "signature": _flip,
    "payload hash": lambda r: r.headers.update({"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}),
    "signed names": lambda r: _replace(r, "authorization", "host;", ""),
    "body": _longer_body,
}
