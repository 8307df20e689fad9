/* SPDX-License-Identifier: MIT */
/* test_ws_attacks.c - known classes of attacks on frames, messages and closing, one test each. */
#include "harness.h"
#include "weir/ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- A server under attack ---------------------------------------------------------------------- */

static void server_init(weir_ws *ws, uint64_t max_frame, uint64_t max_message)
{
    weir_ws_cfg cfg;
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    cfg.max_frame = max_frame != 0 ? max_frame : cfg.max_frame;
    cfg.max_message = max_message != 0 ? max_message : cfg.max_message;
    assert_int_equal(weir_ws_init(ws, &cfg), 0);
}

/* Feeds bytes (a copy), dropping events and replies. Returns the last result; counts payload bytes. */
static int feed(weir_ws *ws, const void *bytes, size_t len, uint64_t *payload)
{
    uint8_t *copy = guard_copy(bytes, len, false);
    weir_in in = {copy, len};
    weir_ws_event ev;
    size_t calls = 0;
    int rv;
    while ((rv = weir_ws_next(ws, &in, &ev)) > 0) {
        assert_true(ev.data.len <= len || ev.kind != WEIR_WS_DATA);
        if (ev.kind == WEIR_WS_DATA && payload != NULL)
            *payload += ev.data.len;
        assert_true(++calls <= len + 2);
        weir_ws_out_ack(ws, SIZE_MAX);
    }
    assert_true(rv < 0 || in.len == 0);
    guard_free(copy);
    return rv;
}

/* A client's header with a 64-bit length, key 0. */
static size_t put_header64(uint8_t head[14], uint8_t first, uint64_t len)
{
    memset(head, 0, 14);
    head[0] = first;
    head[1] = 0xFF;
    for (unsigned i = 0; i < 8; i++)
        head[2 + i] = (uint8_t)(len >> (56 - 8 * i));
    return 14;
}

static void expect_close_code(weir_ws *ws, unsigned code)
{
    weir_str out = weir_ws_out(ws);
    assert_true(out.len >= 4);
    assert_int_equal(out.ptr[0], 0x88);
    assert_int_equal(out.ptr[2] << 8 | out.ptr[3], code);
}

/* ---- Lengths and sizes -------------------------------------------------------------------------- */

/* Integer overflow: the lengths of two fragments add up to more than 64 bits hold, or 63. */
static void test_len_u64_sum(void **state)
{
    static const uint64_t limits[] = {0, 100, UINT64_C(1) << 32, UINT64_C(1) << 63};
    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        weir_ws ws;
        uint8_t head[14];
        server_init(&ws, UINT64_MAX, limits[i]);
        assert_int_equal(feed(&ws, "\x02\x82\0\0\0\0ab", 8, NULL), 0);
        assert_int_equal(feed(&ws, head, put_header64(head, 0x80, INT64_MAX), NULL),
                         WEIR_ERR_WS_MESSAGE_SIZE);
        expect_close_code(&ws, 1009);
    }
}

/* Endless loop on a negative length fed in single bytes. */
static void test_len_loop(void **state)
{
    (void)state;
    weir_ws ws;
    uint8_t head[14];
    int rv = 0;
    server_init(&ws, 0, 0);
    size_t len = put_header64(head, 0x82, UINT64_C(1) << 63);
    for (size_t i = 0; i < len && rv == 0; i++)
        rv = feed(&ws, head + i, 1, NULL);
    assert_int_equal(rv, WEIR_ERR_WS_LENGTH_BIT);
}

/* The largest number as a length. */
static void test_len_u64_max(void **state)
{
    (void)state;
    weir_ws ws;
    uint8_t head[14];
    server_init(&ws, UINT64_MAX, UINT64_MAX);
    assert_int_equal(feed(&ws, head, put_header64(head, 0x82, UINT64_MAX), NULL), WEIR_ERR_WS_LENGTH_BIT);
    expect_close_code(&ws, 1002);
}

/* A length that is negative when read as signed; with no limit set it must fail all the same. */
static void test_len_neg(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 63; i++) {
        weir_ws ws;
        uint8_t head[14];
        server_init(&ws, UINT64_MAX, UINT64_MAX);
        uint64_t len = UINT64_C(1) << 63 | UINT64_C(1) << i;
        assert_int_equal(feed(&ws, head, put_header64(head, 0x82, len), NULL), WEIR_ERR_WS_LENGTH_BIT);
    }
}

