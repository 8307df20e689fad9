#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh [--full] [--help] - is what a peer can cost bounded? `make bounded` builds what it needs and calls it.
#
#   marks    every machine hears every hostile stream: how far memory, backlog and calls went, against what
#            headers and docs/sizes.md say; and the room that writers need
#   growth   blocks of code run for a byte at 64 KiB, 1 MiB and 16 MiB, in steps of 1, 1,400 and all bytes:
#            more than 3 percent more for a byte of the longer ones is a failure (behind a compressor from
#            1 MiB on: zlib's search is shorter until its window is full)
#   --full   growth once more, in instructions, under valgrind (Debian: valgrind); takes some ten minutes
#
# Tables go to stdout and to BUILD/bounded/*.txt. The last line is the total.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
BUILD=$(cd "${BUILD:-build}" && pwd) || exit 1
out=$BUILD/bounded
full=0
case ${1:-} in
'') ;;
--full) full=1 ;;
--help | -h)
    sed -n 's/^# \{0,1\}//; 3,12p' "$0"
    exit 0
    ;;
*)
    echo "bounded: unknown option $1; see --help" >&2
    exit 2
    ;;
esac

# table UNIT FILE.tsv: one row for each case and step, and what grew.
table() {
    printf '\n%s for a byte\n\n| %-66s | %-5s | %9s | %9s | %9s | %6s |\n' "$1" case step '64 KiB' '1 MiB' \
        'the most' growth
    printf '|--------------------------------------------------------------------|-------|----------:|'
    printf '%s\n' '----------:|----------:|-------:|'
    awk -F '\t' '
        {
            key = $1 FS $2
            if (!(key in rows)) { order[++count] = key; rows[key] = 0 }
            cost[key, ++rows[key]] = $3 > 0 ? $4 / $3 : 0
            empty += $4 == 0
        }
        END {
            for (i = 1; i <= count; i++) {
                key = order[i]
                split(key, name, FS)
                growth = 100
                first = name[1] ~ /deflate/ ? 2 : 1
                for (k = first + 1; k <= rows[key]; k++) {
                    base = cost[key, first]
                    more = base > 0 ? (cost[key, k] / base - 1) * 100 : 100
                    growth = k == first + 1 || more > growth ? more : growth
                }
                good = rows[key] == 3 && growth <= 3
                good ? passed++ : failed++
                printf "| %-66s | %5s | %9.3f | %9.3f | %9.3f | %5.1f%% |%s\n", name[1],
                    name[2] == 0 ? "whole" : name[2], cost[key, 1], cost[key, 2], cost[key, 3], growth,
                    good ? "" : "  FAIL"
            }
            if (count == 0 || empty > 0)
                failed++
            printf "\n%d passed, %d failed\n", passed, failed
        }' "$2"
}

# growth WHAT: its lines into WHAT.tsv, or nothing if it failed.
growth() {
    "$out/growth-counted" "$1" >"$out/$1.tsv" || echo "$1, failed" >"$out/$1.tsv"
}

# instructions WHAT: into WHAT.counted.tsv. Between count_begin and count_end valgrind counts, and dumps in the order
# of the program's lines.
instructions() {
    dumps=$out/callgrind-$1
    rm -f "$dumps".*
    valgrind --tool=callgrind --callgrind-out-file="$dumps" --zero-before=count_begin \
        --dump-before=count_end "$out/growth" --callgrind "$1" >"$dumps.names" 2>"$dumps.log" || {
        tail -n 5 "$dumps.log" >&2
        : >"$dumps.names"
    }
    line=0
    while IFS="$(printf '\t')" read -r case step bytes _; do
        line=$((line + 1))
        printf '%s\t%s\t%s\t%s\n' "$case" "$step" "$bytes" "$(sed -n 's/^totals: //p' "$dumps.$line")"
    done <"$dumps.names" >"$out/$1.counted.tsv"
    rm -f "$dumps".*
}

# Two processors are kept busy.
growth readers &
{
    "$out/marks" "$here/../../docs/sizes.md" >"$out/marks.txt" 2>&1 || echo 'marks: failed' >>"$out/marks.txt"
    growth writers
} &
wait
cat "$out/marks.txt"
cat "$out/readers.tsv" "$out/writers.tsv" >"$out/blocks.tsv"
table 'Blocks of code' "$out/blocks.tsv" | tee "$out/blocks.txt"
if [ $full = 1 ]; then
    if command -v valgrind >/dev/null 2>&1; then
        instructions readers &
        instructions writers
        wait
        cat "$out/readers.counted.tsv" "$out/writers.counted.tsv" >"$out/instructions.tsv"
        table Instructions "$out/instructions.tsv" | tee "$out/instructions.txt"
    else
        echo 'bounded: --full needs valgrind (Debian: valgrind)' >&2
        exit 1
    fi
else
    : >"$out/instructions.txt"
fi

# A program that ended early has said no total, which is one failure.
cat "$out/marks.txt" "$out/blocks.txt" "$out/instructions.txt" | awk -v full=$full '
    /^[0-9]+ passed, [0-9]+ failed$/ { ok += $1; bad += $3; totals++ }
    END {
        bad += 2 + full - totals
        printf "\n%d passed, %d failed\n", ok, bad
        exit bad != 0 || ok == 0
    }'
