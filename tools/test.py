#!/usr/bin/env python3
"""Builds, runs the tests of a tier, prints one line: N passed, N failed, N skipped.

  tools/test.py [--quick | --long] [--sanitize thread|address] [WORD ...]

WORDs select unit-test programs and pytest tests by name. With --sanitize the program and the unit tests are built anew with a sanitizer, in
a folder of their own; each of its reports is a failure, whatever the test said.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

import fuzz

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = TOP / "build" / "release"
SANITIZERS = {"address": "dev", "thread": "tsan"}  # and their presets


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []

    def add(self, passed, failed, skipped, names=()):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        self.failures += names


def run(command, **options):
    return subprocess.run(command, cwd=TOP, **options)


def build():
    if not (BUILD / "build.ninja").exists():
        run(["cmake", "--preset", BUILD.name, "-Wno-dev"], check=True, stdout=subprocess.DEVNULL)
    print(f"build: {BUILD.name} ({os.cpu_count()} jobs)", flush=True)
    if run(["ninja", "-C", str(BUILD)]).returncode != 0:
        print("the build failed; its errors are above\n0 passed, 1 failed, 0 skipped")
        sys.exit(1)


def house_rules(tally):
    """Each rule of tools/tidy.py counts as one test."""
    done = run([sys.executable, "tools/tidy.py"], capture_output=True, text=True)
    print(done.stdout, end="", flush=True)
    rules = [line.split()[0:2] for line in done.stdout.splitlines() if line.startswith(("ok ", "FAILED "))]
    bad = [f"tidy: {name}" for state, name in rules if state == "FAILED"]
    tally.add(len(rules) - len(bad), len(bad), 0, bad)
    if not rules:
        tally.add(0, 1, 0, ["tools/tidy.py printed no result: " + done.stderr.strip()[-200:]])


def unit_tests(tally, words):
    programs = sorted(BUILD.glob("src/**/tarn_*_test"))
    programs = [p for p in programs if not words or any(w in p.name for w in words)]
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for program, done, report, took in pool.map(lambda p: unit_test(p, folder), programs):
            if not report.exists():
                print(done.stdout[-4000:])
                tally.add(0, 1, 0, [f"{program.name}: ended with {done.returncode} before its report"])
                continue
            result = json.loads(report.read_text())
            cases = [case for suite in result["testsuites"] for case in suite["testsuite"]]
            bad = [f"{program.name}: {c['classname']}.{c['name']}" for c in cases if c.get("failures")]
            skipped = sum(1 for c in cases if c.get("result") in ("SKIPPED", "SUPPRESSED"))
            tally.add(len(cases) - len(bad) - skipped, len(bad), skipped, bad)
            if bad or done.returncode != 0:
                print(done.stdout[-6000:])
            if done.returncode != 0 and not bad:
                tally.add(0, 1, 0, [f"{program.name}: ended with {done.returncode}"])
            print(f"  {program.name}: {len(cases)} tests, {took:.1f} s", flush=True)


def unit_test(program, folder):
    report = pathlib.Path(folder) / (program.name + ".json")
    began = time.monotonic()
    done = run([str(program), f"--gtest_output=json:{report}", "--gtest_brief=1"],
               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    return program, done, report, time.monotonic() - began


def clang_build(tally):
    """The second compiler sees what the first doesn't: locks that are not held, above all."""
    print("build: clang", flush=True)
    done = run(["cmake", "--preset", "clang", "-Wno-dev"], stdout=subprocess.DEVNULL)
    if done.returncode == 0:
        done = run(["ninja", "-C", "build/clang", "-k", "0"])
    failed = done.returncode != 0
    tally.add(not failed, failed, 0, ["clang does not compile all of it; its errors are above"] if failed else [])


