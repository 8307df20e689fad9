#!/bin/sh
# SPDX-License-Identifier: MIT
# embed.sh NAME FILE - writes C source that defines FILE's bytes as NAME[] and their number as NAME_len.
# POSIX tools only, so that the examples build and cross-compile with nothing but cc and make.
set -eu

name=$1
file=$2
[ -s "$file" ] || { echo "embed.sh: $file is missing or empty" >&2; exit 1; }

cat <<END
/* Generated from $file by tests/tools/embed.sh. */
extern const unsigned char ${name}[];
extern const unsigned long ${name}_len;

const unsigned char ${name}[] = {
END
od -An -v -tx1 "$file" | sed -e 's/[0-9a-f][0-9a-f]/0x&,/g'
cat <<END
};
const unsigned long ${name}_len = sizeof $name;
END
