/* SPDX-License-Identifier: MIT */
/* test_sse_request.c - requests for an event stream, the reply's head, framing for each listener. */
#include "check.h"
#include "harness.h"
#include "weir/sse.h"

#include <stdio.h>

/* A request's head as the parser gives it; the fields are `lines`, after Host. */
static weir_http_head head_of(const char *method, unsigned minor, const char *lines)
{
    static uint8_t bytes[8192], storage[8192];
    weir_http http;
    weir_http_head head;
    int len = snprintf((char *)bytes, sizeof bytes, "%s /events HTTP/1.%u\r\nHost: a\r\n%s\r\n", method,
                       minor, lines);
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL), 0);
    weir_in in = {bytes, (size_t)len};
    int rv = weir_http_next(&http, &in, &head);
    if (rv != 1)
        fail_msg("%s: %s", lines, weir_err_lookup(rv)->name);
    return head;
}

static weir_sse_request request_of(const char *method, unsigned minor)
{
    weir_http_head head = head_of(method, minor, "");
    weir_sse_request req;
    memset(&req, 0x55, sizeof req);
    assert_int_equal(weir_sse_request_read(&head, 0, &req), 0);
    return req;
}

static void test_methods(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        uint32_t flags;
        int wanted;
        bool head_only;
    } cases[] = {
        {"GET", 0, 0, false},
        {"HEAD", 0, 0, true},
        {"GET", WEIR_SSE_ALLOW_POST, 0, false},
        {"HEAD", WEIR_SSE_ALLOW_POST, 0, true},
        {"POST", WEIR_SSE_ALLOW_POST, 0, false},
        {"POST", 0, WEIR_ERR_SSE_METHOD, false},
        {"PUT", WEIR_SSE_ALLOW_POST, WEIR_ERR_SSE_METHOD, false},
        {"get", 0, WEIR_ERR_SSE_METHOD, false},
        {"head", 0, WEIR_ERR_SSE_METHOD, false},
        {"post", WEIR_SSE_ALLOW_POST, WEIR_ERR_SSE_METHOD, false},
        {"POST", WEIR_SSE_ALLOW_POST << 1, WEIR_ERR_SSE_METHOD, false},
        {"OPTIONS", WEIR_SSE_ALLOW_POST, WEIR_ERR_SSE_METHOD, false},
        {"GETX", 0, WEIR_ERR_SSE_METHOD, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weir_http_head head = head_of(cases[i].method, 1, "");
        weir_sse_request req;
        assert_int_equal(weir_sse_request_read(&head, cases[i].flags, &req), cases[i].wanted);
        if (cases[i].wanted == 0)
            assert_int_equal(req.head_only, cases[i].head_only);
    }
}

static void test_versions(void **state)
{
    (void)state;
    assert_true(request_of("GET", 1).chunked);
    assert_true(request_of("GET", 2).chunked);
    assert_false(request_of("GET", 0).chunked);
    assert_absent(request_of("GET", 1).last_event_id);
}

static void check_accept(const char *lines, bool allowed)
{
    weir_http_head head = head_of("GET", 1, lines);
    weir_sse_request req;
    int rv = weir_sse_request_read(&head, 0, &req);
    if (rv != (allowed ? 0 : WEIR_ERR_SSE_ACCEPT))
        fail_msg("%s: %s", lines, weir_err_lookup(rv)->name);
}

