"""Dashboards in a headless Chromium: all kinds of charts, narrowing by click, editing, embedding."""
import json
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from console_lake import address, api, apply, ask, confirm, enter, here, settle, until  # noqa: E402
from headless_browser import missing  # noqa: E402
from tarn_server import DOORS, TarnServer  # noqa: E402

needs_browser = pytest.mark.skipif(missing() is not None, reason=missing() or "")

LAKEFILE = """\
lake: kiosk
tables:
  by_store:
    sql: select store_id, sum(units) as units from sales group by store_id
    measures: {sold: sum(units)}
dashboards:
  kinds:
    title: All kinds
    filters: [region, category]
    embed: [http://intranet.example]
    charts:
      - {title: Units a day, number: units, by: day, from: sales, unit: units}
      - {title: Sold, number: sold, from: by_store}
      - {title: Area, area: units, by: day, from: sales}
      - {title: Months, stacked: units, by: "date_trunc('month', day)::date as month", split: category, from: sales, width: half}
      - {title: Lines, line: units, by: day, split: region, from: sales, width: half}
      - {title: Points, scatter: [price, units, count(*)], by: store_id, from: sales, width: third}
      - {title: Regions, bar: [units], by: region, from: sales, where: units > 0, width: third}
      - {title: Heat, heatmap: units, by: category, split: region, from: sales, width: full}
      - {title: Stores, table: [store_id], spark: units, by: day, from: sales, limit: 4}
  closed:
    charts:
      - {title: Rows, number: count(*), from: sales}
  places:
    filters: [store_id]
    charts:
      - {title: Where, map: shops, colour: sum(units) as units, from: sales}
      - {title: Days, number: count(distinct day), from: sales}
  days:
    filters: [day]
    charts:
      - {title: Through the days, line: units, by: day, from: sales}
      - {title: Filled, area: units, by: day, from: sales}
      - {title: Rows, number: count(*), from: sales}
roles:
  buyer:
    read:
      sales: {rows: region = user.region, hide: [price]}
"""

TABLES = """\
create table sales (day date, store_id int, region text, category text, units int, price double);
insert into sales select date '2026-01-01' + (i % 60)::int, 1 + (i % 6)::int, ['north', 'south', 'east'][1 + (i % 3)::int],
  ['juice', 'tea'][1 + (i % 2)::int], 1 + (i % 17)::int, 1.5 + i % 6 from range(0, 3000) t(i);
create table shops as select i as store_id, 'Shop ' || i as name, 4.0 + i * 0.5 as latitude, -74.0 - i * 0.5 as longitude from range(1, 7) t(i)"""


@pytest.fixture(scope="module")
def lake(tarn_binary):
    with TarnServer() as server:
        for statement in TABLES.split(";\n"):
            api(server, "POST", "/api/v1/sql", {"sql": statement})
        apply(server, LAKEFILE)
        api(server, "POST", "/api/v1/users", {"name": "ann", "roles": ["buyer"], "attributes": {"region": "north"}})
        settle(server)
        yield server


def charts(server, name="kinds", query="", **how):
    page = json.loads(ask(server, "GET", f"/api/v1/dashboards/{name}{query}", **how)[1])
    return {chart["title"]: chart for chart in page["charts"]}


# ---- the API

def test_each_kind_has_its_rows(lake):
    found = charts(lake)
    errors = {title: chart["error"] for title, chart in found.items() if "error" in chart}
    assert errors == {}
    roles = {title: [column["role"] for column in chart["columns"]] for title, chart in found.items()}
    assert roles["Units a day"] == ["x", "value"] and len(found["Units a day"]["rows"]) == 30
    assert found["Sold"]["rows"] == [[sum(1 + i % 17 for i in range(3000))]]
    assert found["Sold"]["columns"][0]["name"] == "sold"
    assert roles["Months"] == ["x", "series", "measure"] and found["Months"]["columns"][0]["name"] == "month"
    assert {row[1] for row in found["Lines"]["rows"]} == {"north", "south", "east"}
    assert roles["Points"] == ["label", "x", "measure", "measure"] and len(found["Points"]["rows"]) == 6
    assert len(found["Heat"]["rows"]) == 6 and found["Heat"]["width"] == "full"
    assert roles["Stores"] == ["value", "value", "trend"]
    assert isinstance(found["Stores"]["rows"][0][2], list) and len(found["Stores"]["rows"]) == 4
    assert all(chart["milliseconds"] > 0 for chart in found.values())


