/* SPDX-License-Identifier: MIT */
/* test_ws_backlog.c - weir_ws_out when it is written late and in parts: who waits, who yields, who leaves. */
#include "harness.h"
#include "weir/ws.h"
#include "ws_side.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- Replies that wait -------------------------------------------------------------------------- */

static void test_half_written_pong_is_finished(void **state)
{
    static const char old[] = "the older one, half written";
    (void)state;
    for (int client = 0; client < 2; client++)
        for (size_t taken = 1; taken < sizeof old - 1 + (client ? 6 : 2); taken++) {
            side s;
            uint8_t wide[125];
            memset(wide, 'w', sizeof wide);
            side_init(&s, client != 0);
            assert_int_equal(side_hear(&s, 0x89, old, sizeof old - 1), WEIR_WS_PING);
            side_take(&s, taken);
            assert_int_equal(side_hear(&s, 0x89, wide, 120), WEIR_WS_PING);
            assert_int_equal(side_hear(&s, 0x89, wide, 124), WEIR_WS_PING);
            assert_int_equal(side_hear(&s, 0x89, wide, 125), WEIR_WS_PING);
            side_take_all(&s);
            expect_frame(&s, 0x8A, old, sizeof old - 1);
            frame f = {0, 0, {0}};
            while (side_frame(&s, &f))
                assert_int_equal(f.first, 0x8A);
            assert_int_equal(f.len, 125);
            assert_true(s.len - taken <= WEIR_WS_OUT_MAX);
        }
}

/* A Pong waits for room. One that nobody asked for comes in pieces, which are collected where the waiting
 * one lies: the answer must not suffer. */
static void test_waiting_pong_and_a_pong_in_pieces(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < 56; cut++) {
        side s;
        uint8_t wide[125], bytes[56] = {0x8A, 0xB2, 1, 2, 3, 4};
        weir_ws_event ev;
        memset(wide, 'w', sizeof wide);
        side_init(&s, false);
        assert_int_equal(side_hear(&s, 0x89, "12345678", 8), WEIR_WS_PING);
        side_take(&s, 3);
        assert_int_equal(side_hear(&s, 0x89, wide, 125), WEIR_WS_PING);
        weir_in in = {bytes, cut};
        assert_int_equal(weir_ws_next(&s.ws, &in, &ev), 0);
        in = (weir_in){bytes + cut, sizeof bytes - cut};
        assert_int_equal(weir_ws_next(&s.ws, &in, &ev), WEIR_WS_PONG);
        assert_int_equal(ev.data.len, cut > 6 ? 0 : 50);
        assert_int_equal(weir_ws_next(&s.ws, &in, &ev), 0);
        side_take_all(&s);
        expect_frame(&s, 0x8A, "12345678", 8);
        expect_frame(&s, 0x8A, wide, 125);
        expect_no_frame(&s);
    }
}

/* A server to which a Pong is half written while another waits. */
static void side_crowded(side *s, const uint8_t wide[125])
{
    side_init(s, false);
    assert_int_equal(side_hear(s, 0x89, "12345678", 8), WEIR_WS_PING);
    side_take(s, 3);
    assert_int_equal(side_hear(s, 0x89, wide, 125), WEIR_WS_PING);
}

/* What is whole in the input is reported from there, whatever waits. */
static void test_waiting_pong_and_a_whole_pong(void **state)
{
    (void)state;
    side s;
    uint8_t wide[125], bytes[10] = {0x8A, 0x84, 0, 0, 0, 0, 'p', 'o', 'n', 'g'};
    weir_ws_event ev;
    memset(wide, 'w', sizeof wide);
    side_crowded(&s, wide);
    weir_in in = {bytes, sizeof bytes};
    assert_int_equal(weir_ws_next(&s.ws, &in, &ev), WEIR_WS_PONG);
    assert_ptr_equal(ev.data.ptr, bytes + 6);
    assert_int_equal(ev.data.len, 4);
    side_take_all(&s);
    expect_frame(&s, 0x8A, "12345678", 8);
    expect_frame(&s, 0x8A, wide, 125);
    expect_no_frame(&s);
}

