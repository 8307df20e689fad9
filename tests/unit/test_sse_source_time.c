/* SPDX-License-Identifier: MIT */
/* test_sse_source_time.c - the event source in every state: exact requests, deadlines, spans and storages at
 * their limits. */
#include "check.h"
#include "harness.h"
#include "weir/sse.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define STREAM_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
#define STREAM STREAM_HEAD "\r\n"
#define AGENT "Accept: text/event-stream\r\nCache-Control: no-cache\r\n"

static uint8_t storage[WEIR_SSE_SOURCE_STORAGE(1024)];

static weir_sse_source_cfg source_cfg(const char *url)
{
    weir_sse_source_cfg cfg;
    weir_sse_source_cfg_init(&cfg);
    cfg.url = weir_cstr(url);
    return cfg;
}

static void source_start(weir_sse_source *s, const weir_sse_source_cfg *cfg, uint64_t now)
{
    memset(s, 0xDD, sizeof *s);
    memset(storage, 0xDD, sizeof storage);
    assert_int_equal(weir_sse_source_init(s, storage, sizeof storage, cfg), 0);
    assert_int_equal(weir_sse_source_poll(s, now), WEIR_SSE_CONNECT);
}

/* Gives the text in pieces of at most `step` bytes. Returns the kinds of items in order, a bit of 1 << kind
 * each (all kinds here come at most once, or it does not matter). */
static uint32_t give(weir_sse_source *s, const char *text, size_t step, uint64_t now)
{
    uint8_t bytes[1024];
    weir_sse_item item;
    uint32_t kinds = 0;
    size_t len = strlen(text);
    assert_true(len <= sizeof bytes);
    memcpy(bytes, text, len);
    for (size_t at = 0; at < len; at += step) {
        weir_in in = {bytes + at, len - at < step ? len - at : step};
        int rv;
        while ((rv = weir_sse_source_next(s, &in, now, &item)) > 0)
            kinds |= UINT32_C(1) << rv;
        assert_int_equal(rv, 0);
        assert_int_equal(in.len, 0);
    }
    return kinds;
}

static uint32_t end(weir_sse_source *s, uint64_t now)
{
    weir_sse_item item;
    uint32_t kinds = 0;
    int rv;
    while ((rv = weir_sse_source_eof(s, now, &item)) > 0)
        kinds |= UINT32_C(1) << rv;
    assert_int_equal(rv, 0);
    return kinds;
}

/* ---- Conversations ---------------------------------------------------------------------------------- */

/* What the source says on each connection, byte by byte, and what it hears. */
typedef struct turn {
    const char *request, *response;
} turn;

#define OWN "Authorization: Bearer x\r\ncontent-type: text/plain\r\n"
#define BODY "Content-Length: 2\r\n\r\nhi"

/* Fields and method on a way that leaves the origin and comes back, and the next attempt as the first. */
static const turn abroad[] = {
    {"POST /a?b HTTP/1.1\r\nHost: h:81\r\n" AGENT OWN BODY,
     "HTTP/1.1 307 T\r\nLocation: //H:81/c/./d\r\n\r\n"},
    {"POST /c/d HTTP/1.1\r\nHost: H:81\r\n" AGENT OWN BODY, "HTTP/1.1 308 P\r\nLocation: http://h/\r\n\r\n"},
    {"POST / HTTP/1.1\r\nHost: h\r\n" AGENT "Content-Type: application/json\r\n" BODY,
     "HTTP/1.1 307 T\r\nLocation: http://h:81/a?b\r\n\r\n"},
    {"POST /a?b HTTP/1.1\r\nHost: h:81\r\n" AGENT "Content-Type: application/json\r\n" BODY,
     "HTTP/1.1 303 S\r\nLocation: e\r\n\r\n"},
    {"GET /e HTTP/1.1\r\nHost: h:81\r\n" AGENT "\r\n", "HTTP/1.1 308 P\r\nLocation: ?f#g\r\n\r\n"},
    {"GET /e?f HTTP/1.1\r\nHost: h:81\r\n" AGENT "\r\n",
     STREAM_HEAD "Content-Length: 14\r\n\r\nid: 7\ndata: \n\n"},
    {"POST /a?b HTTP/1.1\r\nHost: h:81\r\n" AGENT "Last-Event-ID: 7\r\n" OWN BODY, STREAM "id\n\n"},
    {"POST /a?b HTTP/1.1\r\nHost: h:81\r\n" AGENT OWN BODY, "HTTP/1.1 400 No\r\n\r\n"},
};

