/* SPDX-License-Identifier: MIT */
/*
 * test_ws_packed_send.c - weir's own part in compressing, over a backend that does as it is told: room,
 * failures, thresholds, frames as long as the room, prepared messages.
 */
#include "check.h"
#include "told_backend.h"

/* ---- Sending ------------------------------------------------------------------------------------------ */

static void test_room(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++) {
        end e;
        end_prepare(&e, client ? WEIR_WS_CLIENT : WEIR_WS_SERVER);
        end_start(&e);
        size_t size = weir_ws_send_size(&e.ws, 3);
        assert_int_equal(size, 3 + 4 + WEIR_WS_HEADER_MAX);
        for (size_t room = 0; room < size; room++) {
            weir_out out = {e.wire, room};
            assert_int_equal(weir_ws_send(&e.ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, weir_cstr("abc")),
                             WEIR_ERR_SPACE);
            assert_int_equal(out.len, room);
        }
        weir_out out = {e.wire, size};
        assert_int_equal(weir_ws_send(&e.ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, weir_cstr("abc")), 0);
        size_t header_len = client ? 6 : 2;
        assert_int_equal(size - out.len, header_len + 3);
        assert_int_equal(e.wire[0], 0xC2);
        assert_memory_equal(e.wire + header_len, "abc", 3);
        assert_int_equal(told.room, 3 + 4);

        /* A bound below the length has wrapped: no room is enough. */
        told.bound_factor = 0;
        told.bound_more = 2;
        out = (weir_out){e.wire, sizeof e.wire};
        assert_int_equal(weir_ws_send(&e.ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, weir_cstr("abc")),
                         WEIR_ERR_SPACE);
        told.bound_factor = 1;
        told.bound_more = 4;

        /* A bound that wraps, or leaves no room for the header, is no bound. */
        assert_true(weir_ws_send_size(&e.ws, SIZE_MAX) == SIZE_MAX);
        assert_true(weir_ws_send_size(&e.ws, SIZE_MAX - 4) == SIZE_MAX);
        assert_true(weir_ws_send_size(&e.ws, SIZE_MAX - 4 - WEIR_WS_HEADER_MAX) == SIZE_MAX);
        assert_true(weir_ws_send_size(&e.ws, SIZE_MAX - 5 - WEIR_WS_HEADER_MAX) == SIZE_MAX - 1);
    }
}

/* A server needs no entropy. */
static void test_server_without_entropy(void **state)
{
    (void)state;
    end e;
    end_prepare(&e, WEIR_WS_SERVER);
    e.ws_cfg.entropy = NULL;
    end_start(&e);
    weir_out out = {e.wire, sizeof e.wire};
    assert_int_equal(weir_ws_send(&e.ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, weir_cstr("abc")), 0);
    assert_memory_equal(e.wire,
                        "\xC2\x03"
                        "abc",
                        5);
}

/* Neither entropy that fails nor a compressor that does leaves a trace. */
static void test_failures(void **state)
{
    (void)state;
    const uint32_t whole = WEIR_WS_WHOLE | WEIR_WS_DEFLATE, first = WEIR_WS_FIRST | WEIR_WS_DEFLATE;
    end e;
    end_prepare(&e, WEIR_WS_CLIENT);
    end_start(&e);
    weir_out out = {e.wire, sizeof e.wire};
    e.broken = true;
    assert_int_equal(weir_ws_send(&e.ws, &out, whole, weir_cstr("a")), WEIR_ERR_ENTROPY);
    e.broken = false;
    told.fail_deflate = true;
    assert_int_equal(weir_ws_send(&e.ws, &out, whole, weir_cstr("b")), WEIR_ERR_STATE);
    assert_int_equal(weir_ws_send(&e.ws, &out, first, weir_cstr("c")), WEIR_ERR_STATE);
    assert_int_equal(out.len, sizeof e.wire);
    assert_int_equal(weir_ws_send(&e.ws, &out, WEIR_WS_FIRST, weir_cstr("d")), 0);
    assert_int_equal(weir_ws_send(&e.ws, &out, WEIR_WS_LAST, weir_cstr("e")), 0);
    told.fail_deflate = false;
    assert_int_equal(weir_ws_send(&e.ws, &out, first, weir_cstr("f")), 0);
    told.fail_deflate = true;
    assert_int_equal(weir_ws_send(&e.ws, &out, WEIR_WS_LAST, weir_cstr("g")), WEIR_ERR_STATE);
    told.fail_deflate = false;
    uint8_t header[WEIR_WS_HEADER_MAX]; /* the message is still a compressed one */
    size_t header_len;
    assert_int_equal(weir_ws_begin(&e.ws, WEIR_WS_LAST, 1, header, &header_len), WEIR_ERR_STATE);
    assert_int_equal(weir_ws_send(&e.ws, &out, WEIR_WS_LAST, weir_cstr("h")), 0);
    assert_memory_equal(e.wire,
                        "\x02\x81\0\0\0\0d\x80\x81\0\0\0\0e"
                        "\x42\x85\0\0\0\0f\0\0\xFF\xFF\x80\x81\0\0\0\0h",
                        sizeof e.wire - out.len);
    assert_int_equal(sizeof e.wire - out.len, 7 + 7 + 11 + 7);
}

