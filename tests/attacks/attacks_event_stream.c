/* SPDX-License-Identifier: MIT */
/*
 * attacks_event_stream.c - known weaknesses of event streams at both ends (WHATWG HTML 9.2), one test each.
 *
 * What cannot arise here: state that grows with the number of fields or pieces (the storage is all, and its
 * size is the program's choice; tests/unit/test_sse_limits.c pours streams without an end); a retry that is
 * not a number (it is an integer).
 */
#include "check.h"
#include "harness.h"
#include "weir/sse.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROOM = 4096 };

/* ---- A receiver ----------------------------------------------------------------------------------- */

typedef struct receiver {
    weir_sse_parser parser;
    uint8_t storage[WEIR_SSE_STORAGE(ROOM)];
    unsigned events, ids, retries, comments, skipped, aborted;
    uint8_t data[ROOM]; /* of the latest event */
    size_t data_len;
} receiver;

static receiver *receiver_new(uint32_t flags, size_t max_event)
{
    receiver *r = calloc(1, sizeof *r);
    assert_non_null(r);
    const weir_sse_parser_cfg cfg = {.flags = flags, .max_event = max_event};
    assert_int_equal(weir_sse_parser_init(&r->parser, r->storage, sizeof r->storage, &cfg), 0);
    return r;
}

static void receiver_item(receiver *r, const weir_sse_item *item)
{
    r->events += item->kind == WEIR_SSE_EVENT;
    r->ids += item->kind == WEIR_SSE_ID;
    r->retries += item->kind == WEIR_SSE_RETRY;
    r->comments += item->kind == WEIR_SSE_COMMENT;
    r->skipped += item->kind == WEIR_SSE_SKIPPED;
    r->aborted += item->kind == WEIR_SSE_ABORTED;
    if (item->kind == WEIR_SSE_EVENT) {
        assert_true(item->data.len <= sizeof r->data);
        if (item->data.len != 0)
            memcpy(r->data, item->data.ptr, item->data.len);
        r->data_len = item->data.len;
    }
}

static int receiver_hear(receiver *r, const void *bytes, size_t len)
{
    uint8_t *copy = guard_copy(bytes, len, false);
    weir_in in = {copy, len};
    weir_sse_item item;
    int rv;
    while ((rv = weir_sse_next(&r->parser, &in, &item)) > 0)
        receiver_item(r, &item);
    guard_free(copy);
    return rv;
}

static void receiver_end(receiver *r)
{
    weir_sse_item item;
    while (weir_sse_eof(&r->parser, &item) > 0)
        receiver_item(r, &item);
}

/* ---- Writers that let others write ----------------------------------------------------------------- */

static const char *const line_ends[] = {"\n", "\r", "\r\n", "\n\n", "\r\r", "\r\n\r\n", "\n\r"};
static const char *const smuggled[] = {"data: evil", "event: evil", "id: evil", "retry: 1",
                                       ":evil",      "evil",        ""};
enum { LINE_ENDS = sizeof line_ends / sizeof *line_ends, SMUGGLED = sizeof smuggled / sizeof *smuggled };

/* A line end in a type, an ID, data or a comment begins a field, or an event, of the visitor's making. */
static void test_line_ends_smuggle_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < LINE_ENDS; i++)
        for (size_t j = 0; j < SMUGGLED; j++) {
            char text[64];
            uint8_t bytes[512];
            weir_out out = {bytes, sizeof bytes};
            snprintf(text, sizeof text, "a%s%s%sb", line_ends[i], smuggled[j], line_ends[i]);
            weir_sse_event ev = {.type = weir_cstr(text), .data = weir_cstr("x")};
            assert_int_equal(weir_sse_event_write(&out, &ev), WEIR_ERR_SSE_TYPE);
            ev = (weir_sse_event){.id = weir_cstr(text), .data = weir_cstr("x")};
            assert_int_equal(weir_sse_event_write(&out, &ev), WEIR_ERR_SSE_ID);
            assert_int_equal(out.len, sizeof bytes);

            receiver *r = receiver_new(WEIR_SSE_COMMENTS, 0);
            ev = (weir_sse_event){.data = weir_cstr(text)};
            assert_int_equal(weir_sse_event_write(&out, &ev), 0);
            assert_int_equal(receiver_hear(r, bytes, sizeof bytes - out.len), 0);
            assert_int_equal(r->events, 1);
            assert_int_equal(r->ids + r->retries + r->comments, 0);
            assert_int_equal(weir_sse_last_id(&r->parser).len, 0);
            assert_non_null(strstr((const char *)memchr(r->data, '\n', r->data_len), smuggled[j]));

            out = (weir_out){bytes, sizeof bytes};
            assert_int_equal(weir_sse_comment_write(&out, weir_cstr(text)), 0);
            assert_int_equal(receiver_hear(r, bytes, sizeof bytes - out.len), 0);
            assert_int_equal(r->events, 1);
            assert_int_equal(r->ids + r->retries, 0);
            free(r);
        }
}

