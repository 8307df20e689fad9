/* SPDX-License-Identifier: MIT */
/* attacks_inflate.c - known weaknesses in how compressed messages are read and written (RFC 7692 7.2), one
 * test each, against both roles, over zlib. Built when zlib is there. */
#include "check.h"
#include "harness.h"
#include "weir/zlib.h"
#include "ws_packed.h"

#include <stdlib.h>
#include <zlib.h>

enum { SERVER, CLIENT, ROLES };

static const uint8_t hello[] = {0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00};

static packed_side *side_new(int role, weir_deflate_params params, uint64_t max_message)
{
    weir_ws_role side = role == CLIENT ? WEIR_WS_CLIENT : WEIR_WS_SERVER;
    return packed_new(backend_counting(&weir_zlib), side, params, max_message);
}

/* A compressor of the peer's, in ways that weir's own does not know. */
static z_stream *peer_new(int bits, int mem_level, int strategy)
{
    z_stream *peer = calloc(1, sizeof *peer);
    assert_non_null(peer);
    assert_int_equal(deflateInit2(peer, 6, Z_DEFLATED, -bits, mem_level, strategy), Z_OK);
    return peer;
}

static void peer_delete(z_stream *peer)
{
    (void)deflateEnd(peer);
    free(peer);
}

/* A message, or what `flush` makes of it, tail included. */
static size_t peer_pack(z_stream *peer, const void *data, size_t len, int flush, uint8_t *dst, size_t room)
{
    uint8_t *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    peer->next_in = copy;
    peer->avail_in = (uInt)len;
    peer->next_out = dst;
    peer->avail_out = (uInt)room;
    int rv = deflate(peer, flush);
    assert_true(rv == Z_OK || rv == Z_STREAM_END);
    assert_true(peer->avail_in == 0 && peer->avail_out != 0);
    free(copy);
    return room - peer->avail_out;
}

/* ---- Bombs ----------------------------------------------------------------------------------------- */

enum { PART = 1 << 20, PARTS = 512, BOMB_ROOM = PARTS * 1100 };

/* Half a gibibyte of zeros in half a mebibyte: one part that refers to nothing before it, again and again. */
static size_t bomb_make(uint8_t *bomb, size_t parts)
{
    uint8_t *zeros = calloc(1, PART);
    z_stream *peer = peer_new(15, 8, Z_DEFAULT_STRATEGY);
    size_t part = peer_pack(peer, zeros, PART, Z_FULL_FLUSH, bomb, BOMB_ROOM);
    for (size_t i = 1; i < parts; i++)
        memcpy(bomb + i * part, bomb, part);
    free(zeros);
    peer_delete(peer);
    assert_true(PARTS * part < 560000);
    return parts * part - 4;
}

/* The bomb in one frame, in both roles: no more is inflated than the limit and one scratch full, whatever
 * pieces it comes in. Without the limit it is all of its size, and memory stays what it was. */
static void test_bomb(void **state)
{
    static uint8_t bomb[BOMB_ROOM];
    size_t parts = test_rounds(PARTS), len = bomb_make(bomb, parts);
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (size_t step = 7; step < 10 * (size_t)BOMB_ROOM; step *= 997) {
            packed_side *s = side_new(role, packed_all_15, 100000);
            assert_int_equal(packed_frame(s, 0xC2, bomb, len, step), WEIR_ERR_WS_MESSAGE_SIZE);
            assert_int_equal(s->got_len, 100000);
            assert_true(backend_counts.inflated <= 100000 + PACKED_SCRATCH);
            assert_true(backend_counts.inflates <= 100000 / PACKED_SCRATCH + 2 + 1000 / step);
            packed_delete(s);
        }
    packed_side *s = side_new(CLIENT, packed_all_15, 100000);
    s->count_only = true;
    s->max_message = (uint64_t)PART * parts;
    packed_start(s);
    assert_int_equal(packed_frame(s, 0xC2, bomb, len, 1 << 16), 0);
    assert_int_equal(s->messages, 1);
    assert_int_equal(s->got_len, PART * parts);
    packed_delete(s);
}

