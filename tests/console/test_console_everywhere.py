"""Every address of the console, and the states that have none, in both themes: axe finds nothing, and no page writes an error; lists sort
and filter by their address, and nothing is wider than a phone."""
import json
import time

import pytest

from console_lake import address, api, enter, here, trouble, until
from tarn_server import TarnServer
from watch_lake import make, settle, sql
from webhook_receiver import WebhookReceiver

pytestmark = pytest.mark.usefixtures("browser")

SCREENS = {
    "home": ["/"],
    "catalog": ["/catalog", "/catalog?find=levels", "/catalog?find=nowhere", "/catalog/main", "/catalog/main/levels", "/catalog/main/nothing"] + [
        f"/catalog/main/daily_units?tab={tab}" for tab in ("sample", "profile", "history", "files", "lineage", "access", "use")],
    "workbench": ["/workbench", "/workbench?sql=select+*+from+sales&run", "/workbench/questions", "/workbench/questions?table=main.sales"],
    "pipelines": ["/pipelines", "/pipelines?view=list", "/pipelines?view=runs", "/pipelines/tables.levels", "/pipelines/models.demand", "/pipelines/tables.totals",
                  "/pipelines/tables.levels/1", "/pipelines/tables.nothing"],
    "dashboards": ["/dashboards", "/dashboards/stock", "/dashboards/nothing"],
    "alerts": ["/alerts", "/alerts?tab=rules", "/alerts?tab=history", "/alerts?tab=deliveries", "/alerts/runs_empty", "/alerts/nothing"],
    "models": ["/models", "/models/main.demand"] + [f"/models/main.demand?tab={tab}" for tab in ("features", "versions", "inputs", "score")] + ["/models/main.nothing"],
    "access": ["/access"] + [f"/access?tab={tab}" for tab in ("roles", "sight", "links", "audit")] + ["/access/users/ann", "/access/users/nobody"],
    "none": ["/home/nowhere"],
}


@pytest.fixture(scope="module")
def lake(tarn_binary):
    with WebhookReceiver() as receiver, TarnServer() as server:
        make(server, receiver)
        sql(server, "update readings set units = 1 where shelf_id = 1")  # an open alert
        sql(server, "insert into sales values (current_date, 9, 2000000, 0)")  # a failed run: a check stops it
        settle(server)
        yield server


def rested(browser):
    """The screen is there, and no part of it is still loading."""
    until(lambda: browser.evaluate("document.querySelector('main h1') !== null && document.querySelector('main [aria-busy], main .ghost') === null"))


def look_over(browser, where, wrong, inside=None, themes=("light", "dark")):
    """What axe finds in both themes: the dark one differs by its colours alone."""
    for theme in themes:
        browser.look(1280, 900, theme)
        for found in browser.axe(["color-contrast"] if theme == "dark" else None, inside):
            wrong.append((where, theme, found))


@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing(lake, browser, screen):
    enter(lake, browser, SCREENS[screen][0])
    wrong = []
    for path in SCREENS[screen]:
        browser.open(address(lake, path))
        rested(browser)
        look_over(browser, path, wrong)
    assert wrong == []
    assert trouble(browser.problems()) == []


def test_axe_finds_nothing_in_what_has_no_address(lake, browser):
    wrong = []
    browser.open(address(lake))
    browser.see("heading", "Sign in to the lake")
    look_over(browser, "sign-in", wrong)
    enter(lake, browser, "/", user="ann")  # sees a little: refusals are drawn
    rested(browser)
    look_over(browser, "home of ann", wrong)
    for path in ("/access", "/alerts/runs_empty", "/catalog/main/daily_units?tab=files"):
        browser.open(address(lake, path))
        rested(browser)
        look_over(browser, f"{path} of ann", wrong)
    for key, role, name in (("Control+k", "combobox", "Find a screen"), ("?", "dialog", "Keys of the keyboard")):
        browser.press(key)
        browser.see(role, name)
        look_over(browser, key, wrong)
        browser.press("Escape")
    browser.open(address(lake, "/embed/stock#nothing"))
    browser.see("heading", "Nothing to show")
    look_over(browser, "embed", wrong)
    assert wrong == []


