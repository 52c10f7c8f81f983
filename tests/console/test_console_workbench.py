"""The workbench in a headless Chromium: statements that run behind the page, their rows, errors at their place, questions."""
import json
import pathlib
import sys
import time
import urllib.parse

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from console_lake import address, api, apply, ask, enter, here, trouble, until  # noqa: E402
from headless_browser import missing  # noqa: E402
from tarn_server import TarnServer  # noqa: E402

needs_browser = pytest.mark.skipif(missing() is not None, reason=missing() or "")

LAKEFILE = """\
lake: kiosk
tables:
  by_store:
    sql: select store_id, sum(units) as units from sales group by store_id
    measures: {sold: sum(units)}
roles:
  buyer:
    read:
      sales: {rows: region = user.region, hide: [price]}
      visits: {rows: region = user.region}
    policies:
      run_sql: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "tarn:ExecuteStatement", Resource: "*"}]}
"""

TABLES = """\
create table visits as select i, ['north', 'south'][1 + (i % 2)::int] as region, md5(i::text) as page from range(0, 1500000) t(i);
create table sales (day date, store_id int, region text, units int, price double);
insert into sales select date '2026-01-01' + (i % 90)::int, 1 + (i % 6)::int, ['north', 'south'][1 + (i % 2)::int], (i % 17)::int,
  1.5 from range(0, 2000) t(i);
create table hidden_plans (what text);
insert into hidden_plans values ('a secret')"""

BUYER = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "tarn:ExecuteStatement", "Resource": "*"}]}
# Long enough to be seen running and to be cancelled.
SLOW = "select count(*) from range(0, 40000) a(x), range(0, 400000) b(y) where (x * y) % 7 = 3"


@pytest.fixture(scope="module")
def lake(tarn_binary):
    with TarnServer() as server:
        for statement in TABLES.split(";\n"):
            api(server, "POST", "/api/v1/sql", {"sql": statement})
        text = LAKEFILE[:LAKEFILE.index("    policies:")]
        apply(server, text)
        for name in ("ann", "ben"):
            api(server, "POST", "/api/v1/users", {"name": name, "roles": ["buyer"], "attributes": {"region": "north"}})
            api(server, "PUT", f"/api/v1/users/{name}/policies/sql", BUYER)
        keys = {name: api(server, "POST", f"/api/v1/users/{name}/keys", {}) for name in ("ann", "ben")}
        server.keys = {name: (one["access_key_id"], one.get("secret_access_key") or one.get("secret_key") or one["secret"])
                       for name, one in keys.items()}
        yield server


def finished(server, sql, key=None, **more):
    state = api(server, "POST", "/api/v1/queries", {"sql": sql, "wait_ms": 5000, **more}, key)
    deadline = time.time() + 60
    while state["state"] in ("waiting", "running"):
        assert time.time() < deadline, state
        state = api(server, "GET", f"/api/v1/queries/{state['id']}?wait_ms=2000", key=key)
    return state


# ---- the API

def test_rows_in_pages(lake):
    state = finished(lake, "select i::int as i, 'row ' || i as name, null::int as none from range(0, 10000) t(i)")
    assert (state["state"], state["rows"], state["tag"]) == ("done", 10000, "SELECT 10000")
    assert [column["name"] for column in state["columns"]] == ["i", "name", "none"]
    assert state["bytes"] > 0 and state["milliseconds"] > 0
    page = api(lake, "GET", f"/api/v1/queries/{state['id']}/rows?offset=4095&limit=3")
    assert page["rows"] == [[4095, "row 4095", None], [4096, "row 4096", None], [4097, "row 4097", None]]
    assert api(lake, "GET", f"/api/v1/queries/{state['id']}/rows?offset=9999&limit=50")["rows"] == [[9999, "row 9999", None]]
    assert api(lake, "GET", f"/api/v1/queries/{state['id']}/rows?offset=10000")["rows"] == []
    assert ask(lake, "DELETE", f"/api/v1/queries/{state['id']}")[0].status == 204
    assert ask(lake, "GET", f"/api/v1/queries/{state['id']}")[0].status == 404


