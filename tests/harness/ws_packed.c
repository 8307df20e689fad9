/* SPDX-License-Identifier: MIT */
/* ws_packed.c - a connection with compression, what it has received, and a backend that counts. */
#include "ws_packed.h"

#include "check.h"
#include "harness.h"

#include <stdlib.h>

const weir_deflate_params packed_all_15 = {15, 15, false, false, false, false};

static int packed_fill(void *user, uint8_t *dst, size_t len)
{
    uint32_t *random = user;
    for (size_t i = 0; i < len; i++) {
        *random = *random * 1664525u + 1013904223u;
        dst[i] = (uint8_t)(*random >> 24);
    }
    return 0;
}

void packed_unmap(packed_side *s)
{
    if (s->inflate_mem == NULL)
        return;
    guard_free(s->inflate_mem);
    guard_free(s->deflate_mem);
    guard_free(s->scratch);
    s->inflate_mem = s->deflate_mem = s->scratch = NULL;
}

/* Memory for a backend is aligned as malloc's, so that it may end up to 15 bytes before the unmapped page.
 * What is there already is taken again if it has the size. */
static void packed_memory(packed_side *s, size_t inflate_len, size_t deflate_len)
{
    if (s->inflate_mem != NULL && s->inflate_len == inflate_len && s->deflate_len == deflate_len)
        return;
    packed_unmap(s);
    s->inflate_len = inflate_len;
    s->deflate_len = deflate_len;
    s->inflate_mem = guard_copy(NULL, (inflate_len + 15) / 16 * 16, false);
    s->deflate_mem = guard_copy(NULL, (deflate_len + 15) / 16 * 16, false);
    s->scratch = guard_copy(NULL, PACKED_SCRATCH, false);
}

void packed_start(packed_side *s)
{
    weir_ws_cfg cfg;
    weir_deflate_cfg dc;
    size_t inflate_len, deflate_len;
    memset(&dc, 0, sizeof dc);
    dc.backend = s->backend;
    dc.params = s->params;
    dc.role = s->role;
    dc.max_ratio = s->max_ratio;
    dc.threshold = s->threshold;
    dc.mem_level = s->mem_level;
    dc.level = s->level;
    weir_deflate_memory(&dc, &inflate_len, &deflate_len);
    packed_memory(s, inflate_len, deflate_len);
    dc.scratch = s->scratch;
    dc.scratch_len = PACKED_SCRATCH;
    dc.inflate_mem = s->inflate_mem;
    dc.inflate_len = inflate_len;
    dc.deflate_mem = s->deflate_mem;
    dc.deflate_len = deflate_len;
    assert_int_equal(weir_deflate_init(&s->deflate, &dc), 0);
    s->random = 1;
    assert_int_equal(weir_entropy_init(&s->entropy, packed_fill, &s->random), 0);
    weir_ws_cfg_init(&cfg, s->role);
    cfg.entropy = &s->entropy;
    cfg.deflate = &s->deflate;
    cfg.max_message = s->max_message;
    cfg.max_fragments = s->max_fragments != 0 ? s->max_fragments : cfg.max_fragments;
    assert_int_equal(weir_ws_init(&s->ws, &cfg), 0);
    free(s->got);
    s->got = s->count_only ? NULL : malloc((size_t)s->max_message + 1);
    s->got_len = 0;
    s->messages = 0;
}

packed_side *packed_new(const weir_deflate_backend *backend, weir_ws_role role, weir_deflate_params params,
                        uint64_t max_message)
{
    packed_side *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->backend = backend;
    s->role = role;
    s->params = params;
    s->max_message = max_message;
    packed_start(s);
    return s;
}

void packed_delete(packed_side *s)
{
    packed_unmap(s);
    free(s->got);
    free(s);
}

static void packed_take(packed_side *s, const weir_ws_event *ev)
{
    if ((ev->flags & WEIR_WS_FIRST) != 0)
        s->got_len = 0;
    assert_true(s->got_len + ev->data.len <= s->max_message);
    if (ev->data.len != 0 && !s->count_only)
        memcpy(s->got + s->got_len, ev->data.ptr, ev->data.len);
    s->got_len += ev->data.len;
    s->got_flags = ev->flags;
    s->messages += (ev->flags & WEIR_WS_LAST) != 0;
}

int packed_feed(packed_side *s, const uint8_t *bytes, size_t len, size_t step)
{
    int rv = 0;
    for (size_t at = 0; at < len && rv == 0; at += step) {
        size_t n = len - at < step ? len - at : step;
        uint8_t *piece = guard_copy(bytes + at, n, false);
        weir_in in = {piece, n};
        weir_ws_event ev;
        while ((rv = weir_ws_next(&s->ws, &in, &ev)) > 0)
            if (rv == WEIR_WS_DATA)
                packed_take(s, &ev);
        guard_free(piece);
    }
    return rv;
}

int packed_frame(packed_side *s, uint8_t first, const void *payload, size_t len, size_t step)
{
    uint8_t *frame = malloc(WEIR_WS_HEADER_MAX + len);
    size_t length_bytes = len < 126 ? 0 : len <= UINT16_MAX ? 2 : 8, size = 2 + length_bytes;
    bool masked = s->role == WEIR_WS_SERVER;
    assert_non_null(frame);
    frame[0] = first;
    frame[1] = (uint8_t)((masked ? 0x80 : 0) | (length_bytes == 8 ? 127 : length_bytes == 2 ? 126 : len));
    for (size_t i = 0; i < length_bytes; i++)
        frame[2 + i] = (uint8_t)((uint64_t)len >> (8 * (length_bytes - 1 - i)));
    memset(frame + size, 0, 4);
    size += masked ? 4 : 0;
    if (len != 0)
        memcpy(frame + size, payload, len);
    int rv = packed_feed(s, frame, size + len, step);
    free(frame);
    return rv;
}

/* ---- A backend that counts and fails ---------------------------------------------------------------- */

backend_count backend_counts;

static const weir_deflate_backend *counted_backend;

static int count_deflate(void *mem, weir_str data, weir_out *out)
{
    if (++backend_counts.deflates == backend_counts.fail_deflate)
        return -1;
    return counted_backend->deflate(mem, data, out);
}

static int count_inflate(void *mem, weir_str *packed, weir_out *out)
{
    size_t room = out->len;
    if (++backend_counts.inflates == backend_counts.fail_inflate)
        return -1;
    int rv = counted_backend->inflate(mem, packed, out);
    backend_counts.inflated += room - out->len;
    return rv;
}

static int count_end(void *mem)
{
    if (++backend_counts.ends == backend_counts.fail_end)
        return -1;
    return counted_backend->inflate_end(mem);
}

const weir_deflate_backend *backend_counting(const weir_deflate_backend *of)
{
    static weir_deflate_backend counting;
    counting = *of;
    counted_backend = of;
    counting.deflate = count_deflate;
    counting.inflate = count_inflate;
    counting.inflate_end = count_end;
    memset(&backend_counts, 0, sizeof backend_counts);
    return &counting;
}
