/* SPDX-License-Identifier: MIT */
/* test_sse_source_time.c - the event source in every state: deadlines, ends, spans at their limits. */
#include "check.h"
#include "source_script.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define STREAM_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
#define STREAM STREAM_HEAD "\r\n"

/* ---- States ----------------------------------------------------------------------------------------- */

typedef enum place { NEW, ASKED, REDIRECTED, OPENED, INSIDE, REFUSED, CUT, LEFT, FAILED, DONE, PLACES } place;

/* Brings a source to a place at the time 100. */
static void bring(weir_sse_source *s, place where)
{
    static const char *const heard[] = {
        "",
        "HTTP/1.1 200 OK\r\nContent-Ty",
        "HTTP/1.1 302 M\r\nLocation: /a\r\n\r\n",
        STREAM "data: x\n\n",
        STREAM "data: x\nid: 9\n",
        "HTTP/1.1 500 No\r\n\r\nwhy",
        STREAM_HEAD "Transfer-Encoding: chunked\r\n\r\nX",
        STREAM_HEAD "Content-Length: 0\r\n\r\n",
        "junk",
        "HTTP/1.1 204 No\r\n\r\n",
    };
    weir_sse_source_cfg cfg = source_cfg("http://h/");
    cfg.flags = WEIR_SSE_REFUSAL_BODY;
    cfg.idle_ms = 700;
    cfg.parser.last_event_id = weir_cstr("1");
    memset(s, 0xDD, sizeof *s);
    assert_int_equal(weir_sse_source_init(s, source_storage, sizeof source_storage, &cfg), 0);
    if (where == NEW)
        return;
    assert_int_equal(weir_sse_source_poll(s, 100), WEIR_SSE_CONNECT);
    source_give(s, heard[where], 512, 100);
    if (where == LEFT)
        assert_int_equal(weir_sse_source_poll(s, 100), WEIR_SSE_DISCONNECT);
}

/* For each place: the deadline, what poll says there and then again, what is wrong; then what the
 * connection's end brings, and the same of it. */
static const struct {
    uint64_t deadline;
    weir_sse_step first, then;
    int err;
    uint32_t ending;
    weir_sse_step ended;
    int ended_err;
    uint64_t ended_deadline;
} places[PLACES] = {
    [NEW] = {0, WEIR_SSE_CONNECT, WEIR_SSE_CARRY_ON, 0, 0, WEIR_SSE_CONNECT, 0, 0},
    [ASKED] = {30100, WEIR_SSE_CARRY_ON, WEIR_SSE_CARRY_ON, 0, 0, WEIR_SSE_CARRY_ON, WEIR_ERR_SSE_LOST, 3100},
    [REDIRECTED] = {0, WEIR_SSE_CONNECT, WEIR_SSE_CARRY_ON, 0, 0, WEIR_SSE_CONNECT, 0, 0},
    [OPENED] = {800, WEIR_SSE_CARRY_ON, WEIR_SSE_CARRY_ON, 0, 0, WEIR_SSE_CARRY_ON, 0, 3100},
    [INSIDE] = {800, WEIR_SSE_CARRY_ON, WEIR_SSE_CARRY_ON, 0, 1u << WEIR_SSE_ABORTED, WEIR_SSE_CARRY_ON, 0,
                3100},
    [REFUSED] = {30100, WEIR_SSE_CARRY_ON, WEIR_SSE_CARRY_ON, WEIR_ERR_SSE_STATUS, 0, WEIR_SSE_FINISHED,
                 WEIR_ERR_SSE_STATUS, UINT64_MAX},
    [CUT] = {0, WEIR_SSE_DISCONNECT, WEIR_SSE_CARRY_ON, WEIR_ERR_HTTP_CHUNK, 0, WEIR_SSE_DISCONNECT,
             WEIR_ERR_HTTP_CHUNK, 0},
    [LEFT] = {3100, WEIR_SSE_CARRY_ON, WEIR_SSE_CARRY_ON, 0, 0, WEIR_SSE_CARRY_ON, 0, 3100},
    [FAILED] = {0, WEIR_SSE_DISCONNECT, WEIR_SSE_CARRY_ON, WEIR_ERR_HTTP_STATUS, 0, WEIR_SSE_DISCONNECT,
                WEIR_ERR_HTTP_STATUS, 0},
    [DONE] = {UINT64_MAX, WEIR_SSE_FINISHED, WEIR_SSE_FINISHED, WEIR_ERR_SSE_STOPPED, 0, WEIR_SSE_FINISHED,
              WEIR_ERR_SSE_STOPPED, UINT64_MAX},
};

