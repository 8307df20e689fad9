#!/bin/sh
# SPDX-License-Identifier: MIT
# floors.sh - who may include whom: a file includes internal headers of its own folder or of a lower floor,
# public headers of these floors, of the standard ones five, and the compiler's own for vectors.
set -u

cd "$(dirname "$0")/../.." || exit 1
# shellcheck disable=SC2016
awk '
BEGIN {
    split("base:1 time:1 http:2 ws:3 sse:3 backends:4", list)
    for (i in list) {
        split(list[i], pair, ":")
        floor[pair[1]] = pair[2]
    }
    split("base:base pulse:time http:http deflate:http ws:ws sse:sse zlib:backends weir:all", list)
    for (i in list) {
        split(list[i], pair, ":")
        home[pair[1]] = pair[2]
    }
    split("stddef stdint stdbool limits string emmintrin immintrin arm_neon", list)
    for (i in list)
        standard[list[i] ".h"] = 1
}
function bad(why) {
    printf "%s:%d: %s: %s\n", FILENAME, FNR, $0, why
    failed = 1
}
# May `folder` use what belongs to `other`?
function below(other) {
    return other == folder || floor[other] < floor[folder]
}
FNR == 1 {
    parts = split(FILENAME, path, "/")
    name = path[parts]
    sub(/\..$/, "", name)
    public = path[1] == "include"
    folder = public ? home[name] : path[2]
    if (public && folder == "")
        bad("floors.sh does not know the floor of this header")
}
/^[ \t]*#[ \t]*include/ {
    file = $0
    sub(/^[^<"]*[<"]/, "", file)
    sub(/[>"].*$/, "", file)
    if (folder == "all")
        next
    if ($0 ~ /</) {
        if (folder == "backends" && !public)
            next
        if (!(file in standard))
            bad("not one of the standard headers that exist without a C library")
        if (public && file ~ /^string|intrin|neon/)
            bad("public headers need neither functions nor vectors")
        next
    }
    parts = split(file, path, "/")
    if (path[1] == "weir") {
        sub(/\.h$/, "", path[2])
        if (!(path[2] in home) || home[path[2]] == "all")
            bad("include the header that is needed")
        else if (home[path[2]] != "base" && !below(home[path[2]]))
            bad("belongs to a floor that is not below")
    } else if (public) {
        bad("public headers include public headers only")
    } else if (parts == 1) {
        next
    } else if (!(path[1] in floor) || !below(path[1])) {
        bad("belongs to a floor that is not below")
    }
}
END { exit failed }
' include/weir/*.h src/*/*.[ch]
