/* SPDX-License-Identifier: MIT */
/* test_ws_control.c - what weir says by itself: Pongs, Pings and Close in weir_ws_out. */
#include "harness.h"
#include "weir/ws.h"
#include "ws_side.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- Pongs -------------------------------------------------------------------------------------- */

static void test_ten_pings_ten_pongs(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++) {
        side s;
        char text[16];
        side_init(&s, client != 0);
        for (int i = 0; i < 10; i++) {
            snprintf(text, sizeof text, "n%d", i);
            assert_int_equal(side_hear(&s, 0x89, text, 2), WEIR_WS_PING);
            side_take_all(&s);
        }
        for (int i = 0; i < 10; i++) {
            snprintf(text, sizeof text, "n%d", i);
            expect_frame(&s, 0x8A, text, 2);
        }
        expect_no_frame(&s);
    }
}

/* Nothing is written: memory stays, the newest Ping is answered, and what is answered is in order. */
static void test_pings_without_writing(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++)
        for (size_t size = 1; size <= 125; size += 4) {
            side s;
            frame f;
            uint8_t payload[125];
            side_init(&s, client != 0);
            for (unsigned i = 0; i < 200; i++) {
                memset(payload, (int)i, sizeof payload);
                assert_int_equal(side_hear(&s, 0x89, payload, size), WEIR_WS_PING);
            }
            side_take_all(&s);
            assert_true(s.len <= WEIR_WS_OUT_MAX);
            int before = -1;
            while (side_frame(&s, &f)) {
                assert_int_equal(f.first, 0x8A);
                assert_int_equal(f.len, size);
                assert_true(f.payload[0] > before);
                before = f.payload[0];
            }
            assert_int_equal(before, 199);
        }
}

static void test_ack_in_single_bytes(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++) {
        side s;
        side_init(&s, client != 0);
        assert_int_equal(side_hear(&s, 0x89, "one", 3), WEIR_WS_PING);
        assert_int_equal(weir_ws_ping(&s.ws, weir_cstr("two")), 0);
        assert_int_equal(weir_ws_close(&s.ws, 1000, weir_cstr("three")), 0);
        while (weir_ws_out(&s.ws).len != 0) {
            weir_ws_out_ack(&s.ws, 0);
            side_take(&s, 1);
        }
        expect_frame(&s, 0x8A, "one", 3);
        expect_frame(&s, 0x89, "two", 3);
        expect_frame(&s, 0x88, "\x03\xE8three", 7);
        expect_no_frame(&s);
    }
}

static void test_ack_beyond_the_end(void **state)
{
    (void)state;
    side s;
    side_init(&s, false);
    weir_ws_out_ack(&s.ws, 5);
    assert_int_equal(weir_ws_out(&s.ws).len, 0);
    assert_int_equal(weir_ws_ping(&s.ws, weir_cstr("a")), 0);
    weir_ws_out_ack(&s.ws, SIZE_MAX);
    assert_int_equal(weir_ws_out(&s.ws).len, 0);
    assert_int_equal(weir_ws_ping(&s.ws, weir_cstr("b")), 0);
    side_take_all(&s);
    expect_frame(&s, 0x89, "b", 1);
    expect_no_frame(&s);
}

