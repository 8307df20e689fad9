#!/bin/sh
# SPDX-License-Identifier: MIT
# The two-file form compiles alone, without a warning, and does what the library does, at every level of
# optimisation and linked as a whole program.
# shellcheck source=tests/portability/checks.inc
. "$(dirname "$0")/checks.inc"

check "make amalgam" $MAKE BUILD="$work" amalgam
cd "$work/amalgam" || exit 1
for source in weir.c weir_zlib.c; do
    check "$source includes only its header" test "$(grep -h '#include "' $source weir.h)" = '#include "weir.h"'
done
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
    for choice in 0 1; do
        # shellcheck disable=SC2086
        check "$compiler -DWEIR_SIMD=$choice" "$compiler" -std=c99 -DWEIR_SIMD=$choice $widest -fsyntax-only weir.c
    done
    # Not every linker has the compiler's part for it.
    if echo 'int main(void) { return 0; }' | $compiler -O2 -flto -x c - -o lto 2>/dev/null; then
        check "$compiler -flto" program "$compiler" -O2 -flto
    else
        skip "$compiler -flto" "its linker cannot do it (Debian: llvm-14-linker-tools)"
    fi
done
# With zlib's backend beside it.
cat >packed.c <<'END'
#include "weir.h"

int main(void)
{
    weir_deflate_cfg cfg = {.backend = &weir_zlib, .params = {.server_bits = 15, .client_bits = 15}};
    size_t inflate_len = 0, deflate_len = 0;
    cfg.role = WEIR_WS_SERVER;
    weir_deflate_memory(&cfg, &inflate_len, &deflate_len);
    return inflate_len == 0 || deflate_len == 0;
}
END
packed() {
    # shellcheck disable=SC2086
    "$CC" -std=c99 $widest weir.c weir_zlib.c packed.c -o packed -lz && ./packed
}
if printf '#include <zlib.h>\nint main(void) { return !zlibVersion(); }\n' | $CC -x c - -o zlib -lz 2>/dev/null; then
    check "with weir_zlib.c" packed
else
    skip "with weir_zlib.c" "there is no zlib"
fi
if have g++; then
    # shellcheck disable=SC2086
    check "weir.h in C++98" g++ -std=c++98 $warnings -I. -fsyntax-only ../user.cpp
fi
finish
