#!/bin/sh
# SPDX-License-Identifier: MIT
# The samples in the comments of the public headers compile without a warning, each as the body of a function
# of its own; what they take for granted is in samples.h.
#
# A sample are the lines of a comment that stand five columns behind its star or further, from one that stands
# just there on, with empty lines between them. What stands two blanks or more behind code is prose, and has no
# semicolon. A line that begins with `cc` is for a shell. Each header has a sample.
# shellcheck source=tests/portability/checks.inc
. "$(dirname "$0")/checks.inc"

# FILE: makes $work/NAME_LINE.c of each sample.
split() {
    awk -v to="$work/$(basename "$1" .h)" -v name="$(basename "$1" .h)" '
        function finish() {
            if (sample)
                print "}" > sample
            sample = ""
        }
        { text = substr($0, 3) }
        !sample && /^ \*     [^ ]/ && text !~ /^ *cc / {
            sample = to "_" FNR ".c"
            printf "#define SAMPLES_OF_%s\n#include \"samples.h\"\nvoid sample(void);\nvoid sample(void)\n{\n", \
                name > sample
            printf "#line %d \"%s\"\n", FNR, FILENAME > sample
        }
        sample && !/^ \*(     .*)?$/ { finish() }
        sample && text !~ /^ *cc / {
            indent = text
            sub(/[^ ].*/, "", indent)
            code = substr(text, length(indent) + 1)
            prose = ""
            if (match(code, /  /)) {
                prose = substr(code, RSTART)
                code = substr(code, 1, RSTART - 1)
            }
            if (prose ~ /;/)
                printf "#error \"code behind two blanks:%s\"\n", prose > sample
            print indent code > sample
        }
        sample && text ~ /^ *cc / { print "" > sample }' "$1"
}

for header in include/weir/*.h; do
    split "$header"
    name=$(basename "$header" .h) count=0
    for sample in "$work/$name"_*.c; do
        [ -f "$sample" ] || continue
        count=$((count + 1))
        for compiler in $(compilers); do
            # Names of samples may hide those around them, and be there to be seen only.
            # shellcheck disable=SC2086
            check "$(basename "$sample" .c) $compiler" "$compiler" -std=c99 -D_POSIX_C_SOURCE=200809L $warnings \
                -Wno-unused -Wno-unused-result -fno-builtin -Iinclude -Itests/portability -fsyntax-only "$sample"
        done
    done
    check "$name.h has a sample" test "$count" -gt 0
done
finish
