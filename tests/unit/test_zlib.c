/* SPDX-License-Identifier: MIT */
/* test_zlib.c - compressed messages over the zlib backend: vectors under every cut, what is sent is what
 * arrives, limits, memory, prepared messages. Built when zlib is there. */
#include "harness.h"
#include "weir/weir.h"
#include "weir/zlib.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const weir_deflate_params all_15 = {15, 15, false, false, false, false};

/* ---- A connection with compression, and what it reports ----------------------------------------- */

typedef struct side {
    weir_ws ws;
    weir_deflate deflate;
    weir_entropy entropy;
    weir_deflate_params params;
    weir_ws_role role;
    uint64_t max_message;
    uint32_t max_ratio;
    size_t threshold;
    void *inflate_mem, *deflate_mem;
    uint8_t scratch[1024];
    uint8_t *got;
    size_t got_len;
    uint32_t got_flags;
    unsigned messages;
    uint32_t random;
} side;

static int fill(void *user, uint8_t *dst, size_t len)
{
    uint32_t *random = user;
    for (size_t i = 0; i < len; i++) {
        *random = *random * 1664525u + 1013904223u;
        dst[i] = (uint8_t)(*random >> 24);
    }
    return 0;
}

static void side_free(side *s)
{
    free(s->inflate_mem);
    free(s->deflate_mem);
    free(s->got);
    s->inflate_mem = s->deflate_mem = s->got = NULL;
}

static void side_start(void *self)
{
    side *s = self;
    size_t inflate_len, deflate_len;
    weir_ws_cfg cfg;
    weir_deflate_cfg dc;
    side_free(s);
    memset(&dc, 0, sizeof dc);
    dc.backend = &weir_zlib;
    dc.params = s->params;
    dc.role = s->role;
    dc.max_ratio = s->max_ratio;
    dc.threshold = s->threshold;
    dc.scratch = s->scratch;
    dc.scratch_len = sizeof s->scratch;
    weir_deflate_memory(&dc, &inflate_len, &deflate_len);
    s->inflate_mem = dc.inflate_mem = malloc(dc.inflate_len = inflate_len);
    s->deflate_mem = dc.deflate_mem = malloc(dc.deflate_len = deflate_len);
    assert_int_equal(weir_deflate_init(&s->deflate, &dc), 0);
    s->random = 1;
    assert_int_equal(weir_entropy_init(&s->entropy, fill, &s->random), 0);
    weir_ws_cfg_init(&cfg, s->role);
    cfg.entropy = &s->entropy;
    cfg.deflate = &s->deflate;
    cfg.max_message = s->max_message;
    assert_int_equal(weir_ws_init(&s->ws, &cfg), 0);
    s->got = malloc(s->max_message + 1);
    s->got_len = 0;
    s->messages = 0;
}

static side *side_new(weir_ws_role role, weir_deflate_params params, uint64_t max_message)
{
    side *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->role = role;
    s->params = params;
    s->max_message = max_message;
    side_start(s);
    return s;
}

static void side_delete(side *s)
{
    side_free(s);
    free(s);
}

/* Feeds bytes in pieces of at most `step`; collects the last message. */
static int side_feed(side *s, const uint8_t *bytes, size_t len, size_t step)
{
    int rv = 0;
    for (size_t at = 0; at < len && rv == 0; at += step) {
        size_t n = len - at < step ? len - at : step;
        uint8_t *piece = guard_copy(bytes + at, n, false);
        weir_in in = {piece, n};
        weir_ws_event ev;
        while ((rv = weir_ws_next(&s->ws, &in, &ev)) > 0) {
            if (rv != WEIR_WS_DATA)
                continue;
            if ((ev.flags & WEIR_WS_FIRST) != 0)
                s->got_len = 0;
            assert_true(s->got_len + ev.data.len <= s->max_message);
            if (ev.data.len != 0)
                memcpy(s->got + s->got_len, ev.data.ptr, ev.data.len);
            s->got_len += ev.data.len;
            s->got_flags = ev.flags;
            s->messages += (ev.flags & WEIR_WS_LAST) != 0;
        }
        guard_free(piece);
    }
    return rv;
}

/* ---- Vectors ------------------------------------------------------------------------------------- */

typedef struct logger {
    side *side;
    uint8_t text[2048];
    size_t len;
    bool begun;
    bool failed;
} logger;

static void logger_start(void *self)
{
    logger *g = self;
    side_start(g->side);
    g->len = 0;
    g->failed = false;
}

