#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh [--update] - is the shared library's binary interface what it was? `make abi` compares it with that
# of the last tag vX.Y.Z, or, in a clone without tags, with the declared one, tests/abi/x86_64.xml. More
# functions are welcome; anything else that a program sees may change only with the library's name
# (libweir.so.MAJOR.MINOR), that is with the minor version. `make abi-update` declares the present interface:
# after the version was raised, and before the first release when a struct was changed on purpose.
set -u

cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
declared=tests/abi/x86_64.xml
work=$BUILD/abi
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MBEDTLS SANITIZE RUNNER

skip() {
    echo "skipped: abi: $1"
    [ "${CI:-}" = true ] || exit 0
    echo "0 passed, 1 failed"
    exit 1
}
command -v abidiff >/dev/null 2>&1 || skip "abidiff is missing (Debian: abigail-tools)"
case $(uname -s)-$(uname -m) in
Linux-x86_64) ;;
*) skip "the declared interface is that of x86-64 Linux" ;;
esac
mkdir -p "$work" || exit 1
work=$(cd "$work" && pwd)

# describe TREE NAME: NAME.xml from the sources in TREE, and nothing of the place where they lie.
describe() {
    version=$(sed -n 's/.define WEIR_VERSION "\(.*\)"/\1/p' "$1/include/weir/base.h")
    library=$work/$2/libweir.so.$version
    make --no-print-directory -s -C "$1" -j2 BUILD="$work/$2" CC="${CC:-cc}" CFLAGS='-g -O1' ZLIB=0 "$library" \
        >"$work/make.log" 2>&1 || { tail -n 20 "$work/make.log"; return 1; }
    abidw --no-corpus-path --no-show-locs --no-comp-dir-path --drop-private-types \
        --headers-dir "$1/include" "$library" --out-file "$work/$2.xml"
}
soname() {
    sed -n "1s/.*soname='\([^']*\)'.*/\1/p" "$1"
}

describe . now || { echo "0 passed, 1 failed"; exit 1; }
if [ "${1:-}" = --update ]; then
    cp "$work/now.xml" "$declared"
    echo "abi: $declared is that of $(soname "$declared") now"
    exit 0
fi

reference=$declared name=declared
tag=$(git describe --tags --abbrev=0 --match 'v[0-9]*.[0-9]*.[0-9]*' 2>/dev/null)
if [ -n "$tag" ]; then
    rm -rf "$work/tree"
    mkdir -p "$work/tree"
    if git archive "$tag" | tar -x -C "$work/tree" && describe "$work/tree" tag; then
        reference=$work/tag.xml name=$tag
    fi
fi

was=$(soname "$reference") is=$(soname "$work/now.xml")
if [ "$was" != "$is" ]; then
    if [ -n "$tag" ] && [ "$was" != "$(soname "$declared")" ]; then
        echo "abi: $is is new since $tag ($was)"
        echo "1 passed, 0 failed"
        exit 0
    fi
    echo "abi: $declared is of $was, the library is $is: make abi-update"
    echo "0 passed, 1 failed"
    exit 1
fi
if abidiff --no-added-syms "$reference" "$work/now.xml" \
    >"$work/difference.txt" 2>&1; then
    echo "ok    abi: $is is what it was ($name)"
    echo "1 passed, 0 failed"
    exit 0
fi
cat "$work/difference.txt"
echo "abi: $is is another one than $name: raise the minor version and make abi-update (tests/abi/run.sh)"
echo "0 passed, 1 failed"
exit 1
