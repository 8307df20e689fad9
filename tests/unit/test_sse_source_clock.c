/* SPDX-License-Identifier: MIT */
/* test_sse_source_clock.c - the event source and its clock: waits, jitter, deadlines, steps told once. */
#include "check.h"
#include "weir/sse.h"

static uint8_t storage[WEIR_SSE_SOURCE_STORAGE(8192)];

static weir_sse_source_cfg source_cfg(const char *url)
{
    weir_sse_source_cfg cfg;
    memset(&cfg, 0xDD, sizeof cfg);
    weir_sse_source_cfg_init(&cfg);
    cfg.url = weir_cstr(url);
    return cfg;
}

static void source_start(weir_sse_source *s, const weir_sse_source_cfg *cfg, uint64_t now)
{
    memset(s, 0xDD, sizeof *s);
    assert_int_equal(weir_sse_source_init(s, storage, sizeof storage, cfg), 0);
    assert_true(weir_sse_source_deadline(s) <= now);
    assert_int_equal(weir_sse_source_poll(s, now), WEIR_SSE_CONNECT);
    assert_int_equal(weir_sse_source_poll(s, now), WEIR_SSE_CARRY_ON);
}

/* ---- Time ----------------------------------------------------------------------------------------- */

static void give(weir_sse_source *s, const char *text, uint64_t now)
{
    uint8_t bytes[512];
    weir_sse_item item;
    size_t len = strlen(text);
    assert_true(len <= sizeof bytes);
    memcpy(bytes, text, len);
    weir_in in = {bytes, len};
    while (weir_sse_source_next(s, &in, now, &item) > 0)
        continue;
    assert_int_equal(in.len, 0);
}

static void fail_once(weir_sse_source *s, uint64_t now)
{
    weir_sse_item item;
    assert_int_equal(weir_sse_source_eof(s, now, &item), 0);
    assert_int_equal(weir_sse_source_error(s), WEIR_ERR_SSE_LOST);
}

typedef struct dice {
    uint32_t x;
    unsigned calls;
} dice;

static int dice_fill(void *user, uint8_t *dst, size_t len)
{
    dice *d = user;
    d->calls++;
    for (size_t i = 0; i < len; i++) {
        d->x = d->x * 1664525u + 1013904223u;
        dst[i] = (uint8_t)(d->x >> 24);
    }
    return 0;
}

/* Of a thousand waits all lie in the bounds, in each tenth of the span some, and the source is drawn from in
 * batches. */
static void test_jitter(void **state)
{
    (void)state;
    weir_entropy entropy;
    dice d = {1, 0};
    unsigned tenths[10] = {0};
    weir_sse_source s;
    weir_sse_source_cfg cfg = source_cfg("http://h/");
    assert_int_equal(weir_entropy_init(&entropy, dice_fill, &d), 0);
    cfg.entropy = &entropy;
    cfg.retry_ms = 4000;
    cfg.backoff_max_ms = 4000;
    uint64_t now = 100;
    source_start(&s, &cfg, now);
    for (unsigned n = 0; n < 1000; n++) {
        fail_once(&s, now);
        uint64_t wait = weir_sse_source_deadline(&s) - now;
        assert_in_range(wait, 4000, 4999);
        tenths[(wait - 4000) / 100]++;
        assert_int_equal(weir_sse_source_poll(&s, now + wait - 1), WEIR_SSE_CARRY_ON);
        now += wait;
        assert_int_equal(weir_sse_source_poll(&s, now), WEIR_SSE_CONNECT);
    }
    for (size_t i = 0; i < 10; i++)
        assert_in_range(tenths[i], 50, 160);
    assert_int_equal(d.calls, (1000 * 4 + sizeof entropy.pool_ - 1) / sizeof entropy.pool_);
}

/* The row of failures may be as long as it likes. */
static void test_many_failures(void **state)
{
    (void)state;
    weir_sse_source s;
    weir_sse_source_cfg cfg = source_cfg("http://h/");
    cfg.retry_ms = 1;
    cfg.retry_min_ms = 1;
    cfg.backoff_max_ms = UINT64_MAX;
    uint64_t now = 0, last = 1;
    source_start(&s, &cfg, now);
    for (unsigned n = 0; n < 100; n++) {
        fail_once(&s, now);
        uint64_t deadline = weir_sse_source_deadline(&s);
        uint64_t wait = deadline - now;
        if (deadline == UINT64_MAX)
            return; /* as good as never; nothing wrapped */
        assert_true(wait == (n == 0 ? 1 : 2 * last));
        last = wait;
        now = deadline;
        assert_int_equal(weir_sse_source_poll(&s, now), WEIR_SSE_CONNECT);
    }
    fail();
}

