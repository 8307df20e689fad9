/* SPDX-License-Identifier: MIT */
/*
 * attacks_deflate.c - known weaknesses in permessage-deflate that need no compressor to be shown (RFC
 * 7692), one test each, against both roles: agreement, reserved bits, failures of the library behind it.
 *
 * What cannot arise here: faults of a compression library that is carried along and grows old; weir carries
 * none and works with the one that is installed. Bombs and corrupt data are in attacks_inflate.c.
 */
#include "attack.h"
#include "check.h"
#include "store_backend.h"
#include "ws_packed.h"

#include <stdio.h>

enum { SERVER, CLIENT, ROLES };

static packed_side *stored_new(int role, uint64_t max_message)
{
    weir_ws_role side = role == CLIENT ? WEIR_WS_CLIENT : WEIR_WS_SERVER;
    return packed_new(backend_counting(&store_backend), side, packed_all_15, max_message);
}

static void expect_close(packed_side *s, unsigned code)
{
    weir_str out = weir_ws_out(&s->ws);
    size_t key = s->role == WEIR_WS_CLIENT ? 4 : 0;
    assert_true(out.len >= 4 + key);
    assert_int_equal(out.ptr[0], 0x88);
    const uint8_t *payload = out.ptr + 2 + key;
    unsigned high = payload[0] ^ (key != 0 ? out.ptr[2] : 0u);
    unsigned low = payload[1] ^ (key != 0 ? out.ptr[3] : 0u);
    assert_int_equal(high << 8 | low, code);
}

/* ---- Agreement ------------------------------------------------------------------------------------ */

/* A window in the answer that no window can have brings down who sets it up: the client fails the
 * handshake, and nothing is filled in that could be used. */
static void test_windows_in_the_answer(void **state)
{
    static const char *const values[] = {
        "0", "7",  "16",   "99999999999", "18446744073709551625", "4294967305", "-9",  "+9",  "08", "015",
        "x", "9x", "\"\"", "\"16\"",      "\"\\1\\6\"",           "9.0",        "0x9", "1e1", "''", "*"};
    static const char *const names[] = {"server_max_window_bits", "client_max_window_bits"};
    static const weir_deflate_policy policy = {0, 0, false, false};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        for (size_t k = 0; k < 2; k++) {
            char text[128];
            weir_http_field field = {weir_cstr("Sec-WebSocket-Extensions"), {NULL, 0}};
            weir_deflate_params params;
            snprintf(text, sizeof text, "permessage-deflate; %s=%s", names[k], values[i]);
            field.value = weir_cstr(text);
            weir_http_fields fields = {{NULL, 0}, &field, 1};
            assert_int_equal(weir_deflate_check(fields, &policy, &params), WEIR_ERR_WS_EXTENSION);
            int rv = weir_deflate_negotiate(fields, &policy, &params);
            assert_true(rv == 0 || rv == WEIR_ERR_WS_EXTENSION_FORM);
        }
}

/* A window that was not agreed on, given to the set-up all the same. */
static void test_windows_at_set_up(void **state)
{
    static uint8_t memory[64], scratch[256];
    (void)state;
    for (unsigned bits = 0; bits < 256; bits++)
        for (int which = 0; which < 2; which++) {
            weir_deflate deflate;
            weir_deflate_cfg cfg = {
                .backend = &store_backend, .params = packed_all_15, .role = WEIR_WS_SERVER};
            cfg.inflate_mem = cfg.deflate_mem = memory;
            cfg.inflate_len = cfg.deflate_len = sizeof memory;
            cfg.scratch = scratch;
            cfg.scratch_len = sizeof scratch;
            *(which == 0 ? &cfg.params.server_bits : &cfg.params.client_bits) = (uint8_t)bits;
            assert_int_equal(weir_deflate_init(&deflate, &cfg),
                             bits >= 8 && bits <= 15 ? 0 : (int)WEIR_ERR_ARG);
        }
}

