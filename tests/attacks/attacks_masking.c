/* SPDX-License-Identifier: MIT */
/*
 * attacks_masking.c - known weaknesses in masking and in where its keys come from (RFC 6455 5.3, 10.3), one
 * test each. Masking keeps a page from writing, through a client, bytes on the wire that a proxy takes for
 * HTTP.
 */
#include "check.h"
#include "weir/ws.h"

#include <stdlib.h>

typedef struct source {
    uint32_t next;
    uint32_t asked; /* bytes */
    bool broken;
} source;

static int source_fill(void *user, uint8_t *dst, size_t len)
{
    source *s = user;
    for (size_t i = 0; i < len && !s->broken; i++) {
        s->next = s->next * 1664525u + 1013904223u;
        dst[i] = (uint8_t)((s->next ^ s->next >> 11) >> 21);
    }
    s->asked += s->broken ? 0 : (uint32_t)len;
    return s->broken ? -1 : 0;
}

static void client_init(weir_ws *ws, weir_entropy *entropy, source *s)
{
    weir_ws_cfg cfg;
    memset(s, 0, sizeof *s);
    assert_int_equal(weir_entropy_init(entropy, source_fill, s), 0);
    weir_ws_cfg_init(&cfg, WEIR_WS_CLIENT);
    cfg.entropy = entropy;
    assert_int_equal(weir_ws_init(ws, &cfg), 0);
}

static void server_init(weir_ws *ws)
{
    weir_ws_cfg cfg;
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    assert_int_equal(weir_ws_init(ws, &cfg), 0);
}

static int key_order(const void *a, const void *b)
{
    return memcmp(a, b, 4);
}

/* The i-th frame of a client, each kind in turn: a message, a header alone, a fragment, a Ping, a Pong. Its
 * payload is "same", or none. */
static void frame_write(weir_ws *ws, size_t i, uint8_t *bytes, size_t len)
{
    weir_out out = {bytes, len};
    size_t header_len;
    switch (i % 6) {
    case 0:
        assert_int_equal(weir_ws_send(ws, &out, WEIR_WS_WHOLE, weir_cstr("same")), 0);
        break;
    case 1:
        assert_int_equal(weir_ws_begin(ws, WEIR_WS_WHOLE, 0, bytes, &header_len), 0);
        break;
    case 2:
        assert_int_equal(weir_ws_send(ws, &out, WEIR_WS_FIRST, weir_cstr("same")), 0);
        break;
    case 3:
        assert_int_equal(weir_ws_send(ws, &out, WEIR_WS_LAST, weir_cstr("same")), 0);
        break;
    default:
        assert_int_equal((i % 6 == 4 ? weir_ws_ping : weir_ws_pong)(ws, weir_cstr("same")), 0);
        assert_int_equal(weir_ws_out_put(ws, &out), 0);
    }
    assert_int_equal(bytes[1] & 0x80, 0x80);
}

/* One key for a whole connection, or for each kind of frame: a page that knows it writes what it wants on the
 * wire. Each key comes from the source, and each byte of the source is used for one key. */
static void test_each_frame_has_its_key(void **state)
{
    enum { FRAMES = 10002 };
    static uint8_t keys[FRAMES][4];
    (void)state;
    weir_ws ws;
    weir_entropy entropy;
    source s;
    client_init(&ws, &entropy, &s);
    for (size_t i = 0; i < FRAMES; i++) {
        uint8_t bytes[32];
        frame_write(&ws, i, bytes, sizeof bytes);
        memcpy(keys[i], bytes + 2, 4);
    }
    assert_true(s.asked >= 4 * FRAMES && s.asked < 4 * FRAMES + sizeof entropy.pool_);
    qsort(keys, FRAMES, 4, key_order);
    size_t same = 0;
    for (size_t i = 1; i < FRAMES; i++)
        same += memcmp(keys[i - 1], keys[i], 4) == 0;
    assert_true(same < 3); /* two of 10,000 random keys are equal in one run of a hundred */
}

/* Text of a page's choice appears on the wire as it is, where a proxy takes it for a request: whatever
 * piece of it is looked for, of four bytes or more, it is not there. */
