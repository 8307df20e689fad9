/* SPDX-License-Identifier: MIT */
/* fuzz_ws.c - a WebSocket connection in both roles: any cut gives the same events, errors, replies. */
#include "fuzz.h"

typedef struct machine {
    weir_ws ws;
    weir_entropy entropy;
    fuzz_digest digest;
    uint32_t calls;
} machine;

/* The same keys in every run, or the replies could not be compared. */
static int fill(void *user, uint8_t *dst, size_t len)
{
    (void)user;
    for (size_t i = 0; i < len; i++)
        dst[i] = (uint8_t)(i * 7 + 1);
    return 0;
}

static void drain(machine *m)
{
    uint8_t bytes[WEIR_WS_OUT_MAX];
    weir_out out = {bytes, sizeof bytes};
    FUZZ_REQUIRE(weir_ws_out_put(&m->ws, &out) == 0);
    fuzz_bytes(&m->digest, bytes, sizeof bytes - out.len);
}

static bool feed(void *self, uint8_t *bytes, size_t len)
{
    machine *m = self;
    weir_in in = {bytes, len};
    weir_ws_event ev;
    int rv;
    while ((rv = weir_ws_next(&m->ws, &in, &ev)) > 0) {
        FUZZ_REQUIRE(rv == (int)ev.kind && ev.data.len <= len + 125);
        if (rv == WEIR_WS_DATA) {
            FUZZ_REQUIRE(ev.data.len != 0 || (ev.flags & WEIR_WS_LAST) != 0);
            if ((ev.flags & WEIR_WS_FIRST) != 0)
                fuzz_number(&m->digest, ev.flags & (WEIR_WS_FIRST | WEIR_WS_TEXT));
            fuzz_bytes(&m->digest, ev.data.ptr, ev.data.len);
            if ((ev.flags & WEIR_WS_LAST) != 0)
                fuzz_number(&m->digest, WEIR_WS_LAST);
        } else {
            fuzz_number(&m->digest, (uint64_t)rv << 16 | ev.code);
            fuzz_bytes(&m->digest, ev.data.ptr, ev.data.len);
        }
        drain(m);
    }
    FUZZ_REQUIRE(rv < 0 || in.len == 0);
    drain(m);
    return rv == 0;
}

static uint64_t run(const uint8_t *data, size_t size, uint8_t options, uint32_t seed)
{
    machine m;
    weir_ws_cfg cfg;
    weir_ws_event ev;
    uint64_t offset;
    memset(&m, 0, sizeof m);
    weir_entropy_init(&m.entropy, fill, NULL);
    weir_ws_cfg_init(&cfg, (options & 1) != 0 ? WEIR_WS_CLIENT : WEIR_WS_SERVER);
    cfg.entropy = &m.entropy;
    cfg.flags = (options >> 1) & 3;
    cfg.max_frame = (options & 8) != 0 ? 300 : cfg.max_frame;
    cfg.max_message = (options & 16) != 0 ? 400 : cfg.max_message;
    cfg.max_fragments = (options & 32) != 0 ? 3 : cfg.max_fragments;
    cfg.max_controls = (options & 64) != 0 ? 3 : 0;
    FUZZ_REQUIRE(weir_ws_init(&m.ws, &cfg) == 0);
    if ((options & 128) != 0)
        FUZZ_REQUIRE(weir_ws_close(&m.ws, 1000, weir_cstr("bye")) == 0);
    drain(&m);
    fuzz_feed(data, size, seed, feed, &m);
    fuzz_number(&m.digest, (uint64_t)(int64_t)weir_ws_error(&m.ws, &offset));
    fuzz_number(&m.digest, offset);
    FUZZ_REQUIRE(weir_ws_eof(&m.ws, &ev) == WEIR_WS_END && weir_ws_eof(&m.ws, &ev) == 0);
    fuzz_number(&m.digest, ev.code);
    fuzz_number(&m.digest, (uint64_t)weir_ws_transport(&m.ws));
    return m.digest.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    uint64_t whole = run(data + 2, size - 2, data[0], 0);
    FUZZ_REQUIRE(run(data + 2, size - 2, data[0], 1u + data[1]) == whole);
    return 0;
}
