#!/bin/sh
# SPDX-License-Identifier: MIT
# one.sh TARGET - builds the library with its unit tests, attacks and fuzz targets for another machine, or for
# a checker that wants cmocka and zlib built its way, and runs them there. For valgrind these are the programs
# of `make test` as they are. run.sh calls it with BUILD and SOURCES set, and TESTED, which is BUILD by the name that
# `make test` has it under; the closing line is `N passed, N failed`, or `skipped: TARGET: WHY`.
set -u

cd "$(dirname "$0")/../.." || exit 1
target=${1:?usage: one.sh TARGET}
work=${BUILD:-build}/cross/$target
sources=${SOURCES:?the folder that sources.sh fills}
runner='' emulator=qemu-user link=-static cflags=-O1
# Percent of the rounds of `make test`, which does them all; valgrind takes thirty times as long for each.
[ "$target" = valgrind ] && rounds=2 || rounds=5
export WEIR_TEST_ROUNDS="${WEIR_TEST_ROUNDS:-$rounds}"
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MBEDTLS SANITIZE
[ "$target" = valgrind ] || unset CPPFLAGS LDFLAGS CFLAGS AR

case $target in
i386)
    # gcc-multilib brings a link to the kernel's headers, and cannot be beside compilers for other machines.
    cc="gcc -m32 -idirafter /usr/include/$(gcc -print-multiarch 2>/dev/null)" link=''
    package="gcc-$(gcc -dumpversion 2>/dev/null)-multilib"
    ;;
s390x) cc=s390x-linux-gnu-gcc package=gcc-s390x-linux-gnu runner=qemu-s390x ;;
aarch64) cc=aarch64-linux-gnu-gcc package=gcc-aarch64-linux-gnu runner=qemu-aarch64 ;;
armhf) cc=arm-linux-gnueabihf-gcc package=gcc-arm-linux-gnueabihf runner=qemu-arm ;;
musl) cc=musl-gcc package=musl-tools ;;
mingw)
    cc=x86_64-w64-mingw32-gcc package=gcc-mingw-w64-x86-64 runner="$PWD/tests/cross/wine.sh"
    # It takes `format(printf)` for Microsoft's of old; the other compilers check the formats.
    cflags="$cflags -Wno-format -Wno-format-extra-args"
    ;;
msan)
    # Memory that was never written must not decide anything. cmocka and zlib are compiled for it too, so that
    # what they write counts as written. -fsanitize-memory-track-origins says where from, in twice the time.
    cc='clang -fsanitize=memory -fno-omit-frame-pointer -g' package=clang link=''
    ;;
valgrind)
    cc=${CC:-cc} package=gcc link='' emulator=valgrind
    runner="valgrind -q --error-exitcode=99 --leak-check=full --suppressions=$PWD/tests/cross/valgrind.supp"
    ;;
*)
    echo "one.sh: no target $target: i386 s390x aarch64 armhf musl mingw msan valgrind are known" >&2
    exit 2
    ;;
esac

# A processor may know 32 bits, and its kernel not.
runs() {
    # shellcheck disable=SC2086
    $runner "$work/probe" >"$work/probe.log" 2>&1
}
skip() {
    echo "skipped: $target: $1"
    exit 0
}
mkdir -p "$work/lib" "$work/include" || exit 1
work=$(cd "$work" && pwd)
echo 'int main(void) { return 0; }' >"$work/probe.c"
# shellcheck disable=SC2086 # lists of words
$cc $link "$work/probe.c" -o "$work/probe" 2>/dev/null || skip "no $cc (Debian: $package)"
case $target in
i386) runs || runner=qemu-i386 ;;
mingw)
    emulator=wine64
    export WINEPREFIX="$work/wine" WINEDEBUG=-all
    # Starting Windows takes longer than most tests: let it stay for a while. A program that comes just when it
    # ends would fail.
    mkdir -p "$WINEPREFIX"
    for server in wineserver /usr/lib/wine/wineserver; do
        ! command -v $server >/dev/null 2>&1 || { $server -p30; break; }
    done
    ;;
esac
runs || skip "its programs do not run here (Debian: $emulator)"

# What both kinds of target leave out: other people's peers are there for one machine, choices of instructions are no
# other machine's, and portability is this.
set -- make --no-print-directory RUNNER="$runner" NGHTTP2=0 WSLAY=0 COUNTED=0 CHOICES= PORTABILITY=0 JOBS=1
if [ "$target" = valgrind ]; then
    # The inputs of fuzzing have sanitizers to watch over them.
    exec "$@" BUILD="${TESTED:-build}" FUZZ=0 test
fi

# ---- cmocka and zlib for it -------------------------------------------------------------------------

# Compiles files without warnings: they are not ours.
objects() {
    # shellcheck disable=SC2086
    (cd "$work/lib" && $cc -w -O2 -I"$work/include" $defines -c "$@") || exit 1
}
if ! [ -f "$work/lib/libz.a" ]; then
    cp "$sources"/cmocka/include/*.h "$sources/zlib/zlib.h" "$sources/zlib/zconf.h" "$work/include/"
    defines='-DHAVE_SIGNAL_H -DHAVE_MALLOC_H -DHAVE_INTTYPES_H -DHAVE_STRINGS_H -DHAVE_GCC_THREAD_LOCAL_STORAGE'
    [ "$target" = mingw ] && defines="$defines -D__USE_MINGW_ANSI_STDIO=1" ||
        defines="$defines -DHAVE_SIGLONGJMP -DHAVE_STRSIGNAL -D_GNU_SOURCE"
    objects "$sources/cmocka/src/cmocka.c"
    defines=
    for name in adler32 crc32 deflate infback inffast inflate inftrees trees zutil; do
        objects "$sources/zlib/$name.c"
    done
    (cd "$work/lib" && ar rcs libcmocka.a cmocka.o && rm cmocka.o && ar rcs libz.a ./*.o && rm ./*.o)
fi
# pkg-config would answer for this machine.
mkdir -p "$work/lib/pkgconfig"
printf 'Name: cmocka\nDescription: cmocka\nVersion: 1\nCflags: -I%s\nLibs: -L%s -lcmocka\n' "$work/include" \
    "$work/lib" >"$work/lib/pkgconfig/cmocka.pc"
export PKG_CONFIG_LIBDIR="$work/lib/pkgconfig" PKG_CONFIG_PATH=

# ---- The tests --------------------------------------------------------------------------------------

# Calls fail where the C library is not linked in with its own. One file is compiled faster than many, and tests
# faster without -O.
faults=0
[ -n "$link" ] || faults=1
"$@" CC="$cc" BUILD="$work/build" CFLAGS="$cflags -isystem $work/include" LDFLAGS="$link -L$work/lib" SHARED=0 \
    ZLIB=1 FAULTS=$faults AMALGAM=1 WERROR=1 TEST_CFLAGS=-O0 test