/* A bomb that fits into a page: 1 KiB for 1 MiB, stopped at 16 KiB. */
static void test_small_bomb(void **state)
{
    static uint8_t zeros[PART], bomb[2000];
    (void)state;
    z_stream *peer = peer_new(15, 9, Z_DEFAULT_STRATEGY);
    size_t len = peer_pack(peer, zeros, PART, Z_SYNC_FLUSH, bomb, sizeof bomb) - 4;
    assert_true(len < 1100);
    for (int role = 0; role < ROLES; role++)
        for (size_t step = 1; step < 2 * len; step *= 3) {
            packed_side *s = side_new(role, packed_all_15, 16384);
            assert_int_equal(packed_frame(s, 0xC1, bomb, len, step), WEIR_ERR_WS_MESSAGE_SIZE);
            assert_int_equal(s->got_len, 16384);
            assert_true(backend_counts.inflated <= 16384 + PACKED_SCRATCH);
            packed_delete(s);
        }
    peer_delete(peer);
}

/* The bomb spread over a thousand fragments, each harmless, Pings between them. */
static void test_bomb_in_fragments(void **state)
{
    enum { FRAGMENTS = 1000 };
    static uint8_t bomb[BOMB_ROOM];
    size_t len = bomb_make(bomb, PARTS);
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        packed_side *s = side_new(role, packed_all_15, 1 << 20);
        unsigned i = 0;
        int rv = 0;
        for (; i < FRAGMENTS && rv == 0; i++) {
            size_t from = len * i / FRAGMENTS, to = len * (i + 1) / FRAGMENTS;
            rv = packed_frame(s, i == 0 ? 0x42 : 0x00, bomb + from, to - from, 100);
            if (rv == 0)
                rv = packed_frame(s, 0x89, "", 0, 100);
        }
        assert_int_equal(rv, WEIR_ERR_WS_MESSAGE_SIZE);
        assert_true(i <= 4);
        assert_int_equal(s->got_len, 1 << 20);
        assert_true(backend_counts.inflated <= (1 << 20) + PACKED_SCRATCH);
        packed_delete(s);
    }
}

/* The second message is a bomb that needs the first one's window. */
static void test_bomb_in_a_second_message(void **state)
{
    static uint8_t text[30000], packed[40000];
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * i >> 7);
    for (int role = 0; role < ROLES; role++) {
        packed_side *s = side_new(role, packed_all_15, sizeof text);
        z_stream *peer = peer_new(15, 8, Z_DEFAULT_STRATEGY);
        size_t len = peer_pack(peer, text, sizeof text, Z_SYNC_FLUSH, packed, sizeof packed) - 4;
        assert_int_equal(packed_frame(s, 0xC2, packed, len, 1000), 0);
        assert_int_equal(s->messages, 1);
        size_t total = 0;
        for (unsigned i = 0; i < 20; i++)
            total += peer_pack(peer, text, sizeof text, Z_SYNC_FLUSH, packed + total, sizeof packed - total);
        assert_true(total < sizeof packed / 2);
        uint64_t before = backend_counts.inflated;
        assert_int_equal(packed_frame(s, 0xC2, packed, total - 4, 1000), WEIR_ERR_WS_MESSAGE_SIZE);
        assert_int_equal(s->got_len, sizeof text);
        assert_true(backend_counts.inflated - before <= sizeof text + PACKED_SCRATCH);
        packed_delete(s);
        peer_delete(peer);
    }
}

/* The limit is held against the wrong size. It counts what comes out: what is small on the wire and large
 * behind it is refused, what is large on the wire and small behind it is not. */
static void test_limit_counts_inflated_bytes(void **state)
{
    static const uint8_t empty_block[] = {0x00, 0x00, 0x00, 0xFF, 0xFF};
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        uint8_t payload[1501];
        for (size_t i = 0; i < 300; i++)
            memcpy(payload + 5 * i, empty_block, 5);
        payload[1500] = 0x00;
        packed_side *s = side_new(role, packed_all_15, 10);
        assert_int_equal(packed_frame(s, 0xC2, payload, sizeof payload, 13), 0);
        assert_int_equal(s->messages, 1);
        assert_int_equal(s->got_len, 0);

        uint8_t eleven[32];
        z_stream *peer = peer_new(15, 8, Z_DEFAULT_STRATEGY);
        size_t len = peer_pack(peer, "aaaaaaaaaaa", 11, Z_SYNC_FLUSH, eleven, sizeof eleven) - 4;
        assert_true(len < 10);
        assert_int_equal(packed_frame(s, 0xC2, eleven, len, 13), WEIR_ERR_WS_MESSAGE_SIZE);
        assert_int_equal(s->got_len, 10);
        s->max_message = 11;
        packed_start(s);
        assert_int_equal(packed_frame(s, 0xC2, eleven, len, 13), 0);
        assert_int_equal(s->got_len, 11);
        packed_delete(s);
        peer_delete(peer);
    }
}

