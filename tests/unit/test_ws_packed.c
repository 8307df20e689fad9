/* SPDX-License-Identifier: MIT */
/*
 * test_ws_packed.c - weir's own part in compression, over a backend that does as it is told: set-up, limits
 * after inflation, faults of what is received. Sending is in test_ws_packed_send.c, what zlib makes of it in
 * test_zlib.c.
 */
#include "check.h"
#include "told_backend.h"

/* ---- Set-up ------------------------------------------------------------------------------------------- */

static int init_with(const end *e, const weir_deflate_cfg *cfg)
{
    weir_deflate deflate;
    (void)e;
    return weir_deflate_init(&deflate, cfg);
}

static void test_arguments(void **state)
{
    (void)state;
    end e;
    weir_deflate deflate;
    end_prepare(&e, WEIR_WS_CLIENT);
    assert_int_equal(weir_deflate_init_(&deflate, WEIR_LAYOUT_OF(deflate) - 1, &e.cfg), WEIR_ERR_LAYOUT);
    assert_int_equal(weir_deflate_init_(&deflate, WEIR_LAYOUT_OF(deflate) + 0x10000, &e.cfg),
                     WEIR_ERR_LAYOUT);
#define CHECK(member, value, wanted) \
    do { \
        weir_deflate_cfg cfg = e.cfg; \
        cfg.member = value; \
        assert_int_equal(init_with(&e, &cfg), wanted); \
    } while (0)
    CHECK(backend, NULL, WEIR_ERR_ARG);
    CHECK(role, WEIR_WS_SERVER, 0);
    CHECK(role, WEIR_WS_SERVER + WEIR_WS_CLIENT + 1, WEIR_ERR_ARG);
    CHECK(params.server_bits, 7, WEIR_ERR_ARG);
    CHECK(params.server_bits, 8, 0);
    CHECK(params.server_bits, 16, WEIR_ERR_ARG);
    CHECK(params.client_bits, 7, WEIR_ERR_ARG);
    CHECK(params.client_bits, 8, 0);
    CHECK(params.client_bits, 16, WEIR_ERR_ARG);
    CHECK(inflate_mem, NULL, WEIR_ERR_ARG);
    CHECK(scratch, NULL, WEIR_ERR_ARG);
    CHECK(scratch_len, 255, WEIR_ERR_ARG);
    CHECK(scratch_len, 256, 0);
    CHECK(mem_level, 9, 0);
    CHECK(mem_level, 10, WEIR_ERR_ARG);
    CHECK(level, -1, WEIR_ERR_ARG);
    CHECK(level, 9, 0);
    CHECK(level, 10, WEIR_ERR_ARG);
    CHECK(inflate_len, 14, WEIR_ERR_SPACE); /* store_backend wants 15 for 15 bits */
    CHECK(inflate_len, 15, 0);
#undef CHECK
    told.fail_init = true;
    assert_int_equal(init_with(&e, &e.cfg), WEIR_ERR_SPACE);
    e.cfg.deflate_mem = NULL;
    assert_int_equal(init_with(&e, &e.cfg), 0);
}

/* The backend gets the window of the right side, and the defaults for what is left open. */
static void test_what_the_backend_gets(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++) {
        end e;
        size_t inflate_len, deflate_len;
        end_prepare(&e, client ? WEIR_WS_CLIENT : WEIR_WS_SERVER);
        e.cfg.params.server_bits = client ? 9 : 12;
        e.cfg.params.client_bits = client ? 12 : 9;
        assert_int_equal(init_with(&e, &e.cfg), 0);
        assert_int_equal(told.bits, 12);
        assert_int_equal(told.mem_level, 8);
        assert_int_equal(told.level, 6);
        weir_deflate_memory(&e.cfg, &inflate_len, &deflate_len);
        assert_int_equal(inflate_len, 9);
        assert_int_equal(deflate_len, 12 + 8);
        e.cfg.mem_level = 3;
        e.cfg.level = 2;
        assert_int_equal(init_with(&e, &e.cfg), 0);
        assert_int_equal(told.mem_level, 3);
        assert_int_equal(told.level, 2);
        weir_deflate_memory(&e.cfg, &inflate_len, &deflate_len);
        assert_int_equal(deflate_len, 12 + 3);
    }
    /* A window of 8 bits is never compressed with: memory is that of 9, and there is no compressor. */
    end e;
    size_t inflate_len, deflate_len;
    end_prepare(&e, WEIR_WS_CLIENT);
    e.cfg.params.client_bits = 8;
    weir_deflate_memory(&e.cfg, &inflate_len, &deflate_len);
    assert_int_equal(inflate_len, 15);
    assert_int_equal(deflate_len, 9 + 8);
    assert_int_equal(init_with(&e, &e.cfg), 0);
    assert_int_equal(told.bits, 0);
}

