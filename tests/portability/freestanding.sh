#!/bin/sh
# SPDX-License-Identifier: MIT
# The core builds without a hosted C library and needs nothing but four functions of string.h; it builds
# for 32 bits, and as `cc -Iinclude -Isrc` over the plain sources.
# shellcheck source=tests/portability/checks.inc
. "$(dirname "$0")/checks.inc"

sources=$(find src -name '*.c' ! -path '*/backends/*' | sort)

joined() {
    target=$1
    shift
    # shellcheck disable=SC2086
    for source in $sources; do
        object=$work/$target.$(echo "$source" | tr / _).o
        $CC -std=c99 "$@" $widest -Iinclude -Isrc -c "$source" -o "$object" || return 1
    done
    $CC "$@" -nostdlib -r "$work/$target".*.o -o "$work/$target.all" || return 1
    extra=$(tests/tools/undefined.sh "$work/$target.all") || return 1
    [ -z "$extra" ] || { echo "needs $extra"; return 1; }
}

check "freestanding" joined freestanding -ffreestanding -Os
check "freestanding, fast" joined fast -ffreestanding -O2
if echo 'int main(void) { return 0; }' | $CC -m32 -x c - -o /dev/null 2>/dev/null; then
    check "32 bits" joined m32 -m32 -ffreestanding -Os
    program() {
        # shellcheck disable=SC2086
        $CC -m32 -std=c99 $widest -Iinclude tests/portability/user.c "$work"/m32.*.o -o "$work/user32" &&
            $runner "$work/user32"
    }
    # A kernel of 64 bits alone starts no such program; an emulator does.
    echo 'int main(void) { return 0; }' | $CC -m32 -x c - -o "$work/probe"
    runner=
    "$work/probe" 2>/dev/null || runner=qemu-i386
    if $runner "$work/probe" 2>/dev/null; then
        check "32 bits: a program" program
    else
        skip "32 bits: a program" "it does not run here"
    fi
else
    skip "32 bits" "$CC -m32 does not work here"
fi
vendored() {
    # shellcheck disable=SC2086
    $CC -Iinclude -Isrc $sources tests/portability/user.c -o "$work/user" && "$work/user"
}
check "plain sources" vendored
if have arm-none-eabi-gcc; then
    check "Cortex-M0+ and Cortex-M4, no C library" tests/embedded/sizes.sh
else
    skip "Cortex-M" "no arm-none-eabi-gcc here (Debian: gcc-arm-none-eabi)"
fi
check "size of a connection" tests/tools/sizes.sh --check
finish
