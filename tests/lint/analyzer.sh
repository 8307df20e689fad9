#!/bin/sh
# SPDX-License-Identifier: MIT
# analyzer.sh - gcc's -fanalyzer over the library: what happens along the paths through a function.
set -u

cd "$(dirname "$0")/../.." || exit 1
if ! echo 'int x;' | gcc -fanalyzer -x c -c - -o /dev/null 2>/dev/null; then
    echo "lint: no gcc with -fanalyzer here (Debian: gcc)" >&2
    exit 3
fi
sources=$(find src -name '*.c' | sort)
has() {
    printf '#include <%s>\n' "$1" | gcc -fsyntax-only -x c - 2>/dev/null
}
has mbedtls/sha1.h || sources=$(echo "$sources" | grep -v backends/mbedtls)
has zlib.h || sources=$(echo "$sources" | grep -v backends/zlib)
echo "$sources" | xargs -n 1 -P "$(nproc 2>/dev/null || echo 1)" \
    gcc -std=c99 -O2 -fanalyzer -Werror -Iinclude -Isrc -c -o /dev/null