/* RFC 9110 12.5.1 */
static void test_accept(void **state)
{
    (void)state;
    check_accept("", true);
    check_accept("Accept: text/event-stream\r\n", true);
    check_accept("ACCEPT:TEXT/Event-Stream\r\n", true);
    check_accept("Accept: */*\r\n", true);
    check_accept("Accept:\r\n", true);
    check_accept("Accept: ,\r\n", true);
    check_accept("Accept: text/*\r\n", true);
    check_accept("Accept: text/*;q=0.5\r\n", true);
    check_accept("Accept: text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8\r\n", true);
    check_accept("Accept: application/json, text/event-stream\r\n", true);
    check_accept("Accept: text/event-stream;charset=utf-8\r\n", true);
    check_accept("Accept: text/event-stream ; q=0.001\r\n", true);
    check_accept("Accept: text/event-stream;q=1.000\r\n", true);
    check_accept("Accept: text/html\r\nAccept: text/event-stream\r\n", true);
    check_accept("Accept: text/event-stream\r\nAccept: text/html\r\n", true);

    check_accept("Accept: text/html\r\n", false);
    check_accept("Accept: application/json\r\n", false);
    check_accept("Accept: application/*\r\n", false);
    check_accept("Accept: text/event-streamfoo\r\n", false);
    check_accept("Accept: xtext/event-stream\r\n", false);
    check_accept("Accept: text/event\r\n", false);
    check_accept("Accept: text/html\r\nAccept: application/json\r\n", false);
    check_accept("Accept: text/event-stream;q=0\r\n", false);
    check_accept("Accept: text/event-stream;q=0.0\r\n", false);
    check_accept("Accept: text/event-stream; Q=0.000\r\n", false);
    check_accept("Accept: text/event-stream ;\tq=0\r\n", false);
    check_accept("Accept: text/event-stream;charset=utf-8;q=0\r\n", false);
    check_accept("Accept: */*;q=0\r\n", false);
    check_accept("Accept: text/*;q=0\r\n", false);
    check_accept("Accept: text/event-stream;q=0;x=y\r\n", false);
    check_accept("Accept: text/event-stream;;q=0\r\n", false);
    check_accept("Accept: text/event-stream; ;q=0;\r\n", false);
    check_accept("Accept: ;text/event-stream\r\n", false);

    /* No weights of zero, so they leave the range as it is. */
    check_accept("Accept: text/event-stream;qs=0\r\n", true);
    check_accept("Accept: text/event-stream;x=0\r\n", true);
    check_accept("Accept: text/event-stream;q=\r\n", true);
    check_accept("Accept: text/event-stream;q:0\r\n", true);
    check_accept("Accept: text/event-stream;q=.0\r\n", true);
    check_accept("Accept: text/event-stream;q=00\r\n", true);
    check_accept("Accept: text/event-stream;q=0.01\r\n", true);
}

/* A semicolon inside a quoted string separates nothing (RFC 9110 5.6.4, 5.6.6), one behind it does. */
static void test_accept_quoted(void **state)
{
    (void)state;
    check_accept("Accept: text/event-stream;a=\";q=0;\"\r\n", true);
    check_accept("Accept: text/event-stream;a=\"\\\";q=0;\"\r\n", true);
    check_accept("Accept: text/event-stream;a=\"\\\\\";q=0\r\n", false);
    check_accept("Accept: text/event-stream;a=\"\\\";\";q=0;b=\";\"\r\n", false);
    check_accept("Accept: text/event-stream;a=\";\";b=\"\";q=0\r\n", false);
    check_accept("Accept: text/event-stream;a=\\\";q=0\r\n", true); /* no escape outside of quotes */
    check_accept("Accept: text/event-stream;a=\";q=0\r\n", true);   /* without its end it goes on */
    check_accept("Accept: text/event-stream;a=\";q=0\\\r\n", true);
    check_accept("Accept: \"text/event-stream;\"\r\n", false);
    check_accept("Accept: */*;q=0, text/event-stream;a=\",;q=0;\"\r\n", true);
}

/* Fields that another HTTP implementation parsed may have anything behind their values. */
static void test_accept_is_cut(void **state)
{
    (void)state;
    static const char value[] = "text/event-stream;q=0.0001";
    const size_t range = sizeof "text/event-stream" - 1;
    for (size_t len = 0; len < sizeof value; len++) {
        const weir_http_field list[] = {{weir_cstr("accept"), {(const uint8_t *)value, len}}};
        weir_http_head head = head_of("GET", 1, "");
        weir_sse_request req;
        head.fields = (weir_http_fields){{NULL, 0}, list, 1};
        bool zero = len >= range + 4 && len <= range + 8;
        assert_int_equal(weir_sse_request_read(&head, 0, &req),
                         len == 0 || (len >= range && !zero) ? 0 : WEIR_ERR_SSE_ACCEPT);
    }
}

/* The most precise range decides, in whatever order and line it comes. */
static void test_accept_precision(void **state)
{
    (void)state;
    check_accept("Accept: text/event-stream;q=0, */*\r\n", false);
    check_accept("Accept: */*, text/event-stream;q=0\r\n", false);
    check_accept("Accept: text/*, text/event-stream;q=0\r\n", false);
    check_accept("Accept: text/event-stream;q=0\r\nAccept: text/*;q=1\r\n", false);
    check_accept("Accept: text/*;q=0, */*;q=1\r\n", false);
    check_accept("Accept: */*;q=1\r\nAccept: text/*;q=0\r\n", false);
    check_accept("Accept: text/event-stream, */*;q=0\r\n", true);
    check_accept("Accept: */*;q=0, text/event-stream\r\n", true);
    check_accept("Accept: */*;q=0\r\nAccept: text/*\r\n", true);
    check_accept("Accept: text/*;q=0\r\nAccept: text/event-stream;q=0.1\r\n", true);
    check_accept("Accept: text/html;q=0, */*\r\n", true);
}

