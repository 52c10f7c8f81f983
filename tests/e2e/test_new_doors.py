"""What a stranger, a user without rights, a viewer with few of them and a hostile lakefile get from the HTTP door: no more
than their due, each refusal in the audit trail, and no secret anywhere."""
import base64
import http.client
import json
import os
import pathlib
import re
import socket
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "console"))

from headless_browser import Browser, missing  # noqa: E402
from lake_api import until  # noqa: E402
from tarn_server import ROOT, TarnServer  # noqa: E402
from webhook_receiver import WebhookReceiver  # noqa: E402

DOOR = (ROOT / "src" / "protocols" / "admin" / "door.cc").read_text()
# (method, pattern, action): the table of the door itself, so that a new route cannot be forgotten here.
ROUTES = re.findall(r'\{"([A-Z]+)", "(/[^"]+)", "([a-zA-Z]+:[A-Za-z]+)", (?:true|false)', DOOR)
ROUTES += [("POST", "/api/v1/sql", "tarn:ExecuteStatement"), ("GET", "/metrics", "tarn:GetMetrics"),
           ("GET", "/api/v1/events", "tarn:WatchDashboard")]
OWN = set(re.findall(r'"(tarn:\w+)"', re.search(r"kOwnActions\[\] = \{(.*?)\}", DOOR, re.S)[1])) | {"tarn:WatchDashboard"}


def call(server, method, path, body=None, key=None, headers=None, raw=None):
    """(status, JSON or text, headers). `key` None: root; False: nobody."""
    host, port = server.address("http")
    connection = http.client.HTTPConnection(host, port, timeout=60)
    sent = dict(headers or {})
    if key is not False:
        user, secret = key or (server.access_key, server.secret_key)
        sent["Authorization"] = "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()
    connection.request(method, path, body=raw if body is None else json.dumps(body), headers=sent)
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    connection.close()
    try:
        return answer.status, json.loads(text) if text else None, answer
    except ValueError:
        return answer.status, text, answer


def good(server, method, path, body=None, key=None):
    status, answer, _ = call(server, method, path, body, key)
    assert status < 300, f"{method} {path}: {status} {str(answer)[:600]}"
    return answer


def sql(server, statement, key=None):
    return good(server, "POST", "/api/v1/sql", {"sql": statement}, key)["rows"]


def allow(*actions, resource="*"):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": resource}]}


def user(server, name, actions=(), roles=(), attributes=None):
    body = {"name": name, "roles": list(roles), "attributes": attributes or {}}
    if actions:
        body["policies"] = {"p": allow(*actions)}
    good(server, "POST", "/api/v1/users", body)
    made = good(server, "POST", f"/api/v1/users/{name}/keys", {})
    return made["access_key_id"], made["secret_access_key"]


def plan(server, text, folder="", key=None, **more):
    return call(server, "POST", "/api/v1/plan", {"lakefile": text, "folder": str(folder), **more}, key)[:2]


def apply(server, text, folder="", **more):
    body = {"lakefile": text, "folder": str(folder), **more}
    made = good(server, "POST", "/api/v1/plan", body)
    assert not made["problems"], made["problems"]
    return good(server, "POST", "/api/v1/apply", {**body, "plan": made["plan"]})


def refusals(server, name):
    records = good(server, "GET", "/api/v1/audit?outcome=denied&limit=1000")["records"]
    return [json.dumps(record) for record in records if f"user/{name}" in json.dumps(record)]


def filled(pattern):
    return pattern.replace("{}", "x")


# --- every route

def test_the_table_of_routes_was_read():
    assert len(ROUTES) > 40 and ("POST", "/api/v1/apply", "tarn:Apply") in ROUTES and "tarn:GetDashboard" in OWN


def test_nobody_and_a_wrong_secret_get_nothing(tarn):
    for method, pattern, _ in ROUTES:
        for key in (False, (tarn.access_key, "wrong" * 8), ("AKIANOBODY0000000000", tarn.secret_key), ("", "")):
            status, answer, _ = call(tarn, method, filled(pattern), {}, key)
            assert status == 401, f"{method} {pattern}: {status} {answer}"
    status, _, _ = call(tarn, "GET", "/api/v1/there-is-no-such", key=False)
    assert status == 401, "addresses can be told apart without signing in"


