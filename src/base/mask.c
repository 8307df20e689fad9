/* SPDX-License-Identifier: MIT */
/* mask.c - floor 1: masking of payload of any length, RFC 6455 5.3; mask.h says how the end is treated. */
#include "mask.h"

bool weiri_mask_vec(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
    const weiri_vec key = weiri_vec_repeat(word);
    const weiri_vec turned = weiri_vec_repeat(weiri_turn(word, (unsigned)len));
    const weiri_block tail = weiri_block_load(src + len - 64, turned);
    weiri_vec seen = weiri_vec_repeat(0);
    for (size_t i = 0; len - i > 64; i += 64)
        seen = weiri_vec_or(seen, weiri_block_store(dst + i, weiri_block_load(src + i, key)));
    return weiri_vec_high(weiri_vec_or(seen, weiri_block_store(dst + len - 64, tail)));
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