/* Data that begins like a comment or a field, or with the space that readers drop, arrives as it is. */
static void test_data_that_looks_like_syntax(void **state)
{
    static const char *const texts[] = {
        ":a", " a", "  ", ": ", "data: a", "id: 1", "retry: 5", "\xEF\xBB\xBFz", ""};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint8_t bytes[128];
        weir_out out = {bytes, sizeof bytes};
        receiver *r = receiver_new(0, 0);
        const weir_sse_event ev = {.data = weir_cstr(texts[i])};
        assert_int_equal(weir_sse_event_write(&out, &ev), 0);
        assert_int_equal(receiver_hear(r, bytes, sizeof bytes - out.len), 0);
        assert_int_equal(r->events, 1);
        assert_int_equal(r->data_len, strlen(texts[i]));
        assert_memory_equal(r->data, texts[i], r->data_len);
        assert_int_equal(r->ids + r->retries, 0);
        free(r);
    }
}

/* ---- Half events ---------------------------------------------------------------------------------- */

static const char json_event[] = "id: 7\ndata: {\"amount\": 1000,\ndata:  \"to\": \"a\"}\n\n";

/* A connection that is cut delivers half an event as a whole one. */
static void test_cut_connection(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof json_event - 1; len++) {
        receiver *r = receiver_new(0, 0);
        assert_int_equal(receiver_hear(r, json_event, len), 0);
        receiver_end(r);
        assert_int_equal(r->events + r->ids, 0);
        assert_int_equal(r->aborted, len != 0);
        assert_int_equal(weir_sse_last_id(&r->parser).len, 0);
        free(r);
    }
    receiver *r = receiver_new(0, 0);
    assert_int_equal(receiver_hear(r, json_event, sizeof json_event - 1), 0);
    receiver_end(r);
    assert_int_equal(r->events, 1);
    assert_int_equal(r->aborted, 0);
    free(r);
}

/* An event over the limit is delivered cut off, or its rest as an event of its own. */
static void test_event_over_the_limit(void **state)
{
    (void)state;
    for (size_t limit = 1; limit < 30; limit++) {
        receiver *r = receiver_new(WEIR_SSE_SKIP, limit);
        for (size_t i = 0; i < sizeof json_event - 1; i++)
            assert_int_equal(receiver_hear(r, json_event + i, 1), 0);
        receiver_end(r);
        assert_int_equal(r->events + r->skipped, 1);
        assert_int_equal(r->events, limit >= 28);
        assert_int_equal(r->aborted, 0);
        free(r);
        r = receiver_new(0, limit);
        int rv = receiver_hear(r, json_event, sizeof json_event - 1);
        assert_int_equal(rv, limit >= 28 ? 0 : WEIR_ERR_SSE_EVENT_SIZE);
        assert_int_equal(receiver_hear(r, "\n\ndata: x\n\n", 11), rv);
        assert_int_equal(r->events, limit >= 28 ? 2 : 0);
        free(r);
    }
}

/* ---- Floods --------------------------------------------------------------------------------------- */

/* A million fields of no bytes: what is kept for each of them grows past every limit of bytes. */
static void test_million_empty_fields(void **state)
{
    static const char *const fields[] = {"data\n", "data:\n", "id\n", "event\n", ":\n", "x\n", "retry\n"};
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        receiver *r = receiver_new(i % 2 != 0 ? WEIR_SSE_SKIP : 0, ROOM);
        bool data = fields[i][0] == 'd';
        size_t len = strlen(fields[i]);
        char many[7000];
        int rv = 0;
        for (size_t k = 0; k < 1000; k++)
            memcpy(many + k * len, fields[i], len);
        for (size_t n = 0; n < 1000 && rv == 0; n++)
            rv = receiver_hear(r, many, 1000 * len);
        assert_int_equal(rv, data && i % 2 == 0 ? WEIR_ERR_SSE_EVENT_SIZE : 0);
        if (rv == 0)
            assert_int_equal(receiver_hear(r, "\n", 1), 0);
        assert_int_equal(r->skipped, data && i % 2 != 0);
        assert_int_equal(r->events, 0);
        free(r);
    }
}

