"""Every address of the HTTP door, as the program itself lists them, by every way to sign in that is none and with every
tampering: refused before anything is done, with one text whoever is asked for, and on record."""
import random
import statistics
import time

import pytest

from access_clients import (SOME_OR_ALL, TAMPERINGS, Connection, Signed, api_operations, audited, basic, call, good, new_key,
                            new_user, own_actions, sample, statement)
from lake_api import until

LAKEFILE = """lake: doors
dashboards:
  shown:
    embed: ["https://intranet.example"]
    charts: [{title: One, sql: select 1 as one}]
"""


@pytest.fixture(scope="module")
def lake(tarn):
    tarn.root = (tarn.access_key, tarn.secret_key)
    body = {"lakefile": LAKEFILE, "folder": ""}
    made = good(tarn, "POST", "/api/v1/plan", body)
    good(tarn, "POST", "/api/v1/apply", {**body, "plan": made["plan"]})
    tarn.bare = new_user(tarn, "bare")
    tarn.denied = new_user(tarn, "denied", statement("*"), statement("*", effect="Deny"))
    tarn.allowed = new_user(tarn, "allowed", statement("*"))
    disabled, removed = new_key(tarn, "allowed"), new_key(tarn, "allowed")
    left = open_session(tarn, tarn.allowed)
    assert call(tarn, "DELETE", "/api/v1/session", None, False, {**left, "X-CSRF-Token": tarn.csrf}).status == 204
    of_disabled = open_session(tarn, disabled)
    good(tarn, "PUT", f"/api/v1/keys/{disabled[0]}", {"active": False})
    good(tarn, "DELETE", f"/api/v1/keys/{removed[0]}")
    gone = new_user(tarn, "gone", statement("*"))
    of_gone = open_session(tarn, gone)
    good(tarn, "DELETE", "/api/v1/users/gone")
    tarn.dead_keys = {"disabled": disabled, "removed": removed, "of a removed user": gone}
    tarn.dead_cookies = {"signed out": left, "of a disabled key": of_disabled, "of a removed user": of_gone,
                         "made up": {"Cookie": "tarn_session=" + "A" * 43}}
    tarn.live_cookie = open_session(tarn, tarn.root)
    made = good(tarn, "POST", "/api/v1/dashboards/shown/embeds", {"user": "bare"})
    tarn.embed = {"Authorization": "Embed " + made["path"].split("#")[1]}
    return tarn


def open_session(server, key):
    reply = call(server, "POST", "/api/v1/session", {"user": key[0], "password": key[1]}, False)
    assert reply.status == 200, reply.body
    server.csrf = reply.json()["csrf_token"]
    return {"Cookie": reply.headers["set-cookie"].split(";")[0]}


def filled(path):
    return "/".join("shown" if part == "{dashboard}" else "x" if part.startswith("{") else part for part in path.split("/"))


def by(headers):
    return lambda server, method, path, body: (method, path, headers(server), body)


def signed(key, service="tarn", tamper=None, **more):
    def make(server, method, path, body):
        request = Signed(server, key(server), method, path, "", {"x-amz-meta-signed": "1"}, body, service=service,
                         **{name: value() for name, value in more.items()})
        if service == "s3":
            request.headers["host"] = "%s:%d" % server.address("http")
        if tamper:
            request.changed(tamper)
        headers = {("Host" if name == "host" else name): value for name, value in request.headers.items()}
        return request.method, request.path + ("?" + request.query if request.query else ""), headers, request.body
    return make