/* Two Pongs are due; `begun` bytes of the first are written. What is whole goes into `room` bytes. */
static void put_in_room(bool client, size_t begun, size_t room)
{
    side s;
    uint8_t payload[125], bytes[300];
    const size_t first = (client ? 131 : 127) - begun, both = first + (client ? 130 : 126);
    const size_t wanted = room >= both ? both : room >= first ? first : 0;
    memset(payload, 'p', sizeof payload);
    side_init(&s, client);
    assert_int_equal(side_hear(&s, 0x89, payload, 125), WEIR_WS_PING);
    assert_int_equal(side_hear(&s, 0x89, payload, 124), WEIR_WS_PING);
    side_take(&s, begun);
    weir_out out = {bytes, room};
    assert_int_equal(weir_ws_out_put(&s.ws, &out), wanted == both ? 0 : WEIR_ERR_SPACE);
    assert_int_equal(room - out.len, wanted);
    assert_ptr_equal(out.ptr, bytes + wanted);
    memcpy(s.wire + s.len, bytes, wanted);
    s.len += wanted;
    weir_out more = {s.wire + s.len, sizeof s.wire - s.len};
    if (wanted != 0 || begun == 0) { /* a frame may follow */
        assert_int_equal(weir_ws_send(&s.ws, &more, WEIR_WS_WHOLE, weir_cstr("")), 0);
        s.len += client ? 6 : 2;
    }
    side_take_all(&s);
    bool between = wanted == 0 && begun == 0;
    if (between)
        expect_frame(&s, 0x82, "", 0);
    expect_frame(&s, 0x8A, payload, 125);
    if (wanted == first)
        expect_frame(&s, 0x82, "", 0);
    expect_frame(&s, 0x8A, payload, 124);
    if (wanted == both)
        expect_frame(&s, 0x82, "", 0);
    expect_no_frame(&s);
}

static void test_out_put_in_any_room(void **state)
{
    (void)state;
    static const size_t begun[] = {0, 1, 2, 50, 126};
    for (int client = 0; client < 2; client++)
        for (size_t i = 0; i < sizeof begun / sizeof *begun; i++)
            for (size_t room = 0; room <= 270; room++)
                put_in_room(client != 0, begun[i], room);
}

/* The fullest it can be: a frame hardly begun and a reply of full size that waits. */
static void test_out_max_is_enough(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++) {
        side s;
        uint8_t payload[125], bytes[WEIR_WS_OUT_MAX];
        memset(payload, 'p', sizeof payload);
        side_init(&s, client != 0);
        for (int i = 0; i < 4; i++)
            assert_int_equal(side_hear(&s, 0x89, payload, 125), WEIR_WS_PING);
        weir_out out = {bytes, sizeof bytes};
        assert_int_equal(weir_ws_out_put(&s.ws, &out), 0);
        assert_int_equal(weir_ws_out(&s.ws).len, 0);
        out = (weir_out){NULL, 0};
        assert_int_equal(weir_ws_out_put(&s.ws, &out), 0);
    }
}

static void test_manual_pong(void **state)
{
    (void)state;
    side s;
    side_init_flags(&s, true, WEIR_WS_MANUAL_PONG);
    assert_int_equal(side_hear(&s, 0x89, "abc", 3), WEIR_WS_PING);
    assert_int_equal(weir_ws_out(&s.ws).len, 0);
    assert_int_equal(weir_ws_pong(&s.ws, weir_cstr("abc")), 0);
    side_take_all(&s);
    expect_frame(&s, 0x8A, "abc", 3);
    assert_int_equal(side_hear(&s, 0x88, "\x03\xE8", 2), WEIR_WS_CLOSE);
    side_take_all(&s);
    expect_frame(&s, 0x88, "\x03\xE8", 2);
    expect_no_frame(&s);
}

/* ---- weir_ws_ping, weir_ws_pong ----------------------------------------------------------------- */

static void test_ping_and_pong_frames(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++)
        for (size_t size = 0; size <= 125; size++) {
            side s;
            uint8_t payload[126];
            for (size_t i = 0; i < sizeof payload; i++)
                payload[i] = (uint8_t)(i + size);
            side_init(&s, client != 0);
            uint8_t copy[126];
            memcpy(copy, payload, sizeof copy);
            assert_int_equal(weir_ws_ping(&s.ws, bytes_of(copy, size)), 0);
            memset(copy, 0xDD, sizeof copy);
            side_take_all(&s);
            expect_frame(&s, 0x89, payload, size);
            assert_int_equal(weir_ws_pong(&s.ws, bytes_of(payload, size)), 0);
            side_take_all(&s);
            expect_frame(&s, 0x8A, payload, size);
            expect_no_frame(&s);
        }
}