def test_an_error_has_its_place(lake):
    state = finished(lake, "select 1;\nselect 'ü', untis from sales")
    assert state["state"] == "failed" and state["error"]["reason"] == "42703"
    assert state["error"]["position"] == len("select 1;\nselect 'ü', ") + 1


def test_parameters(lake):
    state = finished(lake, "select $1::int + 1 as n, $2::text as t", parameters=["41", None])
    assert api(lake, "GET", f"/api/v1/queries/{state['id']}/rows")["rows"] == [[42, None]]
    assert finished(lake, "select $1::int", parameters=["x"])["state"] == "failed"
    assert "parameters" in finished(lake, "select 1", parameters=["1"])["error"]["message"]


def test_exports(lake, tmp_path):
    state = finished(lake, "select i::bigint as i, i * 1.5::double as d, 'a \"b\", ' || i as t, date '2026-01-01' + i::int as day "
                           "from range(0, 5000) t(i)")
    response, csv = ask(lake, "GET", f"/api/v1/queries/{state['id']}/export?format=csv")
    lines = csv.decode().split("\n")
    assert response.getheader("content-type").startswith("text/csv") and len(lines) == 5002
    assert lines[0] == "i,d,t,day" and lines[3] == '2,3,"a ""b"", 2",2026-01-03'
    response, parquet = ask(lake, "GET", f"/api/v1/queries/{state['id']}/export?format=parquet")
    assert parquet[:4] == b"PAR1" and parquet[-4:] == b"PAR1" and response.status == 200
    pyarrow = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "result.parquet"
    path.write_bytes(parquet)
    table = pyarrow.read_table(path)
    assert table.num_rows == 5000 and table.column("t")[2].as_py() == 'a "b", 2' and table.column("i")[4999].as_py() == 4999


def test_cancelling(lake):
    state = api(lake, "POST", "/api/v1/queries", {"sql": SLOW})
    assert state["state"] in ("waiting", "running")
    time.sleep(0.5)
    assert ask(lake, "DELETE", f"/api/v1/queries/{state['id']}")[0].status == 204
    deadline = time.time() + 20
    while (now := api(lake, "GET", f"/api/v1/queries/{state['id']}?wait_ms=1000"))["state"] == "running":
        assert time.time() < deadline
    assert now["state"] == "cancelled"


# Reads a table, and does so for seconds.
HEAVY = "select count(*) from visits where md5(md5(md5(md5(md5(md5(md5(md5(page)))))))) like 'ab%'"


def seen_progress(server, sql, key=None):
    """What was told while it ran, and how it ended."""
    state, told = api(server, "POST", "/api/v1/queries", {"sql": sql}, key), []
    while state["state"] in ("waiting", "running"):
        told.append((state["statement"], state.get("progress")))
        time.sleep(0.05)
        state = api(server, "GET", f"/api/v1/queries/{state['id']}", key=key)
    assert "progress" not in state
    return told, state


def test_how_far_a_statement_is(lake):
    told, state = seen_progress(lake, f"select 1; {HEAVY}")
    assert state["state"] == "done" and (state["statement"], state["statements"]) == (2, 2)
    shares = [progress for statement, progress in told if statement == 2 and progress is not None]
    assert len(set(shares)) >= 3 and shares == sorted(shares) and 0 < shares[0] < shares[-1] <= 1, told


def test_how_far_it_is_tells_nothing_of_hidden_rows(lake):
    told, state = seen_progress(lake, HEAVY, lake.keys["ann"])
    assert state["state"] == "done" and len(told) > 5 and {progress for _, progress in told} == {None}
    joined = HEAVY.replace("from visits", "from (select * from range(3)) t, visits")
    told, state = seen_progress(lake, joined, lake.keys["ann"])
    assert state["state"] == "done" and {progress for _, progress in told} == {None}


def test_a_time_limit(lake):
    state = finished(lake, SLOW, timeout_ms=300)
    assert state["state"] == "failed" and state["error"]["code"] == "timed_out"


