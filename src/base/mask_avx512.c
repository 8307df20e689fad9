/* SPDX-License-Identifier: MIT */
/* mask_avx512.c - floor 1: masking of long payloads with AVX-512; mask.h says how the ends are treated. */
#include "mask.h"

#if defined(WEIRI_AVX512)
#include <immintrin.h>

static inline WEIRI_TARGET_AVX512 __m512i mask_step_avx512(uint8_t *dst, const uint8_t *src, __m512i key)
{
    __m512i bytes = _mm512_xor_si512(_mm512_loadu_si512(src), key);
    _mm512_storeu_si512(dst, bytes);
    return bytes;
}

/* The steps between the first and the last lie at borders of src: a load across one takes twice as long. */
WEIRI_TARGET_AVX512 bool weiri_mask_avx512(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
    size_t i = 64 - ((uintptr_t)src & 63);
    const __m512i head = _mm512_xor_si512(_mm512_loadu_si512(src), _mm512_set1_epi32((int)word));
    const __m512i tail = _mm512_xor_si512(_mm512_loadu_si512(src + len - 64),
                                          _mm512_set1_epi32((int)weiri_turn(word, (unsigned)len)));
    const __m512i key = _mm512_set1_epi32((int)weiri_turn(word, (unsigned)i));
    __m512i seen = _mm512_or_si512(head, tail);
    for (; len - i >= 256; i += 256) {
        __m512i a = mask_step_avx512(dst + i, src + i, key);
        __m512i b = mask_step_avx512(dst + i + 64, src + i + 64, key);
        __m512i c = mask_step_avx512(dst + i + 128, src + i + 128, key);
        __m512i d = mask_step_avx512(dst + i + 192, src + i + 192, key);
        seen = _mm512_or_si512(seen, _mm512_or_si512(_mm512_or_si512(a, b), _mm512_or_si512(c, d)));
    }
    for (; len - i > 64; i += 64)
        seen = _mm512_or_si512(seen, mask_step_avx512(dst + i, src + i, key));
    _mm512_storeu_si512(dst, head);
    _mm512_storeu_si512(dst + len - 64, tail);
    return _mm512_movepi8_mask(seen) != 0;
}
#else
typedef int mask_avx512_is_empty; /* ISO C wants something in each file */
#endif
