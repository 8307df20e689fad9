/* SPDX-License-Identifier: MIT */
/* attacks_fragments.c - known weaknesses in fragments and tiny pieces (RFC 6455 5.4, 10.4), one test each,
 * against both roles. */
#include "attack.h"
#include "check.h"

enum { SERVER, CLIENT, ROLES };

/* Endless fragments: the sum stops at the message's limit, from a header, and nothing of the fragment that
 * goes beyond it is delivered. */
static void test_sum_of_fragments(void **state)
{
    static const uint8_t fragment[1024] = {0};
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        victim v;
        int rv = 0;
        unsigned i = 0;
        victim_init(&v, role == CLIENT);
        v.stalled = true;
        for (; i < 100000 && rv == 0; i++)
            rv = victim_frame(&v, i == 0 ? 0x02 : 0x00, fragment, sizeof fragment);
        assert_int_equal(rv, WEIR_ERR_WS_MESSAGE_SIZE);
        assert_int_equal(v.payload, 16u << 20);
        assert_int_equal(i, (16u << 10) + 1);
        victim_expect_close(&v, 1009);
        victim_free(&v);
    }
}

/* Many tiny or empty fragments: memory and time for nothing. The struct is all there is; the number of
 * fragments is bounded, also when nothing is reported of them. */
static void test_number_of_fragments(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (size_t size = 0; size < 2; size++) {
            victim v;
            unsigned count = 0;
            int rv = 0;
            victim_init(&v, role == CLIENT);
            v.stalled = true;
            for (; count < 131072 && rv == 0; count++)
                rv = victim_frame(&v, count == 0 ? 0x02 : 0x00, "x", size);
            assert_int_equal(rv, WEIR_ERR_WS_FRAGMENTS);
            assert_int_equal(count, 100001);
            assert_int_equal(v.events, size != 0 ? 100000 : 0);
            assert_int_equal(v.calls, 100001 + v.events);
            victim_expect_close(&v, 1008);
            victim_free(&v);
        }
}

/* The count is a message's: messages that are whole do not add up, nor do control frames reset it. */
static void test_number_of_fragments_is_of_a_message(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        victim v;
        weir_ws_cfg cfg = victim_cfg(role == CLIENT);
        cfg.max_fragments = 3;
        victim_start(&v, &cfg);
        for (unsigned i = 0; i < 10; i++) {
            assert_int_equal(victim_frame(&v, 0x02, "a", 1), 0);
            assert_int_equal(victim_frame(&v, 0x00, "", 0), 0);
            assert_int_equal(victim_frame(&v, 0x89, "ping", 4), 0);
            assert_int_equal(victim_frame(&v, i < 9 ? 0x80 : 0x00, "b", 1), 0);
        }
        assert_int_equal(victim_frame(&v, 0x8A, "pong", 4), 0);
        assert_int_equal(victim_frame(&v, 0x80, "", 0), WEIR_ERR_WS_FRAGMENTS);
        victim_free(&v);
    }
}

/* Continuation out of order is taken for data of another message: all orders of three frames. */
static void test_order_of_fragments(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (unsigned order = 0; order < 216; order++) {
            const unsigned kinds[3] = {order % 6, order / 6 % 6, order / 36};
            victim v;
            bool open = false;
            int expected = 0;
            victim_init(&v, role == CLIENT);
            for (unsigned i = 0; i < 3 && expected == 0; i++) {
                unsigned opcode = kinds[i] % 3;
                bool fin = kinds[i] >= 3;
                expected = opcode == 0 && !open  ? (int)WEIR_ERR_WS_CONTINUATION
                           : opcode != 0 && open ? (int)WEIR_ERR_WS_INTERLEAVED
                                                 : 0;
                open = !fin;
                assert_int_equal(victim_frame(&v, (uint8_t)(opcode | (fin ? 0x80u : 0u)), "a", 1), expected);
            }
            victim_free(&v);
        }
}

/* Quadratic time when a large message comes in tiny reads: one call more than there are events, whatever
 * has arrived before. */
static void test_tiny_reads(void **state)
{
    enum { SIZE = 1 << 20 };
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        victim v;
        uint8_t head[WEIR_WS_HEADER_MAX];
        victim_init(&v, role == CLIENT);
        size_t len = victim_header(&v, head, 0x81, SIZE);
        assert_int_equal(victim_hear_bytewise(&v, head, len), 0);
        for (size_t i = 0; i < SIZE; i++)
            assert_int_equal(victim_hear(&v, "x", 1), 0);
        assert_int_equal(v.payload, SIZE);
        assert_int_equal(v.events, SIZE);
        assert_int_equal(v.calls, len + 2 * (uint64_t)SIZE);
        victim_free(&v);
    }
}