/* Names of extensions and parameters that a dictionary treats as its own, in an answer. */
static void test_names_in_the_answer(void **state)
{
    static const char *const values[] = {"__proto__",
                                         "constructor",
                                         "permessage-deflate; __proto__",
                                         "permessage-deflate; toString=1",
                                         "permessage-deflate, constructor",
                                         "permessage-deflate, permessage-deflate",
                                         "permessage-deflat",
                                         "permessage-deflate2",
                                         "x-webkit-deflate-frame",
                                         "permessage-deflate; server_no_context_takeove",
                                         "permessage-deflate; server_no_context_takeover2"};
    static const weir_deflate_policy policy = {0, 0, false, false};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        weir_http_field field = {weir_cstr("Sec-WebSocket-Extensions"), weir_cstr(values[i])};
        weir_deflate_params params;
        weir_http_fields fields = {{NULL, 0}, &field, 1};
        assert_int_equal(weir_deflate_check(fields, &policy, &params), WEIR_ERR_WS_EXTENSION);
        assert_int_equal(weir_deflate_check(fields, NULL, &params), WEIR_ERR_WS_EXTENSION);
    }
}

/* ---- Reserved bits -------------------------------------------------------------------------------- */

/* Compressed frames without agreement reach code that was not set up for them. */
static void test_compressed_without_agreement(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (unsigned first = 0; first < 256; first++) {
            if ((first & 0x70) == 0)
                continue;
            victim v;
            victim_init(&v, role == CLIENT);
            v.stalled = true;
            int rv = victim_frame(&v, (uint8_t)first, "\xF2\x48\xCD\xC9\xC9\x07\x00", 7);
            assert_int_equal(rv, WEIR_ERR_WS_RSV);
            assert_int_equal(v.payload, 0);
            victim_expect_close(&v, 1002);
            victim_free(&v);
        }
}

/* With agreement the bit stands in a message's first frame alone: not in a control frame, not in a
 * continuation, and the other two bits nowhere. */
static void test_bits_where_they_may_not_be(void **state)
{
    static const uint8_t alone[] = {0xC8, 0xC9, 0xCA, 0xA1, 0x91, 0xE1, 0xD1, 0xF1, 0xF2, 0xA9, 0x98};
    static const uint8_t inside[] = {0xC0, 0x40, 0xA0, 0x90, 0xF0, 0xC8, 0xC9, 0xCA};
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        for (size_t i = 0; i < sizeof alone; i++) {
            packed_side *s = stored_new(role, 1000);
            assert_int_equal(packed_frame(s, alone[i], "", 0, 1), WEIR_ERR_WS_RSV);
            expect_close(s, 1002);
            packed_delete(s);
        }
        for (size_t i = 0; i < sizeof inside; i++)
            for (uint8_t first = 0x02; first <= 0x42; first += 0x40) {
                packed_side *s = stored_new(role, 1000);
                assert_int_equal(packed_frame(s, first, "ab", 2, 1), 0);
                assert_int_equal(packed_frame(s, inside[i], "", 0, 1), WEIR_ERR_WS_RSV);
                packed_delete(s);
            }
    }
}

/* ---- Limits ---------------------------------------------------------------------------------------- */

/* Many empty fragments of a compressed message: they count like any others. */
static void test_empty_compressed_fragments(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        packed_side *s = stored_new(role, 1000);
        unsigned count = 1;
        s->max_fragments = 1000;
        packed_start(s);
        int rv = packed_frame(s, 0x42, "a", 1, 100);
        for (; count < 5000 && rv == 0; count++)
            rv = packed_frame(s, 0x00, "", 0, 100);
        assert_int_equal(rv, WEIR_ERR_WS_FRAGMENTS);
        assert_int_equal(count, 1001);
        expect_close(s, 1008);
        packed_delete(s);
    }
}

