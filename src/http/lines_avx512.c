/* SPDX-License-Identifier: MIT */
/* lines_avx512.c - floor 2: field lines with AVX-512; lines_step.h judges what is found here. */
#include "base/simd.h"

#if defined(WEIRI_AVX512)
#include "lines_step.h"

#include <immintrin.h>

static inline WEIRI_TARGET_AVX512 __m512i lines_table_avx512(const uint8_t table[16])
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)table));
}

/* The bits of 64 bytes. A low half of a byte from 0x80 on gives nothing, as the shuffle has it. */
static inline WEIRI_TARGET_AVX512 lines_bits lines_bits_avx512(__m512i low, __m512i high, __m512i bytes)
{
    __m512i half = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), _mm512_set1_epi8(0x0F));
    __m512i classes = _mm512_and_si512(_mm512_shuffle_epi8(low, bytes), _mm512_shuffle_epi8(high, half));
    return (lines_bits){_mm512_testn_epi8_mask(classes, _mm512_set1_epi8(TOKEN)),
                        _mm512_test_epi8_mask(classes, _mm512_set1_epi8((char)STOP))};
}

WEIRI_TARGET_AVX512 void weiri_lines_avx512(weiri_lines *walk)
{
    const __m512i low = lines_table_avx512(lines_low), high = lines_table_avx512(lines_high);
    weiri_lines here = *walk;
    size_t at = here.at, colon = LINES_NO_COLON;
    bool good = true;
    for (; good && here.len - at >= 64 && here.cap - here.count >= WEIRI_LINES_STEP; at += 64) {
        lines_bits bits = lines_bits_avx512(low, high, _mm512_loadu_si512(here.bytes + at));
        good = lines_step(&here, &colon, at, bits);
    }
    /* What is missing in the last step reads as zeros, which may not stand in a value. */
    size_t left = here.len - at;
    if (good && left < 64 && here.cap - here.count >= WEIRI_LINES_STEP) {
        __m512i some = _mm512_maskz_loadu_epi8(((__mmask64)1 << left) - 1, here.bytes + at);
        (void)lines_step(&here, &colon, at, lines_bits_avx512(low, high, some));
    }
    *walk = here;
}
#else
typedef int lines_avx512_is_empty; /* ISO C wants something in each file */
#endif