def test_results_belong_to_who_asked(lake):
    mine = finished(lake, "select sum(units) from sales", key=lake.keys["ann"])
    assert mine["state"] == "done"
    assert ask(lake, "GET", f"/api/v1/queries/{mine['id']}/rows", key=lake.keys["ben"])[0].status == 404
    assert ask(lake, "GET", f"/api/v1/queries/{mine['id']}/export", key=lake.keys["ben"])[0].status == 404
    assert ask(lake, "DELETE", f"/api/v1/queries/{mine['id']}")[0].status == 404
    assert mine["id"] not in [one["id"] for one in api(lake, "GET", "/api/v1/queries")["queries"]]
    # The grants of the caller hold: the north only, and no price.
    rows = api(lake, "GET", f"/api/v1/queries/{mine['id']}/rows", key=lake.keys["ann"])["rows"]
    north = finished(lake, "select sum(units) from sales where region = 'north'")
    assert rows == api(lake, "GET", f"/api/v1/queries/{north['id']}/rows")["rows"]
    assert finished(lake, "select price from sales", key=lake.keys["ann"])["state"] == "failed"
    assert finished(lake, "select * from hidden_plans", key=lake.keys["ann"])["state"] == "failed"


def test_not_too_many_at_once(lake):
    ids = [api(lake, "POST", "/api/v1/queries", {"sql": SLOW}, lake.keys["ben"])["id"] for _ in range(4)]
    try:
        response, body = ask(lake, "POST", "/api/v1/queries", {"sql": "select 1"}, lake.keys["ben"])
        assert response.status == 429 or response.status == 503, (response.status, body)
        assert json.loads(body)["error"]["code"] == "exhausted"
    finally:
        for one in ids:
            ask(lake, "DELETE", f"/api/v1/queries/{one}", key=lake.keys["ben"])


# ---- the page

def with_sql(sql):
    return "/workbench?sql=" + urllib.parse.quote(sql)


def see_rows(browser, text):
    browser.see("grid", "Result")
    browser.holds("gridcell", "", text)


@needs_browser
def test_a_statement_its_rows_and_its_cost(lake, browser):
    enter(lake, browser, with_sql("select 6 * 7 as answer"))
    browser.click("button", "Run")
    see_rows(browser, "42")
    browser.holds("status", "", "1 row")
    browser.holds("status", "", "ms")
    # Over a reload the tab, its text and its result are there.
    browser.reload()
    see_rows(browser, "42")
    assert "sql=" not in browser.evaluate("location.search")
    assert browser.problems() == []


@needs_browser
def test_a_million_rows_scroll(lake, browser):
    enter(lake, browser, with_sql("select i::bigint as i, 'name ' || i as name from range(0, 1000000) t(i)"))
    browser.click("button", "Run")
    browser.holds("status", "", "Done")
    assert browser.evaluate("document.querySelector('.grid').getAttribute('aria-rowcount')") == "1000001"
    assert browser.evaluate("document.querySelectorAll('.grid .grid-row').length") < 120
    # The wheel goes anywhere, and what is there is asked for.
    browser.evaluate("(() => { const g = document.querySelector('.grid'); g.scrollTop = g.scrollHeight / 2 })()")
    browser.holds("rowheader", "", "500,".replace(",", ""))
    browser.focus("grid", "Result")
    browser.press("Control+End")
    browser.holds("gridcell", "", "name 999999")
    cut = "[...document.querySelectorAll('.grid .grid-number')].filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"
    assert browser.evaluate(cut) == []  # the last row's number has seven digits
    browser.press("Control+Home")
    browser.holds("gridcell", "", "name 0")
    # Who leaps gets other texts in the rows that are there, and no new ones.
    made = browser.evaluate("""new Promise((done) => { const g = document.querySelector('.grid'); let made = 0; let n = 0;
        const watch = new MutationObserver((list) => list.forEach((one) => made += one.addedNodes.length)); watch.observe(g, { childList: true, subtree: true });
        const step = () => { g.scrollTop += 40000; if (++n < 20) requestAnimationFrame(step); else { watch.disconnect(); done(made) } };
        requestAnimationFrame(step) })""")
    assert made < 100, f"{made} elements for 20 leaps"
    frames = browser.evaluate("""new Promise((done) => { const g = document.querySelector('.grid'); const t = []; let last = performance.now(); let n = 0;
        const step = (now) => { t.push(now - last); last = now; g.scrollTop += 4000; if (++n < 60) requestAnimationFrame(step); else done(t.sort((a, b) => a - b)[30]) };
        requestAnimationFrame(step) })""")
    assert frames < 500, f"{frames} ms for a frame"  # 16 on a quiet machine; what must not be is a page that stands still
    assert browser.problems() == []