# Each screen's dialogs: an address (none: the same page again), and what is clicked one after the other. Those of dashboards
# and of models are looked over where they are used.
DIALOGS = {
    "catalog": [("/catalog/main/daily_units", ["button:Describe it"]), (None, ["button:Tags"]), ("/catalog/main/daily_units?tab=profile", ["button:Figures of units"])],
    "workbench": [("/workbench?sql=select+1", ["button:Save"]), (None, ["button:History"])],
    "pipelines": [("/pipelines/tables.levels/1", ["button:Rerun from here"]), ("/pipelines/tables.daily_units", ["button:Rerun", "menuitem:A range of days"])],
    "alerts": [("/alerts", ["button:Silence runs_empty"]), ("/alerts/runs_empty", ["button:Signing secret"]), (None, ["button:Attempts of"])],
    "access": [("/access", ["button:New user"]), ("/access?tab=roles", ["button:New role"])],
    "access, more": [("/access?tab=audit", ["button:The whole record"]), ("/access/users/ann", ["button:Roles"]), (None, ["button:New policy"]),
                     (None, ["button:Make a sign-in link"]), (None, ["button:Delete"])],
}


@pytest.mark.parametrize("screen", [pytest.param(one, marks=pytest.mark.long) if "more" in one else one for one in DIALOGS])
def test_axe_finds_nothing_in_dialogs(lake, browser, screen):
    """And each gives the focus back to what opened it."""
    enter(lake, browser, DIALOGS[screen][0][0])
    wrong = []
    for path, clicks in DIALOGS[screen]:
        if path is not None:
            browser.open(address(lake, path))
            rested(browser)
        for click in clicks:
            browser.click(*click.split(":"))
        until(lambda: browser.evaluate("document.querySelector('dialog[open]') !== null && document.querySelector('dialog [aria-busy], dialog .ghost') === null"))
        # All are made of the same parts: the first in both themes.
        look_over(browser, clicks, wrong, inside="dialog[open]", themes=("light", "dark") if (path, clicks) == DIALOGS[screen][0] else ("light",))
        browser.press("Escape")
        until(lambda: browser.evaluate("document.querySelector('dialog[open]') === null"))
        if browser.evaluate("document.activeElement === document.body"):
            wrong.append((clicks, "the focus is lost"))
    assert wrong == []
    assert trouble(browser.problems()) == []


def test_axe_finds_nothing_on_an_empty_lake_and_without_its_server(tarn_binary, browser):
    """Every screen says so, and comes back by itself."""
    wrong = []
    with TarnServer() as server:
        enter(server, browser, "/")
        for path in ("/", "/catalog", "/workbench", "/pipelines", "/dashboards", "/alerts", "/models", "/access"):
            browser.open(address(server, path))
            rested(browser)
            look_over(browser, f"empty {path}", wrong, themes=("light",))
        browser.open(address(server, "/"))
        rested(browser)
        ports = {door: server.address(door)[1] for door in ("aws", "http", "postgres", "mqtt")}
        server.kill()
        for key, name in (("c", "Catalog"), ("p", "Pipelines"), ("a", "Alerts"), ("m", "Models"), ("u", "Access"), ("d", "Dashboards")):
            browser.press(f"g {key}")
            browser.see("alert", "")
            browser.holds("main", "", "The server cannot be reached")
            look_over(browser, f"away: {name}", wrong, themes=("light",))
        browser.holds("status", "", "Not connected")
        for _ in range(15):  # also while the stream tries again
            assert browser.evaluate("document.querySelector('.bar .live').textContent") == "Not connected"
            time.sleep(0.1)
        server.start(ports)
        browser.gone("The server cannot be reached")
        browser.see("heading", "No dashboard is declared yet")
        browser.press("g h")
        browser.holds("status", "", "Live")
    assert wrong == []


