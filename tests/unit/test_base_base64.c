/* SPDX-License-Identifier: MIT */
/* test_base_base64.c - base64: RFC 4648's vectors, and against a slow encoder. */
#include "base/base64.h"
#include "check.h"
#include "harness.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void check_encode(const void *bytes, size_t len, const char *wanted)
{
    size_t size = (len + 2) / 3 * 4;
    assert_int_equal(size, strlen(wanted));
    uint8_t *src = guard_copy(bytes, len, false);
    uint8_t *dst = guard_copy(NULL, size, false);
    weiri_base64_encode((char *)dst, src, len);
    assert_memory_equal(dst, wanted, size);
    guard_free(src);
    guard_free(dst);
}

static void test_rfc_vectors(void **state)
{
    (void)state;
    static const char *const vectors[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\x14\xFB\x9C\x03\xD9\x7E", "FPucA9l+"},
        {"the sample nonce", "dGhlIHNhbXBsZSBub25jZQ=="},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        check_encode(vectors[i][0], strlen(vectors[i][0]), vectors[i][1]);
}

/* An encoder that takes six bits at a time from a bit string: slow and unlike the library's. */
static void naive_encode(char *dst, const uint8_t *src, size_t len)
{
    size_t n = 0;
    for (size_t bit = 0; bit < len * 8; bit += 6) {
        unsigned value = 0;
        for (size_t b = bit; b < bit + 6; b++)
            value = value * 2 + (b < len * 8 ? (unsigned)src[b / 8] >> (7 - b % 8) & 1u : 0u);
        dst[n++] = ALPHABET[value];
    }
    while (n % 4 != 0)
        dst[n++] = '=';
    dst[n] = '\0';
}

static void test_against_naive(void **state)
{
    (void)state;
    uint8_t bytes[100];
    char text[140];
    uint32_t x = 1;
    for (size_t len = 0; len <= 100; len++) {
        for (int round = 0; round < 20; round++) {
            for (size_t i = 0; i < len; i++) {
                x = x * 1664525u + 1013904223u;
                bytes[i] = round == 0 ? 0xFF : (uint8_t)(x >> 24);
            }
            naive_encode(text, bytes, len);
            check_encode(bytes, len, text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_vectors),
        cmocka_unit_test(test_against_naive),
    };
    return cmocka_run_group_tests_name("base_base64", tests, NULL, NULL);
}
