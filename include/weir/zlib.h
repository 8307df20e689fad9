/* SPDX-License-Identifier: MIT */
/*
 * weir/zlib.h - the zlib backend of permessage-deflate, in the library weir-zlib.
 *
 *     dc.backend = &weir_zlib;                  see weir/deflate.h
 *     cc app.c $(pkg-config --cflags --libs weir-zlib)
 */
#ifndef WEIR_ZLIB_H
#define WEIR_ZLIB_H

#include "weir/deflate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* zlib, or zlib-ng in its place, working only in the memory it is given; weir_deflate_memory asks which of
 * them is there. Constant; any number of threads. */
WEIR_API extern const weir_deflate_backend weir_zlib;

#ifdef __cplusplus
}
#endif
#endif
