#!/bin/sh
# SPDX-License-Identifier: MIT
# Each public header compiles alone, in every C and C++ that people include it from.
# shellcheck source=tests/portability/checks.inc
. "$(dirname "$0")/checks.inc"

for header in include/weir/*.h; do
    name=$(basename "$header" .h)
    printf '#include <weir/%s.h>\n#include <weir/%s.h>\nint dummy;\n' "$name" "$name" >"$work/$name.c"
    cp "$work/$name.c" "$work/$name.cpp"
done

# In one call for each compiler and language: a compiler's start costs more than the headers.
for compiler in $(compilers); do
    for std in c99 c11 c17 c2x; do
        # shellcheck disable=SC2086
        check "$compiler $std" "$compiler" -std=$std $widest -Iinclude -fsyntax-only "$work"/*.c
    done
done
for compiler in g++ clang++; do
    if ! have $compiler; then
        skip "$compiler" "not installed"
        continue
    fi
    for std in c++98 c++11 c++14 c++17 c++20; do
        # shellcheck disable=SC2086
        check "$compiler $std" $compiler -std=$std $warnings -Wconversion -Wsign-conversion -Wold-style-cast -Wshadow \
            -Iinclude -fsyntax-only "$work"/*.cpp tests/portability/user.cpp
    done
done
finish
