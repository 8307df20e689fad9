/* SPDX-License-Identifier: MIT */
/* test_base_utf8.c - UTF-8 against a table-less reference: all short inputs, every cut, every run. */
#include "base/mask.h"
#include "base/simd.h"
#include "base/utf8.h"
#include "check.h"
#include "harness.h"

#include <stdio.h>

/* Decodes one character as RFC 3629 3 describes it. Returns its length, 0 if the bytes are no
 * character, or -1 if they are only the beginning of one. */
static int naive_character(const uint8_t *p, size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = p[0] < 0x80 ? 1 : (p[0] & 0xE0) == 0xC0 ? 2 : (p[0] & 0xF0) == 0xE0 ? 3 : 4;
    if (size == 1)
        return 1;
    if (size == 4 && (p[0] & 0xF8) != 0xF0)
        return 0;
    uint32_t scalar = p[0] & (0xFFu >> (size + 1));
    size_t have = size < len ? size : len;
    for (size_t i = 1; i < have; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        scalar = scalar << 6 | (p[i] & 0x3Fu);
    }
    /* With bytes missing: is there any character that begins so? */
    size_t missing = size - have;
    uint32_t low = scalar << (6 * missing), high = low | ((1u << (6 * missing)) - 1);
    if (high < least[size] || low > 0x10FFFF || (low >= 0xD800 && high <= 0xDFFF))
        return 0;
    return missing != 0 ? -1 : (int)size;
}

/* Length of the longest beginning with which some valid text begins. *whole: it ends a character. */
static size_t naive_check(const uint8_t *bytes, size_t len, bool *whole)
{
    size_t at = 0;
    *whole = true;
    while (at < len) {
        int size = naive_character(bytes + at, len - at);
        if (size > 0) {
            at += (size_t)size;
            continue;
        }
        *whole = false;
        if (size < 0)
            return len;
        size_t n = 1;
        while (naive_character(bytes + at, n) < 0)
            n++;
        return at + n - 1;
    }
    return len;
}

static void complain(const uint8_t *bytes, size_t len, size_t cut)
{
    char text[200] = "";
    for (size_t i = 0; i < len && i < 40; i++)
        snprintf(text + 3 * i, 4, "%02X ", bytes[i]);
    fail_msg("%s(%zu bytes) cut at %zu", text, len, cut);
}

/* One text under every 1-cut. */
static void check_text(const uint8_t *bytes, size_t len)
{
    bool whole;
    size_t wanted = naive_check(bytes, len, &whole);
    for (size_t cut = 0; cut <= len; cut++) {
        uint32_t state = 0;
        size_t got = weiri_utf8_check(&state, bytes, cut);
        if (got == cut)
            got += weiri_utf8_check(&state, bytes + cut, len - cut);
        if (got != wanted || (got == len && (state == 0) != whole))
            complain(bytes, len, cut);
    }
    if (weir_utf8_valid((weir_str){bytes, len}) != (whole && wanted == len))
        complain(bytes, len, len);
}

/* One value from each side of every border in RFC 3629's grammar. */
static const uint8_t CLASSES[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1,
                                  0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1,
                                  0xF3, 0xF4, 0xF5, 0xF7, 0xF8, 0xFB, 0xFC, 0xFE, 0xFF, 0x41};
enum { CLASS_COUNT = sizeof CLASSES };

static void test_all_of_two_bytes(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            const uint8_t bytes[2] = {(uint8_t)a, (uint8_t)b};
            check_text(bytes, 1);
            check_text(bytes, 2);
        }
    }
}

static void test_all_classes_of_four_bytes(void **state)
{
    (void)state;
    uint32_t total = CLASS_COUNT * CLASS_COUNT * CLASS_COUNT * CLASS_COUNT;
    for (uint32_t n = 0; n < total; n++) {
        uint8_t bytes[4];
        uint32_t rest = n;
        for (size_t i = 0; i < 4; i++, rest /= CLASS_COUNT)
            bytes[i] = CLASSES[rest % CLASS_COUNT];
        check_text(bytes, 4);
        if (n < CLASS_COUNT * CLASS_COUNT * CLASS_COUNT)
            check_text(bytes, 3);
    }
}

static size_t encode(uint8_t *dst, uint32_t scalar)
{
    if (scalar < 0x80)
        return dst[0] = (uint8_t)scalar, 1;
    size_t size = scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i != 0; i--, scalar >>= 6)
        dst[i] = (uint8_t)(0x80 | (scalar & 0x3F));
    dst[0] = (uint8_t)((0xF00u >> size) | scalar);
    return size;
}

