/* SPDX-License-Identifier: MIT */
/* test_ws_part.c - long messages in parts: whatever the room, the same message arrives. */
#include "harness.h"
#include "weir/ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int fill(void *user, uint8_t *dst, size_t len)
{
    (void)user;
    memset(dst, 0x5A, len);
    return 0;
}

typedef struct pair {
    weir_entropy entropy;
    weir_ws from, to;
    uint8_t *got;
    size_t got_len;
    unsigned pings, pongs;
    bool whole;
} pair;

static void pair_init(pair *p, weir_ws_role from)
{
    weir_ws_cfg cfg;
    memset(p, 0, sizeof *p);
    assert_int_equal(weir_entropy_init(&p->entropy, fill, NULL), 0);
    weir_ws_cfg_init(&cfg, from);
    cfg.entropy = &p->entropy;
    assert_int_equal(weir_ws_init(&p->from, &cfg), 0);
    cfg.role = from == WEIR_WS_SERVER ? WEIR_WS_CLIENT : WEIR_WS_SERVER;
    assert_int_equal(weir_ws_init(&p->to, &cfg), 0);
}

static void pair_feed(pair *p, uint8_t *bytes, size_t len)
{
    weir_in in = {bytes, len};
    weir_ws_event ev;
    int rv;
    while ((rv = weir_ws_next(&p->to, &in, &ev)) > 0) {
        p->pings += rv == WEIR_WS_PING;
        p->pongs += rv == WEIR_WS_PONG;
        if (rv != WEIR_WS_DATA)
            continue;
        assert_int_equal((ev.flags & WEIR_WS_FIRST) != 0, p->got_len == 0);
        assert_true((ev.flags & WEIR_WS_TEXT) != 0);
        if (ev.data.len != 0)
            memcpy(p->got + p->got_len, ev.data.ptr, ev.data.len);
        p->got_len += ev.data.len;
        p->whole = (ev.flags & WEIR_WS_LAST) != 0;
    }
    assert_int_equal(rv, 0);
}

/* Sends `len` bytes through outputs of `room` bytes, a Ping between every two parts. */
static void check_parts(weir_ws_role from, size_t len, size_t room, size_t most)
{
    pair p;
    pair_init(&p, from);
    uint8_t *text = malloc(len + 1);
    p.got = malloc(len + 1);
    for (size_t i = 0; i < len; i++)
        text[i] = (uint8_t)('a' + i % 26);
    weir_str data = {text, len};
    uint32_t flags = WEIR_WS_WHOLE | WEIR_WS_TEXT;
    unsigned parts = 0;
    int rv;
    do {
        uint8_t *bytes = guard_copy(NULL, room, false);
        weir_out out = {bytes, room};
        size_t before = data.len;
        rv = weir_ws_send_part(&p.from, &out, &flags, &data, most);
        assert_true(rv == 0 || rv == 1);
        assert_true(before - data.len <= most);
        assert_int_equal(rv, data.len != 0);
        assert_false(p.whole);
        parts++;
        pair_feed(&p, bytes, room - out.len);
        guard_free(bytes);
        if (rv == 1) {
            uint8_t control[WEIR_WS_OUT_MAX];
            weir_out waiting = {control, sizeof control};
            assert_int_equal(weir_ws_ping(&p.from, weir_cstr("?")), 0);
            assert_int_equal(weir_ws_out_put(&p.from, &waiting), 0);
            pair_feed(&p, control, sizeof control - waiting.len);
        }
    } while (rv == 1);
    assert_true(p.whole);
    assert_int_equal(p.pings, parts - 1);
    assert_int_equal(p.got_len, len);
    assert_memory_equal(p.got, text, len);
    free(text);
    free(p.got);
}

static void test_any_room(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 64, 125, 126, 127, 1000, 70000};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t room = 64; room < 300; room += 7) {
            check_parts(WEIR_WS_SERVER, sizes[i], room, SIZE_MAX);
            check_parts(WEIR_WS_CLIENT, sizes[i], room, 100);
        }
        check_parts(WEIR_WS_SERVER, sizes[i], 65536, 4096);
        check_parts(WEIR_WS_CLIENT, sizes[i], 1 << 17, SIZE_MAX);
    }
    for (size_t len = 1; len <= 130; len++)
        for (size_t most = 1; most <= len + 1; most += most < 3 || most + 2 > len ? 1 : len - most - 1) {
            check_parts(WEIR_WS_SERVER, len, 256, most);
            check_parts(WEIR_WS_CLIENT, len, 256, most);
        }
}