/* Relative to an URL without a path, and on TLS; the URL's own fragment is not sent. */
static const turn bare[] = {
    {"GET /?x HTTP/1.1\r\nHost: h\r\n" AGENT "\r\n", "HTTP/1.1 301 M\r\nLocation: g\r\n\r\n"},
    {"GET /g HTTP/1.1\r\nHost: h\r\n" AGENT "\r\n", "HTTP/1.1 302 M\r\nLocation: //i:443?y\r\n\r\n"},
    {"GET /?y HTTP/1.1\r\nHost: i\r\n" AGENT "\r\n", "HTTP/1.1 307 M\r\nLocation: ../z/\r\n\r\n"},
    {"GET /z/ HTTP/1.1\r\nHost: i\r\n" AGENT "\r\n", "HTTP/1.1 302 M\r\nLocation: HTTP://i/\r\n\r\n"},
};

static void check_request(weir_sse_source *s, const char *wanted)
{
    uint8_t bytes[512];
    weir_out out = {bytes, strlen(wanted) - 1};
    assert_int_equal(weir_sse_source_request_size(s), strlen(wanted));
    assert_int_equal(weir_sse_source_request(s, &out), WEIR_ERR_SPACE);
    assert_ptr_equal(out.ptr, bytes);
    out.len++;
    assert_int_equal(weir_sse_source_request(s, &out), 0);
    assert_int_equal(out.len, 0);
    assert_str(((weir_str){bytes, strlen(wanted)}), wanted);
    out = (weir_out){bytes, sizeof bytes};
    assert_int_equal(weir_sse_source_request(s, &out), 0); /* as often as wanted */
    assert_int_equal(out.len, sizeof bytes - strlen(wanted));
}

static void check_conversation(const weir_sse_source_cfg *cfg, const turn *turns, size_t count, int err)
{
    for (size_t step = 1; step <= 256; step++) {
        weir_sse_source s;
        uint64_t now = 0;
        source_start(&s, cfg, now);
        for (size_t i = 0; i < count; i++) {
            check_request(&s, turns[i].request);
            give(&s, turns[i].response, step, now);
            end(&s, now);
            weir_sse_step what = weir_sse_source_poll(&s, now);
            if (what == WEIR_SSE_DISCONNECT)
                what = weir_sse_source_poll(&s, now);
            if (what == WEIR_SSE_CARRY_ON) {
                now = weir_sse_source_deadline(&s);
                what = weir_sse_source_poll(&s, now);
            }
            assert_int_equal(what, i + 1 < count ? WEIR_SSE_CONNECT : WEIR_SSE_FINISHED);
        }
        assert_int_equal(weir_sse_source_error(&s), err);
    }
}

static void test_conversations(void **state)
{
    (void)state;
    const weir_http_field fields[] = {{weir_cstr("Authorization"), weir_cstr("Bearer x")},
                                      {weir_cstr("content-type"), weir_cstr("text/plain")}};
    weir_sse_source_cfg cfg = source_cfg("http://h:81/a?b");
    cfg.fields = fields;
    cfg.field_count = COUNT(fields);
    cfg.body = weir_cstr("hi");
    check_conversation(&cfg, abroad, COUNT(abroad), WEIR_ERR_SSE_STATUS);
    cfg = source_cfg("https://h?x#y");
    check_conversation(&cfg, bare, COUNT(bare), WEIR_ERR_SSE_REDIRECT);
}

/* ---- Storages --------------------------------------------------------------------------------------- */

/* With limits of one's own: every size below the needed one is refused, and in the exact one a redirect's
 * URL may have max_url bytes, in turn in both of its places, next to a last event ID and a head that fill
 * theirs. */
