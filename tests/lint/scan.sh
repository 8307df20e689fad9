#!/bin/sh
# SPDX-License-Identifier: MIT
# scan.sh - clang's scan-build over the library and the example programs.
set -u

cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
if ! command -v scan-build >/dev/null 2>&1; then
    echo "lint: scan-build is missing (Debian: clang-tools)" >&2
    exit 3
fi
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MBEDTLS SANITIZE
rm -rf "$BUILD/lint/scan"
# With mbedTLS's backend where its headers are; the core is the same beside it.
mbedtls=
if printf '#include <mbedtls/sha1.h>' | clang -fsyntax-only -x c - 2>/dev/null; then
    mbedtls=$BUILD/lint/scan/build/obj/static/backends_mbedtls.o
fi
# shellcheck disable=SC2086 # nothing, or a name
# The make is told its flags: scan-build puts its own compiler into CC.
scan-build -o "$BUILD/lint/scan/report" --status-bugs --use-cc=clang -enable-checker optin.portability \
    -enable-checker security -enable-checker nullability -enable-checker valist \
    make -s -j"$(nproc 2>/dev/null || echo 1)" BUILD="$BUILD/lint/scan/build" SHARED=0 CFLAGS=-O0 all $mbedtls \
    >"$BUILD/lint/scan.txt" 2>&1 && exit 0
grep -E '(warning|error):|bugs found' "$BUILD/lint/scan.txt" | sort -u
exit 1