/* Without memory for a compressor what is sent is plain, what is received may be packed. */
static void test_without_a_compressor(void **state)
{
    (void)state;
    end e;
    uint8_t got[16];
    size_t len;
    end_prepare(&e, WEIR_WS_CLIENT);
    e.cfg.deflate_mem = NULL;
    end_start(&e);
    assert_int_equal(weir_ws_send_size(&e.ws, 100), 100 + WEIR_WS_HEADER_MAX);
    weir_out out = {e.wire, sizeof e.wire};
    assert_int_equal(
        weir_ws_send(&e.ws, &out, WEIR_WS_WHOLE | WEIR_WS_TEXT | WEIR_WS_DEFLATE, weir_cstr("hi")), 0);
    assert_int_equal(sizeof e.wire - out.len, 8);
    assert_memory_equal(e.wire, "\x81\x82\0\0\0\0hi", 8);
    assert_int_equal(end_hear(&e, 0xC1, weir_cstr("packed"), 1000, got, &len), 0);
    assert_int_equal(len, 6);
    assert_memory_equal(got, "packed", 6);
}

/* ---- Limits and faults of what is received ------------------------------------------------------------ */

/* Feeds one frame under several cuts: `good` bytes come, then `err` at the first byte of its payload. */
static void check_received(const end *model, weir_str payload, size_t good, int err)
{
    static const size_t steps[] = {1, 2, 3, 5, 64, 1000};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        end e = *model;
        struct told before = told;
        uint8_t got[2048];
        size_t len;
        uint64_t offset;
        e.cfg.backend = &e.backend;
        e.cfg.inflate_mem = e.memory[0];
        e.cfg.deflate_mem = e.memory[1];
        e.cfg.scratch = e.scratch;
        e.ws_cfg.deflate = &e.deflate;
        end_start(&e);
        told = before;
        assert_int_equal(end_hear(&e, 0xC1, payload, steps[i], got, &len), err);
        assert_int_equal(len, good);
        for (size_t k = 0; k < len; k++)
            assert_int_equal(got[k], 'x');
        assert_int_equal(weir_ws_error(&e.ws, &offset), err);
        if (err != 0)
            assert_int_equal(offset, payload.len < 126 ? 2 : 4);
    }
}

static void test_ratio(void **state)
{
    (void)state;
    end e;
    end_prepare(&e, WEIR_WS_CLIENT);
    told.swell = 8;
    e.cfg.max_ratio = 8;
    check_received(&e, filled('x', 50), 400, 0);
    e.cfg.max_ratio = 7;
    check_received(&e, filled('x', 50), 350, WEIR_ERR_WS_RATIO);
    e.cfg.max_ratio = 1;
    check_received(&e, filled('x', 200), 200, WEIR_ERR_WS_RATIO);

    /* The message's own limit is the lower one, or as low. */
    e.cfg.max_ratio = 7;
    e.ws_cfg.max_message = 300;
    check_received(&e, filled('x', 50), 300, WEIR_ERR_WS_MESSAGE_SIZE);
    e.ws_cfg.max_message = 350;
    check_received(&e, filled('x', 50), 350, WEIR_ERR_WS_MESSAGE_SIZE);
    e.ws_cfg.max_message = 351;
    check_received(&e, filled('x', 50), 350, WEIR_ERR_WS_RATIO);
    e.ws_cfg.max_message = 0;
    check_received(&e, filled('x', 1), 0, WEIR_ERR_WS_MESSAGE_SIZE);
}

/* The ratio counts what all frames of the message announced. */
static void test_ratio_over_fragments(void **state)
{
    (void)state;
    end e;
    uint8_t got[1024];
    size_t len;
    uint64_t offset;
    end_prepare(&e, WEIR_WS_CLIENT);
    told.swell = 4;
    e.cfg.max_ratio = 3;
    end_start(&e);
    assert_int_equal(end_hear(&e, 0x41, filled('x', 0), 1000, got, &len), 0);
    told.swell = 2;
    assert_int_equal(end_hear(&e, 0x00, filled('x', 10), 1000, got, &len), 0);
    assert_int_equal(len, 20);
    told.swell = 4;
    assert_int_equal(end_hear(&e, 0x00, filled('x', 10), 1000, got, &len), 0);
    assert_int_equal(len, 40); /* 60 of at most 60 */
    assert_int_equal(end_hear(&e, 0x80, filled('x', 1), 1000, got, &len), WEIR_ERR_WS_RATIO);
    assert_int_equal(len, 3);
    assert_int_equal(weir_ws_error(&e.ws, &offset), WEIR_ERR_WS_RATIO);
    assert_int_equal(offset, 2 + 12 + 12 + 2);
}

/* A payload so long that its product with the ratio is beyond 64 bits, which would leave much of it, or 0:
 * the message's limit holds alone. */
