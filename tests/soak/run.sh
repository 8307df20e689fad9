#!/bin/sh
# SPDX-License-Identifier: MIT
# Soaks the programs: many connections at once of good, slow, rude and random peers, all on this machine, and
# three ways for a peer to die.
#
#     make soak [SECONDS=600] [CONNECTIONS=2000]
#
# tests/soak/soak.c is the load and tells what is checked: each echo and each event of the good ones, that memory and
# descriptors do not grow, that each violation is answered. tests/soak/deaths.py measures how soon the dead are
# noticed. Linux only. The last line is `N passed, N failed`.
set -u

case ${1:-} in
-h | --help)
    sed -n '3,12s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac

here=$(cd "$(dirname "$0")" && pwd) || exit 1
BUILD=${BUILD:-build}
export BUILD
connections=${CONNECTIONS:-2000}
# A shell has a SECONDS of its own: `make soak` hands it over under this name.
seconds=${SOAK_SECONDS:-600}
python=/usr/bin/python3
[ -x "$python" ] || python=python3
out=$BUILD/soak
mkdir -p "$out" || exit 1
if [ "$(uname -s)" != Linux ]; then
    echo 'skipped: the soak needs Linux (epoll, /proc)'
    exit 0
fi
pids=
stop() {
    for pid in $pids; do
        kill -KILL "$pid" 2>/dev/null
    done
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# start PROGRAM OPTION...: sets pid and port.
start() {
    name=$1
    shift
    "$BUILD/examples/$name" "$@" --port 0 >"$out/$name.txt" 2>&1 &
    pid=$!
    pids="$pids $pid"
    port=
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$out/$name.txt")
        [ -z "$port" ] || return 0
        sleep 0.2
    done
    echo "soak: $name does not start: $(cat "$out/$name.txt")" >&2
    exit 1
}

# end NAME PID: SIGTERM ends it well, in time.
end() {
    kill -TERM "$2"
    wait "$2"
    code=$?
    if [ "$code" = 0 ]; then
        echo "ok   $1: SIGTERM: exit 0"
    else
        echo "FAIL $1: SIGTERM: exit $code, $(cat "$out/$1.txt")"
    fi
}

start ws_echo_server --ping-interval 2000 --idle-timeout 6000
echo_pid=$pid echo_port=$port
start demo_server
demo_pid=$pid demo_port=$port

"$python" "$here/deaths.py" >"$out/deaths.txt" 2>&1 &
deaths=$!
echo "$connections connections, $seconds s"
{
    "$out/soak" "$echo_port" "$echo_pid" "$demo_port" "$demo_pid" "$connections" "$seconds"
    code=$?
    [ "$code" -lt 2 ] || echo "FAIL the load: exit $code"
} | tee "$out/soak.txt"
{
    end ws_echo_server "$echo_pid"
    end demo_server "$demo_pid"
    pids=
    wait "$deaths"
    grep -v '^[0-9]* passed' "$out/deaths.txt"
    grep -q '^[0-9]* passed' "$out/deaths.txt" || echo 'FAIL deaths.py did not end'
} >"$out/ends.txt"
cat "$out/ends.txt"

passed=$(cat "$out/soak.txt" "$out/ends.txt" | grep -c '^ok ')
failed=$(cat "$out/soak.txt" "$out/ends.txt" | grep -c '^FAIL ')
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
