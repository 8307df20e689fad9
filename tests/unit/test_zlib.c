/* SPDX-License-Identifier: MIT */
/* test_zlib.c - compressed messages over the zlib backend: vectors under every cut, what is sent is what
 * arrives, memory, prepared messages. Built when zlib is there. */
#include "check.h"
#include "harness.h"
#include "weir/zlib.h"
#include "ws_packed.h"

#include <stdlib.h>

#include <zlib.h>

/* ---- Vectors ------------------------------------------------------------------------------------- */

typedef struct logger {
    packed_side *side;
    uint8_t text[2048];
    size_t len;
    bool begun;
    bool failed;
} logger;

static void logger_start(void *self)
{
    logger *g = self;
    packed_start(g->side);
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
    g.side = packed_new(&weir_zlib, WEIR_WS_CLIENT, packed_all_15, 1000);
    machine m = {logger_start, logger_feed, NULL, &g};
    machine_check(&m, v->title, v->stream, v->len, v->expected);
    packed_delete(g.side);
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

static void check_round_trip(packed_side *from, packed_side *to, size_t len, size_t step, unsigned fragments,
                             bool packed)
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
    assert_int_equal(packed_feed(to, wire, sizeof wire - out.len, step), 0);
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
        packed_side *server = packed_new(&weir_zlib, WEIR_WS_SERVER, params, 1 << 17);
        packed_side *client = packed_new(&weir_zlib, WEIR_WS_CLIENT, params, 1 << 17);
        for (unsigned i = 0; i < 13; i++) {
            size_t step = steps[(round + (sizes[i] > 2000 ? 2 + i % 2 : i)) % 4];
            step = step < 7 && sizes[i] > 2000 ? 7 : step;
            check_round_trip(server, client, sizes[i], step, 1 + (round + i) % 4, i % 5 != 4);
            check_round_trip(client, server, sizes[i], step, 1 + i % 3, i % 4 != 3);
        }
        packed_delete(server);
        packed_delete(client);
    }
}

static void test_compression_compresses(void **state)
{
    (void)state;
    static uint8_t text[10000], wire[12000];
    packed_side *server = packed_new(&weir_zlib, WEIR_WS_SERVER, packed_all_15, 1 << 17);
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
    packed_delete(server);
}

static void test_threshold_and_room(void **state)
{
    (void)state;
    uint8_t wire[512];
    packed_side *server = packed_new(&weir_zlib, WEIR_WS_SERVER, packed_all_15, 1000);
    server->threshold = 64;
    packed_start(server);
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
    packed_side *client = packed_new(&weir_zlib, WEIR_WS_CLIENT, packed_all_15, 1000);
    assert_int_equal(packed_feed(client, wire, sizeof wire - out.len, 3), 0);
    out = (weir_out){wire, need - 1};
    assert_int_equal(weir_ws_send(&server->ws, &out, flags, (weir_str){text, 64}), WEIR_ERR_SPACE);
    out = (weir_out){wire, need};
    assert_int_equal(weir_ws_send(&server->ws, &out, flags, (weir_str){text, 64}), 0);
    assert_int_equal(packed_feed(client, wire, need - out.len, 3), 0);
    assert_int_equal(client->got_len, 64);
    packed_delete(server);
    packed_delete(client);
}

/* A compressed message in parts, through outputs of any size, a Ping of each side between them. */
static void check_parts(packed_side *from, packed_side *to, size_t room, size_t most)
{
    static uint8_t text[3000], bytes[400];
    size_t len = make_text(text, sizeof text, (uint32_t)room);
    weir_str data = {text, len};
    uint32_t flags = WEIR_WS_WHOLE | WEIR_WS_TEXT | WEIR_WS_DEFLATE;
    unsigned before = to->messages, parts = 0;
    int rv;
    do {
        weir_out out = {bytes, room};
        rv = weir_ws_send_part(&from->ws, &out, &flags, &data, most);
        assert_true(rv == 0 || rv == 1);
        assert_int_equal(bytes[0] & 0x40, parts++ == 0 ? 0x40 : 0);
        assert_int_equal(packed_feed(to, bytes, room - out.len, 9), 0);
        assert_int_equal(to->messages, before + (rv == 0));
        assert_int_equal(weir_ws_ping(&from->ws, weir_cstr("between")), 0);
        out = (weir_out){bytes, sizeof bytes};
        assert_int_equal(weir_ws_out_put(&from->ws, &out), 0);
        assert_int_equal(packed_feed(to, bytes, sizeof bytes - out.len, 9), 0);
        weir_ws_out_ack(&to->ws, SIZE_MAX);
    } while (rv == 1);
    assert_int_equal(to->got_len, len);
    assert_memory_equal(to->got, text, len);
    assert_true(parts >= len / most);
}

