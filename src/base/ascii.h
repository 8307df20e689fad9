/* SPDX-License-Identifier: MIT */
/* ascii.h - floor 1: the byte classes of HTTP, and ASCII without locale. */
#ifndef WEIRI_ASCII_H
#define WEIRI_ASCII_H

#include "bytes.h"
#include "weir/base.h"

/* Bits of weiri_ascii[byte]. */
#define WEIRI_TOKEN 1u   /* tchar, RFC 9110 5.6.2 */
#define WEIRI_VALUE 2u   /* inside a field value: HTAB, 0x20..0x7E, 0x80..0xFF, RFC 9110 5.5 */
#define WEIRI_TARGET 4u  /* inside a request target: 0x21..0x7E without '#' */
#define WEIRI_HOST 8u    /* reg-name without '%', RFC 3986 3.2.2 */
#define WEIRI_BASE64 16u /* a digit of base64, RFC 4648 4 */

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

/* A literal as a slice. */
#define WEIRI_TEXT(literal) ((weir_str){(const uint8_t *)("" literal), sizeof(literal) - 1})

/* Value of a hexadecimal digit, or -1. */
int weiri_hex(uint8_t byte);

/* How many bytes from the first on are of one class. Four at a time. */
static inline size_t weiri_run(const uint8_t *bytes, size_t len, unsigned one)
{
    const uint8_t *is = weiri_ascii;
    size_t at = 0;
    while (len - at >= 4 &&
           (is[bytes[at]] & is[bytes[at + 1]] & is[bytes[at + 2]] & is[bytes[at + 3]] & one) != 0)
        at += 4;
    while (at < len && weiri_is(bytes[at], one))
        at++;
    return at;
}

/* Are all bytes, one at least, of one class? */
static inline bool weiri_all(weir_str str, unsigned one)
{
    return str.len != 0 && weiri_run(str.ptr, str.len, one) == str.len;
}

/* Without spaces and tabs at both ends. */
static inline weir_str weiri_trim(weir_str str)
{
    while (str.len && weiri_is_blank(*str.ptr))
        str.ptr++, str.len--;
    while (str.len && weiri_is_blank(str.ptr[str.len - 1]))
        str.len--;
    return str;
}

bool weiri_equal(weir_str a, weir_str b);
bool weiri_equal_nocase(weir_str a, weir_str b);

/* Eight bytes, or fewer and zeros: where `lower` has a letter, which bit 0x40 tells, bit 0x20 may differ. */
static inline bool weiri_word_is_name(uint64_t word, uint64_t lower)
{
    return ((word ^ lower) & ~((lower & UINT64_C(0x4040404040404040)) >> 1)) == 0;
}

/* weiri_equal_nocase for a literal: four bytes at least, all of them lower-case letters, digits or '-'. Its
 * length is known where this is compiled, so that a few words are compared. */
static inline bool weiri_is_name(weir_str str, weir_str lower)
{
    size_t i = 0;
    if (str.len != lower.len)
        return false;
    if (lower.len < 8)
        return weiri_word_is_name(weiri_half(str.ptr), weiri_half(lower.ptr)) &&
               weiri_word_is_name(weiri_half(str.ptr + lower.len - 4), weiri_half(lower.ptr + lower.len - 4));
    for (; lower.len - i > 8; i += 8)
        if (!weiri_word_is_name(weiri_word(str.ptr + i), weiri_word(lower.ptr + i)))
            return false;
    return weiri_word_is_name(weiri_word(str.ptr + lower.len - 8), weiri_word(lower.ptr + lower.len - 8));
}

/* A decimal number of digits only; false if empty, signed, spaced or above UINT64_MAX. */
bool weiri_decimal(weir_str str, uint64_t *number);

#endif
