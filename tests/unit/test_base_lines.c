/* SPDX-License-Identifier: MIT */
/* test_base_lines.c - field lines against a reader that takes one byte at a time, at every length, place and
 * byte value, with the vectors that this processor has and without. */
#include "base/ascii.h"
#include "base/lines.h"
#include "base/simd.h"
#include "check.h"
#include "harness.h"

enum { MOST = 64 }; /* lines in a text */

/* Slow and unlike the library's: RFC 9112 5, by the classes of RFC 9110. Gives those whose names have one of
 * the lengths; *at and *all: of all lines, where they end and how many there are. */
static size_t slow_lines(const uint8_t *bytes, size_t len, uint64_t lengths, weiri_line *lines, size_t *at,
                         size_t *all)
{
    size_t count = 0;
    *at = *all = 0;
    for (;;) {
        size_t i = *at;
        weiri_line line = {*at, 0, 0};
        while (i < len && weiri_is(bytes[i], WEIRI_TOKEN))
            i++;
        line.colon = i;
        if (i == *at || i == len || bytes[i++] != ':')
            return count;
        while (i < len && weiri_is(bytes[i], WEIRI_VALUE))
            i++;
        line.end = i;
        if (i + 1 >= len || bytes[i] != '\r' || bytes[i + 1] != '\n')
            return count;
        for (unsigned n = 0; n < 64; n++)
            if ((line.colon - line.name) % 64 == n && (lengths >> n & 1) != 0)
                lines[count++] = line;
        *at = i + 2;
        ++*all;
    }
}

static void check_same(const weiri_line *got, const weiri_line *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(got[i].name, wanted[i].name);
        assert_int_equal(got[i].colon, wanted[i].colon);
        assert_int_equal(got[i].end, wanted[i].end);
    }
}

#if defined(WEIRI_AVX2)
typedef size_t lines_vectors(weiri_lines *, weiri_line *, size_t, size_t);

/* One kind of vectors by itself, with room for so many more than a step's lines. `can`: it takes such
 * texts. */
static void check_vectors(lines_vectors *take, bool can, const uint8_t *bytes, size_t len, uint64_t lengths,
                          size_t spare)
{
    weiri_line got[2 * MOST], wanted[MOST];
    size_t at, all, count = slow_lines(bytes, len, lengths, wanted, &at, &all), kept = 0, before;
    weiri_lines walk = {bytes, len, lengths, 0, 0}, once = walk;
    if (can && walk.len != 0) /* with room for all it stops in front of none */
        assert_int_equal(take(&once, got, 0, 2 * MOST), count);
    do {
        const size_t cap = kept + WEIRI_LINES_STEP + spare;
        before = walk.at;
        kept = take(&walk, got, kept, cap);
        assert_true(kept <= cap);
    } while (walk.at != before);
    assert_int_equal(kept, can ? count : 0);
    assert_int_equal(walk.at, can ? at : 0);
    assert_int_equal(walk.count, can ? all : 0);
    check_same(got, wanted, kept);
}
#endif

/* The walk, with room for `cap` lines at a time. */
static void check_walk(const uint8_t *bytes, size_t len, uint64_t lengths, size_t cap)
{
    weiri_line got[MOST], wanted[MOST];
    size_t at, all, count = slow_lines(bytes, len, lengths, wanted, &at, &all), found = 0;
    weiri_lines walk = {bytes, len, lengths, 0, 0};
    bool more;
    do {
        more = false;
        size_t kept = weiri_lines_take(&walk, got, cap, &more);
        assert_true(kept <= cap && found + kept <= count && (kept != 0 || !more));
        check_same(got, wanted + found, kept);
        found += kept;
    } while (more);
    assert_int_equal(found, count);
    assert_int_equal(walk.at, at);
    assert_int_equal(walk.count, all);
}

/* The text lies before memory that must not be touched, and behind it once more. */
static void check_text(const void *text, size_t len)
{
    static const uint64_t lengths[] = {UINT64_MAX, UINT64_C(1) << 4 | UINT64_C(1) << 15 | 1, 0};
    static const size_t caps[] = {1, 16, 17, 24};
    for (int at_start = 0; at_start < 2; at_start++) {
        uint8_t *bytes = guard_copy(text, len, at_start != 0);
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            for (size_t k = 0; k < sizeof caps / sizeof *caps; k++)
                check_walk(bytes, len, lengths[i], caps[k]);
#if defined(WEIRI_AVX2)
            for (size_t spare = 0; spare < 20 && weiri_has_avx2(); spare += 9)
                check_vectors(weiri_lines_avx2, len >= 64, bytes, len, lengths[i], spare);
#endif
#if defined(WEIRI_AVX512)
            for (size_t spare = 0; spare < 20 && weiri_has_avx512(); spare += 9)
                check_vectors(weiri_lines_avx512, true, bytes, len, lengths[i], spare);
#endif
        }
        guard_free(bytes);
    }
}

