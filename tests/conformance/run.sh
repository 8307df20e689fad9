#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the public Autobahn testsuite, where there is one, against the echo programs of BUILD/examples:
# its fuzzing client against ws_echo_server, its fuzzing server against ws_echo_client.
#
#     BUILD=build tests/conformance/run.sh [--pull] [--cases '1.*,2.*'] [server|client]...
#
# The suite is `wstest` on PATH (or $WSTEST), or the image crossbario/autobahn-testsuite of docker or podman
# (or $WSTEST_IMAGE). The image is only fetched with --pull. Without a suite: one line, and exit status 77.
#
# Nothing but OK and the suite's three INFORMATIONAL cases is good: NON-STRICT is a failure. Each role has
# 517 cases with compression and 301 without. Reports: BUILD/conformance/*/index.html. The last line is
# `N passed, N failed`.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
image=${WSTEST_IMAGE:-crossbario/autobahn-testsuite}
runtime='' wstest='' container='' pids='' failed=0
pull=false cases='"*"' selected=false

usage() {
    echo "usage: run.sh [--pull] [--cases LIST] [server|client]..." >&2
    exit 2
}

roles=''
while [ $# -gt 0 ]; do
    case $1 in
    --pull) pull=true ;;
    --cases)
        [ $# -gt 1 ] || usage
        shift
        selected=true
        cases=$(printf '%s' "$1" | sed 's/[^,][^,]*/"&"/g')
        ;;
    server | client) roles="$roles $1" ;;
    *) usage ;;
    esac
    shift
done
roles=${roles:-server client}

BUILD=${BUILD:-build}
out="$BUILD/conformance"
mkdir -p "$out" || exit 1
BUILD=$(cd "$BUILD" && pwd) && out=$BUILD/conformance || exit 1

# ---- The suite --------------------------------------------------------------------------------------

# The container runtime that has the image, or may fetch it.
find_image() {
    for runtime in docker podman; do
        command -v "$runtime" >/dev/null && "$runtime" info >/dev/null 2>&1 || continue
        "$runtime" image inspect "$image" >/dev/null 2>&1 && return 0
        [ "$pull" = true ] && "$runtime" pull "$image" && return 0
    done
    runtime=''
    return 1
}

find_suite() {
    wstest=${WSTEST:-$(command -v wstest)} && [ -n "$wstest" ] && return 0
    wstest=''
    find_image
}

# suite MODE SPEC: runs it, without its own web server. Both see the same paths.
suite() {
    if [ -n "$wstest" ]; then
        exec "$wstest" -u 0 -m "$1" -s "$2"
    fi
    exec "$runtime" run --rm --network host --name "$container" -v "$out:$out" "$image" wstest -u 0 -m "$1" -s "$2"
}

stop() {
    [ -z "$container" ] || "$runtime" rm -f "$container" >/dev/null 2>&1
    for pid in $pids; do
        kill "$pid" 2>/dev/null
    done
    rm -rf "$work"
}

find_suite || {
    echo "conformance: no wstest on PATH and no image $image (docker or podman; --pull fetches it)"
    exit 77
}
[ -z "$runtime" ] || container=weir-wstest-$$
for program in ws_echo_server ws_echo_client ws_cat; do
    [ -x "$BUILD/examples/$program" ] || {
        echo "conformance: $BUILD/examples/$program is missing: run make" >&2
        exit 1
    }
done

work=$(mktemp -d) || exit 1
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkfifo "$work/stdin" && exec 3<>"$work/stdin" || exit 1

# spec ROLE NAME=VALUE...: the configuration for this run.
spec() {
    name=$1
    shift
    set -- "$@" "CASES=$cases"
    cp "$here/$name.json" "$out/$name.json"
    for pair in "$@"; do
        sed "s|@${pair%%=*}@|${pair#*=}|" "$out/$name.json" >"$work/spec" && cp "$work/spec" "$out/$name.json"
    done
}

