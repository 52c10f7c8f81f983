"""Home, the catalog and access in a headless Chromium: each screen's story, and what a role may not see."""
import base64
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from console_lake import address, api, apply, ask, here, link, sql, trouble, until  # noqa: E402
from headless_browser import ROOT, missing  # noqa: E402
from tarn_server import TarnServer  # noqa: E402
from test_console import TABLES  # noqa: E402

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

LONG = "a_table_whose_name_is_as_long_as_names_may_be_so_that_it_breaks"
LAKEFILE = f"""\
lake: kiosk
tables:
  revenue:
    key: [day, region]
    sql: |
      select s.day, s.region, sum(s.units)::bigint as units, count(*)::bigint as lines
      from daily_sales s group by 1, 2
    checks:
      units >= 0: warn
alerts:
  shelf_runs_empty:
    when: select shelf_id, p_empty from risk where p_empty > 0.8
    one_per: [shelf_id]
dashboards:
  stock:
    title: Stock on the shelves
    charts:
      - {{title: Rows, number: count(*), from: risk}}
roles:
  buyer:
    read:
      daily_sales: {{hide: [units], rows: region = user.region}}
"""


@pytest.fixture(scope="module")
def lake(tarn_binary):
    with TarnServer() as server:
        for statement in TABLES.split(";\n"):
            sql(server, statement)
        sql(server, f"create table {LONG} (n int)")
        apply(server, LAKEFILE)
        api(server, "POST", "/api/v1/users", {"name": "ann", "roles": ["buyer"], "attributes": {"region": "north"}})
        assert until(lambda: any(one["table"] == "revenue" and one.get("rows") for one in api(server, "GET", "/api/v1/catalog")["tables"]))
        yield server


# ---- the frame


def test_home_leads_on(lake, browser):
    browser.open(link(lake))
    browser.see("heading", "kiosk")
    browser.holds("link", "in 1 zone", "6")
    browser.see("region", "Sources")
    browser.see("application", "Storage")
    browser.holds("region", "Tables by zone", "main")
    browser.holds("region", "What needs somebody", "shelf_runs_empty")
    browser.see("region", "Who reads, last 24 hours")
    assert browser.evaluate("document.title") == "Home \u00b7 kiosk"
    browser.click("link", "main")
    browser.see("heading", "main")
    assert here(browser) == "/catalog/main"
    browser.back()
    browser.see("region", "Sources")
    assert browser.problems() == []


def test_an_insert_shows_on_home(lake, browser):
    browser.open(link(lake))
    before = int(browser.text("link", "Stored").split()[3].replace(",", ""))
    sql(lake, f"insert into {LONG} select * from range(0, 1000)")
    browser.see("link", f"{before + 1000:,} rows")
    assert browser.problems() == []


def test_the_palette_goes_to_a_table(lake, browser):
    browser.open(link(lake))
    browser.see("heading", "kiosk")
    browser.press("Control+k")
    browser.see("option", "main.daily_sales")
    browser.fill("Find a screen, table, dashboard, step, alert, model or action", "dalysal")
    browser.press("Enter")
    browser.see("tab", "Columns")
    assert here(browser) == "/catalog/main/daily_sales"
    browser.press("Control+k")
    browser.fill("Find a screen, table, dashboard, step, alert, model or action", "price")  # a column's name
    browser.holds("option", "Tables with", "price")
    browser.press("End")
    browser.click("option", "Tables with")
    until(lambda: here(browser) == "/catalog?search=price")
    browser.press("Control+k")
    browser.fill("Find a screen, table, dashboard, step, alert, model or action", "root")
    browser.holds("option", "root", "user")  # the list of users comes a moment later
    browser.press("Enter")
    browser.see("heading", "root")
    assert here(browser) == "/access/users/root"
    browser.press("Control+k")
    browser.see("combobox", "Find a screen")
    browser.press("Escape")
    browser.press("?")
    browser.see("heading", "Keys of the keyboard")
    browser.press("Escape")
    browser.gone("Keys without Ctrl")
    browser.press("g u")
    browser.see("heading", "Access")
    assert browser.problems() == []


def test_an_address_that_is_not_there(lake, browser):
    browser.open(link(lake))
    browser.see("heading", "kiosk")
    browser.open(address(lake, "/catalog/main/nowhere"))
    browser.see_text("There is no such table")
    browser.open(address(lake, "/models/nowhere/at/all"))
    browser.see("main", "")


