/* SPDX-License-Identifier: MIT */
/* test_ws_attacks_handshake.c - known classes of attacks on the opening handshake, one test each. */
#include "harness.h"
#include "weir/ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Handshake ---------------------------------------------------------------------------------- */

#define REQUEST_LINES "GET / HTTP/1.1\r\nHost: h\r\n"
#define UPGRADE_LINES \
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

enum { STORAGE = 128 << 10 };

/* Reads a request that comes in pieces of `step` bytes. Returns the parser's error, or what the check of
 * the handshake says (0: accepted), or 1 while the head is not whole. *left is what stayed behind it. */
static int handshake(const char *request, size_t len, size_t step, size_t storage_len, size_t *left)
{
    static uint8_t storage[STORAGE];
    weir_http http;
    weir_http_head head;
    weir_ws_request req;
    uint8_t *copy = guard_copy(request, len, false);
    int verdict = 1;
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, storage_len, NULL), 0);
    for (size_t at = 0; at < len && verdict == 1; at += step) {
        weir_in in = {copy + at, len - at < step ? len - at : step};
        int rv = weir_http_next(&http, &in, &head);
        if (rv < 0)
            verdict = rv;
        else if (rv > 0)
            verdict = weir_ws_request_read(&head, &req);
        if (rv > 0 && left != NULL)
            *left = in.len;
    }
    guard_free(copy);
    return verdict;
}

static int handshake_with(const char *lines)
{
    char text[2048];
    int len = snprintf(text, sizeof text, REQUEST_LINES UPGRADE_LINES "%s\r\n", lines);
    return handshake(text, (size_t)len, (size_t)len, 4096, NULL);
}

/* A long field: `before`, then `count` times `unit`, then `after`. */
static char *long_request(const char *before, size_t count, const char *unit, const char *after, size_t *len)
{
    size_t unit_len = strlen(unit);
    char *text = malloc(strlen(before) + count * unit_len + strlen(after) + 1);
    assert_non_null(text);
    strcpy(text, before);
    char *at = text + strlen(before);
    for (size_t i = 0; i < count; i++, at += unit_len)
        memcpy(at, unit, unit_len);
    strcpy(at, after);
    *len = strlen(text);
    return text;
}

static int long_handshake(const char *before, size_t count, const char *unit, const char *after, size_t step,
                          size_t storage)
{
    size_t len;
    char *text = long_request(before, count, unit, after, &len);
    int rv = handshake(text, len, step != 0 ? step : len, storage, NULL);
    free(text);
    return rv;
}

/* Drafts with another length format: their handshakes are refused, so their frames are never read. */
static void test_old_drafts(void **state)
{
    static const char draft[] = REQUEST_LINES "Upgrade: WebSocket\r\nConnection: Upgrade\r\n"
                                              "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n"
                                              "Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n\r\n^n:ds[4U";
    (void)state;
    size_t left = 0;
    assert_int_equal(handshake(draft, sizeof draft - 1, sizeof draft - 1, 4096, &left), WEIR_ERR_WS_VERSION);
    assert_int_equal(left, 8);
    assert_int_equal(weir_err_lookup(WEIR_ERR_WS_VERSION)->status, 426);
}

/* Quadratic search for the end of a head that comes in single bytes. */
static void test_head_quadratic(void **state)
{
    (void)state;
    assert_int_equal(long_handshake(REQUEST_LINES UPGRADE_LINES "X: ", 100000, "x", "\r\n\r\n", 1, STORAGE),
                     0);
    assert_int_equal(long_handshake(REQUEST_LINES UPGRADE_LINES, 90, "X: y\r\n", "\r\n", 1, STORAGE), 0);
}

/* Names of extensions and parameters that a dictionary treats as its own. */
static void test_extension_names(void **state)
{
    (void)state;
    assert_int_equal(
        handshake_with("Sec-WebSocket-Extensions: constructor, __proto__, toString; valueOf=1\r\n"), 0);
    assert_int_equal(long_handshake(REQUEST_LINES UPGRADE_LINES "Sec-WebSocket-Extensions: ", 65536, "x",
                                    "\r\n\r\n", 0, STORAGE),
                     0);
}