static void test_payload_does_not_show(void **state)
{
    static const char request[] = "GET /script.js HTTP/1.1\r\nHost: victim\r\n\r\n";
    size_t len = strlen(request);
    (void)state;
    weir_ws ws;
    weir_entropy entropy;
    source s;
    client_init(&ws, &entropy, &s);
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t bytes[64];
        weir_out out = {bytes, sizeof bytes};
        assert_int_equal(weir_ws_send(&ws, &out, WEIR_WS_WHOLE | WEIR_WS_TEXT, weir_cstr(request)), 0);
        assert_int_equal(sizeof bytes - out.len, 6 + len);
        bool zero_key = (bytes[2] | bytes[3] | bytes[4] | bytes[5]) == 0;
        for (size_t at = 0; at + 4 <= len; at++)
            assert_true(zero_key || memcmp(bytes + 6 + at, request + at, 4) != 0);
    }
}

/* The key of a frame changes while it is sent in parts, or another frame gets in between. */
static void test_a_frame_in_parts_keeps_its_key(void **state)
{
    static const char text[] = "Hello, this is longer than a key";
    enum { LEN = sizeof text - 1 };
    (void)state;
    for (size_t step = 1; step <= LEN; step++) {
        weir_ws ws;
        weir_entropy entropy;
        source s;
        uint8_t header[WEIR_WS_HEADER_MAX], bytes[LEN], key[4];
        size_t header_len;
        client_init(&ws, &entropy, &s);
        assert_int_equal(weir_ws_begin(&ws, WEIR_WS_WHOLE, LEN, header, &header_len), 0);
        memcpy(key, header + 2, 4);
        for (size_t at = 0; at < LEN; at += step) {
            size_t n = LEN - at < step ? LEN - at : step;
            weir_str piece = {(const uint8_t *)text + at, n};
            assert_int_equal(weir_ws_payload(&ws, bytes + at, piece), 0);
            assert_int_equal(weir_ws_begin(&ws, WEIR_WS_WHOLE, 1, header, &header_len),
                             at + n < LEN ? (int)WEIR_ERR_STATE : 0);
            (void)weir_ws_ping(&ws, weir_cstr("p"));
        }
        for (size_t i = 0; i < LEN; i++)
            assert_int_equal(bytes[i] ^ key[i % 4], text[i]);
    }
}

/* A frame that found no room is sent again later: what is on the wire then has one key, and the bytes of a
 * control frame that were written in part stay as they were shown. */
static void test_a_retried_frame(void **state)
{
    (void)state;
    weir_ws ws;
    weir_entropy entropy;
    source s;
    uint8_t bytes[32], shown[64];
    client_init(&ws, &entropy, &s);
    for (size_t room = 0; room < 10; room++) {
        weir_out out = {bytes, room};
        assert_int_equal(weir_ws_send(&ws, &out, WEIR_WS_WHOLE, weir_cstr("Hello")), WEIR_ERR_SPACE);
    }
    assert_int_equal(s.asked, 0); /* no key was spent on what was not written */
    assert_int_equal(weir_ws_ping(&ws, weir_cstr("0123456789")), 0);
    weir_str out = weir_ws_out(&ws);
    size_t len = out.len;
    memcpy(shown, out.ptr, len);
    for (size_t taken = 0; taken < len; taken++) {
        out = weir_ws_out(&ws);
        assert_int_equal(out.len, len - taken);
        assert_memory_equal(out.ptr, shown + taken, len - taken);
        weir_ws_out_ack(&ws, 1);
    }
}

/* No source at all, or one that fails: nothing is sent rather than something with a key that can be guessed.
 * What weir owes by itself is kept until there is a key. */
static void test_no_key_no_frame(void **state)
{
    (void)state;
    weir_ws ws;
    weir_ws_cfg cfg;
    weir_entropy entropy;
    source s;
    weir_ws_event ev;
    uint8_t bytes[32], header[WEIR_WS_HEADER_MAX];
    size_t header_len;
    uint32_t flags = WEIR_WS_WHOLE;
    weir_out out = {bytes, sizeof bytes};
    weir_str data = weir_cstr("a");
    assert_int_equal(weir_entropy_init(&entropy, NULL, NULL), WEIR_ERR_ARG);
    weir_ws_cfg_init(&cfg, WEIR_WS_CLIENT);
    assert_int_equal(weir_ws_init(&ws, &cfg), WEIR_ERR_ARG);
    client_init(&ws, &entropy, &s);
    s.broken = true;
    assert_int_equal(weir_ws_send(&ws, &out, flags, data), WEIR_ERR_ENTROPY);
    assert_int_equal(weir_ws_send_part(&ws, &out, &flags, &data, 10), WEIR_ERR_ENTROPY);
    assert_int_equal(weir_ws_begin(&ws, WEIR_WS_WHOLE, 1, header, &header_len), WEIR_ERR_ENTROPY);
    assert_int_equal(header_len, 0);
    assert_int_equal(weir_ws_ping(&ws, weir_cstr("a")), WEIR_ERR_ENTROPY);
    assert_int_equal(weir_ws_pong(&ws, weir_cstr("a")), WEIR_ERR_ENTROPY);
    assert_int_equal(weir_ws_close(&ws, 1000, weir_cstr("a")), WEIR_ERR_ENTROPY);
    weir_in in = {(uint8_t[]){0x89, 0x01, 'p'}, 3};
    assert_int_equal(weir_ws_next(&ws, &in, &ev), WEIR_WS_PING);
    assert_int_equal(out.len, sizeof bytes);
    assert_int_equal(weir_ws_out(&ws).len, 0);
    s.broken = false;
    assert_int_equal(weir_ws_next(&ws, &in, &ev), 0);
    weir_str pong = weir_ws_out(&ws);
    assert_int_equal(pong.len, 7);
    assert_int_equal(pong.ptr[6] ^ pong.ptr[2], 'p');
}