def test_an_expired_session_leads_back(lake, browser):
    browser.open(link(lake, "/catalog/main/daily_sales?tab=history"))
    browser.see("region", "Snapshots")
    browser.clear_cookies()
    browser.click("tab", "Sample")
    browser.see_text("Your session has ended")
    browser.fill("Access key or user", lake.access_key)
    browser.fill("Secret", lake.secret_key)
    browser.press("Enter")
    browser.see("region", "Sample")
    assert here(browser) == "/catalog/main/daily_sales?tab=sample"
    assert trouble(browser.problems()) == []


def test_a_restart_under_an_open_page(tarn_binary, browser):
    with TarnServer() as server:
        sql(server, "create table a (n int)")
        browser.open(link(server, "/catalog"))
        browser.see("link", "main.a")
        server.restart(same_ports=True)
        sql(server, "create table b (n int)")
        browser.see("link", "main.b")
        browser.holds("status", "", "Live")


def test_an_empty_lake_ends_in_a_chart(tarn_binary, browser):
    with TarnServer() as server:
        browser.open(link(server))
        browser.see("heading", "First steps")
        browser.holds("region", "lake.yaml for a folder of CSV files", "folder: drop/sales/*.csv")
        browser.holds("region", "Commands that apply the lakefile", f"export TARN_ENDPOINT={address(server)[:-1]}")
        browser.click("tab", "MQTT")
        browser.holds("region", "lake.yaml for sensors over MQTT", "mqtt:")
        browser.click("tab", "PostgreSQL")
        browser.holds("region", "Commands that apply the lakefile", "tarn secrets set erp_url")
        assert subprocess.run([tarn_binary, "secrets", "set", "--help"], capture_output=True).returncode == 0
        assert browser.axe() == []
        for width in (390, 1600):
            browser.look(width, 900, "light")
            assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        browser.click("button", "Make a sample table")
        browser.see("application", "Units sold a day")
        assert "120" in json.dumps(sql_rows(server, "select count(*) from sample_sales"))
        browser.click("button", "Show the lake at a glance")
        browser.click("link", "Ask something of sample_sales")  # nothing is drawn of it yet
        browser.holds("region", "SQL", "count(*)")
        assert browser.problems() == []
        for path in ("/catalog", "/access", "/access?tab=roles", "/access?tab=audit"):
            browser.open(address(server, path))
            browser.see("main", "")
        assert browser.problems() == []


def sql_rows(server, statement):
    return api(server, "POST", "/api/v1/sql", {"sql": statement})["rows"]


# ---- the catalog


def test_search_finds_columns_and_descriptions(lake, browser):
    api(lake, "PUT", "/api/v1/catalog/main/stores/description", {"description": "Where we sell, by latitude and longitude.", "tags": ["places"]})
    browser.open(link(lake, "/catalog"))
    browser.see("link", "main.stores")
    browser.fill("Find tables by name, column, description or tag", "p_empty")
    browser.lacks("navigation", "Tables", "demand")
    browser.holds("navigation", "Tables", "risk")
    browser.fill("Find tables by name, column, description or tag", "we sell")
    browser.holds("navigation", "Tables", "stores")
    browser.press("ArrowDown")
    browser.press("Enter")
    browser.see_text("Where we sell, by latitude")
    browser.holds("main", "", "places")
    assert here(browser).startswith("/catalog/main/stores")
    browser.reload()
    browser.see_text("Where we sell, by latitude")
    assert browser.problems() == []


def test_a_description_is_edited_in_place(lake, browser):
    browser.open(link(lake, "/catalog/main/demand"))
    browser.click("button", "Describe it")
    browser.fill("Description", "How much will be asked for.")
    browser.click("button", "Save")
    browser.see_text("How much will be asked for.")
    browser.click("button", "Edit the description of p90")
    browser.fill("Description", "Nine of ten days are below.")
    browser.click("button", "Save")
    browser.see_text("Nine of ten days are below.")
    assert browser.problems() == []
    table = api(lake, "GET", "/api/v1/catalog/main/demand")
    assert table["description"] == "How much will be asked for."
    assert {column["name"]: column["description"] for column in table["columns"]}["p90"] == "Nine of ten days are below."
    trail = api(lake, "GET", "/api/v1/audit?action=tarn:DescribeTable")["records"]
    assert any(record["resource"].endswith("table/main/demand") for record in trail)


