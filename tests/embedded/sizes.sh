#!/bin/sh
# SPDX-License-Identifier: MIT
# sizes.sh - the core on Cortex-M0+ and Cortex-M4, without a C library: links it, and prints flash, RAM and
# stack as tables in Markdown. Fails if it needs more than four functions of string.h and the compiler's own
# library, writes to memory of its own, or calls itself. Without a compiler for them: status 3.
set -eu

cd "$(dirname "$0")/../.."
work=${BUILD:-build}/sizes/embedded
cc=arm-none-eabi-gcc
if ! command -v $cc >/dev/null 2>&1; then
    echo "sizes.sh: no $cc here (Debian: gcc-arm-none-eabi)" >&2
    exit 3
fi
cpus='cortex-m0plus cortex-m4'
structs='weir_http weir_http_body weir_ws weir_ws_joiner weir_entropy weir_pulse weir_sse_parser weir_sse_source'
structs="$structs weir_sse_log"

# The flags of all, for one processor.
compile() {
    cpu=$1
    shift
    $cc -mcpu="$cpu" -mthumb -std=c99 -Os -Wall -Wextra -Wconversion -Werror -ffreestanding \
        -fcallgraph-info=su -Itests/embedded -Iinclude -Isrc "$@"
}

build() {
    cpu=$1
    mkdir -p "$work/$cpu"
    # memcpy's own loop must not become a call of memcpy.
    compile "$cpu" -fno-tree-loop-distribute-patterns -c tests/embedded/start.c -o "$work/$cpu/start.o"
    for source in src/*/*.c; do
        folder=$(basename "$(dirname "$source")")
        [ "$folder" = backends ] ||
            compile "$cpu" -c "$source" -o "$work/$cpu/${folder}_$(basename "$source" .c).o"
    done
    # All of it, called or not, with nothing but the compiler's own library.
    $cc -mcpu="$cpu" -mthumb -nostdlib -Wl,-e,start -Wl,--fatal-warnings "$work/$cpu"/*.o -lgcc \
        -o "$work/$cpu/image"
}

# FLASH RAM of the library's objects.
memory() {
    arm-none-eabi-size -A "$work/$1"/*_*.o | awk '
        $1 ~ /^\.(text|rodata)/ { flash += $2 }
        $1 ~ /^\.(data|bss)/ { ram += $2 }
        END { print flash + 0, ram + 0 }'
}

sizes() {
    {
        echo '#include <weir/weir.h>'
        for name in $structs; do
            echo "char size_of_${name}[sizeof($name)];"
        done
    } | compile "$1" -x c -c - -o "$work/$1.structs"
    arm-none-eabi-nm -S -t d "$work/$1.structs" |
        sed -n 's/^[0-9]* 0*\([0-9]*\) . size_of_\(.*\)$/\2 \1/p' | sort
}

# FUNCTION BYTES for each public function: the deepest path of calls from it. What the program itself hands in
# (entropy, a compressor) is not in it.
stacks() {
    cat "$work/$1"/*.ci | awk -F '"' '
        /^node:/ {
            title = $2
            if (match($4, /[0-9]+ bytes/)) {
                own[title] = substr($4, RSTART, RLENGTH) + 0
                if ($4 ~ /dynamic[^,]/ && $4 !~ /bounded/)
                    print "sizes.sh: " title ": a frame of no fixed size" > "/dev/stderr"
            }
        }
        /^edge:/ { calls[$2] = calls[$2] SUBSEP $4 }
        function deepest(f,    list, n, i, most, d) {
            if (f in depth)
                return depth[f]
            if (f in inside) {
                print "sizes.sh: " f " calls itself" > "/dev/stderr"
                exit 1
            }
            inside[f] = 1
            n = split(calls[f], list, SUBSEP)
            most = 0
            for (i = 2; i <= n; i++) {
                d = deepest(list[i])
                most = d > most ? d : most
            }
            delete inside[f]
            return depth[f] = own[f] + most
        }
        END {
            for (f in own)
                if (f ~ /^weir_/)
                    print f, deepest(f)
        }' >"$work/$1.paths" || return 1
    sort "$work/$1.paths"
}

rm -rf "$work"
for cpu in $cpus; do
    build "$cpu"
    stacks "$cpu" >"$work/$cpu.stacks"
    sizes "$cpu" >"$work/$cpu.sizes"
    ram=$(memory "$cpu" | cut -d ' ' -f 2)
    [ "$ram" = 0 ] || { echo "sizes.sh: $ram bytes of memory of its own" >&2; exit 1; }
done

echo '| | Cortex-M0+ | Cortex-M4 |'
echo '|---|--:|--:|'
echo "| flash, all of the library | $(memory cortex-m0plus | cut -d ' ' -f 1) | $(memory cortex-m4 |
    cut -d ' ' -f 1) |"
echo "| RAM of its own | 0 | 0 |"
join "$work/cortex-m0plus.sizes" "$work/cortex-m4.sizes" | awk '{ printf "| `%s` | %s | %s |\n", $1, $2, $3 }'
echo
echo '| stack, at most | Cortex-M0+ | Cortex-M4 |'
echo '|---|--:|--:|'
join "$work/cortex-m0plus.stacks" "$work/cortex-m4.stacks" | sort -k 2,2nr -k 1,1 | awk '
    NR <= 12 { printf "| `%s` | %s | %s |\n", $1, $2, $3 }
    NR > 12 { if ($2 > small) small = $2; if ($3 > small4) small4 = $3 }
    END { printf "| any other function | %s | %s |\n", small, small4 }'
