/* SPDX-License-Identifier: MIT */
/* sha1_x86.c - floor 1: SHA-1 with the processor's own instructions, four rounds each. */
#include "sha1.h"

#include "bytes.h"
#include "simd.h"

#if defined(WEIRI_SHA)
#include <immintrin.h>

/* Four words of the schedule from the sixteen before them. */
static inline WEIRI_TARGET_SHA __m128i sha1_words(const __m128i *before)
{
    __m128i words = _mm_xor_si128(_mm_sha1msg1_epu32(before[0], before[1]), before[2]);
    return _mm_sha1msg2_epu32(words, before[3]);
}

static inline WEIRI_TARGET_SHA __m128i sha1_load(const void *bytes)
{
    return _mm_loadu_si128(bytes);
}

/* Twenty rounds, from word 4 * g on; the function is a constant of the instruction. */
#define TWENTY_ROUNDS(g, function) \
    for (int i = (g); i < (g) + 5; i++) { \
        __m128i last = *abcd; \
        *abcd = _mm_sha1rnds4_epu32(*abcd, e, (function)); \
        e = _mm_sha1nexte_epu32(last, w[i + 1]); \
    }

/* A block's rounds; `e` comes with nothing added, and there is room behind its twenty times four words. */
static WEIRI_FAST WEIRI_TARGET_SHA __m128i sha1_rounds_x86(__m128i *abcd, __m128i e, __m128i *w)
{
    const __m128i before = *abcd;
    w[20] = e; /* behind the last round what is added is the old e */
    e = _mm_add_epi32(e, w[0]);
    TWENTY_ROUNDS(0, 0)
    TWENTY_ROUNDS(5, 1)
    TWENTY_ROUNDS(10, 2)
    TWENTY_ROUNDS(15, 3)
    *abcd = _mm_add_epi32(*abcd, before);
    return e;
}

/* The instructions keep four words from the highest down. */
WEIRI_TARGET_SHA void weiri_sha1_x86(uint32_t h[5], const uint8_t *block)
{
    const __m128i reverse = _mm_set_epi64x(0x0001020304050607, 0x08090A0B0C0D0E0F);
    __m128i abcd = _mm_shuffle_epi32(sha1_load(h), 0x1B), e = _mm_set_epi32((int)h[4], 0, 0, 0), w[21];
    for (int i = 0; i < 4; i++)
        w[i] = _mm_shuffle_epi8(sha1_load(block + 16 * i), reverse);
    for (int i = 4; i < 20; i++)
        w[i] = sha1_words(w + i - 4);
    e = sha1_rounds_x86(&abcd, e, w);
    for (int i = 0; i < 20; i++)
        w[i] = _mm_shuffle_epi32(sha1_load(weiri_sha1_last + 4 * i), 0x1B);
    e = sha1_rounds_x86(&abcd, e, w);
    _mm_storeu_si128((__m128i *)(void *)h, _mm_shuffle_epi32(abcd, 0x1B));
    h[4] = (uint32_t)_mm_cvtsi128_si32(_mm_shuffle_epi32(e, 0xFF));
}
#else
typedef int sha1_x86_is_empty; /* ISO C wants something in each file */
#endif