/* Every number up to beyond U+10FFFF, in front of ASCII so that the wide look is taken. */
static void test_every_scalar_value(void **state)
{
    (void)state;
    for (uint32_t scalar = 0; scalar < 0x120000; scalar++) {
        uint8_t bytes[12];
        size_t len = encode(bytes, scalar);
        memcpy(bytes + len, "abcdefg", 7);
        bool valid = scalar <= 0x10FFFF && (scalar & 0x1FF800) != 0xD800;
        if (weir_utf8_valid((weir_str){bytes, len + 7}) != valid ||
            weir_utf8_valid((weir_str){bytes, len}) != valid)
            complain(bytes, len, 0);
    }
}

/* Long texts with something at each place: every step of every fast path is interrupted. */
static void test_runs(void **state)
{
    (void)state;
    static const char *const fillers[] = {"abcdefgh", "\xC3\xA9", "\xE4\xBD\xA0", "\xF0\x9F\x99\x82",
                                          "a\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x99\x82"};
    static const char *const middles[] = {
        "x",
        "\xC3\xA9",
        "\xE2\x82\xAC",
        "\xF4\x8F\xBF\xBF",
        "\x80",
        "\xC0\xAF",
        "\xC1\xBF",
        "\xE0\x9F\xBF",
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80",
        "\xF5",
        "\xFF",
        "\xC3",
        "\xE2\x82",
        "\xF0\x9F\x99",
        "\xE2\x28\xA1",
    };
    for (size_t f = 0; f < sizeof fillers / sizeof *fillers; f++) {
        uint8_t filler[120];
        size_t unit = strlen(fillers[f]);
        for (size_t i = 0; i < sizeof filler; i++)
            filler[i] = (uint8_t)fillers[f][i % unit];
        for (size_t m = 0; m < sizeof middles / sizeof *middles; m++) {
            for (size_t at = 0; at <= 72; at += unit) {
                uint8_t bytes[160];
                size_t len = strlen(middles[m]), tail = 40 / unit * unit;
                memcpy(bytes, filler, at);
                memcpy(bytes + at, middles[m], len);
                memcpy(bytes + at + len, filler, tail);
                check_text(bytes, at + len + tail);
                check_text(bytes, at + len);
            }
        }
    }
}

/* Nothing behind the end and nothing before the start is read. */
static void test_guarded(void **state)
{
    (void)state;
    static const char text[] = "a\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x99\x82 abcdefghijklmnopqrstuvwxyz0123456789"
                               "\xE4\xBD\xA0\xE4\xBD\xA0\xF0\x9F\x99\x82\xC3\xA9";
    for (size_t from = 0; from < sizeof text; from++) {
        for (size_t to = from; to < sizeof text; to++) {
            bool whole;
            size_t wanted = naive_check((const uint8_t *)text + from, to - from, &whole);
            for (int start = 0; start < 2; start++) {
                uint8_t *copy = guard_copy(text + from, to - from, start);
                uint32_t carry = 0;
                assert_int_equal(weiri_utf8_check(&carry, copy, to - from), wanted);
                guard_free(copy);
            }
        }
    }
    uint32_t carry = 0;
    assert_int_equal(weiri_utf8_check(&carry, NULL, 0), 0);
    assert_true(weir_utf8_valid((weir_str){NULL, 0}));
}

/* One byte that is not ASCII at each place of a long text, at each place in a line of the cache. */
static void test_one_in_plain_text(void **state)
{
    (void)state;
    enum { MOST = 700 };
    uint8_t *text = guard_copy(NULL, MOST + 64, false);
    memset(text, 'a', MOST + 64);
    for (size_t from = 0; from < 64; from += from < 4 || from > 58 ? 1 : 9)
        for (size_t at = 0; at < MOST; at++) {
            uint32_t carry = 0;
            text[from + at] = 0x80;
            assert_int_equal(weiri_utf8_check(&carry, text + from, MOST + 64 - from), at);
            text[from + at] = 'a';
        }
    guard_free(text);
}

