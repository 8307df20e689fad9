/* SPDX-License-Identifier: MIT */
/*
 * attacks_lengths.c - known weaknesses in how lengths and sizes are read (RFC 6455 5.2, 10.4), one test each,
 * against both roles.
 *
 * What cannot arise here: drafts older than RFC 6455 count lengths in another way; their handshakes are
 * refused (attacks_handshake.c), so no such frame is ever read. The quadratic search for a head's end is in
 * attacks_work.c.
 */
#include "attack.h"
#include "check.h"
#include "harness.h"

enum { SERVER, CLIENT, ROLES };

/* ---- Numbers that wrap ---------------------------------------------------------------------------- */

/* Integer overflow: the lengths of two fragments add up to more than 63 or 64 bits hold. */
static void test_sum_of_fragments_overflows(void **state)
{
    static const uint64_t limits[] = {2, 100, UINT64_C(1) << 32, UINT64_C(1) << 63};
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
            victim v;
            uint8_t head[WEIR_WS_HEADER_MAX];
            weir_ws_cfg cfg = victim_cfg(role == CLIENT);
            cfg.max_frame = UINT64_MAX;
            cfg.max_message = limits[i];
            victim_start(&v, &cfg);
            v.stalled = true;
            assert_int_equal(victim_frame(&v, 0x02, "ab", 2), 0);
            size_t len = victim_header(&v, head, 0x80, INT64_MAX);
            assert_int_equal(victim_hear(&v, head, len), WEIR_ERR_WS_MESSAGE_SIZE);
            victim_expect_close(&v, 1009);
            victim_free(&v);
        }
}

/* Endless loop on a length with its top bit set, fed in single bytes: one call a byte. */
static void test_negative_length_ends(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        victim v;
        uint8_t head[WEIR_WS_HEADER_MAX];
        victim_init(&v, role == CLIENT);
        size_t len = victim_header64(&v, head, 0x82, UINT64_C(1) << 63);
        assert_int_equal(victim_hear_bytewise(&v, head, len), WEIR_ERR_WS_LENGTH_BIT);
        assert_int_equal(v.calls, 10);
        assert_int_equal(v.events, 0);
        victim_free(&v);
    }
}

/* A length that is negative when read as signed must fail also where no limit is set, and the largest
 * number as well as any other. */
static void test_lengths_beyond_63_bits(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (unsigned bit = 0; bit < 64; bit++) {
            victim v;
            uint8_t head[WEIR_WS_HEADER_MAX];
            weir_ws_cfg cfg = victim_cfg(role == CLIENT);
            cfg.max_frame = cfg.max_message = UINT64_MAX;
            victim_start(&v, &cfg);
            v.stalled = true;
            uint64_t announced = bit < 63 ? UINT64_C(1) << 63 | UINT64_C(1) << bit : UINT64_MAX;
            size_t len = victim_header64(&v, head, 0x82, announced);
            assert_int_equal(victim_hear(&v, head, len), WEIR_ERR_WS_LENGTH_BIT);
            victim_expect_close(&v, 1002);
            victim_free(&v);
        }
}

/* Lengths that become small, or 0, in 32 bits: what follows would be taken for frames. */
static void test_lengths_that_wrap_in_32_bits(void **state)
{
    static const uint64_t lengths[] = {0xFFFFFFFF, UINT64_C(1) << 32, (UINT64_C(1) << 32) + 5,
                                       UINT64_C(5) << 32, (UINT64_C(1) << 62) + 5};
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            victim v;
            uint8_t head[WEIR_WS_HEADER_MAX];
            victim_init(&v, role == CLIENT);
            v.stalled = true;
            size_t len = victim_header(&v, head, 0x82, lengths[i]);
            assert_int_equal(victim_hear(&v, head, len), WEIR_ERR_WS_FRAME_SIZE);
            victim_expect_close(&v, 1009);
            victim_free(&v);

            weir_ws_cfg cfg = victim_cfg(role == CLIENT);
            cfg.max_frame = cfg.max_message = INT64_MAX;
            victim_start(&v, &cfg);
            assert_int_equal(victim_hear(&v, head, len), 0);
            assert_int_equal(victim_frame(&v, 0x89, NULL, 0), 0);
            assert_int_equal(victim_frame(&v, 0x89, NULL, 0), 0);
            assert_int_equal(v.payload, role == CLIENT ? 4 : 12); /* still payload, not two Pings */
            assert_int_equal(v.most_out, 0);
            victim_free(&v);
        }
}

/* ---- What is announced and what is there ---------------------------------------------------------- */

/* The announced length is believed before the bytes are there. */
static void test_announced_is_not_arrived(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        victim v;
        uint8_t head[WEIR_WS_HEADER_MAX];
        victim_init(&v, role == CLIENT);
        assert_int_equal(victim_hear(&v, head, victim_header(&v, head, 0x82, 1000)), 0);
        assert_int_equal(victim_hear(&v, "0123456789", 10), 0);
        assert_int_equal(v.payload, 10);
        assert_int_equal(victim_hear(&v, NULL, 0), 0);
        assert_int_equal(v.payload, 10);
        assert_int_equal(v.events, 1);
        victim_free(&v);
    }
}

/* Memory is reserved for what a header of 15 bytes announces. Here is none to be had: the connection lies
 * against an unmapped page, and what it takes is a fixed number of calls. By default it refuses. */
