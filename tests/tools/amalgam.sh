#!/bin/sh
# SPDX-License-Identifier: MIT
# amalgam.sh DIR - writes the library as DIR/weir.h and DIR/weir.c, and the zlib backend as DIR/weir_zlib.c.
#
# Each of weir's headers is inlined where it is first included. The core uses five standard headers, of
# which lint knows; they go to the top.
set -eu

to=$1
cd "$(dirname "$0")/../.."
mkdir -p "$to"
version=$(sed -n 's/.define WEIR_VERSION "\(.*\)"/\1/p' include/weir/base.h)

# Inlines the files named on the command line. `done_` names headers that are already there.
inline() {
    awk '
    function exists(path,    line, found) {
        found = (getline line < path) >= 0
        close(path)
        return found
    }
    function resolve(name, from,    dir) {
        dir = from
        sub(/[^\/]*$/, "", dir)
        if (exists(dir name))
            return dir name
        if (exists("src/" name))
            return "src/" name
        return "include/" name
    }
    function emit(path,    line, name) {
        if (seen[path]++)
            return
        if (path ~ /^include\//) {
            if (!public)
                return
        }
        printf "\n/* ==== %s ==== */\n\n", path
        while ((getline line < path) > 0) {
            if (line ~ /SPDX-License-Identifier/)
                continue
            if (line ~ /^#include "/) {
                name = line
                gsub(/^#include "|".*$/, "", name)
                emit(resolve(name, path))
            } else if (line ~ /^#include </) {
                # Those of the compiler for vectors stand under their conditions.
                if (public || line ~ /intrin|arm_neon/)
                    print line
            } else {
                print line
            }
        }
        close(path)
    }
    BEGIN {
        public = ARGV[1] == "public"
        for (i = 2; i < ARGC; i++)
            emit(ARGV[i])
    }' "$@" | cat -s
}

license() {
    printf '/* SPDX-License-Identifier: MIT */\n/* weir %s - %s\n *\n' "$version" "$1"
    sed -e 's/^/ * /' -e 's/ *$//' LICENSE
    printf ' */\n'
}

{
    license 'all public headers in one; made by `make amalgam`.'
    inline public include/weir/weir.h include/weir/zlib.h
} >"$to/weir.h"
{
    license 'all sources in one; made by `make amalgam`. Compile it as C99.'
    printf '#include "weir.h"\n\n'
    printf '#include <%s.h>\n' limits stdbool stddef stdint string
    # Floor by floor, as `make` orders them.
    inline core src/base/*.c src/time/*.c src/http/*.c src/ws/*.c src/sse/*.c
} >"$to/weir.c"
{
    license 'the zlib backend of permessage-deflate; made by `make amalgam`.'
    echo
    sed -e '/SPDX-License-Identifier/d' -e 's|"weir/zlib.h"|"weir.h"|' src/backends/zlib.c
} >"$to/weir_zlib.c"