SIGN_INS = {
    "nothing": by(lambda s: {}),
    "an empty password": by(lambda s: basic((s.access_key, ""))),
    "a wrong password": by(lambda s: basic((s.access_key, "x" * 40))),
    "a wrong password of a user": by(lambda s: basic(("allowed", "x" * 40))),
    "an unknown user": by(lambda s: basic(("nobody", "x" * 40))),
    "an unknown key": by(lambda s: basic(("AKIANOBODY2345672345", s.secret_key))),
    "another's secret": by(lambda s: basic((s.access_key, s.allowed[1]))),
    "a disabled key": by(lambda s: basic(s.dead_keys["disabled"])),
    "a removed key": by(lambda s: basic(s.dead_keys["removed"])),
    "a removed user": by(lambda s: basic(s.dead_keys["of a removed user"])),
    "no base64": by(lambda s: {"Authorization": "Basic !!!"}),
    "bearer": by(lambda s: {"Authorization": "Bearer " + s.secret_key}),
    "a cookie, signed out": by(lambda s: s.dead_cookies["signed out"]),
    "a cookie of a disabled key": by(lambda s: s.dead_cookies["of a disabled key"]),
    "a cookie of a removed user": by(lambda s: s.dead_cookies["of a removed user"]),
    "a cookie, made up": by(lambda s: s.dead_cookies["made up"]),
    "an embed link, changed": by(lambda s: {"Authorization": s.embed["Authorization"][:-2] + "zz"}),
    "signed, wrong secret": signed(lambda s: (s.access_key, "x" * 40)),
    "signed, unknown key": signed(lambda s: ("AKIANOBODY2345672345", "x" * 40)),
    "signed, disabled key": signed(lambda s: s.dead_keys["disabled"]),
    "signed, removed key": signed(lambda s: s.dead_keys["removed"]),
    "signed for another service": signed(lambda s: s.root, service="s3"),
    "signed long ago": signed(lambda s: s.root, at=lambda: time.time() - 16 * 60),
    "signed in the future": signed(lambda s: s.root, at=lambda: time.time() + 16 * 60),
    **{"signed, then another " + what: signed(lambda s: s.root, tamper=what)
       for what in TAMPERINGS if what not in ("service", "payload hash", "method")},
}
# What tells one who asks whether a user, a key or a session exists: nothing, one text for all of a kind.
SAME_TEXT = [("a wrong password", "a wrong password of a user", "an unknown user", "an unknown key", "another's secret",
              "a disabled key", "a removed key", "a removed user"),
             ("a cookie, signed out", "a cookie of a disabled key", "a cookie of a removed user", "a cookie, made up"),
             ("signed, wrong secret", "signed, unknown key", "signed, disabled key", "signed, removed key")]


def state(server):
    """What an operation that was not refused would have changed."""
    names = ("users", "roles", "secrets", "dashboards", "alerts", "streams", "lakefile")
    seen = {name: good(server, "GET", f"/api/v1/{name}") for name in names}
    for user in seen["users"]["users"]:
        for key in user["keys"]:
            key.pop("last_used", None)
    return seen


def check_on_record(server, replies):
    """replies: request id -> (action or None, where)."""
    found = until(lambda: (known := {r["request_id"]: r for r in audited(server, outcome="denied") if r["request_id"] in replies})
                  and len(known) == len(replies) and known)
    for one, (action, where) in replies.items():
        assert action is None or found[one]["action"] == action, (where, found[one])
    return found


@SOME_OR_ALL
def test_no_way_in_but_the_right_one(lake, whole):
    before = state(lake)
    connection, replies = Connection(lake, "http"), {}
    cases = [(operation, how) for operation in api_operations(lake) if operation[2] != "tarn:SignIn" for how in SIGN_INS]
    for (method, path, action), how in sample(cases, 400, whole):
        body = b'{"name":"x","value":"x"}' if method in ("POST", "PUT") else b""
        if "another body" in how and not body:
            continue
        reply = connection.send(*SIGN_INS[how](lake, method, filled(path), body))
        assert reply.status in (400, 401, 403), f"{method} {path} by {how}: {reply.status} {reply.body[:300]}"
        error = reply.json()["error"]
        assert error["code"] in ("unauthenticated", "permission_denied", "invalid_argument"), (method, path, how, error)
        if error["code"] != "invalid_argument":
            another_path = how == "signed, then another path"
            replies[reply.headers["x-request-id"]] = (None if another_path else action, f"{method} {path} by {how}")
    check_on_record(lake, replies)
    assert state(lake) == before