static void test_places(void **state)
{
    (void)state;
    for (unsigned where = 0; where < PLACES; where++) {
        weir_sse_source s;
        bring(&s, (place)where);
        assert_true(weir_sse_source_deadline(&s) == places[where].deadline);
        assert_int_equal(weir_sse_source_error(&s), places[where].err);
        assert_int_equal(weir_sse_source_poll(&s, 100), places[where].first);
        assert_int_equal(weir_sse_source_poll(&s, 100), places[where].then);
        assert_int_equal(weir_sse_source_poll(&s, 100), places[where].then);
        assert_str(weir_sse_source_last_id(&s), "1");

        uint8_t bytes[256];
        weir_out out = {bytes, sizeof bytes};
        bring(&s, (place)where);
        assert_int_equal(weir_sse_source_request(&s, &out), where == ASKED ? 0 : WEIR_ERR_STATE);
        assert_int_equal(out.len == sizeof bytes, where != ASKED);
        assert_int_equal(source_end(&s, 100), places[where].ending);
        assert_int_equal(source_end(&s, 100), 0);
        assert_true(weir_sse_source_deadline(&s) == places[where].ended_deadline);
        assert_int_equal(weir_sse_source_error(&s), places[where].ended_err);
        assert_int_equal(weir_sse_source_poll(&s, 100), places[where].ended);
        assert_str(weir_sse_source_last_id(&s), "1");
    }
}

/* The end ends everything: whatever comes then is dropped. */
static void check_closed(weir_sse_source *s)
{
    uint8_t byte;
    weir_out out = {&byte, 1};
    weir_in none = {NULL, 0};
    weir_sse_item item;
    weir_sse_source_close(s);
    assert_true(weir_sse_source_deadline(s) == UINT64_MAX);
    for (unsigned n = 0; n < 3; n++) {
        assert_int_equal(weir_sse_source_poll(s, 1000000 * n), WEIR_SSE_FINISHED);
        assert_int_equal(weir_sse_source_error(s), 0);
        assert_int_equal(weir_sse_source_request(s, &out), WEIR_ERR_STATE);
        assert_int_equal(source_give(s, STREAM "data: y\n\n", 9, 200), 0);
        assert_int_equal(weir_sse_source_next(s, &none, 200, &item), 0);
        assert_int_equal(source_end(s, 200), 0);
        weir_sse_source_alive(s, 300);
        weir_sse_source_close(s);
    }
    assert_true(weir_sse_source_deadline(s) == UINT64_MAX);
    assert_str(weir_sse_source_last_id(s), "1");
}

static void test_close_everywhere(void **state)
{
    (void)state;
    for (unsigned where = 0; where < PLACES; where++) {
        weir_sse_source s;
        bring(&s, (place)where);
        check_closed(&s);
        bring(&s, (place)where);
        source_end(&s, 100);
        check_closed(&s);
    }
}

/* Between two items of one end the source may be closed. */
static void test_close_inside_the_end(void **state)
{
    (void)state;
    weir_sse_source s;
    weir_sse_item item;
    weir_sse_source_cfg cfg = source_cfg("http://h/");
    cfg.parser.flags = WEIR_SSE_FLUSH;
    cfg.parser.last_event_id = weir_cstr("1");
    source_start(&s, &cfg, 0);
    source_give(&s, STREAM "data: x\nretry: 7000", 5, 0);
    assert_int_equal(weir_sse_source_eof(&s, 0, &item), WEIR_SSE_RETRY);
    assert_int_equal(weir_sse_source_retry(&s), 7000);
    assert_int_equal(weir_sse_source_eof(&s, 0, &item), WEIR_SSE_EVENT);
    check_closed(&s);
}

/* ---- Spans ------------------------------------------------------------------------------------------ */