/* Of a Ping only the header is there: the Pong that waits still leaves if there is room before the rest. */
static void test_waiting_pong_and_the_header_of_a_ping(void **state)
{
    (void)state;
    side s;
    uint8_t wide[125], bytes[10] = {0x89, 0x84, 0, 0, 0, 0, 'p', 'i', 'n', 'g'};
    weir_ws_event ev;
    memset(wide, 'w', sizeof wide);
    side_crowded(&s, wide);
    weir_in in = {bytes, 6};
    assert_int_equal(weir_ws_next(&s.ws, &in, &ev), 0);
    side_take_all(&s);
    expect_frame(&s, 0x8A, "12345678", 8);
    expect_frame(&s, 0x8A, wide, 125);
    in = (weir_in){bytes + 6, 4};
    assert_int_equal(weir_ws_next(&s.ws, &in, &ev), WEIR_WS_PING);
    side_take_all(&s);
    expect_frame(&s, 0x8A, "ping", 4);
    expect_no_frame(&s);
}

/* We have closed, a Pong waits for room, then the peer's Close comes, whole or in pieces, with a reason
 * that is kept where the Pong lies: no Pong may leave with it. */
static void test_waiting_pong_and_the_peers_close(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++)
        for (size_t cut = 0; cut < 7; cut++) {
            side s;
            frame f;
            uint8_t wide[125], bytes[11];
            size_t key = client ? 0 : 4;
            weir_ws_event ev;
            weir_ws_closing c;
            memset(wide, 'w', sizeof wide);
            side_init(&s, client != 0);
            assert_int_equal(weir_ws_close(&s.ws, 1001, weir_cstr("")), 0);
            side_take_all(&s);
            assert_int_equal(side_hear(&s, 0x89, wide, 124), WEIR_WS_PING);
            side_take(&s, 3);
            assert_int_equal(side_hear(&s, 0x89, wide, 125), WEIR_WS_PING);
            memset(bytes, 0, sizeof bytes);
            bytes[0] = 0x88;
            bytes[1] = (uint8_t)(client ? 5 : 0x85);
            memcpy(bytes + 2 + key, "\x03\xE8why", 5);
            weir_in in = {bytes, cut};
            assert_int_equal(weir_ws_next(&s.ws, &in, &ev), 0);
            in = (weir_in){bytes + cut, 7 + key - cut};
            assert_int_equal(weir_ws_next(&s.ws, &in, &ev), WEIR_WS_CLOSE);
            side_take_all(&s);
            expect_frame(&s, 0x88, "\x03\xE9", 2);
            expect_frame(&s, 0x8A, wide, 124);
            if (side_frame(&s, &f)) {
                assert_int_equal(f.len, 125);
                assert_memory_equal(f.payload, wide, 125);
            }
            weir_ws_closing_read(&s.ws, &c);
            assert_true(c.clean && weir_str_is(c.received_reason, "why"));
        }
}

/* The answer to the peer's Close follows a Pong that is half written; nothing more may be sent then. */
static void test_the_answer_to_a_close(void **state)
{
    (void)state;
    side s;
    uint8_t wide[125];
    weir_ws_closing c;
    memset(wide, 'w', sizeof wide);
    side_init(&s, false);
    assert_int_equal(side_hear(&s, 0x89, wide, 124), WEIR_WS_PING);
    side_take(&s, 3);
    assert_int_equal(side_hear(&s, 0x88, "\x03\xE8", 2), WEIR_WS_CLOSE);
    assert_int_equal(weir_ws_ping(&s.ws, weir_cstr("")), WEIR_ERR_STATE);
    weir_ws_closing_read(&s.ws, &c);
    assert_int_equal(c.first, WEIR_WS_PEER);
    side_take_all(&s);
    expect_frame(&s, 0x8A, wide, 124);
    expect_frame(&s, 0x88, "\x03\xE8", 2);
    weir_ws_closing_read(&s.ws, &c);
    assert_true(c.clean);
}

