/* SPDX-License-Identifier: MIT */
/*
 * mask.h - floor 1: masking of payload, RFC 6455 5.3.
 *
 * The last step overlaps the one before it. So that bytes which are masked in place are not masked twice,
 * both are loaded before either is stored. All bytes of the result are ORed on the way, which tells whether
 * one is above 0x7F: a text without is ASCII.
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

/* Four values, all of them at once. */
typedef struct weiri_block {
    weiri_vec a, b, c, d;
} weiri_block;

#define WEIRI_BLOCK (sizeof(weiri_block)) /* bytes */

static WEIRI_FAST weiri_block weiri_block_load(const uint8_t *src, weiri_vec key)
{
    return (weiri_block){weiri_vec_xor(weiri_vec_load(src), key),
                         weiri_vec_xor(weiri_vec_load(src + WEIRI_VEC), key),
                         weiri_vec_xor(weiri_vec_load(src + 2 * WEIRI_VEC), key),
                         weiri_vec_xor(weiri_vec_load(src + 3 * WEIRI_VEC), key)};
}

/* Returns all of its bytes together. */
static WEIRI_FAST weiri_vec weiri_block_store(uint8_t *dst, weiri_block block)
{
    weiri_vec_store(dst, block.a);
    weiri_vec_store(dst + WEIRI_VEC, block.b);
    weiri_vec_store(dst + 2 * WEIRI_VEC, block.c);
    weiri_vec_store(dst + 3 * WEIRI_VEC, block.d);
    return weiri_vec_or(weiri_vec_or(block.a, block.b), weiri_vec_or(block.c, block.d));
}

/* A block and more; `turned` is the key as it stands at the end. */
static WEIRI_FAST bool weiri_mask_blocks(uint8_t *dst, const uint8_t *src, size_t len, weiri_vec key,
                                         weiri_vec turned)
{
    const weiri_block tail = weiri_block_load(src + len - WEIRI_BLOCK, turned);
    weiri_vec seen = weiri_vec_repeat(0);
    size_t i = 0;
    for (; len - i > 2 * WEIRI_BLOCK; i += 2 * WEIRI_BLOCK) {
        weiri_vec a = weiri_block_store(dst + i, weiri_block_load(src + i, key));
        weiri_vec b = weiri_block_store(dst + i + WEIRI_BLOCK, weiri_block_load(src + i + WEIRI_BLOCK, key));
        seen = weiri_vec_or(seen, weiri_vec_or(a, b));
    }
    if (len - i > WEIRI_BLOCK)
        seen = weiri_vec_or(seen, weiri_block_store(dst + i, weiri_block_load(src + i, key)));
    return weiri_vec_high(weiri_vec_or(seen, weiri_block_store(dst + len - WEIRI_BLOCK, tail)));
}

#define WEIRI_MASK_SHORT 128

/* Up to 128 bytes. */
static WEIRI_FAST bool weiri_mask_short(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
    if (len < 16)
        return weiri_mask_few(dst, src, len, word);
    const weiri_vec key = weiri_vec_repeat(word);
    const weiri_vec turned = weiri_vec_repeat(weiri_turn(word, (unsigned)len));
    if (len > WEIRI_BLOCK)
        return weiri_mask_blocks(dst, src, len, key, turned);
    weiri_vec first = weiri_vec_xor(weiri_vec_load(src), key);
    weiri_vec last = weiri_vec_xor(weiri_vec_load(src + len - WEIRI_VEC), turned);
    weiri_vec seen = weiri_vec_or(first, last);
    if (len > 2 * WEIRI_VEC) {
        weiri_vec second = weiri_vec_xor(weiri_vec_load(src + WEIRI_VEC), key);
        weiri_vec third = weiri_vec_xor(weiri_vec_load(src + len - 2 * WEIRI_VEC), turned);
        weiri_vec_store(dst + WEIRI_VEC, second);
        weiri_vec_store(dst + len - 2 * WEIRI_VEC, third);
        seen = weiri_vec_or(seen, weiri_vec_or(second, third));
    }
    weiri_vec_store(dst, first);
    weiri_vec_store(dst + len - WEIRI_VEC, last);
    return weiri_vec_high(seen);
}

/* weiri_mask, of which the short lengths are inlined. */
static WEIRI_FAST bool weiri_mask_here(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
    return len <= WEIRI_MASK_SHORT ? weiri_mask_short(dst, src, len, word) : weiri_mask(dst, src, len, word);
}

#endif