/* Long runs of one letter are written as a number. */
static void logger_flush(logger *g, const char *label, log *l)
{
    size_t run = 0;
    while (run < g->len && g->text[run] == 'x')
        run++;
    if (run == g->len && run > 20)
        log_line(l, "%s %u x", label, (unsigned)run);
    else if (g->len != 0)
        log_bytes(l, label, g->text, g->len);
    g->len = 0;
}

static void logger_feed(void *self, uint8_t *bytes, size_t len, log *l)
{
    logger *g = self;
    weir_in in = {bytes, len};
    weir_ws_event ev;
    int rv;
    while ((rv = weir_ws_next(&g->side->ws, &in, &ev)) > 0) {
        if (rv == WEIR_WS_PING) {
            logger_flush(g, "text", l);
            log_line(l, "ping \"%.*s\"", (int)ev.data.len, (const char *)ev.data.ptr);
        }
        if (rv != WEIR_WS_DATA)
            continue;
        const char *label = (ev.flags & WEIR_WS_DEFLATE) != 0 ? "text" : "plain text";
        assert_true(g->len + ev.data.len <= sizeof g->text);
        if (ev.data.len != 0)
            memcpy(g->text + g->len, ev.data.ptr, ev.data.len);
        g->len += ev.data.len;
        if ((ev.flags & WEIR_WS_LAST) != 0) {
            logger_flush(g, label, l);
            log_line(l, "%s end", label);
        }
    }
    if (rv < 0 && !g->failed) {
        uint64_t offset;
        g->failed = true;
        logger_flush(g, "text", l);
        assert_int_equal(weir_ws_error(&g->side->ws, &offset), rv);
        log_line(l, "error %s at %u", weir_err_lookup(rv)->name, (unsigned)offset);
    }
}

static void check_vector(const vector *v)
{
    logger g;
    memset(&g, 0, sizeof g);
    g.side = side_new(WEIR_WS_CLIENT, all_15, 1000);
    machine m = {logger_start, logger_feed, NULL, &g};
    machine_check(&m, v->title, v->stream, v->len, v->expected);
    side_delete(g.side);
}

static void test_vectors(void **state)
{
    (void)state;
    assert_true(vectors_each("ws_deflate.txt", check_vector) > 20);
}

/* ---- Round trips ---------------------------------------------------------------------------------- */

static size_t make_text(uint8_t *text, size_t len, uint32_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t letter = 'a' + (seed >> 20) % 26;
        text[i] = (seed >> 28) != 0 ? (uint8_t) "to be or not to be, "[i % 20] : (uint8_t)letter;
    }
    return len;
}

static void check_round_trip(side *from, side *to, size_t len, size_t step, unsigned fragments, bool packed)
{
    static uint8_t text[1 << 17];
    static uint8_t wire[1 << 18];
    make_text(text, len, (uint32_t)len + 1);
    weir_out out = {wire, sizeof wire};
    unsigned before = to->messages;
    for (unsigned i = 0; i < fragments; i++) {
        size_t begin = len * i / fragments, end = len * (i + 1) / fragments;
        uint32_t flags = (i == 0 ? WEIR_WS_FIRST | WEIR_WS_TEXT | (packed ? WEIR_WS_DEFLATE : 0) : 0) |
                         (i + 1 == fragments ? WEIR_WS_LAST : 0);
        size_t room = out.len;
        assert_int_equal(weir_ws_send(&from->ws, &out, flags, (weir_str){text + begin, end - begin}), 0);
        assert_true(room - out.len <= weir_ws_send_size(&from->ws, end - begin));
    }
    assert_int_equal(side_feed(to, wire, sizeof wire - out.len, step), 0);
    assert_int_equal(to->messages, before + 1);
    assert_int_equal(to->got_len, len);
    assert_memory_equal(to->got, text, len);
    assert_int_equal((to->got_flags & WEIR_WS_DEFLATE) != 0, packed);
}

/* Both directions, with and without takeover, all windows, sizes around the borders of frame headers. */
static void test_what_is_sent_arrives(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 100, 125, 126, 200, 1500, 0, 40000, 70000, 3, 70000};
    static const size_t steps[] = {1, 7, 1400, 1 << 20};
    (void)state;
    for (unsigned round = 0; round < 28; round++) {
        weir_deflate_params params = {(uint8_t)(9 + round % 7),
                                      (uint8_t)(15 - round % 7),
                                      (round & 1) != 0,
                                      (round & 2) != 0,
                                      false,
                                      false};
        side *server = side_new(WEIR_WS_SERVER, params, 1 << 17);
        side *client = side_new(WEIR_WS_CLIENT, params, 1 << 17);
        for (unsigned i = 0; i < 13; i++) {
            size_t step = steps[(round + (sizes[i] > 2000 ? 2 + i % 2 : i)) % 4];
            step = step < 7 && sizes[i] > 2000 ? 7 : step;
            check_round_trip(server, client, sizes[i], step, 1 + (round + i) % 4, i % 5 != 4);
            check_round_trip(client, server, sizes[i], step, 1 + i % 3, i % 4 != 3);
        }
        side_delete(server);
        side_delete(client);
    }
}

