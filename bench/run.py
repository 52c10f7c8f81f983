#!/usr/bin/env python3
"""./x bench [--keep] [NAME ...]: all benchmarks, then docs/benchmarks.md; or those named, printed only. With --keep the named ones take
their place on the page, beside what was kept of the others."""
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests"))
sys.path.insert(0, str(TOP / "bench"))

from page import Row, cores_in_use, keep, number, show, write  # noqa: E402

BUILD = TOP / "build" / "release"
RUNS = int(os.environ.get("TARN_BENCH_RUNS", "5"))


def build(*targets):
    if os.environ.get("TARN_BENCH_BUILD") == "0":  # what is built already
        return
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


def idle():
    from load import cpu_seconds
    from tarn_server import TarnServer
    with TarnServer() as server:
        time.sleep(2)
        pid = server.ready["pid"]
        cpu, began = cpu_seconds(pid), time.monotonic()
        time.sleep(20)
        share = (cpu_seconds(pid) - cpu) / (time.monotonic() - began) * 100
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        mb = int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024
    return [Row("idle memory, resident", mb, "MB", goal="80 MB", met=mb <= 80),
            Row("idle, of a core", share, "%", goal="0.5 %", met=share <= 0.5)]


def s3_small():
    """4 KiB over 64 connections, signed beforehand: what is measured is the server, and wrk's own CPU stands beside it."""
    from s3_objects import small
    found = small(RUNS, bare_log_rate)
    rows = [ratio_row("S3 put 4 KiB, 64 connections", found, "put", "bare log", "op/s", "bare group-commit log", 0.3),
            ratio_row("S3 get 4 KiB, 64 connections", found, "get", "nginx", "op/s", "nginx, a file", 0.5)]
    for verb in ("put", "get"):
        rows.append(Row(f"S3 {verb} 4 KiB, CPU of the server for each", found[f"{verb} cpu"], "us", found[f"{verb} client"],
                        "the client's own"))
    return rows


def s3_large():
    from s3_objects import large
    found = {name: rate / 1e6 for name, rate in large(RUNS).items()}
    return [ratio_row("S3 get 64 MiB, 2 connections", found, "get", "nginx", "MB/s", "nginx, sendfile", 0.9),
            ratio_row("S3 put 64 MiB, one stream", found, "put", "md5", "MB/s", "MD5 on one core", 0.85)]


def s3_many():
    """A million keys: TARN_BENCH_KEYS makes them fewer, and the names say so."""
    from s3_objects import LISTED, many
    count = int(os.environ.get("TARN_BENCH_KEYS", LISTED))
    found = many(min(RUNS, 3), count)
    rows = [(f"S3 list of {count:,} keys, all pages", "all", 2.5 * count / LISTED), ("S3 list with a delimiter, 1,000 prefixes", "prefixes", 0.02),
            (f"start with {count:,} objects", "start", 2), (f"start with {count:,} objects after a kill", "start after a kill", 2)]
    return [Row(name, found[key] * 1000, "ms", goal=f"{number(goal * 1000)} ms", met=found[key] <= goal) for name, key, goal in rows]


def ratio_row(name, found, ours, peer, unit, peer_name, goal):
    limit = found.get(peer)
    return Row(name, found[ours], unit, limit, peer_name if limit else f"{peer_name}: not installed", f"{goal:.0%}",
               found[ours] >= goal * limit if limit else None)


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


def tpch():
    """The 22 queries at scale factor 1 (TARN_BENCH_SCALE: another), then by a user with a row filter and masks beside root's views."""
    from tpch import means, measure
    scale = float(os.environ.get("TARN_BENCH_SCALE", "1"))
    found, loaded = measure(scale, min(RUNS, 3))
    rows = [Row(f"TPC-H {one.name}, scale {scale:g}", one.ours, "ms", one.theirs, "plain DuckDB, same files") for one in found["plain"]]
    for kind, goal, name in (("plain", 1.05, "to plain DuckDB"), ("governed", 1.1, "with a filter and masks, to views of the same")):
        clock, cpu = means(found[kind])
        rows.append(Row(f"TPC-H, geometric mean of the ratios {name}", clock, "x", goal=f"{goal}x", met=clock <= goal))
        rows.append(Row("the same of CPU time", cpu, "x"))
    return rows + [Row("TPC-H, loading by COPY", loaded, "s")]