def test_the_spec_reads_back_as_the_lakefile_has_it(lake):
    spec = api(lake, "GET", "/api/v1/dashboards/kinds/spec")
    assert spec["charts"][1] == {"title": "Sold", "number": "sold", "from": "by_store"}
    assert spec["charts"][3]["split"] == "category" and spec["embed"] == ["http://intranet.example"]


@pytest.mark.parametrize("chart, wrong", [
    ("{title: A, heatmap: units, by: day, from: sales}", "split"),
    ("{title: A, scatter: [units], from: sales}", "two measures"),
    ("{title: A, bar: [units, price], by: day, split: region, from: sales}", "one measure"),
    ("{title: A, table: [day], spark: units, from: sales}", "spark"),
    ("{title: A, number: units, from: sales, width: wide}", "width"),
])
def test_words_that_do_not_fit_are_told(lake, chart, wrong):
    plan = ask(lake, "POST", "/api/v1/plan", {"lakefile": f"lake: kiosk\ndashboards:\n  a:\n    charts:\n      - {chart}\n"})[1].decode()
    assert wrong in plan


def make_link(server, **how):
    return api(server, "POST", "/api/v1/dashboards/kinds/embeds", {"user": "ann", **how})


def test_a_link_opens_one_dashboard_as_its_user(lake):
    token = make_link(lake, expires_in_s=60)["path"].split("#")[1]
    headers = {"Authorization": "Embed " + token}
    page = charts(lake, headers=headers)
    # Ann's grants: the north alone, no price.
    assert [row[0] for row in page["Regions"]["rows"]] == ["north"]
    assert page["Points"]["error"]["code"] == "permission_denied"
    for method, path in (("GET", "/api/v1/dashboards/closed"), ("GET", "/api/v1/dashboards"), ("GET", "/api/v1/me"),
                         ("POST", "/api/v1/sql"), ("GET", "/api/v1/dashboards/kinds/spec"), ("GET", "/api/v1/queries")):
        assert ask(lake, method, path, headers=headers)[0].status == 401, path
    changed = token[:10] + ("A" if token[10] != "A" else "B") + token[11:]
    assert ask(lake, "GET", "/api/v1/dashboards/kinds", headers={"Authorization": "Embed " + changed})[0].status == 401


def test_a_link_ends(lake):
    token = make_link(lake, expires_in_s=1)["path"].split("#")[1]
    time.sleep(1.2)
    assert ask(lake, "GET", "/api/v1/dashboards/kinds", headers={"Authorization": "Embed " + token})[0].status == 401


def test_a_link_keeps_its_filters(lake):
    token = make_link(lake, filters={"category": ["tea"]})["path"].split("#")[1]
    page = charts(lake, query="?category=juice", headers={"Authorization": "Embed " + token})
    assert {row[0] for row in page["Heat"]["rows"]} == {"tea"}


