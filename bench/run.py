#!/usr/bin/env python3
"""./x bench [WORD ...]: name, figure, peer or limit, ratio, goal. WORDs select benchmarks by name."""
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests"))
sys.path.insert(0, str(TOP / "bench"))

BUILD = TOP / "build" / "release"
RUNS = int(os.environ.get("TARN_BENCH_RUNS", "5"))


class Row:
    def __init__(self, name, figure, unit, peer=None, peer_name="", goal="", met=None):
        self.name, self.figure, self.unit, self.peer, self.peer_name = name, figure, unit, peer, peer_name
        self.goal, self.met = goal, met

    def ratio(self):
        return None if not self.peer else self.figure / self.peer


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def show(rows):
    head = ["name", "figure", "peer or limit", "ratio", "goal", "met"]
    lines = [head]
    for row in rows:
        ratio = row.ratio()
        lines.append([row.name, f"{number(row.figure)} {row.unit}",
                      f"{row.peer_name}: {number(row.peer)} {row.unit}" if row.peer else row.peer_name,
                      f"{ratio:.2f}" if ratio else "", row.goal, {True: "yes", False: "no", None: ""}[row.met]])
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for i, line in enumerate(lines):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
        if i == 0:
            print("  ".join("-" * width for width in widths))


def build(*targets):
    subprocess.run(["ninja", "-C", str(BUILD), *targets], check=True, stdout=subprocess.DEVNULL)


def google_benchmark(target, pattern):
    """Medians of real time per benchmark name, and its counters."""
    build(target)
    program = next(BUILD.glob(f"src/**/{target}"))
    out = subprocess.run([str(program), f"--benchmark_filter={pattern}", f"--benchmark_repetitions={RUNS}",
                          "--benchmark_report_aggregates_only=true", "--benchmark_format=json"],
                         check=True, capture_output=True, text=True).stdout
    return {b["run_name"]: b for b in json.loads(out)["benchmarks"] if b.get("aggregate_name") == "median"}


def start_to_ready():
    from tarn_server import TarnServer
    seconds = []
    server = TarnServer()
    for _ in range(RUNS + 1):
        began = time.monotonic()
        server.start()
        seconds.append(time.monotonic() - began)
        server.stop()
    server.close()
    ms = statistics.median(seconds[1:]) * 1000
    return [Row("start to ready, existing lake", ms, "ms", goal="150 ms", met=ms <= 150)]


def idle_memory():
    from tarn_server import TarnServer
    with TarnServer() as server:
        time.sleep(2)
        status = pathlib.Path(f"/proc/{server.ready['pid']}/status").read_text()
        mb = int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024
    return [Row("idle memory, resident", mb, "MB", goal="80 MB", met=mb <= 80)]


def s3_small_objects():
    """wrk with requests that are signed beforehand: what is measured is the server, not a client's signing."""
    from load import s3_load
    from tarn_server import TarnServer
    rows = []
    with TarnServer() as server:
        put = statistics.median(s3_load(server, "PUT", 4096, 64, seconds=5) for _ in range(RUNS))
        get = statistics.median(s3_load(server, "GET", 4096, 64, seconds=5) for _ in range(RUNS))
    limit = bare_log_rate()
    rows.append(Row("S3 put 4 KiB, 64 connections", put, "op/s", limit, "bare group-commit log", "30 %",
                    None if not limit else put >= 0.3 * limit))
    rows.append(Row("S3 get 4 KiB, 64 connections", get, "op/s"))
    return rows


def rate_of(results, word):
    for name, result in results.items():
        if word in name.lower():
            return result.get("items_per_second", 0)
    return 0


def bare_log_rate():
    return rate_of(google_benchmark("tarn_wal_bench", "bare_log/4096"), "bare_log/4096")


def commits():
    results = google_benchmark("tarn_wal_bench", "/4096")
    ours, bare = rate_of(results, "tarn_log/4096"), rate_of(results, "bare_log/4096")
    rows = [Row("log commits 4 KiB, 64 writers", ours, "op/s", bare, "bare group-commit log", "90 %",
                ours >= 0.9 * bare if bare else None)]
    return rows


def sql_on_iceberg():
    from sql import measure
    rows = [Row(f"SQL, {name}", ours, "ms", theirs, "plain DuckDB, same files", "1.1x", ours <= 1.1 * theirs)
            for name, ours, theirs in measure(RUNS)]
    ratio = statistics.geometric_mean(row.ratio() for row in rows)
    rows.append(Row("SQL, geometric mean of the ratios", ratio, "x", goal="1.1x", met=ratio <= 1.1))
    return rows


def dropped_files():
    """One CSV file of a million rows and seven columns, from the drop folder to the committed table, with its types guessed."""
    results = google_benchmark("tarn_ingest_bench", "csv_to_iceberg")
    rate = rate_of(results, "csv_to_iceberg")
    return [Row("CSV file to typed Iceberg, rows per CPU second", rate, "rows/s", goal="1,000,000", met=rate >= 1e6)]


