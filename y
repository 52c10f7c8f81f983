#!/usr/bin/env bash
# The one front door. ./x help
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'TEXT'
./x setup            install what is missing (Debian packages, DuckDB, test clients, the console's tools); --develop adds clang tools
./x build [TARGET]   build/release/tarn, the program that ships; all: with tests and benchmarks
./x run [ARGS]       build, then tarn serve with its data in ./data (ARGS go to tarn serve)
./x test [WORDS]     build and test; --quick: under two minutes; --long: hours of crash runs and fuzzing; WORDS select tests
./x fmt              lay out the C++ files (clang-format)
./x tidy             check the house rules (modules, headers, sizes); --clang runs clang-tidy too
./x bench [WORDS]    the benchmarks: name, figure, peer or limit, ratio, goal
./x demo [--once]    the beverage company from end to end (also --pull-the-plug, --fresh, --folder DIR)
./x example NAME     run one of examples/
./x help             this text
TEXT
}

jobs() { nproc; }
export CCACHE_SLOPPINESS=pch_defines,time_macros  # without it ccache keeps nothing that uses a precompiled header

build() {  # PRESET [TARGET...]
  local preset=$1; shift
  [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" -Wno-dev >/dev/null
  echo "build: $preset ($(jobs) jobs)"
  ninja -C "build/$preset" -j "$(jobs)" "$@" | grep -v '^ninja: Entering' || return "${PIPESTATUS[0]}"
}

command=${1:-help}
[ $# -gt 0 ] && shift
case $command in
  setup) exec tools/setup.sh "$@" ;;
  build) tools/setup.sh; build release "${@:-tarn}" ;;
  run) tools/setup.sh; build release tarn; exec build/release/tarn serve --data data "$@" ;;
  test) tools/setup.sh; exec python3 tools/test.py "$@" ;;
  fmt)
    tools/setup.sh --develop
    git ls-files -co --exclude-standard 'src/*.h' 'src/*.cc' 'bench/*.cc' | xargs -r clang-format-14 -i
    echo "fmt: done" ;;
  tidy)
    if [ "${1:-}" = --clang ]; then
      tools/setup.sh --develop
      cmake --preset clang -Wno-dev >/dev/null
      git ls-files 'src/*.cc' | grep -v '_fuzz.cc$' | xargs -r -P "$(jobs)" -n 4 clang-tidy-14 --quiet -p build/clang
    fi
    exec python3 tools/tidy.py ;;
  bench) tools/setup.sh; build release; exec /usr/bin/python3 bench/run.py "$@" ;;
  demo | example)
    [ -x "examples/$command.sh" ] || { echo "./x $command: not built yet"; exit 2; }
    tools/setup.sh; build release tarn beverages_simulator; exec "examples/$command.sh" "$@" ;;
  help | --help | -h) usage ;;
  *) echo "x: no command '$command'"; usage; exit 2 ;;
esac
