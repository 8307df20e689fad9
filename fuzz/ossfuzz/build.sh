#!/bin/bash -eu
# SPDX-License-Identifier: MIT
# build.sh - builds the fuzz targets as OSS-Fuzz wants them: each target in $OUT with its dictionary and its
# seeds in a zip. $CC, $CXX, $CFLAGS, $LIB_FUZZING_ENGINE, $OUT and $WORK are OSS-Fuzz's; to try it without:
#
#     OUT=/some/out WORK=/some/work CC=clang CXX=clang++ LIB_FUZZING_ENGINE=-fsanitize=fuzzer \
#         CFLAGS='-O1 -g -fsanitize=address,fuzzer-no-link' fuzz/ossfuzz/build.sh
#
# Libraries are linked statically, since the targets run elsewhere; zlib's targets are left out where there is
# none, as libwslay's.

cd "$(dirname "$0")/../.."
mkdir -p "$OUT" "$WORK"
static=()
[ ! -e "$("$CC" -print-file-name=libz.a)" ] || static=(zlib_libs=-l:libz.a)
make -j"$(nproc)" fuzz FUZZ_SECONDS= BUILD="$WORK/weir" CC="$CC" CFLAGS="$CFLAGS" WSLAY=0 \
    FUZZ_DRIVER="$LIB_FUZZING_ENGINE" FUZZ_LD="$CXX" "${static[@]}"

for target in "$WORK"/weir/fuzz/fuzz_*; do
    name=$(basename "$target")
    family=${name#fuzz_}
    cp "$target" "$OUT/"
    cp "fuzz/${family%%_*}.dict" "$OUT/$name.dict"
    rm -f "$OUT/${name}_seed_corpus.zip"
    [ ! -d "fuzz/corpus/$name" ] || zip -q -j -r "$OUT/${name}_seed_corpus.zip" "fuzz/corpus/$name"
done