/* Three frames that two parsers read differently: masking that does not fit the sender's role, a message
 * that begins with a continuation, a length not in its shortest form. */
static void test_frames_that_parsers_differ_over(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        victim v;
        bool client = role == CLIENT;
        uint8_t frame[20] = {0x81, client ? 0x85 : 0x05};
        victim_init(&v, client);
        assert_int_equal(victim_hear(&v, frame, 11), WEIR_ERR_WS_MASKING);
        victim_free(&v);
        victim_init(&v, client);
        assert_int_equal(victim_frame(&v, 0x80, "Hello", 5), WEIR_ERR_WS_CONTINUATION);
        victim_free(&v);
        for (unsigned len = 0; len < 126; len += 5) {
            uint8_t padded[8] = {0x81, (uint8_t)(client ? 126 : 254), 0, (uint8_t)len};
            victim_init(&v, client);
            assert_int_equal(victim_hear(&v, padded, sizeof padded), WEIR_ERR_WS_LENGTH);
            victim_free(&v);
        }
        for (uint64_t len = 0; len < 65536; len += 4369) {
            victim_init(&v, client);
            size_t size = victim_header64(&v, frame, 0x81, len);
            assert_int_equal(victim_hear(&v, frame, size), WEIR_ERR_WS_LENGTH);
            victim_free(&v);
        }
    }
}

/* Text that only its whole shows to be invalid: held back until then, it lets a peer send megabytes of it;
 * passed on, it brings down what reads it. It fails at the byte that makes it impossible. */
static void test_text_fails_at_once(void **state)
{
    static const uint8_t text[] = "good \xED\xA0\x80 and much more";
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (int bytewise = 0; bytewise < 2; bytewise++) {
            victim v;
            uint8_t bytes[64];
            victim_init(&v, role == CLIENT);
            size_t len = victim_header(&v, bytes, 0x01, 10 << 20);
            memcpy(bytes + len, text, sizeof text);
            int rv = bytewise ? victim_hear_bytewise(&v, bytes, len + sizeof text)
                              : victim_hear(&v, bytes, len + sizeof text);
            assert_int_equal(rv, WEIR_ERR_WS_UTF8);
            assert_int_equal(v.payload, 6); /* the surrogate's first byte might still become a character */
            victim_free(&v);
        }
}

/* The same in frames that lie whole in the input, with a key that is not zero; and a character that one frame
 * begins and the next does not end. */
static void test_text_of_whole_frames(void **state)
{
    static const struct {
        const char *text;
        size_t good;
    } rows[] = {{"plain", 5},          {"\xC3\xA4", 2},     {"a\x80", 1},        {"\xC0\x80", 0},
                {"ab\xED\xA0\x80", 3}, {"12345678\xFF", 8}, {"\xE4\xBD\xA0", 3}, {"\xE4", 1},
                {"\xFF", 0},           {"\xF4\x90", 1}};
    static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            victim v;
            uint8_t frame[32];
            size_t text_len = strlen(rows[i].text);
            bool valid = weir_utf8_valid((weir_str){(const uint8_t *)rows[i].text, text_len});
            victim_init(&v, role == CLIENT);
            size_t len = victim_header(&v, frame, 0x81, text_len);
            if (role == SERVER)
                memcpy(frame + len - 4, key, 4);
            for (size_t k = 0; k < text_len; k++, len++)
                frame[len] = (uint8_t)((uint8_t)rows[i].text[k] ^ (role == SERVER ? key[k % 4] : 0));
            assert_int_equal(victim_hear(&v, frame, len), valid ? 0 : (int)WEIR_ERR_WS_UTF8);
            assert_int_equal(v.payload, rows[i].good);
            victim_free(&v);

            victim_init(&v, role == CLIENT);
            assert_int_equal(victim_frame(&v, 0x01, "\xE4\xBD", 2), 0);
            assert_int_equal(victim_frame(&v, 0x80, "ascii and more", 14), WEIR_ERR_WS_UTF8);
            assert_int_equal(v.payload, 2);
            victim_free(&v);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sum_of_fragments),
        cmocka_unit_test(test_number_of_fragments),
        cmocka_unit_test(test_number_of_fragments_is_of_a_message),
        cmocka_unit_test(test_order_of_fragments),
        cmocka_unit_test(test_tiny_reads),
        cmocka_unit_test(test_frames_that_parsers_differ_over),
        cmocka_unit_test(test_text_fails_at_once),
        cmocka_unit_test(test_text_of_whole_frames),
    };
    return cmocka_run_group_tests_name("attacks_fragments", tests, NULL, NULL);
}