def postgres_load():
    """3 million rows of 16 columns, with the start and the rest of the server counted in."""
    from postgres_load import measure
    runs = measure(RUNS)
    if runs is None:
        return []
    per_cpu, per_wall, peak = (statistics.median(column) for column in zip(*runs))
    return [Row("PostgreSQL full load, rows per own CPU second", per_cpu, "rows/s", goal="300,000", met=per_cpu >= 300_000),
            Row("PostgreSQL full load, both on this machine", per_wall, "rows/s"),
            Row("PostgreSQL full load, peak memory", peak, "MB", goal="512", met=peak <= 512)]


def mqtt_publishes():
    """Ours are in the synced log when they are acknowledged; Mosquitto's are in memory."""
    from mqtt import landing, measure
    ours, theirs = measure(RUNS)
    rows = []
    for i, unit in enumerate(("per second", "per CPU second")):
        figure = statistics.median(run[i] for run in ours)
        peer = statistics.median(run[i] for run in theirs) if theirs else None
        rows.append(Row(f"MQTT QoS 1 publishes with PUBACK, {unit}", figure, "msg/s", peer, "Mosquitto, not durable"))
    rates, waits = landing(RUNS)
    rows.append(Row("MQTT readings into a table, per CPU second of all", statistics.median(rates), "rows/s"))
    rows.append(Row("MQTT reading, PUBACK to row, commit: 50ms, median", statistics.median(waits), "ms"))
    rows.append(Row("MQTT reading, PUBACK to row, commit: 50ms, worst of 60", waits[-1], "ms"))
    return rows


def reading_to_webhook():
    """Published or inserted to received, signed: source, commit, rule and delivery. Includes the client's own part."""
    from alerts import measure, quantile
    rows = []
    for name, values in measure(200).items():
        what = "sensor reading to webhook" if name == "reading" else "row by SQL to webhook"
        rows.append(Row(f"{what}, p50", quantile(values, 0.5), "ms"))
        p99 = quantile(values, 0.99)
        rows.append(Row(f"{what}, p99", p99, "ms", goal="250 ms, none lost", met=p99 <= 250 and len(values) == 200))
    return rows


def dashboards():
    import dashboard
    found = dashboard.measure(RUNS)
    return [Row("dashboard, 20 charts over 10 M rows, after a change", found["changed"], "ms", goal="1,500 ms", met=found["changed"] <= 1500),
            Row("dashboard, 20 charts over 10 M rows, CPU of all cores", found["cpu"], "ms"),
            Row("dashboard, 20 charts, nothing changed", found["kept"], "ms")]


def capture():
    """A database followed change by change: a backlog of log against a reader that keeps nothing, freshness, memory."""
    from capture import drain, fresh
    drained = drain()
    if drained is None:
        return []
    ours, peer, memory, _ = drained
    p99, memory_fresh, rate = fresh()
    return [Row("a backlog of a database's log into tables", ours, "changes/s", peer, "pg_recvlogical alone", "0.9x", ours >= 0.9 * peer),
            Row("following a backlog, peak memory", memory, "MB", goal="512", met=memory <= 512),
            Row(f"commit there to visible here, p99 at {rate:,.0f} changes/s", p99, "ms", goal="1,200", met=p99 <= 1200),
            Row("following steadily, peak memory", memory_fresh, "MB", goal="512", met=memory_fresh <= 512)]


def upserts():
    """2,000 updates a second on 10 million rows, followed by change capture; the hour by TARN_BENCH_UPSERT_SECONDS=3600."""
    from upserts import measure
    seconds = int(os.environ.get("TARN_BENCH_UPSERT_SECONDS", "300"))
    measured = measure(seconds)
    if measured is None:
        return []
    hot, copy, updates, _ = measured
    return [Row(f"scan after {seconds} s of {updates:,.0f} updates/s on 10 M rows, CPU", hot, "ms", copy, "a fresh copy", "1.25x",
                hot <= 1.25 * copy)]


BENCHMARKS = {"start": start_to_ready, "memory": idle_memory, "commits": commits, "s3": s3_small_objects, "sql": sql_on_iceberg,
              "files": dropped_files, "postgres": postgres_load, "mqtt": mqtt_publishes, "alerts": reading_to_webhook,
              "capture": capture, "upserts": upserts, "dashboards": dashboards}


def main():
    words = sys.argv[1:]
    unknown = [w for w in words if w not in BENCHMARKS]
    if unknown:
        print(f"bench: no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
        return 2
    rows = []
    for name, run in BENCHMARKS.items():
        if words and name not in words:
            continue
        print(f"bench: {name} ...", file=sys.stderr, flush=True)
        rows += run()
    show(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