/* A server whose out_ is full, beside which a Pong waits: what it queues next takes the Pong's place. */
static void side_full(side *s, const uint8_t wide[125])
{
    side_init(s, false);
    assert_int_equal(side_hear(s, 0x89, wide, 125), WEIR_WS_PING);
    assert_int_equal(weir_ws_ping(&s->ws, weir_cstr("p")), 0);
    assert_int_equal(side_hear(s, 0x89, wide, 125), WEIR_WS_PING);
}

/* Our Close waits for room; a Ping that comes then must not take its place. */
static void test_ping_while_a_close_waits(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++)
        for (int how = 0; how < 2; how++)
            for (size_t size = 0; size <= 125; size += 25) {
                side s;
                frame f = {0, 0, {0}};
                uint8_t wide[125];
                memset(wide, 'w', sizeof wide);
                side_init(&s, client != 0);
                assert_int_equal(side_hear(&s, 0x89, wide, client ? 119 : 125), WEIR_WS_PING);
                assert_int_equal(weir_ws_ping(&s.ws, weir_cstr(client ? "" : "p")), 0);
                assert_int_equal(side_hear(&s, 0x89, wide, 125), WEIR_WS_PING);
                if (how == 0)
                    assert_int_equal(weir_ws_close(&s.ws, 4000, (weir_str){NULL, 0}), 0);
                else
                    assert_int_equal(weir_ws_close(&s.ws, 0, (weir_str){NULL, 0}), 0);
                assert_int_equal(side_hear(&s, 0x89, wide, size), WEIR_WS_PING);
                side_take_all(&s);
                unsigned closes = 0;
                while (side_frame(&s, &f))
                    closes += f.first == 0x88 && f.len == (how == 0 ? 2 : 0);
                assert_int_equal(closes, 1);
                assert_int_equal(weir_ws_transport(&s.ws), WEIR_WS_WAIT_PEER);
            }
}

/* Nor one that comes in pieces, whether the Close waits or is in the place that was left. */
static void test_ping_in_pieces_while_a_close_waits(void **state)
{
    (void)state;
    for (int round = 0; round < 4; round++)
        for (size_t cut = 6; cut < 10; cut++) {
            side s;
            frame f = {0, 0, {0}};
            unsigned closes = 0;
            const uint8_t first = round % 2 == 0 ? 0x89 : 0x8A;
            uint8_t wide[125], bytes[10] = {first, 0x84, 0, 0, 0, 0, 'p', 'i', 'n', 'g'};
            weir_ws_event ev;
            memset(wide, 'w', sizeof wide);
            (round < 2 ? side_full : side_crowded)(&s, wide);
            assert_int_equal(weir_ws_close(&s.ws, 0, (weir_str){NULL, 0}), 0);
            weir_in in = {bytes, cut};
            assert_int_equal(weir_ws_next(&s.ws, &in, &ev), 0);
            in = (weir_in){bytes + cut, 10 - cut};
            assert_int_equal(weir_ws_next(&s.ws, &in, &ev), first == 0x89 ? WEIR_WS_PING : WEIR_WS_PONG);
            side_take_all(&s);
            while (side_frame(&s, &f))
                closes += f.first == 0x88;
            assert_int_equal(closes, 1);
        }
}

/* A short Ping of ours would fit where a long Pong waits: it must not overtake it. */
static void test_own_ping_does_not_overtake(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++) {
        side s;
        uint8_t wide[125];
        memset(wide, 'w', sizeof wide);
        side_init(&s, client != 0);
        assert_int_equal(side_hear(&s, 0x89, wide, 100), WEIR_WS_PING);
        assert_int_equal(side_hear(&s, 0x89, wide, 125), WEIR_WS_PING);
        int rv = weir_ws_ping(&s.ws, weir_cstr("p"));
        assert_true(rv == 0 || rv == WEIR_ERR_SPACE);
        side_take_all(&s);
        expect_frame(&s, 0x8A, wide, 100);
        expect_frame(&s, 0x8A, wide, 125);
        if (rv == 0)
            expect_frame(&s, 0x89, "p", 1);
        expect_no_frame(&s);
    }
}

/* ---- Close among other frames ------------------------------------------------------------------- */