/* Backtracking over a quoted string without end. */
static void test_extension_quotes(void **state)
{
    (void)state;
    assert_int_equal(long_handshake(REQUEST_LINES UPGRADE_LINES "Sec-WebSocket-Extensions: a; b=\"", 65536,
                                    "\\", "\r\n\r\n", 0, STORAGE),
                     WEIR_ERR_WS_EXTENSION_FORM);
    assert_int_equal(long_handshake(REQUEST_LINES UPGRADE_LINES "Sec-WebSocket-Extensions: ", 20000, "a; ",
                                    "b\r\n\r\n", 0, STORAGE),
                     0);
}

/* Backtracking over white space in a list of subprotocols; and a list that is compared with itself. */
static void test_protocol_spaces(void **state)
{
    (void)state;
    assert_int_equal(long_handshake(REQUEST_LINES UPGRADE_LINES "Sec-WebSocket-Protocol: a", 65536, " ",
                                    ", b\r\n\r\n", 0, STORAGE),
                     0);
    assert_int_equal(long_handshake(REQUEST_LINES UPGRADE_LINES "Sec-WebSocket-Protocol: a", 65536, " ",
                                    "b\r\n\r\n", 0, STORAGE),
                     WEIR_ERR_WS_PROTOCOL);
    assert_int_equal(long_handshake(REQUEST_LINES UPGRADE_LINES "Sec-WebSocket-Protocol: a", 30000, ",a",
                                    "\r\n\r\n", 0, STORAGE),
                     WEIR_ERR_WS_PROTOCOL);
}

/* More fields than the server takes, its object left half made. */
static void test_field_count(void **state)
{
    (void)state;
    assert_int_equal(long_handshake(REQUEST_LINES UPGRADE_LINES, 95, "X: y\r\n", "\r\n", 0, STORAGE), 0);
    assert_int_equal(long_handshake(REQUEST_LINES UPGRADE_LINES, 96, "X: y\r\n", "\r\n", 0, STORAGE),
                     WEIR_ERR_HTTP_FIELD_COUNT);
    assert_int_equal(long_handshake(REQUEST_LINES UPGRADE_LINES, 2000, "X: y\r\n", "\r\n", 1, STORAGE),
                     WEIR_ERR_HTTP_FIELD_COUNT);
}

/* A head without end, in single bytes and at once: refused at the limit. */
static void test_endless_head(void **state)
{
    (void)state;
    for (size_t step = 0; step < 2; step++) {
        assert_int_equal(long_handshake(REQUEST_LINES "X: ", 100000, "x", "", step, 8192),
                         WEIR_ERR_HTTP_HEAD_SIZE);
        assert_int_equal(long_handshake(REQUEST_LINES, 100000, "x", "", step, 8192), WEIR_ERR_HTTP_HEAD_SIZE);
        assert_int_equal(long_handshake("GET /", 100000, "x", "", step, 8192), WEIR_ERR_HTTP_TARGET_SIZE);
        int rv = long_handshake("", 100000, "G", "", step, 8192);
        assert_true(rv < 0 && weir_err_lookup(rv)->status >= 400);
        rv = long_handshake("", 50000, "\r\n", "", step, 8192);
        assert_true(rv < 0 && weir_err_lookup(rv)->status >= 400);
    }
}

/* A malformed Host brings down code that takes it apart later. */
static void test_host_malformed(void **state)
{
    static const char *const hosts[] = {"",     "[::", "h]",  "a b", "u@h", "h:80:80",
                                        "\xE4", "h\\", "h/a", "h?",  "h#"};
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        char text[512];
        int len =
            snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\n" UPGRADE_LINES "\r\n", hosts[i]);
        assert_int_equal(handshake(text, (size_t)len, (size_t)len, 4096, NULL), WEIR_ERR_HTTP_HOST);
    }
    assert_int_equal(handshake_with("Host: h\r\n"), WEIR_ERR_HTTP_HOST);
}