def outside_tests(tally, tier, words):
    """pytest over tests/: the real program through its doors."""
    marks = {"quick": "quick", "all": "not long", "long": "quick or not quick"}[tier]
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "pytest.xml"
        command = ["/usr/bin/python3", "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", "-m", marks,
                   "-n", str(os.cpu_count() + 1), "--dist", "loadfile",  # files side by side: most tests wait more than they work
                   f"--junitxml={report}", "tests"]
        if words:
            command += ["-k", " or ".join(words)]
        environment = dict(os.environ, TARN_BINARY=str(BUILD / "tarn"), TARN_VENV=str(TOP / ".venv"))
        done = run(command, env=environment)
        if done.returncode == 5:
            return
        if not report.exists():
            tally.add(0, 1, 0, [f"pytest ended with {done.returncode} before its report"])
            return
        suite = xml.parse(report).getroot().find("testsuite")
        total, skipped = int(suite.get("tests")), int(suite.get("skipped"))
        bad = [f"{c.get('classname')}.{c.get('name')}" for c in suite.iter("testcase")
               if c.find("failure") is not None or c.find("error") is not None]
        tally.add(total - len(bad) - skipped, len(bad), skipped, bad)


def report_to(folder):
    """Sanitizers write what they find into files there. They look only at what was compiled with them: of the libraries that come built,
    a report about two of their own threads says nothing."""
    common = f"log_path={folder}/report"
    os.environ["TSAN_OPTIONS"] = f"{common} suppressions={TOP / 'tools' / 'tsan.supp'} history_size=4 detect_deadlocks=0 report_mutex_bugs=0"
    os.environ["ASAN_OPTIONS"] = f"{common} detect_leaks=0 detect_stack_use_after_return=1 alloc_dealloc_mismatch=0"
    os.environ["UBSAN_OPTIONS"] = f"{common} print_stacktrace=1"


def sanitizer_reports(tally, folder):
    for report in sorted(pathlib.Path(folder).glob("report*")):
        text = report.read_text(errors="replace")
        print(text[:6000])
        summaries = [line for line in text.splitlines() if line.startswith("SUMMARY")] or [text.strip()[:200]]
        for summary in sorted(set(summaries)):
            tally.add(0, 1, 0, [summary])


def main():
    global BUILD
    parser = argparse.ArgumentParser(prog="./x test", description="builds and tests")
    tiers = parser.add_mutually_exclusive_group()
    tiers.add_argument("--quick", action="store_true", help="under two minutes once built")
    tiers.add_argument("--long", action="store_true", help="hours: crash runs, fuzzers, soak")
    parser.add_argument("--sanitize", choices=sorted(SANITIZERS), help="with a build of its own that watches each access (slow)")
    parser.add_argument("words", nargs="*", help="only tests whose name holds one of these words")
    options = parser.parse_args()
    tier = "quick" if options.quick else "long" if options.long else "all"

    began = time.monotonic()
    if options.sanitize:
        BUILD = TOP / "build" / SANITIZERS[options.sanitize]
    build()
    tally = Tally()
    reports = tempfile.TemporaryDirectory()
    report_to(reports.name)
    if tier == "long":
        os.environ.setdefault("TARN_CRASH_POINTS", "10000")
    if not options.words:
        house_rules(tally)
    unit_tests(tally, options.words)
    outside_tests(tally, tier, options.words)
    if tier == "long" and not options.words:
        run(["tools/setup.sh", "--develop"], check=True)
        clang_build(tally)
        passed, failed, names = fuzz_all(seconds=int(os.environ.get("TARN_FUZZ_SECONDS", "60")))
        tally.add(passed, failed, 0, names)

    sanitizer_reports(tally, reports.name)
    reports.cleanup()
    for name in tally.failures:
        print(f"failed: {name}")
    print(f"took {time.monotonic() - began:.0f} s")
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    sys.exit(1 if tally.failed or not tally.passed else 0)


def fuzz_all(seconds):
    """Every x_fuzz.cc for a while."""
    fuzz.build(os.cpu_count())
    passed, names = fuzz.run_all(seconds, os.cpu_count())
    return passed, len(names), names


if __name__ == "__main__":
    main()