def sql_short():
    """Short statements, many files, many connections. A look-up's key is the table's order: bounds and row groups are what finds it."""
    from sql_short import measure
    found = measure()
    rows = [Row("psql, select 1, median", found["select 1"], "ms", goal="1 ms", met=found["select 1"] <= 1),
            Row("point look-up in 10 M rows in the key's order, median", found["ordered"], "ms", goal="10 ms", met=found["ordered"] <= 10),
            Row("point look-up in 10 M rows in any order, median", found["anywhere"], "ms"),
            Row("planning a scan of 10,000 files, median", found["plan"], "ms", goal="50 ms", met=found["plan"] <= 50),
            Row("one value of a table of 10,000 files, median", found["one value"], "ms"),
            Row("count(*) of a table of 10,000 files, median", found["count"], "ms"),
            Row("1,000 connections, memory of each", found["each"] / 1024, "KiB"),
            Row("1,000 connections, select on each, median", found["crowd"], "ms", goal="each answers", met=True)]
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
    from mqtt import crowd, landing, measure, puback_waits
    ours, theirs = measure(RUNS)
    rows = []
    for i, (unit, goal) in enumerate((("per second", None), ("per CPU second", 1.4))):
        figure = statistics.median(run[i] for run in ours)
        peer = statistics.median(run[i] for run in theirs) if theirs else None
        rows.append(Row(f"MQTT QoS 1 publishes with PUBACK, {unit}", figure, "msg/s", peer, "Mosquitto, not durable",
                        f"{goal}x" if goal else "", figure >= goal * peer if goal and peer else None))
    waits, bare = puback_waits()
    p99, limit = (values[int(len(values) * 0.99)] for values in (waits, bare))
    rows.append(Row("MQTT PUBACK of one publish at a time, p99", p99, "ms", limit, "a bare write and fdatasync, p99", "3x", p99 <= 3 * limit))
    each, count = crowd()
    rows.append(Row(f"MQTT, memory of each of {count:,} idle connections", each, "KiB", goal="20 KiB", met=each <= 20))
    rates, waits = landing(RUNS)
    rows.append(Row("MQTT readings into a table, per CPU second of all", statistics.median(rates), "rows/s"))
    rows.append(Row("MQTT reading, PUBACK to row, commit: 50ms, median", statistics.median(waits), "ms"))
    rows.append(Row("MQTT reading, PUBACK to row, commit: 50ms, worst of 60", waits[-1], "ms"))
    return rows


def reading_to_webhook():
    """Published or inserted to received, signed: source, commit, rule and delivery. Includes the client's own part."""
    from alerts import busy, measure, quantile
    rows = []
    for name, values in measure(100).items():
        what = "sensor reading to webhook" if name == "reading" else "row by SQL to webhook"
        rows.append(Row(f"{what}, p50", quantile(values, 0.5), "ms"))
        rows.append(Row(f"{what}, p99", quantile(values, 0.99), "ms"))
    values, rate = busy(100)
    p99 = quantile(values, 0.99)
    rows.append(Row(f"sensor reading to webhook beside {rate:,.0f} readings/s, p50", quantile(values, 0.5), "ms"))
    rows.append(Row(f"sensor reading to webhook beside {rate:,.0f} readings/s, p99", p99, "ms", goal="250 ms at 20,000/s, none lost",
                    met=p99 <= 250 and len(values) == 100 and rate >= 19_000))
    return rows


def table_appends():
    from appends import WRITERS, measure
    rate, failed, cpu = measure()
    return [Row(f"INSERTs into one table by {WRITERS} writers, each a commit", rate, "commits/s", goal="500, none failing",
                met=rate >= 500 and failed == 0),
            Row("the same, CPU of the server for each", cpu, "ms")]