def test_a_user_without_policy_is_refused_and_recorded_on_every_route(tarn):
    key = user(tarn, "bare")
    demanded = [(m, p, a) for m, p, a in ROUTES if a not in OWN]
    for method, pattern, action in demanded:
        status, answer, _ = call(tarn, method, filled(pattern), {}, key)
        assert status == 403 and answer["error"]["code"] == "permission_denied", f"{method} {pattern}: {status} {answer}"
        assert action in answer["error"]["message"]
    records = until(lambda: (found := refusals(tarn, "bare")) and len(found) >= len(demanded) and found, 10)
    for _, _, action in demanded:
        assert any(f'"{action.split(":")[1]}"' in record or action in record for record in records), action
    assert len(records) == len(demanded)


def test_a_cookie_alone_changes_nothing(tarn):
    _, opened, answer = call(tarn, "POST", "/api/v1/session", {"user": tarn.access_key, "password": tarn.secret_key}, False)
    cookie = answer.getheader("set-cookie")
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie
    cookie = cookie.split(";")[0]
    assert call(tarn, "GET", "/api/v1/secrets", key=False, headers={"Cookie": cookie})[0] == 200
    for method, pattern, _ in ROUTES:
        if method == "GET":
            continue
        for token in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * len(opened["csrf_token"])}):
            status, answer, _ = call(tarn, method, filled(pattern), {"value": "v"}, False, {"Cookie": cookie, **token})
            assert status in (401, 403), f"{method} {pattern} with {token}: {status} {answer}"
    assert not good(tarn, "GET", "/api/v1/secrets")["secrets"]
    status, _, _ = call(tarn, "PUT", "/api/v1/secrets/by_page", {"value": "v"}, False,
                        {"Cookie": cookie, "X-CSRF-Token": opened["csrf_token"]})
    assert status == 204
    good(tarn, "DELETE", "/api/v1/secrets/by_page")


def test_the_page_of_another_site_signs_nobody_in(tarn):
    status, _, _ = call(tarn, "POST", "/api/v1/session", {"user": tarn.access_key, "password": tarn.secret_key}, False,
                        {"Sec-Fetch-Site": "cross-site"})
    assert status == 403


def test_the_console_lets_no_foreign_script_in(tarn):
    for path in ("/", "/dashboards/x"):
        status, text, answer = call(tarn, "GET", path, key=False)
        policy = answer.getheader("content-security-policy")
        assert status == 200 and "default-src 'none'" in policy and "script-src 'self'" in policy
        assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", text), "a script in the page itself"
    for source in (ROOT / "console" / "src").glob("*.ts*"):
        found = re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", source.read_text())
        assert not found, f"{source.name}: {found[0]}"


EVIL = """<img src=x onerror='window.hacked=1'><script>window.hacked=2</script>"><svg onload=window.hacked=3>"""


def test_what_stands_in_tables_is_text_in_the_console(own_tarn):
    if missing() is not None:
        pytest.skip(missing())
    quoted = EVIL.replace("'", "''")
    sql(own_tarn, f"""create table t (shelf text, "{EVIL.replace('"', '""')}" text, region text, lat double, lon double, n int)""")
    sql(own_tarn, f"insert into t values ('{quoted}', '{quoted}', '{quoted}', 4.6, -74.1, 1)")
    sql(own_tarn, f"insert into t values ('{quoted}2', 'javascript:window.hacked=4', '{quoted}2', 5.6, -73.1, 2)")
    title = json.dumps(EVIL)
    apply(own_tarn, f"""lake: kiosk
alerts:
  a: {{when: select shelf from t, one_per: [shelf]}}
dashboards:
  d:
    title: {title}
    filters: [region]
    charts:
      - {{title: {title}, table: [shelf, region], from: t}}
      - {{title: All, sql: select * from t}}
      - {{title: Bars, bar: [n], by: region, from: t, unit: {title}}}
      - {{title: Line, line: [n], by: shelf, from: t}}
      - {{title: Split, stacked: n, by: region, split: shelf, from: t}}
      - {{title: Heat, heatmap: n, by: region, split: shelf, from: t}}
      - {{title: Points, scatter: [lat, lon], by: shelf, from: t}}
      - {{title: Failed, number: "sum(shelf::int)", from: t}}
""")
    token = good(own_tarn, "POST", "/api/v1/sign-in-tokens", {})["token"]
    with Browser() as browser:
        browser.open(f"http://{own_tarn.ready['http']}/dashboards#token={token}")
        browser.see("heading", "Bars")
        until(lambda: browser.evaluate("document.body.innerText").count("onerror") >= 6)
        assert "token" not in browser.evaluate("location.href")
        browser.open(f"http://{own_tarn.ready['http']}/workbench?sql=select+*+from+t")
        browser.click("button", "Run")
        browser.holds("gridcell", "", "onerror")
        assert browser.evaluate("typeof window.hacked") == "undefined"
        assert browser.evaluate("document.querySelectorAll('img[src=x], svg[onload], [onerror]').length") == 0
        assert not [problem for problem in browser.problems() if "Content Security" in problem or "Refused" in problem]


