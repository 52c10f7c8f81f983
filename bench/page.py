"""What a benchmark found, on the terminal and on docs/benchmarks.md. Each benchmark's last rows are kept in build/bench, with the
time and the load of the machine when it began, so that one can be run again without the others."""
import json
import os
import pathlib
import platform
import re
import shutil
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
KEPT = TOP / "build" / "bench"
PAGE = TOP / "docs" / "benchmarks.md"
BUSY = 0.3  # cores that others use: more, and there is no verdict
HEAD = ["name", "ours", "peer or limit", "ratio", "goal", "met"]


class Row:
    """One line of the table. `met` is None where nothing was promised."""

    def __init__(self, name, figure, unit, peer=None, peer_name="", goal="", met=None):
        self.name, self.figure, self.unit, self.peer, self.peer_name = name, figure, unit, peer, peer_name
        self.goal, self.met = goal, met

    def ratio(self):
        return None if not self.peer else self.figure / self.peer

    def cells(self):
        ratio = self.ratio()
        return [self.name, f"{number(self.figure)} {self.unit}",
                f"{self.peer_name}: {number(self.peer)} {self.unit}" if self.peer else self.peer_name,
                f"{ratio:.2f}" if ratio else "", self.goal, {True: "yes", False: "no", None: ""}[self.met]]


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def show(rows):
    lines = [HEAD] + [row.cells() for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    for i, line in enumerate(lines):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
        if i == 0:
            print("  ".join("-" * width for width in widths))


def cores_in_use(seconds=1.0):
    """By everyone, while we do nothing: what runs beside a benchmark that begins now."""
    def ticks():
        fields = [int(x) for x in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        return sum(fields[:3]) + sum(fields[5:8])
    before, began = ticks(), time.monotonic()
    time.sleep(seconds)
    return (ticks() - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began)


def keep(name, rows, others, seconds):
    KEPT.mkdir(parents=True, exist_ok=True)
    found = {"at": time.strftime("%Y-%m-%d %H:%M", time.gmtime()), "others": others, "seconds": seconds, "rows": [row.cells() for row in rows]}
    (KEPT / f"{name}.json").write_text(json.dumps(found, indent=1))


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def machine():
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1)) / (1 << 20)
    disk = shutil.disk_usage(TOP).total / (1 << 30)
    kernel = platform.release().split("-")[0]
    return (f"{processor()}, {os.cpu_count()} cores (a virtual machine if it says so), {memory:.0f} GiB of memory, "
            f"a disk of {disk:.0f} GiB, Linux {kernel}.")


def sections_of(page):
    """The lines of each section by its name."""
    sections, lines = {}, []
    for line in page.rstrip("\n").split("\n"):
        if line.startswith("## "):
            lines = sections.setdefault(line[3:], [])
        lines.append(line)
    return {name: [*lines, ""] if lines[-1] else lines for name, lines in sections.items()}


def write(names):
    """docs/benchmarks.md from all that is kept, in the order of `names`; what only the page still has stays as it is."""
    sections = sections_of(PAGE.read_text() if PAGE.exists() else "")
    lines = ["# Benchmarks", "",
             "Written by `./x bench`; nothing here is edited by hand. Peers ran in turn with ours in the same call, on the same machine and "
             "disk; figures are medians. The ratios are the point, the absolute figures are this machine's:", "", machine(), "",
             "Each section says how many cores others kept busy when it began. Where that is more than a third of one, neither a figure nor its "
             "ratio to a peer says what a quiet machine would do, and the section has no verdict in \"met\".", ""]
    for name in names:
        path = KEPT / f"{name}.json"
        if not path.exists():
            lines += sections.get(name, [])
            continue
        found = json.loads(path.read_text())
        busy = found["others"] > BUSY
        for cells in found["rows"]:
            cells[-1] = "" if busy else cells[-1]
        lines += [f"## {name}", "", f"{found['at']} UTC, others used {found['others']:.1f} cores{': no verdict' if busy else ''}, "
                  f"took {found['seconds']:.0f} s.", "",
                  "| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
        lines += ["| " + " | ".join(cells) + " |" for cells in found["rows"]] + [""]
    PAGE.write_text("\n".join(lines).rstrip("\n") + "\n")
    print(f"bench: wrote {PAGE.relative_to(TOP)}")
