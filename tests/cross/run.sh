#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh [TARGET]... - runs the unit tests, attacks and fuzz targets on other machines: i386, s390x
# (big-endian), aarch64 (NEON), armhf, musl, mingw (Windows, 64 bits); and with all memory watched: msan (clang's
# MemorySanitizer), valgrind. `make portability` runs all, with BUILD set; TARGETS="s390x mingw" selects. What
# a target needs and is not here is named; with CI=true that is a failure. Vectors, tables and cuts are
# complete, what is random is repeated less (WEIR_TEST_ROUNDS, see one.sh). Targets run side by side, one a
# processor.
set -u

cd "$(dirname "$0")/../.." || exit 1
[ $# -gt 0 ] || set -- valgrind msan s390x mingw aarch64 armhf i386 musl
export BUILD="${BUILD:-build}"
export TESTED="$BUILD"
mkdir -p "$BUILD/cross" || exit 1
BUILD=$(cd "$BUILD" && pwd) || exit 1
export SOURCES="${SOURCES:-$BUILD/cross/sources}"
passed=0 failed=0

if ! tests/cross/sources.sh "$SOURCES"; then
    echo "skipped: $*: no sources of cmocka and zlib"
    [ "${CI:-}" = true ] || exit 0
    echo "0 passed, 1 failed"
    exit 1
fi
rm -f "$BUILD"/cross/*.log
# shellcheck disable=SC2016 # for the shell within
printf '%s\n' "$@" | xargs -P "$(nproc 2>/dev/null || echo 1)" -I TARGET sh -c \
    'begin=$(date +%s); tests/cross/one.sh TARGET >"$BUILD/cross/TARGET.log" 2>&1 </dev/null
    echo $(($(date +%s) - begin)) >"$BUILD/cross/TARGET.seconds"'

for target in "$@"; do
    log=$BUILD/cross/$target.log
    if grep '^skipped:' "$log"; then
        if [ "${CI:-}" = true ]; then
            failed=$((failed + 1))
        fi
        continue
    fi
    counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$log" | tail -n 1)
    read -r ok bad <<<"${counts:-0 1}"
    passed=$((passed + ok)) failed=$((failed + bad))
    if [ "$bad" = 0 ]; then
        printf 'ok    %-8s %4d passed, %3d s\n' "$target" "$ok" "$(cat "$BUILD/cross/$target.seconds")"
    else
        printf 'FAIL  %-8s %4d passed, %d failed\n' "$target" "$ok" "$bad"
        grep -v -E '^(ok |  (CC|AR|LD) )' "$log" | tail -n 60
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
