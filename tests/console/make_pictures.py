"""Pictures of a running lake's console, to look at: python3 tests/console/make_pictures.py LINK FOLDER [ADDRESS...]
LINK signs in once (http://.../#token=...); ADDRESS is /catalog/main/levels?tab=lineage and the like. Three widths in both
themes."""
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from headless_browser import Browser  # noqa: E402

SIZES = ((390, 844), (1024, 900), (1600, 1000))


def main(link, folder, *addresses):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with Browser() as browser:
        browser.fresh(width=1600, height=1000)
        browser.open(link)
        browser.see("main", "")
        for address in addresses or ("/", "/catalog", "/dashboards", "/access"):
            browser.open(link.split("/#")[0].rstrip("/") + address)
            browser.see("main", "")
            name = re.sub(r"[^a-z0-9]+", "-", address).strip("-") or "home"
            for scheme in ("light", "dark"):
                for width, height in SIZES:
                    browser.look(width, height, scheme)
                    time.sleep(1.5)
                    browser.screenshot(folder / f"{name}-{width}-{scheme}.png", full=True)
        for problem in browser.problems():
            print(problem)


if __name__ == "__main__":
    main(*sys.argv[1:])