static void test_tight_storage(void **state)
{
    (void)state;
    enum { MAX_URL = 40, MAX_ID = 5, NEEDED = 2 * MAX_URL + 2 * MAX_ID + 7 + MAX_ID + 2 + 256 };
    weir_sse_source_cfg cfg = source_cfg("http://h/");
    cfg.max_url = MAX_URL;
    cfg.parser.max_id = MAX_ID;
    cfg.parser.max_type = 7;
    cfg.parser.max_comment = 7;
    cfg.parser.last_event_id = weir_cstr("12345");
    for (size_t len = 0; len <= NEEDED; len++)
        for (unsigned at_start = 0; at_start < 2; at_start++) {
            weir_sse_source s;
            uint8_t *room = guard_copy(NULL, len, at_start != 0);
            assert_int_equal(weir_sse_source_init(&s, room, len, &cfg), len < NEEDED ? WEIR_ERR_SPACE : 0);
            for (unsigned n = 0; n < 20 && len == NEEDED; n++) {
                assert_int_equal(weir_sse_source_poll(&s, 0), WEIR_SSE_CONNECT);
                give(&s, "HTTP/1.1 307 T\r\nLocation: 0123456789012345678901234567890\r\n\r\n", 7, 0);
                assert_int_equal(weir_sse_source_uri(&s)->path.len, 32);
                assert_str(weir_sse_source_last_id(&s), "12345");
            }
            guard_free(room);
        }
}

static void test_url_limits(void **state)
{
    (void)state;
    static const struct {
        const char *location;
        size_t shortest; /* max_url that suffices */
    } rows[] = {{"http://h/123", 12}, {"//h/123", 12},   {"/123", 12},     {"1/../123", 17},
                {"/123#456", 12},     {"?123", 13},      {"#", 9},         {"http://h", 8},
                {"//h?", 9},          {"/./1/../2", 17}, {"/1?2/../3", 17}};
    for (size_t i = 0; i < COUNT(rows); i++)
        for (uint32_t max_url = 0; max_url < 24; max_url++) {
            weir_sse_source s;
            char text[128] = "HTTP/1.1 301 M\r\nLocation: ";
            weir_sse_source_cfg cfg = source_cfg("http://h/");
            cfg.max_url = max_url;
            source_start(&s, &cfg, 0);
            strcat(strcat(text, rows[i].location), "\r\n\r\n");
            give(&s, text, 3, 0);
            if (max_url >= rows[i].shortest) {
                assert_int_equal(weir_sse_source_poll(&s, 0), WEIR_SSE_CONNECT);
                continue;
            }
            assert_int_equal(weir_sse_source_poll(&s, 0), WEIR_SSE_FINISHED);
            assert_int_equal(weir_sse_source_error(&s), WEIR_ERR_SSE_REDIRECT);
        }
}

static void test_init_refuses(void **state)
{
    (void)state;
    weir_sse_source s;
    weir_sse_source_cfg cfg = source_cfg("http://h/");
    cfg.body_type = NULL;
    assert_int_equal(weir_sse_source_init(&s, storage, sizeof storage, &cfg), WEIR_ERR_ARG);
    cfg = source_cfg("http://h/");
    cfg.retry_min_ms = 300001;
    assert_int_equal(weir_sse_source_init(&s, storage, sizeof storage, &cfg), WEIR_ERR_ARG);
    cfg.retry_max_ms = 300001;
    assert_int_equal(weir_sse_source_init(&s, storage, sizeof storage, &cfg), 0);
    assert_int_equal(weir_sse_source_retry(&s), 300001);
    cfg.parser.last_event_id = weir_cstr("a\nb");
    assert_int_equal(weir_sse_source_init(&s, storage, sizeof storage, &cfg), WEIR_ERR_ARG);
    /* One that was refused is over, and not a trap. */
    assert_int_equal(weir_sse_source_poll(&s, 0), WEIR_SSE_FINISHED);
}

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
    assert_int_equal(weir_sse_source_init(s, storage, sizeof storage, &cfg), 0);
    if (where == NEW)
        return;
    assert_int_equal(weir_sse_source_poll(s, 100), WEIR_SSE_CONNECT);
    give(s, heard[where], 512, 100);
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

        bring(&s, (place)where);
        assert_int_equal(end(&s, 100), places[where].ending);
        assert_int_equal(end(&s, 100), 0);
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
        assert_int_equal(give(s, STREAM "data: y\n\n", 9, 200), 0);
        assert_int_equal(weir_sse_source_next(s, &none, 200, &item), 0);
        assert_int_equal(end(s, 200), 0);
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
        end(&s, 100);
        check_closed(&s);
    }
}

