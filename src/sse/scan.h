/* SPDX-License-Identifier: MIT */
/* scan.h - floor 3: finds the end of a line, and on the way whether it is all ASCII. */
#ifndef WEIRI_SSE_SCAN_H
#define WEIRI_SSE_SCAN_H

#include "base/bytes.h"
#include "base/simd.h"

#include <stddef.h>

/* An ID with NUL in it is no ID (WHATWG HTML 9.2.6). */
static inline bool weiri_sse_has_nul(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] == 0)
            return true;
    return false;
}

#if defined(WEIRI_SSE2)

/* 16 bytes from `at` on: bit i of the result says that byte i is CR or LF, of *wide that it is above 0x7F. */
static inline unsigned weiri_line_ends(const uint8_t *at, unsigned *wide)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i lf = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'));
    __m128i cr = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r'));
    *wide = (unsigned)_mm_movemask_epi8(bytes);
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(lf, cr));
}
#endif

/* For long texts, on processors that have it: bytes of a beginning in which there is neither a byte below 14
 * nor one above 0x7F; and weiri_plain_copy of 32 bytes or more. */
size_t weiri_plain_len_avx2(const uint8_t *bytes, size_t len);
bool weiri_plain_copy_avx2(uint8_t *to, const uint8_t *text, size_t len);

/* Bytes before the first CR or LF, or all `len`. *high becomes true if one of them is above 0x7F, and stays
 * as it is else. No byte outside is read. */
static inline size_t weiri_line_len(const uint8_t *bytes, size_t len, bool *high)
{
    size_t at = 0;
#if defined(WEIRI_SSE2)
    /* As signed numbers CR, LF and all that is not ASCII are below 14, and of text little else (tab). */
    const __m128i limit = _mm_set1_epi8('\r' + 1);
    while (len - at >= 32) {
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at));
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at + 16));
        if (_mm_movemask_epi8(_mm_or_si128(_mm_cmplt_epi8(a, limit), _mm_cmplt_epi8(b, limit))) != 0)
            break;
        at += 32;
#if defined(WEIRI_AVX2)
        if (at == 256 && weiri_has_avx2()) /* a long line, perhaps */
            at += weiri_plain_len_avx2(bytes + at, len - at);
#endif
    }
    while (len >= 16 && at < len) {
        unsigned wide, before = 0; /* of the last 16 bytes those that have been looked at */
        if (len - at < 16) {
            before = (unsigned)(16 - (len - at));
            at = len - 16;
        }
        unsigned found = weiri_line_ends(bytes + at, &wide) >> before << before;
        if (found != 0) {
            *high |= (wide & (found - 1) & ~found) != 0;
            return at + (unsigned)__builtin_ctz(found);
        }
        *high |= wide != 0;
        at += 16;
    }
#else
    /* A byte is zero if subtracting one borrows into its empty high bit. A borrow can mark a byte behind a
     * zero one by mistake, but not one before it; the loop below finds the first. */
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = UINT64_C(0x8080808080808080);
    for (; len - at >= 8; at += 8) {
        uint64_t word = weiri_word(bytes + at);
        uint64_t lf = word ^ ones * '\n', cr = word ^ ones * '\r';
        if (((((lf - ones) & ~lf) | ((cr - ones) & ~cr)) & highs) != 0)
            break;
        *high |= (word & highs) != 0;
    }
#endif
    for (; at < len && bytes[at] != '\n' && bytes[at] != '\r'; at++)
        *high |= bytes[at] > 0x7F;
    return at;
}

/* Copies a text that is plain: ASCII, and no byte below 14, so in one line. Returns false, with some of it
 * copied, if it is not. */
static inline bool weiri_plain_copy(uint8_t *to, const uint8_t *text, size_t len)
{
    size_t at = 0;
#if defined(WEIRI_AVX2)
    if (len >= 96 && weiri_has_avx2())
        return weiri_plain_copy_avx2(to, text, len);
#endif
#if defined(WEIRI_SSE2)
    const __m128i limit = _mm_set1_epi8('\r' + 1);
    for (; len - at >= 32; at += 32) {
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(text + at));
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(text + at + 16));
        if (_mm_movemask_epi8(_mm_or_si128(_mm_cmplt_epi8(a, limit), _mm_cmplt_epi8(b, limit))) != 0)
            return false;
        _mm_storeu_si128((__m128i *)(void *)(to + at), a);
        _mm_storeu_si128((__m128i *)(void *)(to + at + 16), b);
    }
    while (len >= 16 && at < len) {
        at = len - at < 16 ? len - 16 : at; /* the last step may take bytes once more */
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(text + at));
        if (_mm_movemask_epi8(_mm_cmplt_epi8(a, limit)) != 0)
            return false;
        _mm_storeu_si128((__m128i *)(void *)(to + at), a);
        at += 16;
    }
#endif
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = UINT64_C(0x8080808080808080);
    while (len >= 8 && at < len) {
        at = len - at < 8 ? len - 8 : at;
        uint64_t word = weiri_word(text + at);
        if (((word | (word - ones * ('\r' + 1))) & highs) != 0) /* a borrow comes only from such a byte */
            return false;
        memcpy(to + at, &word, sizeof word);
        at += 8;
    }
    for (; at < len; at++) {
        if (text[at] <= '\r' || text[at] > 0x7F)
            return false;
        to[at] = text[at];
    }
    return true;
}

#endif
