/* SPDX-License-Identifier: MIT */
/* told_backend.c - a deflate backend that does as it is told, and a connection over it. */
#include "told_backend.h"

#include "check.h"
#include "store_backend.h"

/* ---- A backend that does as it is told ---------------------------------------------------------------- */

struct told told;

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
    told.room = out->len;
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

weir_deflate_backend told_backend(void)
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

static int end_fill(void *user, uint8_t *dst, size_t len)
{
    const end *e = user;
    memset(dst, 0, len);
    return e->broken ? -1 : 0;
}

void end_prepare(end *e, weir_ws_role role)
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

void end_start(end *e)
{
    assert_int_equal(weir_deflate_init(&e->deflate, &e->cfg), 0);
    assert_int_equal(weir_ws_init(&e->ws, &e->ws_cfg), 0);
}

weir_str filled(uint8_t byte, size_t len)
{
    static uint8_t bytes[1024];
    assert_true(len <= sizeof bytes);
    memset(bytes, byte, len);
    return (weir_str){bytes, len};
}

int end_hear(end *e, uint8_t first, weir_str payload, size_t step, uint8_t *got, size_t *len)
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
