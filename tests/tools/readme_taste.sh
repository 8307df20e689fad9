#!/bin/sh
# SPDX-License-Identifier: MIT
# readme_taste.sh - compiles the C in README.md without a warning: each ```c block that includes something
# or has a main() is whole, and one with a main() is linked with the library too. There must be two: a
# taste of each protocol. And the servers that README.md says are around a function have that function, word
# by word; and the size of the code is that of docs/sizes.md.
set -u

cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
CC=${CC:-cc}
work=$BUILD/portability/readme
rm -rf "$work"
mkdir -p "$work" || exit 1

awk -v to="$work/block" '
    /^```c$/ { inside = 1; n++; file = to n ".c"; next }
    /^```/ { inside = 0 }
    inside { print > file }' README.md

passed=0 failed=0
for block in "$work"/block*.c; do
    program="$work/program"
    if grep -q '^int main' "$block"; then
        set -- "$block" "$BUILD/libweir.a" -o "$program"
    elif grep -q '^#include' "$block"; then
        set -- -c "$block" -o "$program"
    else
        continue
    fi
    if $CC -std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wpedantic -Werror -Iinclude "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL README.md: a C block does not compile (see $block)"
    fi
done
# The function, with the comment above it: `static` is the program's.
function_of() {
    awk -v name="$1" '
        /^\/\*/ { text = "" }
        { sub(/^static /, ""); text = text $0 "\n" }
        index($0, " " name "(") && /^[a-z]/ { inside = 1 }
        inside && /^}/ { printf "%s", text; exit }' "$2"
}
for pair in 'echo tiny_ws' 'stream tiny_sse'; do
    name=${pair% *} program=docs/examples/${pair#* }.c
    function_of "$name" README.md >"$work/$name.readme"
    function_of "$name" "$program" >"$work/$name.program"
    if [ -s "$work/$name.readme" ] && diff "$work/$name.readme" "$work/$name.program"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL README.md: $name() is not the one of $program"
    fi
done
# What README.md says of the library's size is what docs/sizes.md has measured.
measured=$(awk '$2 == "total" { print int($4 / 1000 + 0.5) }' docs/sizes.md)
said=$(sed -n 's/.* about \([0-9]*\) KB of code .*/\1/p' README.md)
if [ -n "$measured" ] && [ "$said" = "$measured" ]; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    echo "FAIL README.md: '${said}' KB of code, docs/sizes.md has $measured"
fi
if ! [ -f "$work/block2.c" ]; then
    failed=$((failed + 1))
    echo "FAIL README.md: fewer than two whole C blocks"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