@needs_browser
def test_wide_rows_come_in_pieces(lake, browser):
    """200 rows of 200 kB are more than one answer holds: the page asks on until the last one is there."""
    enter(lake, browser, with_sql("select i::bigint as i, 'end ' || i as name, repeat('x', 200000) as wide from range(0, 200) t(i)"))
    browser.click("button", "Run")
    browser.holds("status", "", "Done")
    browser.focus("grid", "Result")
    browser.press("Control+End")
    browser.press("Home")
    browser.holds("gridcell", "", "end 199")
    assert browser.problems() == []


@needs_browser
def test_a_result_is_sorted_and_filtered_through_the_address(lake, browser):
    first = "document.querySelector('.grid-body .grid-row')?.textContent"
    enter(lake, browser, with_sql("select i::bigint as i, case when i % 3 = 0 then null else 'name ' || (i * 7 % 1000) end as name from range(0, 1000) t(i)"))
    browser.click("button", "Run")
    browser.holds("status", "", "Done")
    browser.click("columnheader", "name")
    browser.choose("Sort by", "-0")
    until(lambda: browser.evaluate(first) == "1000999NULL")
    browser.choose("Sort by", "1")
    until(lambda: browser.evaluate(first).endswith("name 1"))
    assert browser.evaluate("document.querySelector('.grid [aria-sort]').textContent") == "name \u2191"
    browser.fill("Filter the rows", "NAME 99")
    browser.holds("gridcell", "", "name 99")
    shown = api(lake, "POST", "/api/v1/sql", {"sql": "select i from range(0, 1000) t(i) where i % 3 > 0 and (i * 7 % 1000)::text like '99%' order by i * 7 % 1000"})["rows"]
    until(lambda: browser.evaluate("document.querySelector('.grid').getAttribute('aria-rowcount')") == str(len(shown) + 1))
    assert browser.evaluate("[...document.querySelectorAll('.grid-body .grid-row')].map((row) => Number(row.children[1].textContent))") == [row[0] for row in shown]
    assert "rows.sort=name" in here(browser) and "rows.find=NAME+99" in here(browser)
    browser.reload()
    until(lambda: browser.evaluate("document.querySelector('.grid')?.getAttribute('aria-rowcount')") == str(len(shown) + 1))
    assert browser.problems() == []


@needs_browser
def test_a_result_too_long_for_the_page_is_sorted_by_the_server(lake, browser):
    enter(lake, browser, with_sql("select i::bigint as i, 'name_' || i as name from range(0, 100000) t(i) -- all of them"))
    browser.click("button", "Run")
    browser.holds("status", "", "100K rows")
    browser.choose("Sort by", "-0")
    browser.see("tab", "Query 1, sorted")
    browser.holds("gridcell", "", "name_99999")
    browser.click("tab", "Query 1")
    browser.holds("gridcell", "", "name_0")
    browser.fill("Filter the rows", "ME_9999")
    browser.press("Enter")
    browser.see("tab", "Query 1, filtered")
    browser.holds("status", "", "11 rows")
    assert browser.problems() == []


