#!/bin/sh
# SPDX-License-Identifier: MIT
# symbols.sh - names: what the libraries define, export and need, what the headers define, and that the
# sources can be put into one file.
set -u

cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
CC=${CC:-cc}
work=$BUILD/lint
mkdir -p "$work" || exit 1
export LC_ALL=C
failed=0

# report WHY: each line of stdin is a name that breaks a rule.
report() {
    while read -r name; do
        echo "symbols: $name: $1"
    done >"$work/report"
    [ ! -s "$work/report" ] || failed=1
    cat "$work/report"
}

if ! command -v nm >/dev/null 2>&1; then
    echo "lint: nm is missing (Debian: binutils)" >&2
    exit 3
fi
lib=$BUILD/libweir.a
[ -f "$lib" ] || { echo "symbols: $lib is missing: run make lint" >&2; exit 1; }

# ---- Names of the linker ----------------------------------------------------------------------------

for archive in "$BUILD"/libweir*.a; do
    nm -g --defined-only "$archive" | awk 'NF == 3 { print $3 }' | grep -v -E '^weiri?_' |
        report "defined by $(basename "$archive"), but does not begin with weir_ or weiri_"
done
if nm "$lib" | grep -q -E '__(asan|ubsan|msan|tsan)_|__sanitizer|mbedtls_'; then
    echo "symbols: built with sanitizers or mbedTLS: what the library needs is not checked"
else
    tests/tools/undefined.sh --hosted "$lib" |
        report "needed by the library; it may need mem{cpy,move,set,cmp} only"
fi
# Nothing that is written to: no global state.
# Constants that hold addresses lie in .data.rel.ro.
nm -f sysv "$lib" | awk -F '|' '
    $7 ~ /^\.(data|bss)/ && $7 !~ /^\.data\.rel\.ro/ { print $1 }
    $3 ~ /C/ { print $1 }' | report "a variable that can be changed"

# Functions marked WEIR_API: the name before the first parenthesis.
declared() {
    awk '
        /^WEIR_API/ { text = ""; inside = 1 }
        inside { text = text " " $0 }
        inside && /\(/ {
            sub(/\(.*/, "", text)
            sub(/.*[ *]/, "", text)
            print text
            inside = 0
        }'
}
find include -name '*.h' ! -name zlib.h | sort | xargs cat | declared | sort >"$work/declared"
uniq -d "$work/declared" | report "declared twice"
if [ -f "$BUILD/libweir.so" ]; then
    nm -D --defined-only "$BUILD/libweir.so" | awk '{ print $3 }' | sort >"$work/exported"
    comm -23 "$work/declared" "$work/exported" | report "declared with WEIR_API, but not exported"
    comm -13 "$work/declared" "$work/exported" | report "exported, but not declared with WEIR_API"
fi

# ---- Names in the headers ---------------------------------------------------------------------------

printf '#include <%s.h>\n' stdbool stddef stdint >"$work/without.c"
for header in include/weir/*.h; do
    printf '#include "%s"\n' "${header#include/}"
done | cat "$work/without.c" - >"$work/with.c"
for file in without with; do
    $CC -std=c99 -Iinclude -dM -E "$work/$file.c" | awk '{ sub(/\(.*/, "", $2); print $2 }' |
        sort >"$work/$file"
done
comm -13 "$work/without" "$work/with" | grep -v -E '^(WEIR_[A-Z0-9_]*|weir_[a-z0-9_]*)$' |
    report "a macro of the headers that does not begin with WEIR_ or weir_"

# Tags, type names and enumerators, in the headers without comments.
$CC -std=c99 -Iinclude -E "$work/with.c" | awk '
    /^# [0-9]+ "/ { ours = $3 ~ /include\/weir\// ; next }
    ours { print }' >"$work/headers.i"
tr -s ' \n' '  ' <"$work/headers.i" | sed -e 's/[{};,()]/ & /g' | tr -s ' ' '\n' | awk '
    previous ~ /^(struct|union|enum)$/ && /^[A-Za-z_]/ { print }
    previous == "enum" || before == "enum" { if ($0 == "{") listing = 1 }
    listing && (previous == "{" || previous == ",") && /^[A-Za-z_]/ { print "enumerator", $0 }
    $0 == "}" { if (depth == 1 || listing) closed = 1; listing = 0 }
    previous == "}" && /^[A-Za-z_]/ && $0 != "extern" && $0 != "typedef" { print }
    { before = previous; previous = $0 }' >"$work/names"
awk '$1 != "enumerator"' "$work/names" | grep -v '^weir_' | sort -u | report "a type of the headers"
sed -n 's/^enumerator //p' "$work/names" | grep -v '^WEIR_' | sort -u | report "an enumerator of the headers"
[ "$(wc -l <"$work/names")" -gt 50 ] || echo "symbols.sh" | report "found too few names in the headers"

# ---- Names within the sources -----------------------------------------------------------------------

# Each static name and each private macro once, so that the files can be put into one.
# shellcheck disable=SC2046
awk '
    /^static / && !/^static inline/ || /^static inline/ {
        text = $0
        sub(/[(=;[].*/, "", text)
        sub(/ +$/, "", text)
        sub(/.*[ *]/, "", text)
        print text, FILENAME
    }
    /^#define / { text = $2; sub(/\(.*/, "", text); print text, FILENAME }' \
    $(find src -name '*.[ch]' ! -path '*/backends/*') | sort -u | cut -d ' ' -f 1 | uniq -d |
    report "defined in two files"

exit $failed