def test_a_link_is_taken_back_alone(lake):
    kept, gone = make_link(lake), make_link(lake, filters={"category": ["tea"]})
    listed = {one["id"]: one for one in api(lake, "GET", "/api/v1/embeds")["embeds"]}
    assert listed[gone["id"]]["filters"] == {"category": ["tea"]} and listed[gone["id"]]["user"] == "ann" and listed[gone["id"]]["by"] == "root"
    api(lake, "DELETE", f"/api/v1/embeds/{gone['id']}")

    def status(made):
        return ask(lake, "GET", "/api/v1/dashboards/kinds", headers={"Authorization": "Embed " + made["path"].split("#")[1]})[0].status

    assert (status(kept), status(gone)) == (200, 401)
    assert gone["id"] not in [one["id"] for one in api(lake, "GET", "/api/v1/embeds")["embeds"]]
    assert ask(lake, "DELETE", f"/api/v1/embeds/{gone['id']}")[0].status == 404
    lake.restart()
    assert (status(kept), status(gone)) == (200, 401)
    records = api(lake, "GET", "/api/v1/audit?action=tarn:RevokeEmbed")["records"]
    assert [one["outcome"] for one in records if one["resource"].endswith("embed/" + gone["id"])] == ["failed", "allowed"]


@needs_browser
def test_links_are_listed_and_taken_back(lake, browser):
    made = make_link(lake)
    enter(lake, browser, f"/access?tab=links&links.find={made['id']}")
    browser.holds("group", "Links that embed a dashboard", "ann")
    browser.click("button", f"Take back the link {made['id']}")
    browser.see("dialog", "Take the link back?")
    assert browser.axe() == []
    confirm(browser)
    browser.see_text("Nothing matches")
    assert made["id"] not in [one["id"] for one in api(lake, "GET", "/api/v1/embeds")["embeds"]]
    assert browser.problems() == []


def test_who_may_make_links(lake):
    assert ask(lake, "POST", "/api/v1/dashboards/closed/embeds", {"user": "ann"})[0].status == 412
    assert ask(lake, "POST", "/api/v1/dashboards/kinds/embeds", {})[0].status == 400  # root shows everything
    assert ask(lake, "POST", "/api/v1/dashboards/kinds/embeds", {"user": "ann", "expires_in_s": 10**9})[0].status == 400
    key = api(lake, "POST", "/api/v1/users/ann/keys", {})
    pair = (key["access_key_id"], key.get("secret_access_key") or key.get("secret_key") or key["secret"])
    assert ask(lake, "POST", "/api/v1/dashboards/kinds/embeds", {}, key=pair)[0].status == 403


def test_only_the_embedding_address_may_be_framed(lake):
    policy = lambda path: ask(lake, "GET", path)[0].getheader("content-security-policy")  # noqa: E731
    assert policy("/embed/kinds").endswith("frame-ancestors http://intranet.example")
    assert policy("/embed/closed").endswith("frame-ancestors 'none'")
    assert policy("/dashboards/kinds").endswith("frame-ancestors 'none'")
    assert ask(lake, "GET", "/embed/kinds")[0].getheader("x-frame-options") is None
    assert ask(lake, "GET", "/dashboards/kinds")[0].getheader("x-frame-options") == "DENY"


# ---- the page

@needs_browser
def test_every_kind_is_drawn_and_has_a_table(lake, browser):
    enter(lake, browser, "/dashboards/kinds")
    browser.see("application", "Months")
    for title in ("Area", "Lines", "Points", "Heat"):
        browser.see("application", title)
    browser.see("group", "Units a day")
    browser.see("img", "Units a day, the last 30 values")
    tables = browser.evaluate("[...document.querySelectorAll('article.card')].filter((card) => [...card.querySelectorAll('button')].some((one) => one.textContent === 'Table')).length")
    assert tables == 6
    browser.evaluate("[...document.querySelectorAll('article.card')].forEach((card) => [...card.querySelectorAll('button')].find((one) => one.textContent === 'Table')?.click())")
    browser.see("group", "Heat, as a table")
    browser.see("group", "Points, as a table")
    assert browser.problems() == []


