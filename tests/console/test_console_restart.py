"""The server goes away and comes back under each kind of open page: what is shown stays, the page says that it is not connected, and goes
on by itself; what cannot come back is told."""
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from console_lake import enter  # noqa: E402
from headless_browser import missing  # noqa: E402
from tarn_server import DOORS, TarnServer  # noqa: E402
from watch_lake import make, settle, sql, trouble, until  # noqa: E402
from webhook_receiver import WebhookReceiver  # noqa: E402

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")


@pytest.fixture(scope="module")
def lake(tarn_binary):
    with WebhookReceiver() as receiver, TarnServer() as server:
        make(server, receiver)
        settle(server)
        yield server


def away_and_back(server, browser, stays):
    """Killed; `stays` is a text of the page that must not go; back on the same ports."""
    ports = {door: server.address(door)[1] for door in DOORS}
    browser.holds("main", "", stays)
    server.kill()
    try:
        browser.holds("status", "", "Not connected")
        told = "[...document.querySelectorAll('main .banner.lost')].filter((one) => one.getBoundingClientRect().height > 0).length"
        # Longer than a page that asks every few seconds takes to notice.
        for _ in range(8):
            assert stays in browser.text("main", "")
            assert browser.evaluate(told) <= 1, "a page and its part say the same"
            time.sleep(0.5)
    finally:
        server.start(ports)
    until(lambda: browser.evaluate("document.querySelector('.bar .live').textContent") in ("Live", "Connected"), 20)
    browser.lacks("main", "", "cannot be reached")
    browser.holds("main", "", stays)


@pytest.mark.parametrize("path, stays", [
    ("/", "Tables by zone"), ("/catalog/main/levels", "shelf_id"), ("/catalog/main/levels?tab=history", "Rows then"), ("/pipelines", "all worked through"),
    ("/pipelines/tables.daily_units", "group by day"), ("/dashboards/stock", "Shelves"), ("/alerts/runs_empty", "units < 3"),
    ("/models/main.demand", "Back-test"), ("/access", "ann")])
def test_a_page_outlives_its_server(lake, browser, path, stays):
    enter(lake, browser, path)
    away_and_back(lake, browser, stays)
    assert trouble(browser.problems()) == []


def test_a_page_that_asks_seldom_says_soon_that_the_server_is_gone(lake, browser):
    enter(lake, browser, "/catalog/main/levels")
    browser.holds("status", "", "Live")
    ports = {door: lake.address(door)[1] for door in DOORS}
    lake.kill()
    try:
        until(lambda: browser.evaluate("document.querySelector('.bar .live').textContent") == "Not connected", 6)
    finally:
        lake.start(ports)
    until(lambda: browser.evaluate("document.querySelector('.bar .live').textContent") in ("Live", "Connected"), 20)


def test_what_changed_meanwhile_is_shown(lake, browser):
    enter(lake, browser, "/pipelines/tables.levels")
    browser.holds("group", "Runs of this step", "#1")
    lake.restart(crash=True, same_ports=True)
    sql(lake, "insert into readings values (77, 50)")
    browser.holds("group", "Runs of this step", "#2")
    assert trouble(browser.problems()) == []


def test_a_question_that_was_not_answered_is_asked_again(lake, browser):
    enter(lake, browser, "/workbench/questions?table=main.sales&measure=count&by=store_id")
    browser.see_text("3 rows")
    ports = {door: lake.address(door)[1] for door in DOORS}
    lake.kill()
    try:
        browser.choose("Measures", "sum:units")
        browser.see_text("This page tries again by itself")
        browser.holds("status", "", "Not connected")
    finally:
        lake.start(ports)
    browser.holds("region", "Number of rows, sum of units for each store of sales", "3 rows")
    until(lambda: browser.evaluate("document.querySelector('.bar .live').textContent") == "Connected", 20)
    assert trouble(browser.problems()) == []


def test_a_statement_that_ran_is_told_to_be_gone_and_runs_again(lake, browser):
    text = "select sum(a.i * b.i) from range(0, 1000000) a(i), range(0, 300000) b(i)"
    enter(lake, browser, f"/workbench?sql={text.replace(' ', '+')}")
    browser.click("button", "Run")
    browser.holds("region", "Result", "Running")
    ports = {door: lake.address(door)[1] for door in DOORS}
    lake.kill()
    try:
        browser.holds("status", "", "Not connected")
        # It is not known whether it still runs, and the page does not say so.
        browser.holds("region", "Result", "not known")
    finally:
        lake.start(ports)
    browser.see_text("The result is gone.")
    browser.click("button", "Run again")
    browser.holds("region", "Result", "Running")
    browser.click("button", "Cancel")
    browser.holds("region", "Result", "Cancelled")
    assert trouble(browser.problems()) == []


def test_rows_that_are_here_stay_and_others_are_told_to_be_gone(lake, browser):
    enter(lake, browser, "/workbench?sql=select+i::int+as+i+from+range(0,100000)+t(i)")
    browser.click("button", "Run")
    browser.holds("region", "Result", "100K rows")
    browser.see("row", "2 1")
    lake.restart(crash=True, same_ports=True)
    browser.see("row", "2 1")
    browser.focus("grid", "Result of")
    browser.press("Control+End")
    browser.see_text("The result is gone.")
    browser.click("button", "Run again")
    browser.holds("region", "Result", "100K rows")
    assert trouble(browser.problems()) == []