/* Payload larger than the reader's buffer: it is streamed, piece by piece inside that buffer. */
static void test_len_small_buffer(void **state)
{
    (void)state;
    weir_ws ws;
    uint8_t head[14], piece[16];
    uint64_t got = 0;
    server_init(&ws, 0, 0);
    assert_int_equal(feed(&ws, head, put_header64(head, 0x82, 1u << 20), NULL), 0);
    memset(piece, 'x', sizeof piece);
    for (size_t i = 0; i < (1u << 20) / sizeof piece; i++)
        assert_int_equal(feed(&ws, piece, sizeof piece, &got), 0);
    assert_int_equal(got, 1u << 20);
    assert_int_equal(feed(&ws, "\x89\x80\0\0\0\0", 6, NULL), 0);
}

/* Lengths that become small or 0 in 32 bits. */
static void test_len_u32_wrap(void **state)
{
    static const uint64_t lengths[] = {0xFFFFFFFF, UINT64_C(1) << 32, (UINT64_C(1) << 32) + 5,
                                       UINT64_C(5) << 32};
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        weir_ws ws;
        uint8_t head[14];
        uint64_t got = 0;
        server_init(&ws, 0, 0);
        assert_int_equal(feed(&ws, head, put_header64(head, 0x82, lengths[i]), NULL), WEIR_ERR_WS_FRAME_SIZE);
        expect_close_code(&ws, 1009);

        server_init(&ws, UINT64_C(1) << 40, UINT64_C(1) << 40);
        assert_int_equal(feed(&ws, head, put_header64(head, 0x82, lengths[i]), NULL), 0);
        assert_int_equal(feed(&ws, "\x89\x80\0\0\0\0\x89\x80\0\0\0\0", 12, &got), 0);
        assert_int_equal(got, 12); /* still payload, not two Pings */
    }
}

/* The announced length is believed before the bytes are there. */
static void test_len_announced(void **state)
{
    (void)state;
    weir_ws ws;
    uint64_t got = 0;
    server_init(&ws, 0, 0);
    assert_int_equal(feed(&ws,
                          "\x82\xFE\x03\xE8\0\0\0\0"
                          "0123456789",
                          18, &got),
                     0);
    assert_int_equal(got, 10);
    assert_int_equal(feed(&ws, NULL, 0, &got), 0);
    assert_int_equal(got, 10);
}

/* No limit by default, and memory reserved for what is announced: a connection is a fixed-size struct,
 * and its defaults refuse the header. */
static void test_limit_default(void **state)
{
    (void)state;
    weir_ws ws;
    uint8_t head[14];
    server_init(&ws, 0, 0);
    assert_int_equal(feed(&ws, head, put_header64(head, 0x82, UINT64_C(1) << 62), NULL),
                     WEIR_ERR_WS_FRAME_SIZE);
    assert_true(sizeof ws < 512);
}

/* ---- Fragments and tiny pieces ------------------------------------------------------------------ */

/* Endless fragments: the sum stops at the message's limit, from a header. */
static void test_fragments_total(void **state)
{
    static uint8_t fragment[8 + 1024] = {0x02, 0xFE, 0x04, 0x00};
    (void)state;
    weir_ws ws;
    uint64_t got = 0;
    int rv = 0;
    server_init(&ws, 0, 0);
    fragment[0] = 0x02;
    for (unsigned i = 0; i < 100000 && rv == 0; i++, fragment[0] = 0x00)
        rv = feed(&ws, fragment, sizeof fragment, &got);
    assert_int_equal(rv, WEIR_ERR_WS_MESSAGE_SIZE);
    assert_int_equal(got, 16u << 20);
    expect_close_code(&ws, 1009);
}

/* Many tiny or empty fragments: memory and time for nothing. */
static void test_fragments_count(void **state)
{
    (void)state;
    for (int empty = 0; empty < 2; empty++) {
        weir_ws ws;
        uint64_t got = 0;
        unsigned count = 0;
        int rv;
        server_init(&ws, 0, 0);
        rv = feed(&ws, "\x02\x80\0\0\0\0", 6, &got);
        for (count = 1; count < 131072 && rv == 0; count++)
            rv = empty ? feed(&ws, "\x00\x80\0\0\0\0", 6, &got) : feed(&ws, "\x00\x81\0\0\0\0x", 7, &got);
        assert_int_equal(rv, WEIR_ERR_WS_FRAGMENTS);
        assert_int_equal(count, 100001);
        expect_close_code(&ws, 1008);
    }
}