/* What an event leaves of the input may be unmasked already; it may be given back in smaller pieces. */
static void test_input_left_by_an_event(void **state)
{
    static const size_t steps[] = {SIZE_MAX, 1, 2, SIZE_MAX, 5, 1, 1, 60};
    static uint8_t text[40000], wire[50000];
    (void)state;
    packed_side *client = packed_new(&weir_zlib, WEIR_WS_CLIENT, packed_all_15, sizeof text);
    packed_side *server = packed_new(&weir_zlib, WEIR_WS_SERVER, packed_all_15, sizeof text);
    make_text(text, sizeof text, 3);
    weir_out out = {wire, sizeof wire};
    weir_str data = {text, sizeof text};
    assert_int_equal(weir_ws_send(&client->ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, data), 0);
    uint8_t *at = wire;
    size_t left = sizeof wire - out.len, got = 0;
    weir_ws_event ev = {WEIR_WS_NONE, 0, {NULL, 0}, 0};
    for (size_t i = 0; (ev.flags & WEIR_WS_LAST) == 0; i++) {
        assert_true(i < 100000);
        size_t step = steps[i % (sizeof steps / sizeof *steps)];
        weir_in in = {at, left < step ? left : step};
        size_t given = in.len;
        assert_true(weir_ws_next(&server->ws, &in, &ev) >= 0);
        at = in.ptr;
        left -= given - in.len;
        assert_true(ev.data.len <= sizeof text - got);
        if (ev.data.len != 0)
            assert_memory_equal(ev.data.ptr, text + got, ev.data.len);
        got += ev.data.len;
    }
    assert_int_equal(got, sizeof text);
    assert_int_equal(left, 0);
    packed_delete(client);
    packed_delete(server);
}

/* A symbol of a byte stands for more text than there is scratch for: all that a fragment holds is reported
 * before the Ping behind it, so that what is heard does not depend on the scratch or on where the input was
 * cut. */
