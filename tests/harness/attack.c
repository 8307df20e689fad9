/* SPDX-License-Identifier: MIT */
/* attack.c - a connection under attack: what comes in, what it costs, what goes out. */
#include "attack.h"

#include "check.h"
#include "harness.h"

/* Keys that are easy to tell from zeros. */
static int victim_fill(void *user, uint8_t *dst, size_t len)
{
    uint32_t *keys = user;
    for (size_t i = 0; i < len; i++)
        dst[i] = (uint8_t)(++*keys * 59u | 1u);
    return 0;
}

weir_ws_cfg victim_cfg(bool client)
{
    weir_ws_cfg cfg;
    weir_ws_cfg_init(&cfg, client ? WEIR_WS_CLIENT : WEIR_WS_SERVER);
    return cfg;
}

void victim_start(victim *v, const weir_ws_cfg *cfg)
{
    weir_ws_cfg own = *cfg;
    memset(v, 0, sizeof *v);
    v->client = cfg->role == WEIR_WS_CLIENT;
    assert_int_equal(weir_entropy_init(&v->entropy, victim_fill, &v->keys), 0);
    own.entropy = &v->entropy;
    v->ws = (weir_ws *)(void *)guard_copy(NULL, sizeof *v->ws, false);
    memset(v->ws, 0xDD, sizeof *v->ws);
    assert_int_equal(weir_ws_init(v->ws, &own), 0);
    v->arena = guard_copy(NULL, VICTIM_ARENA, false);
}

void victim_init(victim *v, bool client)
{
    weir_ws_cfg cfg = victim_cfg(client);
    victim_start(v, &cfg);
}

void victim_free(victim *v)
{
    guard_free((uint8_t *)v->ws);
    guard_free(v->arena);
}

int victim_hear(victim *v, const void *bytes, size_t len)
{
    assert_true(len <= VICTIM_ARENA);
    uint8_t *copy = v->arena + (VICTIM_ARENA - len);
    if (len != 0)
        memcpy(copy, bytes, len);
    weir_in in = {copy, len};
    weir_ws_event ev;
    uint64_t before = v->payload;
    int rv;
    v->fed += len;
    do {
        size_t left = in.len;
        rv = weir_ws_next(v->ws, &in, &ev);
        v->calls++;
        v->events += rv > 0;
        assert_true(in.len <= left && in.ptr == copy + (len - in.len));
        assert_true(rv <= 0 || in.len < left);
        if (rv == WEIR_WS_DATA)
            v->payload += ev.data.len;
        size_t waits = weir_ws_out(v->ws).len;
        v->most_out = waits > v->most_out ? waits : v->most_out;
        if (!v->stalled)
            weir_ws_out_ack(v->ws, SIZE_MAX);
    } while (rv > 0);
    assert_true(rv < 0 || in.len == 0);
    assert_true(v->payload - before <= len);
    memset(copy, 0xDD, len);
    return rv;
}

int victim_hear_bytewise(victim *v, const void *bytes, size_t len)
{
    int rv = 0;
    for (size_t i = 0; i < len && rv == 0; i++)
        rv = victim_hear(v, (const uint8_t *)bytes + i, 1);
    return rv;
}

static size_t header_put(const victim *v, uint8_t *dst, uint8_t first, uint64_t len, size_t length_bytes)
{
    size_t size = 2 + length_bytes;
    dst[0] = first;
    dst[1] = (uint8_t)((v->client ? 0 : 0x80) | (length_bytes == 8 ? 127 : length_bytes == 2 ? 126 : len));
    for (size_t i = 0; i < length_bytes; i++)
        dst[2 + i] = (uint8_t)(len >> (8 * (length_bytes - 1 - i)));
    if (!v->client)
        memset(dst + size, 0, 4);
    return size + (v->client ? 0 : 4);
}

size_t victim_header(const victim *v, uint8_t *dst, uint8_t first, uint64_t len)
{
    return header_put(v, dst, first, len, len < 126 ? 0 : len <= UINT16_MAX ? 2 : 8);
}

size_t victim_header64(const victim *v, uint8_t *dst, uint8_t first, uint64_t len)
{
    return header_put(v, dst, first, len, 8);
}

int victim_frame(victim *v, uint8_t first, const void *payload, size_t len)
{
    static uint8_t frame[VICTIM_ARENA];
    assert_true(len <= sizeof frame - WEIR_WS_HEADER_MAX);
    size_t size = victim_header(v, frame, first, len);
    if (len != 0)
        memcpy(frame + size, payload, len);
    return victim_hear(v, frame, size + len);
}

void victim_expect_close(victim *v, unsigned code)
{
    weir_str out = weir_ws_out(v->ws);
    size_t key = v->client ? 4 : 0;
    assert_true(v->stalled && out.len >= 4 + key);
    assert_int_equal(out.ptr[0], 0x88);
    assert_int_equal(out.ptr[1] >> 7, v->client);
    assert_int_equal(out.len, 2 + key + (out.ptr[1] & 0x7F));
    const uint8_t *payload = out.ptr + 2 + key;
    unsigned high = payload[0] ^ (v->client ? out.ptr[2] : 0u);
    unsigned low = payload[1] ^ (v->client ? out.ptr[3] : 0u);
    assert_int_equal(high << 8 | low, code);
}
