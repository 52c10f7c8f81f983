"""Models in a headless Chromium: how good one is, what it learnt, drift, versions promoted and rolled back, scoring by hand."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from headless_browser import missing  # noqa: E402
from tarn_server import TarnServer  # noqa: E402
from console_lake import here  # noqa: E402
from watch_lake import WATCHING, add_user, address, api, apply, ask, confirm, link, make, settle, sql, trouble, until  # noqa: E402
from webhook_receiver import WebhookReceiver  # noqa: E402

WINDOW = {"width": 1600, "height": 1000}
pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")


@pytest.fixture(scope="module")
def lake(tarn_binary):
    with WebhookReceiver() as receiver, TarnServer() as server:
        server.receiver = receiver
        make(server, receiver)
        until(lambda: versions(server))
        # A third more rows: a second version.
        sql(server, "insert into sales select day, 4, units + 5, promo from sales where store_id = 3")
        until(lambda: len(versions(server)) == 2)
        settle(server)
        yield server


def versions(server):
    return api(server, "GET", "/api/v1/models/main.demand")["versions"]


def in_use(server):
    return [one["version"] for one in versions(server) if one["current"]]


def test_how_good_it_is(lake, browser):
    browser.open(link(lake, "/models"))
    browser.holds("region", "Models", "version 2 of 2")
    browser.click("link", "demand")
    browser.see("heading", "demand")
    browser.see("application", "Error over time")
    browser.click("button", "Show as a table")
    browser.holds("group", "Error over time as a table", "Seasonal naive")
    browser.holds("group", "Back-test in all", "Naive: the last value")
    browser.holds("group", "Back-test by round", "Known up to")
    assert browser.axe() == []
    monitor = api(lake, "GET", "/api/v1/models/demand/monitor")
    points = monitor["errors"]["points"]
    wape = sum(p["model"] * p["actual"] for p in points) / sum(p["actual"] for p in points)
    told = [score for score in versions(lake)[0]["back_test"]["total"] if score["method"] == "model"][0]["wape"]
    assert abs(wape - told) < 1e-6
    assert browser.problems() == []


def test_what_it_learnt_and_drift(lake, browser):
    browser.open(link(lake, "/models/main.demand?tab=features"))
    browser.holds("region", "Features by importance", "promo")
    browser.holds("region", "How it was made", "daily_units")
    browser.click("tab", "Drift")
    browser.holds("region", "units", "index")
    browser.holds("region", "promo", "trained on")
    browser.click("button", "As a table")
    browser.see("button", "With bars")
    browser.click("button", "Moved")
    assert browser.axe() == []
    browser.reload()
    browser.holds("region", "units", "index")
    assert browser.evaluate("document.querySelector('main th[aria-sort]').textContent").startswith("Moved")
    drift = api(lake, "GET", "/api/v1/models/main.demand/monitor")["drift"]
    assert drift["latest_rows"] == 56 and drift["trained_rows"] > 300
    assert [sum(bin["trained"] for bin in one["bins"]) for one in drift["inputs"]] == pytest.approx([1, 1])
    assert browser.problems() == []


def test_what_came_true(lake, browser):
    browser.open(link(lake, "/models/main.demand?tab=outcomes"))
    browser.see_text("No forecast has come true yet")
    # Two days go by.
    sql(lake, "insert into sales select current_date + d::int, s::int, 30 + s, 0 from generate_series(0, 1) t(d), generate_series(1, 3) u(s)")
    until(lambda: api(lake, "GET", "/api/v1/models/demand")["outcomes"]["total"])
    browser.see("application", "Error as it came true")
    browser.click("button", "Show as a table")
    browser.holds("group", "Error as it came true as a table", "Mean absolute error")
    browser.holds("group", "Error by steps ahead", "Steps ahead")
    assert browser.axe() == []
    assert browser.problems() == []


def test_who_sees_a_model_but_not_what_it_was_made_of(lake, browser):
    """Its figures are refused: they are not just missing."""
    api(lake, "PUT", "/api/v1/roles/reader", {"grants": {"main.demand": {}}})
    add_user(lake, "dora", "reader", WATCHING)
    browser.open(link(lake, "/models/main.demand", user="dora"))
    for tab, says in (("Back-test", "tables that no grant of yours shows"), ("As it came true", "main.demand_outcomes, which no grant of yours shows"),
                      ("Drift", "tables that no grant of yours shows")):
        browser.click("tab", tab)
        browser.see_text(says)
        browser.see_text("Not visible to you")
        assert browser.axe() == []
    assert browser.problems() == []


def test_what_made_the_tables_beside_a_forecast(lake, browser):
    for table in ("demand", "demand_backtest", "demand_outcomes"):
        assert api(lake, "GET", f"/api/v1/catalog/main/{table}")["made_by"]["name"] == "models.demand"
    browser.open(link(lake, "/catalog/main/demand_backtest"))
    browser.click("link", "models.demand")
    browser.see("heading", "demand")
    assert here(browser) == "/pipelines/models.demand"
    assert browser.problems() == []


def test_roll_back_and_promote(lake, browser):
    assert in_use(lake) == [2]
    browser.open(link(lake, "/models/main.demand?tab=versions"))
    browser.see("button", "Roll back to version 1")
    assert browser.axe() == []
    browser.click("button", "Roll back to version 1")
    browser.see("dialog", "Roll back to version 1")
    assert browser.axe(inside="dialog[open]") == []
    confirm(browser)
    browser.see_text("Version 1 is in use")
    assert in_use(lake) == [1]
    until(lambda: sql(lake, "select max(version)::text from demand")["rows"][0][0] == "1")
    browser.click("button", "Promote version 2")
    confirm(browser)
    browser.see_text("Version 2 is in use")
    assert in_use(lake) == [2]
    audit = api(lake, "GET", "/api/v1/audit?action=tarn:UseModelVersion&limit=10")
    assert len(audit["records"]) >= 2
    assert browser.problems() == []


def test_score_by_hand(lake, browser):
    browser.open(link(lake, "/models/main.demand?tab=score"))
    browser.click("button", "All ")
    browser.fill("promo", "1")
    browser.fill("steps ahead", "two")
    browser.see_text("a number, or nothing")
    browser.fill("steps ahead", "2")
    browser.click("button", "Score")
    browser.holds("status", "", "demand:")
    browser.holds("region", "The statement", "predict_demand")
    assert browser.axe() == []
    assert browser.problems() == []


def test_two_people_see_different_models(lake, browser):
    browser.open(link(lake, "/models", user="gus"))
    browser.holds("region", "Models", "demand")
    browser.open(address(lake, "/models/main.demand?tab=versions"))
    browser.click("button", "Roll back to version 1")
    confirm(browser)
    browser.see_text("tarn:UseModelVersion")
    assert in_use(lake) == [2]
    browser.fresh()
    browser.open(link(lake, "/models", user="ann"))
    browser.see_text("No model that you can see")
    browser.open(address(lake, "/models/main.demand"))
    browser.see_text("It has not been trained, or is not visible to you")
    assert ask(lake, "GET", "/api/v1/models/main.demand/monitor", key=lake.keys["ann"])[0] == 404
    assert trouble(browser.problems()) == []


def test_a_version_of_another_definition_is_not_taken(lake, browser):
    apply(lake, lake.receiver, trees=30)
    until(lambda: in_use(lake) == [3])
    status, answer = ask(lake, "PUT", "/api/v1/models/demand/current", {"version": 1})
    assert status == 412 and "another definition" in answer["error"]["message"]
    browser.open(link(lake, "/models/main.demand?tab=versions"))
    browser.holds("group", "Versions of the model", "of another definition")
    apply(lake, lake.receiver)
    until(lambda: in_use(lake) == [4])
    assert [one["version"] for one in versions(lake) if one["usable"]] == [4, 2, 1]
    assert browser.problems() == []