/* Continuation out of order is taken for data of another message: all orders of two frames. */
static void test_fragments_order(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 6; a++)
        for (unsigned b = 0; b < 6; b++) {
            weir_ws ws;
            uint8_t frames[14] = {(uint8_t)(a % 3 | (a / 3) << 7), 0x81, 0, 0, 0, 0, 'a',
                                  (uint8_t)(b % 3 | (b / 3) << 7), 0x81, 0, 0, 0, 0, 'b'};
            server_init(&ws, 0, 0);
            bool open = a / 3 == 0;
            int expected = a % 3 == 0            ? (int)WEIR_ERR_WS_CONTINUATION
                           : open && b % 3 != 0  ? (int)WEIR_ERR_WS_INTERLEAVED
                           : !open && b % 3 == 0 ? (int)WEIR_ERR_WS_CONTINUATION
                                                 : 0;
            assert_int_equal(feed(&ws, frames, sizeof frames, NULL), expected);
        }
}

/* Quadratic time when a large message comes in tiny reads: it must be linear, 4 MiB in single bytes is
 * then a moment and else an hour. */
static void test_tiny_reads(void **state)
{
    enum { SIZE = 4 << 20 };
    (void)state;
    weir_ws ws;
    uint8_t head[14];
    uint64_t got = 0;
    server_init(&ws, 0, 0);
    size_t len = put_header64(head, 0x81, SIZE);
    weir_ws_event ev;
    weir_in in = {head, len};
    assert_int_equal(weir_ws_next(&ws, &in, &ev), 0);
    for (size_t i = 0; i < SIZE; i++) {
        uint8_t byte = 'x';
        in = (weir_in){&byte, 1};
        assert_int_equal(weir_ws_next(&ws, &in, &ev), WEIR_WS_DATA);
        got += ev.data.len;
    }
    assert_int_equal(got, SIZE);
    assert_int_equal(ev.flags, WEIR_WS_LAST | WEIR_WS_TEXT);
}

/* Data that is not masked, a message that begins with a continuation, a length not in its shortest form:
 * each lets two parsers read different frames. */
static void test_parser_differential(void **state)
{
    (void)state;
    weir_ws ws;
    server_init(&ws, 0, 0);
    assert_int_equal(feed(&ws, "\x81\x05Hello", 7, NULL), WEIR_ERR_WS_MASKING);
    server_init(&ws, 0, 0);
    assert_int_equal(feed(&ws, "\x80\x85\0\0\0\0Hello", 11, NULL), WEIR_ERR_WS_CONTINUATION);
    server_init(&ws, 0, 0);
    assert_int_equal(feed(&ws, "\x81\xFE\0\x05\0\0\0\0Hello", 13, NULL), WEIR_ERR_WS_LENGTH);
}

/* Compressed frames without agreement reach code that was not set up for them. */
static void test_rsv1_unnegotiated(void **state)
{
    (void)state;
    weir_ws ws;
    server_init(&ws, 0, 0);
    assert_int_equal(feed(&ws, "\xC1\x87\0\0\0\0\xF2\x48\xCD\xC9\xC9\x07\x00", 13, NULL), WEIR_ERR_WS_RSV);
    expect_close_code(&ws, 1002);
}

/* ---- Masking and randomness --------------------------------------------------------------------- */

typedef struct source {
    uint32_t next;
    bool broken;
} source;

static int source_fill(void *user, uint8_t *dst, size_t len)
{
    source *s = user;
    for (size_t i = 0; i < len && !s->broken; i++) {
        s->next = s->next * 1664525u + 1013904223u;
        dst[i] = (uint8_t)((s->next ^ s->next >> 11) >> 21);
    }
    return s->broken ? -1 : 0;
}