@needs_browser
def test_an_error_is_marked_at_its_place(lake, browser):
    enter(lake, browser, with_sql("select day,\n  untis\nfrom sales"))
    browser.click("button", "Run")
    browser.holds("alert", "", "untis")
    marked = "document.querySelector('.editor-host').shadowRoot.querySelector('.cm-lintRange-error')?.textContent"
    deadline = time.time() + 5
    while browser.evaluate(marked) != "untis":
        assert time.time() < deadline, browser.evaluate(marked)
        time.sleep(0.1)
    assert browser.problems() == []


@needs_browser
def test_a_running_statement_says_how_far_it_is(lake, browser):
    enter(lake, browser, with_sql(f"select 1;\n{HEAVY}"))
    browser.click("button", "Run")
    browser.holds("status", "", "statement 2 of 2")
    browser.see("progressbar", "Rows read")
    browser.holds("status", "", "Done")
    assert browser.evaluate("document.querySelector('.outcome progress')") is None
    assert browser.problems() == []


@needs_browser
def test_cancelling_from_the_page(lake, browser):
    enter(lake, browser, with_sql(SLOW))
    browser.click("button", "Run")
    browser.holds("status", "", "Running")
    browser.reload()  # in the middle: it runs on
    browser.holds("status", "", "Running")
    browser.click("button", "Cancel")
    browser.holds("status", "", "Cancelled")
    assert browser.evaluate("document.querySelector('[role=alert]')") is None, "what was wished for is no alarm"
    assert browser.problems() == []


@needs_browser
def test_completion_knows_what_the_viewer_may_see(lake, browser):
    enter(lake, browser, "/workbench", user="ann")
    browser.see("tab", "Query 1")
    browser.see("button", "sales")
    deadline = time.time() + 10
    # Before the editor is there, keys would be the page's shortcuts.
    while not browser.evaluate("(document.querySelector('.editor-host')?.shadowRoot?.querySelector('.cm-content')?.focus(), "
                               "!!document.querySelector('.editor-host')?.shadowRoot?.activeElement)"):
        assert time.time() < deadline
        time.sleep(0.1)
    for key in "select p":
        browser.press("Space" if key == " " else key)
    assert browser.evaluate("document.body.innerText").find("hidden_plans") < 0
    options = "[...document.querySelector('.editor-host').shadowRoot.querySelectorAll('.cm-completionLabel')].map((one) => one.textContent).join(' ')"
    deadline = time.time() + 5
    while not (shown := browser.evaluate(options)) and time.time() < deadline:
        time.sleep(0.1)
    assert shown and "price" not in shown
    browser.press("Escape")
    # What is typed stays as it is typed: no key of the page's own, no letter lost.
    for key in ", '/?gd'":
        browser.press("Space" if key == " " else key)
    text = browser.evaluate("document.querySelector('.editor-host').shadowRoot.querySelector('.cm-content').textContent")
    assert text.startswith("select p, '/?gd'"), text
    assert browser.evaluate("location.pathname + String(document.querySelector('dialog'))") == "/workbenchnull"
    # Typed over what is selected: the browser by itself would put the old look into a style, which the policy forbids. Brackets go around it.
    browser.press("Control+a s e l e c t Space 1 Escape Control+a s e l e c t Space 2 Escape")
    text = "document.querySelector('.editor-host').shadowRoot.querySelector('.cm-content').textContent"
    until(lambda: browser.evaluate(text) == "select 2")
    browser.press("Control+a (")
    until(lambda: browser.evaluate(text) == "(select 2)")
    assert browser.problems() == []


@needs_browser
def test_named_parameters_have_inputs(lake, browser):
    enter(lake, browser, with_sql("select :first::int + :second::int as total, '::x' as text"))
    browser.fill(":first", "40")
    browser.fill(":second", "2")
    browser.click("button", "Run")
    see_rows(browser, "42")
    # Numbers and names in one statement are parameters of their own.
    enter(lake, browser, with_sql("select :more::int + $1::int * 10 as total"))
    browser.fill("$1", "7")
    browser.fill(":more", "3")
    browser.click("button", "Run")
    see_rows(browser, "73")
    assert browser.problems() == []


