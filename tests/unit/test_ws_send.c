/* SPDX-License-Identifier: MIT */
/* test_ws_send.c - data frames on their way out: headers, masking, fragments, what is refused. */
#include "harness.h"
#include "weir/ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct side {
    weir_ws ws;
    weir_entropy entropy;
    uint32_t fills;
    uint32_t next_key;
    bool broken;
} side;

/* Keys are the numbers 1, 2, 3 ... as four bytes, so each is seen once. */
static int side_fill(void *user, uint8_t *dst, size_t len)
{
    side *s = user;
    s->fills++;
    for (size_t i = 0; i < len && !s->broken; i++) {
        if (i % 4 == 0)
            s->next_key++;
        dst[i] = (uint8_t)(s->next_key >> (24 - 8 * (i % 4)));
    }
    return s->broken ? 1 : 0;
}

static void side_init(side *s, bool client)
{
    weir_ws_cfg cfg;
    memset(s, 0, sizeof *s);
    assert_int_equal(weir_entropy_init(&s->entropy, side_fill, s), 0);
    weir_ws_cfg_init(&cfg, client ? WEIR_WS_CLIENT : WEIR_WS_SERVER);
    cfg.entropy = client ? &s->entropy : NULL;
    assert_int_equal(weir_ws_init(&s->ws, &cfg), 0);
}

static weir_str bytes_of(const void *ptr, size_t len)
{
    return (weir_str){ptr, len};
}

static int side_hear(side *s, const char *bytes, size_t len)
{
    uint8_t copy[32];
    weir_ws_event ev;
    memcpy(copy, bytes, len);
    weir_in in = {copy, len};
    return weir_ws_next(&s->ws, &in, &ev);
}

/* ---- Frames ------------------------------------------------------------------------------------- */

static const struct {
    size_t len;
    size_t head_len;
    uint8_t head[10];
} header_sizes[] = {
    {0, 2, {0x82, 0}},
    {1, 2, {0x82, 1}},
    {125, 2, {0x82, 125}},
    {126, 4, {0x82, 126, 0, 126}},
    {127, 4, {0x82, 126, 0, 127}},
    {256, 4, {0x82, 126, 1, 0}},
    {65535, 4, {0x82, 126, 0xFF, 0xFF}},
    {65536, 10, {0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
    {66051, 10, {0x82, 127, 0, 0, 0, 0, 0, 1, 2, 3}},
};

static void check_frame(const uint8_t *bytes, size_t row, bool client, const uint8_t *payload)
{
    uint8_t head[10];
    size_t n = header_sizes[row].head_len;
    memcpy(head, header_sizes[row].head, sizeof head);
    if (client)
        head[1] |= 0x80;
    assert_memory_equal(bytes, head, n);
    const uint8_t *key = bytes + n;
    const uint8_t *at = bytes + n + (client ? 4 : 0);
    for (size_t i = 0; i < header_sizes[row].len; i++)
        if ((at[i] ^ (client ? key[i % 4] : 0)) != payload[i])
            fail_msg("payload differs at %zu", i);
}

/* The frame is right, in exactly as much room as it needs; in less room nothing happens. */
static void test_header_sizes(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++)
        for (size_t row = 0; row < sizeof header_sizes / sizeof *header_sizes; row++) {
            side s;
            size_t len = header_sizes[row].len;
            size_t size = header_sizes[row].head_len + (client ? 4 : 0) + len;
            uint8_t *payload = malloc(len + 1), *copy = malloc(len + 1);
            assert_true(payload != NULL && copy != NULL);
            for (size_t i = 0; i < len; i++)
                payload[i] = (uint8_t)(i ^ (i >> 8));
            memcpy(copy, payload, len);
            side_init(&s, client != 0);
            uint8_t *room = guard_copy(NULL, size, false);
            weir_out out = {room, size};
            assert_true(weir_ws_send_size(&s.ws, len) >= size);
            assert_int_equal(weir_ws_send(&s.ws, &out, WEIR_WS_WHOLE, bytes_of(payload, len)), 0);
            assert_int_equal(out.len, 0);
            assert_ptr_equal(out.ptr, room + size);
            check_frame(room, row, client != 0, payload);
            assert_memory_equal(payload, copy, len);
            guard_free(room);
            free(payload);
            free(copy);
        }
}

static void test_no_room(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++)
        for (size_t row = 0; row < sizeof header_sizes / sizeof *header_sizes; row++) {
            side s;
            weir_ws before;
            size_t len = header_sizes[row].len;
            size_t size = header_sizes[row].head_len + (client ? 4 : 0) + len;
            uint8_t *payload = calloc(1, len + 1), *room = malloc(size);
            assert_true(payload != NULL && room != NULL);
            memset(room, 0xDD, size);
            side_init(&s, client != 0);
            memcpy(&before, &s.ws, sizeof before);
            for (size_t less = 0; less < size; less += less < 300 || size - less < 30 ? 1 : 29) {
                weir_out out = {less != 0 ? room : NULL, less};
                assert_int_equal(weir_ws_send(&s.ws, &out, WEIR_WS_WHOLE, bytes_of(payload, len)),
                                 WEIR_ERR_SPACE);
                assert_int_equal(out.len, less);
                assert_true(out.ptr == (less != 0 ? room : NULL));
                assert_memory_equal(&s.ws, &before, sizeof before);
            }
            for (size_t i = 0; i < size; i++)
                assert_int_equal(room[i], 0xDD);
            free(payload);
            free(room);
        }
}