static void test_compression_compresses(void **state)
{
    (void)state;
    static uint8_t text[10000], wire[12000];
    side *server = side_new(WEIR_WS_SERVER, all_15, 1 << 17);
    make_text(text, sizeof text, 1);
    weir_out out = {wire, sizeof wire};
    weir_str data = {text, sizeof text};
    assert_int_equal(weir_ws_send(&server->ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, data), 0);
    size_t first = sizeof wire - out.len;
    assert_true(first < sizeof text / 4);
    /* With takeover the second copy is little more than a reference. */
    out = (weir_out){wire, sizeof wire};
    assert_int_equal(weir_ws_send(&server->ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, data), 0);
    assert_true(sizeof wire - out.len < first / 4);
    side_delete(server);
}

static void test_threshold_and_room(void **state)
{
    (void)state;
    uint8_t wire[512];
    side *server = side_new(WEIR_WS_SERVER, all_15, 1000);
    server->threshold = 64;
    side_start(server);
    uint8_t text[64];
    memset(text, 'a', sizeof text);
    weir_out out = {wire, sizeof wire};
    uint32_t flags = WEIR_WS_WHOLE | WEIR_WS_DEFLATE;
    assert_int_equal(weir_ws_send(&server->ws, &out, flags, (weir_str){text, 63}), 0);
    assert_int_equal(wire[0], 0x82);
    out = (weir_out){wire, sizeof wire};
    assert_int_equal(weir_ws_send(&server->ws, &out, flags, (weir_str){text, 64}), 0);
    assert_int_equal(wire[0], 0xC2);
    /* Too little room: refused before the compressor has seen anything. */
    size_t need = weir_ws_send_size(&server->ws, 64);
    side *client = side_new(WEIR_WS_CLIENT, all_15, 1000);
    assert_int_equal(side_feed(client, wire, sizeof wire - out.len, 3), 0);
    out = (weir_out){wire, need - 1};
    assert_int_equal(weir_ws_send(&server->ws, &out, flags, (weir_str){text, 64}), WEIR_ERR_SPACE);
    out = (weir_out){wire, need};
    assert_int_equal(weir_ws_send(&server->ws, &out, flags, (weir_str){text, 64}), 0);
    assert_int_equal(side_feed(client, wire, need - out.len, 3), 0);
    assert_int_equal(client->got_len, 64);
    side_delete(server);
    side_delete(client);
}

/* ---- Limits --------------------------------------------------------------------------------------- */

/* Half a gibibyte of zeros in half a mebibyte: stopped at the exact limit, in both roles, whether the
 * bomb lies in one frame or in many. */
static void test_bomb_stops_at_the_limit(void **state)
{
    enum { PIECE = 1 << 16, PIECES = 256 };
    static uint8_t zeros[PIECE], wire[1 << 17];
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        bool client_sends = (i & 1) != 0;
        side *from = side_new(client_sends ? WEIR_WS_CLIENT : WEIR_WS_SERVER, all_15, 1000);
        side *to = side_new(client_sends ? WEIR_WS_SERVER : WEIR_WS_CLIENT, all_15, 100000);
        weir_out out = {wire, sizeof wire};
        for (unsigned n = 0; n < PIECES; n++) {
            uint32_t flags = (n == 0 ? WEIR_WS_FIRST | WEIR_WS_DEFLATE : 0);
            assert_int_equal(weir_ws_send(&from->ws, &out, flags, (weir_str){zeros, PIECE}), 0);
        }
        int rv = side_feed(to, wire, sizeof wire - out.len, (i & 2) != 0 ? 11 : sizeof wire);
        assert_int_equal(rv, WEIR_ERR_WS_MESSAGE_SIZE);
        assert_int_equal(to->got_len, 100000);
        side_delete(from);
        side_delete(to);
    }
}