@needs_browser
def test_a_plan_is_a_picture(lake, browser):
    enter(lake, browser, with_sql("select region, sum(units) from sales where units > 3 group by region"))
    browser.click("button", "Explain")
    browser.see("region", "Plan")
    browser.holds("region", "Plan", "rows")
    assert browser.evaluate("document.querySelectorAll('.plan-step').length") >= 2
    # The same statement again has its plan in the same tab, and a plan that is explained is run again.
    tabs = browser.evaluate("document.querySelectorAll('.editor-tabs [role=tab]').length")
    browser.evaluate("document.querySelector('.editor-tabs [role=tab]').click()")
    browser.see("tab", "Query 1")
    browser.click("button", "Explain")
    browser.see("region", "Plan")
    browser.click("button", "Explain")
    browser.see("region", "Plan")
    assert browser.evaluate("document.querySelectorAll('.editor-tabs [role=tab]').length") == tabs
    assert browser.problems() == []


@needs_browser
def test_saving_shows_the_lakefile(lake, browser):
    enter(lake, browser, with_sql("select region, sum(units) as units from sales group by region"))
    browser.click("button", "Save")
    browser.see("dialog", "Save")
    browser.evaluate("document.querySelectorAll('dialog input[type=radio]')[1].click()")
    browser.fill("Name", "By region")
    browser.holds("region", "Lakefile", "tables:\n  by_region:\n    sql: |")
    browser.press("Escape")
    browser.gone("Put this into the lakefile")
    assert browser.problems() == []


@needs_browser
def test_saving_as_table_and_chart_applies_it(lake, browser):
    enter(lake, browser, with_sql("select store_id, sum(units) as sold from sales group by store_id"))
    browser.click("button", "Run")
    browser.holds("status", "", "Done")
    for kind, name, what in ((1, "Name", "Sold by store"), (2, "Title", "Sold, by store")):
        browser.click("button", "Save")
        browser.evaluate(f"document.querySelectorAll('dialog input[type=radio]')[{kind}].click()")
        browser.fill(name, what)
        if kind == 2:
            browser.fill("Dashboard", "Kept ones")
            browser.choose("Drawn as", "bar")
            browser.holds("region", "Lakefile", "bar: [sold]")
        browser.click("button", "Apply")
        browser.gone("Put this into the lakefile")
    chart = until(lambda: api(lake, "GET", "/api/v1/dashboards/kept_ones"))["charts"][0]
    assert (chart["title"], chart["kind"], len(chart["rows"])) == ("Sold, by store", "bar", 6)
    until(lambda: ask(lake, "POST", "/api/v1/sql", {"sql": "select * from sold_by_store"})[0].status == 200)
    rows = until(lambda: api(lake, "POST", "/api/v1/sql", {"sql": "select store_id, sold::int from sold_by_store order by 1"})["rows"])
    assert rows == sorted([store, int(sold)] for store, sold in chart["rows"])
    # What else the lakefile says is as it was.
    assert {"tables.by_store", "roles.buyer"} < {one["item"] for one in api(lake, "GET", "/api/v1/lakefile")["items"]}
    browser.click("button", "Save")
    browser.evaluate("document.querySelectorAll('dialog input[type=radio]')[1].click()")
    browser.fill("Name", "Sold by store")
    browser.click("button", "Apply")
    browser.holds("alert", "", "has a table sold_by_store already")
    assert trouble(browser.problems()) == []


@needs_browser
def test_a_quick_chart_and_history(lake, browser):
    enter(lake, browser, with_sql("select day, sum(units) as units from sales group by day"))
    browser.click("button", "Run")
    browser.holds("status", "", "Done")
    browser.click("button", "Chart")
    browser.see("application", "Result")
    browser.click("button", "History")
    browser.see("dialog", "History")
    browser.see_text("sum(units) as units")
    browser.fill("Find in statements", "nothing like it")
    browser.see_text("Nothing matches")
    browser.fill("Find in statements", "sum(units)")
    browser.click("button", "Took")
    assert "history=1" in here(browser) and "past.sort=took" in here(browser)
    browser.reload()
    browser.holds("dialog", "History", "sum(units) as units")
    browser.click("button", "Close")
    assert "history" not in here(browser) and "past" not in here(browser)
    assert browser.problems() == []


