#!/usr/bin/env python3
"""The house rules that a machine can check. Each prints 'ok NAME' or 'FAILED NAME' and how to mend it.

The module law is read from the tarn_module() declarations in src/**/CMakeLists.txt, which are also what the build links.
Numbers that may only fall stand in tools/ratchet.json.
"""
import json
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
SRC = TOP / "src"
RATCHET = TOP / "tools" / "ratchet.json"
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600

# An outside header and the module whose .cc files may include it.
FENCES = {
    "boost/": ["net"],
    "duckdb": ["query"],
    "rocksdb/": ["meta", "ingest"],
    "xgboost/": ["models"],
    "libpq-fe.h": ["ingest"],
    "curl/": ["net"],
    "yaml-cpp/": ["lakefile"],
    "prometheus/": ["base"],
    "spdlog/": ["base"],
    "CLI/": ["app"],
}


class Module:
    def __init__(self, name, layer, modules, test_modules):
        self.name, self.layer, self.modules, self.test_modules = name, layer, modules, test_modules


def modules():
    found = {}
    for lists in sorted(SRC.rglob("CMakeLists.txt")):
        for body in re.findall(r"tarn_module\(([^)]*)\)", lists.read_text()):
            words = body.split()
            groups, group = {}, "head"
            for word in words[2:]:
                if re.fullmatch(r"[A-Z_]+", word):
                    group = word
                else:
                    groups.setdefault(group, []).append(word)
            found[words[0]] = Module(words[0], int(words[1]), groups.get("MODULES", []), groups.get("TEST_MODULES", []))
    return found


def module_of(path, known):
    """The longest module name that is a folder above the file."""
    relative = path.relative_to(SRC).as_posix()
    names = [name for name in known if relative.startswith(name + "/")]
    return max(names, key=len) if names else None


def reachable(module, known):
    seen, todo = set(), [module]
    while todo:
        for name in known[todo.pop()].modules:
            if name not in seen and name in known:
                seen.add(name)
                todo.append(name)
    return seen


def sources():
    return sorted(p for p in SRC.rglob("*") if p.suffix in (".h", ".cc"))


def includes(path):
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+["<]([^">]+)[">]', line)
        if match:
            yield number, match.group(1), '"' in line


def rule_module_law(known):
    problems = []
    for path in sources():
        here = module_of(path, known)
        if here is None:
            problems.append(f"{path.relative_to(TOP)}: in no module; declare one with tarn_module()")
            continue
        allowed = {here} | reachable(here, known)
        if re.search(r"_(test|fuzz|bench)\.cc$", path.name):
            for extra in known[here].test_modules:
                allowed |= {extra} | reachable(extra, known)
        for number, header, quoted in includes(path):
            target = SRC / header
            if not quoted or not target.exists():
                continue
            there = module_of(target, known)
            if there not in allowed:
                problems.append(f"{path.relative_to(TOP)}:{number}: {here} may not include {header}; move the word down, "
                                f"pass a function up, or declare {there} in src/{here}/CMakeLists.txt")
            if there != here and "/internal/" in header:
                problems.append(f"{path.relative_to(TOP)}:{number}: {header} is internal to {there}; use its public header")
    return problems


def rule_arrows_point_down(known):
    problems = []
    for module in known.values():
        for name in module.modules:
            if name not in known:
                problems.append(f"{module.name}: depends on {name}, which no tarn_module() declares")
            elif known[name].layer > module.layer:
                problems.append(f"{module.name} (layer {module.layer}) may not depend on {name} (layer {known[name].layer})")
        if module.name in reachable(module.name, known):
            problems.append(f"{module.name} reaches itself: move a word down or pass a function up")
    return problems


def rule_fenced_headers(known):
    problems = []
    for path in sources():
        here = module_of(path, known)
        for number, header, _ in includes(path):
            for fence, owners in FENCES.items():
                if not header.startswith(fence):
                    continue
                inner = path.suffix == ".cc" or "internal" in path.parts
                if here not in owners or not inner:
                    problems.append(f"{path.relative_to(TOP)}:{number}: {header} belongs in {', '.join(owners)}, in .cc files "
                                    "or internal/ headers only")
    return problems


def rule_readme_per_module(known):
    return [f"src/{name}/README.md is missing: say what the module is for, how it works, what must hold"
            for name in sorted(known) if not (SRC / name / "README.md").exists()]


def long_functions():
    """Counts lines from an opening line at class or namespace level to its closing brace. Tests are tables more often than not."""
    found = []
    for path in sources():
        if path.name.endswith("_test.cc"):
            continue
        lines = path.read_text(errors="replace").splitlines()
        start, indent = None, ""
        for number, line in enumerate(lines, 1):
            if start is None:
                stripped = line.lstrip(" ")
                if len(line) - len(stripped) <= 4 and line.rstrip().endswith("{") and "(" in line + "".join(lines[max(0, number - 4):number - 1]) \
                        and not re.match(r"(namespace|class|struct|enum|union|extern|\}|#|//)", stripped):
                    start, indent = number, line[:len(line) - len(stripped)]
            elif line.rstrip() in (indent + "}", indent + "};", indent + "});"):
                if number - start > FUNCTION_LINES_MAX:
                    found.append(f"{path.relative_to(TOP)}:{start} ({number - start} lines)")
                start = None
    return found


def ratchet(name, found, what):
    limits = json.loads(RATCHET.read_text()) if RATCHET.exists() else {}
    limit = limits.get(name, 0)
    if len(found) > limit:
        return [f"{len(found)} {what}, at most {limit} are allowed and the number may only fall (tools/ratchet.json):"] + found
    return []


def rule_function_length(_known):
    return ratchet("long_functions", long_functions(), f"functions above {FUNCTION_LINES_MAX} lines")


def rule_file_length(_known):
    found = []
    for path in sources():
        count = len(path.read_text(errors="replace").splitlines())
        if count > FILE_LINES_MAX and not path.name.endswith("_test.cc"):
            found.append(f"{path.relative_to(TOP)} ({count} lines): look for the second idea inside")
    return ratchet("long_files", found, f"files above {FILE_LINES_MAX} lines")


def rule_docs_linked(_known):
    """Every relative link in the documentation leads somewhere."""
    problems = []
    pages = [p for p in TOP.glob("*.md")] + [p for p in (TOP / "docs").rglob("*.md")] + [p for p in SRC.rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
            if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
                problems.append(f"{page.relative_to(TOP)}: the link to {target} leads nowhere")
    return problems


RULES = [rule_module_law, rule_arrows_point_down, rule_fenced_headers, rule_readme_per_module, rule_function_length,
         rule_file_length, rule_docs_linked]


def main():
    known = modules()
    failed = 0
    for rule in RULES:
        name = rule.__name__.removeprefix("rule_")
        problems = rule(known)
        print(("FAILED " if problems else "ok ") + name)
        for problem in problems:
            print("  " + problem)
        failed += bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