def test_profile_and_sample(lake, browser):
    browser.open(link(lake, "/catalog/main/daily_sales"))
    browser.click("tab", "Sample")
    browser.holds("group", "Sample of daily_sales", "north")
    browser.click("tab", "Profile")
    browser.see("button", "Figures of units")
    browser.holds("row", "region", "2")
    browser.click("button", "Figures of region")
    browser.holds("dialog", "Values of region", "120")
    browser.press("Escape")
    assert browser.problems() == []


def test_time_travel_in_one_click(lake, browser):
    sql(lake, "create table travels (n int)")
    sql(lake, "insert into travels values (1)")
    sql(lake, "insert into travels values (2)")
    sql(lake, "delete from travels where n = 1")
    browser.open(link(lake, "/catalog/main/travels?tab=history"))
    browser.holds("group", "Snapshots of travels", "append")
    snapshots = api(lake, "GET", "/api/v1/catalog/main/travels/snapshots")["snapshots"]
    assert [(one["rows_added"], one["rows_removed"]) for one in snapshots] == [(0, 1), (1, 0), (1, 0)]
    profile = api(lake, "GET", f"/api/v1/catalog/main/travels/profile?snapshot={snapshots[1]['id']}")
    assert profile["rows"] == 2 and profile["columns"][0]["histogram"]["counts"] == [1, 1]
    browser.click("button", f"Show the table as it was at {snapshots[2]['at']}")
    browser.see_text("Sample and profile are of the table as it was ")
    browser.holds("group", "Sample of travels", "1")
    assert browser.text("group", "Sample of travels").split() == ["n", "1"]
    browser.reload()
    browser.holds("group", "Sample of travels", "1")
    browser.click("button", "Back to now")
    browser.holds("group", "Sample of travels", "2")
    browser.back()
    browser.see_text("Sample and profile are of the table as it was ")
    assert browser.problems() == []


def test_files_and_lineage_down_to_columns(lake, browser):
    browser.open(link(lake, "/catalog/main/revenue"))
    browser.click("tab", "Files")
    browser.holds("group", "Data files of revenue", ".parquet")
    browser.click("tab", "Lineage")
    browser.see("region", "Lineage, drawn")
    browser.holds("region", "What each column is made of", "daily_sales.units")
    browser.holds("region", "Checks", "units >= 0")
    browser.click("link", "daily_sales.units")
    browser.holds("region", "What is made of its columns", "revenue.units")
    assert here(browser) == "/catalog/main/daily_sales?tab=lineage"
    assert browser.problems() == []


def test_snippets_name_the_doors(lake, browser):
    browser.open(link(lake, "/catalog/main/risk?tab=use"))
    browser.holds("region", "psql", f"-p {lake.address('postgres')[1]}")
    browser.click("tab", "aws cli")
    browser.holds("region", "aws cli", "s3://lake/main/risk-")
    browser.click("tab", "boto3")
    browser.holds("region", "Python with boto3", f":{lake.address('aws')[1]}")
    assert browser.problems() == []


def test_snippets_wait_for_the_addresses_of_the_doors(lake, browser):
    browser.open(link(lake))
    until(lambda: browser.evaluate("document.querySelector('.who')?.hidden === false"), 15)
    browser.hold("/api/v1/status")
    browser.open(address(lake, "/catalog/main/risk?tab=use"))
    browser.see("status", "Loading the addresses of the doors")
    assert "5439" not in browser.evaluate("document.querySelector('main').innerText")
    browser.let_go("/api/v1/status")
    browser.holds("region", "psql", f"-p {lake.address('postgres')[1]}")
    assert browser.problems() == []


def test_snippets_work_when_pasted(lake, browser):
    """All but Spark's, which needs packages from outside."""
    environment = dict(os.environ, AWS_ACCESS_KEY_ID=lake.access_key, AWS_SECRET_ACCESS_KEY=lake.secret_key, AWS_DEFAULT_REGION="us-east-1")
    browser.open(link(lake, "/catalog/main/stores?tab=use"))
    ways = [("psql", "psql", ["bash", "-c"], "psql", "Puerto"), ("psycopg2", "Python with psycopg2", ["/usr/bin/python3", "-c"], None, "Puerto"),
            ("boto3", "Python with boto3", ["/usr/bin/python3", "-c"], None, ".parquet"), ("aws cli", "aws cli", ["bash", "-c"], "aws", "table-uuid"),
            ("pyiceberg", "Python with pyiceberg", [str(ROOT / ".venv/bin/python"), "-c"], None, "Puerto")]
    tried = 0
    for tab, name, run, program, wanted in ways:
        browser.click("tab", tab)
        text = browser.text("region", name)
        if shutil.which(program or run[0]) is None:
            continue
        done = subprocess.run(run + [text], env=environment, capture_output=True, text=True, timeout=120)
        if "ModuleNotFoundError" in done.stderr:
            continue
        assert done.returncode == 0 and wanted in done.stdout, f"{name}: {done.stdout[-500:]} {done.stderr[-1500:]}"
        tried += 1
    assert tried >= 1
    assert browser.problems() == []