def test_texts_tell_nothing(lake):
    connection = Connection(lake, "http")
    for method, path, _ in api_operations(lake)[::7]:
        for group in SAME_TEXT:
            said = {connection.send(*SIGN_INS[how](lake, method, filled(path), b"")).body for how in group}
            assert len(said) == 1, (method, path, said)
    for user, password in (("root", "x"), ("nobody", "x"), ("allowed", lake.dead_keys["disabled"][1])):
        reply = call(lake, "POST", "/api/v1/session", {"user": user, "password": password}, False)
        assert reply.status == 401 and reply.json()["error"]["message"] == "wrong user name or password"


def test_times_tell_nothing(lake):
    """Medians of rounds in changing order: what a known user costs more than an unknown one is lost in the noise of either."""
    connection = Connection(lake, "http")
    ways = {"a wrong password of a user": [], "an unknown user": [], "signed, wrong secret": [], "signed, unknown key": []}
    for _ in range(200):
        for how in random.sample(list(ways), len(ways)):
            request = SIGN_INS[how](lake, "GET", "/api/v1/users", b"")
            begun = time.perf_counter()
            connection.send(*request)
            ways[how].append(time.perf_counter() - begun)
    medians = {how: statistics.median(spent) for how, spent in ways.items()}
    for known, unknown in (("a wrong password of a user", "an unknown user"), ("signed, wrong secret", "signed, unknown key")):
        assert abs(medians[known] - medians[unknown]) < 0.4 * max(medians[known], medians[unknown]) + 0.0005, medians


def test_users_without_rights(lake):
    before, own, replies = state(lake), own_actions(), {}
    connection = Connection(lake, "http")
    for method, path, action in api_operations(lake):
        if action in own or action == "tarn:SignIn":
            continue
        for key in (lake.bare, lake.denied):
            reply = connection.send(method, filled(path), basic(key), b"{}" if method in ("POST", "PUT") else b"")
            assert reply.status == 403 and action in reply.json()["error"]["message"], (method, path, reply.body)
            replies[reply.headers["x-request-id"]] = (action, f"{method} {path}")
    check_on_record(lake, replies)
    assert state(lake) == before


def test_a_cookie_without_its_token_changes_nothing(lake):
    before = state(lake)
    connection = Connection(lake, "http")
    for method, path, action in api_operations(lake):
        if method == "GET" or action == "tarn:SignIn":
            continue
        for token in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": lake.csrf[:-1]}):
            reply = connection.send(method, filled(path), {**lake.live_cookie, **token}, b"{}")
            assert reply.status == 403 and reply.json()["error"]["reason"] == "csrf", (method, path, token, reply.body)
    assert state(lake) == before


def test_a_link_opens_its_dashboard_alone(lake):
    connection = Connection(lake, "http")
    for method, path, action in api_operations(lake):
        reply = connection.send(method, filled(path), lake.embed, b"{}" if method in ("POST", "PUT") else b"")
        if (method, path) == ("GET", "/api/v1/dashboards/{dashboard}"):
            assert reply.status == 200
        elif action != "tarn:SignIn":
            assert reply.status == 401, (method, path, reply.body)
    assert connection.send("GET", "/api/v1/dashboards/other", lake.embed).status == 401


def test_a_sign_in_link_works_once(lake):
    token = good(lake, "POST", "/api/v1/sign-in-tokens", {})["token"]
    assert call(lake, "POST", "/api/v1/session", {"token": token}, False).status == 200
    for bad in (token, token[:-1] + "A", "", "A" * 43):
        reply = call(lake, "POST", "/api/v1/session", {"token": bad}, False)
        assert reply.status == 401, reply.body
    assert len({call(lake, "POST", "/api/v1/session", {"token": bad}, False).body for bad in (token, "A" * 43)}) == 1
    # It dies with the key that made it.
    key = new_key(lake, "allowed")
    token = good(lake, "POST", "/api/v1/sign-in-tokens", {}, key)["token"]
    good(lake, "PUT", f"/api/v1/keys/{key[0]}", {"active": False})
    assert call(lake, "POST", "/api/v1/session", {"token": token}, False).status == 401


def test_unknown_addresses_look_like_known_ones(lake):
    said = {call(lake, "GET", path, None, False).body for path in ("/api/v1/users", "/api/v1/nothing", "/api/v2/users", "/x")}
    assert len(said) == 1