# --- unlisted means unseen

SHELVES = """\
lake: shelves
tables:
  empties:
    key: [shelf]
    sql: select shelf, region, units from levels where units < 3
  broken:
    sql: select note::int as n from levels
alerts:
  runs_empty:
    when: select shelf, region, units from levels where units < 3
    one_per: [shelf]
    to: [{url: "http://%s:%d/hook", allow_private: true}]
  odd:
    when: select shelf, note::int as n from levels
dashboards:
  mine:
    charts:
      - {title: Who, sql: "select current_user as who"}
      - {title: Tables, sql: "select table_name from information_schema.tables order by 1"}
      - {title: Units, number: sum(units), from: levels}
      - {title: Cast, number: "sum(note::int)", from: levels}
      - {title: Sly, number: count(*), from: levels, where: "units > (select max(pay) from wages)"}
roles:
  all: {read: all}
  north: {read: {levels: {rows: region = user.region}, wages: {rows: "false"}}}
  plain: {read: {levels: all}}
"""
WATCH = ("tarn:ListAlerts", "tarn:ListSources", "tarn:ListRuns", "tarn:ListModels")
CELLS = ("shelf-of-the-south", "note-of-the-south", "south")


@pytest.fixture(scope="module")
def shelves(tarn_binary):
    with TarnServer() as server, WebhookReceiver() as receiver:
        receiver.answer = lambda message: (200, {}, b"answer-of-the-receiver")
        sql(server, "create table levels (shelf text, region text, units int, note text)")
        sql(server, "create table wages (who text, pay int)")
        sql(server, "insert into wages values ('ann', 0)")
        sql(server, "insert into levels values ('shelf-of-the-south', 'south', 1, 'note-of-the-south'), ('s2', 'north', 9, '1')")
        apply(server, SHELVES % ("127.0.0.1", int(receiver.url.rsplit(":", 1)[1].split("/")[0])))
        until(lambda: good(server, "GET", "/api/v1/alerts")["open"])
        until(lambda: [d for d in good(server, "GET", "/api/v1/alerts/runs_empty/deliveries")["deliveries"] if d["attempts"]])
        until(lambda: [r for r in good(server, "GET", "/api/v1/runs?step=tables.broken")["runs"] if r["error"]])
        server.keys = {
            "watcher": user(server, "watcher", WATCH),
            "northerner": user(server, "northerner", WATCH, ["north"], {"region": "north"}),
            "whole": user(server, "whole", WATCH, ["all"]),
            "plain1": user(server, "plain1", WATCH, ["plain"]), "plain2": user(server, "plain2", WATCH, ["plain"]),
        }
        yield server


PLACES = ("/api/v1/alerts", "/api/v1/alerts/runs_empty/events", "/api/v1/alerts/runs_empty/deliveries",
          "/api/v1/alerts/odd/events", "/api/v1/tables", "/api/v1/runs", "/api/v1/runs?step=tables.broken",
          "/api/v1/runs?step=alerts.odd", "/api/v1/models", "/api/v1/sources", "/api/v1/graph", "/api/v1/alerts/runs_empty",
          "/api/v1/alerts/odd", "/api/v1/alert-events", "/api/v1/alert-deliveries", "/api/v1/steps/alerts.odd")


@pytest.mark.parametrize("who", ["watcher", "northerner"])
def test_states_show_no_cell_of_what_the_caller_does_not_see(shelves, who):
    for path in PLACES:
        text = json.dumps(good(shelves, "GET", path, key=shelves.keys[who]))
        for cell in CELLS + ("answer-of-the-receiver",):
            assert cell not in text, f"{path} shows {cell} to {who}: {text[:800]}"
    alerts = good(shelves, "GET", "/api/v1/alerts", key=shelves.keys[who])
    assert alerts["open"] == [] and [r["open"] for r in alerts["alerts"] if r["rule"] == "runs_empty"] == [1]
    names = [step["table"] for step in good(shelves, "GET", "/api/v1/tables", key=shelves.keys[who])["tables"]]
    assert not [name for name in names if name], "a table that nobody granted is listed"