/* A bomb below the size limit: what it costs to inflate is out of proportion to what it costs to send. A
 * ratio can be set; it stops at the exact byte, whatever pieces the message comes in. */
static void test_ratio(void **state)
{
    static uint8_t zeros[100000], bomb[2000];
    (void)state;
    z_stream *peer = peer_new(15, 8, Z_DEFAULT_STRATEGY);
    size_t len = peer_pack(peer, zeros, sizeof zeros, Z_SYNC_FLUSH, bomb, sizeof bomb) - 4;
    for (int role = 0; role < ROLES; role++)
        for (size_t step = 1; step < 3000; step *= 9) {
            packed_side *s = side_new(role, packed_all_15, 1 << 17);
            s->max_ratio = 20;
            packed_start(s);
            assert_int_equal(packed_frame(s, 0xC2, hello, sizeof hello, step), 0);
            assert_int_equal(packed_frame(s, 0xC2, bomb, len, step), WEIR_ERR_WS_RATIO);
            assert_int_equal(s->messages, 1); /* what one message was short of does not help the next */
            assert_int_equal(s->got_len, len * 20);
            packed_delete(s);
        }
    peer_delete(peer);
}

/* ---- Messages that end wrong ------------------------------------------------------------------------ */

static const uint8_t hello_final[] = {0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00};
static const uint8_t hello_again[] = {0xF2, 0x00, 0x11, 0x00, 0x00}; /* refers to the text before it */

static void expect_text(const packed_side *s, unsigned messages, const char *text)
{
    assert_int_equal(s->messages, messages);
    assert_int_equal(s->got_len, strlen(text));
    assert_memory_equal(s->got, text, s->got_len);
}

/* A message that is cut inside a block inflates to garbage with the tail that weir adds, and the next one
 * fails in its place: it is refused at its end, at each length it can be cut to. */
static void test_message_cut_inside_a_block(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (size_t len = 0; len < sizeof hello; len++)
            for (size_t step = 1; step <= 8; step += 7) {
                packed_side *s = side_new(role, packed_all_15, 1000);
                int rv = packed_frame(s, 0xC1, hello, len, step);
                assert_int_equal(rv, WEIR_ERR_WS_DEFLATE);
                assert_int_equal(s->messages, 0);
                packed_delete(s);
            }
}

/* The same for a message with the codes of its own block, longer than the scratch. */
static void test_long_message_cut_inside_a_block(void **state)
{
    static uint8_t text[6000], packed[8000];
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(' ' + (i * i >> 5) % 90);
    z_stream *peer = peer_new(15, 8, Z_DEFAULT_STRATEGY);
    size_t whole = peer_pack(peer, text, sizeof text, Z_SYNC_FLUSH, packed, sizeof packed) - 4;
    assert_int_equal(packed[0] & 6, 4); /* a block with its own codes */
    for (size_t len = 0; len <= whole; len += len < 100 || whole - len < 100 ? 1 : 13) {
        packed_side *s = side_new(len % 2 != 0 ? SERVER : CLIENT, packed_all_15, sizeof text);
        int rv = packed_frame(s, 0xC2, packed, len, 500);
        assert_int_equal(rv, len < whole ? (int)WEIR_ERR_WS_DEFLATE : 0);
        assert_int_equal(s->messages, len == whole);
        assert_memory_equal(s->got, text, s->got_len);
        packed_delete(s);
    }
    peer_delete(peer);
}

/* The tail that belongs away is left on the wire: the next message would be garbage. */
static void test_tail_left_on_the_wire(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (size_t more = 1; more <= 4; more++) {
            uint8_t payload[sizeof hello + 4];
            memcpy(payload, hello, sizeof hello);
            memcpy(payload + sizeof hello, "\x00\x00\xFF\xFF", 4);
            packed_side *s = side_new(role, packed_all_15, 1000);
            assert_int_equal(packed_frame(s, 0xC1, payload, sizeof hello + more, 3), WEIR_ERR_WS_DEFLATE);
            assert_int_equal(s->messages, 0);
            packed_delete(s);
        }
}

/* A block that says it is the last one ends the decompressor, and later messages come out empty, or not at
 * all: A with such a block, then a plain B, an empty C, and D that refers to A. */