@needs_browser
def test_tables_of_charts_are_sorted_and_linked(lake, browser):
    enter(lake, browser, "/dashboards/kinds?heat.table=1&heat.sort=-units&heat.find=south")
    browser.see("group", "Heat, as a table")
    units = browser.evaluate("[...document.querySelectorAll('[aria-label=\"Heat, as a table\"] tbody tr')].map((row) => [row.children[1].textContent, Number(row.children[2].textContent.replace(',', ''))])")
    assert len(units) > 1 and {region for region, _ in units} == {"south"} and [n for _, n in units] == sorted((n for _, n in units), reverse=True)
    # Sorting asks the server nothing; narrowing the page keeps it.
    asked = "performance.getEntriesByType('resource').filter((one) => one.name.includes('/api/v1/dashboards/kinds')).length"
    before = browser.evaluate(asked)
    browser.evaluate("document.querySelector('[aria-label=\"Heat, as a table\"] th .sort').click()")
    until(lambda: "heat.sort=" in here(browser) and "-units" not in here(browser))
    assert browser.evaluate(asked) == before
    browser.choose("Region", "south")
    until(lambda: "region=south" in here(browser))
    assert "heat.table=1" in here(browser) and "heat.sort=" in here(browser)
    browser.see("group", "Heat, as a table")
    assert browser.problems() == []


@needs_browser
def test_a_dashboard_is_asked_for_once_and_before_its_screen(lake, browser):
    """The question goes out while the server is asked who this is; the screen takes its answer, and narrowing asks anew."""
    asked = "performance.getEntriesByType('resource').filter((one) => one.name.includes('/api/v1/dashboards/kinds')).map((one) => new URL(one.name).search)"
    enter(lake, browser, "/dashboards/kinds?region=south&heat.table=1")
    browser.see("group", "Heat, as a table")
    assert browser.evaluate(asked) == ["?region=south"]
    assert browser.evaluate("""(() => {
      const one = (end) => performance.getEntriesByType("resource").find((one) => new URL(one.name).pathname.endsWith(end));
      return one("/dashboards/kinds").startTime < one("/api/v1/me").responseEnd;
    })()""")
    browser.choose("Region", "north")
    until(lambda: browser.evaluate(asked)[:2] == ["?region=south", "?region=north"])
    assert browser.problems() == []


@needs_browser
def test_what_is_below_the_window_is_drawn_without_scrolling(lake, browser):
    """After what is seen; and all for the width that they have."""
    enter(lake, browser, "/dashboards/kinds")
    browser.see("group", "Stores, as a table")
    until(lambda: browser.evaluate("document.querySelector('main [aria-busy], main .ghost') === null"), 10)
    assert browser.evaluate("scrollY") == 0
    plots = browser.evaluate("[...document.querySelectorAll('.plot')].map((one) => [one.clientWidth, one.firstElementChild.clientWidth, one.querySelectorAll('path, circle').length])")
    assert len(plots) == 5 and all(room == width and parts > 0 for room, width, parts in plots), plots
    assert browser.problems() == []


@needs_browser
def test_the_pointer_reads_single_bars_and_cells(lake, browser):
    """Each series, and each colour, is one path: what the pointer is on is found by its place."""
    enter(lake, browser, "/dashboards/kinds")
    browser.see("application", "Heat")
    point = """((name, across, down, kind) => {
      const plot = document.querySelector(`article[aria-label="${name}"] .plot`);
      const box = plot.getBoundingClientRect();
      const at = { bubbles: true, clientX: box.left + across * box.width, clientY: box.top + down * box.height };
      (kind === "click" ? plot.firstElementChild : plot).dispatchEvent(kind === "click" ? new MouseEvent("click", at) : new PointerEvent("pointermove", at));
    })"""
    assert browser.evaluate("document.querySelectorAll('article[aria-label=Months] path.fill').length") == 2
    months = api(lake, "POST", "/api/v1/sql", {"sql": "select date_trunc('month', day)::date::text, sum(units)::bigint from sales group by 1 order by 1"})["rows"]
    for across, (_, units) in zip((0.25, 0.5, 0.85), months, strict=True):
        browser.evaluate(f"{point}('Months', {across}, 0.5)")
        browser.holds("article", "Months", f"{int(units):,} ")
    browser.evaluate(f"{point}('Heat', 0.9, 0.1)")
    browser.holds("article", "Heat", "tea, east:")
    browser.evaluate(f"{point}('Heat', 0.3, 0.3)")
    browser.holds("article", "Heat", "juice, north:")
    browser.evaluate(f"{point}('Heat', 0.3, 0.3, 'click')")
    until(lambda: browser.evaluate("location.search") == "?region=north")
    assert browser.problems() == []