static void client_init(weir_ws *ws, weir_entropy *entropy, source *s)
{
    weir_ws_cfg cfg;
    memset(s, 0, sizeof *s);
    assert_int_equal(weir_entropy_init(entropy, source_fill, s), 0);
    weir_ws_cfg_init(&cfg, WEIR_WS_CLIENT);
    cfg.entropy = entropy;
    assert_int_equal(weir_ws_init(ws, &cfg), 0);
}

static int key_order(const void *a, const void *b)
{
    return memcmp(a, b, 4);
}

/* One key for a whole connection: a page that knows it writes what it wants on the wire. */
static void test_mask_fresh(void **state)
{
    enum { FRAMES = 10000 };
    static uint8_t keys[FRAMES][4];
    (void)state;
    weir_ws ws;
    weir_entropy entropy;
    source s;
    client_init(&ws, &entropy, &s);
    for (size_t i = 0; i < FRAMES; i++) {
        uint8_t bytes[32];
        weir_out out = {bytes, sizeof bytes};
        assert_int_equal(weir_ws_send(&ws, &out, WEIR_WS_WHOLE, weir_cstr("same")), 0);
        memcpy(keys[i], bytes + 2, 4);
    }
    qsort(keys, FRAMES, 4, key_order);
    size_t same = 0;
    for (size_t i = 1; i < FRAMES; i++)
        same += memcmp(keys[i - 1], keys[i], 4) == 0;
    assert_true(same < 3); /* two of 10,000 random keys are equal in one run of a hundred */
}

/* The key of a frame changes while it is sent in parts. */
static void test_mask_of_a_partly_sent_frame(void **state)
{
    (void)state;
    weir_ws ws;
    weir_entropy entropy;
    source s;
    uint8_t header[WEIR_WS_HEADER_MAX], bytes[5];
    size_t header_len;
    client_init(&ws, &entropy, &s);
    assert_int_equal(weir_ws_begin(&ws, WEIR_WS_WHOLE, 5, header, &header_len), 0);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(weir_ws_payload(&ws, bytes + i, (weir_str){(const uint8_t *)"Hello" + i, 1}), 0);
        assert_int_equal(weir_ws_ping(&ws, weir_cstr("p")), 0);
        assert_int_equal(bytes[i] ^ header[2 + i % 4], "Hello"[i]);
    }
}

/* Predictable keys, or none when the source fails. A server never masks. */
static void test_mask_source(void **state)
{
    (void)state;
    weir_ws ws;
    weir_ws_cfg cfg;
    weir_entropy entropy;
    source s;
    uint8_t bytes[32];
    weir_out out = {bytes, sizeof bytes};
    weir_ws_cfg_init(&cfg, WEIR_WS_CLIENT);
    assert_int_equal(weir_ws_init(&ws, &cfg), WEIR_ERR_ARG);
    client_init(&ws, &entropy, &s);
    s.broken = true;
    assert_int_equal(weir_ws_send(&ws, &out, WEIR_WS_WHOLE, weir_cstr("a")), WEIR_ERR_ENTROPY);
    assert_int_equal(weir_ws_ping(&ws, weir_cstr("a")), WEIR_ERR_ENTROPY);
    assert_int_equal(weir_ws_close(&ws, 1000, weir_cstr("a")), WEIR_ERR_ENTROPY);
    assert_int_equal(out.len, sizeof bytes);
    assert_int_equal(weir_ws_out(&ws).len, 0);
    server_init(&ws, 0, 0);
    assert_int_equal(weir_ws_send(&ws, &out, WEIR_WS_WHOLE, weir_cstr("a")), 0);
    assert_int_equal(bytes[1] & 0x80, 0);
    assert_int_equal(weir_ws_ping(&ws, weir_cstr("a")), 0);
    assert_int_equal(weir_ws_out(&ws).ptr[1] & 0x80, 0);
}

/* ---- Control frames, loops, close --------------------------------------------------------------- */

/* A flood of Pings to a writer that stands still: memory stays what it is, the newest is answered. */
static void test_ping_flood(void **state)
{
    (void)state;
    weir_ws ws;
    server_init(&ws, 0, 0);
    uint8_t ping[10] = {0x89, 0x84};
    for (uint32_t i = 0; i < 200000; i++) {
        weir_ws_event ev;
        weir_in in = {ping, sizeof ping};
        memset(ping + 2, 0, 4);
        memcpy(ping + 6, &i, 4);
        assert_int_equal(weir_ws_next(&ws, &in, &ev), WEIR_WS_PING);
        assert_true(weir_ws_out(&ws).len <= 131);
    }
    uint8_t bytes[WEIR_WS_OUT_MAX];
    weir_out out = {bytes, sizeof bytes};
    uint32_t last = 199999;
    assert_int_equal(weir_ws_out_put(&ws, &out), 0);
    assert_memory_equal(out.ptr - 4, &last, 4);
}