static void test_refused(void **state)
{
    (void)state;
    pair p;
    pair_init(&p, WEIR_WS_SERVER);
    uint8_t bytes[64];
    uint32_t flags = WEIR_WS_WHOLE;
    weir_str data = weir_cstr("abc");
    weir_out out = {bytes, 10};
    assert_int_equal(weir_ws_send_part(&p.from, &out, &flags, &data, 0), WEIR_ERR_ARG);
    assert_int_equal(weir_ws_send_part(&p.from, &out, &flags, &data, 10), WEIR_ERR_SPACE);
    assert_int_equal(weir_ws_close(&p.from, 1000, weir_cstr(NULL)), 0);
    out = (weir_out){bytes, sizeof bytes};
    assert_int_equal(weir_ws_send_part(&p.from, &out, &flags, &data, 10), WEIR_ERR_STATE);
    assert_int_equal(flags, WEIR_WS_WHOLE);
    assert_int_equal(data.len, 3);
    assert_int_equal(out.len, sizeof bytes);
}

/* Uncompressed, a part is as long as the room and `most` allow, beside the longest header; with no room for
 * the header and one byte there is none. */
static void test_length_of_a_part(void **state)
{
    (void)state;
    static const uint8_t text[300];
    for (weir_ws_role from = WEIR_WS_SERVER; from <= WEIR_WS_CLIENT; from++)
        for (size_t room = 0; room < 320; room++)
            for (size_t most = 1; most < 400; most += 100) {
                pair p;
                uint8_t bytes[320];
                uint32_t flags = WEIR_WS_WHOLE;
                weir_str data = {text, sizeof text};
                weir_out out = {bytes, room};
                pair_init(&p, from);
                size_t fits = room > WEIR_WS_HEADER_MAX ? room - WEIR_WS_HEADER_MAX : 0;
                size_t wanted = fits < most ? fits : most;
                wanted = wanted < sizeof text ? wanted : sizeof text;
                int rv = weir_ws_send_part(&p.from, &out, &flags, &data, most);
                assert_int_equal(rv, wanted == 0 ? (int)WEIR_ERR_SPACE : wanted < sizeof text);
                assert_int_equal(sizeof text - data.len, wanted);
                assert_ptr_equal(data.ptr, text + wanted);
            }
}

/* ---- What happens between two parts -------------------------------------------------------------- */

/* A frame from the peer of `from`. */
static int pair_hear(pair *p, weir_ws_role from, uint8_t first, const char *payload, size_t len)
{
    uint8_t bytes[64] = {first, (uint8_t)(len | (from == WEIR_WS_SERVER ? 0x80 : 0))};
    size_t head = from == WEIR_WS_SERVER ? 6 : 2;
    weir_ws_event ev;
    if (len != 0)
        memcpy(bytes + head, payload, len);
    weir_in in = {bytes, head + len};
    return weir_ws_next(&p->from, &in, &ev);
}

/* The peer's Ping is answered between two parts, not behind the message. While its Pong is written in part,
 * byte by byte, the next part is refused and nothing changes; then it goes on. */
static void test_pong_between_parts(void **state)
{
    (void)state;
    for (weir_ws_role from = WEIR_WS_SERVER; from <= WEIR_WS_CLIENT; from++) {
        pair p;
        uint8_t got[32], wire[128];
        uint32_t flags = WEIR_WS_WHOLE | WEIR_WS_TEXT;
        weir_str data = weir_cstr("0123456789abcdef");
        weir_out out = {wire, sizeof wire};
        pair_init(&p, from);
        p.got = got;
        assert_int_equal(weir_ws_send_part(&p.from, &out, &flags, &data, 4), 1);
        assert_int_equal(pair_hear(&p, from, 0x89, "ping", 4), WEIR_WS_PING);
        while (weir_ws_out(&p.from).len != 0) {
            assert_int_equal(weir_out_put(&out, (weir_str){weir_ws_out(&p.from).ptr, 1}), 0);
            weir_ws_out_ack(&p.from, 1);
            if (weir_ws_out(&p.from).len == 0)
                break;
            weir_ws before = p.from;
            assert_int_equal(weir_ws_send_part(&p.from, &out, &flags, &data, 4), WEIR_ERR_STATE);
            assert_memory_equal(&p.from, &before, sizeof before);
            assert_int_equal(data.len, 12);
        }
        assert_int_equal(weir_ws_send_part(&p.from, &out, &flags, &data, 100), 0);
        pair_feed(&p, wire, sizeof wire - out.len);
        assert_int_equal(p.pongs, 1);
        assert_true(p.whole);
        assert_int_equal(p.got_len, 16);
        assert_memory_equal(p.got, "0123456789abcdef", 16);
    }
}

