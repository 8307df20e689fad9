#!/bin/sh
# SPDX-License-Identifier: MIT
# A change of flags, options, headers or the set of sources rebuilds what it touches, and only that.
# shellcheck source=tests/portability/checks.inc
. "$(dirname "$0")/checks.inc"

# A copy, so that files can be touched.
mkdir -p "$work/tree/docs/examples" "$work/tree/tests" || exit 1
cp -R Makefile include src pkgconfig "$work/tree/"
cp -R tests/tools "$work/tree/tests/"
cp docs/examples/tiny_*.c "$work/tree/docs/examples/"
cd "$work/tree" || exit 1

run() {
    sleep 0.02
    touch marker
    sleep 0.02
    # shellcheck disable=SC2086
    $MAKE BUILD="$work/out" "$@"
}
# Built since the last run began, by name.
built() {
    (cd "$work/out" && find . -type f \( "$@" \) -newer "$work/tree/marker" | sort)
}
objects() {
    built -name '*.o' | wc -l
}
anything() {
    built -name '*' | grep -v -e '\.d$' | wc -l
}
member() {
    ar t "$work/out/libweir.a" | grep -qx "$1"
}

# The default level of optimisation takes time, as does looking for other people's peers, and nothing here depends on
# them.
export CFLAGS=-O0 NGHTTP2=0 WSLAY=0 COUNTED=0
check "make" run
all=$(find "$work/out" -name '*.o' | wc -l)
check "make again" run
check "nothing to do the second time" test "$(anything)" -eq 0

check "make CFLAGS=-g" run CFLAGS=-g
check "other CFLAGS compile all" test "$(objects)" -eq "$all"
check "make CFLAGS=-g again" run CFLAGS=-g
check "the same CFLAGS compile nothing" test "$(anything)" -eq 0

check "make LDFLAGS=-Wl,-O1" run CFLAGS=-g LDFLAGS=-Wl,-O1
check "other LDFLAGS compile nothing" test "$(objects)" -eq 0
check "other LDFLAGS link programs" test "$(built -path './examples/*' | wc -l)" -gt 0
check "make" run CFLAGS=-g

sleep 0.02
touch src/base/sha1.h
check "make after sha1.h" run CFLAGS=-g
check "a header compiles its users" test "$(built -name 'base_sha1.o' | wc -l)" -eq 2
check "a header compiles nobody else" test "$(built -name 'base_mask.o' | wc -l)" -eq 0

echo 'extern int weiri_added; int weiri_added;' >src/base/added.c
check "make with a new source" run CFLAGS=-g
check "a new source is in the library" member base_added.o
rm src/base/added.c
check "make without it" run CFLAGS=-g
check "a source that is gone leaves the library" sh -c "! ar t '$work/out/libweir.a' | grep added"

if echo '#include <mbedtls/sha1.h>' | $CC -x c -fsyntax-only - 2>/dev/null; then
    check "make MBEDTLS=1" run CFLAGS=-g MBEDTLS=1
    check "with mbedTLS: the backend is in" member backends_mbedtls.o
    check "with mbedTLS: our SHA-1 is out" sh -c "! ar t '$work/out/libweir.a' | grep base_sha1"
    check "with mbedTLS: the shared library lacks nothing" sh -c "! nm -D '$work/out/libweir.so' | grep ' U weir'"
    check "with mbedTLS: the core is not compiled again" test "$(built -name 'ws_*.o' | wc -l)" -eq 0
else
    skip "MBEDTLS=1" "no mbedTLS here"
fi
check "make clean" $MAKE BUILD="$work/out" clean
check "clean leaves nothing" test ! -e "$work/out"
finish