def test_axe_finds_nothing_for_who_may_see_nothing(lake, browser):
    """Each screen says so once, in the page's own words, and is no blank."""
    api(lake, "POST", "/api/v1/users", {"name": "nobody_yet"})
    enter(lake, browser, "/", user="nobody_yet")
    wrong = []
    for path in ("/", "/catalog", "/catalog/main/levels", "/workbench", "/workbench/questions", "/pipelines", "/pipelines/tables.levels", "/dashboards/stock", "/alerts",
                 "/alerts/runs_empty", "/models", "/models/main.demand", "/access", "/access/users/ann", "/access?tab=audit"):
        browser.open(address(lake, path))
        rested(browser)
        look_over(browser, f"{path} of nobody", wrong, themes=("light",))
        said = browser.evaluate("document.querySelectorAll('main .hidden-from').length")
        if said > 1 or len(browser.text("main", "")) < 20:
            wrong.append((path, said, browser.text("main", "")))
    assert wrong == []
    assert trouble(browser.problems()) == []


def test_axe_finds_nothing_on_paper(lake, browser):
    """And what is a button on the screen, a name in a list, is there on paper."""
    enter(lake, browser, "/")
    wrong = []
    for path in ("/", "/catalog/main/levels", "/pipelines/tables.levels", "/alerts/runs_empty", "/models/main.demand", "/access/users/ann"):
        browser.open(address(lake, path))
        rested(browser)
        browser.paper(True)
        look_over(browser, f"{path} on paper", wrong, themes=("dark",))
        if path == "/alerts/runs_empty" and not browser.evaluate("document.querySelector('main button.link').getBoundingClientRect().height > 0"):
            wrong.append((path, "a name is gone"))
        browser.paper(False)
    assert wrong == []


def test_nothing_moves_for_who_wants_no_motion(lake, browser):
    """Every animation and transition is gone, not only shorter."""
    enter(lake, browser, "/")
    browser.motion("reduce")
    rested(browser)
    moving = browser.evaluate("""[...document.querySelectorAll("*")].filter((one) => {
        const style = getComputedStyle(one);
        return style.animationName !== "none" || style.transitionDuration.split(",").some((part) => parseFloat(part) > 0.01);
    }).map((one) => one.className?.toString() || one.tagName)""")
    assert moving == []


def test_the_keyboard_reaches_all_and_is_seen(lake, browser):
    """Tab from the top of Home: each stop has a visible mark of focus and a name."""
    enter(lake, browser, "/")
    rested(browser)
    stops, unmarked = set(), []
    for _ in range(60):
        browser.press("Tab")
        stop = browser.evaluate("""(() => {
            const one = document.activeElement;
            const style = getComputedStyle(one);
            const name = one.getAttribute("aria-label") || one.textContent.trim() || one.getAttribute("title") || one.getAttribute("placeholder");
            return [one.tagName + " " + (name || "").slice(0, 40), style.outlineStyle !== "none" || style.boxShadow !== "none"];
        })()""")
        if stop[0].startswith("BODY"):
            break
        stops.add(stop[0])
        if not stop[1] or stop[0].endswith(" "):
            unmarked.append(stop[0])
    assert unmarked == []
    assert "A Skip to the content" in stops and any("Catalog" in one for one in stops) and len(stops) > 15


