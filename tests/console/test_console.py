"""The console in a headless Chromium: signing in, the declared dashboard, live, and what a role may not see."""
import http.client
import json
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import console_lake  # noqa: E402
from console_lake import address, api, apply, ask, sql, trouble  # noqa: E402
from headless_browser import ROOT, missing  # noqa: E402
from tarn_server import TarnServer  # noqa: E402

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

LAKEFILE = """\
lake: kiosk
alerts:
  shelf_runs_empty:
    when: select shelf_id, units, hours_to_empty, p_empty from risk where p_empty > 0.8
    one_per: [shelf_id]
dashboards:
  stock:
    title: Stock on the shelves
    filters: [region]
    charts:
      - {title: Shelves at risk, number: count(*), from: risk, where: p_empty > 0.8}
      - {title: Sales and forecast, line: [units, demand], by: day, from: daily_sales, unit: units}
      - {title: Runs empty first, table: [shelf_id, units, hours_to_empty, p_empty, state, reasons], from: risk, order: hours_to_empty}
      - {title: By region, bar: [units], by: region, from: daily_sales}
      - {title: Where, map: stores, colour: p_empty, from: risk}
  trouble:
    charts:
      - {title: Good, number: count(*), from: risk}
      - {title: Bad, number: sum(untis), from: risk}
roles:
  buyer:
    read:
      daily_sales: {rows: region = user.region}
"""

TABLES = """\
create table daily_sales (day date, store_id int, region text, units int);
insert into daily_sales select current_date - 60 + i::int, s, case when s < 3 then 'north' else 'south' end,
  100 * s + 20 * (i % 7) from range(0, 60) t(i), range(1, 5) u(s);
create table demand (day date, store_id int, units double, p10 double, p90 double);
insert into demand select current_date - 7 + i::int, s, 100.0 * s + 60, 80.0 * s + 40, 120.0 * s + 80
  from range(0, 21) t(i), range(1, 5) u(s);
create table stores (store_id int, name text, latitude double, longitude double);
insert into stores values (1, 'Centro', 4.6, -74.1), (2, 'Norte', 6.2, -75.6), (3, 'Puerto', 10.4, -75.5), (4, 'Sur', 3.4, -76.5);
create table risk (shelf_id int, store_id int, units int, hours_to_empty double, p_empty double, state text, reasons text);
insert into risk values (17, 1, 2, 1.5, 0.97, 'low', 'sells fast'), (23, 2, 0, 0, 1, 'empty', 'empty since noon'),
  (31, 3, 40, 60, 0.01, 'ok', ''), (42, 4, 9, 20, 0.4, 'silent', 'no reading for 4 h')"""


def link(server, **whom):
    return console_lake.link(server, "/dashboards", **whom)


@pytest.fixture(scope="module")
def lake(tarn_binary):
    with TarnServer() as server:
        for statement in TABLES.split(";\n"):
            sql(server, statement)
        apply(server, LAKEFILE)
        api(server, "POST", "/api/v1/users", {"name": "ann", "roles": ["buyer"], "attributes": {"region": "north"}})
        yield server


def test_a_link_signs_in_once(lake, browser):
    once = link(lake)
    browser.open(once)
    browser.see("heading", "Stock on the shelves")
    assert "token" not in browser.evaluate("location.href")
    assert browser.problems() == []
    browser.reload()
    browser.see("heading", "Stock on the shelves")
    browser.fresh()
    browser.open(once)
    browser.see_text("This link has been used or has expired")
    browser.see("heading", "Sign in to the lake")


def test_charts_alert_and_freshness(lake, browser):
    browser.open(link(lake))
    browser.holds("group", "Shelves at risk", "2")
    assert browser.text("group", "Runs empty first, as a table").split().index("23") > 0
    browser.see("application", "Sales and forecast")
    browser.see("application", "Where: 4 places")
    browser.holds("list", "By region", "south")
    browser.holds("region", "Open alerts", "Shelf 17")
    browser.holds("region", "Open alerts", "Shelf 23")
    browser.see("region", "Freshness")
    browser.holds("status", "", "Live")
    assert browser.evaluate("getComputedStyle(document.querySelector('.bar-fill')).width") != "0px"
    assert browser.problems() == []


