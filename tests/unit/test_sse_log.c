/* SPDX-License-Identifier: MIT */
/* test_sse_log.c - the replay log, rule by rule. */
#include "check.h"
#include "harness.h"
#include "weir/sse.h"

/* ---- Single rules --------------------------------------------------------------------------------- */

static int put(weir_sse_log *ring, const char *id, const char *bytes, uint64_t now)
{
    return weir_sse_log_put(ring, weir_cstr(id), weir_cstr(bytes), now);
}

static void expect(const weir_sse_log *ring, weir_sse_reader *reader, const char *wanted)
{
    weir_str bytes;
    int rv = weir_sse_log_next(ring, reader, &bytes);
    if (wanted == NULL) {
        assert_int_equal(rv, 0);
        return;
    }
    assert_int_equal(rv, WEIR_SSE_LOG_EVENT);
    assert_str(bytes, wanted);
}

static void test_init_arguments(void **state)
{
    (void)state;
    weir_sse_log ring;
    uint8_t memory[64];
    assert_int_equal(weir_sse_log_init(&ring, NULL, sizeof memory, NULL), WEIR_ERR_ARG);
    assert_int_equal(weir_sse_log_init(&ring, memory, 0, NULL), WEIR_ERR_ARG);
    assert_int_equal(weir_sse_log_init(&ring, memory, 8, NULL), WEIR_ERR_ARG);
    assert_int_equal(weir_sse_log_init_(&ring, WEIR_LAYOUT_OF(ring) - 8, memory, sizeof memory, NULL),
                     WEIR_ERR_LAYOUT);
    assert_int_equal(weir_sse_log_init_(&ring, WEIR_LAYOUT_OF(ring) + 0x10000, memory, sizeof memory, NULL),
                     WEIR_ERR_LAYOUT);
    assert_int_equal(weir_sse_log_init(&ring, memory, WEIR_SSE_LOG_OVERHEAD, NULL), 0);
    assert_int_equal(put(&ring, NULL, "", 0), 0);
    assert_int_equal(put(&ring, NULL, "", 0), 0);
    weir_sse_reader reader;
    weir_sse_log_begin(&ring, &reader);
    assert_true(weir_sse_log_behind(&ring, &reader, NULL) >= 1);
}

/* What an event takes beside its bytes and its ID, here. */
static size_t overhead(void)
{
    weir_sse_log ring;
    uint8_t memory[WEIR_SSE_LOG_OVERHEAD];
    for (size_t size = 1; size <= sizeof memory; size++)
        if (weir_sse_log_init(&ring, memory, size, NULL) == 0)
            return size;
    fail();
    return 0;
}

/* Memory for so many events of one size always holds so many. */
static void test_no_byte_is_wasted(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 9; count++)
        for (size_t len = 0; len < 40; len += 3) {
            weir_sse_log ring;
            weir_sse_reader reader;
            uint8_t bytes[40] = {0};
            size_t size = count * (overhead() + 1 + len);
            uint8_t *memory = guard_copy(NULL, size, len % 2 != 0);
            assert_int_equal(weir_sse_log_init(&ring, memory, size, NULL), 0);
            for (size_t n = 1; n < 40; n++) {
                assert_int_equal(weir_sse_log_put(&ring, weir_cstr("i"), (weir_str){bytes, len}, 0), 0);
                weir_sse_log_begin(&ring, &reader);
                assert_int_equal(weir_sse_log_behind(&ring, &reader, NULL), n < count ? n : count);
            }
            guard_free(memory);
        }
}

static void test_strictly_after(void **state)
{
    (void)state;
    weir_sse_log ring;
    weir_sse_reader reader;
    uint8_t memory[1024];
    assert_int_equal(weir_sse_log_init(&ring, memory, sizeof memory, NULL), 0);
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("1"), 0, &reader), WEIR_SSE_LOG_GAP);
    expect(&ring, &reader, NULL);
    put(&ring, "1", "a", 0);
    expect(&ring, &reader, "a"); /* a reader of an empty log gets what comes */
    put(&ring, "2", "b", 0);
    put(&ring, NULL, "c", 0);
    put(&ring, "3", "d", 0);
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("1"), 0, &reader), 0);
    expect(&ring, &reader, "b");
    expect(&ring, &reader, "c");
    expect(&ring, &reader, "d");
    expect(&ring, &reader, NULL);
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("3"), 0, &reader), 0);
    expect(&ring, &reader, NULL);
    put(&ring, "4", "e", 0);
    expect(&ring, &reader, "e");
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("9"), 0, &reader), WEIR_SSE_LOG_GAP);
    expect(&ring, &reader, "a");
}