@pytest.mark.parametrize("width, height", [(1280, 700), (390, 700)])
def test_the_focus_is_not_under_a_bar(lake, browser, width, height):
    """WCAG 2.2, 2.4.11: a part that is higher than the window and each stop in it, forwards and backwards."""
    browser.look(width, height, "light")
    enter(lake, browser, "/access?tab=audit&own=1")
    rested(browser)
    under = """(() => {
        const one = document.activeElement;
        const box = one.getBoundingClientRect();
        const top = document.querySelector(".bar").getBoundingClientRect().bottom;
        const low = document.querySelector(".bottom-nav").getBoundingClientRect();
        const inside = one.closest(".bar, .side-nav, .bottom-nav, .skip") !== null || one === document.body;
        const bottom = low.height > 0 ? low.top : innerHeight;
        return inside || (box.top >= top && Math.min(box.bottom, box.top + 20) <= bottom) ? null : `${one.tagName} ${one.ariaLabel ?? one.textContent} ${box.top}`;
    })()"""
    covered = []
    for key in ["Tab"] * 45 + ["Shift+Tab"] * 40:
        browser.press(key)
        if (found := browser.evaluate(under)) is not None:
            covered.append((key, found))
    assert covered == []


# ---- lists, and narrow windows


def go(browser, path):
    """As a link of the page does it, from a page without lists: without loading it anew."""
    browser.evaluate("""(() => { for (const to of ["/home/nowhere", %s]) { history.pushState(null, "", to); dispatchEvent(new PopStateEvent("popstate")); } })()""" % json.dumps(path))
    rested(browser)


# Where lists stand: (address, how many there are at least).
LISTS = [("/", 3), ("/catalog/main", 1), ("/catalog/main/daily_units?tab=history", 1), ("/pipelines?view=list", 1), ("/pipelines/tables.daily_units", 2),
         ("/alerts/runs_empty", 3), ("/models/main.demand", 2), ("/access?tab=audit", 1), ("/access/users/ann", 2)]
OTHER_LISTS = [
    ("/catalog/main/daily_units", 1), ("/catalog/main/daily_units?tab=profile", 1), ("/catalog/main/daily_units?tab=sample", 1), ("/catalog/main/daily_units?tab=files", 1), ("/catalog/main/daily_units?tab=lineage", 2),
    ("/catalog/main/daily_units?tab=access", 1), ("/pipelines?view=runs", 1), ("/pipelines/tables.daily_units/1", 1), ("/alerts", 1), ("/alerts?tab=rules", 1),
    ("/alerts?tab=history", 1), ("/alerts?tab=deliveries", 1), ("/models", 1), ("/models/main.demand?tab=features", 1), ("/models/main.demand?tab=versions", 1),
    ("/access", 1), ("/access?tab=roles", 2), ("/access?tab=sight&who=ann", 1),
]
SORTED = """[...document.querySelectorAll("main th[aria-sort]")].map((one) => one.closest("[aria-label]").getAttribute("aria-label") + ": " + one.textContent + " " + one.ariaSort)"""
# The last column of each list that can be sorted, twice: downwards.
SORT = """(async () => {
  const lists = () => [...document.querySelectorAll("main .list")].filter((one) => one.querySelector("th .sort"));
  const wait = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  for (let i = 0; i < lists().length; i++)
    for (let turn = 0; turn < 2; turn++) {
      [...lists()[i].querySelectorAll("th .sort")].pop()?.click();
      await wait();
    }
  return lists().length;
})()"""


@pytest.mark.parametrize("places", [LISTS, pytest.param(OTHER_LISTS, marks=pytest.mark.long)], ids=["", "others"])
def test_every_list_is_sorted_and_filtered_by_its_address(lake, browser, places):
    enter(lake, browser, "/home/nowhere")
    wrong = []
    for path, least in places:
        go(browser, path)
        lists = browser.evaluate(SORT)
        asked, shown = here(browser), browser.evaluate(SORTED)
        words = [one.split("=")[0] for one in asked.partition("?")[2].split("&") if one.split("=")[0].endswith("sort")]
        # Each has its own word: two that share one would be sorted together.
        if lists < least or len(words) != lists or len(shown) != lists or not all(one.endswith("descending") for one in shown):
            wrong.append((path, least, lists, words, shown))
            continue
        go(browser, asked)
        if browser.evaluate(SORTED) != shown:
            wrong.append((asked, shown, browser.evaluate(SORTED)))
        filtered = asked + "".join(f"&{word[:-4]}find=nothing-is-called-so" for word in words)
        browser.evaluate(f"""(() => {{ history.pushState(null, "", {json.dumps(filtered)}); dispatchEvent(new PopStateEvent("popstate")); }})()""")
        empty = browser.evaluate("""[...document.querySelectorAll("main .list")].filter((one) => one.querySelector("input[type=search]")?.value === "nothing-is-called-so" && one.textContent.includes("Nothing matches")).length""")
        if empty != lists:
            wrong.append((filtered, empty, lists))
    assert wrong == []
    assert trouble(browser.problems()) == []


