"""Pictures of a running lake's console, to look at: python3 tests/console/make_pictures.py LINK FOLDER [ADDRESS...]
LINK signs in once (http://.../#token=...); ADDRESS is /catalog/main/levels?tab=lineage and the like. Three widths in both
themes. Without an address: the pictures of README.md and docs/guides/console.md, of the beverages lake (./x demo) after its first hour;
FOLDER is docs/pictures then."""
import collections
import pathlib
import re
import struct
import sys
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from headless_browser import Browser  # noqa: E402

SIZES = ((390, 844), (1024, 900), (1600, 1000))
# Name, address, width, height, theme.
GUIDE = (
    ("console", "/dashboards/stock", 1440, 1000, "light"), ("console-home", "/", 1280, 900, "light"), ("console-phone", "/dashboards/stock", 390, 844, "dark"),
    ("console-lineage", "/catalog/main/daily_sales?tab=lineage", 1280, 900, "light"),
    ("console-workbench", "/workbench?sql=select+store_id,+day,+sum(units)+as+units+from+daily_sales+where+product_id+%3C+5+group+by+store_id,+day+order+by+day+desc,+store_id", 1280, 860, "light"),
    ("console-pipelines", "/pipelines", 1440, 620, "light"), ("console-dashboards", "/dashboards/stock", 1280, 1400, "dark"),
    ("console-alerts", "/alerts/shelf_runs_empty", 1440, 960, "light"), ("console-models", "/models/main.demand", 1440, 940, "light"))


def rest(browser):
    """The screen is there, and no part of it is still loading; then what moves has come to its end."""
    for _ in range(200):
        if browser.evaluate("document.querySelector('main h1') !== null && document.querySelector('main [aria-busy=true], main .ghost') === null"):
            break
        time.sleep(0.1)
    time.sleep(1.5)


def unfiltered(width, height, data):
    """The lines of an 8-bit RGB picture: PNG (Third Edition) 9.2."""
    row, before, at = 3 * width, bytearray(3 * width), 0
    for _ in range(height):
        kind, line = data[at], bytearray(data[at + 1:at + 1 + row])
        at += 1 + row
        if kind == 2:
            line = bytearray((x + up) & 255 for x, up in zip(line, before))
        elif kind != 0:
            for i in range(row):
                left, up, corner = (line[i - 3], before[i], before[i - 3]) if i >= 3 else (0, before[i], 0)
                if kind == 1:
                    add = left
                elif kind == 3:
                    add = (left + up) >> 1
                else:
                    far = [abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)]
                    add = (left, up, corner)[far.index(min(far))]
                line[i] = (line[i] + add) & 255
        before = line
        yield line


def small(path):
    """256 colours, the most frequent ones: a third of the bytes."""
    png = path.read_bytes()
    chunks, at = {}, 8
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        chunks[kind] = chunks.get(kind, b"") + png[at + 8:at + 8 + size]
        at += 12 + size
    width, height, depth, colours = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    if (depth, colours) != (8, 2):
        return
    lines = [[bytes(line[i:i + 3]) for i in range(0, len(line), 3)] for line in unfiltered(width, height, zlib.decompress(chunks[b"IDAT"]))]
    counts = collections.Counter(pixel for line in lines for pixel in line)
    palette = [pixel for pixel, _ in counts.most_common(256)]
    nearest = {pixel: i for i, pixel in enumerate(palette)}
    for pixel in counts:
        if pixel not in nearest:
            nearest[pixel] = min(range(len(palette)), key=lambda i: sum((a - b) ** 2 for a, b in zip(palette[i], pixel)))
    data = b"".join(b"\0" + bytes(nearest[pixel] for pixel in line) for line in lines)

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    path.write_bytes(png[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)) + chunk(b"PLTE", b"".join(palette)) +
                     chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


def main(link, folder, *addresses):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with Browser() as browser:
        browser.fresh(width=1600, height=1000)
        browser.open(link)
        rest(browser)
        here = link.split("/#")[0].rstrip("/")
        for name, address, width, height, scheme in () if addresses else GUIDE:
            browser.look(width, height, scheme)
            browser.open(here + address)
            rest(browser)
            if name == "console-workbench":
                browser.click("button", "Run")
                browser.holds("status", "", "Done")
                rest(browser)
            browser.screenshot(folder / f"{name}.png")
            small(folder / f"{name}.png")
        for address in addresses:
            browser.open(here + address)
            rest(browser)
            name = re.sub(r"[^a-z0-9]+", "-", address).strip("-") or "home"
            for scheme in ("light", "dark"):
                for width, height in SIZES:
                    browser.look(width, height, scheme)
                    rest(browser)
                    browser.screenshot(folder / f"{name}-{width}-{scheme}.png", full=True)
        for problem in browser.problems():
            print(problem)


if __name__ == "__main__":
    main(*sys.argv[1:])
