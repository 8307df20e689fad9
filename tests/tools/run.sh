#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh PROGRAM... - runs test programs and adds up what they say.
#
# Counts are read from cmocka's summary, or from a line `N passed, N failed`. A program that ends badly
# without naming a failure, or that runs no test, counts as one failure. A fuzz target is one test:
# replayed with pseudo-random inputs and its corpus. The last line is the total. RUNNER is what starts
# programs of another machine; WEIR_TEST_ROUNDS is explained in tests/harness/harness.h.
set -u

here=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM HUP
unset CMOCKA_MESSAGE_OUTPUT CMOCKA_XML_FILE CMOCKA_TEST_FILTER CMOCKA_SKIP_FILTER
limit=
inputs=$((50 * ${WEIR_TEST_ROUNDS:-100}))
RUNNER=${RUNNER:-}
command -v timeout >/dev/null 2>&1 && limit='timeout 300'

passed=0 failed=0
for program in "$@"; do
    name=$(basename "$program")
    code=0
    case $name in
    fuzz_*)
        : >"$log"
        if [ -d "$here/fuzz/corpus/$name" ]; then
            set -- "$here/fuzz/corpus/$name"/*
            $limit $RUNNER "$program" "$@" >>"$log" 2>&1 || code=$?
        else
            set --
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
    passed=$((passed + ok)) failed=$((failed + bad))
    if [ "$bad" = 0 ]; then
        printf 'ok    %-28s %4d passed\n' "$name" "$ok"
        grep '^skipped:' "$log"
    else
        printf 'FAIL  %-28s %4d passed, %d failed, status %d\n' "$name" "$ok" "$bad" "$code"
        sed -e '/^\[ RUN      \]/d' -e '/^\[       OK \]/d' -e 's/^/      /' "$log" | tail -n 60
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
