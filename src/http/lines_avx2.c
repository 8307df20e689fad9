/* SPDX-License-Identifier: MIT */
/* lines_avx2.c - floor 2: field lines with AVX2; lines_step.h judges what is found here. */
#include "base/simd.h"

#if defined(WEIRI_AVX2)
#include "lines_step.h"

#include <immintrin.h>

typedef struct lines_tables_avx2 {
    __m256i low, high;
} lines_tables_avx2;

static inline WEIRI_TARGET_AVX2 __m256i lines_table_avx2(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table));
}

/* What each byte is. A low half of a byte from 0x80 on gives nothing, as the shuffle has it. */
static inline WEIRI_TARGET_AVX2 __m256i lines_classes_avx2(const lines_tables_avx2 *tables, __m256i bytes)
{
    __m256i half = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0F));
    return _mm256_and_si256(_mm256_shuffle_epi8(tables->low, bytes), _mm256_shuffle_epi8(tables->high, half));
}

static inline WEIRI_TARGET_AVX2 uint64_t lines_mask_avx2(__m256i a, __m256i b)
{
    return (uint32_t)_mm256_movemask_epi8(a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
}

/* A bit for each byte of two classes that has none of `wanted`. */
static inline WEIRI_TARGET_AVX2 uint64_t lines_without_avx2(__m256i a, __m256i b, int wanted)
{
    const __m256i zero = _mm256_setzero_si256(), mask = _mm256_set1_epi8((char)wanted);
    return lines_mask_avx2(_mm256_cmpeq_epi8(_mm256_and_si256(a, mask), zero),
                           _mm256_cmpeq_epi8(_mm256_and_si256(b, mask), zero));
}

static inline WEIRI_TARGET_AVX2 lines_bits lines_bits_avx2(const lines_tables_avx2 *tables,
                                                           const uint8_t *bytes)
{
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + 32));
    __m256i class_a = lines_classes_avx2(tables, a), class_b = lines_classes_avx2(tables, b);
    return (lines_bits){lines_without_avx2(class_a, class_b, TOKEN),
                        ~lines_without_avx2(class_a, class_b, STOP)};
}

WEIRI_TARGET_AVX2 void weiri_lines_avx2(weiri_lines *walk)
{
    const lines_tables_avx2 tables = {lines_table_avx2(lines_low), lines_table_avx2(lines_high)};
    weiri_lines here = *walk;
    size_t at = here.at, colon = LINES_NO_COLON;
    bool good = true;
    for (; good && here.len - at >= 64 && here.cap - here.count >= WEIRI_LINES_STEP; at += 64) {
        lines_bits bits = lines_bits_avx2(&tables, here.bytes + at);
        good = lines_step(&here, &colon, at, bits);
    }
    /* The last step ends with the input, and begins with bytes that are done. */
    size_t left = here.len - at;
    if (good && left != 0 && left < 64 && here.len >= 64 && here.cap - here.count >= WEIRI_LINES_STEP) {
        lines_bits bits = lines_bits_avx2(&tables, here.bytes + here.len - 64);
        bits.not_name >>= 64 - left;
        bits.not_value >>= 64 - left;
        (void)lines_step(&here, &colon, at, bits);
    }
    *walk = here;
}
#else
typedef int lines_avx2_is_empty; /* ISO C wants something in each file */
#endif