/* Controls without data for ever: a limit can be set. */
static void test_control_flood_limit(void **state)
{
    (void)state;
    weir_ws ws;
    weir_ws_cfg cfg;
    int rv = 0, count = 0;
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    cfg.max_controls = 1000;
    assert_int_equal(weir_ws_init(&ws, &cfg), 0);
    for (; count < 5000 && rv == 0; count++)
        rv = feed(&ws, "\x8A\x80\0\0\0\0", 6, NULL);
    assert_int_equal(rv, WEIR_ERR_WS_CONTROLS);
    assert_int_equal(count, 1001);
    expect_close_code(&ws, 1008);
}

/* A frame that makes the reader spin: each call takes input, gives an event, or says that it needs more.
 * Random bytes in random pieces; feed() counts the calls. */
static void test_progress_on_garbage(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed < 3000; seed++) {
        weir_ws ws;
        uint8_t bytes[64];
        uint32_t x = seed * 2654435761u;
        int rv = 0;
        server_init(&ws, 0, 0);
        for (int round = 0; round < 20; round++) {
            for (size_t i = 0; i < sizeof bytes; i++) {
                x = x * 1664525u + 1013904223u;
                bytes[i] = (uint8_t)(x >> 24);
            }
            static const uint8_t firsts[] = {0x81, 0x82, 0x01, 0x00, 0x80, 0x89, 0x8A};
            bytes[0] = firsts[x % sizeof firsts];
            bytes[1] = (uint8_t)(0x80 | bytes[1] % 60);
            int again = feed(&ws, bytes, 1 + (x >> 8) % sizeof bytes, NULL);
            assert_true(rv == 0 || again == rv);
            rv = again;
        }
    }
}

/* The transport ends inside a frame and the reader goes round for ever. */
static void test_end_inside_a_frame(void **state)
{
    static const char stream[] = "\x01\x81\0\0\0\0a\x89\x82\0\0\0\0pp\x80\xFE\0\x80\0\0\0\0rest";
    (void)state;
    for (size_t cut = 0; cut < sizeof stream; cut++) {
        weir_ws ws;
        weir_ws_event ev;
        server_init(&ws, 0, 0);
        assert_int_equal(feed(&ws, stream, cut, NULL), 0);
        assert_int_equal(weir_ws_eof(&ws, &ev), WEIR_WS_END);
        assert_int_equal(ev.code, 1006);
        assert_int_equal(weir_ws_eof(&ws, &ev), 0);
        assert_int_equal(weir_ws_transport(&ws), WEIR_WS_CLOSE_NOW);
    }
}

/* Use after free when the program drops the connection in answer to an event: after each event of a
 * stream the object is freed, together with the input. */
static void test_free_at_every_event(void **state)
{
    static const char stream[] = "\x01\x81\0\0\0\0a\x89\x82\0\0\0\0pp\x8A\x80\0\0\0\0\x80\x81\0\0\0\0b"
                                 "\x88\x82\0\0\0\0\x03\xE8";
    (void)state;
    for (int drop = 1; drop <= 6; drop++) {
        weir_ws *ws = malloc(sizeof *ws);
        uint8_t *bytes = malloc(sizeof stream - 1);
        weir_ws_event ev;
        assert_true(ws != NULL && bytes != NULL);
        server_init(ws, 0, 0);
        memcpy(bytes, stream, sizeof stream - 1);
        weir_in in = {bytes, sizeof stream - 1};
        for (int i = 0; i < drop && i < 5; i++)
            assert_true(weir_ws_next(ws, &in, &ev) > 0);
        if (drop == 6)
            assert_int_equal(weir_ws_eof(ws, &ev), WEIR_WS_END);
        memset(ws, 0xDD, sizeof *ws);
        free(ws);
        memset(bytes, 0xDD, sizeof stream - 1);
        free(bytes);
    }
}