/* A stream of comments alone passes as a sign of life, and as nothing else. */
static void test_comments_are_no_events(void **state)
{
    (void)state;
    receiver *r = receiver_new(WEIR_SSE_COMMENTS, 0);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(receiver_hear(r, ":data: x\n\n: event: y\r\r", 22), 0);
    assert_int_equal(r->comments, 2000);
    assert_int_equal(r->events + r->ids + r->aborted, 0);
    free(r);
}

/* What one stream left in the storage shows in the next that uses it. */
static void test_storage_of_somebody_else(void **state)
{
    (void)state;
    receiver *r = receiver_new(0, 0);
    assert_int_equal(receiver_hear(r, "id: secret\nevent: secret\ndata: secret\n\ndata: secret", 52), 0);
    assert_int_equal(weir_sse_parser_init(&r->parser, r->storage, sizeof r->storage, NULL), 0);
    assert_int_equal(weir_sse_last_id(&r->parser).len, 0);
    uint8_t bytes[] = "\ndata\n\n";
    weir_in in = {bytes, sizeof bytes - 1};
    weir_sse_item item;
    assert_int_equal(weir_sse_next(&r->parser, &in, &item), WEIR_SSE_EVENT);
    assert_int_equal(item.data.len + item.id.len, 0);
    assert_str(item.type, "message");
    free(r);
}

/* ---- Servers that turn on their clients ------------------------------------------------------------- */

static uint8_t source_storage[WEIR_SSE_SOURCE_STORAGE(ROOM)];
static const char open_head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

static weir_sse_source_cfg source_cfg(void)
{
    weir_sse_source_cfg cfg;
    weir_sse_source_cfg_init(&cfg);
    cfg.url = weir_cstr("https://h/");
    return cfg;
}

static void source_start(weir_sse_source *s, const weir_sse_source_cfg *cfg)
{
    assert_int_equal(weir_sse_source_init(s, source_storage, sizeof source_storage, cfg), 0);
    assert_int_equal(weir_sse_source_poll(s, 0), WEIR_SSE_CONNECT);
}

static void source_hear(weir_sse_source *s, const void *bytes, size_t len, uint64_t now)
{
    uint8_t *copy = guard_copy(bytes, len, false);
    weir_in in = {copy, len};
    weir_sse_item item;
    while (weir_sse_source_next(s, &in, now, &item) > 0)
        continue;
    assert_int_equal(in.len, 0);
    guard_free(copy);
}

static void source_end(weir_sse_source *s, uint64_t now)
{
    weir_sse_item item;
    while (weir_sse_source_eof(s, now, &item) > 0)
        continue;
}

/* The request as text, in static memory. */
static const char *source_request(weir_sse_source *s)
{
    static char text[8192];
    weir_out out = {(uint8_t *)text, sizeof text - 1};
    assert_int_equal(weir_sse_source_request(s, &out), 0);
    *out.ptr = '\0';
    return text;
}

/* A retry of 0, below 0, or beyond what a timer holds makes a million clients come back at once; one of days
 * keeps them away. */
static void test_retry_floods_and_stalls(void **state)
{
    static const char *const retries[] = {"0",
                                          "1",
                                          "00",
                                          "-1",
                                          "2147483648",
                                          "4294967295",
                                          "4294967296",
                                          "9223372036854775808",
                                          "18446744073709551615",
                                          "18446744073709551616",
                                          "99999999999999999999999999999999999999",
                                          "1e9",
                                          "0x0",
                                          "0.0",
                                          " 0",
                                          "300001"};
    (void)state;
    for (size_t i = 0; i < sizeof retries / sizeof *retries; i++) {
        weir_sse_source s;
        char stream[128];
        const weir_sse_source_cfg cfg = source_cfg();
        source_start(&s, &cfg);
        int len = snprintf(stream, sizeof stream, "retry: %s\ndata: x\n\n", retries[i]);
        source_hear(&s, open_head, sizeof open_head - 1, 10);
        source_hear(&s, stream, (size_t)len, 10);
        source_end(&s, 10);
        assert_in_range(weir_sse_source_deadline(&s), 10 + 100, 10 + 300000);
        assert_int_equal(weir_sse_source_poll(&s, 10 + 99), WEIR_SSE_CARRY_ON);
    }
}

