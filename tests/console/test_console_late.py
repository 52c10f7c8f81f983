"""How old a table may be, and measures of what sources bring: what the lakefile promises is on the API, on Home and on the table's page."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from console_lake import address, api, apply, enter, sql, trouble, until  # noqa: E402
from headless_browser import missing  # noqa: E402
from tarn_server import TarnServer  # noqa: E402


@pytest.fixture(scope="module")
def lake(tarn_binary, tmp_path_factory):
    drop = tmp_path_factory.mktemp("drop")
    with TarnServer() as server:
        sql(server, "create table counted (n int)")
        sql(server, "insert into counted values (1)")
        apply(server, f"""\
lake: kiosk
sources:
  prices:
    folder: {drop}/*.csv
    settle: 100ms
    measures: {{dearest: max(price)}}
    fresh: 1s
tables:
  twice:
    sql: select n * 2 as n from counted
    fresh: 1d
dashboards:
  shop:
    charts:
      - {{title: Dearest, number: dearest, from: prices}}
""")
        (drop / "one.csv").write_text("product,price\ntea,2\njuice,3\n")
        until(lambda: [one for one in tables(server) if one["table"] == "prices" and one.get("rows") == 2])
        yield server


def tables(server):
    return api(server, "GET", "/api/v1/catalog")["tables"]


def test_a_table_is_late_when_nothing_came(lake):
    until(lambda: [one for one in tables(lake) if one["table"] == "prices" and one["late"]])
    found = {one["table"]: (one.get("fresh_s"), one.get("late")) for one in tables(lake)}
    assert found == {"counted": (None, None), "prices": (1, True), "twice": (86400, False)}
    assert api(lake, "GET", "/api/v1/catalog/main/prices")["late"] is True


def test_a_source_has_measures(lake):
    assert api(lake, "GET", "/api/v1/measures")["measures"]["prices"] == {"dearest": "max(price)"}
    chart = api(lake, "GET", "/api/v1/dashboards/shop")["charts"][0]
    assert chart["rows"] == [[3]] and chart["columns"][0]["name"] == "dearest"


@pytest.mark.skipif(missing() is not None, reason=missing() or "")
def test_home_and_the_page_say_late(lake, browser):
    enter(lake, browser, "/")
    browser.holds("region", "What needs somebody", "prices")
    assert browser.evaluate("[...document.querySelectorAll('main .plain-list a')].map((one) => one.getAttribute('href'))") == ["/catalog/main/prices"]
    browser.open(address(lake, "/catalog/main/prices"))
    browser.holds("region", "Facts", "late")
    browser.holds("region", "Facts", "a change every 1 s")
    browser.open(address(lake, "/catalog?sort=-late"))
    browser.holds("row", "main.prices", "late")
    assert trouble(browser.problems()) == []