def test_a_filter_finds_beyond_the_rows_that_are_shown_first(lake, browser):
    features = api(lake, "GET", "/api/v1/models/main.demand")["versions"][0]
    share = {one["feature"]: one["share"] for one in features["importance"]}
    last = sorted(features["features"], key=lambda name: share.get(name, 0))[0].replace("_", " ")
    assert len(features["features"]) > 15
    enter(lake, browser, "/models/main.demand?tab=features")
    browser.see("button", f"Show all {len(features['features'])}")
    browser.lacks("region", "Features by importance", last + "\n")
    browser.fill("Filter features", last)
    browser.see("cell", last)
    browser.fill("Filter features", "")
    browser.click("button", "Show all")
    assert "features.all=1" in here(browser)
    browser.reload()
    until(lambda: browser.evaluate("document.querySelectorAll('main tbody tr').length") == len(features["features"]), 15)
    assert browser.problems() == []


# How much wider the page is than the window, the chosen tabs that are not in sight, and the lists of ours that scroll sideways.
TOO_WIDE = """(() => [document.documentElement.scrollWidth - innerWidth, ...[...document.querySelectorAll('main [role="tab"][aria-selected="true"]')].filter((tab) => {
  const [mine, frame] = [tab.getBoundingClientRect(), tab.parentElement.getBoundingClientRect()];
  return mine.left < frame.left - 1 || mine.right > frame.right + 1;
}).map((tab) => tab.textContent), ...[...document.querySelectorAll("main .table-frame:not(.twin, .data)")].filter((list) => list.scrollWidth > list.clientWidth + 1).map((list) => `${list.ariaLabel} scrolls`)])()"""
PHONE = ["/", "/catalog", "/catalog/main/daily_units?tab=profile", "/catalog/main/daily_units?tab=use", "/workbench/questions?table=sales&measure=count&by=day%7Cmonth",
         "/pipelines/tables.daily_units", "/dashboards/stock", "/alerts/runs_empty", "/models/main.demand?tab=score", "/access?tab=audit", "/access/users/ann", "/alerts?tab=deliveries", "/pipelines?view=list", "/models/main.demand?tab=versions", "/catalog/main/daily_units"]


@pytest.mark.parametrize("places", [PHONE, pytest.param(sum(SCREENS.values(), []), marks=pytest.mark.long)], ids=["", "all"])
def test_nothing_is_wider_than_a_phone(lake, browser, places):
    enter(lake, browser, "/home/nowhere")
    wrong = []
    for path in places:
        browser.look(1280, 900, "light")
        go(browser, path)
        browser.look(390, 844, "light")  # what was drawn in width gives way
        try:
            until(lambda: browser.evaluate(TOO_WIDE) == [0], 10)
        except AssertionError:
            wrong.append((path, browser.evaluate(TOO_WIDE)))
    assert wrong == []


# Names that stand on several lines though they could have been broken after a dot or an underscore: their parts, each on one line.
BROKEN = """[...document.querySelectorAll("main .name")].flatMap((name) => [...name.childNodes].filter((part) => part.nodeType === 3).filter((part) => {
  const range = document.createRange();
  range.selectNodeContents(part);
  return range.getClientRects().length > 1;
}).map((part) => part.data))"""