def test_who_sees_the_tables_sees_what_is_said_of_them(shelves):
    key = shelves.keys["whole"]
    alerts = good(shelves, "GET", "/api/v1/alerts", key=key)
    assert [alert["row"]["shelf"] for alert in alerts["open"] if alert["rule"] == "runs_empty"] == ["shelf-of-the-south"]
    assert "note-of-the-south" in json.dumps(good(shelves, "GET", "/api/v1/runs?step=tables.broken", key=key))
    assert "shelf-of-the-south" in json.dumps(good(shelves, "GET", "/api/v1/alerts/runs_empty/events", key=key))


def page(server, key):
    return {chart["title"]: chart for chart in good(server, "GET", "/api/v1/dashboards/mine", key=key)["charts"]}


def test_one_viewers_answer_is_never_anothers(shelves):
    seen = {who: page(shelves, shelves.keys[who]) for who in ("whole", "plain1", "plain2", "watcher", "whole", "northerner")}
    for who, charts in seen.items():
        assert charts["Who"]["rows"] == [[who]], "another viewer's name"
    assert ["wages"] in seen["whole"]["Tables"]["rows"] and ["wages"] not in seen["plain2"]["Tables"]["rows"]
    assert seen["plain1"]["Units"]["rows"] == [[10]] and seen["northerner"]["Units"]["rows"] == [[9]]
    assert seen["northerner"]["Cast"]["rows"] == [[1]], "an expression of a chart ran on a hidden row"
    assert "error" in seen["watcher"]["Units"] and "rows" not in seen["watcher"]["Units"]
    assert seen["whole"]["Sly"]["rows"] == [[2]]
    for who in ("plain1", "watcher"):
        assert seen[who]["Sly"]["error"]["code"] == "permission_denied" and "wages" not in json.dumps(seen[who]["Sly"])


def test_words_alone_are_kept_for_all_who_see_the_same(shelves):
    page(shelves, shelves.keys["plain1"])
    assert page(shelves, shelves.keys["plain2"])["Units"]["from_cache"]


# --- plan and try

def test_a_plan_is_no_oracle_and_runs_nothing(shelves):
    key = user(shelves, "planner", ["tarn:Plan", "tarn:Try"])
    asked = "lake: shelves\nalerts:\n  spy: {when: select who from wages where pay = 0, one_per: [who]}\n"
    before = sql(shelves, "select count(*) from wages")
    status, answer = plan(shelves, asked, key=key, replay_days=7)
    assert status == 200 and "fired" not in json.dumps(answer["alerts"]), answer["alerts"]
    status, answer = plan(shelves, asked, replay_days=7)
    assert "fired 1 time" in json.dumps(answer["alerts"]), answer["alerts"]
    assert sql(shelves, "select count(*) from wages") == before


def test_try_reads_tables_as_the_caller_and_sources_only_for_who_may_apply(shelves, tmp_path):
    key = user(shelves, "tryer", ["tarn:Try", "tarn:ExecuteStatement"], ["north"], {"region": "north"})
    (tmp_path / "a.csv").write_text("a;b\n1;2\n")
    text = ("lake: x\nsources:\n  s: {folder: '%s/*.csv'}\n  p: {postgres: 'postgresql://u:p@127.0.0.1:1/x'}\n"
            "tables:\n  mine: {sql: select shelf from levels}\n  not_mine: {sql: select * from empties}\n" % tmp_path)
    body = {"lakefile": text, "rows": 5}
    tried = good(shelves, "POST", "/api/v1/try", {**body, "name": "mine"}, key)
    assert [item["rows"] for item in tried["items"]] == [[["s2"]]]
    assert "error" in good(shelves, "POST", "/api/v1/try", {**body, "name": "not_mine"}, key)["items"][0]
    for name in ("", "s", "sources.s", "p", "sources.p"):
        status, answer, _ = call(shelves, "POST", "/api/v1/try", {**body, "name": name}, key)
        assert status == 403 and "tarn:Apply" in answer["error"]["message"], (name, answer)
    assert good(shelves, "POST", "/api/v1/try", {**body, "name": "s"})["items"][0]["tables"]


# --- SQL in a lakefile