/* Bytes behind the request are taken for frames, or for a request, before the upgrade was granted. */
static void test_early_bytes(void **state)
{
    static const char good[] = REQUEST_LINES UPGRADE_LINES "\r\n\x81\x80\0\0\0\0";
    static const char bad[] =
        REQUEST_LINES "Upgrade: websocket\r\n\r\nGET /admin HTTP/1.1\r\nHost: h\r\n\r\n";
    (void)state;
    size_t left = 0;
    assert_int_equal(handshake(good, sizeof good - 1, sizeof good - 1, 4096, &left), 0);
    assert_int_equal(left, 6);
    assert_int_equal(handshake(bad, sizeof bad - 1, sizeof bad - 1, 4096, &left), WEIR_ERR_WS_CONNECTION);
    assert_int_equal(left, strlen("GET /admin HTTP/1.1\r\nHost: h\r\n\r\n"));
}

/* A proxy opens a tunnel for a bad version: the refusal must end the connection. */
static void test_version_tunnel(void **state)
{
    static const char request[] = REQUEST_LINES "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                                "Sec-WebSocket-Version: 777\r\n"
                                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    (void)state;
    uint8_t reply[WEIR_HTTP_ERROR_REPLY_MAX], storage[WEIR_HTTP_ERROR_REPLY_MAX];
    weir_http http;
    weir_http_head head;
    int err = handshake(request, sizeof request - 1, 7, 4096, NULL);
    assert_int_equal(err, WEIR_ERR_WS_VERSION);
    weir_out out = {reply, sizeof reply};
    assert_int_equal(weir_http_error_reply(&out, err, NULL), 0);
    weir_in in = {reply, sizeof reply - out.len};
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_RESPONSE, storage, sizeof storage, NULL), 0);
    assert_int_equal(weir_http_next(&http, &in, &head), 1);
    assert_int_equal(head.status, 426);
    assert_false(head.keep_alive);
    assert_true(weir_http_fields_has(head.fields, "connection", "close"));
    assert_true(weir_http_fields_has(head.fields, "sec-websocket-version", "13"));
}