/* The newest event of an ID counts. */
static void test_repeated_ids(void **state)
{
    (void)state;
    weir_sse_log ring;
    weir_sse_reader reader;
    uint8_t memory[1024];
    assert_int_equal(weir_sse_log_init(&ring, memory, sizeof memory, NULL), 0);
    put(&ring, "1", "a", 0);
    put(&ring, "2", "b", 0);
    put(&ring, "1", "c", 0);
    put(&ring, "3", "d", 0);
    put(&ring, "1", "e", 0);
    put(&ring, "4", "f", 0);
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("1"), 0, &reader), 0);
    expect(&ring, &reader, "f");
    expect(&ring, &reader, NULL);
}

/* An ID is compared as bytes, all of them; an empty one is found nowhere. */
static void test_hostile_ids(void **state)
{
    (void)state;
    static const char long_id[2000] = {'1', '2', '3'};
    weir_sse_log ring;
    weir_sse_reader reader;
    uint8_t memory[512];
    assert_int_equal(weir_sse_log_init(&ring, memory, sizeof memory, NULL), 0);
    put(&ring, NULL, "x", 0);
    put(&ring, "", "y", 0);
    put(&ring, "123", "a", 0);
    put(&ring, "zz", "123zz", 0); /* bytes that look like an ID */
    weir_str bad[] = {weir_cstr(""),
                      {NULL, 0},
                      weir_cstr("12"),
                      weir_cstr("1234"),
                      weir_cstr("23"),
                      weir_cstr("0123"),
                      weir_cstr("-1"),
                      weir_cstr("123 "),
                      weir_cstr("z"),
                      weir_cstr("99999999999999999999999999"),
                      STR_OF("123\0"),
                      STR_OF("\0"),
                      {(const uint8_t *)long_id, 4},
                      {(const uint8_t *)long_id, sizeof long_id}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(weir_sse_log_seek(&ring, bad[i], 0, &reader), WEIR_SSE_LOG_GAP);
        expect(&ring, &reader, "x");
    }
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("123"), 0, &reader), 0);
    expect(&ring, &reader, "123zz");
    assert_int_equal(weir_sse_log_put(&ring, STR_OF("a\0b"), weir_cstr("n"), 0), 0);
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("a"), 0, &reader), WEIR_SSE_LOG_GAP);
    assert_int_equal(weir_sse_log_seek(&ring, STR_OF("a\0b"), 0, &reader), 0);
}

/* A reader that was overtaken hears of it once, then gets the oldest event there is. */
static void test_one_gap(void **state)
{
    (void)state;
    weir_sse_log ring;
    weir_sse_reader slow;
    weir_str bytes;
    uint64_t there;
    uint8_t memory[1024];
    const weir_sse_log_cfg cfg = {2, 0};
    assert_int_equal(weir_sse_log_init(&ring, memory, sizeof memory, &cfg), 0);
    weir_sse_log_begin(&ring, &slow);
    for (char c = 'a'; c <= 'f'; c++) {
        const char text[] = {c, c, '\0'};
        put(&ring, text, text, 0);
    }
    assert_int_equal(weir_sse_log_behind(&ring, &slow, &there), 6);
    assert_int_equal(there, 4);
    assert_int_equal(weir_sse_log_next(&ring, &slow, &bytes), WEIR_SSE_LOG_GAP);
    assert_int_equal(weir_sse_log_behind(&ring, &slow, &there), 2);
    expect(&ring, &slow, "ee");
    expect(&ring, &slow, "ff");
    expect(&ring, &slow, NULL);
    put(&ring, "g", "gg", 0);
    expect(&ring, &slow, "gg");
}

