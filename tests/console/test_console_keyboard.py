"""The main task of each screen without a mouse: every stop is named and marked, no task ends with the focus lost."""
import pytest

from console_lake import api, apply, enter, here, settle, sql, trouble, until
from tarn_server import TarnServer
from webhook_receiver import WebhookReceiver

pytestmark = pytest.mark.usefixtures("browser")

LAKEFILE = """\
lake: kiosk
sources:
  prices:
    folder: %(drop)s/*.csv
    settle: 100ms
tables:
  levels:
    key: [shelf_id]
    sql: select shelf_id, units from readings
alerts:
  runs_empty:
    when: select shelf_id, units from levels where units < 3
    one_per: [shelf_id]
    to:
      - {url: "%(url)s", secret: "%(secret)s", allow_private: true}
dashboards:
  shop:
    title: Shop
    filters: [region]
    charts:
      - {title: Sold, number: sum(units), from: sales}
"""

# Whose name the focus has, and whether one sees it: the mark may be on what stands around (the editor's frame).
FOCUS = """(() => {
    let one = document.activeElement;
    while (one.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
    const by = (one.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ").trim();
    const labels = [...(one.labels ?? [])].map((label) => label.textContent).join(" ");
    const name = one.getAttribute("aria-label") || by || labels || one.textContent || one.getAttribute("title") || one.getAttribute("placeholder") || "";
    let marked = false;
    for (let at = one, up = 0; at && up < 3; at = at.parentElement, up++) {
        const style = getComputedStyle(at);
        marked ||= (style.outlineStyle !== "none" && style.outlineWidth !== "0px") || style.boxShadow !== "none";
    }
    const box = one.querySelector(":scope > rect.box");  // of a drawing: its line
    marked ||= box !== null && getComputedStyle(box).strokeWidth === "3px";
    return [one === document.body ? "" : name.trim(), marked, one.tagName];
})()"""


@pytest.fixture(scope="module")
def lake(tarn_binary, tmp_path_factory):
    drop = tmp_path_factory.mktemp("drop")
    with WebhookReceiver() as receiver, TarnServer() as server:
        sql(server, "create table readings (shelf_id int, units int)")
        sql(server, "insert into readings values (1, 1), (2, 50)")
        sql(server, "create table sales as select ['north', 'south'][1 + (i % 2)::int] as region, i::int as units from range(1, 11) t(i)")
        apply(server, LAKEFILE % {"drop": drop, "url": receiver.url, "secret": receiver.secret})
        (drop / "one.csv").write_text("product,price\ntea,2\n")
        settle(server)
        until(lambda: api(server, "GET", "/api/v1/alerts")["open"])
        until(lambda: [one for one in api(server, "GET", "/api/v1/sources")["sources"] if one["tables"]])
        yield server


def tab_to(browser, name, most=70, kind=""):
    """Tab, until what has the focus is called so (and is an element of that kind)."""
    passed = []
    for _ in range(most):
        browser.press("Tab")
        at, marked, tag = browser.evaluate(FOCUS)
        if tag != "BODY":
            assert at, f"a {tag} without a name after {passed[-3:]}"
            assert marked or until(lambda: browser.evaluate(FOCUS)[1], 2), f"nothing marks {tag} {at[:60]}"  # the editor's comes a moment later
        if at.startswith(name) and kind in ("", tag):
            return
        passed.append(at[:40])
    raise AssertionError(f"Tab did not come to {name}: {passed}")


def write(browser, text):
    for key in text:
        browser.press("Space" if key == " " else key)


def focused(browser):
    return browser.evaluate(FOCUS)[0]


def at(lake, browser, path, heading):
    enter(lake, browser, path)
    browser.see("heading", heading)
    until(lambda: browser.evaluate("document.querySelector('main [aria-busy], main .ghost') === null"))


def test_a_statement_is_run(lake, browser):
    enter(lake, browser, "/workbench")
    until(lambda: browser.evaluate("document.querySelector('.editor-host')?.shadowRoot?.querySelector('.cm-content') != null"))
    browser.press("Tab")
    assert focused(browser) == "Skip to the content"
    browser.press("Enter")
    tab_to(browser, "SQL", kind="DIV")
    write(browser, "select units from sales where units = 7")
    browser.press("Escape")
    browser.press("Control+Enter")
    browser.holds("grid", "Result", "7")
    tab_to(browser, "Result")  # the editor keeps nobody
    browser.press("ArrowDown")
    assert focused(browser).startswith("Result")
    assert trouble(browser.problems()) == []