static void test_fragments_larger_than_the_scratch(void **state)
{
    static uint8_t zeros[50000], packed[200], probe[60000];
    (void)state;
    z_stream from;
    memset(&from, 0, sizeof from);
    assert_int_equal(deflateInit2(&from, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
    from.next_in = zeros;
    from.avail_in = sizeof zeros;
    from.next_out = packed;
    from.avail_out = sizeof packed;
    assert_int_equal(deflate(&from, Z_SYNC_FLUSH), Z_OK);
    size_t len = sizeof packed - from.avail_out - 4;
    (void)deflateEnd(&from);
    packed_side *client = packed_new(&weir_zlib, WEIR_WS_CLIENT, packed_all_15, sizeof zeros);
    for (size_t i = 0; i < len; i++) {
        uint8_t frame[] = {(uint8_t)(i == 0 ? 0x42 : i + 1 == len ? 0x80 : 0x00), 1, packed[i], 0x89, 0};
        z_stream to;
        memset(&to, 0, sizeof to);
        assert_int_equal(inflateInit2(&to, -15), Z_OK);
        to.next_in = packed;
        to.avail_in = (uInt)(i + 1);
        to.next_out = probe;
        to.avail_out = sizeof probe;
        (void)inflate(&to, Z_SYNC_FLUSH);
        size_t expected = sizeof probe - to.avail_out, got = i == 0 ? 0 : client->got_len;
        (void)inflateEnd(&to);
        weir_in in = {frame, sizeof frame};
        weir_ws_event ev;
        int rv;
        while ((rv = weir_ws_next(&client->ws, &in, &ev)) == WEIR_WS_DATA)
            got += ev.data.len;
        assert_int_equal(rv, WEIR_WS_PING);
        assert_int_equal(got, expected);
        client->got_len = got;
        weir_ws_out_ack(&client->ws, SIZE_MAX);
    }
    assert_int_equal(client->got_len, sizeof zeros);
    packed_delete(client);
}

static void test_compressed_parts(void **state)
{
    (void)state;
    packed_side *server = packed_new(&weir_zlib, WEIR_WS_SERVER, packed_all_15, 1 << 17);
    packed_side *client = packed_new(&weir_zlib, WEIR_WS_CLIENT, packed_all_15, 1 << 17);
    for (size_t room = 64; room <= 400; room += 21) {
        check_parts(server, client, room, SIZE_MAX);
        check_parts(client, server, room, 50);
    }
    packed_delete(server);
    packed_delete(client);
}

/* A last frame with nothing to compress: an empty block stands for it, and the message arrives. */
static void test_empty_last_frame(void **state)
{
    (void)state;
    packed_side *server = packed_new(&weir_zlib, WEIR_WS_SERVER, packed_all_15, 1000);
    packed_side *client = packed_new(&weir_zlib, WEIR_WS_CLIENT, packed_all_15, 1000);
    for (int round = 0; round < 3; round++) {
        uint8_t wire[128];
        weir_out out = {wire, sizeof wire};
        assert_int_equal(weir_ws_send(&server->ws, &out, WEIR_WS_FIRST | WEIR_WS_DEFLATE, weir_cstr("abc")),
                         0);
        size_t first = sizeof wire - out.len;
        assert_int_equal(weir_ws_send(&server->ws, &out, WEIR_WS_LAST, weir_cstr("")), 0);
        assert_int_equal(sizeof wire - out.len, first + 3);
        assert_memory_equal(wire + first, "\x80\x01\x00", 3);
        assert_int_equal(packed_feed(client, wire, sizeof wire - out.len, 1), 0);
        assert_int_equal(client->got_len, 3);
        assert_memory_equal(client->got, "abc", 3);
    }
    packed_delete(server);
    packed_delete(client);
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
            assert_int_not_equal(weir_zlib.inflate_init(mem, inflate_len / 8, bits), 0);
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
    packed_side *client = packed_new(&weir_zlib, WEIR_WS_CLIENT, params, 1000);
    weir_out out = {wire, sizeof wire};
    weir_str data = weir_cstr("Hello");
    assert_int_equal(weir_ws_send(&client->ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, data), 0);
    assert_int_equal(wire[0], 0x82); /* honest: not compressed rather than with 9 bits */
    const uint8_t hello[] = {0xC1, 0x07, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00};
    assert_int_equal(packed_feed(client, hello, sizeof hello, 1), 0);
    assert_int_equal(client->got_len, 5);
    uint8_t mem[100];
    assert_int_not_equal(weir_zlib.deflate_init(mem, sizeof mem, 8, 8, 6), 0);
    packed_delete(client);
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
            packed_side *server = packed_new(&weir_zlib, WEIR_WS_SERVER, params, 1 << 17);
            packed_side *client = packed_new(&weir_zlib, WEIR_WS_CLIENT, params, 1 << 17);
            for (unsigned i = 0; i < 3; i++) {
                weir_str bytes;
                check_round_trip(server, client, 3000, 100, 1, true);
                assert_int_equal(weir_ws_send_prepared(&server->ws, &prepared, &bytes), 0);
                assert_ptr_equal(bytes.ptr, bits >= 11 ? packed : plain);
                memcpy(wire, bytes.ptr, bytes.len);
                assert_int_equal(packed_feed(client, wire, bytes.len, 50), 0);
                assert_int_equal(client->got_len, sizeof text);
                assert_memory_equal(client->got, text, sizeof text);
                assert_int_equal((client->got_flags & WEIR_WS_TEXT) != 0, 1);
            }
            check_round_trip(server, client, 3000, 100, 2, true);
            packed_delete(server);
            packed_delete(client);
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
    packed_side *client = packed_new(&weir_zlib, WEIR_WS_CLIENT, packed_all_15, 1000);
    packed_side *server = packed_new(&weir_zlib, WEIR_WS_SERVER, packed_all_15, 1000);
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
    packed_delete(client);
    packed_delete(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_what_is_sent_arrives),
        cmocka_unit_test(test_compression_compresses),
        cmocka_unit_test(test_threshold_and_room),
        cmocka_unit_test(test_fragments_larger_than_the_scratch),
        cmocka_unit_test(test_input_left_by_an_event),
        cmocka_unit_test(test_compressed_parts),
        cmocka_unit_test(test_empty_last_frame),
        cmocka_unit_test(test_memory_is_enough),
        cmocka_unit_test(test_window_of_8),
        cmocka_unit_test(test_prepared_for_many),
        cmocka_unit_test(test_prepared_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
