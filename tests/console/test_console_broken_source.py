"""Sources that bring nothing, or not all: who looks at Home or at the pipelines sees it, and gets to the reason."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from console_lake import address, api, apply, enter, sql, trouble, until  # noqa: E402
from headless_browser import missing  # noqa: E402
from tarn_server import TarnServer, binary  # noqa: E402

pytestmark = [pytest.mark.skipif(missing() is not None, reason=missing() or ""),
              pytest.mark.skipif(not binary().exists(), reason="tarn is not built")]

LAKEFILE = """\
lake: kiosk
sources:
  erp_of_the_wholesaler:
    postgres: postgresql://nobody:nothing@127.0.0.1:1/shop
    tables: [orders]
  prices:
    folder: {drop}/prices*.csv
    settle: 100ms
    columns: {{product: text, cents: int}}
"""


@pytest.fixture(scope="module")
def lake(tarn_binary, tmp_path_factory):
    drop = tmp_path_factory.mktemp("drop")
    (drop / "prices.csv").write_text("product,cents\ntea,95\njuice,many\n")
    with TarnServer() as server:
        sql(server, "create table counted (n int)")
        apply(server, LAKEFILE.format(drop=drop))
        until(lambda: [one for one in api(server, "GET", "/api/v1/sources")["sources"] if one["last_error"]])
        until(lambda: [one for one in api(server, "GET", "/api/v1/catalog")["tables"] if one["table"] == "prices_rejected"])
        yield server


def test_home_names_it(lake, browser):
    enter(lake, browser, "/")
    browser.holds("region", "What needs somebody", "erp_of_the_wholesaler")
    browser.holds("region", "What needs somebody", "cannot connect to database shop")
    browser.holds("row", "erp_of_the_wholesaler", "failed")
    for theme in ("light", "dark"):
        browser.look(390, 844, theme)
        assert browser.axe() == []
    # Nothing of the list of sources lies behind its edge.
    frame = "document.querySelector('.table-frame[aria-label=Sources]')"
    until(lambda: browser.evaluate(f"{frame}.scrollWidth <= {frame}.clientWidth"), 10)
    assert trouble(browser.problems()) == []


def test_the_pipelines_list_it_and_lead_to_what_was_set_aside(lake, browser):
    enter(lake, browser, "/pipelines?view=list")
    browser.holds("row", "erp_of_the_wholesaler", "none yet")
    browser.open(address(lake, "/pipelines?source=erp_of_the_wholesaler"))
    browser.holds("region", "Problems and notes", "cannot connect to database shop")
    browser.holds("row", "failed", "none yet")
    browser.open(address(lake, "/pipelines?source=prices"))
    browser.holds("row", "prices", "1")
    assert browser.evaluate("document.querySelector('td a[href$=\"/prices_rejected\"]').textContent") == "1"
    browser.open(address(lake, "/catalog/main/prices_rejected"))
    browser.see("heading", "prices_rejected")
    assert trouble(browser.problems()) == []