/* Memory that was never set leaves the process: whatever lay in the object before, what is written is
 * the same. */
static void test_uninitialised_output(void **state)
{
    (void)state;
    uint8_t said[2][WEIR_WS_OUT_MAX], data[2][64], header[2][WEIR_WS_HEADER_MAX];
    size_t len[2] = {0, 0}, data_len[2] = {0, 0}, header_len[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        weir_ws ws;
        memset(&ws, i == 0 ? 0x11 : 0xEE, sizeof ws);
        server_init(&ws, 0, 0);
        weir_out out = {data[i], sizeof data[i]};
        assert_int_equal(weir_ws_send(&ws, &out, WEIR_WS_WHOLE, weir_cstr("x")), 0);
        data_len[i] = sizeof data[i] - out.len;
        assert_int_equal(weir_ws_begin(&ws, WEIR_WS_WHOLE, 0, header[i], &header_len[i]), 0);
        assert_int_equal(weir_ws_ping(&ws, weir_cstr("")), 0);
        uint8_t ping[] = {0x89, 0x80, 1, 2, 3, 4, 0x88, 0x80, 1, 2, 3, 4};
        weir_in in = {ping, sizeof ping};
        weir_ws_event ev;
        assert_int_equal(weir_ws_next(&ws, &in, &ev), WEIR_WS_PING);
        assert_int_equal(weir_ws_next(&ws, &in, &ev), WEIR_WS_CLOSE);
        out = (weir_out){said[i], sizeof said[i]};
        assert_int_equal(weir_ws_out_put(&ws, &out), 0);
        len[i] = sizeof said[i] - out.len;
    }
    assert_int_equal(len[0], 6);
    assert_int_equal(len[0], len[1]);
    assert_memory_equal(said[0], said[1], len[0]);
    assert_int_equal(data_len[0], data_len[1]);
    assert_memory_equal(data[0], data[1], data_len[0]);
    assert_int_equal(header_len[0], header_len[1]);
    assert_memory_equal(header[0], header[1], header_len[0]);
}

/* Reading behind the input: every prefix of a stream lies flush against an unmapped page. */
static void test_over_read(void **state)
{
    static const char stream[] = "\x81\xFE\0\x7E\x01\x02\x03\x04";
    (void)state;
    uint8_t bytes[8 + 126 + 6 + 2];
    memcpy(bytes, stream, 8);
    for (size_t i = 0; i < 126; i++)
        bytes[8 + i] = (uint8_t)('a' ^ (1 + i % 4));
    memcpy(bytes + 134, "\x88\x82\0\0\0\0\x03\xE8", 8);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        weir_ws ws;
        server_init(&ws, 0, 0);
        assert_int_equal(feed(&ws, bytes, cut, NULL), 0);
        assert_int_equal(feed(&ws, bytes + cut, sizeof bytes - cut, NULL), 0);
        weir_ws_closing c;
        weir_ws_closing_read(&ws, &c);
        assert_true(c.clean);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_len_u64_sum),          cmocka_unit_test(test_len_loop),
        cmocka_unit_test(test_len_u64_max),          cmocka_unit_test(test_len_neg),
        cmocka_unit_test(test_len_small_buffer),     cmocka_unit_test(test_len_u32_wrap),
        cmocka_unit_test(test_len_announced),        cmocka_unit_test(test_limit_default),
        cmocka_unit_test(test_fragments_total),      cmocka_unit_test(test_fragments_count),
        cmocka_unit_test(test_fragments_order),      cmocka_unit_test(test_tiny_reads),
        cmocka_unit_test(test_parser_differential),  cmocka_unit_test(test_rsv1_unnegotiated),
        cmocka_unit_test(test_mask_fresh),           cmocka_unit_test(test_mask_of_a_partly_sent_frame),
        cmocka_unit_test(test_mask_source),          cmocka_unit_test(test_ping_flood),
        cmocka_unit_test(test_control_flood_limit),  cmocka_unit_test(test_progress_on_garbage),
        cmocka_unit_test(test_end_inside_a_frame),   cmocka_unit_test(test_free_at_every_event),
        cmocka_unit_test(test_uninitialised_output), cmocka_unit_test(test_over_read),
    };
    return cmocka_run_group_tests_name("ws_attacks", tests, NULL, NULL);
}
