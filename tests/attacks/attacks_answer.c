/* SPDX-License-Identifier: MIT */
/* attacks_answer.c - known weaknesses in how a client reads the answer to its opening handshake (RFC 6455
 * 4.1), one test each. */
#include "check.h"
#include "weir/ws.h"

#include <stdio.h>

static int fill_zero(void *user, uint8_t *dst, size_t len)
{
    (void)user;
    memset(dst, 0, len);
    return 0;
}

/* What the client makes of an answer to a handshake whose key is all zero; *left is what stayed behind it. */
static int answer(const char *text, size_t *left)
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
    *left = in.len;
    return weir_ws_opening_read(&opening, &head, &choice);
}

#define OUR_ACCEPT "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n"
#define ANSWER_LINES \
    "Upgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n"

/* Another status than 101 is taken for an upgrade: the two ends then frame differently. Its body is left to
 * the caller. */
static void test_status_is_not_101(void **state)
{
    static const struct {
        const char *text;
        int rv;
        size_t left;
    } rows[] = {
        {"HTTP/1.1 101 Switching Protocols\r\n" ANSWER_LINES "\r\n\x81\x01x", 1, 3},
        {"HTTP/1.1 200 OK\r\n" ANSWER_LINES "Content-Length: 3\r\n\r\n\x81\x01x", WEIR_ERR_WS_STATUS, 3},
        {"HTTP/1.1 200 OK\r\n" ANSWER_LINES "\r\n", WEIR_ERR_WS_STATUS, 0},
        {"HTTP/1.1 204 No Content\r\n" ANSWER_LINES "\r\n", WEIR_ERR_WS_STATUS, 0},
        {"HTTP/1.1 301 Moved\r\nLocation: ws://evil/\r\n\r\n", WEIR_ERR_WS_STATUS, 0},
        {"HTTP/1.1 401 Unauthorized\r\n" ANSWER_LINES "\r\n", WEIR_ERR_WS_STATUS, 0},
        {"HTTP/1.1 426 Upgrade Required\r\n" ANSWER_LINES "\r\n", WEIR_ERR_WS_STATUS, 0},
        {"HTTP/1.1 999 What\r\n" ANSWER_LINES "\r\n", WEIR_ERR_WS_STATUS, 0},
        {"HTTP/1.0 101 Switching Protocols\r\n" ANSWER_LINES "\r\n", WEIR_ERR_WS_HTTP, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t left;
        assert_int_equal(answer(rows[i].text, &left), rows[i].rv);
        assert_int_equal(left, rows[i].left);
    }
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
        size_t left;
        snprintf(text, sizeof text,
                 "HTTP/1.1 101 Switching Protocols\r\n" ANSWER_LINES "Sec-WebSocket-Extensions: %s\r\n\r\n",
                 values[i]);
        assert_int_equal(answer(text, &left), WEIR_ERR_WS_EXTENSION);
    }
}

/* The proof that the server read this request is missing, another one's, or there twice: a page could then
 * make a server that knows nothing of WebSocket play along. */
static void test_accept_is_not_ours(void **state)
{
    static const char *const lines[] = {
        "",
        "Sec-WebSocket-Accept: \r\n",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
        "Sec-WebSocket-Accept: icx+YQV66KXGm0fCwAlwLfLWtai=\r\n",
        "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI\r\n",
        "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=a\r\n",
        OUR_ACCEPT OUR_ACCEPT,
        "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char text[512];
        size_t left;
        snprintf(text, sizeof text,
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n%s\r\n",
                 lines[i]);
        assert_int_equal(answer(text, &left), WEIR_ERR_WS_ACCEPT);
    }
}

/* A server that never comes to its answer: interim answers are taken up to a number. */
static void test_endless_interim_answers(void **state)
{
    (void)state;
    weir_entropy entropy;
    weir_http_uri uri;
    weir_ws_opening opening;
    weir_ws_choice choice;
    uint8_t request[512];
    weir_out out = {request, sizeof request};
    weir_http_head head = {.kind = WEIR_HTTP_RESPONSE, .minor = 1, .status = 103};
    int rv = 0, count = 0;
    assert_int_equal(weir_entropy_init(&entropy, fill_zero, NULL), 0);
    assert_int_equal(weir_http_uri_parse(weir_cstr("ws://h/"), &uri), 0);
    assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, NULL, &entropy), 0);
    for (; count < 1000 && rv == 0; count++)
        rv = weir_ws_opening_read(&opening, &head, &choice);
    assert_int_equal(rv, WEIR_ERR_WS_STATUS);
    assert_int_equal(count, 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_is_not_101),
        cmocka_unit_test(test_extension_unasked),
        cmocka_unit_test(test_accept_is_not_ours),
        cmocka_unit_test(test_endless_interim_answers),
    };
    return cmocka_run_group_tests_name("attacks_answer", tests, NULL, NULL);
}
