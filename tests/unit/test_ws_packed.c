/* SPDX-License-Identifier: MIT */
/*
 * test_ws_packed.c - weir's own part in compression, over a backend that does as it is told: set-up, limits
 * after inflation, faults on both sides, prepared messages, frames as long as the room. What zlib makes of it
 * is in test_zlib.c.
 */
#include "check.h"
#include "store_backend.h"
#include "weir/ws.h"

/* ---- A backend that does as it is told ---------------------------------------------------------------- */

/* It stores as store_backend does, but each byte inflates into `swell` ones, and `bad` is corrupt. */
static struct told {
    size_t swell;
    uint8_t bad;
    bool fail_deflate;
    bool fail_init;
    size_t bound_factor, bound_more;
    unsigned bits, mem_level;
    int level;
    unsigned deflate_resets, inflate_resets, ends;
} told;

static int told_deflate_init(void *mem, size_t len, unsigned bits, unsigned mem_level, int level)
{
    (void)mem, (void)len;
    told.bits = bits;
    told.mem_level = mem_level;
    told.level = level;
    return told.fail_init ? -1 : 0;
}

static size_t told_bound(void *mem, size_t len)
{
    (void)mem;
    return len * told.bound_factor + told.bound_more;
}

static int told_deflate(void *mem, weir_str data, weir_out *out)
{
    return told.fail_deflate ? -1 : store_backend.deflate(mem, data, out);
}

static int told_inflate(void *mem, weir_str *packed, weir_out *out)
{
    (void)mem;
    while (packed->len != 0 && out->len >= told.swell) {
        uint8_t byte = *packed->ptr;
        if (byte == told.bad)
            return -1;
        memset(out->ptr, byte, told.swell);
        out->ptr += told.swell;
        out->len -= told.swell;
        packed->ptr++;
        packed->len--;
    }
    if (packed->len != 0 && *packed->ptr == told.bad) /* seen with the room used up, as zlib may */
        return -1;
    if (packed->len != 0) { /* the rest of the room holds a part of what the next byte becomes */
        memset(out->ptr, *packed->ptr, out->len);
        out->ptr += out->len;
        out->len = 0;
    }
    return 0;
}

static int told_end(void *mem)
{
    (void)mem;
    told.ends++;
    return 0;
}

static void told_deflate_reset(void *mem)
{
    (void)mem;
    told.deflate_resets++;
}

static void told_inflate_reset(void *mem)
{
    (void)mem;
    told.inflate_resets++;
}

static weir_deflate_backend told_backend(void)
{
    weir_deflate_backend backend = store_backend;
    memset(&told, 0, sizeof told);
    told.swell = 1;
    told.bad = 0xEE;
    told.bound_factor = 1;
    told.bound_more = 4;
    backend.deflate_init = told_deflate_init;
    backend.deflate_bound = told_bound;
    backend.deflate = told_deflate;
    backend.inflate = told_inflate;
    backend.inflate_end = told_end;
    backend.deflate_reset = told_deflate_reset;
    backend.inflate_reset = told_inflate_reset;
    return backend;
}

/* ---- A connection over it ----------------------------------------------------------------------------- */

enum { SCRATCH = 256 };

typedef struct end {
    weir_deflate_backend backend;
    weir_deflate_cfg cfg;
    weir_ws_cfg ws_cfg;
    weir_deflate deflate;
    weir_entropy entropy;
    bool broken; /* the entropy source fails */
    weir_ws ws;
    uint8_t memory[2][64];
    uint8_t scratch[SCRATCH];
    uint8_t wire[2048];
} end;

static int end_fill(void *user, uint8_t *dst, size_t len)
{
    const end *e = user;
    memset(dst, 0, len);
    return e->broken ? -1 : 0;
}

