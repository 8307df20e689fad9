/* SPDX-License-Identifier: MIT */
/* test_ws_rest.c - when nothing is under way, a connection can be forgotten and made anew. */
#include "harness.h"
#include "ws_side.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- A server that forgets ----------------------------------------------------------------------- */

typedef struct forgetful {
    weir_ws ws;
    bool forgets;
    unsigned times; /* that it did */
} forgetful;

static void make(weir_ws *ws)
{
    weir_ws_cfg cfg;
    memset(ws, 0xDD, sizeof *ws);
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    assert_int_equal(weir_ws_init(ws, &cfg), 0);
    assert_true(weir_ws_at_rest(ws));
}

static void start(void *self)
{
    forgetful *f = self;
    make(&f->ws);
    f->times = 0;
}

static void feed(void *self, uint8_t *bytes, size_t len, log *said)
{
    forgetful *f = self;
    weir_in in = {bytes, len};
    weir_ws_event ev;
    uint8_t out_bytes[300];
    int rv;
    do {
        rv = weir_ws_next(&f->ws, &in, &ev);
        if (rv == WEIR_WS_DATA)
            log_bytes(said, ev.flags & WEIR_WS_TEXT ? "text" : "binary", ev.data.ptr, ev.data.len);
        if (rv == WEIR_WS_DATA && (ev.flags & WEIR_WS_LAST) != 0)
            log_line(said, "last");
        if (rv > 0 && rv != WEIR_WS_DATA)
            log_line(said, "%d %s", rv, log_quote(ev.data.ptr, ev.data.len));
        weir_out out = {out_bytes, sizeof out_bytes};
        assert_int_equal(weir_ws_out_put(&f->ws, &out), 0);
        if (out.ptr != out_bytes)
            log_line(said, "says %s", log_quote(out_bytes, sizeof out_bytes - out.len));
        if (f->forgets && weir_ws_at_rest(&f->ws)) {
            make(&f->ws);
            f->times++;
        }
    } while (rv > 0);
}

/* Two texts, a Ping, a message in three frames with a Ping inside, an empty one, a Pong; then comes a long
 * one. All keys are 0. */
static const uint8_t good[] = {
    0x81, 0x82, 0, 0,    0, 0, 'a',  'b',  0x81, 0x82, 0,    0, 0, 0,    0xC3, 0xA9, 0x89, 0x81, 0, 0, 0,
    0,    'p',  1, 0x81, 0, 0, 0,    0,    0xC3, 0x89, 0x80, 0, 0, 0,    0,    0x00, 0x80, 0,    0, 0, 0,
    0x80, 0x81, 0, 0,    0, 0, 0xA9, 0x82, 0x80, 0,    0,    0, 0, 0x8A, 0x80, 0,    0,    0,    0};

static void check(const void *last, size_t len, unsigned times)
{
    uint8_t stream[1024];
    size_t size = 0;
    memcpy(stream, good, sizeof good);
    size += sizeof good;
    memcpy(stream + size, (const uint8_t[]){0x82, 0xFE, 0, 200, 0, 0, 0, 0}, 8);
    memset(stream + size + 8, 'x', 200);
    size += 208;
    memcpy(stream + size, last, len);
    size += len;

    forgetful f = {.forgets = false};
    machine m = {start, feed, NULL, &f};
    log *kept = log_new();
    uint8_t copy[sizeof stream];
    memcpy(copy, stream, size);
    start(&f);
    feed(&f, copy, size, kept);
    f.forgets = true;
    machine_check(&m, "forgets", stream, size, log_text(kept));
    log_free(kept);

    memcpy(copy, stream, size);
    log *forgot = log_new();
    start(&f);
    feed(&f, copy, size, forgot);
    log_free(forgot);
    assert_int_equal(f.times, times);
}

static void test_forgetting_changes_nothing(void **state)
{
    (void)state;
    /* At rest behind 7 messages and control frames outside of messages, each seen once, and once more
     * when the input is used up. */
    check("", 0, 8);
}

static void test_an_end_is_not_forgotten(void **state)
{
    (void)state;
    check("\x88\x82\0\0\0\0\x03\xE8", 8, 7); /* Close */
    check("\x83\x80\0\0\0\0", 6, 7);         /* an unknown opcode */
    check("\x81\x81\0\0\0\0\x80", 7, 7);     /* not UTF-8 */
    check("\x81\x82\0\0\0\0z", 7, 7);        /* cut inside a message */
    check("\x81", 1, 7);                     /* and inside a header */
}

