#!/bin/sh
# SPDX-License-Identifier: MIT
# cppcheck.sh - cppcheck over the library and the example programs.
set -u

cd "$(dirname "$0")/../.." || exit 1
if ! command -v cppcheck >/dev/null 2>&1; then
    echo "lint: cppcheck is missing (Debian: cppcheck)" >&2
    exit 3
fi
# One configuration a processor's vectors, not all combinations of macros. Numbers behind a name are columns
# of the list of errors, which takes it long.
cppcheck --std=c99 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 --quiet \
    -j "$(nproc 2>/dev/null || echo 1)" -D__GNUC__=12 -D__x86_64__=1 -D__SSE2__=1 -UWEIR_SIMD -U_WIN32 \
    -U__ARM_NEON -Iinclude -Isrc -Idocs/examples src docs/examples