/* Each byte in an ID: in the next request the ID stands as it is, or not at all, and nothing else has
 * changed. */
static void test_id_smuggles_fields(void **state)
{
    (void)state;
    static char plain[8192];
    weir_sse_source s;
    const weir_sse_source_cfg cfg = source_cfg();
    source_start(&s, &cfg);
    snprintf(plain, sizeof plain, "%s", source_request(&s));
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t stream[] = "id: a?X-Evil: 1\ndata: x\n\n";
        stream[5] = (uint8_t)byte;
        source_start(&s, &cfg);
        source_hear(&s, open_head, sizeof open_head - 1, 0);
        source_hear(&s, stream, sizeof stream - 1, 0);
        source_end(&s, 0);
        assert_int_equal(weir_sse_source_poll(&s, 3000), WEIR_SSE_CONNECT);
        const char *request = source_request(&s);
        char line[64];
        bool whole = byte >= 0x20 && byte < 0x7F;
        snprintf(line, sizeof line, "Last-Event-ID: a%cX-Evil: 1\r\n", (int)byte);
        if (byte == '\r' || byte == '\n')
            snprintf(line, sizeof line, "Last-Event-ID: a\r\n");
        else if (byte == '\t')
            whole = true;
        size_t extra = whole || byte == '\r' || byte == '\n' ? strlen(line) : 0;
        assert_int_equal(strlen(request), strlen(plain) + extra);
        if (extra != 0)
            assert_non_null(strstr(request, line));
        else
            assert_string_equal(request, plain);
    }
}

/* A redirect sends the caller's credentials to the server of somebody else. */
static void test_credentials_on_another_origin(void **state)
{
    static const char *const elsewhere[] = {"https://evil/",      "//evil/",          "https://h.evil/",
                                            "https://h:444/",     "https://evil#@h/", "https://h@evil/",
                                            "https://evil:443/h", "https://hh/",      "https://xn--h/",
                                            "https://h./"};
    static const char *const here[] = {"/", "x", "?y", "https://h/", "https://H:443/", "//h/a"};
    const weir_http_field fields[] = {{weir_cstr("Authorization"), weir_cstr("secret")},
                                      {weir_cstr("Cookie"), weir_cstr("secret")},
                                      {weir_cstr("X-Api-Key"), weir_cstr("secret")}};
    const size_t many = sizeof elsewhere / sizeof *elsewhere, few = sizeof here / sizeof *here;
    (void)state;
    for (size_t i = 0; i < many + few; i++) {
        weir_sse_source s;
        char head[256];
        weir_sse_source_cfg cfg = source_cfg();
        cfg.fields = fields;
        cfg.field_count = 3;
        source_start(&s, &cfg);
        assert_non_null(strstr(source_request(&s), "secret"));
        int len = snprintf(head, sizeof head, "HTTP/1.1 307 T\r\nLocation: %s\r\n\r\n",
                           i < many ? elsewhere[i] : here[i - many]);
        source_hear(&s, head, (size_t)len, 0);
        assert_int_equal(weir_sse_source_poll(&s, 0), WEIR_SSE_CONNECT);
        if (i < many)
            assert_null(strstr(source_request(&s), "secret"));
        else
            assert_non_null(strstr(source_request(&s), "secret"));
    }
}

