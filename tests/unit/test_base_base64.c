/* SPDX-License-Identifier: MIT */
/* test_base_base64.c - base64: RFC 4648's vectors, round trips, everything that is not base64. */
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

static void check_decode(const char *text, const void *wanted, size_t len)
{
    uint8_t *src = guard_copy(text, strlen(text), false);
    uint8_t *dst = guard_copy(NULL, len, false);
    size_t got = 99;
    assert_true(weiri_base64_decode(dst, len, (weir_str){src, strlen(text)}, &got));
    assert_int_equal(got, len);
    if (len != 0)
        assert_memory_equal(dst, wanted, len);
    for (size_t cap = 0; cap < len; cap++)
        assert_false(weiri_base64_decode(dst, cap, (weir_str){src, strlen(text)}, &got));
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
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        check_encode(vectors[i][0], strlen(vectors[i][0]), vectors[i][1]);
        check_decode(vectors[i][1], vectors[i][0], strlen(vectors[i][0]));
    }
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
            check_decode(text, bytes, len);
        }
    }
}

static bool decodes(const char *text)
{
    uint8_t dst[64];
    size_t len;
    return weiri_base64_decode(dst, sizeof dst, weir_cstr(text), &len);
}

/* Every byte value at every place of a group. */
static void test_alphabet(void **state)
{
    (void)state;
    for (unsigned byte = 1; byte < 256; byte++) {
        bool digit = strchr(ALPHABET, (int)byte) != NULL;
        for (size_t at = 0; at < 8; at++) {
            char text[9] = "ABCDEFGH";
            text[at] = (char)byte;
            assert_int_equal(decodes(text), digit || (byte == '=' && at == 7));
        }
    }
    uint8_t dst[8];
    size_t len;
    assert_false(weiri_base64_decode(dst, sizeof dst, STR_OF("ABC\0"), &len));
}

static void test_refusals(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "A",        "AB",       "ABC",   "ABCDE",    "ABCDEF", "ABCDEFG",  "=",
        "==",       "===",      "====",  "A===",     "AB=C",   "A=BC",     "=ABC",
        "AB==CDEF", "ABC=DEFG", "ABC==", "ABCD====", "ABCD=",  "ABCD==",   " ABCD",
        "ABCD ",    "AB CD",    "ABC\n", "AB-_",     "AB\nCD", "AB==\r\n", "ABCD\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (decodes(bad[i]))
            fail_msg("\"%s\" was decoded", bad[i]);
}

/* RFC 4648 3.5 lets a decoder accept them; browsers never send them, no byte depends on them. */
static void test_stray_low_bits_are_let_pass(void **state)
{
    (void)state;
    uint8_t dst[4];
    size_t len;
    for (const char *p = "ghijklmnopqrstuv"; *p != '\0'; p++) {
        char text[] = "Zx==";
        text[1] = *p;
        assert_true(weiri_base64_decode(dst, sizeof dst, weir_cstr(text), &len));
        assert_int_equal(len, 1);
        assert_int_equal(dst[0], 'f');
    }
    assert_true(weiri_base64_decode(dst, sizeof dst, weir_cstr("Zm9="), &len));
    assert_int_equal(len, 2);
    assert_memory_equal(dst, "fo", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_vectors),
        cmocka_unit_test(test_against_naive),
        cmocka_unit_test(test_alphabet),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_stray_low_bits_are_let_pass),
    };
    return cmocka_run_group_tests_name("base_base64", tests, NULL, NULL);
}