@needs_browser
def test_the_keys_read_single_cells(lake, browser):
    enter(lake, browser, "/dashboards/kinds")
    browser.focus("application", "Heat")
    browser.press("ArrowRight")
    browser.holds("article", "Heat", "juice, east:")
    browser.press("ArrowDown")
    browser.holds("article", "Heat", "juice, north:")
    assert browser.problems() == []


@needs_browser
def test_a_click_narrows_the_page_and_back_widens_it(lake, browser):
    enter(lake, browser, "/dashboards/kinds")
    browser.click("button", "south")
    browser.see("combobox", "Region")
    browser.lacks("article", "Regions", "north")
    assert browser.evaluate("location.search") == "?region=south"
    browser.evaluate("history.back()")
    browser.holds("article", "Regions", "north")
    # The rows behind a chart, narrowed as the page is.
    browser.click("button", "south")
    browser.lacks("article", "Regions", "north")
    browser.click("link", "Rows of Regions")
    browser.see("button", "Run")
    behind = browser.evaluate("document.querySelector('.editor-host')?.shadowRoot?.querySelector('.cm-content')?.textContent ?? localStorage.getItem(Object.keys(localStorage).find((key) => key.endsWith('.tabs')))")
    assert "(units > 0)" in behind and "'south'" in behind  # the chart's own condition and the page's
    assert browser.problems() == []


@needs_browser
def test_a_place_of_the_map_narrows_the_page(lake, browser):
    enter(lake, browser, "/dashboards/places")
    browser.see("application", "Where: 6 places")
    places = "document.querySelectorAll('.map .place').length"
    until(lambda: browser.evaluate(places) == 6, 10)
    # With the pointer, and again to widen it.
    browser.evaluate("[...document.querySelectorAll('.map .place')].at(-1).dispatchEvent(new MouseEvent('click', { bubbles: true }))")
    until(lambda: browser.evaluate(places) == 1, 10)
    assert browser.evaluate("location.search").startswith("?store_id=")
    browser.evaluate("history.back()")
    until(lambda: browser.evaluate(places) == 6, 10)
    # By the keys: the highest first.
    browser.focus("application", "Where: 6 places")
    browser.press("ArrowRight ArrowRight")
    name = browser.evaluate("document.querySelector('.map .readout strong').textContent")
    browser.press("Enter")
    until(lambda: browser.evaluate(places) == 1, 10)
    assert browser.evaluate("location.search") == "?store_id=" + name.removeprefix("Shop ")
    assert browser.axe() == []
    assert browser.problems() == []