typedef int (*control_call)(weir_ws *ws, weir_str data);
static const control_call calls[] = {weir_ws_ping, weir_ws_pong};

/* Expects the call to fail with nothing changed. */
static void expect_refused(side *s, control_call call, size_t size, int err)
{
    uint8_t payload[200];
    weir_ws before;
    memset(payload, 'x', sizeof payload);
    memcpy(&before, &s->ws, sizeof before);
    assert_int_equal(call(&s->ws, bytes_of(payload, size)), err);
    assert_memory_equal(&s->ws, &before, sizeof before);
}

static void test_ping_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        side s;
        uint8_t payload[125];
        memset(payload, 'x', sizeof payload);

        side_init(&s, false);
        expect_refused(&s, calls[i], 126, WEIR_ERR_ARG);
        assert_int_equal(calls[i](&s.ws, bytes_of(payload, 125)), 0);
        expect_refused(&s, calls[i], 125, WEIR_ERR_SPACE);
        side_take(&s, 126);
        expect_refused(&s, calls[i], 129, WEIR_ERR_ARG);
        side_take_all(&s);
        assert_int_equal(calls[i](&s.ws, bytes_of(payload, 125)), 0);
        side_take_all(&s);
        assert_int_equal(weir_ws_close(&s.ws, 1000, weir_cstr("")), 0);
        if (calls[i] == weir_ws_ping)
            expect_refused(&s, calls[i], 1, WEIR_ERR_STATE);
        side_take_all(&s);
        if (calls[i] == weir_ws_ping)
            expect_refused(&s, calls[i], 1, WEIR_ERR_STATE);
        assert_int_equal(side_hear(&s, 0x83, "", 0), WEIR_ERR_WS_OPCODE);
        expect_refused(&s, calls[i], 1, WEIR_ERR_STATE);

        side_init(&s, true);
        assert_int_equal(side_hear(&s, 0x88, "", 0), WEIR_WS_CLOSE);
        expect_refused(&s, calls[i], 0, WEIR_ERR_STATE);

        side_init(&s, true);
        assert_int_equal(side_hear(&s, 0x83, "", 0), WEIR_ERR_WS_OPCODE);
        side_take_all(&s);
        expect_refused(&s, calls[i], 0, WEIR_ERR_STATE);

        side_init(&s, true);
        s.broken = true;
        expect_refused(&s, calls[i], 5, WEIR_ERR_ENTROPY);
        assert_int_equal(side_hear(&s, 0x89, "", 0), WEIR_WS_PING);
        expect_refused(&s, calls[i], 5, WEIR_ERR_ENTROPY); /* what waits is in front, and has no key either */
        s.broken = false;
        assert_int_equal(calls[i](&s.ws, bytes_of(payload, 5)), 0);
        side_take_all(&s);
        expect_frame(&s, 0x8A, "", 0);
        expect_frame(&s, calls[i] == weir_ws_ping ? 0x89 : 0x8A, payload, 5);

        side_init(&s, false);
        assert_int_equal(calls[i](&s.ws, bytes_of(payload, 0)), 0);
        weir_ws_event ev;
        assert_int_equal(weir_ws_eof(&s.ws, &ev), WEIR_WS_END);
        expect_refused(&s, calls[i], 0, WEIR_ERR_STATE);
    }
}

/* Our Close waits behind a Ping of ours that leaves it no room. */
static void let_close_wait(side *s, bool client, uint8_t payload[125])
{
    memset(payload, 'x', 125);
    side_init(s, client);
    assert_int_equal(weir_ws_ping(&s->ws, bytes_of(payload, 125)), 0);
    assert_int_equal(weir_ws_close(&s->ws, 1000, weir_cstr("")), 0);
}

static void expect_close_that_waited(side *s, const uint8_t payload[125])
{
    side_take_all(s);
    expect_frame(s, 0x89, payload, 125);
    expect_frame(s, 0x88, "\x03\xE8", 2);
    expect_no_frame(s);
}

