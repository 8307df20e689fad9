/* SPDX-License-Identifier: MIT */
/*
 * mask.h - floor 1: masking of payload, RFC 6455 5.3.
 *
 * The last step takes the last bytes, also those that a step before it has taken: it loads them before
 * any byte is stored, so that masking in place does not mask them twice. All bytes of the result are
 * collected on the way, which tells whether a text is ASCII.
 */
#ifndef WEIRI_MASK_H
#define WEIRI_MASK_H

#include "vec.h"

#include <stddef.h>

/* Four bytes of the key from offset `phase` of the frame on, as a number in memory order. */
static inline uint32_t weiri_mask_word(const uint8_t key[4], unsigned phase)
{
    uint32_t word;
    memcpy(&word, key, sizeof word);
    return weiri_turn(word, phase);
}

/* Masks a frame's bytes: dst[i] = src[i] ^ key, whose bytes follow each other from `word` on. dst may be
 * src, but not overlap it otherwise. Returns true if a byte of dst is above 0x7F. */
bool weiri_mask(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word);

/* The same for 64 bytes and more: for all processors, and for those that have the instructions. */
bool weiri_mask_vec(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word);
bool weiri_mask_avx2(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word);
bool weiri_mask_avx512(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word);

/* Up to 15 bytes. */
static WEIRI_FAST bool weiri_mask_few(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
    if (len >= 8) {
        uint64_t twice = (uint64_t)word << 32 | word;
        uint64_t head = weiri_word(src) ^ twice;
        uint32_t turned = weiri_turn(word, (unsigned)len);
        uint64_t tail = weiri_word(src + len - 8) ^ ((uint64_t)turned << 32 | turned);
        memcpy(dst, &head, 8);
        memcpy(dst + len - 8, &tail, 8);
        return ((head | tail) & WEIRI_HIGHS) != 0;
    }
    if (len >= 4) {
        uint32_t head, tail;
        memcpy(&head, src, 4);
        memcpy(&tail, src + len - 4, 4);
        head ^= word;
        tail ^= weiri_turn(word, (unsigned)len);
        memcpy(dst, &head, 4);
        memcpy(dst + len - 4, &tail, 4);
        return ((head | tail) & (uint32_t)WEIRI_HIGHS) != 0;
    }
    uint8_t seen = 0;
    for (size_t i = 0; i < len; i++, word = weiri_turn(word, 1)) {
        uint8_t first;
        memcpy(&first, &word, 1);
        dst[i] = src[i] ^ first;
        seen |= dst[i];
    }
    return seen > 0x7F;
}

/* Sixty-four bytes. */
typedef struct weiri_block {
    weiri_vec a, b, c, d;
} weiri_block;

static inline weiri_block weiri_block_load(const uint8_t *src, weiri_vec key)
{
    return (weiri_block){
        weiri_vec_xor(weiri_vec_load(src), key), weiri_vec_xor(weiri_vec_load(src + 16), key),
        weiri_vec_xor(weiri_vec_load(src + 32), key), weiri_vec_xor(weiri_vec_load(src + 48), key)};
}

/* Returns all of its bytes together. */
static inline weiri_vec weiri_block_store(uint8_t *dst, weiri_block block)
{
    weiri_vec_store(dst, block.a);
    weiri_vec_store(dst + 16, block.b);
    weiri_vec_store(dst + 32, block.c);
    weiri_vec_store(dst + 48, block.d);
    return weiri_vec_or(weiri_vec_or(block.a, block.b), weiri_vec_or(block.c, block.d));
}

#define WEIRI_MASK_SHORT 128

/* weiri_mask for up to 128 bytes, to be inlined. */
static WEIRI_FAST bool weiri_mask_short(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
    if (len < 16)
        return weiri_mask_few(dst, src, len, word);
    const weiri_vec key = weiri_vec_repeat(word);
    const weiri_vec turned = weiri_vec_repeat(weiri_turn(word, (unsigned)len));
    if (len > 64) {
        const weiri_block head = weiri_block_load(src, key);
        const weiri_block tail = weiri_block_load(src + len - 64, turned);
        weiri_vec seen = weiri_block_store(dst, head);
        return weiri_vec_high(weiri_vec_or(seen, weiri_block_store(dst + len - 64, tail)));
    }
    weiri_vec first = weiri_vec_xor(weiri_vec_load(src), key);
    weiri_vec last = weiri_vec_xor(weiri_vec_load(src + len - 16), turned);
    weiri_vec seen = weiri_vec_or(first, last);
    if (len > 32) {
        weiri_vec second = weiri_vec_xor(weiri_vec_load(src + 16), key);
        weiri_vec third = weiri_vec_xor(weiri_vec_load(src + len - 32), turned);
        weiri_vec_store(dst + 16, second);
        weiri_vec_store(dst + len - 32, third);
        seen = weiri_vec_or(seen, weiri_vec_or(second, third));
    }
    weiri_vec_store(dst, first);
    weiri_vec_store(dst + len - 16, last);
    return weiri_vec_high(seen);
}

#endif
