/* SPDX-License-Identifier: MIT */
/* test_sse_scan.c - each form of the scans, whichever of them would be chosen, beside a loop over bytes. */
#include "check.h"
#include "harness.h"
#include "sse/scan.h"

enum { MOST = 300, ROOM = 7 * MOST + 42 };

/* ---- The forms that this build and this processor have ------------------------------------------ */

typedef struct form {
    const char *name;
    size_t least; /* shortest text */
    size_t (*line_len)(const uint8_t *bytes, size_t len, bool *wide);
    bool (*plain_copy)(uint8_t *to, const uint8_t *text, size_t len);
    size_t (*lines)(uint8_t *to, const uint8_t *text, size_t len, size_t spare, const weiri_mark *mark,
                    bool *wide);
} form;

static bool anywhere(void)
{
    return true;
}

static const struct {
    form f;
    bool (*there)(void);
} all[] = {
    {{"words, line", 0, weiri_line_len_words, NULL, NULL}, anywhere},
    {{"words, plain", 0, NULL, weiri_plain_copy_words, NULL}, anywhere},
    {{"words, lines", 0, NULL, NULL, weiri_lines_words}, anywhere},
#if defined(WEIRI_SSE2)
    {{"SSE2, line", 32, weiri_line_len_sse2, NULL, NULL}, anywhere},
    {{"SSE2, plain", 16, NULL, weiri_plain_copy_sse2, NULL}, anywhere},
    {{"SSE2, lines", 32, NULL, NULL, weiri_lines_sse2}, anywhere},
#endif
#if defined(WEIRI_AVX2)
    {{"AVX2, line", 64, weiri_line_len_avx2, NULL, NULL}, weiri_has_avx2},
    {{"AVX2, plain", 64, NULL, weiri_plain_copy_avx2, NULL}, weiri_has_avx2},
#endif
    {{"chosen", 0, weiri_line_len, weiri_plain_copy, weiri_lines_copy}, anywhere},
};

/* Memory flush against an unmapped page: texts lie at the end of `behind` or at the beginning of `before`,
 * and what is written at the end of `room`. */
static uint8_t *behind, *before, *room;

static uint8_t *room_of(size_t len)
{
    memset(room + ROOM - len, 0xEE, len);
    return room + ROOM - len;
}

static const weiri_mark data_mark = {"\ndata: ", 7}, comment_mark = {"\n: ", 3};

/* ---- What each must do --------------------------------------------------------------------------- */

static bool is_end(uint8_t byte)
{
    return byte == '\r' || byte == '\n';
}

static void line_check(const form *f, const uint8_t *bytes, size_t len)
{
    bool wanted = false, wide = false, stays = true;
    size_t at = 0;
    for (; at < len && !is_end(bytes[at]); at++)
        wanted |= bytes[at] > 0x7F;
    size_t got = f->line_len(bytes, len, &wide);
    if (got != at || wide != wanted)
        fail_msg("%s: %zu of %zu bytes, wanted %zu; %d, wanted %d", f->name, got, len, at, wide, wanted);
    f->line_len(bytes, len, &stays);
    assert_true(stays);
}

static void plain_check(const form *f, const uint8_t *bytes, size_t len)
{
    bool wanted = true;
    for (size_t i = 0; i < len; i++)
        wanted &= bytes[i] > '\r' && bytes[i] <= 0x7F;
    static const uint8_t untouched[64] = {0};
    uint8_t *to = room_of(len);
    memset(to - sizeof untouched, 0, sizeof untouched);
    if (f->plain_copy(to, bytes, len) != wanted)
        fail_msg("%s: %zu bytes, wanted %d", f->name, len, wanted);
    assert_memory_equal(to - sizeof untouched, untouched, sizeof untouched);
    if (wanted && len != 0)
        assert_memory_equal(to, bytes, len);
}

static size_t lines_wanted(uint8_t *to, const uint8_t *bytes, size_t len, const weiri_mark *mark)
{
    size_t size = 0;
    for (size_t i = 0; i < len; i++) {
        if (!is_end(bytes[i])) {
            to[size++] = bytes[i];
            continue;
        }
        memcpy(to + size, mark->bytes, mark->len);
        size += mark->len;
        if (bytes[i] == '\r' && i + 1 < len && bytes[i + 1] == '\n')
            i++;
    }
    return size;
}