/* A clock near its end wraps nothing, one that goes back is not followed. */
static void test_odd_clocks(void **state)
{
    (void)state;
    weir_sse_source s;
    weir_sse_source_cfg cfg = source_cfg("http://h/");
    cfg.idle_ms = 1000;
    source_start(&s, &cfg, UINT64_MAX - 500);
    assert_true(weir_sse_source_deadline(&s) == UINT64_MAX);
    give(&s, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n", UINT64_MAX - 400);
    assert_true(weir_sse_source_deadline(&s) == UINT64_MAX);
    assert_int_equal(weir_sse_source_poll(&s, UINT64_MAX), WEIR_SSE_CARRY_ON);

    source_start(&s, &cfg, 5000);
    assert_int_equal(weir_sse_source_deadline(&s), 35000);
    give(&s, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n", 3000);
    assert_int_equal(weir_sse_source_deadline(&s), 6000);
    assert_int_equal(weir_sse_source_poll(&s, 1), WEIR_SSE_CARRY_ON);
    assert_int_equal(weir_sse_source_poll(&s, 6000), WEIR_SSE_DISCONNECT);
    assert_int_equal(weir_sse_source_error(&s), WEIR_ERR_SSE_SILENT);
    assert_int_equal(weir_sse_source_deadline(&s), 9000);
}

/* The program's own silence does not count. */
static void test_alive(void **state)
{
    (void)state;
    weir_sse_source s;
    weir_sse_source_cfg cfg = source_cfg("http://h/");
    cfg.idle_ms = 1000;
    cfg.response_ms = 2000;
    source_start(&s, &cfg, 0);
    weir_sse_source_alive(&s, 5000);
    assert_int_equal(weir_sse_source_poll(&s, 5000), WEIR_SSE_CARRY_ON);
    assert_int_equal(weir_sse_source_deadline(&s), 7000);
    give(&s, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", 5500);
    assert_int_equal(weir_sse_source_deadline(&s), 6500);
    weir_sse_source_alive(&s, 60000);
    assert_int_equal(weir_sse_source_poll(&s, 60000), WEIR_SSE_CARRY_ON);
    assert_int_equal(weir_sse_source_deadline(&s), 61000);
    assert_int_equal(weir_sse_source_poll(&s, 61000), WEIR_SSE_DISCONNECT);
    uint64_t deadline = weir_sse_source_deadline(&s);
    weir_sse_source_alive(&s, 61001); /* waiting is not a silence */
    assert_true(weir_sse_source_deadline(&s) == deadline);
    weir_sse_source_close(&s);
    weir_sse_source_alive(&s, 61002);
    assert_true(weir_sse_source_deadline(&s) == UINT64_MAX);
}

/* A step is told once, and nothing happens at the end of a connection that the source has left already. */
static void test_steps_are_told_once(void **state)
{
    (void)state;
    weir_sse_source s;
    weir_sse_item item;
    const weir_sse_source_cfg cfg = source_cfg("http://h/");
    source_start(&s, &cfg, 0);
    give(&s, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 0\r\n\r\n", 10);
    assert_int_equal(weir_sse_source_deadline(&s), 0);
    assert_int_equal(weir_sse_source_poll(&s, 10), WEIR_SSE_DISCONNECT);
    assert_int_equal(weir_sse_source_poll(&s, 10), WEIR_SSE_CARRY_ON);
    assert_int_equal(weir_sse_source_eof(&s, 11, &item), 0);
    assert_int_equal(weir_sse_source_eof(&s, 12, &item), 0);
    assert_int_equal(weir_sse_source_error(&s), 0);
    assert_int_equal(weir_sse_source_deadline(&s), 3010);
    give(&s, "HTTP/1.1 200 OK\r\n\r\n", 13);
    assert_int_equal(weir_sse_source_deadline(&s), 3010);
    assert_int_equal(weir_sse_source_poll(&s, 3010), WEIR_SSE_CONNECT);
    fail_once(&s, 3020);
    assert_int_equal(weir_sse_source_poll(&s, 3020), WEIR_SSE_CARRY_ON);
}

static void check_no_head(weir_sse_source *s)
{
    const weir_http_head *head = weir_sse_source_head(s);
    weir_http_fields walk = head->fields;
    weir_http_field field;
    assert_int_equal(head->status, 0);
    assert_absent(head->reason);
    assert_false(weir_http_fields_next(&walk, &field));
}

/* No head outlives its attempt: what it points to need not be there any more. */
static void test_head_of_each_attempt(void **state)
{
    (void)state;
    weir_sse_source s;
    weir_sse_item item;
    const weir_sse_source_cfg cfg = source_cfg("http://h/");
    source_start(&s, &cfg, 0);
    check_no_head(&s);
    give(&s, "HTTP/1.1 302 Found\r\nLocation: /a\r\n\r\n", 0);
    assert_int_equal(weir_sse_source_poll(&s, 0), WEIR_SSE_CONNECT);
    check_no_head(&s);
    give(&s, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", 0);
    assert_int_equal(weir_sse_source_head(&s)->status, 200);
    assert_int_equal(weir_sse_source_eof(&s, 0, &item), 0);
    assert_int_equal(weir_sse_source_poll(&s, 3000), WEIR_SSE_CONNECT);
    check_no_head(&s);
}

/* The head of the response that opened or refused. */
static void test_head(void **state)
{
    (void)state;
    weir_sse_source s;
    weir_sse_item item;
    weir_str value;
    const weir_sse_source_cfg cfg = source_cfg("http://h/");
    uint8_t bytes[] = "HTTP/1.1 418 Teapot\r\nX-Why: because\r\n\r\n";
    source_start(&s, &cfg, 0);
    weir_in in = {bytes, sizeof bytes - 1};
    assert_int_equal(weir_sse_source_next(&s, &in, 0, &item), WEIR_SSE_REFUSED);
    assert_int_equal(item.err, WEIR_ERR_SSE_STATUS);
    const weir_http_head *head = weir_sse_source_head(&s);
    assert_int_equal(head->status, 418);
    weir_http_fields walk = head->fields;
    assert_true(weir_http_fields_find(&walk, "x-why", &value));
    assert_str(value, "because");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jitter),
        cmocka_unit_test(test_many_failures),
        cmocka_unit_test(test_odd_clocks),
        cmocka_unit_test(test_alive),
        cmocka_unit_test(test_steps_are_told_once),
        cmocka_unit_test(test_head_of_each_attempt),
        cmocka_unit_test(test_head),
    };
    return cmocka_run_group_tests_name("sse_source_clock", tests, NULL, NULL);
}