/* Of equally precise ranges one that allows it is enough. */
static void test_accept_twice(void **state)
{
    (void)state;
    check_accept("Accept: text/event-stream;q=0, text/event-stream\r\n", true);
    check_accept("Accept: text/event-stream, text/event-stream;q=0\r\n", true);
    check_accept("Accept: text/event-stream;q=0;x=1, text/event-stream;x=2;q=0\r\n", false);
    check_accept("Accept: */*;q=0\r\nAccept: */*;q=0.1\r\n", true);
    check_accept("Accept: text/html, text/html, */*;q=0\r\n", false);
}

static void check_id(const char *lines, int wanted, const char *id)
{
    weir_http_head head = head_of("GET", 1, lines);
    weir_sse_request req;
    int rv = weir_sse_request_read(&head, 0, &req);
    assert_int_equal(rv, wanted);
    if (wanted == 0 && id == NULL) {
        assert_absent(req.last_event_id);
        assert_int_equal(req.last_event_id.len, 0);
    }
    if (wanted == 0 && id != NULL)
        assert_str(req.last_event_id, id);
}

static void test_last_event_id(void **state)
{
    (void)state;
    char lines[WEIR_SSE_LAST_ID_MAX + 64], id[WEIR_SSE_LAST_ID_MAX + 8];
    check_id("Last-Event-ID: 17\r\n", 0, "17");
    check_id("last-event-id: a b,\"c\":\t;\r\n", 0, "a b,\"c\":\t;");
    check_id("Last-Event-ID: \xE2\x80\xA6\r\n", 0, "\xE2\x80\xA6");
    check_id("Last-Event-ID:\r\n", 0, NULL);
    check_id("Last-Event-ID: \t \r\n", 0, NULL);
    check_id("X-Last-Event-ID: 17\r\n", 0, NULL);
    check_id("Last-Event-ID: 1\r\nLast-Event-ID: 1\r\n", WEIR_ERR_SSE_LAST_ID, NULL);
    check_id("Last-Event-ID:\r\nX: y\r\nLAST-EVENT-ID: 1\r\n", WEIR_ERR_SSE_LAST_ID, NULL);
    check_id("Last-Event-ID: \xFF\r\n", WEIR_ERR_SSE_LAST_ID, NULL);
    check_id("Last-Event-ID: \xE2\x80\r\n", WEIR_ERR_SSE_LAST_ID, NULL);

    memset(id, 'x', sizeof id);
    snprintf(lines, sizeof lines, "Last-Event-ID: %.*s\r\n", WEIR_SSE_LAST_ID_MAX, id);
    id[WEIR_SSE_LAST_ID_MAX] = '\0';
    check_id(lines, 0, id);
    snprintf(lines, sizeof lines, "Last-Event-ID: %sy\r\n", id);
    check_id(lines, WEIR_ERR_SSE_LAST_ID, NULL);
}

static void test_order_of_faults(void **state)
{
    (void)state;
    weir_http_head head = head_of("PUT", 1, "Accept: a/b\r\nLast-Event-ID: \xFF\r\n");
    weir_sse_request req;
    assert_int_equal(weir_sse_request_read(&head, 0, &req), WEIR_ERR_SSE_METHOD);
    head = head_of("GET", 1, "Accept: a/b\r\nLast-Event-ID: \xFF\r\n");
    assert_int_equal(weir_sse_request_read(&head, 0, &req), WEIR_ERR_SSE_ACCEPT);
}

/* ---- The reply ----------------------------------------------------------------------------------- */

static weir_http_head reply_of(const weir_sse_request *req, const weir_sse_reply *reply)
{
    static uint8_t bytes[1024], storage[1024];
    memset(bytes, 0, sizeof bytes);
    weir_out out = {bytes, sizeof bytes};
    assert_int_equal(weir_sse_reply_write(&out, req, reply), 0);
    weir_http http;
    weir_http_head head;
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_RESPONSE, storage, sizeof storage, NULL), 0);
    weir_in in = {bytes, sizeof bytes - out.len};
    assert_int_equal(weir_http_next(&http, &in, &head), 1);
    assert_int_equal(in.len, 0);
    return head;
}

