/* SPDX-License-Identifier: MIT */
/* test_ws_join.c - messages put together from their pieces. */
#include "harness.h"
#include "weir/ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static weir_ws_event piece(uint32_t flags, const char *text)
{
    weir_ws_event ev = {WEIR_WS_DATA, flags, weir_cstr(text), 0};
    return ev;
}

static void expect_message(weir_str message, const char *text)
{
    assert_int_equal(message.len, strlen(text));
    if (message.len != 0)
        assert_memory_equal(message.ptr, text, message.len);
}

static void test_one_piece_is_not_copied(void **state)
{
    (void)state;
    uint8_t buf[16];
    weir_ws_joiner joiner = {buf, sizeof buf, 0};
    weir_str message;
    memset(buf, 0xDD, sizeof buf);
    weir_ws_event ev = piece(WEIR_WS_WHOLE, "Hello");
    assert_int_equal(weir_ws_join(&joiner, &ev, &message), 1);
    assert_ptr_equal(message.ptr, ev.data.ptr);
    assert_int_equal(message.len, 5);
    for (size_t i = 0; i < sizeof buf; i++)
        assert_int_equal(buf[i], 0xDD);
    ev = piece(WEIR_WS_WHOLE | WEIR_WS_TEXT, "text");
    assert_int_equal(weir_ws_join(&joiner, &ev, &message), 1);
    assert_ptr_equal(message.ptr, ev.data.ptr);
    assert_int_equal(message.len, 4);
    ev = piece(WEIR_WS_WHOLE | WEIR_WS_TEXT, "");
    assert_int_equal(weir_ws_join(&joiner, &ev, &message), 1);
    assert_int_equal(message.len, 0);
}

static void test_pieces(void **state)
{
    (void)state;
    uint8_t buf[16];
    weir_ws_joiner joiner = {buf, sizeof buf, 0};
    weir_str message;
    weir_ws_event ev;
    for (int round = 0; round < 3; round++) {
        ev = piece(WEIR_WS_FIRST, "ab");
        assert_int_equal(weir_ws_join(&joiner, &ev, &message), 0);
        ev = piece(0, "cde");
        assert_int_equal(weir_ws_join(&joiner, &ev, &message), 0);
        ev = piece(WEIR_WS_LAST, "f");
        assert_int_equal(weir_ws_join(&joiner, &ev, &message), 1);
        expect_message(message, "abcdef");
        assert_ptr_equal(message.ptr, buf);
        ev = piece(WEIR_WS_FIRST, "longer than it");
        assert_int_equal(weir_ws_join(&joiner, &ev, &message), 0);
        ev = piece(WEIR_WS_LAST, "");
        assert_int_equal(weir_ws_join(&joiner, &ev, &message), 1);
        expect_message(message, "longer than it");
    }
}

/* Unless the message is whole there is none, whatever `message` was. */
static void expect_none(weir_ws_joiner *joiner, weir_ws_event ev, int rv)
{
    weir_str message = weir_cstr("left over");
    assert_int_equal(weir_ws_join(joiner, &ev, &message), rv);
    assert_null(message.ptr);
    assert_int_equal(message.len, 0);
}

static void test_no_message_yet(void **state)
{
    (void)state;
    uint8_t buf[4];
    weir_ws_joiner joiner = {buf, sizeof buf, 0};
    expect_none(&joiner, (weir_ws_event){WEIR_WS_PING, 0, weir_cstr("?"), 0}, 0);
    expect_none(&joiner, piece(WEIR_WS_FIRST, "abc"), 0);
    expect_none(&joiner, piece(0, ""), 0);
    expect_none(&joiner, piece(WEIR_WS_LAST, "de"), WEIR_ERR_WS_MESSAGE_SIZE);
}

static void test_other_events_are_ignored(void **state)
{
    static const weir_ws_kind kinds[] = {WEIR_WS_NONE, WEIR_WS_PING, WEIR_WS_PONG, WEIR_WS_CLOSE,
                                         WEIR_WS_END};
    (void)state;
    uint8_t buf[4];
    weir_ws_joiner joiner = {buf, sizeof buf, 0};
    weir_str message;
    weir_ws_event ev = piece(WEIR_WS_FIRST, "ab");
    assert_int_equal(weir_ws_join(&joiner, &ev, &message), 0);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        ev = (weir_ws_event){kinds[i], 0, weir_cstr("a long payload"), 1000};
        assert_int_equal(weir_ws_join(&joiner, &ev, &message), 0);
    }
    ev = piece(WEIR_WS_LAST, "cd");
    assert_int_equal(weir_ws_join(&joiner, &ev, &message), 1);
    expect_message(message, "abcd");
}

/* A message of exactly cap fits, one byte more does not, whatever its pieces; nothing is written
 * behind the buffer; the next message is collected as if nothing had been. */