@needs_browser
def test_bars_below_zero_end_where_the_others_begin(lake, browser):
    enter(lake, browser, with_sql("select * from (values ('loss', -30), ('gain', 10), ('none', 0)) t(name, value)"))
    browser.click("button", "Run")
    browser.holds("status", "", "Done")
    browser.click("button", "Chart")
    browser.see("list", "Result")
    loss, gain, none = browser.evaluate("""[...document.querySelectorAll('.bar-run')].map((one) => {
        const { left, right, width } = one.getBoundingClientRect();
        return { left, right, width };
    })""")
    assert abs(loss["right"] - gain["left"]) < 1 and abs(none["left"] - gain["left"]) < 1
    assert abs(loss["width"] - 3 * gain["width"]) < 2 and gain["width"] > 20
    assert browser.problems() == []


@needs_browser
def test_a_question_without_sql(lake, browser):
    enter(lake, browser, "/workbench/questions")
    browser.choose("Table", "sales")
    browser.see_text("number of rows")
    browser.choose("Measures", "sum:units")
    browser.choose("For each", "region")
    browser.see("list", "Number of rows, sum of units for each region of sales")
    browser.holds("region", "SQL", 'group by 1')
    asked = browser.evaluate("location.search")
    assert "table=sales" in asked and "by=region" in asked
    # The question stands in the address: back takes a step back, a link brings it.
    browser.evaluate("history.back()")
    browser.lacks("region", "SQL", "group by")
    browser.open(address(lake, "/workbench/questions" + asked))
    browser.see("list", "Number of rows, sum of units for each region of sales")
    browser.click("button", "Table")
    assert "answer.table=1" in here(browser)
    browser.reload()
    browser.see("group", "Number of rows, sum of units for each region of sales, as a table")
    browser.click("button", "Chart")
    assert "answer.table" not in here(browser)
    browser.open(address(lake, "/workbench/questions?table=sales&measure=min%3Aday&by=day%7Cmonth"))  # no height to draw
    browser.see("group", "Min of day for each month of day of sales, as a table")
    browser.open(address(lake, "/workbench/questions?table=sales&measure=nothing&by=day%7Cmonth"))  # groups alone
    browser.holds("group", "Nothing for each month of day of sales", "Mar")
    browser.open(address(lake, "/workbench/questions?table=nowhere&measure=count"))
    browser.see_text("There is no table nowhere")
    browser.open(address(lake, "/workbench/questions?table=main.by_store"))  # as the catalog names it
    browser.choose("Measures", "m:sold")
    browser.holds("region", "SQL", 'sum(units) as "sold"')
    assert trouble(browser.problems()) == []  # an answer that nobody waits for any more may be gone


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(lake, browser, scheme):
    browser.fresh(scheme=scheme)
    enter(lake, browser, with_sql("select * from sales where units > :least"))
    browser.fill(":least", "3")
    browser.click("button", "Run")
    browser.holds("status", "", "Done")
    assert browser.axe() == []
    browser.click("button", "Chart")
    browser.see("application", "Result")
    assert browser.axe() == []
    browser.click("button", "Save")
    browser.see("dialog", "Save")
    assert browser.axe() == []
    browser.press("Escape")
    browser.click("button", "Explain")
    browser.see("region", "Plan")
    assert browser.axe() == []
    browser.open(address(lake, "/workbench/questions?table=sales&measure=count&by=day%7Cweek&where=region~ne~south"))
    browser.see("application", "Number of rows for each week of day of sales")
    assert browser.axe() == []


@needs_browser
def test_a_result_that_is_gone_is_told(tarn_binary, browser):
    with TarnServer() as server:
        enter(server, browser, with_sql("select 1 as one"))
        browser.click("button", "Run")
        see_rows(browser, "1")
        server.restart(same_ports=True)
        browser.reload()
        browser.see_text("The result is gone.")
        browser.click("button", "Run again")
        see_rows(browser, "1")
