/* SPDX-License-Identifier: MIT */
/* ascii.h - floor 1: the byte classes of HTTP, and ASCII without locale. */
#ifndef WEIRI_ASCII_H
#define WEIRI_ASCII_H

#include "weir/base.h"

/* Bits of weiri_ascii[byte]. */
#define WEIRI_TOKEN 1u  /* tchar, RFC 9110 5.6.2 */
#define WEIRI_VALUE 2u  /* inside a field value: HTAB, 0x20..0x7E, 0x80..0xFF, RFC 9110 5.5 */
#define WEIRI_TARGET 4u /* inside a request target: 0x21..0x7E without '#' */
#define WEIRI_HOST 8u   /* reg-name without '%', RFC 3986 3.2.2 */

extern const uint8_t weiri_ascii[256];

static inline bool weiri_is(uint8_t byte, unsigned classes)
{
    return (weiri_ascii[byte] & classes) != 0;
}

static inline bool weiri_is_digit(uint8_t byte)
{
    return (uint8_t)(byte - '0') < 10;
}

static inline uint8_t weiri_lower(uint8_t byte)
{
    return (uint8_t)(byte - 'A') < 26 ? (uint8_t)(byte | 0x20) : byte;
}

static inline bool weiri_is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

/* Value of a hexadecimal digit, or -1. */
int weiri_hex(uint8_t byte);

/* Are all bytes, one at least, of the classes? */
bool weiri_all(weir_str str, unsigned classes);

/* Without spaces and tabs at both ends. */
weir_str weiri_trim(weir_str str);

bool weiri_equal(weir_str a, weir_str b);
bool weiri_equal_nocase(weir_str a, weir_str b);

/* A decimal number of digits only; false if empty, signed, spaced or above UINT64_MAX. */
bool weiri_decimal(weir_str str, uint64_t *number);

#endif
