#!/bin/sh
# SPDX-License-Identifier: MIT
# Tries the example programs with other people's peers (python3-websockets, ws, curl, Chromium) and
# with raw sockets that break every rule.
#
#     BUILD=build tests/interop/run.sh [SUITE]...     conformance python node curl room browser
#
# One line for each check; the last line is `N passed, N failed`, with `, N skipped` when a tool is
# missing. With CI=true a missing tool is a failure. As root on Debian it installs what is missing.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
BUILD=${BUILD:-build}
mkdir -p "$BUILD/interop" || exit 1
BUILD=$(cd "$BUILD" && pwd) || exit 1
export BUILD
python=/usr/bin/python3
[ -x "$python" ] || python=python3
CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
export CHROMIUM
# Tests hold more than a thousand connections open, the programs as many.
ulimit -n "$(ulimit -H -n)" 2>/dev/null || :

all="$BUILD/interop/results.txt"
: >"$all"
pid=

stop() {
    if [ -n "$pid" ]; then
        kill -TERM "-$pid" 2>/dev/null
        sleep 0.3
        kill -KILL "-$pid" 2>/dev/null
    fi
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say() {
    printf '%s\n' "$1" | tee -a "$all"
}

# ---- What has to be there ---------------------------------------------------------------------------

have() {
    case $1 in
    python) "$python" -c '' 2>/dev/null ;;
    python3-websockets) "$python" -c 'import websockets' 2>/dev/null ;;
    chromium) [ -x "$CHROMIUM" ] ;;
    fonts-noto-cjk) fc-list 2>/dev/null | grep -qi 'noto.*cjk' ;;
    fonts-noto-color-emoji) fc-list 2>/dev/null | grep -qi 'emoji' ;;
    nodejs) command -v node >/dev/null ;;
    ws | playwright-core) [ -f "$BUILD/interop/node_modules/$1/package.json" ] ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

# Installs Debian packages for those names that are missing; silent unless it fails.
install() {
    missing=
    for tool in "$@"; do
        have "$tool" || missing="$missing $tool"
    done
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || return 0
    log="$BUILD/interop/apt.log"
    # shellcheck disable=SC2086 # a list of names
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        $missing; } >"$log" 2>&1 </dev/null || tail -n 5 "$log" >&2
}

packages() {
    have npm || return 0
    if ! cmp -s "$here/package.json" "$BUILD/interop/package.json" || ! have ws || ! have playwright-core; then
        cp "$here/package.json" "$BUILD/interop/package.json"
        (cd "$BUILD/interop" && timeout 120 npm install --no-package-lock --no-audit --no-fund \
            --ignore-scripts >npm.log 2>&1 </dev/null) || tail -n 5 "$BUILD/interop/npm.log" >&2
    fi
}

# ---- Running ----------------------------------------------------------------------------------------

# suite NAME SECONDS "TOOL..." COMMAND...
suite() {
    name=$1 limit=$2 tools=$3
    shift 3
    for tool in $tools; do
        if ! have "$tool"; then
            if [ "${CI:-}" = true ]; then
                say "FAIL $name: $tool is not installed"
            else
                say "skipped: $name: $tool is not installed"
            fi
            return
        fi
    done
    log="$BUILD/interop/$name.log"
    : >"$log"
    timeout -k 5 "$limit" "$@" >"$log" 2>&1 &
    pid=$!
    tail -n +1 -s 0.2 -f --pid="$pid" "$log"
    wait "$pid"
    code=$?
    kill -KILL "-$pid" 2>/dev/null
    pid=
    cat "$log" >>"$all"
    if [ "$code" = 124 ]; then
        say "FAIL $name: not finished after $limit s"
    elif [ "$code" != 0 ] && { [ "$code" != 1 ] || ! grep -q '^FAIL' "$log"; }; then
        say "FAIL $name: the suite ended with status $code"
    elif ! grep -q '^ok' "$log" && ! grep -q '^FAIL' "$log"; then
        say "FAIL $name: no check was run"
    fi
}

run() {
    case $1 in
    conformance) suite "$1" 150 python "$python" -B "$here/conformance.py" ;;
    python) suite "$1" 120 python3-websockets "$python" -B "$here/python_client.py" ;;
    node) suite "$1" 120 "nodejs ws" node "$here/node_client.mjs" ;;
    curl) suite "$1" 120 "python curl" "$python" -B "$here/stream_curl.py" ;;
    room) suite "$1" 120 python "$python" -B "$here/room_peers.py" ;;
    browser)
        suite "$1" 150 "nodejs playwright-core chromium fonts-noto-cjk fonts-noto-color-emoji" \
            node "$here/browser.mjs"
        ;;
    *) say "FAIL $1: there is no such suite" ;;
    esac
}

install python3-websockets curl chromium fonts-noto-cjk fonts-noto-color-emoji nodejs npm
packages
[ $# -gt 0 ] || set -- conformance python node curl room browser
for name in "$@"; do
    run "$name"
done

passed=$(grep -c '^ok ' "$all")
failed=$(grep -c '^FAIL ' "$all")
skipped=$(grep -c '^skipped: ' "$all")
line="$passed passed, $failed failed"
[ "$skipped" = 0 ] || line="$line, $skipped skipped"
echo "$line"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
