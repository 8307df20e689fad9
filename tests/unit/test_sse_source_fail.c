/* SPDX-License-Identifier: MIT */
/* test_sse_source_fail.c - the event source: what counts as a failure, and how long it waits behind one. */
#include "check.h"
#include "source_script.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define STREAM_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
#define STREAM STREAM_HEAD "\r\n"

static int ones_fill(void *user, uint8_t *dst, size_t len)
{
    (void)user;
    memset(dst, 0xFF, len);
    return 0;
}

/* What counts as a failure: with max_attempts 1 it is the end, and never without an error; with no wait
 * between attempts the next is due at once. A stream that brought an event is none, however it ended. */
static void test_what_fails(void **state)
{
    (void)state;
    enum { END, SILENCE, NEITHER };
    static const struct {
        const char *heard;
        int how;
        bool flush, fails;
        int err;
    } rows[] = {
        {"", END, false, true, WEIR_ERR_SSE_LOST},
        {"", SILENCE, false, true, WEIR_ERR_SSE_SILENT},
        {"junk", NEITHER, false, true, WEIR_ERR_HTTP_STATUS},
        {"HTTP/1.1 503 No\r\n\r\n", NEITHER, false, true, WEIR_ERR_SSE_STATUS},
        {STREAM, END, false, true, 0},
        {STREAM, SILENCE, false, true, WEIR_ERR_SSE_SILENT},
        {STREAM "data: x\n", END, false, true, 0},
        {STREAM "data: x\n", SILENCE, true, true, WEIR_ERR_SSE_SILENT},
        {STREAM "retry: 0\n", END, false, true, 0},
        {STREAM "retry: 0", END, true, true, 0},
        {STREAM "data: x\n\n", END, false, false, 0},
        {STREAM "data: x\n\n", SILENCE, false, false, WEIR_ERR_SSE_SILENT},
        {STREAM "data: x", END, true, false, 0},
        {STREAM_HEAD "Content-Length: 0\r\n\r\n", NEITHER, false, true, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        for (uint32_t attempts = 1; attempts < 3; attempts++) {
            weir_sse_source s;
            weir_sse_source_cfg cfg = source_cfg("http://h/");
            cfg.flags = WEIR_SSE_RETRY_BUSY;
            cfg.parser.flags = rows[i].flush ? WEIR_SSE_FLUSH : 0;
            cfg.retry_ms = cfg.retry_min_ms = 0;
            cfg.idle_ms = cfg.response_ms = 40;
            cfg.max_attempts = attempts;
            source_start(&s, &cfg, 1000);
            source_give(&s, rows[i].heard, 512, 1000);
            if (rows[i].how == END)
                source_end(&s, 1500);
            uint64_t now = rows[i].how == NEITHER ? 1000 : rows[i].how == END ? 1500 : 1040;
            bool done = rows[i].fails && attempts == 1;
            assert_int_equal(weir_sse_source_poll(&s, now), done ? WEIR_SSE_FINISHED : WEIR_SSE_CONNECT);
            int err = done && rows[i].err == 0 ? WEIR_ERR_SSE_LOST : rows[i].err;
            assert_int_equal(weir_sse_source_error(&s), err);
        }
}

/* The connection's end is when it is told, not when the source was last asked. */
static void test_time_of_the_end(void **state)
{
    (void)state;
    weir_sse_source s;
    const weir_sse_source_cfg cfg = source_cfg("http://h/");
    source_start(&s, &cfg, 0);
    source_end(&s, 500);
    assert_int_equal(weir_sse_source_deadline(&s), 3500);
    source_start(&s, &cfg, 0);
    source_give(&s, STREAM, 512, 100);
    source_end(&s, 10099); /* one millisecond short of stable_ms */
    assert_int_equal(weir_sse_source_poll(&s, 13099), WEIR_SSE_CONNECT);
    source_end(&s, 13099);
    assert_int_equal(weir_sse_source_deadline(&s), 19099);
}

/* Sixteen interim responses are passed over, in each attempt, and no more. */
static void test_interims(void **state)
{
    (void)state;
    weir_sse_source s;
    const weir_sse_source_cfg cfg = source_cfg("http://h/");
    for (unsigned count = 15; count < 18; count++) {
        source_start(&s, &cfg, 0);
        for (unsigned attempt = 0; attempt < 2; attempt++) {
            for (unsigned n = 1; n <= count; n++)
                assert_int_equal(
                    source_give(&s, n % 2 ? "HTTP/1.1 100 Go on\r\n\r\n" : "HTTP/1.1 199 \r\n\r\n", 512, 0),
                    n > 16 ? 1u << WEIR_SSE_REFUSED : 0);
            if (count > 16)
                break;
            assert_int_equal(source_give(&s, STREAM, 512, 0), 1u << WEIR_SSE_OPEN);
            source_end(&s, 0);
            assert_int_equal(weir_sse_source_poll(&s, 3000),
                             attempt == 0 ? WEIR_SSE_CONNECT : WEIR_SSE_CARRY_ON);
        }
    }
}

/* The wait doubles up to backoff_max_ms, be it odd, and not when it is longer to begin with. */
static void test_doubling(void **state)
{
    (void)state;
    static const struct {
        uint64_t retry, most, waits[4];
    } rows[] = {{100, 400, {100, 200, 400, 400}}, {100, 401, {100, 200, 400, 401}},
                {100, 201, {100, 200, 201, 201}}, {100, 199, {100, 199, 199, 199}},
                {100, 100, {100, 100, 100, 100}}, {100, 99, {100, 100, 100, 100}},
                {100, 0, {100, 100, 100, 100}},   {1, 3, {1, 2, 3, 3}}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        weir_sse_source s;
        weir_sse_source_cfg cfg = source_cfg("http://h/");
        uint64_t now = 7;
        cfg.retry_ms = rows[i].retry;
        cfg.retry_min_ms = 1;
        cfg.backoff_max_ms = rows[i].most;
        source_start(&s, &cfg, now);
        for (size_t n = 0; n < 4; n++) {
            source_end(&s, now);
            assert_int_equal(weir_sse_source_deadline(&s) - now, rows[i].waits[n]);
            now += rows[i].waits[n];
            assert_int_equal(weir_sse_source_poll(&s, now), WEIR_SSE_CONNECT);
        }
    }
}

/* The random part is less than a quarter of the wait, and of a huge one less than 2^32; with a source that
 * says FF FF FF FF it is as much of that as there can be. */
static void test_random_part(void **state)
{
    (void)state;
    static const uint64_t waits[] = {0,
                                     1,
                                     3,
                                     4,
                                     7,
                                     8,
                                     100,
                                     4000,
                                     UINT64_C(0x80000000),
                                     UINT64_C(0x3FFFFFFF8),
                                     UINT64_C(0x3FFFFFFFC),
                                     UINT64_C(0x400000000),
                                     UINT64_C(0x4E0000000),
                                     UINT64_C(0x300000000),
                                     UINT64_C(0x1000000000)};
    for (size_t i = 0; i < COUNT(waits); i++) {
        weir_sse_source s;
        weir_entropy entropy;
        weir_sse_source_cfg cfg = source_cfg("http://h/");
        assert_int_equal(weir_entropy_init(&entropy, ones_fill, NULL), 0);
        cfg.entropy = &entropy;
        cfg.retry_ms = waits[i];
        cfg.retry_min_ms = 0;
        cfg.retry_max_ms = UINT64_MAX;
        source_start(&s, &cfg, 0);
        source_end(&s, 0);
        uint64_t quarter = waits[i] / 4 < UINT32_MAX ? waits[i] / 4 : UINT32_MAX;
        assert_true(weir_sse_source_deadline(&s) == waits[i] + (quarter != 0 ? quarter - 1 : 0));
    }
}

/* Storage holds two URLs of max_url bytes and what the parser needs; there is none at NULL. */
static void test_storage(void **state)
{
    (void)state;
    static uint8_t storage[2 * 20000 + WEIR_SSE_STORAGE(256)];
    weir_sse_source s;
    weir_sse_source_cfg cfg = source_cfg("http://h/");
    cfg.max_url = 20000;
    assert_int_equal(weir_sse_source_init(&s, storage, sizeof storage, &cfg), 0);
    assert_int_equal(weir_sse_source_init(&s, storage, sizeof storage - 1, &cfg), WEIR_ERR_SPACE);
    assert_int_equal(weir_sse_source_init(&s, NULL, sizeof storage, &cfg), WEIR_ERR_SPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_fails),  cmocka_unit_test(test_time_of_the_end),
        cmocka_unit_test(test_interims),    cmocka_unit_test(test_doubling),
        cmocka_unit_test(test_random_part), cmocka_unit_test(test_storage),
    };
    return cmocka_run_group_tests_name("sse_source_fail", tests, NULL, NULL);
}