/* A frame needs its header and its payload, whether it is a message or the first of several. */
static void test_exact_room(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 124, 125, 126, 127, 65535, 65536};
    static uint8_t data[65536], wire[65536 + 14];
    for (int client = 0; client < 2; client++)
        for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
            for (uint32_t flags = WEIR_WS_FIRST; flags <= WEIR_WS_WHOLE; flags += WEIR_WS_LAST) {
                side s;
                size_t size = (lens[i] < 126     ? 2u
                               : lens[i] < 65536 ? 4u
                                                 : 10u) +
                              (client ? 4u : 0u) + lens[i];
                side_init(&s, client != 0);
                weir_out out = {wire, sizeof wire}; /* from the second message on keys are at hand */
                if (i % 2 == 0 || client != 0)
                    assert_int_equal(weir_ws_send(&s.ws, &out, WEIR_WS_WHOLE, bytes_of(data, 0)), 0);
                out = (weir_out){wire, size - 1};
                assert_int_equal(weir_ws_send(&s.ws, &out, flags, bytes_of(data, lens[i])), WEIR_ERR_SPACE);
                assert_int_equal(out.len, size - 1);
                out = (weir_out){wire, size};
                assert_int_equal(weir_ws_send(&s.ws, &out, flags, bytes_of(data, lens[i])), 0);
                assert_int_equal(out.len, 0);
                assert_ptr_equal(out.ptr, wire + size);
            }
}

static void test_send_size(void **state)
{
    (void)state;
    side s;
    side_init(&s, true);
    assert_int_equal(weir_ws_send_size(&s.ws, SIZE_MAX), SIZE_MAX);
    for (size_t len = 0; len < 200000; len += 997) {
        size_t size = weir_ws_send_size(&s.ws, len);
        assert_true(size >= len + 2 && size <= len + WEIR_WS_HEADER_MAX);
    }
}