/* A redirect from https to http puts everything in the open, also by way of others and without a field. */
static void test_downgrade(void **state)
{
    static const char *const locations[] = {"http://h/", "HTTP://h/", "http://h:443/", "http://evil/",
                                            "ws://h/"};
    (void)state;
    for (size_t i = 0; i < sizeof locations / sizeof *locations; i++)
        for (int by_way = 0; by_way < 2; by_way++) {
            static const char first[] = "HTTP/1.1 302 T\r\nLocation: https://other/\r\n\r\n";
            weir_sse_source s;
            char head[128];
            weir_sse_source_cfg cfg = source_cfg();
            cfg.flags = WEIR_SSE_KEEP_FIELDS;
            source_start(&s, &cfg);
            if (by_way != 0) {
                source_hear(&s, first, sizeof first - 1, 0);
                assert_int_equal(weir_sse_source_poll(&s, 0), WEIR_SSE_CONNECT);
            }
            int len = snprintf(head, sizeof head, "HTTP/1.1 302 T\r\nLocation: %s\r\n\r\n", locations[i]);
            source_hear(&s, head, (size_t)len, 0);
            assert_int_equal(weir_sse_source_poll(&s, 0), WEIR_SSE_FINISHED);
            assert_int_equal(weir_sse_source_error(&s), WEIR_ERR_SSE_REDIRECT);
        }
}

/* A server that redirects for ever, each time elsewhere. */
static void test_endless_redirects(void **state)
{
    (void)state;
    weir_sse_source s;
    const weir_sse_source_cfg cfg = source_cfg();
    unsigned connections = 1;
    source_start(&s, &cfg);
    for (unsigned i = 0; i < 100; i++) {
        char head[128];
        int len = snprintf(head, sizeof head, "HTTP/1.1 302 T\r\nLocation: https://h%u/%u\r\n\r\n", i % 7, i);
        source_hear(&s, head, (size_t)len, 0);
        connections += weir_sse_source_poll(&s, 0) == WEIR_SSE_CONNECT;
    }
    assert_int_equal(connections, 21);
    assert_int_equal(weir_sse_source_error(&s), WEIR_ERR_SSE_REDIRECT);
}

/* A head, an interim answer or the body of a refusal that never ends. */
static void test_endless_answers(void **state)
{
    static const char *const begins[] = {"", "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 100 C\r\n\r\n",
                                         "HTTP/1.1 500 No\r\nX: y\r\n\r\n"};
    static const char *const units[] = {"x", "x", "HTTP/1.1 103 E\r\n\r\n", "x"};
    (void)state;
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
        weir_sse_source s;
        weir_sse_source_cfg cfg = source_cfg();
        cfg.flags = WEIR_SSE_REFUSAL_BODY;
        source_start(&s, &cfg);
        source_hear(&s, begins[i], strlen(begins[i]), 0);
        for (unsigned n = 0; n < 20000; n++)
            source_hear(&s, units[i], strlen(units[i]), 0);
        weir_sse_step what = weir_sse_source_poll(&s, 30000);
        assert_int_equal(what, i < 2 ? WEIR_SSE_CONNECT : WEIR_SSE_FINISHED);
    }
}

/* A stream that opens and ends at once, again and again, gets no faster by it. */
static void test_streams_that_end_at_once(void **state)
{
    (void)state;
    weir_sse_source s;
    const weir_sse_source_cfg cfg = source_cfg();
    uint64_t now = 0;
    source_start(&s, &cfg);
    for (unsigned i = 0; i < 20; i++) {
        source_hear(&s, open_head, sizeof open_head - 1, now);
        source_hear(&s, "retry: 0\nid: 1\n\n:\n\n", 19, now);
        source_end(&s, now);
        uint64_t wait = weir_sse_source_deadline(&s) - now;
        assert_true(wait >= (i < 9 ? UINT64_C(100) << i : 30000));
        now += wait;
        assert_int_equal(weir_sse_source_poll(&s, now), WEIR_SSE_CONNECT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_ends_smuggle_fields),
        cmocka_unit_test(test_data_that_looks_like_syntax),
        cmocka_unit_test(test_cut_connection),
        cmocka_unit_test(test_event_over_the_limit),
        cmocka_unit_test(test_million_empty_fields),
        cmocka_unit_test(test_comments_are_no_events),
        cmocka_unit_test(test_storage_of_somebody_else),
        cmocka_unit_test(test_retry_floods_and_stalls),
        cmocka_unit_test(test_id_smuggles_fields),
        cmocka_unit_test(test_credentials_on_another_origin),
        cmocka_unit_test(test_downgrade),
        cmocka_unit_test(test_endless_redirects),
        cmocka_unit_test(test_endless_answers),
        cmocka_unit_test(test_streams_that_end_at_once),
    };
    return cmocka_run_group_tests_name("attacks_event_stream", tests, NULL, NULL);
}