/* Of an event as old as the bound it is not yet over; the one after is. */
static void test_age(void **state)
{
    (void)state;
    weir_sse_log ring;
    weir_sse_reader reader;
    uint8_t memory[1024];
    const weir_sse_log_cfg cfg = {0, 100};
    assert_int_equal(weir_sse_log_init(&ring, memory, sizeof memory, &cfg), 0);
    put(&ring, "1", "a", 1000);
    put(&ring, "2", "b", 1050);
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("1"), 1100, &reader), 0);
    expect(&ring, &reader, "b");
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("1"), 1101, &reader), WEIR_SSE_LOG_GAP);
    expect(&ring, &reader, "b");
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("2"), 1150, &reader), 0);
    expect(&ring, &reader, NULL);
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("2"), UINT64_MAX, &reader), WEIR_SSE_LOG_GAP);
    expect(&ring, &reader, NULL);
    put(&ring, "3", "c", UINT64_MAX);
    expect(&ring, &reader, "c");
}

/* What is larger than the memory is refused, and the log is as before, byte by byte. */
/* What is too old goes when an event comes, not only when a reader asks. */
static void test_age_at_put(void **state)
{
    (void)state;
    weir_sse_log ring;
    weir_sse_reader reader;
    static uint8_t memory[1024];
    const weir_sse_log_cfg cfg = {.max_age_ms = 100};
    assert_int_equal(weir_sse_log_init(&ring, memory, sizeof memory, &cfg), 0);
    assert_int_equal(put(&ring, "1", "one", 1000), 0);
    assert_int_equal(put(&ring, "2", "two", 1050), 0);
    assert_int_equal(put(&ring, "3", "three", 1101), 0);
    weir_sse_log_begin(&ring, &reader);
    assert_int_equal(weir_sse_log_behind(&ring, &reader, NULL), 2);
    expect(&ring, &reader, "two");
    expect(&ring, &reader, "three");
}

/* A clock that goes back makes nothing old. */
static void test_age_when_the_clock_goes_back(void **state)
{
    (void)state;
    weir_sse_log ring;
    weir_sse_reader reader;
    static uint8_t memory[1024];
    const weir_sse_log_cfg cfg = {.max_age_ms = 100};
    assert_int_equal(weir_sse_log_init(&ring, memory, sizeof memory, &cfg), 0);
    assert_int_equal(put(&ring, "1", "one", 5000), 0);
    assert_int_equal(put(&ring, "2", "two", 10), 0);
    assert_int_equal(weir_sse_log_seek(&ring, weir_cstr("1"), 20, &reader), 0);
    expect(&ring, &reader, "two");
    expect(&ring, &reader, NULL);
}

static void test_too_large(void **state)
{
    (void)state;
    static uint8_t big[4096];
    weir_sse_log ring;
    uint8_t memory[256] = {0}, copy[256];
    const weir_sse_log_cfg cfg = {2, 10};
    assert_int_equal(weir_sse_log_init(&ring, memory, sizeof memory, &cfg), 0);
    put(&ring, "1", "a", 0);
    put(&ring, "2", "b", 0);
    memcpy(copy, memory, sizeof memory);
    weir_sse_log before = ring;
    const weir_str huge[][2] = {
        {{big, 0}, {big, 257}},      {{big, 257}, {big, 0}},
        {{big, 128}, {big, 129}},    {{big, 0}, {big, SIZE_MAX}},
        {{big, SIZE_MAX}, {big, 0}}, {{big, SIZE_MAX}, {big, SIZE_MAX}},
        {{big, 1}, {big, SIZE_MAX}}, {{big, SIZE_MAX / 2 + 1}, {big, SIZE_MAX / 2 + 1}}};
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        assert_int_equal(weir_sse_log_put(&ring, huge[i][0], huge[i][1], 5000), WEIR_ERR_SPACE);
        assert_memory_equal(&ring, &before, sizeof ring);
        assert_memory_equal(memory, copy, sizeof memory);
    }
    weir_str fits = {big, sizeof memory - WEIR_SSE_LOG_OVERHEAD};
    assert_int_equal(weir_sse_log_put(&ring, weir_cstr(""), fits, 5000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init_arguments),
        cmocka_unit_test(test_no_byte_is_wasted),
        cmocka_unit_test(test_strictly_after),
        cmocka_unit_test(test_repeated_ids),
        cmocka_unit_test(test_hostile_ids),
        cmocka_unit_test(test_one_gap),
        cmocka_unit_test(test_age),
        cmocka_unit_test(test_age_at_put),
        cmocka_unit_test(test_age_when_the_clock_goes_back),
        cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests_name("sse_log", tests, NULL, NULL);
}