@needs_browser
def test_a_point_of_a_line_and_a_name_in_a_legend_narrow_the_page(lake, browser):
    enter(lake, browser, "/dashboards/days")
    browser.holds("group", "Rows", "3,000")
    browser.focus("application", "Through the days")
    browser.press("Home ArrowRight Enter")
    browser.holds("group", "Rows", "50")
    assert browser.evaluate("location.search") == "?day=2026-01-02"
    browser.evaluate("history.back()")
    browser.holds("group", "Rows", "3,000")
    # With the pointer, where it is.
    browser.evaluate("(() => { const plot = document.querySelector('[aria-label=\"Filled\"] .plot'), box = plot.getBoundingClientRect();"
                     "const at = { bubbles: true, clientX: box.right - 16, clientY: box.top + 40 };"
                     "plot.dispatchEvent(new PointerEvent('pointermove', at)); })()")
    browser.see_text("Mar 1, 2026")
    browser.evaluate("document.querySelector('[aria-label=\"Filled\"] .plot svg').dispatchEvent(new MouseEvent('click', { bubbles: true }))")
    until(lambda: browser.evaluate("location.search") == "?day=2026-03-01", 10)
    # A split's series by its name; what is not a filter of the page is no button.
    enter(lake, browser, "/dashboards/kinds")
    north = "document.querySelector('article[aria-label=\"Lines\"] .legend-pick[title=\"Only North\"]')"
    until(lambda: browser.evaluate(f"{north} !== null"), 15)
    assert browser.evaluate("document.querySelector('article[aria-label=\"Area\"] .legend-pick')") is None
    browser.evaluate(f"{north}.click()")
    until(lambda: browser.evaluate("location.search") == "?region=north", 10)
    until(lambda: browser.evaluate("document.querySelectorAll('article[aria-label=\"Lines\"] .legend-item').length") == 1, 10)
    assert browser.axe() == []
    assert browser.problems() == []


@needs_browser
def test_editing_shows_the_lakefile_and_applies_it(lake, browser):
    enter(lake, browser, "/dashboards/closed")
    browser.click("button", "Edit")
    browser.fill("Title of chart 1", "How many")
    browser.holds("region", "Lakefile", "- title: How many")
    browser.click("button", "Apply")
    browser.see("dialog", "Apply this dashboard?")
    browser.evaluate("[...document.querySelectorAll('dialog')].at(-1).querySelector('button.primary').click()")
    browser.see("group", "How many")
    spec = api(lake, "GET", "/api/v1/dashboards/kinds/spec")
    assert spec["charts"][1]["number"] == "sold"  # the others are as they were
    assert browser.problems() == []


@needs_browser
def test_charts_move_by_keys(lake, browser):
    enter(lake, browser, "/dashboards/kinds")
    browser.click("button", "Edit")
    browser.focus("button", "Move Units a day")
    browser.press("ArrowDown")
    browser.holds("dialog", "Edit", "Units a day is now 2 of 9")
    text = browser.text("region", "Lakefile")
    assert text.index("title: Sold") < text.index("title: Units a day")
    browser.press("Escape")
    assert browser.problems() == []


@needs_browser
def test_charts_move_by_the_mouse(lake, browser):
    enter(lake, browser, "/dashboards/kinds")
    browser.click("button", "Edit")
    browser.see("button", "Move Units a day")
    browser.drag("Move Units a day", "Move Area")
    browser.holds("dialog", "Edit", "Units a day is now 3 of 9")
    text = browser.text("region", "Lakefile")
    assert text.index("title: Sold") < text.index("title: Area") < text.index("title: Units a day")
    browser.press("Escape")
    assert browser.problems() == []


@needs_browser
def test_a_wall_shows_only_the_charts(lake, browser):
    enter(lake, browser, "/dashboards/kinds")
    browser.see("group", "Units a day")
    browser.click("button", "Share")
    browser.click("menuitem", "Full screen")
    until(lambda: browser.evaluate("document.fullscreenElement !== null"))
    hidden = "[...document.querySelectorAll('.side-nav, .bar, .page-actions')].every((one) => getComputedStyle(one).display === 'none')"
    assert browser.evaluate(hidden)
    assert browser.evaluate("document.querySelector('main').getBoundingClientRect().width > innerWidth - 20")  # a scroll bar may stand beside it
    browser.see("group", "Units a day")
    assert browser.axe() == []
    # A large one is read from afar: larger letters, and nothing beside the charts.
    browser.look(3840, 2160, "light")
    until(lambda: browser.evaluate("[...document.querySelectorAll('.plot svg')].every((one) => Math.abs(one.getBoundingClientRect().width - one.parentElement.getBoundingClientRect().width) <= 2)"))
    assert browser.evaluate("document.querySelector('.page').getBoundingClientRect().width > innerWidth - 20")
    assert browser.evaluate("document.querySelector('.tile .foot').getBoundingClientRect().height") > 30
    browser.evaluate("document.exitFullscreen()")
    until(lambda: browser.evaluate("document.fullscreenElement === null"))
    assert browser.problems() == []


