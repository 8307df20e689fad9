/* SPDX-License-Identifier: MIT */
/* start.c - a program for a bare processor: the four functions of string.h, and an entry. sizes.sh links it
 * with the library, to see that nothing else is needed. */
#include <stdint.h>
#include <string.h>

#include "weir/weir.h"

void start(void);

void *memcpy(void *restrict dst, const void *restrict src, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)dst)[i] = ((const uint8_t *)src)[i];
    return dst;
}

void *memmove(void *dst, const void *src, size_t len)
{
    if ((uintptr_t)dst <= (uintptr_t)src)
        return memcpy(dst, src, len);
    for (size_t i = len; i != 0; i--)
        ((uint8_t *)dst)[i - 1] = ((const uint8_t *)src)[i - 1];
    return dst;
}

void *memset(void *dst, int byte, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)dst)[i] = (uint8_t)byte;
    return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int difference = ((const uint8_t *)a)[i] - ((const uint8_t *)b)[i];
        if (difference != 0)
            return difference;
    }
    return 0;
}

void start(void)
{
    for (;;) {
        if (weir_version() != WEIR_VERSION_NUM)
            return;
    }
}
