#!/bin/sh
# SPDX-License-Identifier: MIT
# wine.sh PROGRAM [ARGUMENT]... - runs a Windows program, whose name compilers end with .exe.
set -eu

program=$1
shift
for wine in wine64 wine /usr/lib/wine/wine64; do
    ! command -v "$wine" >/dev/null 2>&1 || exec "$wine" "$program.exe" "$@"
done
echo "wine.sh: no wine here" >&2
exit 127