/* A reply is partly written, more replies wait, then the peer's Close or an error comes: the rest
 * of that reply, then a Close, and nothing behind it. */
static void test_close_after_half_written_frame(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++)
        for (int client = 0; client < 2; client++)
            for (size_t taken = 1; taken < 10 + (client ? 4 : 0); taken++) {
                side s;
                frame f;
                uint8_t wide[125];
                memset(wide, 'w', sizeof wide);
                side_init(&s, client != 0);
                assert_int_equal(side_hear(&s, 0x89, "12345678", 8), WEIR_WS_PING);
                side_take(&s, taken);
                assert_int_equal(side_hear(&s, 0x89, wide, 125), WEIR_WS_PING);
                if (how == 0)
                    assert_int_equal(side_hear(&s, 0x88, "\x0F\xA0 reason", 9), WEIR_WS_CLOSE);
                else if (how == 1)
                    assert_int_equal(side_hear(&s, 0x8B, "", 0), WEIR_ERR_WS_OPCODE);
                else
                    assert_int_equal(weir_ws_close(&s.ws, 4000, weir_cstr("")), 0);
                side_take_all(&s);
                expect_frame(&s, 0x8A, "12345678", 8);
                assert_true(side_frame(&s, &f));
                if (f.first == 0x8A)
                    assert_true(side_frame(&s, &f));
                assert_int_equal(f.first, 0x88);
                assert_true(f.len >= 2);
                assert_memory_equal(f.payload, how == 1 ? "\x03\xEA" : "\x0F\xA0", 2);
                assert_true(how == 1 || f.len == 2);
                expect_no_frame(&s);
            }
}

/* Pongs wait and nothing is written. A Close without a reason is never refused; one with a reason is
 * queued whole or refused with nothing changed. Either way it ends up behind whole frames. */
static void test_close_beside_waiting_pongs(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++)
        for (size_t size = 0; size <= 125; size++)
            for (size_t reason = 0; reason <= 123; reason += 41) {
                side s;
                frame f = {0, 0, {0}};
                weir_ws before;
                uint8_t payload[125];
                memset(payload, 'x', sizeof payload);
                side_init(&s, client != 0);
                assert_int_equal(side_hear(&s, 0x89, payload, size), WEIR_WS_PING);
                assert_int_equal(side_hear(&s, 0x89, payload, size), WEIR_WS_PING);
                memcpy(&before, &s.ws, sizeof before);
                int rv = weir_ws_close(&s.ws, 1000, bytes_of(payload, reason));
                if (rv != 0) {
                    assert_int_equal(rv, WEIR_ERR_SPACE);
                    assert_int_not_equal(reason, 0);
                    assert_memory_equal(&s.ws, &before, sizeof before);
                    side_take_all(&s);
                    assert_int_equal(weir_ws_close(&s.ws, 1000, bytes_of(payload, reason)), 0);
                }
                side_take_all(&s);
                while (f.first != 0x88) {
                    assert_true(side_frame(&s, &f));
                    assert_true(f.first == 0x88 || (f.first == 0x8A && f.len == size));
                }
                assert_int_equal(f.len, 2 + reason);
                expect_no_frame(&s);
            }
}

/* At every half-written position a Close with a reason is queued whole or refused with nothing
 * changed; without a reason it is never refused. */
static void test_close_beside_a_half_written_frame(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++)
        for (size_t taken = 1; taken < 127; taken += 5)
            for (size_t size = 0; size <= 123; size += 3) {
                side s;
                uint8_t wide[125], close[125] = {0x03, 0xE8};
                weir_ws before;
                memset(wide, 'w', sizeof wide);
                memset(close + 2, 'r', 123);
                side_init(&s, client != 0);
                assert_int_equal(side_hear(&s, 0x89, wide, 125), WEIR_WS_PING);
                side_take(&s, taken);
                memcpy(&before, &s.ws, sizeof before);
                int rv = weir_ws_close(&s.ws, 1000, bytes_of(close + 2, size));
                if (rv != 0) {
                    assert_int_equal(rv, WEIR_ERR_SPACE);
                    assert_int_not_equal(size, 0);
                    assert_memory_equal(&s.ws, &before, sizeof before);
                    side_take_all(&s);
                    assert_int_equal(weir_ws_close(&s.ws, 1000, bytes_of(close + 2, size)), 0);
                }
                side_take_all(&s);
                expect_frame(&s, 0x8A, wide, 125);
                expect_frame(&s, 0x88, close, 2 + size);
                expect_no_frame(&s);
            }
}

