/* SPDX-License-Identifier: MIT */
/*
 * mask.c - floor 1: masking of payload, RFC 6455 5.3.
 *
 * The last step takes the last bytes, also those that a step before it has taken: it loads them before
 * any byte is stored, so that masking in place does not mask them twice. All bytes of the result are
 * collected in one word on the way, which tells whether a text is ASCII.
 */
#include "mask.h"

#include "simd.h"

#define HIGHS UINT64_C(0x8080808080808080)

/* Up to 15 bytes. */
static bool mask_few(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
    if (len >= 8) {
        uint64_t twice = (uint64_t)word << 32 | word;
        uint64_t head = weiri_word(src) ^ twice;
        uint32_t turned = weiri_turn(word, (unsigned)len);
        uint64_t tail = weiri_word(src + len - 8) ^ ((uint64_t)turned << 32 | turned);
        memcpy(dst, &head, 8);
        memcpy(dst + len - 8, &tail, 8);
        return ((head | tail) & HIGHS) != 0;
    }
    if (len >= 4) {
        uint32_t head, tail;
        memcpy(&head, src, 4);
        memcpy(&tail, src + len - 4, 4);
        head ^= word;
        tail ^= weiri_turn(word, (unsigned)len);
        memcpy(dst, &head, 4);
        memcpy(dst + len - 4, &tail, 4);
        return ((head | tail) & (uint32_t)HIGHS) != 0;
    }
    uint8_t seen = 0;
    uint8_t key[4];
    memcpy(key, &word, 4);
    for (size_t i = 0; i < len; i++) {
        dst[i] = src[i] ^ key[i];
        seen |= dst[i];
    }
    return seen > 0x7F;
}

#if defined(WEIRI_SSE2)
static bool mask_many(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
    const __m128i key = _mm_set1_epi32((int)word);
    __m128i tail = _mm_loadu_si128((const __m128i *)(const void *)(src + len - 16));
    tail = _mm_xor_si128(tail, _mm_set1_epi32((int)weiri_turn(word, (unsigned)len)));
    __m128i seen = tail;
    size_t i = 0;
    for (; len - i >= 32; i += 32) {
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(src + i));
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(src + i + 16));
        a = _mm_xor_si128(a, key);
        b = _mm_xor_si128(b, key);
        _mm_storeu_si128((__m128i *)(void *)(dst + i), a);
        _mm_storeu_si128((__m128i *)(void *)(dst + i + 16), b);
        seen = _mm_or_si128(seen, _mm_or_si128(a, b));
    }
    if (len - i >= 16) {
        __m128i a = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)(src + i)), key);
        _mm_storeu_si128((__m128i *)(void *)(dst + i), a);
        seen = _mm_or_si128(seen, a);
    }
    _mm_storeu_si128((__m128i *)(void *)(dst + len - 16), tail);
    return _mm_movemask_epi8(seen) != 0;
}
#else
static bool mask_many(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
    const uint64_t key = (uint64_t)word << 32 | word;
    const uint32_t turned = weiri_turn(word, (unsigned)len);
    uint64_t tail = weiri_word(src + len - 8) ^ ((uint64_t)turned << 32 | turned);
    uint64_t seen = tail;
    size_t i = 0;
    for (; len - i >= 32; i += 32) {
        uint64_t w[4];
        memcpy(w, src + i, 32);
        w[0] ^= key, w[1] ^= key, w[2] ^= key, w[3] ^= key;
        memcpy(dst + i, w, 32);
        seen |= w[0] | w[1] | w[2] | w[3];
    }
    for (; len - i >= 8; i += 8) {
        uint64_t w = weiri_word(src + i) ^ key;
        memcpy(dst + i, &w, 8);
        seen |= w;
    }
    memcpy(dst + len - 8, &tail, 8);
    return (seen & HIGHS) != 0;
}
#endif

bool weiri_mask(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
    if (len < 16)
        return mask_few(dst, src, len, word);
#if defined(WEIRI_AVX2)
    if (len >= 256 && weiri_has_avx2())
        return weiri_mask_avx2(dst, src, len, word);
#endif
    return mask_many(dst, src, len, word);
}