/* A compressor that fails forgets nothing, whatever was agreed on. */
static void test_failure_at_the_end(void **state)
{
    (void)state;
    end e;
    end_prepare(&e, WEIR_WS_SERVER);
    e.cfg.params.server_no_takeover = true;
    end_start(&e);
    weir_out out = {e.wire, sizeof e.wire};
    told.fail_deflate = true;
    assert_int_equal(weir_ws_send(&e.ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, weir_cstr("a")),
                     WEIR_ERR_STATE);
    assert_int_equal(told.deflate_resets, 0);
    told.fail_deflate = false;
    assert_int_equal(weir_ws_send(&e.ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, weir_cstr("a")), 0);
    assert_int_equal(told.deflate_resets, 1);
}

/* Below the threshold a message goes plain. Of one that only begins nobody knows whether it is. */
static void test_threshold(void **state)
{
    (void)state;
    static const struct {
        uint32_t flags;
        size_t len;
        uint8_t first;
    } rows[] = {{WEIR_WS_WHOLE, 9, 0x82}, {WEIR_WS_WHOLE, 10, 0xC2}, {WEIR_WS_WHOLE, 11, 0xC2},
                {WEIR_WS_FIRST, 0, 0x42}, {WEIR_WS_FIRST, 9, 0x42},  {WEIR_WS_FIRST, 11, 0x42}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        end e;
        end_prepare(&e, WEIR_WS_SERVER);
        e.cfg.threshold = 10;
        end_start(&e);
        weir_out out = {e.wire, sizeof e.wire};
        assert_int_equal(weir_ws_send(&e.ws, &out, rows[i].flags | WEIR_WS_DEFLATE, filled('x', rows[i].len)),
                         0);
        assert_int_equal(e.wire[0], rows[i].first);
    }
}

/* Inside a compressed message a frame cannot be begun by hand: its payload would not be compressed. */
static void test_no_frame_by_hand(void **state)
{
    (void)state;
    end e;
    uint8_t header[WEIR_WS_HEADER_MAX];
    size_t header_len = 99;
    end_prepare(&e, WEIR_WS_SERVER);
    end_start(&e);
    weir_out out = {e.wire, sizeof e.wire};
    assert_int_equal(weir_ws_send(&e.ws, &out, WEIR_WS_FIRST | WEIR_WS_DEFLATE, weir_cstr("a")), 0);
    assert_int_equal(weir_ws_begin(&e.ws, WEIR_WS_LAST, 1, header, &header_len), WEIR_ERR_STATE);
    assert_int_equal(header_len, 0);
    assert_int_equal(weir_ws_begin(&e.ws, 1u << 31, 1, header, &header_len), WEIR_ERR_ARG);
    assert_int_equal(weir_ws_send(&e.ws, &out, WEIR_WS_LAST, weir_cstr("b")), 0);
    assert_int_equal(weir_ws_begin(&e.ws, WEIR_WS_WHOLE, 1, header, &header_len), 0);
    assert_int_equal(header_len, 2);
}

/* Who agreed to keep no window forgets it behind each message, on either side. */
static void test_windows_are_forgotten(void **state)
{
    (void)state;
    for (int forget = 0; forget < 2; forget++) {
        end e;
        uint8_t got[16];
        size_t len;
        end_prepare(&e, WEIR_WS_CLIENT);
        e.cfg.params.client_no_takeover = forget != 0;
        e.cfg.params.server_no_takeover = forget == 0;
        end_start(&e);
        weir_out out = {e.wire, sizeof e.wire};
        assert_int_equal(weir_ws_send(&e.ws, &out, WEIR_WS_FIRST | WEIR_WS_DEFLATE, weir_cstr("a")), 0);
        assert_int_equal(told.deflate_resets, 0);
        assert_int_equal(weir_ws_send(&e.ws, &out, WEIR_WS_LAST, weir_cstr("b")), 0);
        assert_int_equal(told.deflate_resets, forget);
        assert_int_equal(end_hear(&e, 0x41, weir_cstr("a"), 1000, got, &len), 0);
        assert_int_equal(told.inflate_resets, 0);
        assert_int_equal(end_hear(&e, 0x80, weir_cstr("b"), 1000, got, &len), 0);
        assert_int_equal(told.inflate_resets, !forget);
        assert_int_equal(told.ends, 1);
    }
}