/* Long texts go through other code than short ones; byte by byte there is only one. */
static void test_long(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a",
                                         "0123456789",
                                         "\xC3\xA9",
                                         "\xE4\xBD\xA0",
                                         "\xED\x9F\xBF",
                                         "\xEE\x80\x80",
                                         "\xF0\x9F\x98\x80",
                                         "\xF4\x8F\xBF\xBF"};
    uint32_t seed = 7;
    for (size_t round = test_rounds(40000); round != 0; round--) {
        uint8_t text[420];
        size_t len = 0, wanted = 0;
        size_t most = (seed = seed * 1664525u + 1013904223u) >> 8 & 0xFF;
        unsigned kinds = 1 + (seed >> 16) % 8;
        while (len < most) {
            const char *piece = pieces[((seed = seed * 1664525u + 1013904223u) >> 20) % kinds];
            memcpy(text + len, piece, strlen(piece));
            len += strlen(piece);
        }
        seed = seed * 1664525u + 1013904223u;
        if (len != 0 && (seed >> 30) != 0)
            text[(seed >> 8) % len] = (uint8_t)(seed >> 21);
        if (len != 0 && (seed >> 28 & 1) != 0)
            len -= (seed >> 25) % 4 < len ? (seed >> 25) % 4 : 0;

        uint32_t one = 0, all = 0;
        while (wanted < len && weiri_utf8_check(&one, text + wanted, 1) == 1)
            wanted++;
        uint8_t *guarded = guard_copy(text, len, round & 1);
        assert_int_equal(weiri_utf8_check(&all, guarded, len), wanted);
        if (wanted == len)
            assert_int_equal(all, one);
        guard_free(guarded);
    }
}

/* Each vector form that this processor has, whatever would be chosen. */
typedef struct variant {
    size_t (*bulk)(uint8_t *dst, const uint8_t *src, size_t len, uint32_t word);
    size_t least;
    bool here;
} variant;

static size_t variants(variant v[3])
{
    size_t n = 0;
#if defined(WEIRI_AVX2)
    v[n++] = (variant){weiri_utf8_bulk_avx2, 32, weiri_has_avx2()};
#endif
#if defined(WEIRI_AVX512)
    v[n++] = (variant){weiri_utf8_bulk_avx512, 0, weiri_has_avx512()};
#endif
#if defined(WEIRI_NEON)
    v[n++] = (variant){weiri_utf8_bulk_neon, 16, true};
#endif
    (void)v;
    return n;
}

/* The steps of 256 bytes at most; a fault may show one byte late. What is done is unmasked, the rest is as it
 * came. */
static void check_variant(const variant *v, const uint8_t *text, size_t len, uint32_t word, bool start)
{
    bool whole;
    size_t wanted = naive_check(text, len, &whole);
    uint8_t masked[600];
    (void)weiri_mask(masked, text, len, word);
    uint8_t *bytes = guard_copy(masked, len, start);
    size_t done = v->bulk(bytes, bytes, len, word);
    if (wanted == len ? done != len : done > wanted + 1 || done + 256 <= wanted)
        complain(text, len, done);
    if (len != 0) {
        assert_memory_equal(bytes, text, done);
        assert_memory_equal(bytes + done, masked + done, len - done);
        memcpy(bytes, text, len);
    }
    assert_int_equal(v->bulk(NULL, bytes, len, 0), done);
    guard_free(bytes);
}

static uint32_t test_seed = 7;

static uint32_t test_random(void)
{
    return (test_seed = test_seed * 1664525u + 1013904223u) >> 8;
}

/* A text of up to `most` bytes, sometimes with a byte changed, sometimes cut. */
static size_t random_text(uint8_t *text, size_t most)
{
    static const char *const pieces[] = {"a",
                                         "0123456789abcdef0123456789abcdef",
                                         "\xC3\xA9",
                                         "\xE4\xBD\xA0",
                                         "\xED\x9F\xBF",
                                         "\xF0\x9F\x98\x80",
                                         "\xF4\x8F\xBF\xBF",
                                         "\xEF\xBF\xBD"};
    size_t len = 0;
    most = test_random() % most;
    unsigned kinds = 1 + test_random() % 8;
    while (len < most) {
        const char *piece = pieces[test_random() % kinds];
        memcpy(text + len, piece, strlen(piece));
        len += strlen(piece);
    }
    if (len != 0 && test_random() % 4 != 0)
        text[test_random() % len] = (uint8_t)test_random();
    size_t less = test_random() % 4;
    return less < len ? len - less : len;
}

static void test_variants(void **state)
{
    (void)state;
    variant v[3];
    size_t count = variants(v);
    for (size_t round = test_rounds(60000); round != 0; round--) {
        uint8_t text[600];
        size_t len = random_text(text, round % 4 == 0 ? 500 : 100);
        uint32_t word = test_random() << 16 ^ test_random();
        for (size_t n = 0; n < count; n++)
            if (v[n].here && len >= v[n].least)
                check_variant(&v[n], text, len, word, round & 1);
    }
}

