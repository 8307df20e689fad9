/* SPDX-License-Identifier: MIT */
/* mask.h - floor 1: masking of payload, RFC 6455 5.3. */
#ifndef WEIRI_MASK_H
#define WEIRI_MASK_H

#include "bytes.h"

#include <stdbool.h>
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

/* The same for long payloads on processors that have it. */
bool weiri_mask_avx2(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word);

#endif
