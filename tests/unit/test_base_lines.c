/* SPDX-License-Identifier: MIT */
/* test_base_lines.c - field lines against a reader that takes one byte at a time, at every length, place and
 * byte value, with the vectors that this processor has and without. */
#include "base/ascii.h"
#include "base/lines.h"
#include "base/simd.h"
#include "check.h"
#include "harness.h"

#include <stdlib.h>

enum { CAP = 8 };

/* Slow and unlike the library's: RFC 9112 5, by the classes of RFC 9110. */
static size_t slow_lines(const uint8_t *bytes, size_t len, weiri_line *lines, size_t cap)
{
    size_t count = 0, at = 0;
    while (count < cap) {
        size_t i = at;
        weiri_line line = {at, 0, 0};
        while (i < len && weiri_is(bytes[i], WEIRI_TOKEN))
            i++;
        line.colon = i;
        if (i == at || i == len || bytes[i++] != ':')
            break;
        while (i < len && weiri_is(bytes[i], WEIRI_VALUE))
            i++;
        line.end = i;
        if (i + 1 >= len || bytes[i] != '\r' || bytes[i + 1] != '\n')
            break;
        lines[count++] = line;
        at = i + 2;
    }
    return count;
}

static void check_same(const weiri_line *got, const weiri_line *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(got[i].name, wanted[i].name);
        assert_int_equal(got[i].colon, wanted[i].colon);
        assert_int_equal(got[i].end, wanted[i].end);
    }
}

/* The vectors may stop before they have to, but what they find must be right. */
static void check_vectors(const uint8_t *bytes, size_t len, const weiri_line *wanted, size_t count)
{
#if defined(WEIRI_AVX2)
    if (weiri_has_avx2()) {
        weiri_line got[CAP];
        size_t found = weiri_lines_avx2(bytes, len, 0, got, CAP);
        assert_true(found <= count);
        check_same(got, wanted, found);
        for (size_t i = found; i < count; i++) /* only these are left to others */
            assert_true(len - wanted[found].name <= 32 || wanted[found].colon - wanted[found].name >= 32);
    }
#endif
    (void)bytes, (void)len, (void)wanted, (void)count;
}

/* The text lies before memory that must not be touched, and behind it once more. */
static void check_text(const void *text, size_t len)
{
    for (int at_start = 0; at_start < 2; at_start++) {
        uint8_t *bytes = guard_copy(text, len, at_start != 0);
        weiri_line got[CAP], wanted[CAP];
        for (size_t cap = 0; cap <= CAP; cap += CAP / 2) {
            size_t count = slow_lines(bytes, len, wanted, cap);
            assert_int_equal(weiri_lines(bytes, len, got, cap), count);
            check_same(got, wanted, count);
        }
        check_vectors(bytes, len, wanted, slow_lines(bytes, len, wanted, CAP));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_bytes),
    };
    return cmocka_run_group_tests_name("base_lines", tests, NULL, NULL);
}