@needs_browser
def test_paper_says_what_the_page_is_narrowed_to(lake, browser):
    enter(lake, browser, "/dashboards/kinds?region=south")
    browser.see("article", "Regions")
    browser.paper(True)
    shown = "[...document.querySelectorAll('.filter')].filter((one) => one.getBoundingClientRect().height > 0).map((one) => one.querySelector('select').value)"
    assert browser.evaluate(shown) == ["south"]
    assert browser.evaluate("document.querySelector('main').getBoundingClientRect().width === innerWidth")
    when = "document.querySelector('.as-of').innerText"  # an age says nothing on paper
    assert browser.evaluate(when).startswith("kiosk, as of ") and browser.evaluate("document.querySelector('.as-of').getBoundingClientRect().height") > 0
    browser.paper(False)
    assert browser.evaluate("document.querySelector('.as-of').getBoundingClientRect().height") == 0
    browser.choose("Region", "")
    browser.paper(True)
    until(lambda: browser.evaluate(shown) == [])
    browser.paper(False)
    assert browser.problems() == []


@needs_browser
def test_paper_is_light_and_nothing_is_cut(lake, browser):
    """Printed from a wide dark window: the light theme, tables with their headings, drawings no wider than the paper."""
    enter(lake, browser, "/dashboards/kinds")
    browser.see("article", "Regions")
    token = "getComputedStyle(document.documentElement).getPropertyValue('--bad')"
    light = browser.evaluate(token)
    browser.look(1600, 1000, "dark")
    assert browser.evaluate(token) != light
    widths = "[...document.querySelectorAll('.plot svg, .map svg')].map((one) => one.viewBox.baseVal.width)"
    until(lambda: max(browser.evaluate(widths)) > 640)
    browser.paper(True)
    assert browser.axe() == []
    assert browser.evaluate(token) == light
    assert browser.evaluate("[...document.querySelectorAll('.charts th .sort')].every((one) => one.getBoundingClientRect().height > 0)")
    assert browser.evaluate("[...document.querySelectorAll('.plot svg')].every((one) => one.getBoundingClientRect().right <= one.closest('.card').getBoundingClientRect().right)")
    browser.paper(False)
    # A print begins with this event, before anything is laid out for it.
    browser.evaluate("dispatchEvent(new Event('beforeprint'))")
    until(lambda: max(browser.evaluate(widths)) <= 640)
    browser.evaluate("dispatchEvent(new Event('afterprint'))")
    until(lambda: max(browser.evaluate(widths)) > 640)
    assert browser.problems() == []


@needs_browser
def test_who_may_not_edit_is_told(lake, browser):
    enter(lake, browser, "/dashboards/kinds", user="ann")
    browser.see("article", "Regions")
    browser.lacks("article", "Regions", "south")
    browser.see_text("Not visible to you")
    browser.click("button", "Edit")
    browser.holds("dialog", "Edit", "Only who may read the lakefile")
    assert [one for one in browser.problems() if "403" not in one] == []


@needs_browser
def test_an_embedded_page(lake, browser):
    browser.open(address(lake, make_link(lake, expires_in_s=60)["path"]))
    browser.see("heading", "All kinds")
    browser.see("article", "Regions")
    assert browser.evaluate("document.querySelector('nav, .bar') === null")
    assert browser.problems() == []


@needs_browser
def test_an_embedded_page_says_what_it_is_narrowed_to_and_outlives_its_server(lake, browser):
    ports = {door: lake.address(door)[1] for door in DOORS}
    browser.open(address(lake, make_link(lake, filters={"category": ["tea"]})["path"]))
    browser.see_text("Category tea")
    assert browser.evaluate("document.title") == "All kinds"
    lake.kill()
    try:
        browser.see_text("The lake cannot be reached")
        browser.see("article", "Regions")
        browser.see("heading", "All kinds")
    finally:
        lake.start(ports)
    browser.gone("The lake cannot be reached")
    browser.see("article", "Regions")