static void check_field(const weir_http_head *head, const char *name, const char *wanted)
{
    weir_http_fields walk = head->fields;
    weir_str value = {NULL, 0};
    bool found = weir_http_fields_find(&walk, name, &value);
    assert_int_equal(found, wanted != NULL);
    if (wanted != NULL)
        assert_str(value, wanted);
    assert_false(weir_http_fields_find(&walk, name, &value));
}

static void test_reply(void **state)
{
    (void)state;
    static const char *const methods[] = {"GET", "HEAD"};
    for (size_t i = 0; i < 4; i++) {
        weir_sse_request req = request_of(methods[i % 2], i < 2);
        weir_http_head head = reply_of(&req, NULL);
        assert_int_equal(head.status, 200);
        check_field(&head, "content-type", "text/event-stream");
        check_field(&head, "cache-control", "no-cache, no-transform");
        check_field(&head, "x-accel-buffering", "no");
        check_field(&head, "content-length", NULL);
        check_field(&head, "access-control-allow-origin", NULL);
        check_field(&head, "vary", NULL);
        check_field(&head, "transfer-encoding", i < 2 ? "chunked" : NULL);
        check_field(&head, "connection", i < 2 ? NULL : "close");
        assert_int_equal(head.framing, i < 2 ? WEIR_HTTP_CHUNKED : WEIR_HTTP_UNTIL_CLOSE);
    }
}

/* RFC 9112 9.6: who asked for the end of the connection is told that it comes. A raw stream ends with it in
 * any case, whatever an HTTP/1.0 client asked for. */
static void test_close(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        bool close[2]; /* HTTP/1.0, HTTP/1.1 */
    } cases[] = {
        {"", {true, false}},
        {"Connection: keep-alive\r\n", {true, false}},
        {"Connection: close\r\n", {true, true}},
        {"Connection: x, Close\r\n", {true, true}},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        unsigned minor = i % 2;
        weir_http_head head = head_of("GET", minor, cases[i / 2].lines);
        weir_sse_request req;
        assert_int_equal(weir_sse_request_read(&head, 0, &req), 0);
        assert_int_equal(req.close, cases[i / 2].close[minor]);
        assert_int_equal(req.chunked, minor);
        head = reply_of(&req, NULL);
        check_field(&head, "connection", req.close ? "close" : NULL);
        check_field(&head, "transfer-encoding", minor != 0 ? "chunked" : NULL);
    }
    /* The program may ask for it too; a request made by hand that is not chunked cannot do without. */
    const weir_sse_request made[] = {{.chunked = true, .close = true}, {.chunked = false}};
    for (size_t i = 0; i < 2; i++) {
        weir_http_head head = reply_of(&made[i], NULL);
        check_field(&head, "connection", "close");
    }
}

static void test_reply_additions(void **state)
{
    (void)state;
    const weir_http_field fields[] = {{weir_cstr("Set-Cookie"), weir_cstr("a=b")},
                                      {weir_cstr("X"), weir_cstr("")}};
    weir_sse_request req = request_of("GET", 1);
    weir_sse_reply reply = {weir_cstr("https://example.org"), fields, 2};
    weir_http_head head = reply_of(&req, &reply);
    check_field(&head, "access-control-allow-origin", "https://example.org");
    check_field(&head, "vary", "Origin");
    check_field(&head, "set-cookie", "a=b");
    check_field(&head, "x", "");
    check_field(&head, "content-type", "text/event-stream");

    reply.allow_origin = weir_cstr("*");
    head = reply_of(&req, &reply);
    check_field(&head, "access-control-allow-origin", "*");
    check_field(&head, "vary", NULL);
}

/* The origin often comes from the request: it must not be able to add fields. */
static void test_reply_refusals(void **state)
{
    (void)state;
    static const char *const bad[] = {"https://a\r\nX: y", "a\nb", "a\rb", " a", "a ", "a\x01", "a\x7F"};
    weir_sse_request req = request_of("GET", 1);
    uint8_t bytes[512] = {0};
    weir_out out = {bytes, sizeof bytes};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        weir_sse_reply reply = {weir_cstr(bad[i]), NULL, 0};
        assert_int_equal(weir_sse_reply_write(&out, &req, &reply), WEIR_ERR_FIELD);
        const weir_http_field field = {weir_cstr("X"), weir_cstr(bad[i])};
        reply = (weir_sse_reply){{NULL, 0}, &field, 1};
        assert_int_equal(weir_sse_reply_write(&out, &req, &reply), WEIR_ERR_FIELD);
    }
    const weir_http_field field = {weir_cstr("X:"), weir_cstr("y")};
    weir_sse_reply reply = {{NULL, 0}, &field, 1};
    assert_int_equal(weir_sse_reply_write(&out, &req, &reply), WEIR_ERR_FIELD);
    assert_int_equal(out.len, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], 0);
}

