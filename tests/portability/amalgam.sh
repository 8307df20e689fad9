#!/bin/sh
# SPDX-License-Identifier: MIT
# The two-file form compiles alone, without a warning, and does what the library does.
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
    # shellcheck disable=SC2086
    "$1" -std=c99 -O2 $widest -I. weir.c "$user" -o user && ./user
}
for compiler in $(compilers); do
    check "$compiler" program "$compiler"
done
if have g++; then
    # shellcheck disable=SC2086
    check "weir.h in C++98" g++ -std=c++98 $warnings -I. -fsyntax-only ../user.cpp
fi
finish
