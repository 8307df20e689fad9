/* SPDX-License-Identifier: MIT */
/*
 * attacks_handshake.c - known weaknesses in opening handshakes and in how heads are read (RFC 6455 4, RFC
 * 9112), one test each, of a server's side and of what both write; attacks_answer.c has the client's reading.
 *
 * What cannot arise here: a comparison of passwords that takes longer the more of them is right (weir
 * compares none; the only secret of a handshake, the client's key, is public to the server); a TLS
 * certificate of another name (weir has no TLS: the caller's library checks the name); a redirect that
 * carries credentials elsewhere (weir_ws_opening_read reports the redirect and follows none).
 *
 * Inputs that are slow to read are counted in attacks_work.c; here they must only be judged right.
 */
#include "check.h"
#include "harness.h"
#include "weir/ws.h"

#include <stdio.h>
#include <stdlib.h>

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

/* More fields than the server takes leave it with an object half made: the error stands, with a status to
 * answer, and the parser can be set up again. */
static void test_field_count(void **state)
{
    (void)state;
    assert_int_equal(weir_err_lookup(WEIR_ERR_HTTP_FIELD_COUNT)->status, 431);
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

/* Bytes behind the request are taken for frames, or for a request, before the upgrade was granted: they stay
 * in the input, untouched, whether it is granted or not, and wherever the input is cut. */
static void test_early_bytes(void **state)
{
    static const struct {
        const char *head, *behind;
        int rv;
    } rows[] = {
        {REQUEST_LINES UPGRADE_LINES "\r\n", "\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58", 0},
        {REQUEST_LINES "Upgrade: websocket\r\n\r\n", "GET /admin HTTP/1.1\r\nHost: h\r\n\r\n",
         WEIR_ERR_WS_CONNECTION},
        {REQUEST_LINES UPGRADE_LINES "Content-Length: 5\r\n\r\n", "Hello", WEIR_ERR_WS_BODY},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        size_t head_len = strlen(rows[i].head), behind = strlen(rows[i].behind);
        memcpy(text, rows[i].head, head_len);
        memcpy(text + head_len, rows[i].behind, behind);
        for (size_t cut = 0; cut <= head_len + behind; cut++) {
            uint8_t storage[1024], *copy = guard_copy(text, head_len + behind, false);
            weir_http http;
            weir_http_head head;
            weir_ws_request req;
            weir_in in = {copy, cut};
            assert_int_equal(weir_http_init(&http, WEIR_HTTP_REQUEST, storage, sizeof storage, NULL), 0);
            int rv = weir_http_next(&http, &in, &head);
            assert_int_equal(rv, cut >= head_len);
            if (rv == 0) {
                in.len = head_len + behind - cut;
                assert_int_equal(weir_http_next(&http, &in, &head), 1);
            }
            assert_int_equal(weir_ws_request_read(&head, &req), rows[i].rv);
            assert_ptr_equal(in.ptr, copy + head_len);
            assert_int_equal(in.len, rv == 0 ? behind : cut - head_len);
            assert_memory_equal(copy + head_len, rows[i].behind, behind);
            guard_free(copy);
        }
    }
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

/* ---- What is written -------------------------------------------------------------------------- */

static int fill_zero(void *user, uint8_t *dst, size_t len)
{
    (void)user;
    memset(dst, 0, len);
    return 0;
}

/* What would become a line of its own, or end the text early. */
static const char *const injections[] = {"a\r\nSet-Cookie: x", "a\nSet-Cookie: x", "a\rb", "a\r\n\r\nbody",
                                         "\r\n"};
enum { INJECTIONS = sizeof injections / sizeof *injections };

/* Line ends in what a server writes become fields of its reply, or its body: in the subprotocol, in names and
 * values of fields, in the target of a redirect. Nothing is written then. */
static void test_injection_by_a_server(void **state)
{
    (void)state;
    for (size_t i = 0; i < INJECTIONS; i++) {
        weir_http_field offered[] = {{weir_cstr("sec-websocket-protocol"), weir_cstr("chat")}};
        weir_http_field rows[] = {{weir_cstr("Set-Cookie"), weir_cstr(injections[i])},
                                  {weir_cstr(injections[i]), weir_cstr("a")},
                                  {weir_cstr("Location"), weir_cstr(injections[i])}};
        uint8_t bytes[1024];
        weir_out out = {bytes, sizeof bytes};
        weir_ws_request req;
        weir_ws_accept accept;
        weir_http_field fields[WEIR_WS_EXTENDED_FIELDS];
        memset(&req, 0, sizeof req);
        memset(&accept, 0, sizeof accept);
        req.fields = (weir_http_fields){{NULL, 0}, offered, 1};
        memcpy(req.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", sizeof req.accept);
        accept.protocol = injections[i];
        assert_int_equal(weir_ws_accept_write(&out, &req, &accept), WEIR_ERR_FIELD);
        assert_int_equal(weir_ws_extended_accept(&req, &accept, &out, fields), WEIR_ERR_FIELD);
        accept.protocol = NULL;
        accept.field_count = 1;
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
            weir_http_reply reply = {.status = 302, .fields = &rows[k], .field_count = 1};
            accept.fields = &rows[k];
            assert_int_equal(weir_ws_accept_write(&out, &req, &accept), WEIR_ERR_FIELD);
            assert_int_equal(weir_http_reply_write(&out, &reply), WEIR_ERR_FIELD);
            assert_int_equal(weir_http_error_reply(&out, WEIR_ERR_WS_KEY, &reply), WEIR_ERR_FIELD);
        }
        assert_int_equal(out.len, sizeof bytes);
    }
}

/* The same in what a client writes: in the URI, its subprotocols, its fields; and a NUL, which ends a text in
 * one language and not in another. */
static void test_injection_by_a_client(void **state)
{
    (void)state;
    weir_entropy entropy;
    weir_http_uri uri;
    weir_ws_opening opening;
    uint8_t bytes[1024];
    weir_out out = {bytes, sizeof bytes};
    assert_int_equal(weir_entropy_init(&entropy, fill_zero, NULL), 0);
    for (size_t i = 0; i < INJECTIONS; i++) {
        static const char *const forms[][2] = {
            {"ws://h/", ""}, {"ws://h", "/"}, {"ws://h:80", "/"}, {"ws://h/?", ""}, {"ws://u", "@h/"}};
        weir_ws_offer offer;
        weir_http_field fields[WEIR_WS_EXTENDED_FIELDS];
        for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
            char text[64];
            snprintf(text, sizeof text, "%s%s%s", forms[k][0], injections[i], forms[k][1]);
            assert_int_equal(weir_http_uri_parse(weir_cstr(text), &uri), WEIR_ERR_URI);
        }
        assert_int_equal(weir_http_uri_parse(weir_cstr("ws://h/"), &uri), 0);
        memset(&offer, 0, sizeof offer);
        offer.protocols = &injections[i];
        offer.protocol_count = 1;
        assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, &offer, &entropy), WEIR_ERR_FIELD);
        assert_int_equal(weir_ws_extended_offer(&offer, &out, fields), WEIR_ERR_FIELD);
        offer.protocol_count = 0;
        weir_http_field field = {weir_cstr("Cookie"), weir_cstr(injections[i])};
        offer.fields = &field;
        offer.field_count = 1;
        assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, &offer, &entropy), WEIR_ERR_FIELD);
        field = (weir_http_field){weir_cstr(injections[i]), weir_cstr("a")};
        assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, &offer, &entropy), WEIR_ERR_FIELD);
        field = (weir_http_field){weir_cstr("X"), STR_OF("a\0b")};
        assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, &offer, &entropy), WEIR_ERR_FIELD);
    }
    assert_int_equal(weir_http_uri_parse(STR_OF("ws://h/a\0b"), &uri), WEIR_ERR_URI);
    assert_int_equal(out.len, sizeof bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_old_drafts),
        cmocka_unit_test(test_head_quadratic),
        cmocka_unit_test(test_extension_names),
        cmocka_unit_test(test_extension_quotes),
        cmocka_unit_test(test_protocol_spaces),
        cmocka_unit_test(test_field_count),
        cmocka_unit_test(test_endless_head),
        cmocka_unit_test(test_host_malformed),
        cmocka_unit_test(test_early_bytes),
        cmocka_unit_test(test_version_tunnel),
        cmocka_unit_test(test_body_smuggling),
        cmocka_unit_test(test_lines_lexical),
        cmocka_unit_test(test_injection_by_a_server),
        cmocka_unit_test(test_injection_by_a_client),
    };
    return cmocka_run_group_tests_name("attacks_handshake", tests, NULL, NULL);
}