/* Two lines with names and values of lengths around the sizes of vectors, and what follows, cut. */
static void test_lengths(void **state)
{
    (void)state;
    static const size_t names[] = {0, 1, 2, 15, 16, 30, 31, 32, 33, 64};
    static const size_t values[] = {0, 1, 14, 29, 30, 31, 32, 33, 61, 62, 63, 64, 65, 95, 96, 127, 130};
    char text[512];
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        for (size_t v = 0; v < sizeof values / sizeof *values; v++)
            for (size_t tail = 0; tail < 40; tail += 3) {
                size_t len = 0;
                for (int line = 0; line < 2; line++) {
                    memset(text + len, 'n', names[n]);
                    len += names[n];
                    text[len++] = ':';
                    memset(text + len, 'v', values[v]);
                    len += values[v];
                    text[len++] = '\r';
                    text[len++] = '\n';
                }
                memset(text + len, 'x', tail);
                check_text(text, len + tail);
                check_text(text, len - tail % (len + 1));
            }
}

/* Colons in a value, far apart: the first one alone ends the name, in whatever step it is. */
static void test_colons(void **state)
{
    (void)state;
    char text[512] = "A: b\r\n";
    for (size_t name = 1; name < 140; name += name < 50 || name > 64 ? 7 : 1)
        for (size_t gap = 55; gap < 140; gap += gap < 70 ? 1 : 9) {
            size_t len = 6;
            memset(text + len, 'n', name);
            memset(text + len + name, 'v', 2 * gap);
            text[len + name] = text[len + name + gap] = text[len + name + gap + 3] = ':';
            memcpy(text + len + name + 2 * gap, "\r\nB: c\r\n\r\n", 10);
            check_text(text, len + name + 2 * gap + 10);
        }
}

/* Each byte value at each place of a line that takes three steps, and of a short one. */
static void test_bytes(void **state)
{
    (void)state;
    static const char sample[] =
        "Accept-Encoding: gzip, deflate, br; and more, to make three steps of it\r\n"
        "Host: a\r\nConnection:\tkeep-alive, Upgrade; and something behind it\r\n\r\n";
    for (size_t at = 0; at < sizeof sample - 1; at++)
        for (unsigned byte = 0; byte < 256; byte += byte < 0x80 ? 1 : 15) {
            char text[sizeof sample];
            memcpy(text, sample, sizeof sample);
            text[at] = (char)byte;
            check_text(text, sizeof sample - 1);
        }
    for (size_t len = 0; len < sizeof sample; len++)
        check_text(sample, len);
}

/* More lines than there is room for, so short that most end in one step, with one of another kind between. */
static void test_many(void **state)
{
    (void)state;
    char text[MOST * 8];
    for (size_t lines = 1; lines < MOST; lines++)
        for (size_t odd = 0; odd < lines; odd += 7) {
            size_t len = 0;
            for (size_t i = 0; i < lines; i++) {
                memcpy(text + len, i == odd ? "b\r:\r\n" : "a:\r\n", i == odd ? 5 : 4);
                len += i == odd ? 5 : 4;
            }
            check_text(text, len);
            memcpy(text + odd * 4, "lo:g\r", 5);
            check_text(text, len);
        }
}

static size_t slow_find(const uint8_t *bytes, size_t len, size_t name_len)
{
    for (size_t i = 0; i + 1 + name_len < len; i++)
        if (bytes[i] == '\n' && bytes[i + 1 + name_len] == ':')
            return i + 1;
    return len;
}

/* Each way of them by itself, and the one that chooses. */
static void check_find(const uint8_t *bytes, size_t len, size_t name_len)
{
    size_t wanted = slow_find(bytes, len, name_len);
    assert_int_equal(weiri_lines_find(bytes, len, name_len), wanted);
    if (len < name_len + 2)
        return;
    size_t last = len - name_len - 1;
    size_t lf = wanted == len ? last : wanted - 1;
#if defined(WEIRI_AVX2)
    if (last >= 32 && weiri_has_avx2())
        assert_int_equal(weiri_lines_find_avx2(bytes, last, name_len + 1), lf);
#endif
#if defined(WEIRI_AVX512)
    if (last >= 64 && weiri_has_avx512())
        assert_int_equal(weiri_lines_find_avx512(bytes, last, name_len + 1), lf);
#endif
    (void)lf;
}

/* A line end at each place of texts of each length, with colons and without, and other line ends before it
 * that have no colon where it is looked for. */
static void test_find(void **state)
{
    (void)state;
    static const size_t names[] = {0, 1, 7, 17, 40};
    for (size_t len = 0; len < 260; len += len < 150 ? 1 : 13)
        for (size_t n = 0; n < sizeof names / sizeof *names; n++)
            for (size_t at = 0; at < len; at += len < 130 ? 1 : 3) {
                uint8_t *bytes = guard_copy(NULL, len, at % 2 == 0);
                size_t colon = at + 1 + names[n];
                memset(bytes, 'x', len);
                for (size_t i = 0; i < at; i += 9)
                    bytes[i] = '\n';
                bytes[at] = '\n';
                check_find(bytes, len, names[n]);
                if (colon < len) {
                    bytes[colon] = ':';
                    check_find(bytes, len, names[n]);
                    bytes[at] = 'x';
                    check_find(bytes, len, names[n]);
                }
                guard_free(bytes);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths), cmocka_unit_test(test_colons), cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_many),    cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests_name("base_lines", tests, NULL, NULL);
}