def test_a_narrow_column_does_not_break_within_a_word(lake, browser):
    browser.look(390, 844, "light")
    enter(lake, browser, "/pipelines?view=runs")
    for path in ("/pipelines?view=runs", "/pipelines?view=list", "/access?tab=roles"):
        browser.open(address(lake, path))
        rested(browser)
        assert browser.evaluate("document.querySelectorAll('main .name wbr').length") > 0, path
        assert browser.evaluate(BROKEN) == [], path


def test_what_is_not_there_has_no_history(lake, browser):
    enter(lake, browser, "/pipelines/tables.nothing")
    browser.see_text("There is no such step")
    rested(browser)
    assert "Nothing has run yet" not in browser.evaluate("document.querySelector('main').innerText")


def test_a_refusal_says_which_right_when_asked(lake, browser):
    enter(lake, browser, "/access", user="ann")
    browser.see_text("Not visible to you")
    said = "document.querySelector('.trouble').innerText"
    assert "arn:" not in browser.evaluate(said)
    browser.evaluate("document.querySelector('.trouble summary').click()")
    until(lambda: "arn:" in browser.evaluate(said))
    assert browser.axe() == []


@pytest.mark.parametrize("screen", [one for one in SCREENS if one not in ("none", "workbench")])  # the workbench's editor comes when it is used
def test_a_page_names_all_that_its_screen_needs_at_once(lake, browser, screen):
    """Scripts that are asked for one after the other, as each names the next, keep a screen waiting."""
    enter(lake, browser, SCREENS[screen][0])
    rested(browser)
    late = browser.evaluate("""(async () => {
      const page = new DOMParser().parseFromString(await (await fetch(location.pathname)).text(), "text/html");
      const named = new Set([...page.querySelectorAll("link[href], script[src]")].map((one) => one.getAttribute("href") ?? one.getAttribute("src")));
      return performance.getEntriesByType("resource").map((one) => new URL(one.name).pathname).filter((path) => /^.assets.*\\.(js|css)$/.test(path) && !named.has(path));
    })()""")
    assert late == []


def test_the_start_asks_all_its_questions_at_once(lake, browser):
    """While the server is asked who this is; each of them once."""
    enter(lake, browser, "/")
    browser.see("region", "Storage, last 24 hours")
    rested(browser)
    asked = browser.evaluate("""(() => {
      const all = performance.getEntriesByType("resource").map((one) => [new URL(one.name).pathname, one.startTime, one.responseEnd]);
      const known = all.find(([path]) => path === "/api/v1/me")[2];
      return all.filter(([path, begun]) => path.startsWith("/api/v1/") && path !== "/api/v1/me" && begun < known).map(([path]) => path.slice(8)).sort();
    })()""")
    assert asked == ["alerts", "catalog", "growth", "runs", "sources", "usage"]
    assert browser.evaluate("performance.getEntriesByType('resource').filter((one) => one.name.includes('/api/v1/growth')).length") == 1
    assert browser.problems() == []


def test_a_drawn_result_and_a_menu_fit_a_phone(lake, browser):
    enter(lake, browser, "/workbench?sql=select+day,+units+from+sales+where+store_id=1+order+by+1")
    browser.click("button", "Run")
    browser.see_text("120 rows")
    browser.click("button", "Chart")
    browser.see("application", "Result")
    browser.look(390, 844, "light")
    until(lambda: browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), 5)
    browser.click("link", "Dashboards")  # the short row of screens at the bottom
    browser.see("heading", "Stock")
    browser.click("button", "Share")
    browser.see("menuitem", "Full screen")
    assert browser.evaluate("""(() => { const box = document.querySelector('[role="menu"]').getBoundingClientRect(); return box.left >= 0 && box.right <= innerWidth; })()""")
    assert browser.problems() == []
