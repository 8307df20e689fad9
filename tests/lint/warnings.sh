#!/bin/sh
# SPDX-License-Identifier: MIT
# warnings.sh - the widest warning set of gcc and clang over everything that is C.
set -u

cd "$(dirname "$0")/../.." || exit 1
flags="-Werror -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wcast-align
       -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Wformat-security -Wwrite-strings
       -Wpointer-arith -Wold-style-definition"
posix='-Idocs/examples -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE'
fuzz='-Itests/harness -DFUZZ_ZLIB'
failed=0 code=0

has() {
    printf '%s\n' '#include <stdarg.h>' '#include <stddef.h>' '#include <stdint.h>' '#include <setjmp.h>' \
        "#include <$1>" | ${CC:-cc} -fsyntax-only -x c - 2>/dev/null
}
# Files are left out whose libraries are not there.
core=$(find src -name '*.c' | sort)
programs=$(find docs/examples fuzz -name '*.c' | sort)
tests=$(find tests/unit tests/harness tests/attacks tests/peers tests/faults -name '*.c' | sort)
bench=$(find tests/bench tests/bounded -name '*.c' | sort)
has mbedtls/sha1.h || {
    core=$(echo "$core" | grep -v backends/mbedtls)
    tests=$(echo "$tests" | grep -v test_mbedtls)
}
has zlib.h || {
    core=$(echo "$core" | grep -v backends/zlib) fuzz=-Itests/harness
    programs=$(echo "$programs" | grep -v deflate)
    tests=$(echo "$tests" | grep -v -E 'test_zlib|attacks_inflate|test_nghttp2_packed')
}
has nghttp2/nghttp2.h || tests=$(echo "$tests" | grep -v -E 'nghttp2|peers/h2')
has wslay/wslay.h || {
    tests=$(echo "$tests" | grep -v wslay)
    programs=$(echo "$programs" | grep -v wslay)
    bench=$(echo "$bench" | grep -v wslay)
}
has cmocka.h || {
    echo "lint: cmocka.h is missing: run make deps" >&2
    tests='' code=3
}
# look [FLAG]... FILE...: the compiler's opinion, of some files at a time on each processor.
look() {
    options=
    while [ "${1#-}" != "$1" ]; do
        options="$options $1"
        shift
    done
    # shellcheck disable=SC2086
    printf '%s\n' "$@" | xargs -n 10 -P "$(nproc 2>/dev/null || echo 1)" \
        $compiler -std=c99 $flags $own -Iinclude -Isrc $options -fsyntax-only || failed=1
}
for compiler in gcc clang; do
    if ! command -v $compiler >/dev/null 2>&1; then
        echo "lint: $compiler is missing (Debian: $compiler)" >&2
        code=3
        continue
    fi
    case $compiler in
    gcc) own='-Wduplicated-cond -Wduplicated-branches -Wjump-misses-init' ;;
    clang) own='-Wimplicit-fallthrough -Wconditional-uninitialized -Wmissing-variable-declarations' ;;
    esac
    # shellcheck disable=SC2086
    {
        look $core
        look $posix $fuzz $programs $bench
        [ -z "$tests" ] || look -Itests/harness $posix -DWEIR_VECTORS='""' $tests
    } 2>&1
done
[ "$failed" = 0 ] || exit 1
exit $code
