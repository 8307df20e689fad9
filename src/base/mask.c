/* SPDX-License-Identifier: MIT */
/* mask.c - floor 1: masking of payload, RFC 6455 5.3, a word at a time. */
#include "mask.h"

#include "bytes.h"

/* The key is laid out in memory order and repeated, so the words need no byte order: byte i of a word
 * meets byte i % 4 of the rotated key on every machine. Words are moved by memcpy, which compilers
 * turn into single loads where the machine allows any alignment. */
void weiri_mask(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t key[4], unsigned phase)
{
    uint8_t pattern[8];
    for (unsigned i = 0; i < 8; i++)
        pattern[i] = key[(i + phase) & 3];
    const uint64_t word = weiri_word(pattern);

    size_t i = 0;
    for (; len - i >= 32; i += 32) {
        uint64_t w[4];
        memcpy(w, src + i, 32);
        w[0] ^= word, w[1] ^= word, w[2] ^= word, w[3] ^= word;
        memcpy(dst + i, w, 32);
    }
    for (; len - i >= 8; i += 8) {
        uint64_t w = weiri_word(src + i) ^ word;
        memcpy(dst + i, &w, 8);
    }
    for (; i < len; i++)
        dst[i] = src[i] ^ pattern[i & 7];
}
