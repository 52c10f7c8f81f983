"""What a user gets from statements that run on behind their request, from the catalog's pages and from links that embed a
dashboard: never more than the grants that they have at that moment, and never more than the server can hold."""
import base64
import json
import socket
import threading
import time
import urllib.parse

import pytest
from tarn_server import TarnServer
from test_new_doors import apply, call, good, sql, until, user

LAKE = """\
lake: kiosk
dashboards:
  board:
    filters: [region, shelf]
    embed: [https://intranet.example]
    charts:
      - {title: Units, number: sum(units), from: levels}
      - {title: Rows, table: [shelf, region], from: levels}
  other:
    embed: [https://intranet.example]
    charts: [{title: Units, number: sum(units), from: levels}]
roles:
  all: {read: all}
  north: {read: {levels: {columns: [shelf, region, units], rows: region = user.region, masks: {shelf: "'***'"}}}}
  hidden: {read: {wages: all}}
"""
OWN = ("tarn:ExecuteStatement", "tarn:EmbedDashboard", "tarn:GetAccess", "tarn:ListRuns", "tarn:ListSources")


@pytest.fixture(scope="module")
def kiosk(tarn_binary):
    with TarnServer() as server:
        sql(server, "create table levels (shelf text, region text, units int, cost int) partitioned by (cost)")
        sql(server, "create table wages (who text, pay int)")
        sql(server, "insert into levels values ('shelf-of-the-south', 'south', 1, 77), ('s2', 'north', 9, 78)")
        apply(server, LAKE)
        server.keys = {"north": user(server, "northerner", OWN, ["north"], {"region": "north"}),
                       "all": user(server, "everything", OWN, ["all"])}
        yield server


def run(server, statement, key=None, **more):
    """The state at its end."""
    state = good(server, "POST", "/api/v1/queries", {"sql": statement, "wait_ms": 5000, **more}, key)
    return until(lambda: state["state"] not in ("waiting", "running") and state
                 or good(server, "GET", f"/api/v1/queries/{state['id']}", key=key)["state"] not in ("waiting", "running")
                 and good(server, "GET", f"/api/v1/queries/{state['id']}", key=key))


def places(state):
    at = f"/api/v1/queries/{state['id']}"
    return at, at + "/rows", at + "/export", at + "/export?format=parquet"


# --- kept results

def test_kept_rows_are_of_who_asked(kiosk):
    state = run(kiosk, "select * from levels", kiosk.keys["all"])
    assert state["rows"] == 2
    for key in (kiosk.keys["north"], None):
        for path in places(state):
            status, answer, _ = call(kiosk, "GET", path, key=key)
            assert status == 404, f"{path}: {status} {answer}"
        assert call(kiosk, "DELETE", f"/api/v1/queries/{state['id']}", key=key)[0] == 404
        assert state["id"] not in json.dumps(good(kiosk, "GET", "/api/v1/queries", key=key))
    assert good(kiosk, "GET", places(state)[1], key=kiosk.keys["all"])["total"] == 2
    for wrong in ("..", "%2e%2e%2froot.credentials", "%00", "x" * 5000):
        assert call(kiosk, "GET", f"/api/v1/queries/{wrong}/rows", key=kiosk.keys["all"])[0] in (400, 404)


@pytest.mark.parametrize("how", ["roles", "role", "user"])
def test_kept_rows_go_with_the_grants_that_they_were_read_with(kiosk, how):
    name = f"leaver_{how}"
    good(kiosk, "PUT", f"/api/v1/roles/{name}", {"grants": {"main.levels": {}}})
    key = user(kiosk, name, OWN, [name], {"region": "south"})
    state = run(kiosk, "select shelf from levels", key)
    assert state["rows"] == 2 and good(kiosk, "GET", places(state)[1], key=key)["rows"]
    if how == "roles":
        good(kiosk, "PUT", f"/api/v1/users/{name}/roles", {"roles": ["north"]})
    elif how == "role":
        good(kiosk, "PUT", f"/api/v1/roles/{name}", {"grants": {"main.wages": {}}})
    else:
        good(kiosk, "DELETE", f"/api/v1/users/{name}")
        key = user(kiosk, name, OWN, [name], {"region": "south"})
    for path in places(state):
        status, answer, _ = call(kiosk, "GET", path, key=key)
        assert status == 404 and "south" not in json.dumps(answer), f"{path}: {status} {answer}"
    assert good(kiosk, "GET", "/api/v1/queries", key=key)["queries"] == []


