#!/usr/bin/env python3
"""Builds the fuzz targets (every x_fuzz.cc) with clang and runs each for a while, from its own seeds and what earlier runs found.

  tools/fuzz.py [--seconds 60] [--jobs N] [--no-build] [WORD ...]     WORDs select targets by name

What is worth keeping stays in build/fuzz/corpus/TARGET; an input that breaks a target lies in build/fuzz/found, and
`build/fuzz/src/.../TARGET FILE` runs it again. A found case becomes a unit test with the input as a literal.
"""
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = TOP / "build" / "fuzz"
# Leaks are looked for at the end of a run; a single input may take 10 s and 2 GB.
LIMITS = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=16384", "-print_final_stats=1"]


def build(jobs):
    environment = dict(os.environ, CCACHE_SLOPPINESS="pch_defines,time_macros")
    subprocess.run(["cmake", "--preset", "fuzz", "-Wno-dev"], cwd=TOP, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", str(BUILD), "-j", str(jobs), "fuzzers"], check=True, env=environment)


def targets(words):
    found = sorted(p for p in BUILD.glob("src/**/*_fuzz") if p.is_file() and os.access(p, os.X_OK))
    return [p for p in found if not words or any(word in p.name for word in words)]


def run_one(program, seconds):
    """None when all is well, else what broke it and where the input lies."""
    corpus, found = BUILD / "corpus" / program.name, BUILD / "found"
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(exist_ok=True)
    subprocess.run([str(program), "--write-seeds", str(corpus)], check=True, timeout=60)
    done = subprocess.run([str(program), f"-max_total_time={seconds}", f"-artifact_prefix={found}/{program.name}-", *LIMITS,
                           str(corpus)], capture_output=True, text=True, errors="replace", cwd=BUILD)
    executions = [line.split()[-1] for line in done.stderr.splitlines() if line.startswith("stat::number_of_executed_units")]
    if done.returncode == 0:
        return f"{executions[0] if executions else '?'} inputs", None
    return "FAILED", done.stderr[-6000:]


def run_all(seconds, jobs, words=()):
    """How many targets passed, and the names of those that did not."""
    passed, failed = 0, []
    programs = targets(words)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for program, (said, trouble) in zip(programs, pool.map(lambda p: run_one(p, seconds), programs)):
            print(f"  {program.name}: {said}, {seconds} s", flush=True)
            if trouble is None:
                passed += 1
            else:
                print(trouble)
                failed.append(f"fuzz: {program.name}")
    return passed, failed


def main():
    parser = argparse.ArgumentParser(prog="tools/fuzz.py", description="builds and runs the fuzz targets")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--no-build", action="store_true", help="run what was built before")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    if not options.no_build:
        build(options.jobs)
    passed, failed = run_all(options.seconds, options.jobs, options.words)
    print("\n".join([f"failed: {name}" for name in failed] + [f"{passed} passed, {len(failed)} failed"]))
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
