/* SPDX-License-Identifier: MIT */
/* mask_avx2.c - floor 1: masking of long payloads with AVX2; mask.h says how the ends are treated. */
#include "mask.h"

#include "simd.h"

#if defined(WEIRI_AVX2)
#include <immintrin.h>

static inline WEIRI_TARGET_AVX2 __m256i mask_load(const uint8_t *src, uint32_t word)
{
    return _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(const void *)src),
                            _mm256_set1_epi32((int)word));
}

static inline WEIRI_TARGET_AVX2 __m256i mask_step(uint8_t *dst, const uint8_t *src, __m256i key)
{
    __m256i bytes = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(const void *)src), key);
    _mm256_storeu_si256((__m256i *)(void *)dst, bytes);
    return bytes;
}

/* The steps between the first and the last lie at borders of src: a load across one takes twice as long. */
WEIRI_TARGET_AVX2 bool weiri_mask_avx2(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
    size_t i = 32 - ((uintptr_t)src & 31);
    const __m256i head = mask_load(src, word);
    const __m256i tail = mask_load(src + len - 32, weiri_turn(word, (unsigned)len));
    const __m256i key = _mm256_set1_epi32((int)weiri_turn(word, (unsigned)i));
    __m256i seen = _mm256_or_si256(head, tail);
    for (; len - i >= 128; i += 128) {
        __m256i a = mask_step(dst + i, src + i, key);
        __m256i b = mask_step(dst + i + 32, src + i + 32, key);
        __m256i c = mask_step(dst + i + 64, src + i + 64, key);
        __m256i d = mask_step(dst + i + 96, src + i + 96, key);
        seen = _mm256_or_si256(seen, _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d)));
    }
    for (; len - i > 32; i += 32)
        seen = _mm256_or_si256(seen, mask_step(dst + i, src + i, key));
    _mm256_storeu_si256((__m256i *)(void *)dst, head);
    _mm256_storeu_si256((__m256i *)(void *)(dst + len - 32), tail);
    return _mm256_movemask_epi8(seen) != 0;
}
#else
typedef int mask_avx2_is_empty; /* ISO C wants something in each file */
#endif