/* ---- What is under way ---------------------------------------------------------------------------- */

static void test_each_byte_of_a_message(void **state)
{
    (void)state;
    weir_ws ws;
    uint8_t bytes[sizeof good];
    memcpy(bytes, good, sizeof good);
    make(&ws);
    for (size_t i = 0; i < 8; i++) {
        weir_in in = {bytes + i, 1};
        weir_ws_event ev;
        int rv = weir_ws_next(&ws, &in, &ev);
        assert_int_equal(weir_ws_at_rest(&ws), i == 7);
        assert_int_equal(rv == WEIR_WS_DATA, i >= 6);
    }
}

static void test_between_fragments(void **state)
{
    static side s;
    (void)state;
    for (int client = 0; client <= 1; client++) {
        side_init(&s, client != 0);
        assert_true(weir_ws_at_rest(&s.ws));
        side_hear(&s, 0x01, "a", 1);
        assert_false(weir_ws_at_rest(&s.ws));
        side_hear(&s, 0x80, "b", 1);
        assert_true(weir_ws_at_rest(&s.ws));
    }
}

static void test_sending(void **state)
{
    static side s;
    uint8_t header[WEIR_WS_HEADER_MAX], bytes[64];
    size_t len;
    (void)state;
    for (int client = 0; client <= 1; client++) {
        weir_out out = {bytes, sizeof bytes};
        side_init(&s, client != 0);
        assert_int_equal(weir_ws_send(&s.ws, &out, WEIR_WS_FIRST, weir_cstr("a")), 0);
        assert_false(weir_ws_at_rest(&s.ws));
        assert_int_equal(weir_ws_send(&s.ws, &out, WEIR_WS_LAST, weir_cstr("b")), 0);
        assert_true(weir_ws_at_rest(&s.ws));
        assert_int_equal(weir_ws_begin(&s.ws, WEIR_WS_WHOLE, 1, header, &len), 0);
        assert_false(weir_ws_at_rest(&s.ws));
        assert_int_equal(weir_ws_payload(&s.ws, bytes, weir_cstr("c")), 0);
        assert_true(weir_ws_at_rest(&s.ws));
        assert_int_equal(weir_ws_ping(&s.ws, weir_cstr("d")), 0);
        assert_false(weir_ws_at_rest(&s.ws));
        side_take(&s, 1);
        assert_false(weir_ws_at_rest(&s.ws));
        side_take_all(&s);
        assert_true(weir_ws_at_rest(&s.ws));
    }
}

static void test_endings(void **state)
{
    static side s;
    weir_ws_event ev;
    (void)state;
    for (int client = 0; client <= 1; client++) {
        side_init(&s, client != 0);
        assert_int_equal(weir_ws_close(&s.ws, 1000, weir_cstr("")), 0);
        side_take_all(&s);
        assert_false(weir_ws_at_rest(&s.ws));
        side_init(&s, client != 0);
        weir_ws_eof(&s.ws, &ev);
        assert_false(weir_ws_at_rest(&s.ws));
        side_init(&s, client != 0);
        assert_true(side_hear(&s, 0x83, "", 0) < 0);
        side_take_all(&s);
        assert_false(weir_ws_at_rest(&s.ws));
    }
}

/* An answer that waits for a key, with nothing in the output. */
static void test_answer_without_key(void **state)
{
    static side s;
    (void)state;
    side_init(&s, true);
    s.broken = true;
    assert_int_equal(side_hear(&s, 0x89, "p", 1), WEIR_WS_PING);
    assert_int_equal(weir_ws_out(&s.ws).len, 0);
    assert_false(weir_ws_at_rest(&s.ws));
    s.broken = false;
    weir_out out = {s.wire, sizeof s.wire};
    assert_int_equal(weir_ws_out_put(&s.ws, &out), 0);
    assert_true(weir_ws_at_rest(&s.ws));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forgetting_changes_nothing),
        cmocka_unit_test(test_an_end_is_not_forgotten),
        cmocka_unit_test(test_each_byte_of_a_message),
        cmocka_unit_test(test_between_fragments),
        cmocka_unit_test(test_sending),
        cmocka_unit_test(test_endings),
        cmocka_unit_test(test_answer_without_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