def test_a_long_name_stays_in_its_place(lake, browser):
    browser.open(link(lake, f"/catalog/main/{LONG}"))
    browser.see("tab", "Columns")
    for width in (390, 1024, 1600):
        browser.look(width, 900, "light")
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    assert browser.problems() == []


# ---- access


def test_a_key_is_shown_once(lake, browser):
    browser.open(link(lake, "/access"))
    browser.click("button", "New user")
    browser.fill("Name", "bob")
    browser.fill("Attributes", "region = south")
    browser.click("button", "Make the user")
    browser.see("heading", "bob")
    browser.click("button", "New key")
    shown = browser.text("dialog", "The new key")
    secret = [word for word in shown.split() if len(word) == 40][0]
    key = [word for word in shown.split() if word.startswith("AKIA")][0]
    browser.click("button", "I have kept it")
    browser.holds("group", "Access keys of bob", key)
    assert secret not in browser.evaluate("document.body.innerText")
    browser.click("button", f"Switch off {key}")
    browser.holds("group", "Access keys of bob", "off")
    browser.click("button", "Delete")
    browser.click("button", "Delete the user")
    until(lambda: "bob" not in [user["name"] for user in api(lake, "GET", "/api/v1/users")["users"]], 15)
    assert browser.problems() == []


def test_what_can_this_person_see(lake, browser):
    browser.open(link(lake, "/access?tab=sight"))
    browser.choose("Person", "ann")
    browser.holds("row", "main.daily_sales", "in part")
    browser.holds("row", "main.daily_sales", "units")
    browser.holds("row", "main.daily_sales", "region = user.region")
    browser.holds("row", "main.risk", "nothing")
    browser.open(address(lake, "/catalog/main/daily_sales?tab=access"))
    browser.holds("row", "ann", "in part")
    browser.holds("row", "root", "everything")
    assert browser.problems() == []


def test_the_trail_is_searched(lake, browser):
    browser.open(link(lake, "/access?tab=audit"))
    browser.holds("region", "Audit trail", "tarn:")
    assert "own work" not in browser.text("group", "Audit trail")
    sql(lake, f"insert into {LONG} select * from range(0, 10)")  # among the newest is work of the lake itself then
    browser.click("checkbox", "With the lake\u2019s own work")
    browser.holds("group", "Audit trail", "own work")
    assert "own=1" in here(browser)
    browser.click("checkbox", "With the lake\u2019s own work")
    browser.lacks("group", "Audit trail", "own work")
    browser.fill("Action", "iam:Create*")
    browser.click("button", "Search")
    browser.holds("region", "Audit trail", "iam:CreateUser")
    browser.lacks("region", "Audit trail", "tarn:ListTables")
    assert "action=iam" in here(browser)
    browser.choose("Outcome", "denied")
    browser.see_text("Nothing in the trail matches")
    browser.back()
    browser.holds("region", "Audit trail", "iam:CreateUser")
    assert browser.problems() == []


def test_a_role_is_made_and_deleted(lake, browser):
    browser.open(link(lake, "/access?tab=roles"))
    browser.holds("region", "Role buyer", "all but units")
    browser.click("button", "New role")
    browser.fill("Name", "tester")
    browser.fill("Grants", '{"main.risk": {"columns": ["shelf_id"]}')
    browser.click("button", "Save")
    browser.see_text("This is no JSON")
    browser.fill("Grants", '{"main.risk": {"columns": ["shelf_id"]}}')
    browser.click("button", "Save")
    browser.holds("region", "Role tester", "only shelf_id")
    browser.click("button", "Delete the role tester")
    browser.see("dialog", "Delete the role tester?")
    browser.press("Escape")
    browser.click("button", "Delete the role tester")
    browser.click("button", "Delete it for good")
    browser.see_text("The role is gone")
    assert "tester" not in api(lake, "GET", "/api/v1/roles")["roles"]
    assert browser.problems() == []


# ---- another role


