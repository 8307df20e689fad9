/* SPDX-License-Identifier: MIT */
/* scan_avx2.c - floor 3: the scans of scan.h for long texts, with AVX2. */
#include "scan.h"

#if defined(WEIRI_AVX2)
#include <immintrin.h>

static inline WEIRI_TARGET_AVX2 __m256i scan_load(const uint8_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

static inline WEIRI_TARGET_AVX2 void scan_store(uint8_t *at, __m256i bytes)
{
    _mm256_storeu_si256((__m256i *)(void *)at, bytes);
}

/* Zero if all 32 bytes are above CR and ASCII. */
static inline WEIRI_TARGET_AVX2 unsigned scan_odd(__m256i bytes)
{
    return (unsigned)_mm256_movemask_epi8(_mm256_cmpgt_epi8(_mm256_set1_epi8('\r' + 1), bytes));
}

WEIRI_TARGET_AVX2 size_t weiri_plain_len_avx2(const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    for (; len - at >= 64; at += 64)
        if (scan_odd(_mm256_min_epi8(scan_load(bytes + at), scan_load(bytes + at + 32))) != 0)
            break;
    return at;
}

WEIRI_TARGET_AVX2 bool weiri_plain_copy_avx2(uint8_t *to, const uint8_t *text, size_t len)
{
    size_t at = 0;
    for (; len - at >= 64; at += 64) {
        __m256i a = scan_load(text + at), b = scan_load(text + at + 32);
        if (scan_odd(_mm256_min_epi8(a, b)) != 0)
            return false;
        scan_store(to + at, a);
        scan_store(to + at + 32, b);
    }
    /* The last two steps may take bytes once more. */
    if (len - at > 32) {
        __m256i a = scan_load(text + at);
        if (scan_odd(a) != 0)
            return false;
        scan_store(to + at, a);
    }
    __m256i last = scan_load(text + len - 32);
    if (scan_odd(last) != 0)
        return false;
    scan_store(to + len - 32, last);
    return true;
}
#else
typedef int scan_avx2_is_empty; /* ISO C wants something in each file */
#endif