def test_a_page_of_wide_rows_is_bounded(kiosk):
    key = kiosk.keys["all"]
    state = run(kiosk, "select repeat('x', 200000) as x from range(600)", key)
    assert state["rows"] == 600, state
    status, page, _ = call(kiosk, "GET", places(state)[1] + "?limit=10000", key=key)
    assert status == 200 and 1 <= len(page["rows"]) < 300, "a page as large as the result"
    seen = len(page["rows"])
    assert len(good(kiosk, "GET", places(state)[1] + f"?offset={seen}&limit=1", key=key)["rows"]) == 1
    status, text, _ = call(kiosk, "GET", places(state)[2], key=key)
    assert status == 200 and text.count("\n") == 601
    assert call(kiosk, "GET", places(state)[3], key=key)[0] == 200
    for wrong in ("offset=-1", "limit=-1", "offset=x", "limit=1e9", "offset=99999999999999999999999"):
        assert call(kiosk, "GET", places(state)[1] + "?" + wrong, key=key)[0] == 400, wrong
    assert good(kiosk, "GET", places(state)[1] + "?offset=18446744073709551615&limit=18446744073709551615", key=key)["rows"] == []
    good(kiosk, "DELETE", places(state)[0], key=key)


def test_one_user_has_few_statements_at_once_and_others_still_run(kiosk):
    slow = "select count(*) from range(100000000000) a"
    key = kiosk.keys["all"]
    answers = [call(kiosk, "POST", "/api/v1/queries", {"sql": slow}, key) for _ in range(8)]
    started = [answer["id"] for status, answer, _ in answers if status == 201]
    try:
        assert len(started) == 4 and {status for status, _, _ in answers} <= {201, 429, 503}, [a[0] for a in answers]
        assert run(kiosk, "select 1", kiosk.keys["north"])["state"] == "done"
    finally:
        for one in started:
            call(kiosk, "DELETE", f"/api/v1/queries/{one}", key=key)
    for one in started:
        until(lambda: good(kiosk, "GET", f"/api/v1/queries/{one}", key=key)["state"] == "cancelled")


def test_who_waits_for_the_end_leaves_room_for_others(kiosk):
    key = kiosk.keys["all"]
    slow = good(kiosk, "POST", "/api/v1/queries", {"sql": "select count(*) from range(100000000000) a"}, key)
    waiting = [threading.Thread(target=call, args=(kiosk, "GET", f"/api/v1/queries/{slow['id']}?wait_ms=5000", None, key))
               for _ in range(40)]
    try:
        for one in waiting:
            one.start()
        time.sleep(0.3)
        begun = time.monotonic()
        good(kiosk, "GET", "/api/v1/dashboards/board", key=kiosk.keys["north"])
        assert time.monotonic() - begun < 3, "those who wait hold all threads that SQL has"
    finally:
        good(kiosk, "DELETE", f"/api/v1/queries/{slow['id']}", key=key)
        for one in waiting:
            one.join()


def test_slow_readers_of_exports_leave_room_for_others(kiosk):
    key = kiosk.keys["all"]
    state = run(kiosk, "select repeat('x', 1000) as x from range(60000)", key)
    signed = base64.b64encode(":".join(key).encode()).decode()
    readers = []
    try:
        for _ in range(20):
            reader = socket.create_connection(kiosk.address("http"))
            readers.append(reader)
            reader.sendall(f"GET {places(state)[2]} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {signed}\r\n\r\n".encode())
        time.sleep(0.5)
        begun = time.monotonic()
        good(kiosk, "GET", "/api/v1/dashboards/board", key=kiosk.keys["north"])
        assert time.monotonic() - begun < 3, "exports that nobody reads hold all threads that SQL has"
    finally:
        for reader in readers:
            reader.close()
    until(lambda: call(kiosk, "GET", places(state)[2], key=key)[0] == 200)
    good(kiosk, "DELETE", places(state)[0], key=key)


# --- the catalog