/* ---- Anything at any time ----------------------------------------------------------------------- */

static uint32_t random_next(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

/* One step: the peer pings, we ping, some of the output is written, or a data frame is begun and ended
 * with things happening inside. `pings` numbers the peer's Pings, `ours` our own. */
static void random_step(side *s, uint32_t *x, uint8_t *pings, uint8_t *ours)
{
    uint8_t payload[125], header[WEIR_WS_HEADER_MAX], dst[8];
    size_t header_len, size = 1 + random_next(x) % 125;
    switch (random_next(x) % 5) {
    case 0:
    case 1:
        memset(payload, ++*pings, sizeof payload);
        assert_int_equal(side_hear(s, 0x89, payload, size), WEIR_WS_PING);
        break;
    case 2:
        memset(payload, *ours + 1, sizeof payload);
        if (weir_ws_ping(&s->ws, bytes_of(payload, size % 20 + 1)) == 0)
            ++*ours;
        break;
    case 3:
        side_take(s, random_next(x) % 150);
        break;
    default:
        if (weir_ws_begin(&s->ws, WEIR_WS_WHOLE, 5, header, &header_len) != 0)
            break;
        memset(payload, ++*pings, sizeof payload);
        assert_int_equal(side_hear(s, 0x89, payload, size), WEIR_WS_PING);
        assert_int_equal(weir_ws_out(&s->ws).len, 0);
        memcpy(s->wire + s->len, header, header_len);
        assert_int_equal(weir_ws_payload(&s->ws, dst, weir_cstr("12345")), 0);
        memcpy(s->wire + s->len + header_len, dst, 5);
        s->len += header_len + 5;
    }
}

static void test_random_order(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 400; seed++) {
        static side s;
        frame f;
        uint32_t x = seed * 2654435761u;
        uint8_t pings = 0, ours = 0, answered = 0, sent = 0;
        side_init(&s, seed % 2 != 0);
        for (int i = 0; i < 100; i++)
            random_step(&s, &x, &pings, &ours);
        side_take_all(&s);
        assert_int_equal(weir_ws_close(&s.ws, 1000, weir_cstr("end")), 0);
        side_take_all(&s);
        while (side_frame(&s, &f) && f.first != 0x88) {
            if (f.first == 0x8A) {
                assert_true(f.payload[0] > answered);
                answered = f.payload[0];
            } else if (f.first == 0x89) {
                assert_int_equal(f.payload[0], ++sent);
            } else {
                assert_int_equal(f.first, 0x82);
                assert_memory_equal(f.payload, "12345", 5);
            }
        }
        assert_int_equal(f.first, 0x88);
        expect_no_frame(&s);
        assert_int_equal(answered, pings);
        assert_int_equal(sent, ours);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_written_pong_is_finished),
        cmocka_unit_test(test_waiting_pong_and_a_pong_in_pieces),
        cmocka_unit_test(test_waiting_pong_and_a_whole_pong),
        cmocka_unit_test(test_waiting_pong_and_the_header_of_a_ping),

        cmocka_unit_test(test_waiting_pong_and_the_peers_close),
        cmocka_unit_test(test_the_answer_to_a_close),
        cmocka_unit_test(test_ping_while_a_close_waits),
        cmocka_unit_test(test_ping_in_pieces_while_a_close_waits),
        cmocka_unit_test(test_own_ping_does_not_overtake),
        cmocka_unit_test(test_close_after_half_written_frame),
        cmocka_unit_test(test_close_beside_waiting_pongs),
        cmocka_unit_test(test_close_beside_a_half_written_frame),
        cmocka_unit_test(test_random_order),
    };
    return cmocka_run_group_tests_name("ws_backlog", tests, NULL, NULL);
}
