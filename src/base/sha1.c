/* SPDX-License-Identifier: MIT */
/*
 * sha1.c - floor 1: SHA-1 (RFC 3174) of 60 bytes, which is what Sec-WebSocket-Accept asks for.
 *
 * Such a text, a one bit and zeros fill a block. The length is in a second one, which is always the same, and
 * so are the eighty words that its rounds add.
 */
#include "sha1.h"

#include "bytes.h"
#include "simd.h"

#include <string.h>

/* RFC 3174 6.1 (b) for the block of zeros that ends in the length, 480 bits. */
const uint32_t weiri_sha1_last[80] = {
    0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
    0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x000001E0,
    0x00000000, 0x00000000, 0x000003C0, 0x00000000, 0x00000000, 0x00000780, 0x00000000, 0x000003C0,
    0x00000F00, 0x00000000, 0x00000000, 0x00001E00, 0x00000000, 0x00000CC0, 0x00003C00, 0x00000440,
    0x00000000, 0x00007800, 0x00000F00, 0x00003300, 0x0000F000, 0x00000F00, 0x00000000, 0x0001EF00,
    0x00000000, 0x0000CC00, 0x0003C000, 0x00004380, 0x00000000, 0x00078F00, 0x0000FF00, 0x00032680,
    0x000F0000, 0x0000F000, 0x00003300, 0x001EFF00, 0x00000000, 0x000CB800, 0x003C0000, 0x00040B00,
    0x0000F000, 0x0078FF00, 0x000FF000, 0x00338700, 0x00F00000, 0x000FC300, 0x0000F000, 0x01EFBB00,
    0x00000000, 0x00CC0000, 0x03C0F000, 0x00438000, 0x00000000, 0x078F0000, 0x00FF0000, 0x03269E00,
    0x0F000000, 0x00F0F000, 0x00333C00, 0x1EFF8800, 0x00000000, 0x0CB88800, 0x3C00F000, 0x040A4A00,
};

static inline uint32_t sha1_rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

/* Word t of a block's schedule: `known` has them all, or `ring` has the newest 16, at first the block's. */
static inline uint32_t sha1_word(const uint32_t *known, uint32_t *ring, unsigned t)
{
    if (known != NULL)
        return known[t];
    if (t < 16)
        return ring[t];
    uint32_t word = ring[(t + 13) & 15] ^ ring[(t + 8) & 15] ^ ring[(t + 2) & 15] ^ ring[t & 15];
    return ring[t & 15] = sha1_rotate(word, 1);
}

/* One round, with the five words in their places instead of moved: the caller moves the names. `f` is the
 * round's function of *b, c and d, `wk` its word and constant. */
static inline void sha1_round(uint32_t a, uint32_t *b, uint32_t *e, uint32_t f, uint32_t wk)
{
    *e += sha1_rotate(a, 5) + f + wk;
    *b = sha1_rotate(*b, 30);
}

static inline uint32_t sha1_choose(uint32_t b, uint32_t c, uint32_t d)
{
    return d ^ (b & (c ^ d));
}

static inline uint32_t sha1_parity(uint32_t b, uint32_t c, uint32_t d)
{
    return b ^ c ^ d;
}

static inline uint32_t sha1_majority(uint32_t b, uint32_t c, uint32_t d)
{
    return (b & c) | (d & (b | c));
}

/* Five rounds from t on bring the names back to their places. */
#define FIVE_ROUNDS(f, k) \
    sha1_round(a, &b, &e, f(b, c, d), sha1_word(known, ring, t) + (k)); \
    sha1_round(e, &a, &d, f(a, b, c), sha1_word(known, ring, t + 1) + (k)); \
    sha1_round(d, &e, &c, f(e, a, b), sha1_word(known, ring, t + 2) + (k)); \
    sha1_round(c, &d, &b, f(d, e, a), sha1_word(known, ring, t + 3) + (k)); \
    sha1_round(b, &c, &a, f(c, d, e), sha1_word(known, ring, t + 4) + (k))

/* The rounds of a block. */
static WEIRI_FAST void sha1_rounds(uint32_t h[5], const uint32_t *known, uint32_t *ring)
{
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    unsigned t = 0;
    for (; t < 20; t += 5) {
        FIVE_ROUNDS(sha1_choose, 0x5A827999);
    }
    for (; t < 40; t += 5) {
        FIVE_ROUNDS(sha1_parity, 0x6ED9EBA1);
    }
    for (; t < 60; t += 5) {
        FIVE_ROUNDS(sha1_majority, 0x8F1BBCDC);
    }
    for (; t < 80; t += 5) {
        FIVE_ROUNDS(sha1_parity, 0xCA62C1D6);
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

static void sha1_portable(uint32_t h[5], const uint8_t *block)
{
    uint32_t ring[16];
    for (unsigned i = 0; i < 16; i++)
        ring[i] = weiri_load32(block + 4 * i);
    sha1_rounds(h, NULL, ring);
    sha1_rounds(h, weiri_sha1_last, NULL);
}

void weiri_sha1(uint8_t text[64], uint8_t digest[20])
{
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    memcpy(text + 60, "\x80\0\0", 4);
#if defined(WEIRI_SHA)
    if (weiri_has_sha())
        weiri_sha1_x86(h, text);
    else
#endif
        sha1_portable(h, text);
    for (unsigned i = 0; i < 5; i++)
        weiri_store32(digest + 4 * i, h[i]);
}
