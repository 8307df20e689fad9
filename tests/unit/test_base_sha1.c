/* SPDX-License-Identifier: MIT */
/* test_base_sha1.c - SHA-1: RFC 3174's vectors, and an independent slow one at every length. */
#include "base/sha1.h"
#include "check.h"
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

static void check_digest(const void *data, size_t len, const char *wanted)
{
    uint8_t digest[20];
    char text[41];
    weiri_sha1(data, len, digest);
    for (size_t i = 0; i < 20; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(text, wanted);
}

static void test_rfc_vectors(void **state)
{
    (void)state;
    static const char eights[] = "01234567012345670123456701234567";
    char million[640];
    check_digest("abc", 3, "a9993e364706816aba3e25717850c26c9cd0d89d");
    check_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
                 "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    for (size_t i = 0; i < sizeof million; i++)
        million[i] = eights[i % 32];
    check_digest(million, 640, "dea356a2cddd90c7a7ecedc5ebb563934f460452");
    check_digest("", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    check_digest(NULL, 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    check_digest("a", 1, "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8");

    char *as = malloc(1000000);
    memset(as, 'a', 1000000);
    check_digest(as, 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    free(as);
}

/* RFC 6455 1.3's example. */
static void test_accept(void **state)
{
    (void)state;
    static const char text[] = "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    check_digest(text, sizeof text - 1, "b37a4f2cc0624f1690f64606cf385945b2bec4ea");
}

/* FIPS 180-4 6.1.2 word for word: a padded copy, eighty schedule words, no tricks. */
static void naive_sha1(const uint8_t *data, size_t len, uint8_t digest[20])
{
    static uint8_t padded[512];
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    size_t total = (len + 8) / 64 * 64 + 64;
    memset(padded, 0, sizeof padded);
    memcpy(padded, data, len);
    padded[len] = 0x80;
    for (size_t i = 0; i < 8; i++)
        padded[total - 1 - i] = (uint8_t)((uint64_t)len * 8 >> 8 * i);
    for (size_t at = 0; at < total; at += 64) {
        uint32_t w[80], v[5];
        for (size_t t = 0; t < 80; t++) {
            uint32_t x = 0;
            if (t < 16)
                for (size_t i = 0; i < 4; i++)
                    x = x * 256 + padded[at + 4 * t + i];
            else
                x = w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16];
            w[t] = t < 16 ? x : x << 1 | x >> 31;
        }
        memcpy(v, h, sizeof v);
        for (size_t t = 0; t < 80; t++) {
            static const uint32_t k[] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
            uint32_t b = v[1], c = v[2], d = v[3];
            uint32_t f = t < 20   ? (b & c) ^ (~b & d)
                         : t < 40 ? b ^ c ^ d
                         : t < 60 ? (b & c) ^ (b & d) ^ (c & d)
                                  : b ^ c ^ d;
            uint32_t next = (v[0] << 5 | v[0] >> 27) + f + v[4] + k[t / 20] + w[t];
            v[4] = d;
            v[3] = c;
            v[2] = b << 30 | b >> 2;
            v[1] = v[0];
            v[0] = next;
        }
        for (size_t i = 0; i < 5; i++)
            h[i] += v[i];
    }
    for (size_t i = 0; i < 20; i++)
        digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static void test_every_length(void **state)
{
    (void)state;
    uint32_t x = 7;
    for (size_t len = 0; len <= 200; len++) {
        uint8_t bytes[200], ours[20], theirs[20];
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
        uint8_t *copy = guard_copy(bytes, len, false);
        weiri_sha1(copy, len, ours);
        naive_sha1(bytes, len, theirs);
        assert_memory_equal(ours, theirs, 20);
        guard_free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_vectors),
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_every_length),
    };
    return cmocka_run_group_tests_name("base_sha1", tests, NULL, NULL);
}
