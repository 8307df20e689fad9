/* SPDX-License-Identifier: MIT */
/* utf8_neon.c - floor 1: unmasking and validation of UTF-8, 64 bytes a step; utf8_faults.h says how. */
#include "utf8.h"

#include "utf8_faults.h"
#include "vec.h"

#if defined(WEIRI_NEON)
/* The faults in 16 bytes behind the 16 of `before`, each at its byte. */
static inline uint8x16_t utf8_faults_neon(uint8x16_t bytes, uint8x16_t before)
{
    /* The same 16 bytes, begun one, two and three bytes earlier. */
    uint8x16_t back1 = vextq_u8(before, bytes, 15);
    uint8x16_t back2 = vextq_u8(before, bytes, 14);
    uint8x16_t back3 = vextq_u8(before, bytes, 13);

    uint8x16_t first_high = vqtbl1q_u8(vld1q_u8(utf8_first_high), vshrq_n_u8(back1, 4));
    uint8x16_t first_low = vqtbl1q_u8(vld1q_u8(utf8_first_low), vandq_u8(back1, vdupq_n_u8(0x0F)));
    uint8x16_t second_high = vqtbl1q_u8(vld1q_u8(utf8_second_high), vshrq_n_u8(bytes, 4));
    uint8x16_t pair = vandq_u8(vandq_u8(first_high, first_low), second_high);
    uint8x16_t third = vqsubq_u8(back2, vdupq_n_u8(UTF8_BELOW_THREE));
    uint8x16_t fourth = vqsubq_u8(back3, vdupq_n_u8(UTF8_BELOW_FOUR));
    return veorq_u8(pair, vandq_u8(vorrq_u8(third, fourth), vdupq_n_u8(0x80)));
}

size_t weiri_utf8_bulk_neon(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
    static const uint8_t places[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const uint8x16_t key = weiri_vec_repeat(word);
    const uint8x16_t last =
        veorq_u8(vld1q_u8(src + len - 16), weiri_vec_repeat(weiri_turn(word, (unsigned)len)));
    uint8x16_t before = vdupq_n_u8(0);
    size_t i = 0;
    for (; len - i >= 64; i += 64) {
        uint8x16_t a = veorq_u8(vld1q_u8(src + i), key);
        uint8x16_t b = veorq_u8(vld1q_u8(src + i + 16), key);
        uint8x16_t c = veorq_u8(vld1q_u8(src + i + 32), key);
        uint8x16_t d = veorq_u8(vld1q_u8(src + i + 48), key);
        /* ASCII behind ASCII needs no tables. */
        if (weiri_vec_high(vorrq_u8(vorrq_u8(vorrq_u8(a, b), vorrq_u8(c, d)), before))) {
            uint8x16_t faults = vorrq_u8(utf8_faults_neon(a, before), utf8_faults_neon(b, a));
            faults = vorrq_u8(faults, vorrq_u8(utf8_faults_neon(c, b), utf8_faults_neon(d, c)));
            if (vmaxvq_u8(faults) != 0)
                return i;
        }
        if (dst != NULL) {
            vst1q_u8(dst + i, a);
            vst1q_u8(dst + i + 16, b);
            vst1q_u8(dst + i + 32, c);
            vst1q_u8(dst + i + 48, d);
        }
        before = d;
    }
    for (; len - i >= 16; i += 16) {
        uint8x16_t now = veorq_u8(vld1q_u8(src + i), key);
        if (vmaxvq_u8(utf8_faults_neon(now, before)) != 0)
            return i;
        if (dst != NULL)
            vst1q_u8(dst + i, now);
        before = now;
    }
    /* The bytes from i on are the end of `last`; what follows them does not count. */
    uint8_t around[32] = {0};
    vst1q_u8(around + (len - i), last);
    uint8x16_t taken = vcltq_u8(vld1q_u8(places), vdupq_n_u8((uint8_t)(len - i)));
    if (vmaxvq_u8(vandq_u8(utf8_faults_neon(vld1q_u8(around + 16), before), taken)) != 0)
        return i;
    if (dst != NULL)
        vst1q_u8(dst + len - 16, last);
    return len;
}
#else
typedef int utf8_neon_is_empty; /* ISO C wants something in each file */
#endif