def test_a_table_is_found_and_opened(lake, browser):
    at(lake, browser, "/catalog", "Catalog")
    browser.press("/")
    assert focused(browser).startswith("Find tables")
    write(browser, "levels")
    until(lambda: browser.evaluate("document.querySelectorAll('a.tree-table').length") == 1)
    browser.press("ArrowDown")
    assert focused(browser).startswith("levels")
    browser.press("Enter")
    browser.see("heading", "levels")
    assert here(browser).startswith("/catalog/main/levels")
    tab_to(browser, "Columns")
    browser.press("ArrowRight")
    browser.holds("group", "Sample of levels", "50")
    assert "tab=sample" in here(browser) and focused(browser).startswith("Sample")
    assert trouble(browser.problems()) == []


def test_a_source_is_opened(lake, browser):
    at(lake, browser, "/pipelines", "Pipelines")
    browser.evaluate("window.stays = true")
    tab_to(browser, "source prices")
    browser.press("Enter")
    browser.holds("region", "Source prices", "folder")
    assert here(browser) == "/pipelines?source=prices"
    assert browser.evaluate("window.stays"), "the link loaded the page anew"
    assert focused(browser), "the focus is lost with the drawing"
    browser.back()
    browser.see("link", "source prices")
    tab_to(browser, "table levels")
    browser.press("ArrowRight")
    assert focused(browser).startswith("alert runs_empty")
    assert trouble(browser.problems()) == []


def test_an_alert_is_silenced(lake, browser):
    at(lake, browser, "/alerts", "Alerts")
    tab_to(browser, "Silence runs_empty shelf_id 1")
    browser.press("Enter")
    browser.see("dialog", "Silence")
    assert focused(browser).startswith("For")
    browser.press("ArrowDown")
    tab_to(browser, "Silence")
    browser.press("Enter")
    browser.holds("group", "Open alerts", "silenced")
    assert focused(browser).startswith("Silence runs_empty"), "the focus is lost with the dialog"
    silence = api(lake, "GET", "/api/v1/alerts/runs_empty")["silences"][0]
    assert silence["key"] == {"shelf_id": 1}
    assert trouble(browser.problems()) == []


def test_a_filter_is_changed(lake, browser):
    at(lake, browser, "/dashboards/shop", "Shop")
    browser.holds("group", "Sold", "55")
    tab_to(browser, "Region")
    browser.press("ArrowDown")
    browser.holds("group", "Sold", "30")
    assert here(browser) == "/dashboards/shop?region=north" and focused(browser).startswith("Region")
    browser.press("Home")
    browser.holds("group", "Sold", "55")
    assert trouble(browser.problems()) == []


def test_a_user_is_made(lake, browser):
    at(lake, browser, "/access", "Access")
    tab_to(browser, "New user")
    browser.press("Enter")
    browser.see("dialog", "New user")
    write(browser, "bob")
    browser.press("Enter")
    browser.see("heading", "bob")
    assert focused(browser), "the focus is lost with the dialog"
    tab_to(browser, "New key")
    browser.press("Enter")
    browser.see("dialog", "The new key")
    browser.press("Escape")
    assert focused(browser) == "New key"
    assert trouble(browser.problems()) == []


def test_a_letter_alone_goes_nowhere(lake, browser):
    """Only after g: also in the first moments of a page."""
    at(lake, browser, "/catalog", "Catalog")
    browser.reload()
    browser.press("u")
    browser.see("heading", "Catalog")
    assert here(browser) == "/catalog"
    browser.press("g u")
    browser.see("heading", "Access")


def test_the_palette_waits_for_the_lists_that_it_finds_in(lake, browser):
    """Who types a table's name and Enter before the tables are listed means the table."""
    at(lake, browser, "/", "kiosk")
    lists = ["/api/v1/tables", "/api/v1/catalog"]
    for path in lists:
        browser.hold(path)
    browser.press("Control+k")
    browser.see("combobox", "Find")
    write(browser, "levels")
    browser.press("Enter")
    for path in lists:
        browser.let_go(path)
    browser.see("heading", "levels")
    assert here(browser) == "/catalog/main/levels"
    assert trouble(browser.problems()) == []


def test_the_palette_goes_anywhere(lake, browser):
    at(lake, browser, "/", "kiosk")
    browser.press("Control+k")
    browser.see("combobox", "Find")
    write(browser, "levels")
    until(lambda: "levels" in browser.evaluate("document.querySelector('[role=option][aria-selected=true]')?.textContent ?? ''"))
    browser.press("Enter")
    browser.see("heading", "levels")
    assert trouble(browser.problems()) == []
