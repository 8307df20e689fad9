/* SPDX-License-Identifier: MIT */
/* deflate_zlib.c - compression is zlib's; the Makefile takes deflate_none.c instead where zlib is missing. */
#include "deflate.h"

#include <weir/zlib.h>

const weir_deflate_backend *const deflate_backend = &weir_zlib;