def test_a_table_shows_a_part_of_it_to_who_sees_a_part(kiosk):
    key = kiosk.keys["north"]
    version = good(kiosk, "GET", "/api/v1/catalog/main/levels/snapshots")["snapshots"][0]["id"]
    for path in ("", "/snapshots", "/lineage", "/sample", "/profile", f"/sample?snapshot={version}",
                 f"/profile?snapshot={version}", "/profile?column=shelf"):
        text = json.dumps(good(kiosk, "GET", "/api/v1/catalog/main/levels" + path, key=key))
        for hidden in ("south", "cost", "77", "s2", "total_rows"):
            assert f'"{hidden}"' not in text and f"shelf-of-the-{hidden}" not in text, f"{path} shows {hidden}: {text[:900]}"
    for path in ("/profile?column=cost", "/profile?column=" + urllib.parse.quote('x" from wages --')):
        assert call(kiosk, "GET", "/api/v1/catalog/main/levels" + path, key=key)[0] == 404
    for path in ("/files", "/access"):
        assert call(kiosk, "GET", "/api/v1/catalog/main/levels" + path, key=key)[0] == 403
    for table in ("wages", "there_is_none", 'levels"', "..%2f.."):
        for path in ("", "/snapshots", "/lineage", "/sample", "/profile", "/files", "/access"):
            assert call(kiosk, "GET", f"/api/v1/catalog/main/{table}{path}", key=key)[0] == 404, (table, path)


def test_a_renamed_column_stays_masked_in_older_snapshots(kiosk):
    sql(kiosk, "create table pay (who text, amount int)")
    sql(kiosk, "insert into pay values ('ann', 4711)")
    version = good(kiosk, "GET", "/api/v1/catalog/main/pay/snapshots")["snapshots"][0]["id"]
    sql(kiosk, "alter table pay rename column amount to salary")
    sql(kiosk, "insert into pay values ('bob', 4712)")
    good(kiosk, "PUT", "/api/v1/roles/clerk", {"grants": {"main.pay": {"masks": {"salary": "0"}}}})
    key = user(kiosk, "clerk", OWN, ["clerk"])
    assert "471" not in json.dumps(good(kiosk, "GET", "/api/v1/catalog/main/pay/sample", key=key))
    for what in ("sample", "profile"):
        status, answer, _ = call(kiosk, "GET", f"/api/v1/catalog/main/pay/{what}?snapshot={version}", key=key)
        assert status == 403 and "4711" not in json.dumps(answer), f"{what} of an older snapshot shows what is masked: {answer}"
    status, answer, _ = call(kiosk, "POST", "/api/v1/sql", {"sql": f"select * from pay at (version => {version})"}, key)
    assert status == 403 and "other names" in answer["error"]["message"], answer
    latest = good(kiosk, "GET", "/api/v1/catalog/main/pay/snapshots", key=key)["snapshots"][0]["id"]
    assert good(kiosk, "GET", f"/api/v1/catalog/main/pay/sample?snapshot={latest}", key=key)["rows"] == [["ann", 0], ["bob", 0]]


def test_who_may_see_a_table_tells_nothing_of_others(kiosk):
    good(kiosk, "PUT", "/api/v1/roles/mixed", {"grants": {"main.levels": {}, "main.wages": {"rows": "who = 'ann'"}}})
    good(kiosk, "PUT", "/api/v1/roles/levels_only", {"grants": {"main.levels": {}}})
    key = user(kiosk, "accessor", OWN, ["levels_only"])
    answer = good(kiosk, "GET", "/api/v1/catalog/main/levels/access", key=key)
    assert "mixed" in answer["roles"] and "wages" not in json.dumps(answer["roles"]), answer["roles"]


def test_a_sample_of_wide_rows_is_bounded(kiosk):
    sql(kiosk, "create table wide as select repeat('x', 1000000) as x from range(100)")
    status, answer, _ = call(kiosk, "GET", "/api/v1/catalog/main/wide/sample?limit=500")
    assert status == 200 and 1 <= len(answer["rows"]) < 60, len(answer.get("rows", []))


def test_describing_is_recorded(kiosk):
    good(kiosk, "PUT", "/api/v1/catalog/main/wages/description", {"description": "what people get"})
    until(lambda: "DescribeTable" in json.dumps(good(kiosk, "GET", "/api/v1/audit?limit=200")))
    status, _, _ = call(kiosk, "PUT", "/api/v1/catalog/main/levels/description", {"description": "x"}, kiosk.keys["all"])
    assert status == 403