/* ---- Frames as long as the room ----------------------------------------------------------------------- */

/* A bound that grows faster than the length: the first guess is too long, and half of it may be as well. */
static void test_parts_of_a_steep_bound(void **state)
{
    (void)state;
    end e;
    end_prepare(&e, WEIR_WS_SERVER);
    end_start(&e);
    told.bound_factor = 5;
    const size_t fixed = WEIR_WS_HEADER_MAX + 4;
    static const struct {
        size_t room, sent; /* beside `fixed`; of 100 bytes */
    } rows[] = {{4, 0},  {5, 1},    {9, 1},    {19, 2},   {20, 2},
                {24, 3}, {100, 12}, {249, 25}, {250, 50}, {500, 100}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t flags = WEIR_WS_WHOLE | WEIR_WS_DEFLATE;
        weir_str data = filled('x', 100);
        weir_out out = {e.wire, fixed + rows[i].room};
        end_start(&e);
        int rv = weir_ws_send_part(&e.ws, &out, &flags, &data, SIZE_MAX);
        assert_int_equal(rv, rows[i].sent == 0 ? WEIR_ERR_SPACE : rows[i].sent < 100 ? 1 : 0);
        assert_int_equal(data.len, 100 - rows[i].sent);
    }
}

/* ---- Prepared messages -------------------------------------------------------------------------------- */

static void test_prepare_packed(void **state)
{
    (void)state;
    weir_deflate_backend backend = told_backend();
    uint8_t wire[400], mem[64];
    weir_str data = weir_cstr("abc");
    weir_out out = {wire, sizeof wire};
    assert_int_equal(weir_ws_prepare_packed(&out, WEIR_WS_LAST, data, &backend, mem, 64, 15), WEIR_ERR_ARG);
    assert_int_equal(weir_ws_prepare_packed(&out, 0, data, &backend, mem, 64, 8), WEIR_ERR_ARG);
    assert_int_equal(weir_ws_prepare_packed(&out, 0, data, &backend, mem, 64, 16), WEIR_ERR_ARG);
    told.fail_init = true;
    assert_int_equal(weir_ws_prepare_packed(&out, 0, data, &backend, mem, 64, 15), WEIR_ERR_SPACE);
    told.fail_init = false;
    told.fail_deflate = true;
    assert_int_equal(weir_ws_prepare_packed(&out, 0, data, &backend, mem, 64, 15), WEIR_ERR_SPACE);
    told.fail_deflate = false;
    assert_int_equal(out.len, sizeof wire);
    for (size_t room = 0; room < 10 + 3 + 4; room++) {
        out = (weir_out){wire, room};
        assert_int_equal(weir_ws_prepare_packed(&out, 0, data, &backend, mem, 64, 9), WEIR_ERR_SPACE);
        assert_int_equal(out.len, room);
    }
    out = (weir_out){wire, 10 + 3 + 4};
    assert_int_equal(weir_ws_prepare_packed(&out, WEIR_WS_TEXT, data, &backend, mem, 64, 9), 0);
    assert_int_equal(told.bits, 9);
    assert_int_equal(told.mem_level, 8);
    assert_int_equal(told.level, 6);
    assert_int_equal(out.len, 10 + 4 - 2);
    assert_ptr_equal(out.ptr, wire + 5);
    assert_memory_equal(wire,
                        "\xC1\x03"
                        "abc",
                        5);
    out = (weir_out){wire, sizeof wire};
    assert_int_equal(weir_ws_prepare_packed(&out, 0, filled('y', 300), &backend, mem, 64, 15), 0);
    assert_int_equal(sizeof wire - out.len, 304);
    assert_memory_equal(wire, "\xC2\x7E\x01\x2Cyyy", 7);
    assert_int_equal(wire[303], 'y');
}

