#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh [--all] - which branches of src/ and of the examples' adapters the tests take, counted by gcov.
#
# Builds both with counters (see `cc` here) and the tests in BUILD/coverage, runs the unit tests and those in which
# system calls fail, and prints for each file its lines, its branches, and where a branch is never taken; pages with
# every line are written to BUILD/coverage/html. With --all the attacks, the peers and the replayed fuzz targets run
# too: slower, and nothing may depend on them, since a branch is to be held by a test of its own.
#
# The library is built more than once and the counts are added up, so that code beside an #else counts:
#   simd      as everybody builds it: vectors, chosen by the processor
#   portable  -DWEIR_SIMD=0 and EPOLL=0; the tests of what that changes
#   mbedtls   MBEDTLS=1; the tests of SHA-1, base64, and the handshakes that are made of them
#
# `floor` here holds the percentage below which each group fails. A branch that cannot be taken is best written
# away. If that makes the code worse, its line ends in a comment: GCOVR_EXCL_BR_LINE: and the reason.
# Each program of tests, each group and the reasons together are one check; the last line is the total.
set -u

cd "$(dirname "$0")/../.." || exit 1
here=$PWD/tests/coverage
build=${BUILD:-build}/coverage
case ${1-} in
'') targets=units ;;
--all) targets=tests ;;
*)
    sed -n '3s/^# /usage: /p' "$0" >&2
    exit 2
    ;;
esac

for tool in gcc gcov gcovr python3; do
    if ! command -v $tool >/dev/null 2>&1; then
        echo "coverage: $tool is missing (Debian: gcc, gcovr)" >&2
        exit 2
    fi
done
mkdir -p "$build" && build=$(cd "$build" && pwd) || exit 2
out=$build/out
rm -rf "$out" "$build/html"
mkdir -p "$out" "$build/html" || exit 2
find "$build" -name '*.gcda' -exec rm -f {} +
jobs=$(nproc 2>/dev/null || echo 1)
unset SANITIZE CPPFLAGS MAKEFLAGS MFLAGS MAKEOVERRIDES BUILD MBEDTLS

# give_up LOG TEXT: shows the end of a log.
give_up() {
    tail -n 20 "$1"
    echo "coverage: $2" >&2
    exit 2
}

# make_tests NAME TARGET... [VARIABLE=value]...: builds programs of tests in $build/NAME.
make_tests() {
    name=$1 dir=$build/$1
    shift
    rm -rf "$dir/tests" "$dir/fuzz"
    make -j"$jobs" BUILD="$dir" CC="$here/cc" CFLAGS=-O1 TEST_CFLAGS=-O0 COUNTED=0 SHARED=0 "$@" \
        >"$out/$name.make" 2>&1 || give_up "$out/$name.make" "$name does not build"
    for program in "$dir"/tests/* "$dir"/fuzz/*; do
        [ ! -x "$program" ] || echo "$program" >>"$out/programs"
    done
}

# in_build NAME PATTERN...: the tests whose sources below tests/ match, as targets.
in_build() {
    name=$1
    shift
    for pattern in "$@"; do
        for source in tests/$pattern.c; do
            echo "$build/$name/tests/$(basename "$source" .c)"
        done
    done
}

make_tests simd "$targets"
# shellcheck disable=SC2046 # lists
make_tests portable CPPFLAGS=-DWEIR_SIMD=0 EPOLL=0 \
    $(in_build portable 'unit/test_base_*' 'unit/test_http_*' 'unit/test_sse_[plw]*' unit/test_ws_roundtrip \
        'faults/test_*')
if printf '#include <mbedtls/sha1.h>\n' | gcc -E - >/dev/null 2>&1; then
    # shellcheck disable=SC2046
    make_tests mbedtls MBEDTLS=1 $(in_build mbedtls unit/test_base_base64 unit/test_base_sha1 unit/test_mbedtls \
        unit/test_ws_handshake unit/test_ws_opening)
else
    echo 'skipped: src/backends/mbedtls.c (Debian: libmbedtls-dev)'
fi

xargs -P "$jobs" -n 1 sh -c \
    'exec tests/tools/run.sh "$2" >"$1/$(echo "$2" | sed "s|.*/coverage/||" | tr / _).log" 2>&1' sh "$out" \
    <"$out/programs" || :
grep -hv '^[0-9]* passed, [0-9]* failed$' "$out"/*.log | grep -v '^ok '
# shellcheck disable=SC2046 # two numbers
set -- $(cat "$out"/*.log |
    awk '/^[0-9]+ passed, [0-9]+ failed$/ { ok += $1; bad += $3 } END { print ok + 0, bad + 0 }')
echo "tests: $1 passed, $2 failed"

for name in simd portable mbedtls; do
    [ -d "$build/$name/tests" ] || continue
    gcovr -j "$jobs" -r . -f 'src/' -f 'docs/examples/adapters/' --json "$out/$name.json" "$build/$name" \
        >>"$out/gcovr.log" 2>&1 || give_up "$out/gcovr.log" "gcovr cannot read the counts of $name"
done
python3 tests/coverage/merge.py "$out"/*.json >"$out/counts" || exit 2
gcovr -r . -a "$out/counts" --html-details "$build/html/index.html" --html-title 'weir' >"$out/gcovr.log" 2>&1 ||
    give_up "$out/gcovr.log" "gcovr writes no pages"
python3 tests/coverage/table.py "$out/counts" tests/coverage/floor "$1" "$2"
code=$?
echo "every line: $build/html/index.html" >&2
exit $code
