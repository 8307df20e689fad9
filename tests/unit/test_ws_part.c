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
    unsigned pings;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_room),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