/* Either side closes between two parts: the message stays unfinished, its rest is refused. */
static void test_close_between_parts(void **state)
{
    (void)state;
    for (weir_ws_role from = WEIR_WS_SERVER; from <= WEIR_WS_CLIENT; from++)
        for (int how = 0; how < 3; how++) {
            pair p;
            uint8_t got[32], wire[128];
            uint32_t flags = WEIR_WS_WHOLE | WEIR_WS_TEXT;
            weir_str data = weir_cstr("0123456789abcdef");
            weir_out out = {wire, sizeof wire};
            weir_ws_closing closing;
            pair_init(&p, from);
            p.got = got;
            assert_int_equal(weir_ws_send_part(&p.from, &out, &flags, &data, 4), 1);
            if (how == 0)
                assert_int_equal(weir_ws_close(&p.from, 1001, weir_cstr("")), 0);
            else
                assert_int_equal(pair_hear(&p, from, how == 1 ? 0x88 : 0x83, "", 0),
                                 how == 1 ? (int)WEIR_WS_CLOSE : (int)WEIR_ERR_WS_OPCODE);
            assert_int_equal(weir_ws_send_part(&p.from, &out, &flags, &data, 4), WEIR_ERR_STATE);
            assert_int_equal(data.len, 12);
            assert_int_equal(weir_ws_out_put(&p.from, &out), 0);
            pair_feed(&p, wire, sizeof wire - out.len);
            assert_false(p.whole);
            assert_int_equal(p.got_len, 4);
            weir_ws_closing_read(&p.to, &closing);
            assert_int_equal(closing.received, how == 0 ? 1001 : how == 1 ? 1005 : 1002);
        }
}

/* A message whose length nobody knows beforehand: pieces as they come, also empty ones, an end without any;
 * controls of both sides between them. */
static void test_unknown_length(void **state)
{
    (void)state;
    for (weir_ws_role from = WEIR_WS_SERVER; from <= WEIR_WS_CLIENT; from++)
        for (size_t pieces = 0; pieces < 12; pieces++) {
            pair p;
            uint8_t got[64], wire[1024];
            weir_out out = {wire, sizeof wire};
            pair_init(&p, from);
            p.got = got;
            for (size_t i = 0; i < pieces; i++) {
                uint32_t flags = (i == 0 ? WEIR_WS_FIRST : 0) | WEIR_WS_TEXT;
                weir_str data = {(const uint8_t *)"abcdefghijkl" + i, i % 4 == 3 ? 0 : 1};
                if (i % 2 == 0)
                    assert_int_equal(weir_ws_send_part(&p.from, &out, &flags, &data, 100), 0);
                else
                    assert_int_equal(weir_ws_send(&p.from, &out, flags, data), 0);
                assert_int_equal(weir_ws_ping(&p.from, weir_cstr("?")), 0);
                assert_int_equal(pair_hear(&p, from, 0x89, "!", 1), WEIR_WS_PING);
                assert_int_equal(weir_ws_out_put(&p.from, &out), 0);
            }
            uint32_t flags = WEIR_WS_LAST | WEIR_WS_TEXT | (pieces == 0 ? WEIR_WS_FIRST : 0);
            assert_int_equal(weir_ws_send(&p.from, &out, flags, weir_cstr("")), 0);
            for (size_t at = 0; at < sizeof wire - out.len; at++) {
                assert_false(p.whole);
                pair_feed(&p, wire + at, 1);
            }
            assert_true(p.whole);
            assert_int_equal(p.got_len, pieces - pieces / 4);
            assert_memory_equal(p.got, "abcefgijk", p.got_len);
            assert_int_equal(p.pings, pieces);
            assert_int_equal(p.pongs, pieces);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_room),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_length_of_a_part),
        cmocka_unit_test(test_pong_between_parts),
        cmocka_unit_test(test_close_between_parts),
        cmocka_unit_test(test_unknown_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