static void end_prepare(end *e, weir_ws_role role)
{
    memset(e, 0, sizeof *e);
    e->backend = told_backend();
    e->cfg.backend = &e->backend;
    e->cfg.params = (weir_deflate_params){15, 15, false, false, false, false};
    e->cfg.role = role;
    e->cfg.inflate_mem = e->memory[0];
    e->cfg.inflate_len = sizeof e->memory[0];
    e->cfg.deflate_mem = e->memory[1];
    e->cfg.deflate_len = sizeof e->memory[1];
    e->cfg.scratch = e->scratch;
    e->cfg.scratch_len = SCRATCH;
    assert_int_equal(weir_entropy_init(&e->entropy, end_fill, e), 0);
    weir_ws_cfg_init(&e->ws_cfg, role);
    e->ws_cfg.entropy = &e->entropy;
    e->ws_cfg.deflate = &e->deflate;
}

static void end_start(end *e)
{
    assert_int_equal(weir_deflate_init(&e->deflate, &e->cfg), 0);
    assert_int_equal(weir_ws_init(&e->ws, &e->ws_cfg), 0);
}

static weir_str filled(uint8_t byte, size_t len)
{
    static uint8_t bytes[1024];
    assert_true(len <= sizeof bytes);
    memset(bytes, byte, len);
    return (weir_str){bytes, len};
}

/* A client hears a frame, in pieces of `step`. Returns what the last call said; what came is in *got, and how
 * much of it in *len. */
static int end_hear(end *e, uint8_t first, weir_str payload, size_t step, uint8_t *got, size_t *len)
{
    uint8_t frame[1024];
    size_t size = payload.len < 126 ? 2 : 4, total = size + payload.len;
    int rv = 0;
    assert_true(total <= sizeof frame);
    frame[0] = first;
    frame[1] = size == 2 ? (uint8_t)payload.len : 126;
    if (size == 4) {
        frame[2] = (uint8_t)(payload.len >> 8);
        frame[3] = (uint8_t)payload.len;
    }
    memcpy(frame + size, payload.ptr, payload.len);
    *len = 0;
    for (size_t at = 0; at < total && rv >= 0; at += step) {
        weir_in in = {frame + at, total - at < step ? total - at : step};
        weir_ws_event ev;
        while ((rv = weir_ws_next(&e->ws, &in, &ev)) > 0) {
            assert_int_equal(rv, WEIR_WS_DATA);
            if (ev.data.len != 0)
                memcpy(got + *len, ev.data.ptr, ev.data.len);
            *len += ev.data.len;
        }
    }
    return rv;
}

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

/* A payload so long that its product with the ratio is beyond 64 bits: the message's limit holds alone. */
static void test_ratio_of_a_huge_frame(void **state)
{
    (void)state;
    end e;
    weir_ws_event ev;
    uint8_t frame[] = {0xC2, 127, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 'x', 'x', 'x'};
    weir_in in = {frame, sizeof frame};
    end_prepare(&e, WEIR_WS_CLIENT);
    e.ws_cfg.max_frame = UINT64_MAX;
    e.ws_cfg.max_message = 2;
    e.cfg.max_ratio = 3;
    end_start(&e);
    assert_int_equal(weir_ws_next(&e.ws, &in, &ev), WEIR_WS_DATA);
    assert_int_equal(ev.data.len, 2);
    assert_int_equal(weir_ws_next(&e.ws, &in, &ev), WEIR_ERR_WS_MESSAGE_SIZE);
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

        /* A bound that wraps, or leaves no room for the header, is no bound. */
        assert_true(weir_ws_send_size(&e.ws, SIZE_MAX) == SIZE_MAX);
        assert_true(weir_ws_send_size(&e.ws, SIZE_MAX - 4) == SIZE_MAX);
        assert_true(weir_ws_send_size(&e.ws, SIZE_MAX - 4 - WEIR_WS_HEADER_MAX) == SIZE_MAX);
        assert_true(weir_ws_send_size(&e.ws, SIZE_MAX - 5 - WEIR_WS_HEADER_MAX) == SIZE_MAX - 1);
    }
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
    assert_int_equal(told.deflate_resets, 1);
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
        cmocka_unit_test(test_room),
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
