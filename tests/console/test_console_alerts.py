"""Alerts in a headless Chromium: what opens shows by itself, silence, test messages with the webhook's answer, who sees what."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from headless_browser import missing  # noqa: E402
from tarn_server import TarnServer  # noqa: E402
from watch_lake import address, api, ask, confirm, link, make, sql, trouble, until  # noqa: E402
from webhook_receiver import WebhookReceiver  # noqa: E402

WINDOW = {"width": 1600, "height": 1000}
pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")


@pytest.fixture(scope="module")
def receiver():
    with WebhookReceiver() as made:
        yield made


@pytest.fixture(scope="module")
def lake(tarn_binary, receiver):
    with TarnServer() as server:
        make(server, receiver)
        yield server


@pytest.fixture
def quiet(lake):
    """Nothing is open before and after."""
    def calm():
        sql(lake, "update readings set units = 50")
        until(lambda: api(lake, "GET", "/api/v1/alerts")["open"] == [])

    calm()
    yield
    calm()


def set_units(lake, shelf, units):
    sql(lake, f"update readings set units = {units} where shelf_id = {shelf}")


def test_opens_and_recovers_before_ones_eyes(lake, receiver, browser, quiet):
    browser.open(link(lake, "/alerts"))
    browser.see_text("Nothing is open")
    set_units(lake, 1, 2)
    browser.holds("group", "Open alerts", "shelf_id 1")
    browser.click("button", "shelf_id 1")
    browser.see("dialog", "shelf_id 1")
    assert browser.axe() == []
    browser.press("Escape")
    # Between the two thresholds it stays open.
    set_units(lake, 1, 5)
    browser.holds("group", "Open alerts", "units 5")
    set_units(lake, 1, 9)
    browser.see_text("Nothing is open")
    browser.click("tab", "History")
    browser.holds("group", "History of alerts", "recovered")
    browser.click("tab", "Deliveries")
    browser.holds("group", "Deliveries to webhooks", "delivered")
    assert browser.axe() == []
    assert browser.evaluate("location.search") == "?tab=deliveries"
    browser.evaluate("history.back()")
    browser.holds("group", "History of alerts", "opened")
    assert browser.problems() == []


def test_a_rules_page(lake, receiver, browser, quiet):
    set_units(lake, 2, 1)
    until(lambda: api(lake, "GET", "/api/v1/alerts")["open"])
    browser.open(link(lake, "/alerts/runs_empty"))
    browser.holds("region", "Opens for each row of", "units < 3")
    browser.holds("region", "Stays open for each row of", "units < 6")
    browser.see("img", "alerts of")
    browser.holds("group", "Open alerts", "shelf_id 2")
    assert browser.axe() == []
    receiver.answer = lambda message: (200, {}, b"thank you")
    browser.click("button", "Send a test")
    browser.see_text("on its way")
    browser.holds("group", "Deliveries to webhooks", "thank you")
    browser.click("button", "thank you")
    browser.holds("group", "Attempts, the latest ten", "200")
    browser.press("Escape")
    browser.click("button", "Signing secret")
    browser.holds("region", "Signing secret", receiver.secret)
    receiver.answer = lambda message: 204
    assert browser.problems() == []


def test_silence_and_its_end(lake, receiver, browser, quiet):
    browser.open(link(lake, "/alerts"))
    set_units(lake, 3, 0)
    browser.click("button", "Silence runs_empty shelf_id 3")
    browser.choose("For", "1800")
    confirm(browser)
    browser.see_text("Silent: runs_empty, shelf_id 3")
    browser.holds("group", "Open alerts", "silenced")
    browser.open(address(lake, "/alerts/runs_empty"))
    browser.holds("main", "", "by root")
    browser.click("button", "End the silence of shelf_id 3")
    browser.see_text("The silence is over")
    browser.lacks("main", "", "by root")
    browser.click("button", "Silence the rule")
    confirm(browser)
    until(lambda: api(lake, "GET", "/api/v1/alerts/runs_empty")["silences"] or None)
    browser.click("button", "End the silence")
    until(lambda: api(lake, "GET", "/api/v1/alerts/runs_empty")["silences"] == [])
    audit = api(lake, "GET", "/api/v1/audit?action=tarn:SilenceAlert&limit=10")
    assert len(audit["records"]) >= 3
    assert browser.problems() == []


def test_two_people_see_different_alerts(lake, browser, quiet):
    set_units(lake, 1, 0)
    until(lambda: api(lake, "GET", "/api/v1/alerts")["open"])
    # The guard sees all and may silence, but not fire.
    browser.open(link(lake, "/alerts/runs_empty", user="gus"))
    browser.holds("group", "Open alerts", "shelf_id 1")
    browser.click("button", "Silence runs_empty shelf_id 1")
    confirm(browser)
    browser.see_text("Silent: runs_empty, shelf_id 1")
    browser.holds("main", "", "by gus")
    browser.click("button", "Send a test")
    browser.holds("status", "", "tarn:TestAlert")
    api(lake, "POST", "/api/v1/alerts/runs_empty/silence", {"key": {"shelf_id": 1}, "until": "2020-01-01T00:00:00Z"})
    # The buyer knows that there is a rule and how many are open; no row, no key, no SQL.
    browser.fresh(width=1024, height=900)
    browser.open(link(lake, "/alerts", user="ann"))
    browser.see_text("Without their rows")
    browser.click("link", "runs_empty")
    browser.see_text("1 open")
    shown = browser.text("main", "")
    assert "shelf_id" not in shown and "units <" not in shown and "levels" not in shown
    seen = api(lake, "GET", "/api/v1/alerts/runs_empty", key=lake.keys["ann"])
    assert seen["definition"] is None and seen["alerts"] == [] and seen["tables"] == []
    assert "shelf" not in str(api(lake, "GET", "/api/v1/alert-events", key=lake.keys["ann"]))
    assert ask(lake, "GET", "/api/v1/alerts/runs_empty/webhooks/x/secret", key=lake.keys["gus"])[0] == 403
    assert trouble(browser.problems()) == []


def test_the_right_to_silence_is_among_a_roles_rights_and_outlives_an_edit(lake, browser):
    statement = api(lake, "GET", "/api/v1/roles")["roles"]["guard"]["policies"]["alerts"]["Statement"][0]
    assert statement["Action"] == ["tarn:SilenceAlert"] and statement["Resource"][0].endswith(":alert/runs_empty")
    assert api(lake, "GET", "/api/v1/roles")["roles"]["buyer"]["policies"] == {}
    browser.open(link(lake, "/access?tab=roles"))
    browser.holds("region", "Role guard", "May silence runs_empty")
    assert "silence" not in browser.text("region", "Role buyer")
    browser.click("button", "Edit the role guard")
    assert "tarn:SilenceAlert" in browser.evaluate("[...document.querySelectorAll('dialog textarea')].pop().value")
    browser.fill("Grants", '{"*": {}, "main.levels": {}}')
    browser.click("button", "Save")
    browser.holds("region", "Role guard", "main.levels")
    browser.holds("region", "Role guard", "May silence runs_empty")
    body = {"key": {"shelf_id": 1}, "until": "2020-01-01T00:00:00Z"}
    assert ask(lake, "POST", "/api/v1/alerts/runs_empty/silence", body, key=lake.keys["gus"])[0] == 204
    browser.click("link", "runs_empty")
    browser.see("heading", "runs_empty")
    assert trouble(browser.problems()) == []


def test_who_may_see_no_rule_is_told_once(lake, browser):
    """And that the lake is closed to this person, not that it is empty."""
    api(lake, "POST", "/api/v1/users", {"name": "nora"})
    browser.open(link(lake, "/alerts/runs_empty", user="nora"))
    browser.see_text("You have no right to see the alert rule")
    assert browser.evaluate("document.querySelectorAll('main .hidden-from').length") == 1
    browser.open(address(lake, "/pipelines/tables.levels"))
    browser.see_text("You have no right to see the step")
    assert browser.evaluate("document.querySelectorAll('main .hidden-from').length") == 1
    browser.open(address(lake, "/"))
    browser.see("heading", "Nothing is visible to you yet")
    browser.gone("First steps")
    assert browser.axe() == []


def test_no_such_rule_and_no_rules(lake, tarn_binary, browser):
    browser.open(link(lake, "/alerts/nothing"))
    browser.see_text("There is no such alert rule")
    browser.fresh()
    with TarnServer() as server:
        browser.open(link(server, "/alerts"))
        browser.see_text("Nothing is watched")
    assert trouble(browser.problems()) == []