@pytest.mark.parametrize("item", [
    "alerts:\n  a: {when: delete from wages}",
    "alerts:\n  a: {when: select 1; drop table wages}",
    "alerts:\n  a: {when: \"with d as (delete from wages returning *) select * from d\"}",
    "alerts:\n  a: {when: \"copy wages to '/tmp/tarn-should-not-be'\"}",
    "alerts:\n  a: {when: \"select * from read_text('/etc/passwd')\"}",
    "tables:\n  t: {sql: select 1 as a; drop table wages}",
    "tables:\n  t: {sql: \"select 1 as a) as x; drop table wages; --\"}",
    "tables:\n  t: {sql: \"select * from '/etc/passwd'\"}",
    "tables:\n  t: {sql: \"select * from read_csv('/etc/passwd')\"}",
    "tables:\n  t:\n    sql: select 1 as a\n    checks: {\"a > 0); drop table wages; --\": stop}",
    "tables:\n  t:\n    sql: select 1 as a\n    checks: {\"a > 0; drop table wages\": warn}",
    "dashboards:\n  d:\n    charts: [{title: A, sql: delete from wages}]",
    "dashboards:\n  d:\n    charts: [{title: A, sql: select 1; drop table wages}]",
    "dashboards:\n  d:\n    charts: [{title: A, number: count(*), from: wages, where: \"1=1; drop table wages\"}]",
    "dashboards:\n  d:\n    charts: [{title: A, number: count(*), from: wages, where: \"1=1) ; drop table wages; --\"}]",
    "roles:\n  r: {read: {wages: {rows: \"true; drop table wages\"}}}",
])
def test_sql_of_a_lakefile_only_reads(own_tarn_of_module, item):
    server = own_tarn_of_module
    body = {"lakefile": "lake: x\n" + item + "\n", "folder": ""}
    made = good(server, "POST", "/api/v1/plan", body)
    if not made["problems"]:  # then it fails where it runs, and does nothing there
        good(server, "POST", "/api/v1/apply", {**body, "plan": made["plan"]})
        for board in good(server, "GET", "/api/v1/dashboards")["dashboards"]:
            charts = good(server, "GET", f"/api/v1/dashboards/{board['name']}")["charts"]
            assert all("error" in chart for chart in charts), charts
        until(lambda: good(server, "GET", "/api/v1/tables")["quiescent"] or time.sleep(1) or True)
        time.sleep(0.3)
        assert "root:x:" not in json.dumps(good(server, "GET", "/api/v1/alerts"))
    assert sql(server, "select count(*) from wages") == [[1]]
    assert not pathlib.Path("/tmp/tarn-should-not-be").exists()


@pytest.fixture(scope="module")
def own_tarn_of_module(tarn_binary):
    with TarnServer() as server:
        sql(server, "create table wages (who text, pay int)")
        sql(server, "insert into wages values ('ann', 0)")
        yield server


# --- folders

def folder_file(path):
    return f"lake: x\nsources:\n  s:\n    folder: '{path}'\n    format: csv\n    settle: 100ms\n"


def test_no_source_reads_the_servers_own_files(own_tarn, tmp_path):
    data = own_tarn.data
    (tmp_path / "link").symlink_to(data)
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id.csv").write_text("a;b\nkey;1\n")
    drop = tmp_path / "drop"
    drop.mkdir()
    for path in (f"{data}/*", f"{data}/root.*", f"{data}/../{data.name}/root.credentials", f"{tmp_path}/link/*", f"{data}/state/*",
                 f"{drop}/../link/root.credentials", f"{drop}/../../../../../../../etc/*", "/etc/passwd", "/etc/*", "/proc/self/*",
                 "/proc/self/environ", "/sys/*", "/dev/*", f"/proc/self/root{data}/*", f"{tmp_path}/.ssh/*"):
        text = folder_file(path)
        status, made = plan(own_tarn, text)
        assert status == 200 and made["problems"], f"{path} can be applied"
        _, tried, _ = call(own_tarn, "POST", "/api/v1/try", {"lakefile": text})
        assert own_tarn.secret_key not in json.dumps(tried) and "root:x:" not in json.dumps(tried), path
        assert "error" in tried or "error" in tried["items"][0], f"{path}: {tried}"