def test_every_chart_has_a_table_and_keys(lake, browser):
    browser.open(link(lake))
    browser.focus("application", "Sales and forecast")
    browser.press("End")
    browser.press("ArrowLeft")
    browser.see_text("Demand")
    browser.click("button", "Table")
    browser.holds("group", "Sales and forecast, as a table", "Demand p90")
    assert browser.problems() == []


def test_an_insert_shows_without_reload(lake, browser):
    browser.open(link(lake))
    browser.holds("group", "Shelves at risk", "2")
    browser.evaluate("window.marked = true")
    sql(lake, "insert into risk values (77, 1, 1, 0.5, 0.99, 'low', 'sells fast')")
    try:
        began = time.monotonic()
        browser.holds("group", "Shelves at risk", "3")
        assert time.monotonic() - began < 8
        browser.holds("region", "Open alerts", "Shelf 77")
        assert browser.evaluate("window.marked") is True
    finally:
        sql(lake, "delete from risk where shelf_id = 77")
    browser.holds("group", "Shelves at risk", "2")
    browser.holds("region", "Open alerts", "Recovered")
    assert browser.problems() == []


def test_filters_stand_in_the_address(lake, browser):
    browser.open(link(lake))
    browser.see("heading", "Stock on the shelves")
    browser.choose("Region", "south")
    browser.lacks("list", "By region", "north")
    assert browser.evaluate("location.search") == "?region=south"
    browser.see_text("not narrowed by region")
    browser.reload()
    browser.holds("list", "By region", "south")
    assert "north" not in browser.text("list", "By region")
    assert browser.problems() == []


def test_a_wrong_secret_is_told(lake, browser):
    browser.open(address(lake, "/dashboards"))
    browser.fill("Access key or user", lake.access_key)
    browser.fill("Secret", "not this one")
    browser.click("button", "Sign in")
    browser.see_text("do not belong together")
    assert trouble(browser.problems()) == []
    browser.fill("Secret", lake.secret_key)
    browser.press("Enter")
    browser.see("heading", "Stock on the shelves")
    browser.click("button", "Sign out")
    browser.see("heading", "Sign in to the lake")
    browser.reload()
    browser.see("heading", "Sign in to the lake")
    assert trouble(browser.problems()) == []


def test_a_role_sees_only_what_is_granted(lake, browser):
    browser.open(link(lake, user="ann"))
    browser.holds("article", "Runs empty first", "Not visible to you")
    browser.holds("group", "Shelves at risk", "Not visible to you")
    browser.holds("list", "By region", "north")
    assert "south" not in browser.text("main", "")
    # Neither the alerts (which hold rows of risk) nor the sources are hers to list.
    assert "Shelf 17" not in browser.text("main", "")
    assert trouble(browser.problems()) == []


def test_a_broken_chart_leaves_the_others(lake, browser):
    browser.open(link(lake))
    browser.click("link", "trouble")
    browser.holds("group", "Good", "4")
    browser.holds("group", "Bad", "This chart did not work")


def test_a_dashboard_that_is_not_there(lake, browser):
    browser.open(link(lake))
    browser.see("heading", "Stock on the shelves")
    browser.open(address(lake, "/dashboards/nowhere"))
    browser.see("heading", "No such dashboard")


def test_nothing_is_said_of_dashboards_before_their_list_has_come(lake, browser):
    browser.open(link(lake))
    browser.see("heading", "Stock on the shelves")
    browser.open(address(lake, "/catalog"))
    browser.see("heading", "Catalog")
    browser.hold("/api/v1/dashboards")
    browser.click("link", "Dashboards")
    browser.see("status", "Loading the dashboard")
    assert "No dashboard is declared" not in browser.text("main", "")
    browser.let_go("/api/v1/dashboards")
    browser.see("heading", "Stock on the shelves")


def test_the_page_survives_a_restart(tarn_binary, browser):
    with TarnServer() as server:
        browser.open(link(server))
        browser.see("heading", "No dashboard is declared yet")
        sql(server, "create table risk (n int)")
        text = "lake: kiosk\ndashboards:\n  one:\n    charts:\n      - {title: Rows, number: count(*), from: risk}\n"
        apply(server, text)
        browser.holds("group", "Rows", "0")
        server.restart(same_ports=True)
        sql(server, "insert into risk values (1)")
        browser.holds("group", "Rows", "1")
        browser.holds("status", "", "Live")