static void test_flags_and_opcodes(void **state)
{
    static const struct {
        uint32_t flags;
        uint8_t first;
    } rows[] = {
        {WEIR_WS_WHOLE, 0x82},
        {WEIR_WS_WHOLE | WEIR_WS_TEXT, 0x81},
        {WEIR_WS_FIRST, 0x02},
        {0, 0x00},
        {WEIR_WS_TEXT, 0x00}, /* TEXT is ignored without FIRST */
        {WEIR_WS_LAST | WEIR_WS_TEXT, 0x80},
        {WEIR_WS_FIRST | WEIR_WS_TEXT, 0x01},
        {WEIR_WS_LAST, 0x80},
        {WEIR_WS_WHOLE | WEIR_WS_DEFLATE, 0x82}, /* a wish that is not followed without agreement */
    };
    (void)state;
    for (int client = 0; client < 2; client++) {
        side s;
        side_init(&s, client != 0);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            uint8_t room[32];
            weir_out out = {room, sizeof room};
            assert_int_equal(weir_ws_send(&s.ws, &out, rows[i].flags, bytes_of("ab", 2)), 0);
            assert_int_equal(room[0], rows[i].first);
            assert_int_equal(room[1], client ? 0x82 : 0x02);
            assert_int_equal(sizeof room - out.len, client ? 8 : 4);
        }
    }
}

