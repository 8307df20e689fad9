/* SPDX-License-Identifier: MIT */
/* find.h - floor 1: short scans, 16 bytes a step where the compiler's target has them. */
#ifndef WEIRI_FIND_H
#define WEIRI_FIND_H

#include "ascii.h"
#include "simd.h"

/* weiri_run for WEIRI_TOKEN, WEIRI_HOST and WEIRI_BASE64: nearly all of these bytes are letters, digits, or
 * one of two others. */
size_t weiri_class_len(const uint8_t *bytes, size_t len, unsigned one);

/* Where one of two bytes first stands, or `len`. */
size_t weiri_find_either(const uint8_t *bytes, size_t len, uint8_t a, uint8_t b);

/* The same for one. */
static inline size_t weiri_find(const uint8_t *bytes, size_t len, uint8_t byte)
{
    return weiri_find_either(bytes, len, byte, byte);
}

/* How many bytes from the first on may stand in a field's value: WEIRI_VALUE of ascii.h. */
static inline size_t weiri_value_len(const uint8_t *bytes, size_t len)
{
    size_t at = 0;
#if defined(WEIRI_SSE2)
    const __m128i control = _mm_set1_epi8(0x1F);
    const __m128i tab = _mm_set1_epi8('\t');
    const __m128i del = _mm_set1_epi8(0x7F);
    for (; len - at >= 16; at += 16) {
        __m128i some = weiri_load16(bytes + at);
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(some, control), some);
        __m128i bad =
            _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(some, tab), low), _mm_cmpeq_epi8(some, del));
        unsigned found = (unsigned)_mm_movemask_epi8(bad);
        if (found != 0)
            return at + (unsigned)__builtin_ctz(found);
    }
#endif
    return at + weiri_run(bytes + at, len - at, WEIRI_VALUE);
}

/* How many bytes from the first on may stand in a request's target: WEIRI_TARGET of ascii.h. */
static inline size_t weiri_target_len(const uint8_t *bytes, size_t len)
{
    size_t at = 0;
#if defined(WEIRI_SSE2)
    const __m128i space = _mm_set1_epi8(' '); /* bytes from 0x80 on are negative, and less */
    const __m128i del = _mm_set1_epi8(0x7F);
    const __m128i hash = _mm_set1_epi8('#');
    for (; len - at >= 16; at += 16) {
        __m128i some = weiri_load16(bytes + at);
        __m128i bad = _mm_or_si128(_mm_cmpeq_epi8(some, hash), _mm_cmpeq_epi8(some, del));
        unsigned good = (unsigned)_mm_movemask_epi8(_mm_andnot_si128(bad, _mm_cmpgt_epi8(some, space)));
        if (good != 0xFFFF)
            return at + (unsigned)__builtin_ctz(~good);
    }
#endif
    return at + weiri_run(bytes + at, len - at, WEIRI_TARGET);
}

#endif
