#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh PROGRAM... - runs test programs, JOBS at a time (by default one a processor), and adds up what they say.
#
# Counts are read from cmocka's summary, or from a line `N passed, N failed`. A program that ends badly
# without naming a failure, or that runs no test, counts as one failure. A fuzz target is one test:
# replayed with pseudo-random inputs and its corpus. The last line is the total. RUNNER is what starts
# programs of another machine; WEIR_TEST_ROUNDS is explained in tests/harness/harness.h.
set -u

here=$(cd "$(dirname "$0")/../.." && pwd) || exit 1

# run_one PROGRAM RESULTS: runs it, says how it went, and adds `PASSED FAILED` to the file.
# shellcheck disable=SC2086 # RUNNER is a command's words
run_one() {
    program=$1 results=$2 name=$(basename "$1") code=0 limit=
    log=$(mktemp) || exit 1
    trap 'rm -f "$log"' EXIT
    command -v timeout >/dev/null 2>&1 && limit='timeout 900'
    case $name in
    fuzz_*)
        set --
        [ ! -d "$here/fuzz/corpus/$name" ] || set -- "$here/fuzz/corpus/$name"/*
        if [ $# != 0 ]; then
            $limit $RUNNER "$program" "$@" >"$log" 2>&1 || code=$?
        fi
        [ "$code" != 0 ] || $limit $RUNNER "$program" --random "$inputs" "$@" >>"$log" 2>&1 || code=$?
        [ "$code" != 0 ] || echo '1 passed, 0 failed' >>"$log"
        ;;
    *) $limit $RUNNER "$program" >"$log" 2>&1 </dev/null || code=$? ;;
    esac
    # shellcheck disable=SC2046 # two numbers
    set -- $(awk '
        /^\[  PASSED  \] [0-9]+ test\(s\)/ { ok += $4 }
        /^\[  FAILED  \] [0-9]+ test\(s\)/ { bad += $4 }
        /^[0-9]+ passed, [0-9]+ failed/ { ok += $1; bad += $3 }
        END { print ok + 0, bad + 0 }' "$log")
    ok=$1 bad=$2
    if [ "$bad" = 0 ] && { [ "$code" != 0 ] || [ "$ok" = 0 ]; }; then
        bad=1
        [ "$code" = 124 ] && echo "not finished in time" >>"$log"
    fi
    echo "$ok $bad" >>"$results"
    # In one piece, as others speak at the same time.
    if [ "$bad" = 0 ]; then
        said=$(printf 'ok    %-28s %4d passed\n' "$name" "$ok" && grep '^skipped:' "$log")
    else
        said=$(printf 'FAIL  %-28s %4d passed, %d failed, status %d\n' "$name" "$ok" "$bad" "$code" &&
            sed -e '/^\[ RUN      \]/d' -e '/^\[       OK \]/d' -e 's/^/      /' "$log" | tail -n 60)
    fi
    printf '%s\n' "$said"
}

unset CMOCKA_MESSAGE_OUTPUT CMOCKA_XML_FILE CMOCKA_TEST_FILTER CMOCKA_SKIP_FILTER
export RUNNER="${RUNNER:-}" inputs=$((50 * ${WEIR_TEST_ROUNDS:-100}))
if [ "${1:-}" = --one ]; then
    run_one "$3" "$2"
    exit 0
fi

results=$(mktemp) || exit 1
trap 'rm -f "$results"' EXIT
trap 'exit 130' INT TERM HUP
if [ $# != 0 ]; then
    printf '%s\0' "$@" | xargs -0 -n 1 -P "${JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)}" \
        "$0" --one "$results"
fi
awk -v asked=$# '
    { ok += $1; bad += $2 }
    END {
        if (NR < asked)
            bad += asked - NR
        print ok + 0 " passed, " bad + 0 " failed"
        exit bad > 0 || ok == 0
    }' "$results"
