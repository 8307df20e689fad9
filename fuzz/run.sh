#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh - builds the fuzz targets for an engine and lets each run. `make fuzz FUZZ_SECONDS=N` calls it.
#
#   FUZZ_SECONDS=N   how long each target runs
#   FUZZ_ENGINE=E    libfuzzer (the default; needs clang) or afl (AFL++; needs afl-clang-fast and afl-fuzz)
#   FUZZ_TARGETS=... which targets, as "ws_pair sse_parse"; all by default
#   FUZZ_JOBS=N      how many at a time; as many as there are processors by default
#   FUZZ_BUILD=dir   where to build and to keep what was found (build/fuzz-ENGINE); a later run goes on there
#
# A line for each target, then `N passed, N failed`. A crash leaves the input that caused it, and the command
# that replays it is printed.
set -u

cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL
engine=${FUZZ_ENGINE:-libfuzzer}
build=${FUZZ_BUILD:-build/fuzz-$engine}
seconds=${FUZZ_SECONDS:-60}
jobs=${FUZZ_JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)}

fail() {
    echo "fuzz: $1" >&2
    exit 2
}

# The dictionary is that of the family: fuzz/ws.dict for ws_pair.
dictionary() {
    echo "fuzz/${1%%_*}.dict"
}

# Results of one target: NAME PASSED RUNS EDGES CORPUS CRASHES
libfuzzer_one() {
    name=$1 dir=$build/work/$1 log=$build/work/$1.log code=0
    mkdir -p "$dir" "$build/crashes"
    set -- "$dir"
    [ ! -d "fuzz/corpus/fuzz_$name" ] || set -- "$dir" "fuzz/corpus/fuzz_$name"
    ASAN_OPTIONS=quarantine_size_mb=16:${ASAN_OPTIONS:-} "$build/fuzz/fuzz_$name" \
        -max_total_time="$seconds" -timeout=300 -rss_limit_mb=4096 -use_value_profile=1 \
        -dict="$(dictionary "$name")" -artifact_prefix="$build/crashes/fuzz_$name-" -print_final_stats=1 \
        "$@" >"$log" 2>&1 || code=$?
    awk -v name="$name" -v code="$code" '
        {
            for (i = 1; i < NF; i++) {
                if ($i == "cov:") edges = $(i + 1)
                if ($i == "corp:") corpus = $(i + 1)
            }
        }
        /^stat::number_of_executed_units:/ { runs = $2 }
        /^#[0-9]/ { split(substr($1, 2), n, /[^0-9]/); if (n[1] > seen) seen = n[1] }
        END { sub(/\/.*/, "", corpus); print name, code == 0, (runs ? runs : seen) + 0, edges + 0, corpus + 0 }' "$log"
}

afl_one() {
    name=$1 dir=$build/work/$1 log=$build/work/$1.log code=0 seeds=fuzz/corpus/fuzz_$1
    mkdir -p "$build/work"
    if [ -d "$dir/default" ]; then
        seeds=-
    elif [ ! -d "$seeds" ]; then
        mkdir -p "$build/seed" && echo seed >"$build/seed/seed" && seeds=$build/seed
    fi
    AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_TRY_AFFINITY=0 \
        afl-fuzz -V "$seconds" -m none -t 10000 -i "$seeds" -o "$dir" -x "$(dictionary "$name")" \
        -- "$build/fuzz/fuzz_$name" >"$log" 2>&1 || code=$?
    awk -v name="$name" -v code="$code" '
        $1 == "execs_done" { runs = $3 }
        $1 == "edges_found" { edges = $3 }
        $1 == "corpus_count" { corpus = $3 }
        END { print name, (code == 0 && runs > 0), runs + 0, edges + 0, corpus + 0 }' \
        "$dir/default/fuzzer_stats" 2>/dev/null || echo "$name 0 0 0 0"
}

# Where an engine left inputs that crashed or hung in this run.
crashes_of() {
    case $engine in
    libfuzzer) find "$build/crashes" -name "fuzz_$1-*" -newer "$build/started" 2>/dev/null | sort ;;
    afl) find "$build/work/$1" -path '*default/[ch]*' -name 'id:*' -newer "$build/started" 2>/dev/null | sort ;;
    esac
}

if [ "${1:-}" = --one ]; then
    "${engine}_one" "$2"
    exit
fi

case $engine in
libfuzzer) CC=${FUZZ_CC:-clang} sanitize=address,undefined,fuzzer-no-link ;;
afl) CC=${FUZZ_CC:-afl-clang-fast} sanitize=address,undefined ;;
*) fail "no engine $engine: libfuzzer or afl" ;;
esac
command -v "$CC" >/dev/null 2>&1 || fail "$CC is missing (Debian: clang, afl++)"
case $seconds$jobs in
*[!0-9]*) fail "FUZZ_SECONDS and FUZZ_JOBS are numbers" ;;
esac

AFL_QUIET=1 ${MAKE:-make} --no-print-directory -s -j"$jobs" fuzz FUZZ_SECONDS= BUILD="$build" CC="$CC" \
    CFLAGS='-O1 -g' SANITIZE="$sanitize" FUZZ_DRIVER=-fsanitize=fuzzer >/dev/null || fail "the targets do not build"

targets=${FUZZ_TARGETS:-}
if [ -z "$targets" ]; then
    for source in fuzz/fuzz_*.c; do
        name=$(basename "$source" .c)
        if [ -x "$build/fuzz/$name" ]; then
            targets="$targets ${name#fuzz_}"
        else
            echo "skipped: $name needs a library that is not here"
        fi
    done
fi
for name in $targets; do
    [ -x "$build/fuzz/fuzz_$name" ] || fail "no target $name"
done

export FUZZ_ENGINE="$engine" FUZZ_BUILD="$build" FUZZ_SECONDS="$seconds"
results=$build/results
: >"$build/started"
: >"$results"
for name in $targets; do echo "$name"; done | xargs -n 1 -P "$jobs" "$0" --one >>"$results"

passed=0 failed=0
for name in $targets; do
    read -r good runs edges corpus <<END
$(awk -v name="$name" '$1 == name { print $2, $3, $4, $5 }' "$results")
END
    crashes=$(crashes_of "$name")
    count=$(printf '%s' "$crashes" | grep -c .)
    if [ "${good:-0}" = 1 ] && [ "$count" = 0 ]; then
        word='ok   ' passed=$((passed + 1))
    else
        word='FAIL ' failed=$((failed + 1))
    fi
    printf '%s fuzz_%-16s %10d runs %6d edges %6d inputs %3d crashes\n' "$word" "$name" "${runs:-0}" \
        "${edges:-0}" "${corpus:-0}" "$count"
    [ "$word" = 'ok   ' ] || grep -h -E '^(fuzz|src|tests)/[^ ]*:[0-9]+: |ERROR: |runtime error|Abort' \
        "$build/work/$name.log" | head -n 5 | sed 's/^/      /'
    for crash in $crashes; do
        echo "      $build/fuzz/fuzz_$name $crash"
    done
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
