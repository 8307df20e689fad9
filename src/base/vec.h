/* SPDX-License-Identifier: MIT */
/*
 * vec.h - floor 1: some bytes as one value.
 *
 * A register of 16 bytes where the target has such, else one of its words. What is written over it is written
 * once for all targets.
 */
#ifndef WEIRI_VEC_H
#define WEIRI_VEC_H

#include "bytes.h"
#include "simd.h"

#include <stdbool.h>
#include <stddef.h>

#if defined(WEIRI_SSE2)
typedef __m128i weiri_vec;

static inline weiri_vec weiri_vec_load(const uint8_t *from)
{
    return _mm_loadu_si128((const __m128i *)(const void *)from);
}

static inline void weiri_vec_store(uint8_t *to, weiri_vec v)
{
    _mm_storeu_si128((__m128i *)(void *)to, v);
}

/* A word in memory order, four times. */
static inline weiri_vec weiri_vec_repeat(uint32_t word)
{
    return _mm_set1_epi32((int)word);
}

static inline weiri_vec weiri_vec_xor(weiri_vec a, weiri_vec b)
{
    return _mm_xor_si128(a, b);
}

static inline weiri_vec weiri_vec_or(weiri_vec a, weiri_vec b)
{
    return _mm_or_si128(a, b);
}

/* Is a byte above 0x7F? */
static inline bool weiri_vec_high(weiri_vec v)
{
    return _mm_movemask_epi8(v) != 0;
}
#elif defined(WEIRI_NEON)
typedef uint8x16_t weiri_vec;

static inline weiri_vec weiri_vec_load(const uint8_t *from)
{
    return vld1q_u8(from);
}

static inline void weiri_vec_store(uint8_t *to, weiri_vec v)
{
    vst1q_u8(to, v);
}

static inline weiri_vec weiri_vec_repeat(uint32_t word)
{
    return vreinterpretq_u8_u32(vdupq_n_u32(word));
}

static inline weiri_vec weiri_vec_xor(weiri_vec a, weiri_vec b)
{
    return veorq_u8(a, b);
}

static inline weiri_vec weiri_vec_or(weiri_vec a, weiri_vec b)
{
    return vorrq_u8(a, b);
}

static inline bool weiri_vec_high(weiri_vec v)
{
    return vmaxvq_u8(v) > 0x7F;
}
#else
typedef uintptr_t weiri_vec;

static inline weiri_vec weiri_vec_load(const uint8_t *from)
{
    weiri_vec v;
    memcpy(&v, from, sizeof v);
    return v;
}

static inline void weiri_vec_store(uint8_t *to, weiri_vec v)
{
    memcpy(to, &v, sizeof v);
}

static inline weiri_vec weiri_vec_repeat(uint32_t word)
{
    return UINTPTR_MAX / UINT32_MAX * word;
}

static inline weiri_vec weiri_vec_xor(weiri_vec a, weiri_vec b)
{
    return a ^ b;
}

static inline weiri_vec weiri_vec_or(weiri_vec a, weiri_vec b)
{
    return a | b;
}

static inline bool weiri_vec_high(weiri_vec v)
{
    return (v & (uintptr_t)WEIRI_HIGHS) != 0;
}
#endif

/* Bytes of a value. */
#define WEIRI_VEC sizeof(weiri_vec)

/* Are four values ASCII? */
static inline bool weiri_vec_ascii_4(const uint8_t *bytes)
{
    weiri_vec seen = weiri_vec_load(bytes);
    for (size_t i = 1; i < 4; i++)
        seen = weiri_vec_or(seen, weiri_vec_load(bytes + i * WEIRI_VEC));
    return !weiri_vec_high(seen);
}

/* Are all bytes ASCII? Made for some 128 of them at most; the last step may look at bytes again. */
static inline bool weiri_ascii_short(const uint8_t *bytes, size_t len)
{
    if (len < WEIRI_VEC) {
        uint8_t seen = 0;
        if (len >= 8)
            return ((weiri_word(bytes) | weiri_word(bytes + len - 8)) & WEIRI_HIGHS) == 0;
        for (size_t i = 0; i < len; i++)
            seen |= bytes[i];
        return seen < 0x80;
    }
    weiri_vec seen = weiri_vec_load(bytes + len - WEIRI_VEC);
    for (size_t i = 0; i < len - WEIRI_VEC; i += WEIRI_VEC)
        seen = weiri_vec_or(seen, weiri_vec_load(bytes + i));
    return !weiri_vec_high(seen);
}

#endif
