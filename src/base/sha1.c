/* SPDX-License-Identifier: MIT */
/* sha1.c - floor 1: SHA-1 (RFC 3174), for Sec-WebSocket-Accept only. */
#include "sha1.h"

#include "bytes.h"

static uint32_t sha1_rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static void sha1_block(uint32_t h[5], const uint8_t *block)
{
    uint32_t w[16]; /* the last 16 words of the schedule, as a ring */
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (unsigned t = 0; t < 80; t++) {
        uint32_t f, k;
        if (t < 16)
            w[t] = weiri_load32(block + 4 * t);
        else
            w[t & 15] = sha1_rotate(w[(t + 13) & 15] ^ w[(t + 8) & 15] ^ w[(t + 2) & 15] ^ w[t & 15], 1);
        if (t < 20)
            f = d ^ (b & (c ^ d)), k = 0x5A827999;
        else if (t < 40)
            f = b ^ c ^ d, k = 0x6ED9EBA1;
        else if (t < 60)
            f = (b & c) | (d & (b | c)), k = 0x8F1BBCDC;
        else
            f = b ^ c ^ d, k = 0xCA62C1D6;
        uint32_t next = sha1_rotate(a, 5) + f + e + k + w[t & 15];
        e = d, d = c, c = sha1_rotate(b, 30), b = a, a = next;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

void weiri_sha1(const uint8_t *data, size_t len, uint8_t digest[20])
{
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    size_t left = len;
    for (; left >= 64; left -= 64, data += 64)
        sha1_block(h, data);

    /* The rest, a one bit, zeros, and the length in bits fill one block or two. */
    uint8_t tail[128] = {0};
    size_t tail_len = left < 56 ? 64 : 128;
    if (left != 0)
        memcpy(tail, data, left);
    tail[left] = 0x80;
    weiri_store64(tail + tail_len - 8, (uint64_t)len * 8);
    for (size_t i = 0; i < tail_len; i += 64)
        sha1_block(h, tail + i);
    for (unsigned i = 0; i < 5; i++)
        weiri_store32(digest + 4 * i, h[i]);
}
