#!/bin/sh
# SPDX-License-Identifier: MIT
# An installed tree serves a program through pkg-config, static and shared; it refuses a program that was built
# with other headers; and uninstall leaves nothing.
# shellcheck source=tests/portability/checks.inc
. "$(dirname "$0")/checks.inc"

tree=$work/root
to="BUILD=$work/build DESTDIR=$tree PREFIX=/usr LIBDIR=/usr/lib"
# The default level of optimisation takes time, and nothing here depends on it.
export CFLAGS=-O0 NGHTTP2=0 WSLAY=0 COUNTED=0
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

# ---- Programs built with headers of another version ---------------------------------------------------

# refused FILE EDIT NAME...: with the header edited, the init functions of these and no others refuse.
refused() {
    file=$1 edit=$2
    shift 2
    rm -rf "$work/other"
    mkdir -p "$work/other"
    cp -R "$tree/usr/include/weir" "$work/other/weir"
    sed "$edit" "$tree/usr/include/weir/$file" >"$work/other/weir/$file"
    # shellcheck disable=SC2086
    $CC -std=c99 $warnings -I"$work/other" tests/portability/layout.c -o "$work/layout" -L"$tree/usr/lib" \
        -lweir || return 1
    LD_LIBRARY_PATH=$tree/usr/lib "$work/layout" >"$work/said" || return 1
    [ $# = 0 ] || printf '%s\n' "$@" >"$work/wanted"
    [ $# != 0 ] || : >"$work/wanted"
    diff "$work/wanted" "$work/said"
}
# longer STRUCT: an edit that gives it a member more.
longer() {
    echo "s/^} $1;\$/uint64_t added_; } $1;/"
}
# A library of another minor version has another name, and the loader takes no other.
loads_no_other() {
    mkdir -p "$work/newer"
    cp "$tree/usr/lib/libweir.so" "$work/newer/libweir.so.0.9999"
    ! LD_LIBRARY_PATH=$work/newer "$work/layout"
}
if [ -f "$tree/usr/lib/libweir.so" ]; then
    l=WEIR_ERR_LAYOUT
    check "the same headers: all are set up" refused base.h ''
    check "another patch" refused base.h 's/\(define WEIR_VERSION_PATCH\) .*/\1 99/' "weir_version: other"
    for part in MINOR MAJOR; do
        check "another version: $part" refused base.h "s/\(define WEIR_VERSION_$part\) .*/\1 99/" \
            "weir_version: other" "weir_entropy: $l" "weir_http: $l" "weir_ws: $l" "weir_deflate: $l" \
            "weir_sse_parser: $l" "weir_sse_log: $l" "weir_sse_source: $l"
    done
    check "another weir_entropy" refused base.h "$(longer weir_entropy)" "weir_entropy: $l"
    check "another weir_sse_log" refused sse.h "$(longer weir_sse_log)" "weir_sse_log: $l"
    check "another weir_http" refused http.h "$(longer weir_http)" "weir_http: $l" "weir_sse_source: $l"
    check "another weir_ws" refused ws.h "$(longer weir_ws)" "weir_ws: $l"
    check "another weir_ws_cfg" refused ws.h "$(longer weir_ws_cfg)" "weir_ws: $l"
    check "another weir_deflate" refused deflate.h "$(longer weir_deflate)" "weir_deflate: $l"
    check "another weir_sse_parser" refused sse.h "$(longer weir_sse_parser)" \
        "weir_sse_parser: $l" "weir_sse_source: $l"
    check "another weir_sse_source" refused sse.h "$(longer weir_sse_source)" "weir_sse_source: $l"
    check "another weir_sse_source_cfg" refused sse.h "$(longer weir_sse_source_cfg)" "weir_sse_source: $l"
    check "a library of another name is not loaded" loads_no_other
fi

# shellcheck disable=SC2086
check "make uninstall" $MAKE $to uninstall
check "uninstall leaves no file" test -z "$(find "$tree" ! -type d)"
finish