/* With the room that is needed, behind which nothing may be written, with more, and with less. */
static void lines_check(const form *f, const uint8_t *bytes, size_t len, const weiri_mark *mark)
{
    uint8_t wanted[ROOM];
    bool high = false;
    size_t size = lines_wanted(wanted, bytes, len, mark), grown = size - len;
    for (size_t i = 0; i < len; i++)
        high |= bytes[i] > 0x7F;
    for (size_t more = 0; more <= 40; more += 20) {
        uint8_t *to = room_of(size + more + 2);
        bool wide = false, stays = true;
        size_t got = f->lines(to, bytes, len, grown + more, mark, &wide);
        if (got != grown || wide != high || memcmp(to, wanted, size) != 0)
            fail_msg("%s: %zu bytes grew by %zu, wanted %zu; %d, wanted %d", f->name, len, got, grown, wide,
                     high);
        assert_true(f->lines(to, bytes, len, grown + more, mark, &stays) == grown && stays);
    }
    for (size_t less = grown; less-- != 0; less -= less < 12 ? 0 : less / 2) {
        bool wide = false;
        assert_true(f->lines(room_of(len + less + 2), bytes, len, less, mark, &wide) == WEIRI_NO_ROOM);
    }
}

static void check(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const form *f = &all[i].f;
        if (!all[i].there() || len < f->least)
            continue;
        for (int at_start = 0; at_start < 2; at_start++) {
            uint8_t *copy = at_start != 0 ? before : behind + MOST - len;
            memcpy(copy, bytes, len);
            if (f->line_len != NULL)
                line_check(f, copy, len);
            if (f->plain_copy != NULL)
                plain_check(f, copy, len);
            if (f->lines != NULL)
                lines_check(f, copy, len, at_start != 0 ? &data_mark : &comment_mark);
        }
    }
}

/* ---- Texts ---------------------------------------------------------------------------------------- */

/* Of every length, so that the end (or the beginning) of each copy has every alignment. */
static void test_plain(void **state)
{
    (void)state;
    uint8_t bytes[MOST];
    for (size_t i = 0; i < MOST; i++)
        bytes[i] = (uint8_t)(' ' + i % 95);
    for (size_t len = 0; len <= MOST; len++)
        check(bytes, len);
}

/* One byte that is not plain, everywhere. */
static void test_one(void **state)
{
    (void)state;
    static const uint8_t odd[] = {0, '\t', '\n', 11, '\f', '\r', 14, 0x7F, 0x80, 0x8A, 0x8D, 0xFF};
    static const size_t lens[] = {1,  7,  8,  9,  15,  16,  17,  31,  32, 33,
                                  47, 63, 64, 65, 100, 127, 128, 129, 191};
    uint8_t bytes[MOST];
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        for (size_t at = 0; at < lens[i]; at++) {
            memset(bytes, "xy0"[(at / sizeof odd + i) % 3], sizeof bytes);
            bytes[at] = odd[(at + i) % sizeof odd];
            check(bytes, lens[i]);
            bytes[at] = at % 2 != 0 ? '\r' : '\n';
            check(bytes, lens[i]);
        }
    }
}

/* Two neighbours of any kind, everywhere: a line end, and what may be taken for one beside it. */
static void test_two(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {'\r', '\n', 11, 14, 0x80, 0x8B, 'x'};
    enum { KINDS = sizeof kinds };
    uint8_t bytes[MOST];
    for (size_t len = 2; len <= 100; len += 7) {
        for (size_t at = 0; at + 1 < len; at++) {
            for (size_t pair = at % 3; pair < KINDS * KINDS; pair += 3) {
                memset(bytes, 'x', sizeof bytes);
                bytes[at] = kinds[pair / KINDS];
                bytes[at + 1] = kinds[pair % KINDS];
                check(bytes, len);
            }
        }
    }
}

/* Lines of all lengths, of ends only too. */
static void test_many(void **state)
{
    (void)state;
    static const char *const ends[] = {"\n", "\r", "\r\n", "\n\r", "\r\r\n\n"};
    uint8_t bytes[MOST];
    for (size_t line = 0; line < 70; line++) {
        for (size_t kind = 0; kind < sizeof ends / sizeof *ends; kind++) {
            for (size_t i = 0, at = 0; i < MOST; i++) {
                size_t place = at++ % (line + strlen(ends[kind]));
                bytes[i] = place < line ? 'x' : (uint8_t)ends[kind][place - line];
            }
            for (size_t len = line % 5; len <= MOST; len += 23)
                check(bytes, len);
        }
    }
}

static void test_random(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {'\r', '\n', '\n', 0xC3, 0xA4, ' ', 'x', 'y'};
    uint8_t bytes[MOST];
    uint32_t seed = 1;
    for (size_t round = 0; round < 2000; round++) {
        unsigned rare = (unsigned)(round % 40);
        for (size_t i = 0; i < MOST; i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = (seed >> 8) % (rare + 1) == 0 ? kinds[seed >> 29] : 'z';
        }
        check(bytes, (seed >> 4) % (MOST + 1));
    }
}

static int set_up(void **state)
{
    (void)state;
    behind = guard_copy(NULL, MOST, false);
    before = guard_copy(NULL, MOST, true);
    room = guard_copy(NULL, ROOM, false);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    guard_free(behind);
    guard_free(before);
    guard_free(room);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain), cmocka_unit_test(test_one),    cmocka_unit_test(test_two),
        cmocka_unit_test(test_many),  cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests_name("sse_scan", tests, set_up, tear_down);
}
