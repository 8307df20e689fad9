#!/bin/sh
# SPDX-License-Identifier: MIT
# An installed tree serves a program through pkg-config, static and shared, and uninstall leaves nothing.
# shellcheck source=tests/portability/checks.inc
. "$(dirname "$0")/checks.inc"

tree=$work/root
to="BUILD=$work/build DESTDIR=$tree PREFIX=/usr LIBDIR=/usr/lib"
# shellcheck disable=SC2086
check "make install" $MAKE $to install
for file in include/weir/weir.h include/weir/ws.h lib/libweir.a lib/pkgconfig/weir.pc; do
    check "installed $file" test -f "$tree/usr/$file"
done

program() {
    # shellcheck disable=SC2046,SC2086
    $CC -std=c99 $warnings tests/portability/user.c -o "$work/user" "$@" &&
        LD_LIBRARY_PATH=$tree/usr/lib "$work/user"
}

if have pkg-config; then
    config() {
        PKG_CONFIG_PATH=$tree/usr/lib/pkgconfig pkg-config --define-variable=prefix="$tree/usr" "$@" weir
    }
    version=$(sed -n 's/.define WEIR_VERSION "\(.*\)"/\1/p' include/weir/base.h)
    check "version in weir.pc" test "$(config --modversion)" = "$version"
    check "no leftovers in weir.pc" sh -c '! grep @ "$1"' - "$tree/usr/lib/pkgconfig/weir.pc"
    # shellcheck disable=SC2046
    check "linked static" program $(config --cflags) "$tree/usr/lib/libweir.a"
    if [ -f "$tree/usr/lib/libweir.so" ]; then
        # shellcheck disable=SC2046
        check "linked shared" program $(config --cflags --libs)
        # The program asks for the library by its version, so an incompatible one is not loaded.
        check "soname" sh -c 'readelf -d "$1" | grep -q "NEEDED.*libweir\.so\.$2\]"' - \
            "$work/user" "${version%.*}"
    fi
    if [ -f "$tree/usr/lib/libweir-zlib.a" ]; then
        check "version in weir-zlib.pc" test "$(PKG_CONFIG_PATH=$tree/usr/lib/pkgconfig \
            pkg-config --modversion weir-zlib)" = "$version"
        check "weir-zlib.pc links both" sh -c 'echo "$1" | grep -e "-lweir " | grep -e "-lz " |
            grep -q -e "-lweir-zlib "' - \
            "$(PKG_CONFIG_PATH=$tree/usr/lib/pkgconfig pkg-config --static --libs weir-zlib) "
    fi
else
    skip "pkg-config" "not installed"
    check "linked static" program -I"$tree/usr/include" "$tree/usr/lib/libweir.a"
fi

# shellcheck disable=SC2086
check "make uninstall" $MAKE $to uninstall
check "uninstall leaves no file" test -z "$(find "$tree" ! -type d)"
finish
