/* SPDX-License-Identifier: MIT */
/* test_sse_source_bytes.c - the event source's requests byte by byte, and the storage it may touch. */
#include "check.h"
#include "harness.h"
#include "source_script.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define STREAM_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
#define STREAM STREAM_HEAD "\r\n"
#define AGENT "Accept: text/event-stream\r\nCache-Control: no-cache\r\n"

/* ---- Conversations ---------------------------------------------------------------------------------- */

/* What the source says on each connection, byte by byte, and what it hears. */
typedef struct turn {
    const char *request, *response;
} turn;

#define KEY "Authorization: Bearer x\r\n"
#define ABOUT \
    "content-type: text/plain\r\nContent-Encoding: gzip\r\nCONTENT-LANGUAGE: de\r\nContent-Location: /x\r\n"
#define OWN KEY ABOUT "Content-Disposition: inline\r\n"
#define BODY "Content-Length: 2\r\n\r\nhi"

/* Fields and method on a way that leaves the origin and comes back, and the next attempt as the first. What
 * describes the body goes where it goes (RFC 9110 15.4), the other fields stay at home. */
static const turn abroad[] = {
    {"POST /a?b HTTP/1.1\r\nHost: h:81\r\n" AGENT OWN BODY,
     "HTTP/1.1 307 T\r\nLocation: //H:81/c/./d\r\n\r\n"},
    {"POST /c/d HTTP/1.1\r\nHost: H:81\r\n" AGENT OWN BODY, "HTTP/1.1 308 P\r\nLocation: http://h/\r\n\r\n"},
    {"POST / HTTP/1.1\r\nHost: h\r\n" AGENT ABOUT BODY,
     "HTTP/1.1 307 T\r\nLocation: http://h:81/a?b\r\n\r\n"},
    {"POST /a?b HTTP/1.1\r\nHost: h:81\r\n" AGENT ABOUT BODY, "HTTP/1.1 303 S\r\nLocation: e\r\n\r\n"},
    {"GET /e HTTP/1.1\r\nHost: h:81\r\n" AGENT "\r\n", "HTTP/1.1 308 P\r\nLocation: ?f#g\r\n\r\n"},
    {"GET /e?f HTTP/1.1\r\nHost: h:81\r\n" AGENT "\r\n",
     STREAM_HEAD "Content-Length: 14\r\n\r\nid: 7\ndata: \n\n"},
    {"POST /a?b HTTP/1.1\r\nHost: h:81\r\n" AGENT "Last-Event-ID: 7\r\n" OWN BODY, STREAM "id\n\n"},
    {"POST /a?b HTTP/1.1\r\nHost: h:81\r\n" AGENT OWN BODY, "HTTP/1.1 302 F\r\nLocation: /f\r\n\r\n"},
    {"GET /f HTTP/1.1\r\nHost: h:81\r\n" AGENT KEY "Content-Disposition: inline\r\n\r\n",
     "HTTP/1.1 400 No\r\n\r\n"},
};

/* The same when the caller's fields are kept: with the body all of them go along, without it those that
 * describe it stay behind. */
static const turn abroad_kept[] = {
    {"POST /a?b HTTP/1.1\r\nHost: h:81\r\n" AGENT OWN BODY, "HTTP/1.1 307 T\r\nLocation: //g/\r\n\r\n"},
    {"POST / HTTP/1.1\r\nHost: g\r\n" AGENT OWN BODY, "HTTP/1.1 301 T\r\nLocation: //f/\r\n\r\n"},
    {"GET / HTTP/1.1\r\nHost: f\r\n" AGENT KEY "Content-Disposition: inline\r\n\r\n",
     "HTTP/1.1 400 No\r\n\r\n"},
};

/* A request that never had a body keeps whatever fields it has, on its origin. */
static const turn bodiless[] = {
    {"GET /a?b HTTP/1.1\r\nHost: h:81\r\n" AGENT OWN "\r\n", "HTTP/1.1 301 M\r\nLocation: /c\r\n\r\n"},
    {"GET /c HTTP/1.1\r\nHost: h:81\r\n" AGENT OWN "\r\n", "HTTP/1.1 307 M\r\nLocation: //g\r\n\r\n"},
    {"GET / HTTP/1.1\r\nHost: g\r\n" AGENT "\r\n", "HTTP/1.1 400 No\r\n\r\n"},
};