@needs_browser
def test_an_embedded_page_takes_a_link_that_is_renewed(lake, browser):
    """By its frame's address: only what stands behind '#' is another."""
    browser.open(address(lake, "/embed/kinds#nothing"))
    browser.see("heading", "Nothing to show")
    browser.evaluate(f"location.hash = {json.dumps(make_link(lake)['path'].split('#')[1])}")
    browser.see("article", "Regions")
    browser.evaluate("location.hash = 'nothing'")
    browser.see("heading", "Nothing to show")


@needs_browser
def test_an_expired_link_says_so(lake, browser):
    path = make_link(lake, expires_in_s=1)["path"]
    time.sleep(1.2)
    browser.open(address(lake, path))
    browser.see("heading", "Nothing to show")
    browser.see_text("This link has expired")
    assert [one for one in browser.problems() if "401" not in one] == []


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(lake, browser, scheme):
    browser.fresh(scheme=scheme)
    enter(lake, browser, "/dashboards/kinds")
    browser.see("application", "Heat")
    assert browser.axe() == []
    browser.click("button", "Edit")
    browser.see("region", "Lakefile")
    assert browser.axe() == []
    browser.press("Escape")
    browser.click("button", "Share")
    browser.click("menuitem", "Embed")
    browser.see("dialog", "Embed")
    assert browser.axe() == []
    browser.open(address(lake, make_link(lake, expires_in_s=60)["path"]))
    browser.see("article", "Regions")
    assert browser.axe() == []


@needs_browser
def test_months_of_an_axis_are_no_days(tarn_binary, browser):
    """"Oct 26" is a day; a month says its whole year."""
    with TarnServer() as server:
        api(server, "POST", "/api/v1/sql", {"sql": "create table sales as select date '2024-11-05' + i::int as day, 1 as units, 4.6 as latitude, -74.1 as longitude, 1 as store_id, 'Centro' as name from range(0, 600) t(i)"})
        api(server, "POST", "/api/v1/sql", {"sql": "create table stores as select 1 as store_id, 'Centro' as name, 4.6 as latitude, -74.1 as longitude"})
        apply(server, "lake: kiosk\ndashboards:\n  one:\n    charts:\n      - {title: Units, line: units, by: day, from: sales, limit: 600}\n      - {title: Where, map: stores, colour: units, from: sales}\n")
        enter(server, browser, "/dashboards/one")
        browser.see("application", "Units")
        ticks = browser.evaluate("[...document.querySelectorAll('.line-chart .tick')].map((one) => one.textContent).filter((text) => /[a-z]/i.test(text))")
        assert "Jan 2026" in ticks and all(len(one) == 8 for one in ticks)
        # One place alone stands in the middle of some land.
        browser.see("application", "Where: 1 place by")
        assert browser.evaluate("(() => { const [map, place] = ['.map svg', '.map .place'].map((one) => document.querySelector(one).getBoundingClientRect()); return Math.abs(place.x + place.width / 2 - map.x - map.width / 2) < 3 && Math.abs(place.y + place.height / 2 - map.y - map.height / 2) < 3; })()")
        assert browser.evaluate("document.querySelectorAll('.map .meridian').length") > 3
        assert browser.problems() == []


@needs_browser
def test_root_makes_a_link_for_somebody(lake, browser):
    enter(lake, browser, "/dashboards/kinds")
    browser.click("button", "Share")
    browser.click("menuitem", "Embed")
    browser.fill("As user", "ann")
    browser.click("button", "Make a link")
    browser.holds("region", "For the page", "/embed/kinds#")
    browser.holds("dialog", "Embed", "As ann")
    assert browser.problems() == []
