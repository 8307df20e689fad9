#!/bin/sh
# SPDX-License-Identifier: MIT
# sizes.sh [--write|--check] - measures code and structs.
#
# Prints tables in Markdown; --write puts them into docs/sizes.md; --check prints nothing and fails when a
# WebSocket connection needs more than its 384 bytes.
set -eu

cd "$(dirname "$0")/../.."
CC=${CC:-cc}
BUILD=${BUILD:-build}
work=$BUILD/sizes
rm -rf "$work"
mkdir -p "$work"

# sizeof without running: the object has an array of that size for each struct.
structs='weir_http weir_http_body weir_ws weir_ws_joiner weir_ws_request weir_entropy weir_pulse'
structs="$structs weir_sse_parser weir_sse_source weir_sse_log"
# shellcheck disable=SC2046,SC2183
struct_sizes() {
    {
        echo '#include <weir/weir.h>'
        printf 'char size_of_%s[sizeof(%s)];\n' $(for name in $structs; do echo "$name" "$name"; done)
    } | $CC -std=c99 "$@" -Iinclude -x c -c - -o "$work/structs.o" || return 1
    nm -S -t d "$work/structs.o" | sed -n 's/^[0-9]* 0*\([0-9]*\) . _*size_of_\(.*\)$/\2 \1/p' | sort
}

if [ "${1:-}" = --check ]; then
    size=$(struct_sizes | sed -n 's/^weir_ws //p')
    [ -n "$size" ] && [ "$size" -le 384 ] && exit 0
    echo "sizes.sh: weir_ws has ${size:-?} bytes, 384 are allowed" >&2
    exit 1
fi

# FOLDER TEXT DATA BSS for each object of the library.
code_sizes() {
    level=$1
    mkdir -p "$work/$level"
    for source in src/*/*.c; do
        folder=$(basename "$(dirname "$source")")
        [ "$folder" != backends ] || continue
        object=$work/$level/${folder}_$(basename "$source" .c).o
        $CC -std=c99 "-$level" -fvisibility=hidden -Iinclude -Isrc -c "$source" -o "$object"
        # Sections of stack unwinding are not the library's: no C program needs them.
        size -A "$object" | awk -v folder="$folder" '
            $1 ~ /^\.(text|rodata|data\.rel\.ro)/ { text += $2 }
            $1 ~ /^\.data/ && $1 !~ /^\.data\.rel\.ro/ { data += $2 }
            $1 ~ /^\.bss/ { bss += $2 }
            END { print folder, text + 0, data + 0, bss + 0 }'
    done
}

tables() {
    echo '| folder | text at -Os | text at -O2 | data | bss |'
    echo '|---|--:|--:|--:|--:|'
    {
        code_sizes Os | sed 's/^/small /'
        code_sizes O2 | sed 's/^/fast /'
    } | awk '
        { text[$1, $2] += $3; text[$1, "total"] += $3 }
        $1 == "fast" {
            data[$2] += $4; data["total"] += $4
            bss[$2] += $5; bss["total"] += $5
        }
        END {
            count = split("base time http ws sse total", folders)
            for (i = 1; i <= count; i++) {
                f = folders[i]
                printf "| %s | %d | %d | %d | %d |\n", f, text["small", f], text["fast", f], data[f], bss[f]
            }
        }'
    echo
    struct_sizes >"$work/here"
    struct_sizes -m32 >"$work/m32" 2>/dev/null || sed 's/ .*/ -/' "$work/here" >"$work/m32"
    echo '| struct | 64 bits | 32 bits |'
    echo '|---|--:|--:|'
    join "$work/here" "$work/m32" | awk '{ printf "| `%s` | %s | %s |\n", $1, $2, $3 }'
}

page() {
    printf '# Sizes\n\n'
    printf 'Bytes, written by `make sizes`; %s for %s.\n' "$($CC --version | head -n 1)" "$($CC -dumpmachine)"
    printf 'Text includes constants. Data and bss are what the library would hold by itself: nothing.\n'
    printf 'A connection is the sum of the structs that a program places for it.\n\n'
    tables
    printf '\n## Without a C library\n\n'
    printf 'At `-Os` with %s. Flash holds code and constants. Stack is that of the\n' \
        "$(arm-none-eabi-gcc --version | sed 's/ (.*)//; q')"
    printf 'deepest path of calls below a public function, without what the program hands in: entropy, a\n'
    printf 'compressor.\n\n'
    tests/embedded/sizes.sh
}

case ${1:-} in
--write)
    page >"$work/sizes.md"
    cp "$work/sizes.md" docs/sizes.md
    cat docs/sizes.md
    ;;
*) tables ;;
esac
