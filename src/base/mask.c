/* SPDX-License-Identifier: MIT */
/* mask.c - floor 1: masking of payload of any length, RFC 6455 5.3; mask.h says how the end is treated. */
#include "mask.h"

bool weiri_mask_vec(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
    return weiri_mask_blocks(dst, src, len, weiri_vec_repeat(word),
                             weiri_vec_repeat(weiri_turn(word, (unsigned)len)));
}

bool weiri_mask(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
    if (len <= WEIRI_MASK_SHORT)
        return weiri_mask_short(dst, src, len, word);
#if defined(WEIRI_AVX512)
    if (weiri_has_avx512())
        return weiri_mask_avx512(dst, src, len, word);
#endif
#if defined(WEIRI_AVX2)
    if (weiri_has_avx2())
        return weiri_mask_avx2(dst, src, len, word);
#endif
    return weiri_mask_vec(dst, src, len, word);
}