/* RFC 6455 5.5.2: a Ping is answered unless Close came, also behind our own. */
static void test_pong_behind_close(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++) {
        side s;
        uint8_t payload[125];
        side_init(&s, client != 0);
        assert_int_equal(weir_ws_close(&s.ws, 1000, weir_cstr("")), 0);
        assert_int_equal(side_hear(&s, 0x89, "a", 1), WEIR_WS_PING); /* weir's own */
        assert_int_equal(weir_ws_pong(&s.ws, weir_cstr("b")), 0);    /* the program's */
        side_take_all(&s);
        expect_frame(&s, 0x88, "\x03\xE8", 2);
        expect_frame(&s, 0x8A, "a", 1);
        expect_frame(&s, 0x8A, "b", 1);
        assert_int_equal(weir_ws_transport(&s.ws), WEIR_WS_WAIT_PEER);

        /* Never in front of a Close that waits. */
        let_close_wait(&s, client != 0, payload);
        expect_refused(&s, weir_ws_pong, 0, WEIR_ERR_SPACE);
        expect_close_that_waited(&s, payload);
    }
}

/* A Close of the program's that still waits keeps its code without a reason, whatever the peer does then. */
static void test_error_behind_close(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++) {
        side s;
        uint8_t payload[125];
        let_close_wait(&s, client != 0, payload);
        assert_int_equal(side_hear(&s, 0x83, "", 0), WEIR_ERR_WS_OPCODE);
        expect_close_that_waited(&s, payload);
    }
}

/* ---- Frame borders ------------------------------------------------------------------------------ */

static void test_nothing_offered_inside_a_frame(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++) {
        side s;
        uint8_t header[WEIR_WS_HEADER_MAX], dst[4];
        size_t header_len;
        side_init(&s, client != 0);
        assert_int_equal(weir_ws_begin(&s.ws, WEIR_WS_FIRST, 4, header, &header_len), 0);
        assert_int_equal(side_hear(&s, 0x89, "a", 1), WEIR_WS_PING);
        assert_int_equal(weir_ws_out(&s.ws).len, 0);
        weir_ws_out_ack(&s.ws, 3);
        assert_int_equal(weir_ws_ping(&s.ws, weir_cstr("b")), 0);
        assert_int_equal(weir_ws_payload(&s.ws, dst, weir_cstr("123")), 0);
        assert_int_equal(weir_ws_out(&s.ws).len, 0);
        assert_int_equal(weir_ws_close(&s.ws, 1000, weir_cstr("")), 0);
        assert_int_equal(weir_ws_out(&s.ws).len, 0);
        weir_out out = {dst, sizeof dst};
        assert_int_equal(weir_ws_out_put(&s.ws, &out), 0);
        assert_int_equal(out.len, sizeof dst);
        assert_int_equal(weir_ws_transport(&s.ws), WEIR_WS_CARRY_ON);
        assert_int_equal(weir_ws_payload(&s.ws, dst, weir_cstr("4")), 0);
        side_take_all(&s);
        expect_frame(&s, 0x8A, "a", 1);
        expect_frame(&s, 0x89, "b", 1);
        expect_frame(&s, 0x88, "\x03\xE8", 2);
        expect_no_frame(&s);
    }
}

static void test_error_inside_our_frame_waits_for_its_end(void **state)
{
    (void)state;
    side s;
    uint8_t header[WEIR_WS_HEADER_MAX];
    size_t header_len;
    side_init(&s, false);
    assert_int_equal(weir_ws_begin(&s.ws, WEIR_WS_WHOLE, 2, header, &header_len), 0);
    assert_int_equal(side_hear(&s, 0x83, "", 0), WEIR_ERR_WS_OPCODE);
    assert_int_equal(weir_ws_out(&s.ws).len, 0);
    assert_int_equal(weir_ws_transport(&s.ws), WEIR_WS_CARRY_ON);
    assert_int_equal(weir_ws_payload(&s.ws, NULL, weir_cstr("ab")), 0);
    side_take_all(&s);
    frame f;
    assert_true(side_frame(&s, &f));
    assert_int_equal(f.first, 0x88);
    expect_no_frame(&s);
    assert_int_equal(weir_ws_transport(&s.ws), WEIR_WS_SHUTDOWN_WRITE);
}