/* A request hidden behind a length or coding that one of two parsers does not see. */
static void test_body_smuggling(void **state)
{
    (void)state;
    assert_int_equal(handshake_with("Content-Length: 0\r\n"), 0);
    assert_int_equal(handshake_with("Content-Length: 1\r\n"), WEIR_ERR_WS_BODY);
    assert_int_equal(handshake_with("Transfer-Encoding: chunked\r\n"), WEIR_ERR_WS_BODY);
    assert_true(handshake_with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n") < 0);
    assert_true(handshake_with("Content-Length: 0\r\nContent-Length: 30\r\n") < 0);
    assert_true(handshake_with("Content-Length: 0, 30\r\n") < 0);
    assert_true(handshake_with("Content-Length: +0\r\n") < 0);
    assert_true(handshake_with("Transfer-Encoding: identity\r\n") < 0);
}

/* Lines that one of two parsers reads differently. */
static void test_lines_lexical(void **state)
{
    (void)state;
    assert_int_equal(handshake_with("X: a\r\n b\r\n"), WEIR_ERR_HTTP_FOLD);
    assert_int_equal(handshake_with("X: a\rb\r\n"), WEIR_ERR_HTTP_LINE_END);
    assert_int_equal(handshake_with("X: a\nY: b\r\n"), WEIR_ERR_HTTP_LINE_END);
    assert_int_equal(handshake_with("X : a\r\n"), WEIR_ERR_HTTP_NAME);
    assert_int_equal(handshake_with("X\x80: a\r\n"), WEIR_ERR_HTTP_NAME);
    assert_int_equal(handshake_with("X: a\x7F\r\n"), WEIR_ERR_HTTP_VALUE);
}

/* Line ends in what a server or client writes become fields of its message. */
static void test_injection(void **state)
{
    (void)state;
    weir_http_field list[] = {{weir_cstr("sec-websocket-protocol"), weir_cstr("chat")}};
    weir_ws_request req;
    weir_ws_accept accept;
    uint8_t bytes[512];
    weir_out out = {bytes, sizeof bytes};
    memset(&req, 0, sizeof req);
    memset(&accept, 0, sizeof accept);
    req.fields = (weir_http_fields){{NULL, 0}, list, 1};
    accept.protocol = "chat\r\nSet-Cookie: x";
    assert_int_equal(weir_ws_accept_write(&out, &req, &accept), WEIR_ERR_FIELD);
    weir_http_field field = {weir_cstr("X"), weir_cstr("a\r\nSet-Cookie: x")};
    accept.protocol = NULL;
    accept.fields = &field;
    accept.field_count = 1;
    assert_int_equal(weir_ws_accept_write(&out, &req, &accept), WEIR_ERR_FIELD);
    weir_http_uri uri;
    assert_int_equal(weir_http_uri_parse(weir_cstr("ws://h/a\r\nX: y"), &uri), WEIR_ERR_URI);
    assert_int_equal(weir_http_uri_parse(weir_cstr("ws://h\r\nX: y/"), &uri), WEIR_ERR_URI);
    assert_int_equal(out.len, sizeof bytes);
}

/* ---- The client's side -------------------------------------------------------------------------- */

static int fill_zero(void *user, uint8_t *dst, size_t len)
{
    (void)user;
    memset(dst, 0, len);
    return 0;
}

/* What the client makes of an answer to a handshake whose key is all zero. */
static int answer(const char *text)
{
    uint8_t bytes[512], request[512], storage[512];
    weir_entropy entropy;
    weir_http_uri uri;
    weir_ws_opening opening;
    weir_ws_choice choice;
    weir_http http;
    weir_http_head head;
    weir_out out = {request, sizeof request};
    assert_int_equal(weir_entropy_init(&entropy, fill_zero, NULL), 0);
    assert_int_equal(weir_http_uri_parse(weir_cstr("ws://h/"), &uri), 0);
    assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, NULL, &entropy), 0);
    weir_in in = {bytes, strlen(text)};
    assert_true(in.len <= sizeof bytes);
    memcpy(bytes, text, in.len);
    assert_int_equal(weir_http_init(&http, WEIR_HTTP_RESPONSE, storage, sizeof storage, NULL), 0);
    assert_int_equal(weir_http_next(&http, &in, &head), 1);
    return weir_ws_opening_read(&opening, &head, &choice);
}

#define ANSWER_LINES \
    "Upgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n"

/* Another status than 101 is taken for an upgrade: the two ends then frame differently. */
static void test_status_is_not_101(void **state)
{
    (void)state;
    assert_int_equal(answer("HTTP/1.1 101 Switching Protocols\r\n" ANSWER_LINES "\r\n"), 1);
    assert_int_equal(answer("HTTP/1.1 200 OK\r\n" ANSWER_LINES "\r\n"), WEIR_ERR_WS_STATUS);
    assert_int_equal(answer("HTTP/1.1 204 No Content\r\n" ANSWER_LINES "\r\n"), WEIR_ERR_WS_STATUS);
    assert_int_equal(answer("HTTP/1.1 301 Moved\r\nLocation: ws://evil/\r\n\r\n"), WEIR_ERR_WS_STATUS);
    assert_int_equal(answer("HTTP/1.1 426 Upgrade Required\r\n" ANSWER_LINES "\r\n"), WEIR_ERR_WS_STATUS);
}

