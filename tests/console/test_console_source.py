"""A followed PostgreSQL on its source's page, in a headless Chromium: how far behind it is, how much comes, what is wrong with
which table and what to do about it."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "ingest"))

import postgres_server  # noqa: E402
from capture_lake import CaptureLake, source_server  # noqa: E402
from console_lake import enter, trouble  # noqa: E402
from headless_browser import missing  # noqa: E402
from tarn_server import binary  # noqa: E402

pytestmark = [pytest.mark.skipif(missing() is not None, reason=missing() or ""),
              pytest.mark.skipif(not postgres_server.available(), reason="no PostgreSQL programs here"),
              pytest.mark.skipif(not binary().exists(), reason="tarn is not built")]


@pytest.fixture
def shop(tmp_path):
    with source_server() as pg:
        pg.run("CREATE TABLE sales (id int PRIMARY KEY, units int); INSERT INTO sales SELECT g, 1 FROM generate_series(1, 1200) g;"
               "CREATE TABLE odd (id int PRIMARY KEY, n numeric); INSERT INTO odd VALUES (1, 'NaN');"
               "CREATE TABLE events (id int, v text)")
        with CaptureLake(tmp_path, pg.url) as lake:
            lake.until_rows("SELECT count(*) FROM erp.sales", [(1200,)])
            lake.until_error("odd", "column n", "NaN")
            lake.until(lambda: lake.source()["state"] == "following")
            yield pg, lake


def fact(browser, name):
    """A line of the card about the log."""
    return browser.evaluate("""[...document.querySelectorAll("main dt")].find((one) => one.textContent === %r)?.nextElementSibling.textContent""" % name)


def test_lag_rates_errors_and_notes_by_table(shop, browser):
    pg, lake = shop
    enter(lake.server, browser, "/pipelines?source=erp")
    browser.see("heading", "Source erp")
    browser.holds("row", "sales", "1,200")
    browser.holds("region", "Followed by its log", "Behind")
    lake.until(lambda: fact(browser, "Behind") == "0 s", 30)
    assert fact(browser, "Changes").endswith(" a second") and fact(browser, "Log not here yet").endswith("B")
    # A table without a key: rows are only added, and the note says what to do about it.
    pg.run("INSERT INTO events VALUES (1, 'a')")
    browser.holds("region", "Problems and notes", "correct the value")
    browser.holds("region", "Problems and notes", "erp.odd")
    browser.holds("row", "odd", "column n")
    browser.holds("region", "Problems and notes", "REPLICA IDENTITY")
    for theme in ("light", "dark"):
        browser.look(1280, 900, theme)
        assert browser.axe() == []
    # On a phone the columns of problems are gone, and what they say is not.
    browser.look(390, 844, "light")
    browser.holds("region", "Problems and notes", "correct the value")
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    browser.look(1280, 900, "light")
    # Rows that come are counted while one looks.
    pg.run("INSERT INTO sales SELECT g, 1 FROM generate_series(2001, 2300) g")
    browser.holds("row", "sales", "1,500")
    lake.until(lambda: fact(browser, "Changes") not in (None, "0 a second"), 30)
    # The source goes away: how far behind it is grows, and the page says why; it comes back by itself.
    pg.kill()
    try:
        browser.holds("region", "Problems and notes", "cannot connect")
        lake.until(lambda: float(fact(browser, "Behind").split(" ")[0].replace(",", "")) > 3, 30)
    finally:
        pg.start()
    browser.gone("cannot connect")
    lake.until(lambda: fact(browser, "Behind") == "0 s", 60)
    # Mended there, it is right here.
    pg.run("UPDATE odd SET n = 6 WHERE id = 1")
    lake.until_rows("SELECT n::float8 FROM erp.odd", [(6.0,)], 150)
    browser.gone("correct the value")
    # Whether both hold the same is asked when somebody wants to know.
    browser.holds("region", "Compared with its database", "Not compared yet")
    browser.click("button", "Compare now")
    browser.holds("row", "sales equal", "1,500")
    browser.holds("row", "odd equal", "1")
    browser.reload()
    browser.holds("row", "sales equal", "1,500")
    assert [one for one in browser.problems() if "404" in one] == [], "nothing is asked for that is not there"
    assert trouble(browser.problems()) == []
