"""What a browser says of the console, by its own performance clock: the first paint by a sign-in link with an empty cache, beside that of a
page of plain text from the same server (the browser's own part), what came over the wire before it, and a dashboard of 20 charts over 10 million rows until the last chart is drawn."""
import pathlib
import statistics
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent / "tests"),
                str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "console")]

import dashboard  # noqa: E402
from headless_browser import Browser, missing  # noqa: E402
from tarn_server import TarnServer  # noqa: E402

# Milliseconds since the navigation began.
PAINT = """new Promise((done) => {
  const look = () => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    if (paint) done(paint.startTime); else requestAnimationFrame(look);
  };
  look();
})"""
# Scripts and style sheets that the page waits for; the typeface comes beside them, and nothing waits for it.
ENTRY = """performance.getEntriesByType("resource").filter((one) => one.startTime < performance.getEntriesByName("first-contentful-paint")[0].startTime)
  .filter((one) => /\\.(js|css)$/.test(one.name)).reduce((sum, one) => sum + one.encodedBodySize, 0)"""
# All charts are there, those below the window too, and have been painted. Nothing is asked frame by frame: that would keep a core busy.
DRAWN = """new Promise((done) => {
  const look = () => {
    if (document.querySelectorAll("main .charts > *, main .tiles > *").length < 20 || document.querySelector("main .ghost")) return;
    seen.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now())));
  };
  const seen = new MutationObserver(look);
  seen.observe(document, { subtree: true, childList: true });
  look();
})"""
SETTLE = 1.5  # seconds in which a new browser window starts its processes: a person's stands open


def link(server, path):
    token = dashboard.ask(server, "POST", "/api/v1/sign-in-tokens", {})["token"]
    return f"http://{server.ready['http']}{path}#token={token}"


def measure(runs=5):
    """{"paint": ms, "text": ms of the plain page, "entry": bytes, "drawn": ms, "kept": ms}: medians. None where no browser is installed."""
    if missing():
        return None
    paint, text, entry, drawn, kept = [], [], [], [], []
    with TarnServer() as server, Browser() as browser:
        dashboard.make(server)
        dashboard.look(server)
        for _ in range(runs):
            browser.fresh()
            browser.open(f"http://{server.ready['http']}/licenses.txt")
            text.append(browser.evaluate(PAINT))
            browser.fresh()
            browser.open(link(server, "/"))
            paint.append(browser.evaluate(PAINT))
            entry.append(browser.evaluate(ENTRY))
        for _ in range(runs):
            browser.fresh()
            time.sleep(SETTLE)
            dashboard.change(server)
            browser.open(link(server, "/dashboards/twenty"))
            drawn.append(browser.evaluate(DRAWN))
            browser.reload()
            kept.append(browser.evaluate(DRAWN))
    return {name: statistics.median(values) for name, values in (("paint", paint), ("text", text), ("entry", entry), ("drawn", drawn), ("kept", kept))}


if __name__ == "__main__":
    found = measure()
    if found is None:
        sys.exit(f"bench: {missing()}")
    print(f"first paint {found['paint']:.0f} ms by a sign-in link (a page of text: {found['text']:.0f} ms), {found['entry'] / 1000:.1f} kB before it; 20 charts over {dashboard.ROWS:,} rows "
          f"drawn {found['drawn']:.0f} ms after a change, {found['kept']:.0f} ms loaded again")