/* ---- After a Close ------------------------------------------------------------------------------ */

static void test_pings_after_a_close(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++) {
        side s;
        side_init(&s, client != 0);
        assert_int_equal(weir_ws_close(&s.ws, 1000, weir_cstr("")), 0);
        side_take_all(&s);
        assert_int_equal(side_hear(&s, 0x89, "late", 4), WEIR_WS_PING);
        side_take_all(&s);
        assert_int_equal(side_hear(&s, 0x88, "\x03\xE8", 2), WEIR_WS_CLOSE);
        assert_int_equal(side_hear(&s, 0x89, "too late", 8), 0);
        side_take_all(&s);
        expect_frame(&s, 0x88, "\x03\xE8", 2);
        expect_frame(&s, 0x8A, "late", 4);
        expect_no_frame(&s);
    }
}

/* ---- A client whose entropy fails --------------------------------------------------------------- */

/* Replies are never sent unmasked or with a made-up key. They leave when there are keys again. */
static void test_replies_without_entropy(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        side s;
        frame f;
        side_init(&s, true);
        s.broken = true;
        int rv = how == 0   ? side_hear(&s, 0x89, "abc", 3)
                 : how == 1 ? side_hear(&s, 0x88, "\x03\xE8", 2)
                            : side_hear(&s, 0x83, "", 0);
        assert_int_equal(rv, how == 0 ? WEIR_WS_PING : how == 1 ? WEIR_WS_CLOSE : (int)WEIR_ERR_WS_OPCODE);
        assert_int_equal(weir_ws_out(&s.ws).len, 0);
        assert_int_equal(weir_ws_transport(&s.ws), WEIR_WS_CARRY_ON);
        s.broken = false;
        weir_in in = {NULL, 0};
        weir_ws_event ev;
        weir_ws_next(&s.ws, &in, &ev);
        side_take_all(&s);
        assert_true(side_frame(&s, &f));
        assert_int_equal(f.first, how == 0 ? 0x8A : 0x88);
        expect_no_frame(&s);
        assert_int_equal(weir_ws_transport(&s.ws), how == 0   ? WEIR_WS_CARRY_ON
                                                   : how == 1 ? WEIR_WS_WAIT_PEER
                                                              : WEIR_WS_SHUTDOWN_WRITE);
    }
}

/* They leave when they are asked for, also if the peer sends nothing more. */
static void test_replies_after_entropy_failed(void **state)
{
    (void)state;
    for (int how = 0; how < 2; how++) {
        side s;
        weir_ws_event ev;
        uint8_t bytes[WEIR_WS_OUT_MAX];
        weir_out out = {bytes, sizeof bytes};
        side_init(&s, true);
        s.broken = true;
        int rv = how == 0 ? side_hear(&s, 0x89, "abc", 3) : side_hear(&s, 0x83, "", 0);
        assert_int_equal(rv, how == 0 ? WEIR_WS_PING : (int)WEIR_ERR_WS_OPCODE);
        assert_int_equal(weir_ws_out_put(&s.ws, &out), 0);
        assert_int_equal(out.len, sizeof bytes);
        if (how == 0)
            assert_int_equal(weir_ws_eof(&s.ws, &ev), WEIR_WS_END);
        s.broken = false;
        assert_int_equal(weir_ws_out_put(&s.ws, &out), 0);
        assert_int_equal(bytes[0], how == 0 ? 0x8A : 0x88);
        assert_int_equal(weir_ws_transport(&s.ws), how == 0 ? WEIR_WS_CLOSE_NOW : WEIR_WS_SHUTDOWN_WRITE);
    }
}

