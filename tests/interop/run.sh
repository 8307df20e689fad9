#!/bin/sh
# SPDX-License-Identifier: MIT
# Tries the example programs with other people's peers (python3-websockets, aiohttp, ws, eventsource, curl,
# nginx, Chromium) and with raw sockets that break every rule.
#
#     BUILD=build tests/interop/run.sh [SUITE]...
#
#     conformance deflate client cases     raw sockets against the servers and the clients
#     cat room tiny                        ws_cat's contract; the room and peers that no page would be; the
#                                          servers of README.md
#     python python-peers node node-peers curl browser browser-deflate      other people's peers
#     sse relay                            sse_cat, and demo_server --upstream, with scripted servers
#     aiohttp nginx sse-node sse-browser   event streams with other people's peers
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
    python3-aiohttp) "$python" -c 'import aiohttp' 2>/dev/null ;;
    chromium) [ -x "$CHROMIUM" ] ;;
    fonts-noto-cjk) fc-list 2>/dev/null | grep -qi 'noto.*cjk' ;;
    fonts-noto-color-emoji) fc-list 2>/dev/null | grep -qi 'emoji' ;;
    nodejs) command -v node >/dev/null ;;
    ws | playwright-core | eventsource | eventsource-parser) [ -f "$BUILD/interop/node_modules/$1/package.json" ] ;;
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
    if ! cmp -s "$here/package.json" "$BUILD/interop/package.json" || ! have ws || ! have playwright-core ||
        ! have eventsource || ! have eventsource-parser; then
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
    conformance) suite "$1" 300 python "$python" -B "$here/conformance.py" ;;
    deflate) suite "$1" 300 python "$python" -B "$here/conformance_deflate.py" ;;
    client) suite "$1" 300 python "$python" -B "$here/conformance_client.py" ;;
    cases) suite "$1" 300 python "$python" -B "$here/conformance_cases.py" ;;
    cat) suite "$1" 300 python "$python" -B "$here/cat_contract.py" ;;
    python) suite "$1" 300 python3-websockets "$python" -B "$here/python_client.py" ;;
    python-peers) suite "$1" 300 python3-websockets "$python" -B "$here/python_peers.py" ;;
    node) suite "$1" 300 "nodejs ws" node "$here/node_client.mjs" ;;
    node-peers) suite "$1" 300 "nodejs ws" node "$here/node_peers.mjs" ;;
    curl) suite "$1" 300 "python curl" "$python" -B "$here/stream_curl.py" ;;
    room) suite "$1" 300 python "$python" -B "$here/room_peers.py" ;;
    tiny) suite "$1" 300 python "$python" -B "$here/tiny.py" ;;
    browser)
        suite "$1" 300 "nodejs playwright-core chromium fonts-noto-cjk fonts-noto-color-emoji" \
            node "$here/browser.mjs"
        ;;
    browser-deflate)
        suite "$1" 300 "nodejs playwright-core chromium" node "$here/browser_deflate.mjs"
        ;;
    sse) suite "$1" 300 python "$python" -B "$here/sse_cat.py" ;;
    relay) suite "$1" 300 python "$python" -B "$here/relay.py" ;;
    aiohttp) suite "$1" 300 python3-aiohttp "$python" -B "$here/sse_aiohttp.py" ;;
    nginx) suite "$1" 300 "python nginx" "$python" -B "$here/sse_nginx.py" ;;
    sse-node) suite "$1" 300 "nodejs eventsource eventsource-parser" node "$here/sse_node.mjs" ;;
    sse-browser) suite "$1" 300 "nodejs playwright-core chromium" node "$here/sse_browser.mjs" ;;
    *) say "FAIL $1: there is no such suite" ;;
    esac
}

install python3-websockets python3-aiohttp nginx curl chromium fonts-noto-cjk fonts-noto-color-emoji nodejs npm
packages
[ $# -gt 0 ] || set -- conformance deflate client cases cat room tiny python python-peers node node-peers curl \
    browser browser-deflate sse relay aiohttp nginx sse-node sse-browser
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
