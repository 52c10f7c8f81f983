#!/usr/bin/env bash
# ./x example NAME: runs examples/NAME.
set -euo pipefail
cd "$(dirname "$0")/.."
name=${1:-}
if [ -z "$name" ] || [ ! -f "examples/$name/run.py" ]; then
  echo "usage: ./x example NAME; there are: $(cd examples && ls -d */run.py 2>/dev/null | xargs -n1 dirname | tr '\n' ' ')"
  exit 2
fi
shift
exec /usr/bin/python3 "examples/$name/run.py" "$@"
