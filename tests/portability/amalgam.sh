#!/bin/sh
# SPDX-License-Identifier: MIT
# The two-file form compiles alone, without a warning, and does what the library does, at every level of
# optimisation and linked as a whole program.
# shellcheck source=tests/portability/checks.inc
. "$(dirname "$0")/checks.inc"

check "make amalgam" $MAKE BUILD="$work" amalgam
cd "$work/amalgam" || exit 1
check "includes only its header" test "$(grep -h '#include "' weir.c weir.h)" = '#include "weir.h"'
mkdir -p weir
printf '#include "../weir.h"\n' >weir/weir.h
cp "$OLDPWD/tests/portability/user.cpp" ..
user="$OLDPWD/tests/portability/user.c"
program() {
    compiler=$1
    shift
    # shellcheck disable=SC2086
    "$compiler" -std=c99 "$@" $widest -I. weir.c "$user" -o user && ./user
}
for compiler in $(compilers); do
    for level in -O2 -Os -O3; do
        check "$compiler $level" program "$compiler" $level
    done
    # Not every linker has the compiler's part for it.
    if echo 'int main(void) { return 0; }' | $compiler -O2 -flto -x c - -o lto 2>/dev/null; then
        check "$compiler -flto" program "$compiler" -O2 -flto
    else
        skip "$compiler -flto" "its linker cannot do it (Debian: llvm-14-linker-tools)"
    fi
done
if have g++; then
    # shellcheck disable=SC2086
    check "weir.h in C++98" g++ -std=c++98 $warnings -I. -fsyntax-only ../user.cpp
fi
finish