def test_another_role_sees_another_lake(lake, browser):
    browser.open(link(lake, user="ann"))
    browser.see("heading", "kiosk")
    browser.holds("link", "in 1 zone", "1")
    browser.holds("region", "Sources", "Not visible to you")
    browser.holds("row", "main", "\u2013")  # seen in part: how many rows there are is not known, and not none
    browser.open(address(lake, "/catalog"))
    browser.see("link", "main.daily_sales")
    assert "risk" not in browser.text("main", "")
    browser.open(address(lake, "/catalog/main/daily_sales"))
    browser.see("tab", "Columns")
    browser.holds("group", "Columns of daily_sales", "region")
    assert "units" not in browser.text("main", "")
    browser.click("tab", "Sample")
    browser.holds("group", "Sample of daily_sales", "north")
    assert "south" not in browser.text("main", "")
    browser.click("tab", "Profile")
    browser.holds("row", "store_id", "2")
    assert "south" not in browser.text("main", "")
    for tab, told in (("Files", "Not visible to you"), ("Who sees it", "Not visible to you")):
        browser.click("tab", tab)
        browser.see_text(told)
    browser.open(address(lake, "/catalog/main/risk"))
    browser.see_text("There is no such table")
    browser.open(address(lake, "/access"))
    browser.see_text("Not visible to you")
    assert trouble(browser.problems()) == []


def test_the_api_tells_a_role_no_more(lake):
    """What the console may not show, the API does not tell either."""
    key = api(lake, "POST", "/api/v1/users/ann/keys")
    owner = lake.access_key, lake.secret_key
    lake.access_key, lake.secret_key = key["access_key_id"], key["secret_access_key"]
    try:
        listed = api(lake, "GET", "/api/v1/catalog")["tables"]
        assert [one["table"] for one in listed] == ["daily_sales"]
        assert "rows" not in listed[0] and "bytes" not in listed[0] and listed[0]["whole"] is False
        assert api(lake, "GET", "/api/v1/catalog?search=units")["tables"] == []
        table = api(lake, "GET", "/api/v1/catalog/main/daily_sales")
        assert "units" not in [column["name"] for column in table["columns"]]
        assert "location" not in table and "properties" not in table
        assert "units" not in json.dumps(api(lake, "GET", "/api/v1/catalog/main/daily_sales/profile"))
        assert "south" not in json.dumps(api(lake, "GET", "/api/v1/catalog/main/daily_sales/profile"))
        assert "rows_added" not in json.dumps(api(lake, "GET", "/api/v1/catalog/main/daily_sales/snapshots"))
        lineage = json.dumps(api(lake, "GET", "/api/v1/catalog/main/daily_sales/lineage"))
        assert "revenue" not in lineage and "risk" not in lineage and "shelf_runs_empty" not in lineage
        assert all(point["bytes"] == 0 for point in api(lake, "GET", "/api/v1/growth")["points"])
        refused = {("GET", "/api/v1/catalog/main/risk"): 404, ("GET", "/api/v1/catalog/main/risk/profile"): 404,
                   ("GET", "/api/v1/catalog/main/risk/sample"): 404, ("GET", "/api/v1/catalog/main/risk/lineage"): 404,
                   ("GET", "/api/v1/catalog/main/daily_sales/profile?column=units"): 404,
                   ("GET", "/api/v1/catalog/main/daily_sales/files"): 403, ("GET", "/api/v1/catalog/main/daily_sales/access"): 403,
                   ("GET", "/api/v1/users/root/access"): 403, ("GET", "/api/v1/usage"): 403}
        for (method, path), status in refused.items():
            assert ask(lake, method, path)[0].status == status, path
        for body in ({"description": "mine"}, {"description": "mine", "column": "units"}, {"tags": ["mine"]}):
            assert ask(lake, "PUT", "/api/v1/catalog/main/daily_sales/description", body)[0].status == 403
    finally:
        lake.access_key, lake.secret_key = owner


def test_events_tell_a_role_of_its_tables_only(lake):
    """Pages that name tables, or all, are told what the viewer may see."""
    key = api(lake, "POST", "/api/v1/users/ann/keys")
    pair = base64.b64encode(f"{key['access_key_id']}:{key['secret_access_key']}".encode()).decode()
    host, port = lake.address("http")
    for words in ("tables=*", "tables=main.risk,main.daily_sales"):
        connection = http.client.HTTPConnection(host, port, timeout=20)
        connection.request("GET", f"/api/v1/events?{words}", headers={"Authorization": "Basic " + pair})
        stream = connection.getresponse()
        assert stream.status == 200
        while stream.readline() != b"event: hello\n":
            pass
        sql(lake, "insert into risk values (99, 1, 1, 1, 0.1, 'ok', '')")
        sql(lake, "insert into daily_sales values (current_date, 1, 'north', 1)")
        told = []
        while not any("daily_sales" in line for line in told):
            line = stream.readline().decode()
            if line.startswith("data: ") and "tables" in line:
                told.append(line)
        assert not any("risk" in line for line in told)
        connection.close()
    assert ask(lake, "GET", "/api/v1/events")[0].status == 400