static void test_final_blocks_lose_nothing(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (size_t step = 1; step <= 100; step += 99) {
            packed_side *s = side_new(role, packed_all_15, 1000);
            assert_int_equal(packed_frame(s, 0xC1, hello_final, sizeof hello_final, step), 0);
            expect_text(s, 1, "Hello");
            assert_int_equal(packed_frame(s, 0x81, "plain", 5, step), 0);
            expect_text(s, 2, "plain");
            assert_int_equal(packed_frame(s, 0xC1, "\x00", 1, step), 0);
            expect_text(s, 3, "");
            assert_int_equal(packed_frame(s, 0xC1, hello_again, sizeof hello_again, step), 0);
            expect_text(s, 4, "Hello");
            assert_int_equal(packed_frame(s, 0xC1, hello, sizeof hello, step), 0);
            expect_text(s, 5, "Hello");
            packed_delete(s);
        }
}

/* ---- Data that is corrupt ---------------------------------------------------------------------------- */

/* A reference to what was never sent, or is no longer in the window, reads memory of somebody else's:
 * behind a forgotten window, before the first byte, one byte further than the window that was agreed on. */
static void test_references_outside_the_window(void **state)
{
    static const weir_deflate_params forget = {15, 15, true, true, false, false};
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        packed_side *s = side_new(role, packed_all_15, 1000);
        assert_int_equal(packed_frame(s, 0xC1, hello_again, sizeof hello_again, 1), WEIR_ERR_WS_DEFLATE);
        s->params = forget;
        packed_start(s);
        assert_int_equal(packed_frame(s, 0xC1, hello, sizeof hello, 1), 0);
        assert_int_equal(packed_frame(s, 0xC1, hello_again, sizeof hello_again, 1), WEIR_ERR_WS_DEFLATE);
        assert_int_equal(s->messages, 1);
        packed_delete(s);
    }
}

/* A peer that keeps to a larger window than it agreed on: its reference reaches `back` bytes. Up to the
 * window it is what it refers to. Beyond, zlib notices only what it has no longer in memory, so the message
 * is refused or right, but it is never garbage. */
static void check_reach(int role, uint8_t bits, size_t back, size_t step)
{
    static uint8_t text[40000], packed[50000];
    weir_deflate_params params = {bits, bits, false, false, false, false};
    uint32_t x = bits;
    for (size_t i = 0; i < back; i++)
        text[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
    memcpy(text + back, text, 100);
    z_stream *peer = peer_new(15, 9, Z_DEFAULT_STRATEGY);
    size_t len = peer_pack(peer, text, back, Z_SYNC_FLUSH, packed, sizeof packed) - 4;
    packed_side *s = side_new(role, params, sizeof text);
    assert_int_equal(packed_frame(s, 0xC2, packed, len, 1000), 0);
    len = peer_pack(peer, text + back, 100, Z_SYNC_FLUSH, packed, sizeof packed) - 4;
    assert_true(len < 60); /* a reference, and not the bytes again */
    int rv = packed_frame(s, 0xC2, packed, len, step);
    assert_true(rv == 0 || (rv == WEIR_ERR_WS_DEFLATE && back > (size_t)1 << bits));
    assert_int_equal(s->messages, rv == 0 ? 2 : 1);
    if (rv == 0)
        assert_int_equal(s->got_len, 100);
    assert_memory_equal(s->got, text, rv == 0 || s->got_len <= 100 ? s->got_len : 0);
    packed_delete(s);
    peer_delete(peer);
}

static void test_references_beyond_the_agreed_window(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++)
        for (uint8_t bits = 8; bits < 15; bits++)
            for (int more = -1; more <= 40; more += more < 2 ? 1 : 19) {
                size_t back = (size_t)((1 << bits) + more);
                check_reach(role, bits, back, 1);
                check_reach(role, bits, back, 1000);
            }
}

/* Any bit of a message is wrong: it is refused or it is another message, within the limit, and memory is left
 * alone; afterwards that may go away. */
static void test_every_bit_wrong(void **state)
{
    static uint8_t text[300], packed[600];
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(' ' + (i * i >> 5) % 90);
    z_stream *peer = peer_new(15, 8, Z_DEFAULT_STRATEGY);
    size_t len = peer_pack(peer, text, sizeof text, Z_SYNC_FLUSH, packed, sizeof packed) - 4;
    unsigned refused = 0;
    for (size_t bit = 0; bit < 8 * len; bit++) {
        packed_side *s = side_new(bit % 2 != 0 ? SERVER : CLIENT, packed_all_15, 400);
        packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int rv = packed_frame(s, 0xC2, packed, len, 50);
        packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_true(rv == 0 || rv == WEIR_ERR_WS_DEFLATE || rv == WEIR_ERR_WS_MESSAGE_SIZE);
        assert_int_equal(s->messages, rv == 0);
        refused += rv != 0;
        if (rv != 0) {
            packed_unmap(s);
            assert_int_equal(packed_frame(s, 0xC2, packed, len, 50), rv);
        }
        packed_delete(s);
    }
    assert_true(refused > len);
    peer_delete(peer);
}