/* Relative to an URL without a path, and on TLS; the URL's own fragment is not sent. */
static const turn bare[] = {
    {"GET /?x HTTP/1.1\r\nHost: h\r\n" AGENT "\r\n", "HTTP/1.1 301 M\r\nLocation: g\r\n\r\n"},
    {"GET /g HTTP/1.1\r\nHost: h\r\n" AGENT "\r\n", "HTTP/1.1 302 M\r\nLocation: //i:443?y\r\n\r\n"},
    {"GET /?y HTTP/1.1\r\nHost: i\r\n" AGENT "\r\n", "HTTP/1.1 307 M\r\nLocation: ../z/\r\n\r\n"},
    {"GET /z/ HTTP/1.1\r\nHost: i\r\n" AGENT "\r\n", "HTTP/1.1 307 M\r\nLocation: :./\r\n\r\n"},
    {"GET /z/:./ HTTP/1.1\r\nHost: i\r\n" AGENT "\r\n", "HTTP/1.1 302 M\r\nLocation: HTTP://i/\r\n\r\n"},
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

/* The source at another address: it may be moved between calls. */
static weir_sse_source *moved(weir_sse_source *s)
{
    weir_sse_source *to = malloc(sizeof *to);
    assert_non_null(to);
    memcpy(to, s, sizeof *to);
    memset(s, 0xDD, sizeof *s);
    free(s);
    return to;
}

/* As source_give, the source moved between the pieces. */
static weir_sse_source *give_moving(weir_sse_source *s, const char *text, size_t step, uint64_t now)
{
    char piece[257] = "";
    for (size_t len = strlen(text), at = 0; at < len; at += step) {
        size_t n = len - at < step ? len - at : step;
        memcpy(piece, text + at, n);
        piece[n] = '\0';
        s = moved(s);
        source_give(s, piece, step, now);
    }
    return moved(s);
}

static void check_conversation(const weir_sse_source_cfg *cfg, const turn *turns, size_t count, int err)
{
    for (size_t step = 1; step <= 256; step++) {
        weir_sse_source *s = malloc(sizeof *s);
        uint64_t now = 0;
        assert_non_null(s);
        source_start(s, cfg, now);
        for (size_t i = 0; i < count; i++) {
            s = moved(s);
            check_request(s, turns[i].request);
            s = give_moving(s, turns[i].response, step, now);
            source_end(s, now);
            s = moved(s);
            weir_sse_step what = weir_sse_source_poll(s, now);
            if (what == WEIR_SSE_DISCONNECT)
                what = weir_sse_source_poll(s, now);
            if (what == WEIR_SSE_CARRY_ON) {
                now = weir_sse_source_deadline(s);
                s = moved(s);
                what = weir_sse_source_poll(s, now);
            }
            assert_int_equal(what, i + 1 < count ? WEIR_SSE_CONNECT : WEIR_SSE_FINISHED);
        }
        assert_int_equal(weir_sse_source_error(s), err);
        free(s);
    }
}

static void test_conversations(void **state)
{
    (void)state;
    const weir_http_field fields[] = {{weir_cstr("Authorization"), weir_cstr("Bearer x")},
                                      {weir_cstr("content-type"), weir_cstr("text/plain")},
                                      {weir_cstr("Content-Encoding"), weir_cstr("gzip")},
                                      {weir_cstr("CONTENT-LANGUAGE"), weir_cstr("de")},
                                      {weir_cstr("Content-Location"), weir_cstr("/x")},
                                      {weir_cstr("Content-Disposition"), weir_cstr("inline")}};
    weir_sse_source_cfg cfg = source_cfg("http://h:81/a?b");
    cfg.fields = fields;
    cfg.field_count = COUNT(fields);
    check_conversation(&cfg, bodiless, COUNT(bodiless), WEIR_ERR_SSE_STATUS);
    cfg.body = weir_cstr("hi");
    check_conversation(&cfg, abroad, COUNT(abroad), WEIR_ERR_SSE_STATUS);
    cfg.flags = WEIR_SSE_KEEP_FIELDS;
    check_conversation(&cfg, abroad_kept, COUNT(abroad_kept), WEIR_ERR_SSE_STATUS);
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
                source_give(&s, "HTTP/1.1 307 T\r\nLocation: 0123456789012345678901234567890\r\n\r\n", 7, 0);
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
            char text[128];
            weir_sse_source_cfg cfg = source_cfg("http://h/");
            cfg.max_url = max_url;
            source_start(&s, &cfg, 0);
            (void)snprintf(text, sizeof text, "HTTP/1.1 301 M\r\nLocation: %s\r\n\r\n", rows[i].location);
            source_give(&s, text, 3, 0);
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
    assert_int_equal(weir_sse_source_init(&s, source_storage, sizeof source_storage, &cfg), WEIR_ERR_ARG);
    cfg = source_cfg("http://h/");
    cfg.retry_min_ms = 300001;
    assert_int_equal(weir_sse_source_init(&s, source_storage, sizeof source_storage, &cfg), WEIR_ERR_ARG);
    cfg.retry_max_ms = 300001;
    assert_int_equal(weir_sse_source_init(&s, source_storage, sizeof source_storage, &cfg), 0);
    assert_int_equal(weir_sse_source_retry(&s), 300001);
    cfg.parser.last_event_id = weir_cstr("a\nb");
    assert_int_equal(weir_sse_source_init(&s, source_storage, sizeof source_storage, &cfg), WEIR_ERR_ARG);
    /* One that was refused is over, and not a trap. */
    assert_int_equal(weir_sse_source_poll(&s, 0), WEIR_SSE_FINISHED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversations),
        cmocka_unit_test(test_tight_storage),
        cmocka_unit_test(test_url_limits),
        cmocka_unit_test(test_init_refuses),
    };
    return cmocka_run_group_tests_name("sse_source_bytes", tests, NULL, NULL);
}