/* WEIR_SSE_REPLY_MAX suffices beside the caller's own; with less than needed nothing is written. */
static void test_reply_space(void **state)
{
    (void)state;
    const weir_http_field field = {weir_cstr("Name"), weir_cstr("value")};
    const size_t own = sizeof "Name: value\r\n" - 1 + sizeof "https://example.org" - 1;
    for (unsigned form = 0; form < 3; form++) {
        weir_sse_request req = request_of("GET", form != 0);
        req.close = form != 1;
        weir_sse_reply reply = {weir_cstr("https://example.org"), &field, 1};
        uint8_t *bytes = guard_copy(NULL, WEIR_SSE_REPLY_MAX + own, false);
        weir_out out = {bytes, WEIR_SSE_REPLY_MAX + own};
        assert_int_equal(weir_sse_reply_write(&out, &req, &reply), 0);
        size_t size = WEIR_SSE_REPLY_MAX + own - out.len;
        guard_free(bytes);
        for (size_t room = 0; room <= size; room++) {
            bytes = guard_copy(NULL, room, false);
            out = (weir_out){bytes, room};
            assert_int_equal(weir_sse_reply_write(&out, &req, &reply), room < size ? WEIR_ERR_SPACE : 0);
            assert_int_equal(out.len, room < size ? room : 0);
            for (size_t i = 0; room < size && i < room; i++)
                assert_int_equal(bytes[i], 0);
            guard_free(bytes);
        }
    }
}

/* ---- Frames -------------------------------------------------------------------------------------- */

static void check_frames(const char *method, unsigned minor, const char *wanted, const char *wanted_end)
{
    weir_sse_request req = request_of(method, minor);
    weir_str event = weir_cstr("data: a\n\n");
    size_t size = strlen(wanted), end = strlen(wanted_end);
    uint8_t room[64];
    for (size_t len = 0; len <= size; len++) {
        memset(room, 0, sizeof room);
        weir_out out = {room, len};
        assert_int_equal(weir_sse_frame(&out, &req, event), len < size ? WEIR_ERR_SPACE : 0);
        assert_int_equal(out.len, len < size ? len : 0);
        assert_int_equal(room[0] == 0, len < size || size == 0);
    }
    assert_memory_equal(room, wanted, size);
    weir_out out = {room, sizeof room};
    assert_int_equal(weir_sse_frame(&out, &req, weir_cstr("")), 0);
    assert_int_equal(weir_sse_frame(&out, &req, weir_cstr(NULL)), 0);
    assert_int_equal(out.len, sizeof room);
    for (size_t len = 0; len <= end; len++) {
        out = (weir_out){room, len};
        assert_int_equal(weir_sse_end(&out, &req), len < end ? WEIR_ERR_SPACE : 0);
        assert_int_equal(out.len, len < end ? len : 0);
    }
    assert_memory_equal(room, wanted_end, end);
    uint8_t enough[9 + WEIR_HTTP_CHUNK_OVERHEAD];
    out = (weir_out){enough, sizeof enough};
    assert_int_equal(weir_sse_frame(&out, &req, event), 0);
}

static void test_frames(void **state)
{
    (void)state;
    check_frames("GET", 1, "9\r\ndata: a\n\n\r\n", "0\r\n\r\n");
    check_frames("GET", 0, "data: a\n\n", "");
    check_frames("HEAD", 1, "", "");
    check_frames("HEAD", 0, "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods),         cmocka_unit_test(test_versions),
        cmocka_unit_test(test_accept),          cmocka_unit_test(test_accept_quoted),
        cmocka_unit_test(test_accept_is_cut),   cmocka_unit_test(test_accept_precision),
        cmocka_unit_test(test_accept_twice),    cmocka_unit_test(test_last_event_id),
        cmocka_unit_test(test_order_of_faults), cmocka_unit_test(test_reply),
        cmocka_unit_test(test_close),           cmocka_unit_test(test_reply_additions),
        cmocka_unit_test(test_reply_refusals),  cmocka_unit_test(test_reply_space),
        cmocka_unit_test(test_frames),
    };
    return cmocka_run_group_tests_name("sse_request", tests, NULL, NULL);
}
