"""A dashboard of 20 charts over 10 million rows, in one request: the first look, and the look after a row has come."""
import base64
import http.client
import json
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from tarn_server import TarnServer  # noqa: E402

ROWS = int(os.environ.get("TARN_BENCH_ROWS", "10000000"))

CHARTS = """\
      - {title: Rows, number: count(*), from: sales}
      - {title: Units, number: units, from: sales, unit: units}
      - {title: Revenue, number: sum(units * price), from: sales}
      - {title: Average price, number: avg(price), from: sales}
      - {title: Stores, number: count(distinct store_id), from: sales}
      - {title: Large ones, number: count(*), from: sales, where: units > 15}
      - {title: Units a day, line: units, by: day, from: sales}
      - {title: Revenue a day, area: sum(units * price), by: day, from: sales}
      - {title: By region, line: units, by: day, split: region, from: sales}
      - {title: Days of categories, stacked: units, by: day, split: category, from: sales}
      - {title: Regions, bar: units, by: region, from: sales}
      - {title: Categories, bar: [units, sum(units * price) as revenue], by: category, from: sales}
      - {title: Stores by units, bar: units, by: store_id, from: sales}
      - {title: Region and category, heatmap: units, by: category, split: region, from: sales}
      - {title: Stores and categories, heatmap: units, by: store_id, split: category, from: sales, limit: 20}
      - {title: Price and units, scatter: [avg(price), sum(units)], by: store_id, from: sales}
      - {title: Cheap ones, bar: units, by: region, from: sales, where: price < 2}
      - {title: Dear ones, bar: units, by: category, from: sales, where: price > 3}
      - {title: Best stores, table: [store_id], spark: units, by: day, from: sales, limit: 20}
      - {title: Today, number: units, by: day, from: sales}
"""
LAKEFILE = "lake: bench\ndashboards:\n  twenty:\n    filters: [region]\n    charts:\n" + CHARTS


def ask(server, method, path, body=None):
    host, port = server.address("http")
    connection = http.client.HTTPConnection(host, port, timeout=300)
    pair = f"{server.access_key}:{server.secret_key}".encode()
    connection.request(method, path, body=None if body is None else json.dumps(body),
                       headers={"Authorization": "Basic " + base64.b64encode(pair).decode()})
    response = connection.getresponse()
    data = response.read()
    connection.close()
    assert response.status < 300, (method, path, response.status, data[:500])
    return json.loads(data)


def sql(server, statement):
    return ask(server, "POST", "/api/v1/sql", {"sql": statement})


def look(server):
    begin = time.perf_counter()
    page = ask(server, "GET", "/api/v1/dashboards/twenty")
    took = (time.perf_counter() - begin) * 1000
    wrong = [(chart["title"], chart["error"]) for chart in page["charts"] if "error" in chart]
    assert not wrong, wrong
    assert len(page["charts"]) == 20
    return took, page


def cpu_ms(server):
    """What the program has computed so far: says more than the clock where the machine does other things too."""
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def make(server):
    """The table and the dashboard."""
    sql(server, "create table sales (day date, store_id int, region text, category text, units int, price double)")
    for part in range(10):
        sql(server, f"insert into sales select date '2026-01-01' + (i % 120)::int, 1 + (hash(i) % 200)::int, "
                    f"'region ' || (i % 8), 'category ' || (hash(i + 1) % 12), (i % 23)::int, 1 + (i % 37) / 10.0 "
                    f"from range({part * ROWS // 10}, {(part + 1) * ROWS // 10}) t(i)")
    plan = ask(server, "POST", "/api/v1/plan", {"lakefile": LAKEFILE})
    ask(server, "POST", "/api/v1/apply", {"lakefile": LAKEFILE, "plan": plan["plan"]})


def change(server):
    sql(server, "insert into sales values (date '2026-04-30', 1, 'region 1', 'category 1', 1, 1.0)")


def measure(runs=5):
    """{"changed": ms, "cpu": ms, "kept": ms, "charts": {title: ms}}: medians; each `changed` look follows a new row."""
    with TarnServer() as server:
        make(server)
        look(server)
        changed, cpu, kept, charts = [], [], [], {}
        for _ in range(runs):
            change(server)
            before = cpu_ms(server)
            took, page = look(server)
            cpu.append(cpu_ms(server) - before)
            changed.append(took)
            for chart in page["charts"]:
                charts.setdefault(chart["title"], []).append(chart["milliseconds"])
            kept.append(look(server)[0])
        return {"changed": statistics.median(changed), "cpu": statistics.median(cpu), "kept": statistics.median(kept),
                "charts": {title: statistics.median(values) for title, values in charts.items()}}


if __name__ == "__main__":
    found = measure()
    print(f"{ROWS:,} rows: {found['changed']:.0f} ms after a change ({found['cpu']:.0f} ms of CPU), {found['kept']:.0f} ms when nothing has changed")
    for title, value in sorted(found["charts"].items(), key=lambda one: -one[1]):
        print(f"  {value:8.1f} ms  {title}")