summary() {
    expect="--informational 7.1.6,7.13.1,7.13.2"
    [ "$selected" = true ] || expect="$expect --count weir=301 --count weir-deflate=517"
    # shellcheck disable=SC2086 # a list of options
    python3 -B "$here/summary.py" $expect "$1" "$2" | tee -a "$work/summary" || :
}

# ---- Our server under test --------------------------------------------------------------------------

# start_server NAME OPTION...: its port becomes $port.
start_server() {
    log="$work/$1.log"
    shift
    "$BUILD/examples/ws_echo_server" --port 0 "$@" >"$log" 2>&1 &
    pids="$pids $!"
    port='' tries=0
    while [ -z "$port" ] && [ "$tries" -lt 50 ]; do
        sleep 0.1
        tries=$((tries + 1))
        port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$log")
    done
    [ -n "$port" ] || {
        echo "conformance: ws_echo_server did not start: $(cat "$log")" >&2
        exit 1
    }
}

run_server() {
    rm -rf "$out/servers"
    mkdir -p "$out/servers" || exit 1
    start_server plain
    plain=$port
    start_server deflate --deflate
    spec fuzzingclient "OUTDIR=$out/servers" "PLAIN=$plain" "DEFLATE=$port"
    # In the background, so that a signal stops it too.
    (suite fuzzingclient "$out/fuzzingclient.json") >"$out/servers.log" 2>&1 &
    pids="$pids $!"
    wait "$!" || {
        echo "conformance: the fuzzing client ended with $?, see $out/servers.log" >&2
        failed=1
    }
    summary server "$out/servers/index.json"
}

# ---- Our client under test --------------------------------------------------------------------------

# ask PATH: what the fuzzing server says there. The stdin stays open, so the server is who closes; it does so
# without a code, which ws_cat does not take for a good end.
ask() {
    timeout 20 "$BUILD/examples/ws_cat" "ws://127.0.0.1:$port/$1" <&3 2>/dev/null || :
}

run_cases() {
    agent=$1
    shift
    number=1
    while [ "$number" -le "$count" ]; do
        # How it ends is judged by the other side; only one that hangs or crashes is ours to notice.
        timeout 300 "$BUILD/examples/ws_echo_client" "$@" \
            "ws://127.0.0.1:$port/runCase?case=$number&agent=$agent" </dev/null >"$work/client" 2>&1
        status=$?
        [ "$status" -le 1 ] || {
            echo "FAIL conformance: $agent: ws_echo_client ended with $status in run $number: $(cat "$work/client")"
            failed=1
        }
        number=$((number + 1))
    done
    ask "updateReports?agent=$agent" >/dev/null
}

run_client() {
    rm -rf "$out/clients"
    mkdir -p "$out/clients" || exit 1
    port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    spec fuzzingserver "OUTDIR=$out/clients" "PORT=$port"
    (suite fuzzingserver "$out/fuzzingserver.json") >"$out/clients.log" 2>&1 &
    suite_pid=$!
    pids="$pids $suite_pid"
    count='' tries=0
    while [ "$tries" -lt 30 ] && kill -0 "$suite_pid" 2>/dev/null; do
        count=$(ask getCaseCount)
        [ -z "$count" ] || break
        sleep 1
        tries=$((tries + 1))
    done
    case $count in
    '' | *[!0-9]*)
        echo "FAIL conformance: the fuzzing server does not say how many cases it has, see $out/clients.log"
        failed=1
        return
        ;;
    esac
    run_cases weir
    run_cases weir-deflate --deflate
    if [ -n "$container" ]; then
        "$runtime" rm -f "$container" >/dev/null 2>&1
    fi
    kill "$suite_pid" 2>/dev/null
    wait "$suite_pid" 2>/dev/null
    summary client "$out/clients/index.json"
}

: >"$work/summary"
for role in $roles; do
    "run_$role"
done
passed=$(sed -n 's/^ok .* \([0-9]*\) cases.*/\1/p' "$work/summary" | awk '{ n += $1 } END { print n + 0 }')
bad=$(grep -c '^FAIL' "$work/summary")
bad=$((bad + failed))
echo "$passed passed, $bad failed"
[ "$bad" = 0 ] && [ "$passed" -gt 0 ]
