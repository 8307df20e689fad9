/* SPDX-License-Identifier: MIT */
/* string.h - all that weir asks of a C library, for processors that have none. */
#ifndef WEIR_TEST_EMBEDDED_STRING_H
#define WEIR_TEST_EMBEDDED_STRING_H

#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);

#endif
