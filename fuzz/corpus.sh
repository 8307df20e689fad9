#!/bin/sh
# SPDX-License-Identifier: MIT
# corpus.sh - makes fuzz/corpus anew: the smallest set of inputs that covers what the vectors (seeds.py), the
# corpus as it is and what a fuzzer has found cover together. Needs clang and python3.
#
#   corpus.sh [DIR]...   DIR holds a folder for each target, named fuzz_TARGET or TARGET: as build/fuzz-libfuzzer/work
#
# FUZZ_TARGETS selects some. The targets are those that `make fuzz FUZZ_SECONDS=N` builds; it is called with 1
# second if they are not there.
set -u

cd "$(dirname "$0")/.." || exit 1
build=${FUZZ_BUILD:-build/fuzz-libfuzzer}
case ${1:-} in
-*)
    sed -n '3,10s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac
if [ ! -d "$build/fuzz" ]; then
    FUZZ_BUILD="$build" FUZZ_SECONDS=1 fuzz/run.sh || exit 1
fi
seeds=$(mktemp -d) || exit 1
trap 'rm -rf "$seeds"' EXIT
python3 fuzz/seeds.py "$seeds" || exit 1

for target in "$build"/fuzz/fuzz_*; do
    name=$(basename "$target")
    case " ${FUZZ_TARGETS:-${name#fuzz_}} " in
    *" ${name#fuzz_} "*) ;;
    *) continue ;;
    esac
    new=$seeds/new-$name
    mkdir -p "$new"
    set -- "$@" # the caller's folders stay
    folders=
    for folder in "fuzz/corpus/$name" "$seeds/$name" "$build/work/${name#fuzz_}"; do
        [ ! -d "$folder" ] || folders="$folders $folder"
    done
    for dir in "$@"; do
        for folder in "$dir/$name" "$dir/${name#fuzz_}"; do
            [ ! -d "$folder" ] || folders="$folders $folder"
        done
    done
    # shellcheck disable=SC2086 # folders have no blanks
    "$target" -set_cover_merge=1 -max_len=4096 "$new" $folders >"$seeds/log" 2>&1 || {
        tail -n 5 "$seeds/log"
        exit 1
    }
    rm -rf "fuzz/corpus/$name"
    mkdir -p "fuzz/corpus/$name"
    cp "$new"/* "fuzz/corpus/$name" 2>/dev/null || echo "note: nothing for $name"
    printf '%-24s %5d inputs %8d bytes\n' "$name" "$(find "fuzz/corpus/$name" -type f | wc -l)" \
        "$(cat "fuzz/corpus/$name"/* | wc -c)"
done