def dashboards():
    import dashboard
    found = dashboard.measure(RUNS)
    return [Row("dashboard, 20 charts over 10 M rows, after a change", found["changed"], "ms", goal="1,500 ms", met=found["changed"] <= 1500),
            Row("dashboard, 20 charts over 10 M rows, CPU of all cores", found["cpu"], "ms"),
            Row("dashboard, 20 charts, nothing changed", found["kept"], "ms")]


def console():
    """By the browser's own clock, with an empty cache."""
    import browser
    found = browser.measure(RUNS)
    if found is None:
        return []
    return [Row("console, first paint by a sign-in link", found["paint"], "ms", peer=found["text"], peer_name="a page of plain text", goal="400 ms", met=found["paint"] <= 400),
            Row("console, scripts and styles before it", found["entry"] / 1000, "kB", goal="60 kB", met=found["entry"] <= 60_000),
            Row("console, 20 charts over 10 M rows drawn, after a change", found["drawn"], "ms", goal="1,500 ms", met=found["drawn"] <= 1500),
            Row("console, 20 charts drawn, nothing changed", found["kept"], "ms")]


def capture():
    """A database followed change by change: a backlog of log against a reader that keeps nothing, freshness, memory."""
    from capture import drain, fresh
    drained = drain()
    if drained is None:
        return []
    ours, peer, memory, _ = drained
    seen = fresh()
    return [Row("a backlog of a database's log into tables", ours, "changes/s", peer, "pg_recvlogical alone", "0.9x", ours >= 0.9 * peer),
            Row("following a backlog, peak memory", memory, "MB", goal="512", met=memory <= 512),
            Row(f"commit there to visible here, p50 at {seen.changes:,.0f} changes/s", seen.p50, "ms"),
            Row(f"commit there to visible here, p99 at {seen.changes:,.0f} changes/s", seen.p99, "ms", goal="1,200", met=seen.p99 <= 1200),
            Row("following steadily, processor", seen.cpu, "of one"),
            Row("following steadily, peak memory", seen.memory_mb, "MB", goal="512", met=seen.memory_mb <= 512)]


def upserts():
    """2,000 updates a second on 10 million rows, followed by change capture; the hour by TARN_BENCH_UPSERT_SECONDS=3600."""
    from upserts import measure
    seconds = int(os.environ.get("TARN_BENCH_UPSERT_SECONDS", "120"))
    done = measure(seconds)
    if done is None:
        return []
    return [Row(f"scan after {seconds} s of {done.updates_per_second:,.0f} updates/s on 10 M rows, CPU", done.scan_cpu_ms, "ms",
                done.copy_cpu_ms, "a fresh copy", "1.25x", done.scan_cpu_ms <= 1.25 * done.copy_cpu_ms)]


BENCHMARKS = {"start": start_to_ready, "idle": idle, "commits": commits, "s3": s3_small, "large": s3_large, "many": s3_many,
              "appends": table_appends, "files": dropped_files, "mqtt": mqtt_publishes, "alerts": reading_to_webhook,
              "postgres": postgres_load, "capture": capture, "upserts": upserts, "sql": sql_on_iceberg,
              "tpch": tpch, "short": sql_short, "dashboards": dashboards, "console": console}


def main():
    words = [word for word in sys.argv[1:] if word != "--keep"]
    kept = not words or "--keep" in sys.argv[1:]
    unknown = [w for w in words if w not in BENCHMARKS]
    if unknown:
        print(f"bench: no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
        return 2
    rows, failed = [], []
    for name, run in BENCHMARKS.items():
        if words and name not in words:
            continue
        print(f"bench: {name} ...", file=sys.stderr, flush=True)
        others, began = cores_in_use(), time.monotonic()
        try:
            found = run()
        except Exception as error:  # the others still count
            failed.append(f"{name}: {error!r:.300}")
            continue
        if kept:
            keep(name, found, others, time.monotonic() - began)
        rows += found
    show(rows)
    for line in failed:
        print(f"bench: FAILED {line}", file=sys.stderr)
    if kept:
        write(BENCHMARKS)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