def test_a_folder_that_becomes_a_link_is_not_followed(own_tarn, tmp_path):
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "a.csv").write_text("a;b\n1;2\n")
    (drop / "linked.csv").symlink_to(own_tarn.credentials_file)
    (drop / "new\nline\x1b[2J 2026-01-01 error forged: line.csv").write_text("a;b\n3;4\n")
    os.mkfifo(drop / "pipe.csv")
    apply(own_tarn, folder_file(f"{drop}/*"))
    until(lambda: call(own_tarn, "POST", "/api/v1/sql", {"sql": "select a from s order by a"})[1].get("rows") == [[1], [3]])
    drop.rename(tmp_path / "away")
    drop.symlink_to(own_tarn.data)
    source = until(lambda: [s for s in good(own_tarn, "GET", "/api/v1/sources")["sources"] if "no source may read" in json.dumps(s)])[0]
    assert source["tables"], source
    everything = json.dumps([sql(own_tarn, f"select * from {table}") for [table] in
                             sql(own_tarn, "select table_name from information_schema.tables where table_schema = 'main'")])
    assert own_tarn.secret_key not in everything
    log = own_tarn.log_text()
    assert "\x1b" not in log and "\n2026-01-01 error forged" not in log and "line 2026-01-01 error forged" not in log.split("\n")[0]


def test_the_setting_narrows_what_sources_may_read(tarn_binary, tmp_path):
    for name in ("drop", "drop2", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_text("a;b\n1;2\n")
    (tmp_path / "drop" / "out").symlink_to(tmp_path / "other")
    (tmp_path / "lake").mkdir()
    server = TarnServer(folder=tmp_path / "lake")
    try:
        server.start()
        apply(server, folder_file(f"{tmp_path}/other/*.csv"))
        until(lambda: call(server, "POST", "/api/v1/sql", {"sql": "select a from s"})[1].get("rows") == [[1]])
        server.args = ["--source-folders", f"/nowhere,{tmp_path}/drop/"]
        server.restart()
        for path, may in (("drop/*.csv", True), ("drop", True), ("drop2/*.csv", False), ("other/*", False), ("drop/out/*.csv", False),
                          ("drop/../other/*", False)):
            status, made = plan(server, folder_file(f"{tmp_path}/{path}"))
            assert status == 200 and bool(made["problems"]) != may, (path, made)
            tried = good(server, "POST", "/api/v1/try", {"lakefile": folder_file(f"{tmp_path}/{path}")})["items"][0]
            assert ("tables" in tried) == may, (path, tried)
        assert "other" in good(server, "GET", "/api/v1/lakefile")["trouble"]
        (tmp_path / "other" / "b.csv").write_text("a;b\n7;2\n")
        time.sleep(1.5)
        assert sql(server, "select a from s") == [[1]], "what was applied under another setting still runs"
    finally:
        server.close()


# --- secrets

def test_a_secret_is_nowhere_but_sealed(own_tarn, tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))
    dead = listener.getsockname()[1]
    listener.close()
    words = {"plain_url": f"postgresql://lena:pw-Alpha-71@127.0.0.1:{dead}/shop",
             "at_url": f"postgresql://lena:pw@Bravo-72@127.0.0.1:{dead}/shop",
             "slash_url": f"postgresql://lena:pw/Charlie-73@127.0.0.1:{dead}/shop",
             "broken_url": "postgresql://lena:pw-%zzDelta-74@[::1/shop",
             "words_url": f"host=127.0.0.1 port={dead} user=lena password=pw-Echo-75 dbname=shop",
             "hook": f"http://127.0.0.1:{dead}/hook/Foxtrot-76?token=Golf-77",
             "named_hook": f"http://lena:Hotel-78@127.0.0.1:{dead}/",
             "hook_key": "whsec_" + base64.b64encode(b"India-79-India-79-India-79-India").decode()}
    hidden = ["Alpha-71", "Bravo-72", "Charlie-73", "Delta-74", "Echo-75", "Foxtrot-76", "Golf-77", "Hotel-78", words["hook_key"][6:],
              "India-79"]
    for name, value in words.items():
        good(own_tarn, "PUT", f"/api/v1/secrets/{name}", {"value": value})
    sql(own_tarn, "create table t (a int)")
    sql(own_tarn, "insert into t values (1)")
    text = "lake: x\nsources:\n" + "".join(f"  s_{n}: {{postgres: '${{secret:{n}}}', tables: [a]}}\n" for n in words if "url" in n) + (
        "alerts:\n  a:\n    when: select a from t\n    to:\n"
        "      - {url: '${secret:hook}', allow_private: true, secret: '${secret:hook_key}'}\n"
        "      - {url: '${secret:named_hook}', allow_private: true}\n")
    said = [json.dumps(plan(own_tarn, text)), json.dumps(call(own_tarn, "POST", "/api/v1/try", {"lakefile": text})[1]),
            json.dumps(apply(own_tarn, text))]
    until(lambda: all(s["last_error"] or any(t["last_error"] for t in s["tables"])
                      for s in good(own_tarn, "GET", "/api/v1/sources")["sources"]))
    until(lambda: sum(len(d["attempts"]) for d in good(own_tarn, "GET", "/api/v1/alerts/a/deliveries")["deliveries"]) >= 2)
    assert good(own_tarn, "POST", "/api/v1/alerts/a/test", {})["deliveries"]
    for path in ("/api/v1/lakefile", "/api/v1/sources", "/api/v1/alerts", "/api/v1/alerts/a/deliveries", "/api/v1/alerts/a/events",
                 "/api/v1/tables", "/api/v1/runs", "/api/v1/secrets", "/api/v1/audit?limit=1000", "/metrics", "/api/v1/status"):
        said.append(json.dumps(good(own_tarn, "GET", path)))
    said.append(pathlib.Path(f"/proc/{own_tarn.process.pid}/cmdline").read_bytes().decode(errors="replace"))
    own_tarn.stop()
    said.append(own_tarn.log_text())
    for part in said:
        for word in hidden:
            assert word not in part, f"{word}: {part[max(0, part.find(word) - 300):][:600]}"
    for path in own_tarn.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for word in hidden + list(words.values()):
                assert word.encode() not in content, f"{word} stands in {path.relative_to(own_tarn.folder)}"