/* A Ping without payload whose answer finds one byte of room. */
static void test_empty_pong_waits(void **state)
{
    (void)state;
    side s;
    uint8_t payload[124];
    memset(payload, 'p', sizeof payload);
    side_init(&s, false);
    assert_int_equal(weir_ws_ping(&s.ws, (weir_str){payload, 124}), 0);
    assert_int_equal(weir_ws_ping(&s.ws, weir_cstr("ab")), 0);
    assert_int_equal(weir_ws_out(&s.ws).len, sizeof s.ws.out_ - 1);
    assert_int_equal(side_hear(&s, 0x89, "older", 5), WEIR_WS_PING);
    assert_int_equal(side_hear(&s, 0x89, NULL, 0), WEIR_WS_PING);
    assert_int_equal(weir_ws_ping(&s.ws, weir_cstr(NULL)), WEIR_ERR_SPACE);
    side_take_all(&s);
    expect_frame(&s, 0x89, payload, 124);
    expect_frame(&s, 0x89, "ab", 2);
    expect_frame(&s, 0x8A, NULL, 0);
    expect_no_frame(&s);
}

/* A reply that waited for a key leaves before what is queued later. */
static void test_order_after_entropy_failed(void **state)
{
    (void)state;
    side s;
    side_init(&s, true);
    s.broken = true;
    assert_int_equal(side_hear(&s, 0x89, "abc", 3), WEIR_WS_PING);
    s.broken = false;
    assert_int_equal(weir_ws_ping(&s.ws, weir_cstr("def")), 0);
    side_take_all(&s);
    expect_frame(&s, 0x8A, "abc", 3);
    expect_frame(&s, 0x89, "def", 3);
    expect_no_frame(&s);
}

/* The queue holds one control frame of the full size, masked: 131 bytes, to the last one. */
static void test_queue_is_filled(void **state)
{
    static side s;
    uint8_t payload[125] = {0};
    (void)state;
    side_init(&s, false);
    assert_int_equal(weir_ws_ping(&s.ws, bytes_of(payload, 125)), 0);
    assert_int_equal(weir_ws_ping(&s.ws, weir_cstr("")), 0);
    assert_int_equal(weir_ws_ping(&s.ws, weir_cstr("x")), WEIR_ERR_SPACE);
    assert_int_equal(weir_ws_pong(&s.ws, weir_cstr("")), 0);
    assert_int_equal(weir_ws_out(&s.ws).len, 131);
    assert_int_equal(weir_ws_pong(&s.ws, weir_cstr("")), WEIR_ERR_SPACE);
    side_init(&s, true);
    assert_int_equal(weir_ws_ping(&s.ws, bytes_of(payload, 118)), 0);
    assert_int_equal(weir_ws_ping(&s.ws, weir_cstr("xx")), WEIR_ERR_SPACE);
    assert_int_equal(weir_ws_ping(&s.ws, weir_cstr("x")), 0);
    assert_int_equal(weir_ws_out(&s.ws).len, 131);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_pings_ten_pongs),
        cmocka_unit_test(test_pings_without_writing),
        cmocka_unit_test(test_ack_in_single_bytes),
        cmocka_unit_test(test_ack_beyond_the_end),
        cmocka_unit_test(test_out_put_in_any_room),
        cmocka_unit_test(test_out_max_is_enough),
        cmocka_unit_test(test_manual_pong),
        cmocka_unit_test(test_ping_and_pong_frames),
        cmocka_unit_test(test_ping_refused),
        cmocka_unit_test(test_pong_behind_close),
        cmocka_unit_test(test_error_behind_close),
        cmocka_unit_test(test_nothing_offered_inside_a_frame),
        cmocka_unit_test(test_error_inside_our_frame_waits_for_its_end),
        cmocka_unit_test(test_pings_after_a_close),
        cmocka_unit_test(test_replies_without_entropy),
        cmocka_unit_test(test_replies_after_entropy_failed),
        cmocka_unit_test(test_empty_pong_waits),
        cmocka_unit_test(test_order_after_entropy_failed),
        cmocka_unit_test(test_queue_is_filled),
    };
    return cmocka_run_group_tests_name("ws_control", tests, NULL, NULL);
}
