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

/* A bit for the high bit of each byte of both. */
static inline WEIRI_TARGET_AVX2 uint64_t scan_mask(__m256i a, __m256i b)
{
    return (uint32_t)_mm256_movemask_epi8(a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
}

/* Not zero if a byte of either is below 14 or above 0x7F: as a signed number, less 14, it is negative. */
static inline WEIRI_TARGET_AVX2 int scan_odd(__m256i a, __m256i b)
{
    return _mm256_movemask_epi8(_mm256_subs_epi8(_mm256_min_epi8(a, b), _mm256_set1_epi8('\r' + 1)));
}

/* Each byte that is CR or LF becomes 0xFF, the others 0. */
static inline WEIRI_TARGET_AVX2 __m256i scan_ends(__m256i bytes)
{
    __m256i lf = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\n'));
    __m256i cr = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\r'));
    return _mm256_or_si256(lf, cr);
}

WEIRI_TARGET_AVX2 size_t weiri_line_len_avx2(const uint8_t *bytes, size_t len, bool *wide)
{
    size_t at = 0;
    while (at < len) {
        while (len - at >= 64 && scan_odd(scan_load(bytes + at), scan_load(bytes + at + 32)) == 0)
            at += 64;
        if (at == len)
            break;
        at = len - at < 64 ? len - 64 : at;
        __m256i a = scan_load(bytes + at), b = scan_load(bytes + at + 32);
        uint64_t ends = scan_mask(scan_ends(a), scan_ends(b));
        *wide |= (scan_mask(a, b) & weiri_below(ends)) != 0;
        if (ends != 0)
            return at + (unsigned)__builtin_ctzll(ends);
        at += 64;
    }
    return len;
}

/* 64 bytes of weiri_plain_copy. */
static inline WEIRI_TARGET_AVX2 bool plain_step(uint8_t *to, const uint8_t *text)
{
    __m256i a = scan_load(text), b = scan_load(text + 32);
    if (scan_odd(a, b) != 0)
        return false;
    scan_store(to, a);
    scan_store(to + 32, b);
    return true;
}

WEIRI_TARGET_AVX2 bool weiri_plain_copy_avx2(uint8_t *to, const uint8_t *text, size_t len)
{
    const size_t last = len - 64;
    for (size_t at = 0; at < last; at += 64)
        if (!plain_step(to + at, text + at))
            return false;
    return plain_step(to + last, text + last);
}
#else
typedef int scan_avx2_is_empty; /* ISO C wants something in each file */
#endif