@pytest.mark.parametrize("item, told", [
    ("sources:\n  s: {postgres: 'postgresql://u:word@h/d'}", True), ("sources:\n  s: {postgres: 'postgresql://u@h:5432/d'}", False),
    ("sources:\n  s: {postgres: 'host=h password=word'}", True), ("sources:\n  s: {postgres: 'postgresql://u:${secret:w}@h/d'}", False),
    ("alerts:\n  a: {when: select 1 as a, to: ['https://u:word@h/']}", True), ("alerts:\n  a: {when: select 1 as a, to: ['https://h/']}", False),
    ("alerts:\n  a: {when: select 1 as a, to: [{url: 'https://h/', secret: whsec_d29yZHdvcmR3b3Jkd29yZHdvcmR3b3Jk}]}", True),
])
def test_a_plan_warns_of_a_secret_that_is_spelt_out(tarn, item, told):
    good(tarn, "PUT", "/api/v1/secrets/w", {"value": "word"})
    status, made = plan(tarn, "lake: x\n" + item + "\n")
    assert status == 200 and not made["problems"], made
    assert ("a secret stands in the lakefile" in json.dumps(made["warnings"])) == told, made["warnings"]
    assert "word" not in json.dumps(made).replace("${secret:w}", "")


def test_a_plan_says_that_it_takes_a_role_over(tarn):
    good(tarn, "PUT", "/api/v1/roles/keeper", {"grants": {"a.b": {}}, "policies": {"more": allow("tarn:ListSecrets")}})
    for role, told in (("keeper", True), ("other", False)):
        _, made = plan(tarn, f"lake: x\nroles:\n  {role}: {{read: all}}\n")
        assert ("no lakefile made it" in json.dumps(made["warnings"])) == told, made


# --- webhooks

def test_no_webhook_leads_inside(own_tarn):
    with WebhookReceiver() as receiver:
        port = int(receiver.url.rsplit(":", 1)[1].split("/")[0])
        inside = ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]",
                  "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "0.0.0.0", "[::]", "169.254.169.254", "127.0.0.1."]
        sql(own_tarn, "create table t (a int)")
        hooks = ", ".join(f"'http://{host}:{port}/x'" for host in inside)
        apply(own_tarn, f"lake: x\nalerts:\n  a:\n    when: select a from t\n    to: [{hooks}]\n")
        good(own_tarn, "POST", "/api/v1/alerts/a/test", {})
        made = until(lambda: (d := good(own_tarn, "GET", "/api/v1/alerts/a/deliveries")["deliveries"]) and
                     all(one["attempts"] for one in d) and d, 30)
        assert len(made) == len(inside)
        for one in made:
            assert one["state"] != "delivered" and all(attempt["status"] == 0 for attempt in one["attempts"]), one
        assert not receiver.messages and not receiver.refused


