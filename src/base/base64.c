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

static int base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool weiri_base64_decode(uint8_t *dst, size_t cap, weir_str text, size_t *len)
{
    *len = 0;
    if (text.len % 4 != 0)
        return false;
    size_t digits = text.len;
    for (unsigned pad = 0; pad < 2 && digits != 0 && text.ptr[digits - 1] == '='; pad++)
        digits--;
    if (digits / 4 * 3 + (digits % 4 ? digits % 4 - 1 : 0) > cap)
        return false;

    uint32_t bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = base64_digit(text.ptr[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 0)
            dst[n++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    *len = n;
    return true;
}
