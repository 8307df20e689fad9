/* SPDX-License-Identifier: MIT */
/*
 * vec.h - floor 1: sixteen bytes as one value.
 *
 * A register of the target's where it has one that wide, else two words. What is written over it is written
 * once for all targets.
 */
#ifndef WEIRI_VEC_H
#define WEIRI_VEC_H

#include "bytes.h"
#include "simd.h"

#include <stdbool.h>

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
typedef struct weiri_vec {
    uint64_t low, high;
} weiri_vec;

static inline weiri_vec weiri_vec_load(const uint8_t *from)
{
    return (weiri_vec){weiri_word(from), weiri_word(from + 8)};
}

static inline void weiri_vec_store(uint8_t *to, weiri_vec v)
{
    memcpy(to, &v.low, 8);
    memcpy(to + 8, &v.high, 8);
}

static inline weiri_vec weiri_vec_repeat(uint32_t word)
{
    uint64_t twice = (uint64_t)word << 32 | word;
    return (weiri_vec){twice, twice};
}

static inline weiri_vec weiri_vec_xor(weiri_vec a, weiri_vec b)
{
    return (weiri_vec){a.low ^ b.low, a.high ^ b.high};
}

static inline weiri_vec weiri_vec_or(weiri_vec a, weiri_vec b)
{
    return (weiri_vec){a.low | b.low, a.high | b.high};
}

static inline bool weiri_vec_high(weiri_vec v)
{
    return ((v.low | v.high) & WEIRI_HIGHS) != 0;
}
#endif

#endif
