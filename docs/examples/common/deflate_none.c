/* SPDX-License-Identifier: MIT */
/* deflate_none.c - the program does without compression: there is no zlib. */
#include "deflate.h"

const weir_deflate_backend *const deflate_backend = NULL;