/* The opening's key is drawn anew for each attempt, and there is no attempt without it. */
static void test_key_of_the_opening(void **state)
{
    (void)state;
    weir_entropy entropy;
    source s = {0, 0, false};
    weir_http_uri uri;
    weir_ws_opening opening;
    uint8_t first[512], second[512];
    weir_out out = {first, sizeof first};
    assert_int_equal(weir_entropy_init(&entropy, source_fill, &s), 0);
    assert_int_equal(weir_http_uri_parse(weir_cstr("ws://h/"), &uri), 0);
    assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, NULL, &entropy), 0);
    size_t len = sizeof first - out.len;
    for (unsigned i = 0; i < 100; i++) {
        out = (weir_out){second, sizeof second};
        assert_int_equal(weir_ws_opening_write(&opening, &out, &uri, NULL, &entropy), 0);
        assert_int_equal(sizeof second - out.len, len);
        assert_memory_not_equal(first, second, len);
        memcpy(first, second, len);
    }
    assert_true(s.asked >= 101 * 16);
    s.broken = true;
    int rv = 0;
    for (unsigned i = 0; i <= sizeof entropy.pool_ / 16 && rv == 0; i++) {
        out = (weir_out){second, sizeof second};
        rv = weir_ws_opening_write(&opening, &out, &uri, NULL, &entropy);
    }
    assert_int_equal(rv, WEIR_ERR_ENTROPY);
    assert_int_equal(out.len, sizeof second);
}

/* A server that masks reveals nothing but confuses: it never does, nor does it take a client's frame without
 * a mask, or a client a server's with one, not even when its key is zero. */
static void test_each_side_does_its_own(void **state)
{
    static const uint8_t firsts[] = {0x81, 0x82, 0x01, 0x88, 0x89, 0x8A};
    (void)state;
    weir_ws server, client;
    weir_entropy entropy;
    source s;
    uint8_t bytes[32];
    weir_out out = {bytes, sizeof bytes};
    server_init(&server);
    assert_int_equal(weir_ws_send(&server, &out, WEIR_WS_WHOLE, weir_cstr("a")), 0);
    assert_int_equal(bytes[1], 1);
    assert_int_equal(weir_ws_ping(&server, weir_cstr("a")), 0);
    assert_int_equal(weir_ws_out(&server).ptr[1], 1);
    for (size_t i = 0; i < sizeof firsts; i++) {
        weir_ws_event ev;
        uint8_t frame[16] = {firsts[i], 0x80};
        weir_in in = {frame, 6};
        client_init(&client, &entropy, &s);
        assert_int_equal(weir_ws_next(&client, &in, &ev), WEIR_ERR_WS_MASKING);
        frame[1] = 0;
        in = (weir_in){frame, 2};
        server_init(&server);
        assert_int_equal(weir_ws_next(&server, &in, &ev), WEIR_ERR_WS_MASKING);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_frame_has_its_key),
        cmocka_unit_test(test_payload_does_not_show),
        cmocka_unit_test(test_a_frame_in_parts_keeps_its_key),
        cmocka_unit_test(test_a_retried_frame),
        cmocka_unit_test(test_no_key_no_frame),
        cmocka_unit_test(test_key_of_the_opening),
        cmocka_unit_test(test_each_side_does_its_own),
    };
    return cmocka_run_group_tests_name("attacks_masking", tests, NULL, NULL);
}