static int ones_fill(void *user, uint8_t *dst, size_t len)
{
    (void)user;
    memset(dst, 0xFF, len);
    return 0;
}

/* Spans without end are no deadlines that have passed. */
static void test_endless_spans(void **state)
{
    (void)state;
    weir_sse_source s;
    weir_entropy entropy;
    weir_sse_source_cfg cfg = source_cfg("http://h/");
    assert_int_equal(weir_entropy_init(&entropy, ones_fill, NULL), 0);
    cfg.entropy = &entropy;
    cfg.retry_max_ms = cfg.backoff_max_ms = cfg.stable_ms = UINT64_MAX;
    cfg.response_ms = cfg.idle_ms = UINT64_MAX;
    source_start(&s, &cfg, 1000);
    assert_true(weir_sse_source_deadline(&s) == UINT64_MAX);
    assert_int_equal(weir_sse_source_poll(&s, UINT64_MAX - 9), WEIR_SSE_CARRY_ON);
    source_start(&s, &cfg, 1000);
    source_give(&s, STREAM "retry: 99999999999999999999\n", 3, 1000);
    assert_true(weir_sse_source_retry(&s) == UINT64_MAX);
    assert_true(weir_sse_source_deadline(&s) == UINT64_MAX);
    source_end(&s, UINT64_MAX - 9);
    assert_true(weir_sse_source_deadline(&s) == UINT64_MAX);
    assert_int_equal(weir_sse_source_poll(&s, UINT64_MAX - 1), WEIR_SSE_CARRY_ON);
}

/* A wait of nothing stays one, however many failures there are, and never polls in vain. */
static void test_no_spans(void **state)
{
    (void)state;
    weir_sse_source s;
    weir_sse_source_cfg cfg = source_cfg("http://h/");
    cfg.retry_ms = cfg.retry_min_ms = cfg.stable_ms = cfg.response_ms = 0;
    cfg.max_attempts = 1000;
    source_start(&s, &cfg, 50);
    for (unsigned n = 1; n < 1000; n++) {
        assert_true(weir_sse_source_deadline(&s) == UINT64_MAX);
        source_end(&s, 50);
        assert_int_equal(weir_sse_source_deadline(&s), 50);
        assert_int_equal(weir_sse_source_poll(&s, 50), WEIR_SSE_CONNECT);
    }
    source_give(&s, STREAM, 1, 50); /* with stable_ms 0 each stream is one that lasted */
    source_end(&s, 50);
    assert_int_equal(weir_sse_source_poll(&s, 50), WEIR_SSE_CONNECT);
    for (unsigned n = 1; n < 1000; n++) {
        source_end(&s, 50);
        assert_int_equal(weir_sse_source_poll(&s, 50), WEIR_SSE_CONNECT);
    }
    source_end(&s, 50);
    assert_int_equal(weir_sse_source_poll(&s, 50), WEIR_SSE_FINISHED);
    assert_int_equal(weir_sse_source_error(&s), WEIR_ERR_SSE_LOST);
}

/* A clock that goes back is one that stands, at every call. */
static void test_clock_goes_back(void **state)
{
    (void)state;
    weir_sse_source s;
    const weir_sse_source_cfg cfg = source_cfg("http://h/");
    source_start(&s, &cfg, 50000);
    assert_int_equal(weir_sse_source_poll(&s, 0), WEIR_SSE_CARRY_ON);
    weir_sse_source_alive(&s, 10);
    assert_int_equal(weir_sse_source_deadline(&s), 80000);
    source_give(&s, STREAM "retry: 400\n", 1, 20);
    assert_int_equal(weir_sse_source_retry(&s), 400);
    source_end(&s, 30);
    assert_int_equal(weir_sse_source_deadline(&s), 50400); /* it did not last: a failure, the first */
    assert_int_equal(weir_sse_source_poll(&s, 40), WEIR_SSE_CARRY_ON);
    assert_int_equal(weir_sse_source_poll(&s, 50400), WEIR_SSE_CONNECT);
    source_end(&s, 0);
    assert_int_equal(weir_sse_source_deadline(&s), 51200);
}

/* The end of a stream that nobody asked about before its connection was due to be told of: one step is
 * enough. */
