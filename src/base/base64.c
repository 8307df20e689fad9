/* SPDX-License-Identifier: MIT */
/* base64.c - floor 1: base64 (RFC 4648 4), for the opening handshake. */
#include "base64.h"

void weiri_base64_encode(char *dst, const uint8_t *src, size_t len)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (; len >= 3; len -= 3, src += 3) {
        uint32_t bits = (uint32_t)src[0] << 16 | (uint32_t)src[1] << 8 | src[2];
        *dst++ = alphabet[bits >> 18];
        *dst++ = alphabet[bits >> 12 & 63];
        *dst++ = alphabet[bits >> 6 & 63];
        *dst++ = alphabet[bits & 63];
    }
    if (len != 0) {
        uint32_t bits = (uint32_t)src[0] << 16 | (len == 2 ? (uint32_t)src[1] << 8 : 0);
        *dst++ = alphabet[bits >> 18];
        *dst++ = alphabet[bits >> 12 & 63];
        *dst++ = len == 2 ? alphabet[bits >> 6 & 63] : '=';
        *dst = '=';
    }
}
