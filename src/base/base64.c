/* SPDX-License-Identifier: MIT */
/* base64.c - floor 1: base64 (RFC 4648 4), for the opening handshake. */
#include "base64.h"

#include "bytes.h"

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Four digits for the upper 24 bits. */
static inline void base64_group(char *dst, uint32_t bits)
{
    dst[0] = base64_digits[bits >> 26];
    dst[1] = base64_digits[bits >> 20 & 63];
    dst[2] = base64_digits[bits >> 14 & 63];
    dst[3] = base64_digits[bits >> 8 & 63];
}

/* Groups of three bytes, read as words of four while there are so many. */
void weiri_base64_encode(char *dst, const uint8_t *src, size_t len)
{
    for (; len >= 4; len -= 3, src += 3, dst += 4)
        base64_group(dst, weiri_load32(src));
    if (len == 0)
        return;
    uint32_t bits = (uint32_t)src[0] << 24;
    if (len >= 2)
        bits |= (uint32_t)src[1] << 16;
    if (len == 3)
        bits |= (uint32_t)src[2] << 8;
    base64_group(dst, bits);
    if (len < 3)
        dst[3] = '=';
    if (len == 1)
        dst[2] = '=';
}
