#!/bin/sh
# SPDX-License-Identifier: MIT
# tidy.sh - clang-tidy over the library; .clang-tidy says with which checks.
set -u

cd "$(dirname "$0")/../.." || exit 1
if ! command -v clang-tidy >/dev/null 2>&1; then
    echo "lint: clang-tidy is missing (Debian: clang-tidy)" >&2
    exit 3
fi
sources=$(find src -name '*.c' | sort)
has() {
    printf '#include <%s>\n' "$1" | ${CC:-cc} -fsyntax-only -x c - 2>/dev/null
}
has mbedtls/sha1.h || sources=$(echo "$sources" | grep -v backends/mbedtls)
has zlib.h || sources=$(echo "$sources" | grep -v backends/zlib)
# shellcheck disable=SC2086
echo $sources | tr ' ' '\n' | xargs -n 8 -P 2 sh -c '
    clang-tidy --quiet "$@" -- -std=c99 -Iinclude -Isrc 2>/dev/null' - >"${BUILD:-build}/lint/tidy.txt"
code=$?
grep -E '(warning|error):' "${BUILD:-build}/lint/tidy.txt" | sort -u
[ "$code" = 0 ] && ! grep -q -E '(warning|error):' "${BUILD:-build}/lint/tidy.txt"
