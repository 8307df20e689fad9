#!/bin/sh
# SPDX-License-Identifier: MIT
# instructions.sh [--update] BASELINE CHOSEN - instructions that small tasks take, against instructions.txt.
#
# BASELINE is the program instructions.c with the library that has only what the compiler's target has
# (WEIR_SIMD=1), CHOSEN the one that takes AVX2 where the processor has it. Both run under valgrind, whose
# processor knows neither SHA instructions nor AVX-512, so that the counts are the same on every machine; without
# AVX2 the second column is left out. Counts of another major version of the compiler are another matter: then
# nothing is compared, with a note. More than 2 % more than the file says is a failure; so is 2 % less, which is
# to be written down. --update writes the file. `make bench-instructions` calls it, with UPDATE=1 to update.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
file=$here/instructions.txt
slack=2
update=0
[ "${1:-}" = --update ] && { update=1; shift; }
[ $# = 2 ] || { echo 'usage: instructions.sh [--update] BASELINE CHOSEN' >&2; exit 2; }
command -v valgrind >/dev/null 2>&1 || {
    echo 'skipped: valgrind is not there (Debian: valgrind)'
    [ "${CI:-}" != true ]
    exit
}
compiler="$(${CC:-cc} --version | head -n 1 | grep -q -i clang && echo clang || echo gcc) $(${CC:-cc} -dumpversion |
    sed 's/\..*//') $(uname -m)"

# The C library's own choices are the same everywhere.
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM,-AVX512VL

# counts PROGRAM: lines `name TAB instructions a time`.
counts() {
    dir=$(dirname "$1")
    rm -f "$dir"/callgrind.*
    valgrind --tool=callgrind --callgrind-out-file="$dir/callgrind" --zero-before=count_begin \
        --dump-before=count_end "$1" >"$dir/names" 2>"$dir/callgrind.log" || {
        tail -n 5 "$dir/callgrind.log" >&2
        return 1
    }
    line=0
    while IFS="$(printf '\t')" read -r name times; do
        if [ "$name" != avx2 ]; then
            line=$((line + 1))
            sed -n "s/^totals: //p" "$dir/callgrind.$line" |
                awk -v name="$name" -v times="$times" '{ printf "%s\t%.1f\n", name, $1 / times }'
        fi
    done <"$dir/names"
    rm -f "$dir"/callgrind.*
}

baseline=$(dirname "$1")/counts.tsv chosen=$(dirname "$2")/counts.tsv
counts "$1" >"$baseline" && counts "$2" >"$chosen" || exit 1
if ! grep -q "^avx2$(printf '\t')1" "$(dirname "$2")/names"; then
    echo 'skipped: the processor has no AVX2: its column is not compared'
    sed "s/$(printf '\t').*/$(printf '\t')-/" "$baseline" >"$chosen"
fi

if [ $update = 1 ]; then
    {
        echo '# Instructions that a task takes, once: written by make bench-instructions UPDATE=1.'
        echo '# Columns: task, with what the target has (WEIR_SIMD=1), with AVX2 where there is.'
        echo "# compiler: $compiler"
        paste "$baseline" "$chosen" | cut -f 1,2,4
    } >"$file"
    echo "wrote $file"
    exit 0
fi
if ! grep -q -x "# compiler: $compiler" "$file"; then
    echo "skipped: $(sed -n 's/^# compiler: //p' "$file") is what the counts are of, this is $compiler"
    exit 0
fi
printf '| %-34s | %10s | %10s | %7s | %10s | %10s | %7s |\n' task expected counted '' 'AVX2, exp.' counted ''
printf '|------------------------------------|'
printf '%s\n' '-----------:|-----------:|--------:|-----------:|-----------:|--------:|'
paste "$baseline" "$chosen" | cut -f 1,2,4 | awk -F '\t' -v slack=$slack '
    function off(expected, counted) {
        if (expected == "-" || counted == "-")
            return 0
        return expected > 0 ? (counted / expected - 1) * 100 : 100
    }
    FILENAME != "-" { if (!/^#/) { first[$1] = $2; second[$1] = $3; tasks++ } next }
    {
        a = off(first[$1], $2)
        b = off(second[$1], $3)
        good = ($1 in first) && a <= slack && a >= -slack && b <= slack && b >= -slack
        good ? passed++ : failed++
        seen++
        printf "| %-34s | %10s | %10s | %+6.1f%% | %10s | %10s | %+6.1f%% |%s\n", $1, first[$1], $2, a, second[$1], $3,
            b, good ? "" : (a > slack || b > slack) ? "  FAIL" : "  FAIL: better, or not in the file: UPDATE=1"
    }
    END {
        if (seen != tasks || seen == 0)
            failed++
        printf "\n%d passed, %d failed\n", passed, failed
        exit failed != 0
    }' "$file" -