/* Extensions that were not asked for, and parameters beyond any range. */
static void test_extension_unasked(void **state)
{
    static const char *const values[] = {"permessage-deflate",
                                         "x",
                                         "permessage-deflate; server_max_window_bits=0",
                                         "permessage-deflate; server_max_window_bits=99999999999",
                                         "permessage-deflate; server_max_window_bits=\"\"",
                                         "__proto__"};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "HTTP/1.1 101 Switching Protocols\r\n" ANSWER_LINES "Sec-WebSocket-Extensions: %s\r\n\r\n",
                 values[i]);
        assert_int_equal(answer(text), WEIR_ERR_WS_EXTENSION);
    }
}

/* ---- Origin ------------------------------------------------------------------------------------- */

static weir_http_origin origin_verdict(const char *origin, const char *expected)
{
    weir_http_field list[] = {{weir_cstr("origin"), weir_cstr(origin)}};
    weir_http_fields fields = {{NULL, 0}, list, origin != NULL ? 1 : 0};
    return weir_http_origin_check(fields, weir_cstr(expected));
}

/* Any page acts as the visitor (cross-site hijacking): scheme, host and port all count, and no Origin is
 * a verdict of its own. */
static void test_origin(void **state)
{
    static const struct {
        const char *origin, *expected;
        weir_http_origin verdict;
    } rows[] = {
        {NULL, "https://h", WEIR_HTTP_ORIGIN_ABSENT},
        {"https://h", "https://h", WEIR_HTTP_ORIGIN_SAME},
        {"https://h:443", "https://h", WEIR_HTTP_ORIGIN_SAME},
        {"https://H", "https://h", WEIR_HTTP_ORIGIN_SAME},
        {"https://h.", "https://h", WEIR_HTTP_ORIGIN_SAME},
        {"http://h:8080", "http://h:8080", WEIR_HTTP_ORIGIN_SAME},
        {"http://[::1]:8080", "http://[::1]:8080", WEIR_HTTP_ORIGIN_SAME},
        {"http://h", "https://h", WEIR_HTTP_ORIGIN_OTHER},
        {"https://h:444", "https://h", WEIR_HTTP_ORIGIN_OTHER},
        {"http://h:443", "https://h", WEIR_HTTP_ORIGIN_OTHER},
        {"http://[::1]", "http://[::1]:8080", WEIR_HTTP_ORIGIN_OTHER},
        {"https://h.evil", "https://h", WEIR_HTTP_ORIGIN_OTHER},
        {"https://evilh", "https://h", WEIR_HTTP_ORIGIN_OTHER},
        {"https://sub.h", "https://h", WEIR_HTTP_ORIGIN_OTHER},
        {"null", "https://h", WEIR_HTTP_ORIGIN_OPAQUE},
        {"", "https://h", WEIR_HTTP_ORIGIN_MALFORMED},
        {"h", "https://h", WEIR_HTTP_ORIGIN_MALFORMED},
        {"https://h/", "https://h", WEIR_HTTP_ORIGIN_MALFORMED},
        {"https://h https://evil", "https://h", WEIR_HTTP_ORIGIN_MALFORMED},
        {"https://evil@h", "https://h", WEIR_HTTP_ORIGIN_MALFORMED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (origin_verdict(rows[i].origin, rows[i].expected) != rows[i].verdict)
            fail_msg("origin %s", rows[i].origin != NULL ? rows[i].origin : "absent");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_old_drafts),        cmocka_unit_test(test_head_quadratic),
        cmocka_unit_test(test_extension_names),   cmocka_unit_test(test_extension_quotes),
        cmocka_unit_test(test_protocol_spaces),   cmocka_unit_test(test_field_count),
        cmocka_unit_test(test_endless_head),      cmocka_unit_test(test_host_malformed),
        cmocka_unit_test(test_early_bytes),       cmocka_unit_test(test_version_tunnel),
        cmocka_unit_test(test_body_smuggling),    cmocka_unit_test(test_lines_lexical),
        cmocka_unit_test(test_injection),         cmocka_unit_test(test_status_is_not_101),
        cmocka_unit_test(test_extension_unasked), cmocka_unit_test(test_origin),
    };
    return cmocka_run_group_tests_name("ws_attacks_handshake", tests, NULL, NULL);
}
