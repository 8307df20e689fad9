#!/bin/sh
# SPDX-License-Identifier: MIT
# style.sh - what clang-format does not see: licence lines, lengths, blanks, that each public function is
# described in its header, and files that do not belong here.
set -u

cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C
sources=$(find include src docs/examples tests fuzz \( -name '*.[ch]' -o -name '*.cpp' \) | sort)
scripts=$(find tests fuzz .ci/run Makefile .clang-format .clang-tidy \( -name '*.sh' -o -name '*.inc' \
    -o -name '*.py' -o -name '*.mjs' -o -name Makefile -o -name run -o -name '.clang-*' \) | sort)

# shellcheck disable=SC2086
awk '
function bad(why) {
    printf "%s:%d: %s\n", FILENAME, FNR, why
    failed = 1
}
FNR == 1 {
    seen_license = 0
    free = 0
    start = 0
    code = FILENAME ~ /\.(c|h|cpp)$/
}
FNR <= 2 && /SPDX-License-Identifier: MIT/ { seen_license = 1 }
FNR == 3 && !seen_license { bad("no SPDX line at the top") }
code && FNR == 2 && !/^\/\*/ { bad("no sentence about the purpose below the SPDX line") }
/clang-format off/ { free = 1 }
/clang-format on/ { free = 0 }
{
    # Characters, not bytes: those that continue one do not count.
    text = $0
    gsub(/[\200-\277]/, "", text)
}
length(text) > (code ? 110 : 120) && !free { bad("longer than " (code ? 110 : 120) " columns") }
/[ \t]$/ { bad("blanks at the end of the line") }
code && /\t/ { bad("a tab") }
/\r/ { bad("a carriage return") }
FNR == 501 && FILENAME ~ /^(src|docs)\// && code { bad("longer than 500 lines") }
code && /^\{/ { start = FNR }
code && /^\}/ && start {
    if (FNR - start - 1 > 70)
        bad("a function of " FNR - start - 1 " lines, 70 are allowed")
    start = 0
}
END { exit failed }
' $sources $scripts || failed=1

# Each public function: a line ` * name - ` in its header.
for header in include/weir/*.h; do
    awk '
        / \* weir_[a-z0-9_]+ - / { described[$2] = 1 }
        /^WEIR_API/ { text = ""; inside = 1; line = FNR }
        inside { text = text " " $0 }
        inside && /\(/ {
            sub(/\(.*/, "", text)
            sub(/.*[ *]/, "", text)
            sub(/_$/, "", text)
            if (!(text in described)) {
                printf "%s:%d: %s has no comment that begins ` * %s - `\n", FILENAME, line, text, text
                failed = 1
            }
            inside = 0
        }
        END { exit failed }' "$header" || failed=1
done
# Fuzzers leave what they found where they ran: nothing else is at the top level than what belongs there.
for entry in $(git ls-files 2>/dev/null | sed 's|/.*||' | sort -u); do
    case $entry in
    .ci | .clang-format | .clang-tidy | .gitignore | LICENSE | Makefile | README.md) ;;
    docs | fuzz | include | pkgconfig | src | tests) ;;
    *)
        echo "$entry: does not belong at the top level"
        failed=1
        ;;
    esac
done
[ "${failed:-0}" = 0 ]