static void test_late_poll(void **state)
{
    (void)state;
    weir_sse_source s;
    bring(&s, FAILED);
    assert_int_equal(weir_sse_source_poll(&s, 3100), WEIR_SSE_CONNECT);
    assert_int_equal(weir_sse_source_poll(&s, 3100), WEIR_SSE_CARRY_ON);
    bring(&s, INSIDE);
    assert_int_equal(weir_sse_source_poll(&s, 799), WEIR_SSE_CARRY_ON);
    assert_int_equal(weir_sse_source_poll(&s, 800), WEIR_SSE_DISCONNECT);
    assert_int_equal(weir_sse_source_error(&s), WEIR_ERR_SSE_SILENT);
    assert_int_equal(weir_sse_source_deadline(&s), 3800);
    bring(&s, REFUSED);
    assert_int_equal(weir_sse_source_poll(&s, 30099), WEIR_SSE_CARRY_ON);
    assert_int_equal(weir_sse_source_poll(&s, 30100), WEIR_SSE_FINISHED);
    assert_int_equal(weir_sse_source_error(&s), WEIR_ERR_SSE_STATUS);
}

/* Of a stream that has ended nothing is due, however late, until the program has taken all that the end
 * brings: a loop that waits for the deadline does not spin. */
static void test_unheard_end(void **state)
{
    (void)state;
    weir_sse_source s;
    weir_sse_item item;
    weir_in none = {NULL, 0};
    uint8_t rest[] = "event: y\n";
    weir_in in = {rest, sizeof rest - 1};
    for (unsigned at_eof = 0; at_eof < 2; at_eof++) {
        weir_sse_source_cfg cfg = source_cfg("http://h/");
        cfg.idle_ms = 700;
        source_start(&s, &cfg, 100);
        if (at_eof != 0) {
            source_give(&s, STREAM "data: x", 512, 100);
            assert_int_equal(weir_sse_source_eof(&s, 100, &item), WEIR_SSE_ABORTED);
        } else {
            source_give(&s, STREAM_HEAD "Content-Length: 9\r\n\r\n", 512, 100);
            assert_int_equal(weir_sse_source_next(&s, &in, 100, &item), WEIR_SSE_ABORTED);
        }
        assert_true(weir_sse_source_deadline(&s) == UINT64_MAX);
        assert_int_equal(weir_sse_source_poll(&s, 9000), WEIR_SSE_CARRY_ON);
        assert_true(weir_sse_source_deadline(&s) == UINT64_MAX);
        assert_int_equal(weir_sse_source_next(&s, &none, 9000, &item), 0);
        assert_int_equal(weir_sse_source_deadline(&s), 0);
        assert_int_equal(weir_sse_source_poll(&s, 9000), WEIR_SSE_DISCONNECT);
        assert_int_equal(weir_sse_source_deadline(&s), 12000);
    }
}

/* No product of a Retry-After wraps. */
static void test_endless_retry_after(void **state)
{
    (void)state;
    static const struct {
        const char *seconds;
        uint64_t deadline;
    } rows[] = {{"18446744073709550", UINT64_C(18446744073709550000)},
                {"18446744073709552", UINT64_MAX},
                {"18446744073709551616", UINT64_MAX}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        weir_sse_source s;
        char text[96];
        weir_sse_source_cfg cfg = source_cfg("http://h/");
        cfg.flags = WEIR_SSE_RETRY_BUSY;
        cfg.retry_max_ms = UINT64_MAX;
        source_start(&s, &cfg, 0);
        (void)snprintf(text, sizeof text, "HTTP/1.1 503 No\r\nRetry-After: %s\r\n\r\n", rows[i].seconds);
        source_give(&s, text, 512, 0);
        assert_int_equal(weir_sse_source_poll(&s, 0), WEIR_SSE_DISCONNECT);
        assert_true(weir_sse_source_deadline(&s) == rows[i].deadline);
    }
}