def test_odd_names_of_columns(lake, browser):
    sql(lake, 'create table odd ("we""ird; --" int, "select" text, "Größe" double, big decimal(38,0), list int[], seen timestamptz)')
    sql(lake, "insert into odd values (1, 'a', 1.5, 12345678901234567890123, [1, 2], now()), (null, '<b>x</b>', 'nan', null, null, null)")
    profile = api(lake, "GET", "/api/v1/catalog/main/odd/profile")
    columns = {column["name"]: column for column in profile["columns"]}
    assert profile["rows"] == 2 and columns['we"ird; --']["nulls"] == 1 and columns["select"]["distinct"] == 2
    assert columns["big"]["max"] == "12345678901234567890123" and columns["list"]["distinct"] is None
    assert not [column["problem"] for column in profile["columns"] if "problem" in column]
    browser.open(link(lake, "/catalog/main/odd?tab=sample"))
    browser.holds("group", "Sample of odd", "<b>x</b>")
    browser.click("tab", "Profile")
    browser.holds("row", "Größe", "double precision")
    assert browser.problems() == []


def test_a_long_list_draws_what_is_in_sight(lake, browser):
    sql(lake, "create table many (n int)")
    for n in range(230):
        sql(lake, f"insert into many values ({n})")
    kept = api(lake, "GET", "/api/v1/catalog/main/many/snapshots?limit=500")["snapshots"]
    assert len(kept) > 200
    browser.open(link(lake, "/catalog/main/many?tab=history"))
    browser.click("button", "Show all")  # the first thirty stand there before
    browser.see("group", "Snapshots of many")
    assert browser.evaluate("document.querySelectorAll('main tbody tr').length") < 80
    # A packing of the small files in the background may have added one since.
    assert int(browser.evaluate("document.querySelector('main table').getAttribute('aria-rowcount')")) > len(kept)
    browser.evaluate("document.querySelector('.virtual').scrollTop = 1e6")
    browser.see("row", f"Show the table as it was at {kept[-1]['at']}")
    assert browser.problems() == []


def test_descriptions_are_bounded(lake):
    for body in ({}, {"description": "x" * 9000}, {"tags": "a"}, {"tags": ["a,b"]}, {"tags": [""]}, {"description": "x", "column": "nowhere"}):
        assert ask(lake, "PUT", "/api/v1/catalog/main/risk/description", body)[0].status in (400, 404), body


def test_the_api_describes_itself(lake):
    described = api(lake, "GET", "/api/v1/openapi.json")
    assert described["openapi"].startswith("3.1")
    assert described["paths"]["/api/v1/catalog/{database}/{table}/profile"]["get"]["x-action"] == "tarn:ProfileTable"
    operations = [one["operationId"] for path in described["paths"].values() for one in path.values()]
    assert len(operations) == len(set(operations)) > 50


# ---- all of it, for everybody


PAGES = ("/", "/catalog", "/catalog/main/revenue", "/catalog/main/daily_sales?tab=sample", "/catalog/main/daily_sales?tab=profile",
         "/catalog/main/revenue?tab=history", "/catalog/main/revenue?tab=files", "/catalog/main/revenue?tab=lineage",
         "/catalog/main/revenue?tab=access", "/catalog/main/revenue?tab=use", "/access", "/access?tab=roles", "/access?tab=sight&who=ann",
         "/access?tab=audit", "/access/users/ann", "/dashboards")


def test_axe_finds_nothing_on_a_phone_and_in_windows(lake, browser):
    browser.fresh(width=390, height=844)
    browser.open(link(lake))
    browser.see("heading", "kiosk")
    assert browser.axe() == []
    browser.press("Control+k")
    browser.see("option", "main.risk")
    assert browser.axe() == []
    browser.press("Escape")
    browser.press("?")
    browser.see("heading", "Keys of the keyboard")
    assert browser.axe() == []
    browser.press("Escape")
    for path in PAGES:
        browser.open(address(lake, path))
        browser.see("main", "")
        until(lambda: browser.evaluate("document.querySelector('main [aria-busy]') === null"))
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
