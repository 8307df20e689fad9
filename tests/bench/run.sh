#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh PROGRAM... - runs benchmarks one after the other; what each says is also kept beside it, in PROGRAM.txt.
# `make bench` calls it. The rows of tables are kept too, in PROGRAM.tsv. Pictures of them lie beside.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
BUILD=$(cd "${BUILD:-build}" && pwd) || exit 1
# Where npm has put eventsource-parser, if anywhere.
BENCH_NODE_MODULES=${BENCH_NODE_MODULES:-$BUILD/interop/node_modules}
BENCH_NODE_SCRIPT=$here/streams.mjs
export BENCH_NODE_MODULES BENCH_NODE_SCRIPT

# The name of the processor, where the system says it.
machine() {
    sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1
}

failed=0
for program in "$@"; do
    name=$(basename "$program")
    printf '\n==== %s: %s, %s processors\n' "$name" "$(machine)" "$(getconf _NPROCESSORS_ONLN)"
    set --
    [ "$name" != choosing ] || set -- "$program.tsv"
    # shellcheck disable=SC2086 # a list
    [ "$name" != echo ] || set -- $ECHO_SERVERS
    BENCH_TSV=$program.tsv
    [ "$name" != choosing ] || BENCH_TSV=
    export BENCH_TSV
    # A pipe has no status of its left side in sh: it goes around it.
    { { "$program" "$@" 2>&1 && echo 0 >&3 || echo 1 >&3; } | tee "$program.txt" >&4; } 3>"$program.status" 4>&1
    [ "$(cat "$program.status")" = 0 ] || failed=1
    rm -f "$program.status"
    if [ -s "$program.tsv" ]; then
        if command -v python3 >/dev/null 2>&1; then
            printf '\nPictures:\n'
            python3 "$here/plot.py" "$program.tsv" "$(dirname "$program")" || failed=1
        else
            echo "python3 is not there: no pictures of $program.tsv"
        fi
    fi
done
exit $failed
