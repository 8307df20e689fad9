/* SPDX-License-Identifier: MIT */
/* test_http_lines.c - field lines against a reader that takes one byte at a time, at every length, place and
 * byte value, with the vectors that this processor has and without. */
#include "base/simd.h"
#include "check.h"
#include "harness.h"
#include "http/http.h"
#include "http/lines.h"

#include <stdio.h>

enum { MOST = 64 }; /* lines in a text */

/* Slow and unlike the library's: RFC 9112 5, by the classes of RFC 9110. *at: where the lines end. */
static size_t slow_lines(const uint8_t *bytes, size_t len, weir_http_field *list, size_t *at)
{
    size_t count = 0;
    for (*at = 0;;) {
        size_t colon = *at, begin, end;
        while (colon < len && weiri_is(bytes[colon], WEIRI_TOKEN))
            colon++;
        if (colon == *at || colon == len || bytes[colon] != ':')
            return count;
        for (end = colon + 1; end < len && weiri_is(bytes[end], WEIRI_VALUE);)
            end++;
        if (end + 1 >= len || bytes[end] != '\r' || bytes[end + 1] != '\n')
            return count;
        list[count].name = (weir_str){bytes + *at, colon - *at};
        *at = end + 2;
        for (begin = colon + 1; begin != end && strchr("\t ", bytes[begin]) != NULL;)
            begin++;
        while (end != begin && strchr("\t ", bytes[end - 1]) != NULL)
            end--;
        list[count++].value = (weir_str){bytes + begin, end - begin};
    }
}

static void check_slice(weir_str got, weir_str wanted)
{
    assert_ptr_equal(got.ptr, wanted.ptr);
    assert_int_equal(got.len, wanted.len);
}

/* As slow_lines over all of the text; a walk that had room for no more than its list's. */
static void check_walk(const weiri_lines *walk)
{
    weir_http_field wanted[MOST];
    size_t at, count = slow_lines(walk->bytes, walk->len, wanted, &at);
    if (walk->count == walk->cap && count > walk->cap) {
        count = walk->cap;
        at = (size_t)(wanted[count].name.ptr - walk->bytes);
    }
    assert_int_equal(walk->count, count);
    assert_int_equal(walk->at, at);
    for (size_t i = 0; i < count; i++) {
        check_slice(walk->list[i].name, wanted[i].name);
        check_slice(walk->list[i].value, wanted[i].value);
    }
}

static void check_lines(const uint8_t *bytes, size_t len)
{
    static const size_t caps[] = {0, 1, 16, 17, 18, 40, MOST};
    weir_http_field list[MOST];
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
        weiri_lines walk = {bytes, len, 0, list, 0, caps[i]};
        weiri_lines_take(&walk);
        check_walk(&walk);
    }
}

#if defined(WEIRI_AVX2)
/* One kind of vectors by itself, with room for so many more than a step's lines. `can`: it takes such
 * texts. */
static void check_vectors(void (*take)(weiri_lines *), bool can, const uint8_t *bytes, size_t len)
{
    for (size_t spare = 0; spare < 20; spare += 9) {
        weir_http_field list[3 * MOST];
        weiri_lines walk = {bytes, len, 0, list, 0, WEIRI_LINES_STEP - 1};
        size_t before;
        take(&walk);
        assert_int_equal(walk.count, 0);
        do {
            before = walk.at;
            walk.cap = walk.count + WEIRI_LINES_STEP + spare;
            take(&walk);
            assert_true(walk.count <= walk.cap);
        } while (walk.at != before);
        walk.cap++; /* it did not stop for want of room */
        if (can)
            check_walk(&walk);
        else
            assert_int_equal(walk.count + walk.at, 0);
        walk = (weiri_lines){bytes, len, 0, list, 0, 3 * MOST};
        take(&walk);
        if (can && len != 0)
            check_walk(&walk);
    }
}
#endif

/* The text lies before memory that must not be touched, and behind it once more. */
static void check_text(const void *text, size_t len)
{
    for (int at_start = 0; at_start < 2; at_start++) {
        uint8_t *bytes = guard_copy(text, len, at_start != 0);
        check_lines(bytes, len);
#if defined(WEIRI_AVX2)
        if (weiri_has_avx2())
            check_vectors(weiri_lines_avx2, len >= 64, bytes, len);
#endif
#if defined(WEIRI_AVX512)
        if (weiri_has_avx512())
            check_vectors(weiri_lines_avx512, true, bytes, len);
#endif
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

/* White space around a value, or instead of one. */
static void test_blanks(void **state)
{
    (void)state;
    static const char *const blanks[] = {"", " ", "\t", "  ", " \t", "\t \t  "};
    static const char *const values[] = {"",     "v", "v w",
                                         "\x80", "!", "(comment) and so on, to fill a step with it"};
    enum { BLANKS = sizeof blanks / sizeof *blanks };
    for (size_t before = 0; before < BLANKS; before++)
        for (size_t behind = 0; behind < BLANKS; behind++)
            for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
                char text[256];
                int len =
                    snprintf(text, sizeof text, "A:%s%s%s\r\nLong-Name:%s%s%s\r\n%*s", blanks[before],
                             values[v], blanks[behind], blanks[behind], values[v], blanks[before], 64, "");
                check_text(text, (size_t)len);
                check_text(text, (size_t)len - 64);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths), cmocka_unit_test(test_colons), cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_many),    cmocka_unit_test(test_blanks),
    };
    return cmocka_run_group_tests_name("http_lines", tests, NULL, NULL);
}