/* The limit counts inflated bytes only: a message may be larger on the wire than it is. */
static void test_limit_counts_inflated_bytes(void **state)
{
    (void)state;
    uint8_t wire[2000];
    size_t len = 0;
    wire[len++] = 0xC2;
    wire[len++] = 126;
    wire[len++] = 1501 >> 8;
    wire[len++] = 1501 & 0xFF;
    for (unsigned i = 0; i < 300; i++, len += 5)
        memcpy(wire + len, "\x00\x00\x00\xFF\xFF", 5); /* an empty stored block */
    wire[len++] = 0x00;
    side *client = side_new(WEIR_WS_CLIENT, all_15, 10);
    assert_int_equal(side_feed(client, wire, len, 13), 0);
    assert_int_equal(client->messages, 1);
    side_delete(client);
}

static void test_ratio(void **state)
{
    static uint8_t zeros[100000], wire[200000];
    (void)state;
    for (size_t step = 1; step < 3000; step *= 9) {
        side *server = side_new(WEIR_WS_SERVER, all_15, 1000);
        side *client = side_new(WEIR_WS_CLIENT, all_15, 1 << 17);
        client->max_ratio = 20;
        side_start(client);
        weir_out out = {wire, sizeof wire};
        weir_str data = {zeros, sizeof zeros};
        assert_int_equal(weir_ws_send(&server->ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, data), 0);
        size_t payload = sizeof wire - out.len - (sizeof wire - out.len < 128 ? 2 : 4);
        assert_int_equal(side_feed(client, wire, sizeof wire - out.len, step), WEIR_ERR_WS_RATIO);
        assert_int_equal(client->got_len, payload * 20);
        side_delete(server);
        side_delete(client);
    }
}

/* After a fault the connection says so and nothing else, and everything can be thrown away. */
static void test_after_a_fault(void **state)
{
    (void)state;
    side *client = side_new(WEIR_WS_CLIENT, all_15, 1000);
    const uint8_t garbage[] = {0xC1, 0x03, 0xFF, 0xFF, 0xFF};
    assert_int_equal(side_feed(client, garbage, sizeof garbage, 2), WEIR_ERR_WS_DEFLATE);
    assert_int_equal(side_feed(client, garbage, sizeof garbage, 2), WEIR_ERR_WS_DEFLATE);
    weir_str out = weir_ws_out(&client->ws);
    assert_true(out.len > 8);
    assert_int_equal((out.ptr[6] ^ out.ptr[2]) << 8 | (out.ptr[7] ^ out.ptr[3]), 1007);
    side_delete(client);
}

/* ---- Memory --------------------------------------------------------------------------------------- */

/* What weir_deflate_memory says is enough in every configuration, and a good deal less is refused. */
static void test_memory_is_enough(void **state)
{
    (void)state;
    for (unsigned bits = 9; bits <= 15; bits++) {
        for (unsigned level = 1; level <= 9; level++) {
            size_t deflate_len = weir_zlib.deflate_size(bits, level);
            size_t inflate_len = weir_zlib.inflate_size(bits);
            uint8_t *mem = malloc(deflate_len > inflate_len ? deflate_len : inflate_len);
            assert_int_equal(weir_zlib.deflate_init(mem, deflate_len, bits, level, 6), 0);
            assert_int_not_equal(weir_zlib.deflate_init(mem, deflate_len / 2, bits, level, 6), 0);
            assert_int_equal(weir_zlib.inflate_init(mem, inflate_len, bits), 0);
            assert_int_not_equal(weir_zlib.inflate_init(mem, inflate_len / 2, bits), 0);
            assert_int_not_equal(weir_zlib.inflate_init(mem, 10, bits), 0);
            free(mem);
        }
    }
}

static void test_window_of_8(void **state)
{
    (void)state;
    uint8_t wire[64];
    weir_deflate_params params = {8, 8, false, false, false, false};
    side *client = side_new(WEIR_WS_CLIENT, params, 1000);
    weir_out out = {wire, sizeof wire};
    weir_str data = weir_cstr("Hello");
    assert_int_equal(weir_ws_send(&client->ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, data), 0);
    assert_int_equal(wire[0], 0x82); /* honest: not compressed rather than with 9 bits */
    const uint8_t hello[] = {0xC1, 0x07, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00};
    assert_int_equal(side_feed(client, hello, sizeof hello, 1), 0);
    assert_int_equal(client->got_len, 5);
    uint8_t mem[100];
    assert_int_not_equal(weir_zlib.deflate_init(mem, sizeof mem, 8, 8, 6), 0);
    side_delete(client);
}

/* ---- Prepared messages ----------------------------------------------------------------------------- */

