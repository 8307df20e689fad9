#!/bin/sh
# SPDX-License-Identifier: MIT
# undefined.sh [--hosted] FILE... - prints each symbol that the objects or archives need from outside and
# should not: all but weir's own, four functions of string.h, and what compilers call without being asked.
# Where there is a C library they make a call of strlen from a loop, and their own library knows the processor.
set -eu

more=
if [ "$1" = --hosted ]; then
    more="strlen __cpu_model __cpu_features2"
    shift
fi

{
    nm -g --defined-only "$@" | awk 'NF == 3 { print "defined", $3 }'
    nm -u "$@" | awk '$1 == "U" || $1 == "w" { print "needed", $2 }'
} | awk -v more="$more" '
    $1 == "defined" { defined[$2] = 1 }
    $1 == "needed" { needed[$2] = 1 }
    END {
        split("memcpy memmove memset memcmp _GLOBAL_OFFSET_TABLE_ __stack_chk_fail __stack_chk_fail_local " \
              "__udivdi3 __umoddi3 __udivmoddi4 __ashldi3 __lshrdi3 __ashrdi3 __muldi3 " more, list)
        for (i in list)
            defined[list[i]] = 1
        for (symbol in needed)
            if (!(symbol in defined) && symbol !~ /^__(aeabi_|x86\.get_pc_thunk|mem(cpy|move|set)_chk$)/)
                print symbol
    }' | sort
