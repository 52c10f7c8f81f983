"""Pipelines in a headless Chromium: the graph and its list, a step, a run, a run that fails, a range again."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from headless_browser import missing  # noqa: E402
from tarn_server import TarnServer  # noqa: E402
from watch_lake import address, api, ask, confirm, link, make, settle, sql, trouble, until  # noqa: E402
from webhook_receiver import WebhookReceiver  # noqa: E402

WINDOW = {"width": 1600, "height": 1000}
pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")


@pytest.fixture(scope="module")
def lake(tarn_binary):
    with WebhookReceiver() as receiver, TarnServer() as server:
        make(server, receiver)
        yield server


def last(server, step):
    return api(server, "GET", f"/api/v1/runs?step={step}&limit=1")["runs"][0]


def test_the_graph_has_everything_and_keys(lake, browser):
    browser.open(link(lake, "/pipelines"))
    for name in ("table levels", "table daily_units", "model demand", "alert runs_empty", "dashboard Stock", "by hand sales"):
        browser.see("link", name)
    browser.see_text("all worked through")
    # Along a line with the arrow keys, and in.
    browser.focus("link", "table levels")
    browser.press("ArrowRight")
    assert "levels" not in browser.evaluate("document.activeElement.getAttribute('data-node')")
    browser.press("ArrowLeft")
    assert browser.evaluate("document.activeElement.getAttribute('data-node')") == "tables.levels"
    browser.press("Enter")
    browser.see("heading", "levels")
    assert browser.evaluate("location.pathname") == "/pipelines/tables.levels"
    browser.evaluate("history.back()")
    browser.see("link", "model demand")
    assert browser.axe() == []
    assert browser.problems() == []


def test_the_list_says_the_same(lake, browser):
    browser.open(link(lake, "/pipelines"))
    browser.click("tab", "List")
    assert browser.evaluate("location.search") == "?view=list"
    browser.holds("group", "Steps of the pipeline", "daily_units")
    browser.holds("group", "Steps of the pipeline", "runs_empty")
    assert browser.axe() == []
    browser.fill("Filter steps", "demand")
    browser.lacks("group", "Steps of the pipeline", "totals")
    browser.reload()
    browser.holds("group", "Steps of the pipeline", "demand")
    assert "totals" not in browser.text("group", "Steps of the pipeline")
    browser.evaluate("history.back()")
    browser.see("link", "table totals")
    assert browser.problems() == []


def test_only_what_hangs_together(lake, browser):
    browser.open(link(lake, "/pipelines"))
    browser.see("link", "table totals")
    browser.choose("Around", "tables.levels")
    browser.see("link", "alert runs_empty")
    browser.lacks("region", "The pipeline as a graph", "totals")
    assert browser.evaluate("location.search") == "?focus=tables.levels"
    assert browser.problems() == []


def test_a_step_and_a_run(lake, browser):
    browser.open(link(lake, "/pipelines/tables.daily_units"))
    browser.see("heading", "daily_units")
    browser.holds("region", "SQL of daily_units", "group by day, store_id")
    browser.holds("group", "Checks of the table", "unique(key)")
    browser.holds("group", "Checks of the table", "passed")
    browser.holds("group", "Runs of this step", "#1")
    assert browser.axe() == []
    browser.click("link", "Run 1 of daily_units")
    browser.see("heading", "daily_units, run #1")
    browser.holds("group", "Snapshots that the run read and made", "sales")
    browser.holds("region", "Log", "computing rows")
    browser.holds("region", "What it did", "Rows written")
    assert browser.axe() == []
    browser.reload()
    browser.see("heading", "daily_units, run #1")
    browser.evaluate("history.back()")
    browser.see("heading", "daily_units")
    assert browser.problems() == []


def test_a_failed_run_and_rerun_from_there(lake, browser):
    browser.open(link(lake, "/pipelines/tables.totals"))
    browser.see("heading", "totals")
    sql(lake, "insert into sales values (current_date, 1, 5000000, 0)")
    browser.see_text("What the table held stays as it was")
    browser.holds("group", "Checks of the table", "failed")
    failed = until(lambda: last(lake, "tables.totals") if last(lake, "tables.totals")["outcome"] == "failed" else None)
    browser.open(address(lake, f"/pipelines/tables.totals/{failed['run']}"))
    browser.see("heading", "Why it failed")
    browser.see_text("total < 1000000")
    browser.open(address(lake, "/pipelines"))
    browser.see("link", "table totals \u25a0 failed")
    sql(lake, "delete from sales where units = 5000000")
    browser.open(address(lake, f"/pipelines/tables.totals/{failed['run']}"))
    browser.click("button", "Rerun from here")
    confirm(browser)
    browser.see_text("is due now")
    until(lambda: last(lake, "tables.totals")["outcome"] == "done")
    browser.open(address(lake, "/pipelines"))
    browser.see("link", "table totals \u25cf idle")
    assert trouble(browser.problems()) == []


def test_a_range_again(lake, browser):
    settle(lake)
    browser.open(link(lake, "/pipelines/tables.daily_units"))
    browser.click("button", "Rerun")
    browser.click("menuitem", "A range of days")
    browser.fill("First day", "2020-01-01")
    browser.fill("Last day", "2019-01-01")
    browser.click("button", "Backfill")
    browser.see_text("The last day is before the first")
    first = sql(lake, "select (current_date - 20)::text, (current_date - 11)::text")["rows"][0]
    browser.fill("First day", first[0])
    browser.fill("Last day", first[1])
    browser.click("button", "Backfill")
    browser.see_text("is due now")
    run = until(lambda: last(lake, "tables.daily_units") if last(lake, "tables.daily_units")["mode"].startswith("range") else None)
    assert run["mode"].startswith(f"range from {first[0]} to before ")
    until(lambda: last(lake, "tables.daily_units")["outcome"] == "done")
    assert last(lake, "tables.daily_units")["rows_written"] == 30
    # Totals has no key: it is not offered there, and refused by the API.
    browser.open(address(lake, "/pipelines/tables.totals"))
    browser.click("button", "Rerun")
    browser.see("menuitem", "From here")
    assert "range" not in browser.text("menu", "Rerun")
    status, answer = ask(lake, "POST", "/api/v1/runs", {"step": "tables.totals", "range": {"from": "2026-01-01", "to": "2026-02-01"}})
    assert status == 400 and "no key" in answer["error"]["message"]
    assert trouble(browser.problems()) == []


def test_two_people_see_different_pipelines(lake, browser):
    settle(lake)
    browser.open(link(lake, "/pipelines", user="ann"))
    browser.see("link", "table daily_units")
    shown = browser.text("main", "")
    assert "levels" not in shown and "totals" not in shown and "sales" not in shown.replace("daily_units", "")
    browser.open(address(lake, "/pipelines/tables.daily_units"))
    browser.see_text("SQL names tables and columns")
    assert "sales" not in browser.text("main", "")
    browser.open(address(lake, "/pipelines/tables.levels"))
    browser.see_text("There is no such step")
    browser.open(address(lake, "/pipelines/tables.daily_units"))
    browser.click("button", "Run now")
    browser.holds("status", "", "tarn:StartRun")
    for path in ("/api/v1/steps/tables.levels", "/api/v1/runs/tables.levels/1"):
        assert ask(lake, "GET", path, key=lake.keys["ann"])[0] == 404
    graph = api(lake, "GET", "/api/v1/graph", key=lake.keys["ann"])
    assert [step["step"] for step in graph["steps"] if step["kind"] == "table"] == ["tables.daily_units"]
    assert trouble(browser.problems()) == []


def test_an_empty_lake(tarn_binary, browser):
    with TarnServer() as server:
        browser.open(link(server, "/pipelines"))
        browser.see_text("No source, table or model that you can see")
        assert browser.problems() == []


# ---- a large graph: 25 ways of five steps each, as wide as the example's

CHAINS, LONG = 25, 5


@pytest.fixture(scope="module")
def large(tarn_binary):
    tables = "".join(f"  t{chain}_{at}:\n    sql: select n from {'seed' if at == 0 else f't{chain}_{at - 1}'}\n" for chain in range(CHAINS) for at in range(LONG))
    with TarnServer() as server:
        sql(server, "create table seed as select 1 as n")
        plan = api(server, "POST", "/api/v1/plan", {"lakefile": "lake: wide\ntables:\n" + tables})
        api(server, "POST", "/api/v1/apply", {"lakefile": "lake: wide\ntables:\n" + tables, "plan": plan["plan"]})
        settle(server)
        yield server


FRAME = """(() => { const it = document.querySelector(".graph-frame"); return [it.scrollWidth - it.clientWidth, it.scrollHeight - it.clientHeight, it.scrollLeft]; })()"""
LETTERS = "14 * document.querySelector('svg.graph').getScreenCTM().a"  # pixels of a node's name, as drawn
PERCENT = "document.querySelector('.zoom output').textContent"


def test_the_graph_is_as_wide_as_its_frame_and_can_be_read(large, browser):
    browser.look(1024, 900, "light")
    browser.open(link(large, "/pipelines"))
    browser.see("link", "table t0_0")
    assert browser.evaluate(FRAME)[0] <= 1 and browser.evaluate(LETTERS) >= 11
    browser.look(1600, 1000, "light")
    until(lambda: browser.evaluate(PERCENT) == "100%" and browser.evaluate(FRAME)[0] <= 1)
    browser.look(390, 844, "light")  # not smaller than what can be read: it scrolls, and shows all when asked to
    browser.open(address(large, "/pipelines?view=graph"))
    browser.see("link", "table t0_0")
    until(lambda: browser.evaluate(PERCENT) == "80%" and browser.evaluate(FRAME)[0] > 100)
    browser.click("button", "Whole")
    until(lambda: browser.evaluate(FRAME)[0] <= 1)
    assert trouble(browser.problems()) == []


def test_the_graph_is_zoomed_and_moved(large, browser):
    browser.look(1024, 900, "light")
    browser.open(link(large, "/pipelines"))
    browser.see("link", "table t0_0")
    browser.focus("region", "The pipeline as a graph")
    browser.press("1")
    until(lambda: browser.evaluate(PERCENT) == "100%" and browser.evaluate("location.search") == "?zoom=100")
    assert browser.evaluate(FRAME)[0] > 50
    before = browser.evaluate(FRAME)[2]
    browser.pull("region", "The pipeline as a graph", -40, 0)  # where a node is, too, which does not open
    assert browser.evaluate(FRAME)[2] == before + 40 and browser.evaluate("location.pathname") == "/pipelines"
    browser.press("+")
    until(lambda: browser.evaluate("location.search") == "?zoom=125")
    browser.reload()
    browser.see("link", "table t0_0")
    assert browser.evaluate(PERCENT) == "125%"
    browser.focus("link", "table t0_0")
    browser.press("-")
    until(lambda: browser.evaluate(PERCENT) == "100%")
    assert browser.evaluate("document.activeElement.getAttribute('data-node')") == "tables.t0_0"
    browser.press("0")
    until(lambda: browser.evaluate("location.search") == "" and browser.evaluate(FRAME)[0] <= 1)
    browser.click("button", "Whole")
    until(lambda: browser.evaluate("location.search") == "?zoom=whole" and browser.evaluate(FRAME)[1] <= 1)
    assert browser.axe() == []
    assert trouble(browser.problems()) == []


def test_a_large_graph_is_drawn_a_little_at_a_time(large, browser):
    """What the window shows first; the page answers before the rest."""
    browser.open(link(large, "/pipelines?view=list"))
    browser.holds("group", "Steps of the pipeline", "t0_0")
    steps = browser.evaluate("""new Promise((done) => {
      const counts = [];
      const look = () => {
        const now = document.querySelectorAll("[data-node]").length;
        if (now !== (counts[counts.length - 1] ?? 0)) counts.push(now);
        if (now > %d) done(counts); else requestAnimationFrame(look);
      };
      look();
      [...document.querySelectorAll('[role="tab"]')].find((one) => one.textContent === "Graph").click();
    })""" % (CHAINS * LONG))
    assert steps[-1] == CHAINS * LONG + 1 and len(steps) > 1 and steps[0] < 80
    assert trouble(browser.problems()) == []