def test_what_is_served_without_signing_in(lake):
    response, text = ask(lake, "GET", "/", headers={})
    assert response.status == 200
    policy = response.getheader("content-security-policy")
    assert "default-src 'none'" in policy and "script-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response.getheader("x-content-type-options") == "nosniff"
    assert b"<script>" not in text and b"style=" not in text
    script = text.decode().split('src="')[1].split('"')[0]
    response, body = ask(lake, "GET", script, headers={})
    assert response.status == 200 and "immutable" in response.getheader("cache-control")
    assert len(body) < 120_000
    for path in ("/api/v1/dashboards", "/api/v1/dashboards/stock", "/api/v1/events?dashboard=stock", "/api/v1/nothing", "/etc/passwd"):
        response, _ = ask(lake, "GET", path, headers={})
        assert response.status == 401, path


def test_a_browser_is_not_asked_for_a_password(lake):
    host, port = lake.address("http")
    for headers, scheme in (({"Sec-Fetch-Mode": "cors"}, "Session"), ({}, "Basic")):
        connection = http.client.HTTPConnection(host, port, timeout=10)
        connection.request("GET", "/api/v1/me", headers=headers)
        response = connection.getresponse()
        assert response.status == 401 and response.getheader("www-authenticate").startswith(scheme)
        connection.close()
    connection = http.client.HTTPConnection(host, port, timeout=10)
    body = json.dumps({"user": lake.access_key, "password": lake.secret_key})
    connection.request("POST", "/api/v1/session", body=body, headers={"Sec-Fetch-Site": "cross-site"})
    assert connection.getresponse().status == 403
    connection.close()


def test_filters_are_values(lake):
    for attempt in ("north' or '1'='1", "'; drop table risk; --"):
        from urllib.parse import quote
        page = api(lake, "GET", "/api/v1/dashboards/stock?region=" + quote(attempt))
        bars = [chart for chart in page["charts"] if chart["title"] == "By region"][0]
        assert bars["rows"] == [] and "error" not in bars
    response, _ = ask(lake, "GET", "/api/v1/dashboards/stock?units=1")
    assert response.status == 400


def test_colours_have_contrast():
    """WCAG 2.2 AA in both themes and on paper: 4.5:1 for text, 3:1 for marks, on every ground they stand on."""
    import re
    blocks = re.findall(r":root \{(.*?)\}", (ROOT / "console" / "src" / "style.css").read_text(), re.S)
    assert len(blocks) == 3
    light, dark, paper = blocks

    def luminance(colour):
        parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    def ratio(a, b):
        light, dark = sorted((luminance(a), luminance(b)), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    tokens = {}
    for block in (light, dark, light + paper):
        tokens.update(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
        text = [("ink", "card"), ("ink", "ground"), ("ink-2", "card"), ("ink-2", "ground"), ("ink-2", "mute-soft"), ("accent", "accent-soft"),
                ("accent-ink", "accent"), ("bad", "bad-soft"), ("bad", "card"), ("warn", "warn-soft"), ("warn", "card"), ("good", "good-soft")]
        marks = [("line-strong", "card"), ("warn-mark", "card"), ("bad", "card")] + [(f"series-{i}", "card") for i in range(6)]
        for pairs, least in ((text, 4.5), (marks, 3.0)):
            for over, under in pairs:
                assert ratio(tokens[over], tokens[under]) >= least, f"{over} on {under}: {ratio(tokens[over], tokens[under]):.2f}"


def test_the_types_are_right():
    import subprocess
    done = subprocess.run(["node", "node_modules/typescript/bin/tsc", "--noEmit"], cwd=ROOT / "console", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_sizes(tmp_path):
    """What a browser loads before it draws anything, compressed; and each chunk."""
    import subprocess
    subprocess.run(["node", "build.mjs", str(tmp_path)], cwd=ROOT / "console", check=True, capture_output=True)
    sizes = json.loads((tmp_path / "sizes.json").read_text())
    assert 5_000 < sizes["entry"] <= 60_000
    for path, size in sizes["files"].items():
        assert size < 400_000, path
        # A screen's style sheet is its own, not those of all that it can lead to.
        assert not path.endswith(".css") or "/style-" in path or size < 3_000, path