static void test_header_for_lengths_beyond_memory(void **state)
{
    static const uint8_t expected[10] = {0x81, 127, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    static const uint8_t middle[10] = {0x81, 127, 0, 0, 0, 1, 0, 0, 0, 5};
    (void)state;
    side s;
    uint8_t header[WEIR_WS_HEADER_MAX];
    size_t header_len;
    side_init(&s, false);
    assert_int_equal(weir_ws_begin(&s.ws, WEIR_WS_WHOLE | WEIR_WS_TEXT, INT64_MAX, header, &header_len), 0);
    assert_int_equal(header_len, 10);
    assert_memory_equal(header, expected, 10);
    side_init(&s, false);
    assert_int_equal(
        weir_ws_begin(&s.ws, WEIR_WS_WHOLE | WEIR_WS_TEXT, (UINT64_C(1) << 32) + 5, header, &header_len), 0);
    assert_memory_equal(header, middle, 10);
    side_init(&s, false);
    assert_int_equal(weir_ws_begin(&s.ws, WEIR_WS_WHOLE, UINT64_C(1) << 63, header, &header_len),
                     WEIR_ERR_ARG);
    assert_int_equal(weir_ws_begin(&s.ws, WEIR_WS_WHOLE, UINT64_MAX, header, &header_len), WEIR_ERR_ARG);
    assert_int_equal(weir_ws_begin(&s.ws, WEIR_WS_WHOLE, 0, header, &header_len), 0);
}

/* A header is written to its length and not beyond, whichever form its length has. */
static void test_header_ends(void **state)
{
    static const struct {
        uint64_t len;
        size_t size;
        uint8_t bytes[10];
    } rows[] = {
        {0, 2, {0x82, 0}},
        {125, 2, {0x82, 125}},
        {126, 4, {0x82, 126, 0, 126}},
        {65535, 4, {0x82, 126, 0xFF, 0xFF}},
        {65536, 10, {0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        bool client = i % 2 != 0;
        side s;
        uint8_t header[WEIR_WS_HEADER_MAX + 2], expected[10];
        size_t header_len, size = rows[i / 2].size;
        side_init(&s, client);
        memset(header, 0xEE, sizeof header);
        assert_int_equal(weir_ws_begin(&s.ws, WEIR_WS_WHOLE, rows[i / 2].len, header, &header_len), 0);
        assert_int_equal(header_len, size + (client ? 4 : 0));
        memcpy(expected, rows[i / 2].bytes, size);
        expected[1] |= client ? 0x80 : 0;
        assert_memory_equal(header, expected, size);
        for (size_t at = header_len; at < sizeof header; at++)
            assert_int_equal(header[at], 0xEE);
    }
}

/* ---- Masking ------------------------------------------------------------------------------------ */

/* Every frame of a client has a key from the source that no other frame had; the source is asked for
 * many keys at once. */
static void test_keys_are_fresh(void **state)
{
    enum { FRAMES = 10000 };
    static uint8_t seen[FRAMES + 1000];
    (void)state;
    side s;
    side_init(&s, true);
    memset(seen, 0, sizeof seen);
    for (unsigned i = 0; i < FRAMES; i++) {
        uint8_t room[64];
        uint8_t *key = room + 2;
        weir_out out = {room, sizeof room};
        if (i % 3 == 0) {
            assert_int_equal(weir_ws_send(&s.ws, &out, WEIR_WS_WHOLE, bytes_of("same", 4)), 0);
        } else if (i % 3 == 1) {
            size_t header_len;
            assert_int_equal(weir_ws_begin(&s.ws, WEIR_WS_WHOLE, 0, room, &header_len), 0);
            assert_int_equal(header_len, 6);
        } else {
            assert_int_equal(weir_ws_ping(&s.ws, bytes_of("same", 4)), 0);
            assert_int_equal(weir_ws_out_put(&s.ws, &out), 0);
        }
        uint32_t number = (uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 | key[3];
        assert_true(number != 0 && number < sizeof seen);
        assert_int_equal(seen[number], 0);
        seen[number] = 1;
    }
    assert_true(s.fills >= 1 && s.fills <= FRAMES / 16);
}

/* Two connections share a source: their keys differ too. */
static void test_a_shared_source(void **state)
{
    (void)state;
    side a, b;
    uint8_t first[16], second[16];
    side_init(&a, true);
    side_init(&b, true);
    weir_ws_cfg cfg;
    weir_ws_cfg_init(&cfg, WEIR_WS_CLIENT);
    cfg.entropy = &a.entropy;
    assert_int_equal(weir_ws_init(&b.ws, &cfg), 0);
    for (int i = 0; i < 100; i++) {
        weir_out out = {first, sizeof first};
        assert_int_equal(weir_ws_send(&a.ws, &out, WEIR_WS_WHOLE, bytes_of("x", 1)), 0);
        out = (weir_out){second, sizeof second};
        assert_int_equal(weir_ws_send(&b.ws, &out, WEIR_WS_WHOLE, bytes_of("x", 1)), 0);
        assert_memory_not_equal(first + 2, second + 2, 4);
    }
}

static void test_entropy_fails(void **state)
{
    (void)state;
    side s;
    weir_ws before;
    uint8_t room[64], header[WEIR_WS_HEADER_MAX];
    size_t header_len;
    side_init(&s, true);
    s.broken = true;
    memset(room, 0xDD, sizeof room);
    memcpy(&before, &s.ws, sizeof before);
    weir_out out = {room, sizeof room};
    assert_int_equal(weir_ws_send(&s.ws, &out, WEIR_WS_WHOLE, bytes_of("abc", 3)), WEIR_ERR_ENTROPY);
    assert_int_equal(out.len, sizeof room);
    assert_ptr_equal(out.ptr, room);
    for (size_t i = 0; i < sizeof room; i++)
        assert_int_equal(room[i], 0xDD);
    assert_int_equal(weir_ws_begin(&s.ws, WEIR_WS_FIRST, 3, header, &header_len), WEIR_ERR_ENTROPY);
    assert_int_equal(weir_ws_close(&s.ws, 1000, weir_cstr("")), WEIR_ERR_ENTROPY);
    assert_memory_equal(&s.ws, &before, sizeof before);
    s.broken = false;
    assert_int_equal(weir_ws_send(&s.ws, &out, WEIR_WS_WHOLE, bytes_of("abc", 3)), 0);
    assert_int_equal(sizeof room - out.len, 9);
}

/* The source fails between two batches, not at the first. */
static void test_entropy_fails_later(void **state)
{
    (void)state;
    side s;
    unsigned sent = 0;
    side_init(&s, true);
    for (;;) {
        uint8_t room[32];
        weir_out out = {room, sizeof room};
        int rv = weir_ws_send(&s.ws, &out, WEIR_WS_WHOLE, bytes_of("abc", 3));
        s.broken = true;
        if (rv != 0) {
            assert_int_equal(rv, WEIR_ERR_ENTROPY);
            break;
        }
        uint8_t zero[4] = {0};
        assert_memory_not_equal(room + 2, zero, 4);
        assert_true(++sent < 1000);
    }
    assert_true(sent >= 1);
}

/* ---- Header and payload apart ------------------------------------------------------------------- */

/* begin and payload in pieces of any size make the bytes that send makes. */
static void test_pieces_equal_send(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++)
        for (size_t step = 1; step <= 70; step++) {
            side s;
            uint8_t payload[300], whole[320], parts[320], header[WEIR_WS_HEADER_MAX];
            size_t header_len;
            for (size_t i = 0; i < sizeof payload; i++)
                payload[i] = (uint8_t)(i * 3 + step);
            side_init(&s, client != 0);
            weir_out out = {whole, sizeof whole};
            assert_int_equal(weir_ws_send(&s.ws, &out, WEIR_WS_WHOLE, bytes_of(payload, sizeof payload)), 0);
            side_init(&s, client != 0);
            assert_int_equal(weir_ws_begin(&s.ws, WEIR_WS_WHOLE, sizeof payload, header, &header_len), 0);
            memcpy(parts, header, header_len);
            for (size_t at = 0; at < sizeof payload; at += step) {
                size_t n = sizeof payload - at < step ? sizeof payload - at : step;
                assert_int_equal(weir_ws_payload(&s.ws, NULL, bytes_of(payload, 0)), 0);
                if (at / step % 2 == 0) { /* in place, then from one place to another */
                    memcpy(parts + header_len + at, payload + at, n);
                    assert_int_equal(
                        weir_ws_payload(&s.ws, parts + header_len + at, bytes_of(parts + header_len + at, n)),
                        0);
                } else {
                    assert_int_equal(
                        weir_ws_payload(&s.ws, parts + header_len + at, bytes_of(payload + at, n)), 0);
                }
            }
            assert_int_equal(header_len + sizeof payload, sizeof whole - out.len);
            assert_memory_equal(parts, whole, header_len + sizeof payload);
        }
}

static void test_payload_only_counted(void **state)
{
    (void)state;
    side s;
    uint8_t header[WEIR_WS_HEADER_MAX];
    size_t header_len;
    side_init(&s, false);
    assert_int_equal(weir_ws_begin(&s.ws, WEIR_WS_WHOLE, 10, header, &header_len), 0);
    assert_int_equal(weir_ws_payload(&s.ws, NULL, bytes_of("0123", 4)), 0);
    assert_int_equal(weir_ws_begin(&s.ws, WEIR_WS_WHOLE, 1, header, &header_len), WEIR_ERR_STATE);
    assert_int_equal(weir_ws_payload(&s.ws, NULL, bytes_of("456789", 6)), 0);
    assert_int_equal(weir_ws_begin(&s.ws, WEIR_WS_WHOLE, 1, header, &header_len), 0);
}

static void test_payload_refused(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++) {
        side s;
        weir_ws before;
        uint8_t header[WEIR_WS_HEADER_MAX], dst[16];
        size_t header_len;
        side_init(&s, client != 0);
        assert_int_equal(weir_ws_payload(&s.ws, dst, bytes_of("a", 1)), WEIR_ERR_ARG);
        assert_int_equal(weir_ws_begin(&s.ws, WEIR_WS_WHOLE, 5, header, &header_len), 0);
        memset(dst, 0xDD, sizeof dst);
        memcpy(&before, &s.ws, sizeof before);
        assert_int_equal(weir_ws_payload(&s.ws, dst, bytes_of("123456", 6)), WEIR_ERR_ARG);
        if (client)
            assert_int_equal(weir_ws_payload(&s.ws, NULL, bytes_of("12345", 5)), WEIR_ERR_ARG);
        assert_memory_equal(&s.ws, &before, sizeof before);
        for (size_t i = 0; i < sizeof dst; i++)
            assert_int_equal(dst[i], 0xDD);
        assert_int_equal(weir_ws_payload(&s.ws, dst, bytes_of("123", 3)), 0);
        assert_int_equal(weir_ws_payload(&s.ws, dst, bytes_of("456", 3)), WEIR_ERR_ARG);
        assert_int_equal(weir_ws_payload(&s.ws, dst, bytes_of("45", 2)), 0);
        assert_int_equal(weir_ws_payload(&s.ws, dst, bytes_of("6", 1)), WEIR_ERR_ARG);
    }
}

/* ---- States ------------------------------------------------------------------------------------- */

/* Expects both calls that begin a frame to be refused with nothing changed. */
static void expect_refused(side *s, uint32_t flags, int err)
{
    weir_ws before;
    uint8_t room[64], header[WEIR_WS_HEADER_MAX];
    size_t header_len;
    weir_out out = {room, sizeof room};
    memcpy(&before, &s->ws, sizeof before);
    assert_int_equal(weir_ws_send(&s->ws, &out, flags, bytes_of("abc", 3)), err);
    assert_int_equal(out.len, sizeof room);
    assert_int_equal(weir_ws_begin(&s->ws, flags, 3, header, &header_len), err);
    assert_memory_equal(&s->ws, &before, sizeof before);
}

static void expect_sent(side *s, uint32_t flags)
{
    uint8_t room[64];
    weir_out out = {room, sizeof room};
    assert_int_equal(weir_ws_send(&s->ws, &out, flags, bytes_of("abc", 3)), 0);
}

static void test_flag_states(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++) {
        side s;
        side_init(&s, client != 0);
        for (unsigned bit = 4; bit < 32; bit++)
            expect_refused(&s, WEIR_WS_WHOLE | 1u << bit, WEIR_ERR_ARG);
        expect_refused(&s, 0, WEIR_ERR_STATE);
        expect_refused(&s, WEIR_WS_LAST, WEIR_ERR_STATE);
        expect_sent(&s, WEIR_WS_FIRST);
        expect_refused(&s, WEIR_WS_FIRST, WEIR_ERR_STATE);
        expect_refused(&s, WEIR_WS_WHOLE | WEIR_WS_TEXT, WEIR_ERR_STATE);
        expect_sent(&s, 0);
        expect_refused(&s, WEIR_WS_WHOLE, WEIR_ERR_STATE);
        expect_sent(&s, WEIR_WS_LAST);
        expect_refused(&s, WEIR_WS_LAST, WEIR_ERR_STATE);
        expect_sent(&s, WEIR_WS_WHOLE);
    }
}

static void test_busy_states(void **state)
{
    (void)state;
    side s;
    uint8_t header[WEIR_WS_HEADER_MAX];
    size_t header_len;
    side_init(&s, false);
    assert_int_equal(weir_ws_begin(&s.ws, WEIR_WS_FIRST, 2, header, &header_len), 0);
    expect_refused(&s, 0, WEIR_ERR_STATE);
    assert_int_equal(weir_ws_payload(&s.ws, NULL, bytes_of("a", 1)), 0);
    expect_refused(&s, WEIR_WS_LAST, WEIR_ERR_STATE);
    assert_int_equal(weir_ws_payload(&s.ws, NULL, bytes_of("b", 1)), 0);
    expect_sent(&s, WEIR_WS_LAST);

    /* A whole message whose payload is still owed: no other one before its end, however simple. */
    assert_int_equal(weir_ws_begin(&s.ws, WEIR_WS_WHOLE, 2, header, &header_len), 0);
    expect_refused(&s, WEIR_WS_WHOLE, WEIR_ERR_STATE);
    assert_int_equal(weir_ws_payload(&s.ws, NULL, bytes_of("a", 1)), 0);
    expect_refused(&s, WEIR_WS_WHOLE | WEIR_WS_TEXT, WEIR_ERR_STATE);
    assert_int_equal(weir_ws_payload(&s.ws, NULL, bytes_of("b", 1)), 0);
    expect_sent(&s, WEIR_WS_WHOLE);

    /* A reply that waits does not hinder; one that is partly written does, at each of its bytes. */
    for (size_t taken = 0; taken <= 5; taken++) {
        side_init(&s, false);
        assert_int_equal(weir_ws_ping(&s.ws, bytes_of("abc", 3)), 0);
        weir_ws_out_ack(&s.ws, taken);
        if (taken > 0 && taken < 5)
            expect_refused(&s, WEIR_WS_WHOLE, WEIR_ERR_STATE);
        else
            expect_sent(&s, WEIR_WS_WHOLE);
        weir_ws_out_ack(&s.ws, 5 - taken);
        expect_sent(&s, WEIR_WS_WHOLE);
    }

    /* At the border between two replies, one written and one not. */
    side_init(&s, false);
    assert_int_equal(weir_ws_ping(&s.ws, bytes_of("abc", 3)), 0);
    assert_int_equal(weir_ws_ping(&s.ws, bytes_of("de", 2)), 0);
    weir_ws_out_ack(&s.ws, 5);
    expect_sent(&s, WEIR_WS_WHOLE);
    weir_ws_out_ack(&s.ws, 1);
    expect_refused(&s, WEIR_WS_WHOLE, WEIR_ERR_STATE);
}

static void test_closing_states(void **state)
{
    (void)state;
    weir_ws_event ev;
    side s;
    side_init(&s, true);
    assert_int_equal(weir_ws_close(&s.ws, 1000, weir_cstr("")), 0);
    expect_refused(&s, WEIR_WS_WHOLE, WEIR_ERR_STATE);
    weir_ws_out_ack(&s.ws, SIZE_MAX);
    expect_refused(&s, WEIR_WS_WHOLE, WEIR_ERR_STATE);

    side_init(&s, true);
    expect_sent(&s, WEIR_WS_FIRST);
    assert_int_equal(side_hear(&s, "\x88\x00", 2), WEIR_WS_CLOSE);
    expect_refused(&s, WEIR_WS_LAST, WEIR_ERR_STATE);

    side_init(&s, true);
    assert_int_equal(side_hear(&s, "\x83\x00", 2), WEIR_ERR_WS_OPCODE);
    expect_refused(&s, WEIR_WS_WHOLE, WEIR_ERR_STATE);
    weir_ws_out_ack(&s.ws, SIZE_MAX);
    expect_refused(&s, WEIR_WS_WHOLE, WEIR_ERR_STATE);

    side_init(&s, true);
    assert_int_equal(weir_ws_eof(&s.ws, &ev), WEIR_WS_END);
    expect_refused(&s, WEIR_WS_WHOLE, WEIR_ERR_STATE);
}

/* Control frames may stand between the fragments of our own message (5.4). */
static void test_control_between_fragments(void **state)
{
    (void)state;
    side s;
    uint8_t room[64];
    weir_out out = {room, sizeof room};
    side_init(&s, false);
    assert_int_equal(weir_ws_send(&s.ws, &out, WEIR_WS_FIRST | WEIR_WS_TEXT, bytes_of("a", 1)), 0);
    assert_int_equal(weir_ws_ping(&s.ws, bytes_of("p", 1)), 0);
    assert_int_equal(weir_ws_out_put(&s.ws, &out), 0);
    assert_int_equal(weir_ws_send(&s.ws, &out, WEIR_WS_LAST | WEIR_WS_TEXT, bytes_of("b", 1)), 0);
    assert_int_equal(sizeof room - out.len, 9);
    assert_memory_equal(room,
                        "\x01\x01"
                        "a\x89\x01p\x80\x01"
                        "b",
                        9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_sizes),         cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_exact_room),           cmocka_unit_test(test_send_size),
        cmocka_unit_test(test_flags_and_opcodes),    cmocka_unit_test(test_header_for_lengths_beyond_memory),
        cmocka_unit_test(test_header_ends),          cmocka_unit_test(test_keys_are_fresh),
        cmocka_unit_test(test_a_shared_source),      cmocka_unit_test(test_entropy_fails),
        cmocka_unit_test(test_entropy_fails_later),  cmocka_unit_test(test_pieces_equal_send),
        cmocka_unit_test(test_payload_only_counted), cmocka_unit_test(test_payload_refused),
        cmocka_unit_test(test_flag_states),          cmocka_unit_test(test_busy_states),
        cmocka_unit_test(test_closing_states),       cmocka_unit_test(test_control_between_fragments),
    };
    return cmocka_run_group_tests_name("ws_send", tests, NULL, NULL);
}
