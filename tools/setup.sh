#!/usr/bin/env bash
# Installs what is missing on Debian 12: packages, DuckDB, Python clients. Idempotent; no service is started or enabled.
#   tools/setup.sh [--develop]     --develop: clang tools too
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/pins.sh

wanted="$DEBIAN_BUILD $DEBIAN_TEST"
[ "${1:-}" = --develop ] && wanted="$wanted $DEBIAN_DEVELOP"

say() { printf '%s\n' "$*"; }
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else say "setup: '$*' needs root: run ./x setup as root, or install sudo"; exit 1; fi
}

check_system() {
  . /etc/os-release
  if [ "${ID:-}" != debian ] || [ "${VERSION_ID:-}" != 12 ]; then
    say "setup: tried on Debian 12 only; this is ${PRETTY_NAME:-unknown}. Going on."
  fi
  [ "$(uname -m)" = x86_64 ] || { say "setup: x86-64 only for now: DuckDB's library is pinned for it"; exit 1; }
}

missing_packages() {
  local name
  for name in $wanted; do
    # A Node.js from elsewhere brings npm along, and Debian's npm package cannot be installed beside it.
    case $name in nodejs) command -v node >/dev/null && continue ;; npm) command -v npm >/dev/null && continue ;; esac
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || printf '%s ' "$name"
  done
}

# Debian's packages start and enable their service when they are installed. A policy that says no, for as long as the
# installation lasts, keeps them from starting; what was enabled by it is disabled again. A service that was there before
# is left as it was.
install_packages() {
  local missing=$1 had_cluster_config=no policy=/usr/sbin/policy-rc.d made_policy=no service
  local wants=/etc/systemd/system/multi-user.target.wants enabled_before
  local cluster=/etc/postgresql-common/createcluster.d/tarn.conf
  say "setup: installing $(wc -w <<<"$missing") Debian packages (a minute or two) ..."
  enabled_before=" $(ls $wants 2>/dev/null | tr '\n' ' ')"
  [ -e /usr/share/postgresql-common ] && had_cluster_config=yes
  if [ ! -e $policy ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
  fi
  if [ $had_cluster_config = no ]; then
    as_root mkdir -p "$(dirname $cluster)"
    echo 'create_main_cluster = false' | as_root tee $cluster >/dev/null
  fi
  local log; log=$(mktemp)
  local failed=no
  as_root apt-get update -qq >"$log" 2>&1 || failed=yes
  # shellcheck disable=SC2086
  [ $failed = yes ] || as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing \
    >"$log" 2>&1 || failed=yes
  [ $made_policy = yes ] && as_root rm -f $policy
  [ $had_cluster_config = no ] && as_root rm -f $cluster
  for service in mosquitto.service nginx.service postgresql.service; do
    [[ $enabled_before == *" $service "* ]] || as_root rm -f "$wants/$service"
  done
  if [ $failed = yes ]; then
    tail -15 "$log"
    say "setup: apt-get failed (its last lines are above). Is the network there? Then run ./x setup again."
    exit 1
  fi
  rm -f "$log"
}

check_sum() {  # FILE SHA256
  echo "$2  $1" | sha256sum --check --quiet || { say "setup: $1 is not the file that was pinned"; exit 1; }
}

install_duckdb() {
  local into=third_party/duckdb
  [ "$(cat $into/version 2>/dev/null)" = "$DUCKDB_VERSION $DUCKDB_NPM" ] && return
  say "setup: DuckDB $DUCKDB_VERSION: headers from PyPI, library from npm ..."
  local work; work=$(mktemp -d)
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" -q --disable-pip-version-check download --no-deps --no-binary duckdb -d "$work" \
    "duckdb==$DUCKDB_VERSION"
  check_sum "$work/duckdb-$DUCKDB_VERSION.tar.gz" "$DUCKDB_SOURCE_SHA256"
  (cd "$work" && npm pack --silent "$DUCKDB_NPM" >/dev/null)
  local packed; packed=$(ls "$work"/duckdb-node-bindings-*.tgz)
  check_sum "$packed" "$DUCKDB_NPM_SHA256"
  rm -rf $into
  mkdir -p $into/lib
  tar -xzf "$work/duckdb-$DUCKDB_VERSION.tar.gz" -C "$work" "duckdb-$DUCKDB_VERSION/external/duckdb/src/include"
  mv "$work/duckdb-$DUCKDB_VERSION/external/duckdb/src/include" $into/include
  tar -xzf "$packed" -C "$work"
  mv "$work/package/libduckdb.so" $into/lib/
  mv "$work/package/LICENSE" $into/
  echo "$DUCKDB_VERSION $DUCKDB_NPM" >$into/version
  rm -rf "$work"
}

install_python_clients() {
  [ "$(cat .venv/clients 2>/dev/null)" = "$PYTHON_CLIENTS" ] && return
  say "setup: current Python clients in .venv ..."
  python3 -m venv .venv
  # shellcheck disable=SC2086
  .venv/bin/pip -q --disable-pip-version-check install $PYTHON_CLIENTS
  echo "$PYTHON_CLIENTS" >.venv/clients
}

install_console_tools() {
  local wanted; wanted=$(cat console/package.json console/package-lock.json | sha256sum | cut -c1-64)
  [ "$(cat console/node_modules/.installed 2>/dev/null)" = "$wanted" ] && return
  say "setup: the console's tools from npm ..."
  # No package's own script runs: none is needed.
  npm --prefix console ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
  echo "$wanted" >console/node_modules/.installed
}

install_node_clients() {
  [ "$(cat .node/clients 2>/dev/null)" = "$NODE_CLIENTS" ] && return
  say "setup: $NODE_CLIENTS in .node ..."
  rm -rf .node && mkdir .node
  # shellcheck disable=SC2086
  npm --prefix .node install --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error $NODE_CLIENTS >/dev/null
  echo "$NODE_CLIENTS" >.node/clients
}

check_system
missing=$(missing_packages)
[ -z "$missing" ] || install_packages "$missing"
install_duckdb
install_python_clients
install_node_clients
install_console_tools
say "setup: everything is there"
