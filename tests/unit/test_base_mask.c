/* SPDX-License-Identifier: MIT */
/* test_base_mask.c - masking against RFC 6455's formula: every length, alignment and phase. */
#include "base/bytes.h"
#include "base/mask.h"
#include "check.h"
#include "harness.h"

enum { MOST = 300 };

static uint8_t wanted_byte(const uint8_t *src, size_t i, const uint8_t key[4], unsigned phase)
{
    return (uint8_t)(src[i] ^ key[(i + phase) % 4]);
}

static void fill(uint8_t *bytes, size_t len, uint32_t seed)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
}

static bool mask(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t key[4], unsigned phase)
{
    return weiri_mask(dst, src, len, weiri_mask_word(key, phase));
}

static void test_rfc_example(void **state)
{
    (void)state;
    static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};
    uint8_t bytes[] = {0x7F, 0x9F, 0x4D, 0x51, 0x58};
    assert_false(mask(bytes, bytes, 5, key, 0));
    assert_memory_equal(bytes, "Hello", 5);
}

static void test_in_place(void **state)
{
    (void)state;
    static const uint8_t key[4] = {0x01, 0x80, 0xFE, 0x5A};
    for (size_t len = 0; len <= MOST; len++) {
        for (size_t shift = 0; shift < 9; shift++) {
            for (unsigned phase = 0; phase < 4; phase++) {
                uint8_t bytes[MOST + 32], before[MOST + 32];
                fill(before, sizeof before, (uint32_t)(len * 40 + shift * 4 + phase));
                memcpy(bytes, before, sizeof bytes);
                bool high = mask(bytes + shift, bytes + shift, len, key, phase);
                for (size_t i = 0; i < len; i++)
                    if (bytes[shift + i] != wanted_byte(before + shift, i, key, phase))
                        fail_msg("len %zu shift %zu phase %u byte %zu", len, shift, phase, i);
                bool wanted_high = false;
                for (size_t i = 0; i < len; i++)
                    wanted_high |= bytes[shift + i] > 0x7F;
                assert_int_equal(high, wanted_high);
                assert_memory_equal(bytes, before, shift);
                assert_memory_equal(bytes + shift + len, before + shift + len, sizeof bytes - shift - len);
            }
        }
    }
}

/* From one place to another, both flush against unmapped pages, at both ends. */
static void test_copying_between_guards(void **state)
{
    (void)state;
    static const uint8_t key[4] = {0xA1, 0xB2, 0xC3, 0xD4};
    for (size_t len = 0; len <= MOST; len++) {
        for (int ends = 0; ends < 4; ends++) {
            uint8_t plain[MOST];
            fill(plain, len, (uint32_t)len);
            uint8_t *src = guard_copy(plain, len, ends & 1);
            uint8_t *dst = guard_copy(NULL, len, ends & 2);
            unsigned phase = (unsigned)(len + (size_t)ends) % 4;
            mask(dst, src, len, key, phase);
            for (size_t i = 0; i < len; i++)
                assert_int_equal(dst[i], wanted_byte(plain, i, key, phase));
            if (len != 0)
                assert_memory_equal(src, plain, len);
            guard_free(src);
            guard_free(dst);
        }
    }
}

/* A payload in pieces, the phase carried on, is the payload masked whole. */
static void test_pieces(void **state)
{
    (void)state;
    static const uint8_t key[4] = {9, 8, 7, 6};
    uint8_t plain[100], whole[100], pieces[100];
    fill(plain, sizeof plain, 3);
    mask(whole, plain, sizeof plain, key, 0);
    for (size_t cut = 0; cut <= sizeof plain; cut++) {
        mask(pieces, plain, cut, key, 0);
        mask(pieces + cut, plain + cut, sizeof plain - cut, key, (unsigned)(cut % 4));
        assert_memory_equal(pieces, whole, sizeof plain);
    }
}

/* One byte above 0x7F, anywhere in a text that is ASCII but for it, is noticed. */
static void test_not_ascii(void **state)
{
    (void)state;
    static const uint8_t key[4] = {0x80, 0x91, 0xFF, 0x0F};
    uint8_t plain[MOST], masked[MOST];
    memset(plain, 'x', sizeof plain);
    mask(masked, plain, sizeof plain, key, 1);
    for (size_t len = 0; len <= MOST; len++) {
        uint8_t bytes[MOST];
        memcpy(bytes, masked, len);
        assert_false(mask(bytes, bytes, len, key, 1));
        for (size_t at = 0; at < len; at++) {
            memcpy(bytes, masked, len);
            bytes[at] ^= 0x80;
            assert_true(mask(bytes, bytes, len, key, 1));
        }
    }
}

static void test_big_endian_numbers(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x81, 0x02, 0x03, 0x84, 0x95, 0x06, 0x07, 0xF8};
    uint8_t back[8];
    assert_int_equal(weiri_load32(bytes), 0x81020384);
    assert_true(weiri_load64(bytes) == UINT64_C(0x81020384950607F8));
    weiri_store64(back, UINT64_C(0x81020384950607F8));
    assert_memory_equal(back, bytes, 8);
    weiri_store32(back, 0x950607F8);
    assert_memory_equal(back, bytes + 4, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_example),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_copying_between_guards),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_not_ascii),
        cmocka_unit_test(test_big_endian_numbers),
    };
    return cmocka_run_group_tests_name("base_mask", tests, NULL, NULL);
}
