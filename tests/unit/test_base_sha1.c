/* SPDX-License-Identifier: MIT */
/* test_base_sha1.c - SHA-1 of 60 bytes: RFC 6455's example, and an independent slow one that is judged by RFC
 * 3174's vectors. */
#include "base/sha1.h"
#include "check.h"
#include "harness.h"

#include <stdio.h>

/* FIPS 180-4 6.1.2 word for word: a padded copy, eighty schedule words, no tricks. */
static void naive_sha1(const uint8_t *data, size_t len, uint8_t digest[20])
{
    static uint8_t padded[768];
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

static void check_digest(const uint8_t digest[20], const char *wanted)
{
    char text[41];
    for (size_t i = 0; i < 20; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(text, wanted);
}

static void check_naive(const char *text, const char *wanted)
{
    uint8_t digest[20];
    naive_sha1((const uint8_t *)text, strlen(text), digest);
    check_digest(digest, wanted);
}

static void test_naive(void **state)
{
    (void)state;
    static const char eights[] = "01234567012345670123456701234567";
    char many[641] = "";
    check_naive("abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
    check_naive("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    for (size_t i = 0; i < sizeof many - 1; i++)
        many[i] = eights[i % 32];
    check_naive(many, "dea356a2cddd90c7a7ecedc5ebb563934f460452");
}

/* RFC 6455 1.3's example. */
static void test_accept(void **state)
{
    (void)state;
    uint8_t text[64] = "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11", digest[20];
    weiri_sha1(text, digest);
    check_digest(digest, "b37a4f2cc0624f1690f64606cf385945b2bec4ea");
}

/* Random bytes, before memory that must not be touched; whatever stood in the room behind them. */
static void test_random(void **state)
{
    (void)state;
    uint32_t x = 7;
    for (size_t n = 0; n < 2000; n++) {
        uint8_t *text = guard_copy(NULL, 64, n % 2 == 0), ours[20], theirs[20];
        for (size_t i = 0; i < 64; i++)
            text[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
        naive_sha1(text, 60, theirs);
        weiri_sha1(text, ours);
        assert_memory_equal(ours, theirs, 20);
        guard_free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_naive),
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests_name("base_sha1", tests, NULL, NULL);
}
