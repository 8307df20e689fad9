/* SPDX-License-Identifier: MIT */
/* sha1.c - floor 1: SHA-1 (RFC 3174), for Sec-WebSocket-Accept only. */
#include "sha1.h"

#include "bytes.h"
#include "simd.h"

static inline uint32_t sha1_rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

/* Word t of the schedule, whose last 16 words are kept as a ring. */
static inline uint32_t sha1_word(uint32_t w[16], unsigned t)
{
    if (t < 16)
        return w[t];
    uint32_t word = w[(t + 13) & 15] ^ w[(t + 8) & 15] ^ w[(t + 2) & 15] ^ w[t & 15];
    return w[t & 15] = sha1_rotate(word, 1);
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
#define FIVE_ROUNDS(f, word, k) \
    sha1_round(a, &b, &e, f(b, c, d), word(w, t) + (k)); \
    sha1_round(e, &a, &d, f(a, b, c), word(w, t + 1) + (k)); \
    sha1_round(d, &e, &c, f(e, a, b), word(w, t + 2) + (k)); \
    sha1_round(c, &d, &b, f(d, e, a), word(w, t + 3) + (k)); \
    sha1_round(b, &c, &a, f(c, d, e), word(w, t + 4) + (k))

static void sha1_block_portable(uint32_t h[5], const uint8_t *block)
{
    uint32_t w[16];
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    unsigned t = 0;
    for (unsigned i = 0; i < 16; i++)
        w[i] = weiri_load32(block + 4 * i);
    for (; t < 20; t += 5) {
        FIVE_ROUNDS(sha1_choose, sha1_word, 0x5A827999);
    }
    for (; t < 40; t += 5) {
        FIVE_ROUNDS(sha1_parity, sha1_word, 0x6ED9EBA1);
    }
    for (; t < 60; t += 5) {
        FIVE_ROUNDS(sha1_majority, sha1_word, 0x8F1BBCDC);
    }
    for (; t < 80; t += 5) {
        FIVE_ROUNDS(sha1_parity, sha1_word, 0xCA62C1D6);
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

static void sha1_blocks(uint32_t h[5], const uint8_t *data, size_t count)
{
#if defined(WEIRI_SHA)
    if (weiri_has_sha()) {
        weiri_sha1_blocks_x86(h, data, count);
        return;
    }
#endif
    for (; count != 0; count--, data += 64)
        sha1_block_portable(h, data);
}

void weiri_sha1(const uint8_t *data, size_t len, uint8_t digest[20])
{
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    size_t left = len % 64;
    if (len >= 64)
        sha1_blocks(h, data, len / 64);

    /* The rest, a one bit, zeros, and the length in bits fill one block or two. */
    uint8_t tail[128] = {0};
    size_t tail_len = left < 56 ? 64 : 128;
    if (left != 0)
        memcpy(tail, data + len - left, left);
    tail[left] = 0x80;
    weiri_store64(tail + tail_len - 8, (uint64_t)len * 8);
    sha1_blocks(h, tail, tail_len / 64);
    for (unsigned i = 0; i < 5; i++)
        weiri_store32(digest + 4 * i, h[i]);
}