static void test_no_memory_for_what_is_announced(void **state)
{
    (void)state;
    assert_true(sizeof(weir_ws) < 512);
    for (int role = 0; role < ROLES; role++)
        for (int limited = 0; limited < 2; limited++) {
            victim v;
            uint8_t bytes[WEIR_WS_HEADER_MAX + 1];
            weir_ws_cfg cfg = victim_cfg(role == CLIENT);
            if (!limited)
                cfg.max_frame = cfg.max_message = UINT64_MAX;
            victim_start(&v, &cfg);
            v.stalled = true;
            size_t len = victim_header(&v, bytes, 0x82, UINT64_C(1) << 62);
            bytes[len] = 'x';
            int rv = victim_hear(&v, bytes, len + 1);
            assert_int_equal(rv, limited ? (int)WEIR_ERR_WS_FRAME_SIZE : 0);
            assert_int_equal(v.payload, limited ? 0 : 1);
            assert_int_equal(v.calls, limited ? 1 : 2);
            if (limited)
                victim_expect_close(&v, 1009);
            else
                assert_int_equal(v.most_out, 0);
            victim_free(&v);
        }
}

/* No limit by default: each role has one, for a frame and for a message. */
static void test_there_are_limits_by_default(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (uint64_t over = 0; over < 2; over++) {
            victim v;
            uint8_t head[WEIR_WS_HEADER_MAX];
            victim_init(&v, role == CLIENT);
            size_t len = victim_header(&v, head, 0x82, (UINT64_C(16) << 20) + over);
            assert_int_equal(victim_hear(&v, head, len), over != 0 ? (int)WEIR_ERR_WS_FRAME_SIZE : 0);
            victim_free(&v);
        }
}

/* A limit that a frame which lies whole in the input gets past, or that counts the other thing. */
static void test_each_limit_holds(void **state)
{
    static const uint64_t limits[][2] = {{5, 10}, {10, 5}, {5, 5}, {130, 200}, {200, 130}, {0, 10}, {10, 0}};
    static const uint8_t payload[256] = {0};
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
            for (size_t len = 0; len < sizeof payload; len += len < 12 || (len > 126 && len < 133) ? 1 : 7) {
                victim v;
                weir_ws_cfg cfg = victim_cfg(role == CLIENT);
                cfg.max_frame = limits[i][0];
                cfg.max_message = limits[i][1];
                int expected = len > limits[i][0]   ? (int)WEIR_ERR_WS_FRAME_SIZE
                               : len > limits[i][1] ? (int)WEIR_ERR_WS_MESSAGE_SIZE
                                                    : 0;
                victim_start(&v, &cfg);
                assert_int_equal(victim_frame(&v, 0x82, payload, len), expected);
                assert_int_equal(v.payload, expected == 0 ? len : 0);
                victim_free(&v);
            }
}

/* Payload larger than the reader's buffer overflows it: it is streamed through, piece by piece. */
static void test_payload_larger_than_the_buffer(void **state)
{
    enum { SIZE = 1 << 20, PIECE = 16 };
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        victim v;
        uint8_t head[WEIR_WS_HEADER_MAX], piece[PIECE] = {0};
        victim_init(&v, role == CLIENT);
        assert_int_equal(victim_hear(&v, head, victim_header(&v, head, 0x82, SIZE)), 0);
        for (size_t i = 0; i < SIZE / PIECE; i++)
            assert_int_equal(victim_hear(&v, piece, PIECE), 0);
        assert_int_equal(v.payload, SIZE);
        assert_int_equal(v.most_out, 0);
        assert_int_equal(victim_frame(&v, 0x89, NULL, 0), 0);
        assert_int_equal(v.most_out, role == CLIENT ? 6 : 2);
        victim_free(&v);
    }
}

/* A decoder writes behind the buffer that it was given: the joiner, at every size around its capacity, in
 * one piece, in two, and in single bytes. */
static void test_joiner_stays_in_its_buffer(void **state)
{
    enum { CAP = 32 };
    static const uint8_t text[2 * CAP] = {0};
    (void)state;
    for (size_t len = 0; len <= 2 * CAP; len++)
        for (size_t step = 1; step <= len + 1; step += step < 3 ? 1 : len) {
            uint8_t *buf = guard_copy(NULL, CAP, false);
            weir_ws_joiner joiner = {buf, CAP, 0};
            weir_str message = {NULL, 0};
            int rv = 0;
            for (size_t at = 0; rv == 0; at += step) {
                size_t n = len - at < step ? len - at : step;
                uint32_t flags = (at == 0 ? WEIR_WS_FIRST : 0) | (at + n == len ? WEIR_WS_LAST : 0);
                weir_ws_event ev = {WEIR_WS_DATA, flags, {text + at, n}, 0};
                rv = weir_ws_join(&joiner, &ev, &message);
            }
            assert_int_equal(rv, len <= CAP ? 1 : (int)WEIR_ERR_WS_MESSAGE_SIZE);
            assert_int_equal(rv == 1 ? message.len : 0, len <= CAP ? len : 0);
            guard_free(buf);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sum_of_fragments_overflows),
        cmocka_unit_test(test_negative_length_ends),
        cmocka_unit_test(test_lengths_beyond_63_bits),
        cmocka_unit_test(test_lengths_that_wrap_in_32_bits),
        cmocka_unit_test(test_announced_is_not_arrived),
        cmocka_unit_test(test_no_memory_for_what_is_announced),
        cmocka_unit_test(test_there_are_limits_by_default),
        cmocka_unit_test(test_each_limit_holds),
        cmocka_unit_test(test_payload_larger_than_the_buffer),
        cmocka_unit_test(test_joiner_stays_in_its_buffer),
    };
    return cmocka_run_group_tests_name("attacks_lengths", tests, NULL, NULL);
}