/* What is no number of seconds asks for no wait at all. */
static void test_retry_after_of_no_time(void **state)
{
    (void)state;
    weir_sse_source s;
    weir_sse_source_cfg cfg = source_cfg("http://h/");
    cfg.flags = WEIR_SSE_RETRY_BUSY;
    cfg.retry_ms = cfg.retry_min_ms = 0;
    source_start(&s, &cfg, 0);
    source_give(&s, "HTTP/1.1 503 No\r\nRetry-After: 1.5\r\n\r\n", 512, 0);
    assert_int_equal(weir_sse_source_poll(&s, 0), WEIR_SSE_CONNECT);
}

/* Of one attempt nothing is left for the next: neither what it was good for nor what was wrong. */
static void test_attempts_are_alike(void **state)
{
    (void)state;
    weir_sse_source s;
    const weir_sse_source_cfg cfg = source_cfg("http://h/");
    source_start(&s, &cfg, 0);
    source_give(&s, STREAM "data: x\n\n", 512, 0);
    source_end(&s, 0);
    assert_int_equal(weir_sse_source_poll(&s, 3000), WEIR_SSE_CONNECT);
    source_end(&s, 3000);
    assert_int_equal(weir_sse_source_error(&s), WEIR_ERR_SSE_LOST);
    assert_int_equal(weir_sse_source_poll(&s, 6000), WEIR_SSE_CONNECT);
    source_give(&s, STREAM, 512, 6000);
    assert_int_equal(weir_sse_source_error(&s), 0);
    source_end(&s, 6000);
    assert_int_equal(weir_sse_source_deadline(&s), 12000); /* the second failure */
    assert_int_equal(weir_sse_source_poll(&s, 12000), WEIR_SSE_CONNECT);
    for (unsigned n = 0; n < 40; n++) { /* interim responses are counted for each response */
        source_give(&s, "HTTP/1.1 103 Early\r\n\r\n", 512, 12000);
        if (n % 10 == 9) {
            source_give(&s, "HTTP/1.1 302 M\r\nLocation: /a\r\n\r\n", 512, 12000);
            assert_int_equal(weir_sse_source_poll(&s, 12000), WEIR_SSE_CONNECT);
        }
    }
    /* A Location that is refused leaves the URI of this attempt alone. */
    assert_int_equal(source_give(&s, "HTTP/1.1 302 M\r\nLocation: ftp://hhhhhhhhhh/\r\n\r\n", 512, 12000),
                     1u << WEIR_SSE_REFUSED);
    assert_str(weir_sse_source_uri(&s)->authority, "h");
    assert_str(weir_sse_source_uri(&s)->path, "/a");
}

/* Silence is broken by bytes, not by calls without any; a refusal's body has a time of its own. */
static void test_silence(void **state)
{
    (void)state;
    weir_sse_source s;
    weir_sse_item item;
    weir_in none = {NULL, 0};
    bring(&s, OPENED);
    assert_int_equal(weir_sse_source_next(&s, &none, 500, &item), 0);
    assert_int_equal(weir_sse_source_deadline(&s), 800);
    source_give(&s, ":", 1, 500);
    assert_int_equal(weir_sse_source_deadline(&s), 1200);
    bring(&s, ASKED);
    source_give(&s, "pe: x\r\n\r\nno", 512, 5000);
    assert_int_equal(weir_sse_source_error(&s), WEIR_ERR_SSE_MEDIA_TYPE);
    assert_int_equal(weir_sse_source_deadline(&s), 35000);
    source_give(&s, "more", 512, 6000);
    assert_int_equal(weir_sse_source_deadline(&s), 35000);
    weir_sse_source_alive(&s, 7000);
    assert_int_equal(weir_sse_source_deadline(&s), 37000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_close_everywhere),
        cmocka_unit_test(test_close_inside_the_end),
        cmocka_unit_test(test_endless_spans),
        cmocka_unit_test(test_no_spans),
        cmocka_unit_test(test_clock_goes_back),
        cmocka_unit_test(test_late_poll),
        cmocka_unit_test(test_unheard_end),
        cmocka_unit_test(test_endless_retry_after),
        cmocka_unit_test(test_retry_after_of_no_time),
        cmocka_unit_test(test_attempts_are_alike),
        cmocka_unit_test(test_silence),
    };
    return cmocka_run_group_tests_name("sse_source_time", tests, NULL, NULL);
}