/* The room is that of the frame, exactly, at each border of the header's length. */
static void test_prepare_plain(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 125, 126, 127, 300};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        uint8_t wire[400];
        size_t size = lens[i] + (lens[i] < 126 ? 2 : 4);
        for (size_t room = 0; room <= size; room++) {
            weir_out out = {wire, room};
            int rv = weir_ws_prepare(&out, i % 2 != 0 ? WEIR_WS_TEXT : 0, filled('y', lens[i]));
            assert_int_equal(rv, room < size ? WEIR_ERR_SPACE : 0);
            assert_int_equal(out.len, room < size ? room : 0);
        }
        assert_int_equal(wire[0], i % 2 != 0 ? 0x81 : 0x82);
        assert_int_equal(wire[1], lens[i] < 126 ? lens[i] : 126);
        assert_true(lens[i] == 0 || wire[size - 1] == 'y');
    }
}

/* The packed form is for who agreed on a window at least as large; its own compressor, if there is one, then
 * forgets what the peer no longer has. */
static void test_send_prepared(void **state)
{
    (void)state;
    end e;
    weir_str bytes;
    weir_ws_prepared prepared = {weir_cstr("plain"), weir_cstr("packed"), 12};
    end_prepare(&e, WEIR_WS_SERVER);
    e.cfg.params.server_bits = 12;
    end_start(&e);
    assert_int_equal(weir_ws_send_prepared(&e.ws, &prepared, &bytes), 0);
    assert_str(bytes, "packed");
    assert_int_equal(told.deflate_resets, 0); /* there is nothing to forget yet, */
    for (int i = 0; i < 3; i++) {
        weir_out out = {e.wire, sizeof e.wire};
        if (i != 2)
            assert_int_equal(weir_ws_send(&e.ws, &out, WEIR_WS_WHOLE | WEIR_WS_DEFLATE, weir_cstr("own")), 0);
        assert_int_equal(weir_ws_send_prepared(&e.ws, &prepared, &bytes), 0);
        assert_str(bytes, "packed");
        assert_int_equal(told.deflate_resets, i == 0 ? 1 : 2); /* and later only what is new */
    }
    told.deflate_resets = 1;
    prepared.packed_bits = 13;
    assert_int_equal(weir_ws_send_prepared(&e.ws, &prepared, &bytes), 0);
    assert_str(bytes, "plain");
    prepared.packed_bits = 9;
    prepared.packed.ptr = NULL;
    assert_int_equal(weir_ws_send_prepared(&e.ws, &prepared, &bytes), 0);
    assert_str(bytes, "plain");
    assert_int_equal(told.deflate_resets, 1);

    prepared.packed = weir_cstr("packed");
    e.cfg.deflate_mem = NULL;
    end_start(&e);
    assert_int_equal(weir_ws_send_prepared(&e.ws, &prepared, &bytes), 0);
    assert_str(bytes, "packed");
    assert_int_equal(told.deflate_resets, 1);

    e.ws_cfg.deflate = NULL;
    end_start(&e);
    assert_int_equal(weir_ws_send_prepared(&e.ws, &prepared, &bytes), 0);
    assert_str(bytes, "plain");
    assert_int_equal(weir_ws_close(&e.ws, 1000, weir_cstr("")), 0);
    assert_int_equal(weir_ws_send_prepared(&e.ws, &prepared, &bytes), WEIR_ERR_STATE);
    assert_absent(bytes);
}

/* What the struct held before set-up does not matter. */
static void test_set_up_over_anything(void **state)
{
    (void)state;
    for (int packs = 0; packs < 2; packs++) {
        end e;
        weir_str bytes;
        weir_ws_prepared prepared = {weir_cstr("plain"), weir_cstr("packed"), 9};
        end_prepare(&e, WEIR_WS_SERVER);
        e.cfg.deflate_mem = packs != 0 ? e.memory[1] : NULL;
        memset(&e.deflate, 0x01, sizeof e.deflate);
        end_start(&e);
        assert_int_equal(weir_ws_send_size(&e.ws, 3), 3 + WEIR_WS_HEADER_MAX + (packs != 0 ? 4 : 0));
        assert_int_equal(weir_ws_send_prepared(&e.ws, &prepared, &bytes), 0);
        assert_str(bytes, "packed");
        assert_int_equal(told.deflate_resets, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_set_up_over_anything),
        cmocka_unit_test(test_server_without_entropy),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_failure_at_the_end),
        cmocka_unit_test(test_threshold),
        cmocka_unit_test(test_no_frame_by_hand),
        cmocka_unit_test(test_windows_are_forgotten),
        cmocka_unit_test(test_parts_of_a_steep_bound),
        cmocka_unit_test(test_prepare_packed),
        cmocka_unit_test(test_prepare_plain),
        cmocka_unit_test(test_send_prepared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