/* ---- Memory of the compressor ------------------------------------------------------------------------ */

/* Text that does not compress writes behind a compressor's buffers, or its output: every size of memory,
 * every window, sizes around those of the buffers, codes fixed or not. The memory ends where nothing is
 * mapped. */
static void test_text_that_does_not_compress(void **state)
{
    static const size_t sizes[] = {1, 127, 128, 500, 4095, 16384, 40000};
    static uint8_t noise[40000], wire[50000];
    uint32_t x = 1;
    (void)state;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
    for (unsigned mem_level = 1; mem_level <= 9; mem_level += mem_level < 2 ? 1 : 7)
        for (uint8_t bits = 9; bits <= 15; bits++)
            for (int level = 1; level <= 9; level += 4) {
                weir_deflate_params params = {bits, bits, false, false, false, false};
                packed_side *from = side_new(SERVER, params, sizeof noise),
                            *to = side_new(CLIENT, params, 40000);
                from->mem_level = mem_level;
                from->level = level;
                packed_start(from);
                for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                    weir_out out = {wire, weir_ws_send_size(&from->ws, sizes[i])};
                    size_t room = out.len;
                    assert_true(room <= sizeof wire);
                    weir_str data = {noise, sizes[i]};
                    assert_int_equal(weir_ws_send(&from->ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, data), 0);
                    assert_int_equal(packed_feed(to, wire, room - out.len, 5000), 0);
                    assert_int_equal(to->got_len, sizes[i]);
                    assert_memory_equal(to->got, noise, sizes[i]);
                }
                packed_delete(from);
                packed_delete(to);
            }
}

/* The peer's messages in forms that weir's own compressor never writes: fixed codes, runs, nothing but
 * literals, with the least memory and the most. */
static void test_forms_of_other_compressors(void **state)
{
    static const int strategies[] = {Z_FIXED, Z_RLE, Z_HUFFMAN_ONLY, Z_FILTERED, Z_DEFAULT_STRATEGY};
    static uint8_t text[20000], packed[40000];
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i % 7 == 0 ? i >> 5 : 'a');
    for (int role = 0; role < ROLES; role++)
        for (size_t i = 0; i < sizeof strategies / sizeof *strategies; i++)
            for (int mem_level = 1; mem_level <= 9; mem_level += 8) {
                packed_side *s = side_new(role, packed_all_15, sizeof text);
                z_stream *peer = peer_new(15, mem_level, strategies[i]);
                for (unsigned n = 1; n <= 3; n++) {
                    size_t len = peer_pack(peer, text, sizeof text, Z_SYNC_FLUSH, packed, sizeof packed) - 4;
                    assert_int_equal(packed_frame(s, 0xC2, packed, len, 777), 0);
                    assert_int_equal(s->messages, n);
                    assert_int_equal(s->got_len, sizeof text);
                    assert_memory_equal(s->got, text, sizeof text);
                }
                packed_delete(s);
                peer_delete(peer);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_small_bomb),
        cmocka_unit_test(test_bomb_in_fragments),
        cmocka_unit_test(test_bomb_in_a_second_message),
        cmocka_unit_test(test_limit_counts_inflated_bytes),
        cmocka_unit_test(test_ratio),
        cmocka_unit_test(test_message_cut_inside_a_block),
        cmocka_unit_test(test_long_message_cut_inside_a_block),
        cmocka_unit_test(test_tail_left_on_the_wire),
        cmocka_unit_test(test_final_blocks_lose_nothing),
        cmocka_unit_test(test_references_outside_the_window),
        cmocka_unit_test(test_references_beyond_the_agreed_window),
        cmocka_unit_test(test_every_bit_wrong),
        cmocka_unit_test(test_text_that_does_not_compress),
        cmocka_unit_test(test_forms_of_other_compressors),
    };
    return cmocka_run_group_tests_name("attacks_inflate", tests, NULL, NULL);
}