/* One encoding goes to connections with and without compression, between messages of their own. */
static void test_prepared_for_many(void **state)
{
    static uint8_t plain[4000], packed[4000], wire[8000];
    (void)state;
    uint8_t text[3000];
    make_text(text, sizeof text, 5);
    weir_str data = {text, sizeof text};
    size_t mem_len = weir_zlib.deflate_size(11, 8);
    void *mem = malloc(mem_len);
    weir_out plain_out = {plain, sizeof plain}, packed_out = {packed, sizeof packed};
    assert_int_equal(weir_ws_prepare(&plain_out, WEIR_WS_TEXT, data), 0);
    assert_int_equal(weir_ws_prepare_packed(&packed_out, WEIR_WS_TEXT, data, &weir_zlib, mem, mem_len, 11),
                     0);
    weir_ws_prepared prepared = {
        {plain, sizeof plain - plain_out.len}, {packed, sizeof packed - packed_out.len}, 11};

    for (unsigned bits = 9; bits <= 15; bits++) {
        for (unsigned forget = 0; forget < 2; forget++) {
            weir_deflate_params params = {(uint8_t)bits, 15, forget != 0, false, false, false};
            side *server = side_new(WEIR_WS_SERVER, params, 1 << 17);
            side *client = side_new(WEIR_WS_CLIENT, params, 1 << 17);
            for (unsigned i = 0; i < 3; i++) {
                weir_str bytes;
                check_round_trip(server, client, 3000, 100, 1, true);
                assert_int_equal(weir_ws_send_prepared(&server->ws, &prepared, &bytes), 0);
                assert_ptr_equal(bytes.ptr, bits >= 11 ? packed : plain);
                memcpy(wire, bytes.ptr, bytes.len);
                assert_int_equal(side_feed(client, wire, bytes.len, 50), 0);
                assert_int_equal(client->got_len, sizeof text);
                assert_memory_equal(client->got, text, sizeof text);
                assert_int_equal((client->got_flags & WEIR_WS_TEXT) != 0, 1);
            }
            check_round_trip(server, client, 3000, 100, 2, true);
            side_delete(server);
            side_delete(client);
        }
    }
    free(mem);
}

static void test_prepared_states(void **state)
{
    (void)state;
    uint8_t wire[64];
    weir_str bytes;
    weir_ws_prepared prepared = {weir_cstr("\x81\x01x"), {NULL, 0}, 0};
    side *client = side_new(WEIR_WS_CLIENT, all_15, 1000);
    side *server = side_new(WEIR_WS_SERVER, all_15, 1000);
    assert_int_equal(weir_ws_send_prepared(&client->ws, &prepared, &bytes), WEIR_ERR_STATE);
    assert_int_equal(weir_ws_send_prepared(&server->ws, &prepared, &bytes), 0);
    weir_out out = {wire, sizeof wire};
    assert_int_equal(weir_ws_send(&server->ws, &out, WEIR_WS_FIRST, weir_cstr("a")), 0);
    assert_int_equal(weir_ws_send_prepared(&server->ws, &prepared, &bytes), WEIR_ERR_STATE);
    assert_int_equal(weir_ws_send(&server->ws, &out, WEIR_WS_LAST, weir_cstr("b")), 0);
    assert_int_equal(weir_ws_send_prepared(&server->ws, &prepared, &bytes), 0);
    assert_int_equal(weir_ws_close(&server->ws, 1000, weir_cstr(NULL)), 0);
    assert_int_equal(weir_ws_send_prepared(&server->ws, &prepared, &bytes), WEIR_ERR_STATE);
    for (size_t room = 0; room < 5; room++) {
        out = (weir_out){wire, room};
        assert_int_equal(weir_ws_prepare(&out, 0, weir_cstr("abc")), WEIR_ERR_SPACE);
        assert_int_equal(out.len, room);
    }
    assert_int_equal(weir_ws_prepare(&out, WEIR_WS_LAST, weir_cstr("abc")), WEIR_ERR_ARG);
    side_delete(client);
    side_delete(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_what_is_sent_arrives),
        cmocka_unit_test(test_compression_compresses),
        cmocka_unit_test(test_threshold_and_room),
        cmocka_unit_test(test_bomb_stops_at_the_limit),
        cmocka_unit_test(test_limit_counts_inflated_bytes),
        cmocka_unit_test(test_ratio),
        cmocka_unit_test(test_after_a_fault),
        cmocka_unit_test(test_memory_is_enough),
        cmocka_unit_test(test_window_of_8),
        cmocka_unit_test(test_prepared_for_many),
        cmocka_unit_test(test_prepared_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
