#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh [CHECK]... - what compilers do not say: floors, symbols, style, format, tidy, warnings. `make lint`
# runs all of them, with BUILD and CC set and the libraries built. A missing tool is named; with CI=true it
# is a failure.
set -u

cd "$(dirname "$0")/../.." || exit 1
export BUILD="${BUILD:-build}" CC="${CC:-cc}"
mkdir -p "$BUILD/lint" || exit 1
[ $# -gt 0 ] || set -- floors symbols style format tidy warnings scripts

failed=0 missing=
for name in "$@"; do
    tests/lint/"$name.sh"
    case $? in
    0) echo "ok    lint: $name" ;;
    3)
        missing="$missing $name"
        [ "${CI:-}" != true ] || failed=$((failed + 1))
        ;;
    *)
        echo "FAIL  lint: $name"
        failed=$((failed + 1))
        ;;
    esac
done
[ -z "$missing" ] || echo "lint: left out, at least in part, for want of a tool:$missing"
[ "$failed" = 0 ]