static void test_ratio_of_a_huge_frame(void **state)
{
    (void)state;
    for (uint32_t ratio = 3; ratio <= 4; ratio++) {
        end e;
        weir_ws_event ev;
        uint8_t frame[] = {0xC2, 127, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 'x', 'x', 'x'};
        if (ratio == 4)
            memcpy(frame + 2, "\x40\0\0\0\0\0\0", 8);
        weir_in in = {frame, sizeof frame};
        end_prepare(&e, WEIR_WS_CLIENT);
        e.ws_cfg.max_frame = UINT64_MAX;
        e.ws_cfg.max_message = 2;
        e.cfg.max_ratio = ratio;
        end_start(&e);
        assert_int_equal(weir_ws_next(&e.ws, &in, &ev), WEIR_WS_DATA);
        assert_int_equal(ev.data.len, 2);
        assert_int_equal(weir_ws_next(&e.ws, &in, &ev), WEIR_ERR_WS_MESSAGE_SIZE);
    }
}

/* A compressed frame may be longer than max_frame by a quarter and 64 bytes: what cannot be compressed gets
 * longer. */
static void test_frame_size(void **state)
{
    (void)state;
    end e;
    uint8_t got[1024];
    size_t len;
    uint64_t offset;
    end_prepare(&e, WEIR_WS_CLIENT);
    e.ws_cfg.max_frame = 100;
    end_start(&e);
    assert_int_equal(end_hear(&e, 0xC1, filled('x', 189), 1000, got, &len), 0);
    assert_int_equal(len, 189);
    assert_int_equal(end_hear(&e, 0x41, filled('x', 189), 1000, got, &len), 0);
    assert_int_equal(end_hear(&e, 0x00, filled('x', 189), 1000, got, &len), 0);
    assert_int_equal(len, 189);
    assert_int_equal(end_hear(&e, 0x80, filled('x', 190), 1000, got, &len), WEIR_ERR_WS_FRAME_SIZE);
    assert_int_equal(len, 0);
    assert_int_equal(weir_ws_error(&e.ws, &offset), WEIR_ERR_WS_FRAME_SIZE);
    assert_int_equal(offset, 3 * (189 + 4) + 3);
    end_start(&e);
    assert_int_equal(end_hear(&e, 0x81, filled('x', 101), 1000, got, &len), WEIR_ERR_WS_FRAME_SIZE);
}

/* What an event leaves of the input may be given again with more behind it, however much: it is unmasked
 * already, and each byte is once. */
static void test_input_grows_between_events(void **state)
{
    (void)state;
    static const size_t steps[] = {0, 1, 2, 3, 5, 7, 16, 33, 50};
    enum { LEN = 120, STEPS = sizeof steps / sizeof *steps };
    for (size_t first = 1; first <= LEN; first += 7)
        for (size_t kind = 0; kind < STEPS * STEPS; kind++) {
            end e;
            uint8_t frame[6 + LEN] = {0xC2, 0x80 | LEN, 1, 2, 3, 4}, got[LEN * 64];
            size_t len = 0, end_of_input = 6 + first, at = 0, round = 0;
            weir_ws_event ev;
            end_prepare(&e, WEIR_WS_SERVER);
            told.swell = 64; /* four bytes fill the scratch */
            end_start(&e);
            for (size_t i = 0; i < LEN; i++)
                frame[6 + i] = (uint8_t)(i ^ frame[2 + i % 4]);
            while (len < sizeof got) {
                weir_in in = {frame + at, end_of_input - at};
                int rv = weir_ws_next(&e.ws, &in, &ev);
                assert_true(rv == WEIR_WS_DATA || (rv == 0 && in.len == 0));
                if (rv == WEIR_WS_DATA) {
                    memcpy(got + len, ev.data.ptr, ev.data.len);
                    len += ev.data.len;
                }
                at = end_of_input - in.len;
                size_t step = steps[round++ % 2 == 0 ? kind % STEPS : kind / STEPS];
                step = rv == 0 && step == 0 ? 1 : step;
                end_of_input = sizeof frame - end_of_input < step ? sizeof frame : end_of_input + step;
            }
            for (size_t i = 0; i < sizeof got; i++)
                assert_int_equal(got[i], i / 64);
        }
}

/* Of several faults in one piece the one is named that the reader of the text comes to first. */
static void test_two_faults(void **state)
{
    (void)state;
    end e;
    end_prepare(&e, WEIR_WS_CLIENT);
    check_received(&e, STR_OF("xx\xEE"), 2, WEIR_ERR_WS_DEFLATE);
    check_received(&e, STR_OF("xx\xFFx\xEE"), 2, WEIR_ERR_WS_UTF8);
    e.ws_cfg.max_message = 2;
    check_received(&e, STR_OF("xxx\xEE"), 2, WEIR_ERR_WS_MESSAGE_SIZE);
    check_received(&e, STR_OF("xx\xEE"), 2, WEIR_ERR_WS_DEFLATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_what_the_backend_gets),
        cmocka_unit_test(test_without_a_compressor),
        cmocka_unit_test(test_ratio),
        cmocka_unit_test(test_ratio_over_fragments),
        cmocka_unit_test(test_ratio_of_a_huge_frame),
        cmocka_unit_test(test_frame_size),
        cmocka_unit_test(test_input_grows_between_events),
        cmocka_unit_test(test_two_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