/* There is a request while a response is awaited, at no other time. */
static void test_request_state(void **state)
{
    (void)state;
    for (unsigned where = 0; where < PLACES; where++) {
        weir_sse_source s;
        uint8_t bytes[256];
        weir_out out = {bytes, sizeof bytes};
        bring(&s, (place)where);
        assert_int_equal(weir_sse_source_request(&s, &out), where == ASKED ? 0 : WEIR_ERR_STATE);
        assert_int_equal(out.len == sizeof bytes, where != ASKED);
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
    give(&s, STREAM "data: x\nretry: 7000", 5, 0);
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
    give(&s, STREAM "retry: 99999999999999999999\n", 3, 1000);
    assert_true(weir_sse_source_retry(&s) == UINT64_MAX);
    assert_true(weir_sse_source_deadline(&s) == UINT64_MAX);
    end(&s, UINT64_MAX - 9);
    assert_true(weir_sse_source_deadline(&s) == UINT64_MAX);
    assert_int_equal(weir_sse_source_poll(&s, UINT64_MAX - 1), WEIR_SSE_CARRY_ON);

    cfg.flags = WEIR_SSE_RETRY_BUSY;
    source_start(&s, &cfg, 1000);
    give(&s, "HTTP/1.1 503 No\r\nRetry-After: 18446744073709551\r\n\r\n", 512, 1000);
    assert_int_equal(weir_sse_source_poll(&s, 1000), WEIR_SSE_DISCONNECT);
    assert_true(weir_sse_source_deadline(&s) == UINT64_MAX);
    source_start(&s, &cfg, 1000);
    give(&s, "HTTP/1.1 503 No\r\nRetry-After: 18446744073709550\r\n\r\n", 512, 1000);
    assert_int_equal(weir_sse_source_poll(&s, 1000), WEIR_SSE_DISCONNECT);
    assert_true(weir_sse_source_deadline(&s) == UINT64_C(18446744073709551000));
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
        end(&s, 50);
        assert_int_equal(weir_sse_source_deadline(&s), 50);
        assert_int_equal(weir_sse_source_poll(&s, 50), WEIR_SSE_CONNECT);
    }
    give(&s, STREAM, 1, 50); /* with stable_ms 0 each stream is one that lasted */
    end(&s, 50);
    assert_int_equal(weir_sse_source_poll(&s, 50), WEIR_SSE_CONNECT);
    for (unsigned n = 1; n < 1000; n++) {
        end(&s, 50);
        assert_int_equal(weir_sse_source_poll(&s, 50), WEIR_SSE_CONNECT);
    }
    end(&s, 50);
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
    give(&s, STREAM "retry: 400\n", 1, 20);
    assert_int_equal(weir_sse_source_retry(&s), 400);
    end(&s, 30);
    assert_int_equal(weir_sse_source_deadline(&s), 50400); /* it did not last: a failure, the first */
    assert_int_equal(weir_sse_source_poll(&s, 40), WEIR_SSE_CARRY_ON);
    assert_int_equal(weir_sse_source_poll(&s, 50400), WEIR_SSE_CONNECT);
    end(&s, 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversations),   cmocka_unit_test(test_tight_storage),
        cmocka_unit_test(test_url_limits),      cmocka_unit_test(test_init_refuses),
        cmocka_unit_test(test_places),          cmocka_unit_test(test_close_everywhere),
        cmocka_unit_test(test_request_state),   cmocka_unit_test(test_close_inside_the_end),
        cmocka_unit_test(test_endless_spans),   cmocka_unit_test(test_no_spans),
        cmocka_unit_test(test_clock_goes_back), cmocka_unit_test(test_late_poll),
    };
    return cmocka_run_group_tests_name("sse_source_time", tests, NULL, NULL);
}
