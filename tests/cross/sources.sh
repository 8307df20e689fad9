#!/bin/sh
# SPDX-License-Identifier: MIT
# sources.sh DIR - the sources of cmocka and zlib as Debian has them, in DIR/cmocka and DIR/zlib, to be
# compiled for machines and sanitizers that have no package of them. What is there already stays; nothing of
# the system changes. Needs apt-get and a network.
set -eu

to=${1:?usage: sources.sh DIR}
[ -f "$to/cmocka/src/cmocka.c" ] && [ -f "$to/zlib/inflate.c" ] && exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "sources.sh: no apt-get here; put the sources of cmocka and zlib into $to/cmocka and $to/zlib" >&2
    exit 1
fi

mkdir -p "$to"
work=$(mktemp -d "$to/apt.XXXXXX")
trap 'rm -rf "$work"' EXIT
work=$(cd "$work" && pwd)
mkdir -p "$work/lists/partial" "$work/parts" "$work/from"

# The system's own list of Debian, for sources instead of binaries.
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ ! -f "$file" ] || sed -n 's/^deb \(.*debian.*\)/deb-src \1/p' "$file" >>"$work/parts/sources.list"
done
for file in /etc/apt/sources.list.d/debian*.sources; do
    [ ! -f "$file" ] || sed 's/^Types:.*/Types: deb-src/' "$file" >"$work/parts/$(basename "$file")"
done
apt() {
    apt-get -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/parts" \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work" -o APT::Sandbox::User=root "$@"
}
if ! { apt update && cd "$work/from" && apt source --download-only cmocka zlib; } >"$work/log" 2>&1; then
    tail -n 5 "$work/log" >&2
    echo "sources.sh: cannot get the sources of cmocka and zlib" >&2
    exit 1
fi
cd "$OLDPWD"
for name in cmocka zlib; do
    rm -rf "${to:?}/$name"
    mkdir "$work/$name"
    tar -x -C "$work/$name" --strip-components=1 -f "$work/from/$name"_*.orig.tar.*[!c]
    mv "$work/$name" "$to/$name"
done
