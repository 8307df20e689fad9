/* SPDX-License-Identifier: MIT */
/* test_base_mask.c - masking against RFC 6455's formula: every length, alignment and phase. */
#include "base/bytes.h"
#include "base/mask.h"
#include "base/simd.h"
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

/* Each way of doing it that this processor has, whatever weiri_mask would choose. */
typedef struct variant {
    bool (*mask)(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word);
    size_t least, most;
    bool here;
} variant;

static bool mask_short(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word)
{
    return weiri_mask_short(dst, src, len, word);
}

static size_t variants(variant v[4])
{
    size_t n = 0;
    v[n++] = (variant){mask_short, 0, WEIRI_MASK_SHORT, true};
    v[n++] = (variant){weiri_mask_vec, 64, MOST, true};
#if defined(WEIRI_AVX2)
    v[n++] = (variant){weiri_mask_avx2, 64, MOST, weiri_has_avx2()};
#endif
#if defined(WEIRI_AVX512)
    v[n++] = (variant){weiri_mask_avx512, 64, MOST, weiri_has_avx512()};
#endif
    return n;
}

/* In place, at every length, alignment and phase; then ASCII with one byte that is not, at each place. */
static void test_variants(void **state)
{
    (void)state;
    static const uint8_t key[4] = {0x01, 0x80, 0xFE, 0x5A};
    variant v[4];
    size_t count = variants(v);
    for (size_t n = 0; n < count; n++) {
        for (size_t len = v[n].least; v[n].here && len <= v[n].most; len++) {
            for (unsigned phase = 0; phase < 4; phase++) {
                uint8_t plain[MOST], ascii[MOST];
                uint32_t word = weiri_mask_word(key, phase);
                fill(plain, len, (uint32_t)len);
                memset(ascii, 'x', len);
                for (int start = 0; start < 2; start++) {
                    uint8_t *bytes = guard_copy(plain, len, start);
                    v[n].mask(bytes, bytes, len, word);
                    for (size_t i = 0; i < len; i++)
                        assert_int_equal(bytes[i], wanted_byte(plain, i, key, phase));
                    guard_free(bytes);
                }
                for (size_t i = 0; i < len; i++)
                    ascii[i] = wanted_byte(ascii, i, key, phase);
                for (size_t odd = phase; odd <= len; odd += 4) {
                    uint8_t bytes[MOST + 64], *at = bytes + (len + odd) % 64;
                    memcpy(at, ascii, len);
                    if (odd < len)
                        at[odd] ^= 0x80;
                    assert_int_equal(v[n].mask(at, at, len, word), odd < len);
                }
            }
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
        cmocka_unit_test(test_variants),
        cmocka_unit_test(test_big_endian_numbers),
    };
    return cmocka_run_group_tests_name("base_mask", tests, NULL, NULL);
}