/* One fault at each place of texts of each kind and length. */
static void test_variants_each_place(void **state)
{
    (void)state;
    static const char *const fillers[] = {"a", "\xC3\xA9", "\xE4\xBD\xA0", "\xF0\x9F\x99\x82"};
    static const uint8_t odd[] = {'a', 0x80, 0xC0, 0xC3, 0xE4, 0xED, 0xF0, 0xF4, 0xF5};
    variant v[3];
    size_t count = variants(v);
    for (size_t f = 0; f < 4 && count != 0; f++) {
        for (size_t len = 0; len <= 300; len += len < 140 ? 1 : 23) {
            uint8_t text[300];
            for (size_t i = 0; i < len; i++)
                text[i] = (uint8_t)fillers[f][i % strlen(fillers[f])];
            for (size_t at = 0; at < len; at++) {
                uint8_t before = text[at];
                text[at] = odd[(len + at * 5) % sizeof odd];
                for (size_t n = 0; n < count; n++)
                    if (v[n].here && len >= v[n].least)
                        check_variant(&v[n], text, len, 0x8001F00Du, at & 1);
                text[at] = before;
            }
        }
    }
}

/* Unmasking and checking at once is unmasking, then checking; in pieces, with any key. */
static void test_unmask(void **state)
{
    (void)state;
    for (size_t round = test_rounds(60000); round != 0; round--) {
        uint8_t text[600], masked[600];
        bool whole;
        size_t len = random_text(text, round % 4 == 0 ? 500 : 100);
        size_t wanted = naive_check(text, len, &whole);
        size_t cut = len != 0 && round % 3 != 0 ? test_random() % len : len;
        uint32_t word = round % 8 == 0 ? 0 : test_random() << 16 ^ test_random();
        (void)weiri_mask(masked, text, len, word);
        uint8_t *bytes = guard_copy(masked, len, round & 1);
        uint32_t carry = 0;
        size_t got = weiri_utf8_unmask(&carry, bytes, cut, word);
        if (len != 0) {
            assert_memory_equal(bytes, text, cut);
            assert_memory_equal(bytes + cut, masked + cut, len - cut);
        }
        if (got == cut && cut < len) {
            got += weiri_utf8_unmask(&carry, bytes + cut, len - cut, weiri_turn(word, (unsigned)cut));
            assert_memory_equal(bytes, text, len);
        }
        if (got != wanted || (got == len && (carry == 0) != whole))
            complain(text, len, cut);
        guard_free(bytes);
    }
}

/* Whole characters stay; a cut one becomes one U+FFFD, be it at the end, in front of ASCII, of a byte that is
 * none, or of another character (Encoding Standard 4.1, "maximal subpart"). */
static void test_repair(void **state)
{
    (void)state;
    static const char *const chars[] = {"\xC2\x80",         "\xDF\xBF",         "\xE0\xA0\x80",
                                        "\xED\x9F\xBF",     "\xEE\x80\x80",     "\xEF\x80\x80",
                                        "\xF0\x90\x80\x80", "\xF3\xBF\xBF\xBF", "\xF4\x8F\xBF\xBF"};
    static const char *const behind[] = {"", "x", "\xFF", "\xC2\xA0"};
    static const char *const repaired[] = {"", "x", "\xEF\xBF\xBD", "\xC2\xA0"};
    for (size_t i = 0; i < sizeof chars / sizeof *chars; i++)
        for (size_t len = 1; len <= strlen(chars[i]); len++)
            for (size_t j = 0; j < 4; j++)
                for (int before = 0; before < 2; before++) {
                    char text[16], wanted[16];
                    uint8_t dst[16];
                    int whole = len == strlen(chars[i]);
                    snprintf(text, sizeof text, "%s%.*s%s", before ? "a" : "", (int)len, chars[i], behind[j]);
                    snprintf(wanted, sizeof wanted, "%s%s%s", before ? "a" : "",
                             whole ? chars[i] : "\xEF\xBF\xBD", repaired[j]);
                    size_t size = weiri_utf8_repair(NULL, (const uint8_t *)text, strlen(text));
                    assert_int_equal(size, strlen(wanted));
                    assert_int_equal(weiri_utf8_repair(dst, (const uint8_t *)text, strlen(text)), size);
                    assert_memory_equal(dst, wanted, size);
                }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_of_two_bytes),
        cmocka_unit_test(test_all_classes_of_four_bytes),
        cmocka_unit_test(test_every_scalar_value),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_guarded),
        cmocka_unit_test(test_one_in_plain_text),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_variants),
        cmocka_unit_test(test_variants_each_place),
        cmocka_unit_test(test_unmask),
        cmocka_unit_test(test_repair),
    };
    return cmocka_run_group_tests_name("base_utf8", tests, NULL, NULL);
}