# --- links that embed a dashboard

def link(server, key=None, board="board", **body):
    made = good(server, "POST", f"/api/v1/dashboards/{board}/embeds", body, key)
    return {"Authorization": "Embed " + made["path"].split("#")[1]}


def test_a_link_opens_one_dashboard_and_nothing_else(kiosk):
    brought = link(kiosk, kiosk.keys["north"])
    status, page, _ = call(kiosk, "GET", "/api/v1/dashboards/board", key=False, headers=brought)
    assert status == 200 and page["charts"][0]["rows"] == [[9]] and "south" not in json.dumps(page)
    for method, path in (("GET", "/api/v1/dashboards/other"), ("GET", "/api/v1/dashboards"), ("GET", "/api/v1/me"),
                         ("GET", "/api/v1/dashboards/board/spec"), ("POST", "/api/v1/dashboards/board/embeds"),
                         ("POST", "/api/v1/sql"), ("POST", "/api/v1/queries"), ("GET", "/api/v1/catalog/main/levels/sample"),
                         ("GET", "/api/v1/events?dashboard=board"), ("POST", "/api/v1/sign-in-tokens"), ("GET", "/metrics"),
                         ("GET", "/api/v1/dashboards/board%2f..%2fother"), ("GET", "/api/v1/there-is-none")):
        status, answer, _ = call(kiosk, method, path, {"sql": "select 1"} if method == "POST" else None, False, brought)
        assert status == 401, f"{method} {path}: {status} {answer}"
    token = brought["Authorization"].split(" ")[1]
    for wrong in (token[:-2], token + "A", token.split(".")[0], "." + token.split(".")[1], "e30." + token.split(".")[1], "", "x" * 9000):
        assert call(kiosk, "GET", "/api/v1/dashboards/board", key=False, headers={"Authorization": "Embed " + wrong})[0] in (400, 401, 431)


def test_a_links_filters_hold(kiosk):
    key = kiosk.keys["all"]
    brought = link(kiosk, key, filters={"region": ["north"]})
    for query in ("", "?region=south", "?region=south&region=north", "?shelf=s2"):
        status, page, _ = call(kiosk, "GET", "/api/v1/dashboards/board" + query, key=False, headers=brought)
        assert status == 200 and page["charts"][0]["rows"] == [[9]], (query, page["charts"][0])
        regions = [one for one in page["filters"] if one["name"] == "region"][0]
        assert regions["values"] == ["north"] and not regions["more"], f"the choices name what the link excludes: {regions}"
    for wrong in ("region=north", ["north"], {"region": [5]}, {"region": {"a": 5}}, {"region": []}, {"region": None}, {"cost": ["1"]}):
        status, answer, _ = call(kiosk, "POST", "/api/v1/dashboards/board/embeds", {"filters": wrong}, key)
        assert status == 400, f"a link without the restriction that was asked for: {wrong} {status} {answer}"


def test_a_link_ends(kiosk):
    key = user(kiosk, "linker", OWN, ["all"])
    short, long = link(kiosk, key, expires_in_s=1), link(kiosk, key)

    def opens(brought):
        return call(kiosk, "GET", "/api/v1/dashboards/board", key=False, headers=brought)[0]
    assert opens(long) == 200
    until(lambda: opens(short) == 401, 5)
    for life in (0, -1, 30 * 24 * 3600 + 1, 2**63, 2**64, 1.5, "1"):
        assert call(kiosk, "POST", "/api/v1/dashboards/board/embeds", {"expires_in_s": life}, key)[0] == 400, life
    for name in ("root", "everything", "there_is_none"):
        assert call(kiosk, "POST", "/api/v1/dashboards/board/embeds", {"user": name}, key)[0] in (400, 403), name
    # Who may make no links any more has none.
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "tarn:EmbedDashboard", "Resource": "*"}]}
    by_root = link(kiosk, user="linker")
    good(kiosk, "PUT", "/api/v1/users/linker/policies/no", policy)
    assert opens(long) == 401 and opens(by_root) == 200
    good(kiosk, "DELETE", "/api/v1/users/linker")
    assert opens(by_root) == 401
    user(kiosk, "linker", OWN, ["all"])
    assert opens(long) == 401 and opens(by_root) == 401
