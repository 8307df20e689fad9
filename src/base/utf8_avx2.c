/* SPDX-License-Identifier: MIT */
/*
 * utf8_avx2.c - floor 1: validation of UTF-8, 32 bytes a step (after Keiser and Lemire, "Validating UTF-8 in
 * less than one instruction per byte", 2021).
 *
 * Every fault shows in two neighbouring bytes, but for missing third and fourth bytes. Three tables give,
 * for the high and the low half of the first byte and the high half of the second, the faults that each
 * allows; a fault is one that all three allow. TWO_CONTS is set for two continuation bytes in a row, which
 * is right exactly where the byte two or three places before begins a character of three or four bytes.
 */
#include "utf8.h"

#include "simd.h"

#if defined(WEIRI_AVX2)
#include <immintrin.h>
#include <string.h>

enum {
    TOO_SHORT = 1 << 0,  /* a first byte, then no continuation byte */
    TOO_LONG = 1 << 1,   /* ASCII, then a continuation byte */
    OVERLONG_3 = 1 << 2, /* E0 80..9F */
    TOO_LARGE = 1 << 3,  /* F4 90..BF, F5..FF 90..BF */
    SURROGATE = 1 << 4,  /* ED A0..BF */
    OVERLONG_2 = 1 << 5, /* C0, C1 */
    OVERLONG_4 = 1 << 6, /* F0 80..8F; F5..FF 80..8F are too large */
    TWO_CONTS = 1 << 7,
    ANY_LOW = TOO_SHORT | TOO_LONG | TWO_CONTS /* what the low half says nothing about */
};

#define TABLE(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) \
    _mm256_setr_epi8((char)(a), (char)(b), (char)(c), (char)(d), (char)(e), (char)(f), (char)(g), (char)(h), \
                     (char)(i), (char)(j), (char)(k), (char)(l), (char)(m), (char)(n), (char)(o), (char)(p), \
                     (char)(a), (char)(b), (char)(c), (char)(d), (char)(e), (char)(f), (char)(g), (char)(h), \
                     (char)(i), (char)(j), (char)(k), (char)(l), (char)(m), (char)(n), (char)(o), (char)(p))

static inline WEIRI_TARGET_AVX2 __m256i high_half(__m256i bytes)
{
    return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0F));
}

/* The faults in 32 bytes behind the 32 of `before`. */
static inline WEIRI_TARGET_AVX2 __m256i faults(__m256i bytes, __m256i before)
{
    const __m256i first_high =
        TABLE(TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TWO_CONTS,
              TWO_CONTS, TWO_CONTS, TWO_CONTS, TOO_SHORT | OVERLONG_2, TOO_SHORT,
              TOO_SHORT | OVERLONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | OVERLONG_4);
    const __m256i first_low = TABLE(
        ANY_LOW | OVERLONG_2 | OVERLONG_3 | OVERLONG_4, ANY_LOW | OVERLONG_2, ANY_LOW, ANY_LOW,
        ANY_LOW | TOO_LARGE, ANY_LOW | TOO_LARGE | OVERLONG_4, ANY_LOW | TOO_LARGE | OVERLONG_4,
        ANY_LOW | TOO_LARGE | OVERLONG_4, ANY_LOW | TOO_LARGE | OVERLONG_4, ANY_LOW | TOO_LARGE | OVERLONG_4,
        ANY_LOW | TOO_LARGE | OVERLONG_4, ANY_LOW | TOO_LARGE | OVERLONG_4, ANY_LOW | TOO_LARGE | OVERLONG_4,
        ANY_LOW | TOO_LARGE | OVERLONG_4 | SURROGATE, ANY_LOW | TOO_LARGE | OVERLONG_4,
        ANY_LOW | TOO_LARGE | OVERLONG_4);
    const __m256i second_high =
        TABLE(TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
              TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 | OVERLONG_4,
              TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 | TOO_LARGE,
              TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE,
              TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE, TOO_SHORT, TOO_SHORT, TOO_SHORT,
              TOO_SHORT);

    /* The same 32 bytes, begun one, two and three bytes earlier. */
    __m256i joint = _mm256_permute2x128_si256(before, bytes, 0x21);
    __m256i back1 = _mm256_alignr_epi8(bytes, joint, 15);
    __m256i back2 = _mm256_alignr_epi8(bytes, joint, 14);
    __m256i back3 = _mm256_alignr_epi8(bytes, joint, 13);

    __m256i pair = _mm256_and_si256(
        _mm256_and_si256(_mm256_shuffle_epi8(first_high, high_half(back1)),
                         _mm256_shuffle_epi8(first_low, _mm256_and_si256(back1, _mm256_set1_epi8(0x0F)))),
        _mm256_shuffle_epi8(second_high, high_half(bytes)));
    /* High bit set: E0 and above two bytes before, F0 and above three bytes before. */
    __m256i third = _mm256_subs_epu8(back2, _mm256_set1_epi8((char)(0xE0 - 0x80)));
    __m256i fourth = _mm256_subs_epu8(back3, _mm256_set1_epi8((char)(0xF0 - 0x80)));
    __m256i wanted = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
    return _mm256_xor_si256(pair, wanted);
}

WEIRI_TARGET_AVX2 bool weiri_utf8_valid_avx2(const uint8_t *bytes, size_t len)
{
    __m256i before = _mm256_setzero_si256();
    __m256i faulty = before;
    size_t i = 0;
    for (; len - i >= 32; i += 32) {
        __m256i now = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + i));
        faulty = _mm256_or_si256(faulty, faults(now, before));
        before = now;
    }
    /* The rest, and zeros: a character that is cut at the end is TOO_SHORT before the first of them. */
    uint8_t rest[32] = {0};
    memcpy(rest, bytes + i, len - i);
    __m256i now = _mm256_loadu_si256((const __m256i *)(const void *)rest);
    faulty = _mm256_or_si256(faulty, faults(now, before));
    return _mm256_testz_si256(faulty, faulty) != 0;
}
#else
typedef int utf8_avx2_is_empty; /* ISO C wants something in each file */
#endif