def test_a_webhook_without_a_path_that_is_down_holds_nothing_up(own_tarn):
    listener = socket.create_server(("127.0.0.1", 0))
    dead = listener.getsockname()[1]
    listener.close()
    sql(own_tarn, "create table t (a int)")
    hooks = ", ".join("{url: 'http://127.0.0.1:%d%s', allow_private: true}" % (dead, path) for path in ("/", "/.", "/x"))
    apply(own_tarn, f"lake: x\nalerts:\n  a:\n    when: select a from t\n    to: [{hooks}]\n")
    good(own_tarn, "POST", "/api/v1/alerts/a/test", {})
    until(lambda: all(one["attempts"] for one in good(own_tarn, "GET", "/api/v1/alerts/a/deliveries")["deliveries"]))
    assert own_tarn.stop() == 0


def test_no_redirect_is_followed(own_tarn):
    with WebhookReceiver() as receiver, WebhookReceiver() as inner:
        receiver.answer = lambda message: (302, {"Location": inner.url + "/inner"}, b"")
        sql(own_tarn, "create table t (a int)")
        apply(own_tarn, "lake: x\nalerts:\n  a:\n    when: select a from t\n    to: [{url: '%s', secret: %s, allow_private: true}]\n"
              % (receiver.url, receiver.secret))
        good(own_tarn, "POST", "/api/v1/alerts/a/test", {})
        until(lambda: receiver.messages)
        until(lambda: good(own_tarn, "GET", "/api/v1/alerts/a/deliveries")["deliveries"][0]["attempts"])
        assert not inner.messages and not inner.refused


@pytest.mark.parametrize("name", ["a\\r\\nX-Evil: 1", "a b", "A", "ä", "a/b", "..", "a\\u0000b"])
def test_the_name_of_a_rule_is_a_name(tarn, name):
    status, made = plan(tarn, f'lake: x\nalerts:\n  "{name}": {{when: select 1 as a}}\n')
    assert status == 200 and made["problems"], made


# --- bounds

def test_large_lakefiles_are_answered_soon(tarn):
    many = "lake: x\ntables:\n" + "".join(f"  t{i}: {{sql: select {i} as a}}\n" for i in range(3_000))
    begun = time.monotonic()
    status, made = plan(tarn, many)
    assert status == 200 and len(made["changes"]) == 3_000
    assert time.monotonic() - begun < 60
    status, made = plan(tarn, many + "".join(f"  u{i}: {{sql: select {i} as a}}\n" for i in range(7_001)))
    assert status == 200 and made["problems"]
    long = "lake: x\ntables:\n  t: {sql: sql/t.sql}\n"
    for text in ("select " + "1+" * 400_000 + "1 as a", "select " + "(" * 400_000 + "1" + ")" * 400_000 + " as a",
                 "select '" + "x" * 1_000_000 + "' as a"):
        begun = time.monotonic()
        status, made, _ = call(tarn, "POST", "/api/v1/plan", {"lakefile": long, "files": {"sql/t.sql": text}})
        assert status == 200 and time.monotonic() - begun < 30
        assert good(tarn, "GET", "/api/v1/status")["ready"]
    charts = ", ".join("{title: A%d, number: count(*), from: t}" % i for i in range(500))
    status, made = plan(tarn, f"lake: x\ntables:\n  t: {{sql: select 1 as a}}\ndashboards:\n  d: {{charts: [{charts}]}}\n")
    assert status == 200 and made["problems"], "500 charts on one page"
    status, _, _ = call(tarn, "POST", "/api/v1/plan", raw="{" + " " * (5 << 20))
    assert status in (400, 413)
    status, _, _ = call(tarn, "POST", "/api/v1/plan", raw='{"a":' * 100_000)
    assert status == 400


def test_one_viewer_does_not_take_all_live_streams(own_tarn_of_module):
    server = own_tarn_of_module
    apply(server, "lake: x\ndashboards:\n  d:\n    charts: [{title: A, number: count(*), from: wages}]\n")
    key = user(server, "greedy")
    host, port = server.address("http")
    header = "Authorization: Basic " + base64.b64encode(f"{key[0]}:{key[1]}".encode()).decode()
    opened = []
    try:
        answers = []
        for _ in range(30):
            link = socket.create_connection((host, port), timeout=20)
            opened.append(link)
            link.sendall(f"GET /api/v1/events?dashboard=d HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())
            answers.append(link.recv(12))
        assert answers.count(b"HTTP/1.1 200") == 24 and answers.count(b"HTTP/1.1 503") == 6
        assert sql(server, "select 1") == [[1]]
    finally:
        for link in opened:
            link.close()