/* Endless compressed fragments: the sum of what comes out stops at the message's limit. */
static void test_endless_compressed_fragments(void **state)
{
    static const uint8_t fragment[100] = {0};
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        packed_side *s = stored_new(role, 12345);
        unsigned count = 0;
        int rv = 0;
        for (; count < 1000 && rv == 0; count++)
            rv = packed_frame(s, count == 0 ? 0x42 : 0x00, fragment, sizeof fragment, 33);
        assert_int_equal(rv, WEIR_ERR_WS_MESSAGE_SIZE);
        assert_int_equal(count, 124);
        assert_int_equal(s->got_len, 12345);
        expect_close(s, 1009);
        packed_delete(s);
    }
}

/* ---- Failures of the library behind it ------------------------------------------------------------- */

/* Memory is used after a failure was cleaned up: the library fails at each of its calls in turn, the memory
 * goes away, input still comes. The connection says the same error and touches nothing. */
static void test_nothing_is_touched_after_a_failure(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (uint64_t at = 1; at <= 8; at++) {
            packed_side *s = stored_new(role, 1000);
            int rv = 0;
            if (at <= 6)
                backend_counts.fail_inflate = at;
            else
                backend_counts.fail_end = at - 6;
            for (unsigned i = 0; i < 4 && rv == 0; i++)
                rv = packed_frame(s, i % 2 == 0 ? 0x42 : 0x80, "some text", 9, 5);
            assert_int_equal(rv, WEIR_ERR_WS_DEFLATE);
            expect_close(s, 1007);
            uint64_t calls = backend_counts.inflates + backend_counts.ends;
            packed_unmap(s);
            for (unsigned i = 0; i < 3; i++) {
                weir_ws_event ev;
                assert_int_equal(packed_frame(s, 0xC2, "some text", 9, 5), WEIR_ERR_WS_DEFLATE);
                assert_int_equal(weir_ws_eof(&s->ws, &ev), i == 0 ? WEIR_WS_END : 0);
            }
            assert_int_equal(backend_counts.inflates + backend_counts.ends, calls);
            packed_delete(s);
        }
}

/* What was good before a failure is delivered once, what came behind it never. */
static void test_good_before_a_failure(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        packed_side *s = stored_new(role, 1000);
        assert_int_equal(packed_frame(s, 0xC2, "first", 5, 100), 0);
        backend_counts.fail_inflate = backend_counts.inflates + 2;
        assert_int_equal(packed_frame(s, 0x42, "second", 6, 100), 0);
        assert_int_equal(packed_frame(s, 0x80, "third", 5, 100), WEIR_ERR_WS_DEFLATE);
        assert_int_equal(s->messages, 1);
        assert_int_equal(s->got_len, 6);
        assert_memory_equal(s->got, "second", 6);
        packed_delete(s);
    }
}

/* A compressor that fails leaves half a frame behind: nothing is written, and nothing remembered. */
static void test_a_compressor_that_fails(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        packed_side *s = stored_new(role, 1000);
        uint8_t bytes[64];
        weir_out out = {bytes, sizeof bytes};
        backend_counts.fail_deflate = 2;
        weir_str data = weir_cstr("text");
        assert_int_equal(weir_ws_send(&s->ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, data), 0);
        size_t left = out.len;
        assert_true(weir_ws_send(&s->ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, data) < 0);
        assert_int_equal(out.len, left);
        /* A plain message that follows says that it is one. */
        uint8_t *frame = out.ptr;
        assert_int_equal(weir_ws_send(&s->ws, &out, WEIR_WS_WHOLE, data), 0);
        assert_int_equal(frame[0], 0x82);
        packed_delete(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows_in_the_answer),
        cmocka_unit_test(test_windows_at_set_up),
        cmocka_unit_test(test_names_in_the_answer),
        cmocka_unit_test(test_compressed_without_agreement),
        cmocka_unit_test(test_bits_where_they_may_not_be),
        cmocka_unit_test(test_empty_compressed_fragments),
        cmocka_unit_test(test_endless_compressed_fragments),
        cmocka_unit_test(test_nothing_is_touched_after_a_failure),
        cmocka_unit_test(test_good_before_a_failure),
        cmocka_unit_test(test_a_compressor_that_fails),
    };
    return cmocka_run_group_tests_name("attacks_deflate", tests, NULL, NULL);
}