static void test_capacity(void **state)
{
    static const char text[] = "0123456789ABCDEF!";
    (void)state;
    for (size_t cap = 0; cap <= 16; cap++)
        for (size_t over = 0; over < 2; over++)
            for (size_t step = 1; step <= cap + over; step++) {
                uint8_t *buf = guard_copy(NULL, cap, false);
                weir_ws_joiner joiner = {buf, cap, 0};
                weir_str message;
                size_t len = cap + over;
                int rv = 0;
                for (size_t at = 0; at < len && rv == 0; at += step) {
                    size_t n = len - at < step ? len - at : step;
                    weir_ws_event ev = {WEIR_WS_DATA, 0, {(const uint8_t *)text + at, n}, 0};
                    ev.flags = (at == 0 ? WEIR_WS_FIRST : 0) | (at + n == len ? WEIR_WS_LAST : 0);
                    rv = weir_ws_join(&joiner, &ev, &message);
                }
                assert_int_equal(rv, over ? (int)WEIR_ERR_WS_MESSAGE_SIZE : 1);
                if (!over) {
                    assert_int_equal(message.len, len);
                    assert_memory_equal(message.ptr, text, len);
                }
                guard_free(buf);
            }
}

static void test_next_message_after_a_refused_one(void **state)
{
    (void)state;
    uint8_t buf[4];
    weir_ws_joiner joiner = {buf, sizeof buf, 0};
    weir_str message;
    weir_ws_event ev = piece(WEIR_WS_FIRST, "abc");
    assert_int_equal(weir_ws_join(&joiner, &ev, &message), 0);
    ev = piece(0, "defg");
    assert_int_equal(weir_ws_join(&joiner, &ev, &message), WEIR_ERR_WS_MESSAGE_SIZE);
    ev = piece(WEIR_WS_FIRST, "xy");
    assert_int_equal(weir_ws_join(&joiner, &ev, &message), 0);
    ev = piece(WEIR_WS_LAST, "z");
    assert_int_equal(weir_ws_join(&joiner, &ev, &message), 1);
    expect_message(message, "xyz");
}

/* What is left of a message that did not fit is not taken for a message: its last piece could. */
static void test_rest_of_a_refused_message(void **state)
{
    (void)state;
    uint8_t buf[4];
    weir_ws_joiner joiner = {buf, sizeof buf, 0};
    weir_str message;
    weir_ws_event ev = piece(WEIR_WS_FIRST, "abc");
    assert_int_equal(weir_ws_join(&joiner, &ev, &message), 0);
    ev = piece(0, "defg");
    assert_int_equal(weir_ws_join(&joiner, &ev, &message), WEIR_ERR_WS_MESSAGE_SIZE);
    ev = piece(WEIR_WS_LAST, "h");
    assert_int_not_equal(weir_ws_join(&joiner, &ev, &message), 1);
}

/* Behind a connection, at every cut: with cap = max_message nothing is refused. */
static void test_behind_a_connection(void **state)
{
    static const char stream[] = "\x01\x03"
                                 "abc\x89\x00\x00\x00\x80\x04"
                                 "defg\x82\x00\x82\x07"
                                 "1234567";
    static const char *const expected[] = {"abcdefg", "", "1234567"};
    (void)state;
    const size_t len = sizeof stream - 1;
    for (size_t cut = 0; cut < len; cut++) {
        weir_ws ws;
        weir_ws_cfg cfg;
        weir_ws_event ev;
        weir_entropy entropy;
        memset(&entropy, 0, sizeof entropy);
        weir_ws_cfg_init(&cfg, WEIR_WS_CLIENT);
        cfg.entropy = &entropy;
        cfg.max_message = 7;
        cfg.flags = WEIR_WS_MANUAL_PONG;
        assert_int_equal(weir_ws_init(&ws, &cfg), 0);
        uint8_t buf[7], bytes[sizeof stream];
        weir_ws_joiner joiner = {buf, sizeof buf, 0};
        weir_str message;
        size_t count = 0;
        memcpy(bytes, stream, sizeof stream);
        for (int part = 0; part < 2; part++) {
            weir_in in = {part == 0 ? bytes : bytes + cut, part == 0 ? cut : len - cut};
            while (weir_ws_next(&ws, &in, &ev) > 0) {
                int rv = weir_ws_join(&joiner, &ev, &message);
                assert_true(rv >= 0);
                if (rv == 1)
                    expect_message(message, expected[count++]);
            }
            assert_int_equal(weir_ws_error(&ws, NULL), 0);
        }
        assert_int_equal(count, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_piece_is_not_copied),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_no_message_yet),
        cmocka_unit_test(test_other_events_are_ignored),
        cmocka_unit_test(test_capacity),
        cmocka_unit_test(test_next_message_after_a_refused_one),
        cmocka_unit_test(test_rest_of_a_refused_message),
        cmocka_unit_test(test_behind_a_connection),
    };
    return cmocka_run_group_tests_name("ws_join", tests, NULL, NULL);
}
