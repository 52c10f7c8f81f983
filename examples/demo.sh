#!/usr/bin/env bash
# ./x demo [--once | --pull-the-plug]: the beverage company from end to end. Everything it makes is in one folder.
set -euo pipefail
cd "$(dirname "$0")/.."
exec /usr/bin/python3 examples/beverages/demo.py "$@"
