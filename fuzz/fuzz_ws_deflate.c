/* SPDX-License-Identifier: MIT */
/* fuzz_deflate.c - compressed messages: any cut gives the same bytes, errors and positions; what is
 * compressed comes back. Needs weir-zlib. */
#include "fuzz.h"
#include "weir/zlib.h"

typedef struct machine {
    weir_ws ws;
    weir_deflate deflate;
    fuzz_digest digest;
    uint64_t total;
    uint8_t scratch[300];
    uint64_t inflate_mem[6000];
    uint64_t deflate_mem[40000];
} machine;

static machine *machine_new(uint8_t options)
{
    machine *m = calloc(1, sizeof *m);
    weir_ws_cfg cfg;
    weir_deflate_cfg dc;
    FUZZ_REQUIRE(m != NULL);
    memset(&dc, 0, sizeof dc);
    dc.backend = &weir_zlib;
    dc.role = WEIR_WS_SERVER;
    dc.params = (weir_deflate_params){(uint8_t)(9 + options % 7),
                                      (uint8_t)(9 + options % 7),
                                      (options & 8) != 0,
                                      (options & 16) != 0,
                                      false,
                                      false};
    dc.max_ratio = (options & 32) != 0 ? 3 : 0;
    dc.inflate_mem = m->inflate_mem;
    dc.inflate_len = sizeof m->inflate_mem;
    dc.deflate_mem = m->deflate_mem;
    dc.deflate_len = sizeof m->deflate_mem;
    dc.scratch = m->scratch;
    dc.scratch_len = sizeof m->scratch;
    FUZZ_REQUIRE(weir_deflate_init(&m->deflate, &dc) == 0);
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    cfg.deflate = &m->deflate;
    cfg.flags = (options & 64) != 0 ? WEIR_WS_NO_UTF8 : 0;
    cfg.max_message = (options & 128) != 0 ? 1000 : cfg.max_message;
    FUZZ_REQUIRE(weir_ws_init(&m->ws, &cfg) == 0);
    return m;
}

static bool feed(void *self, uint8_t *bytes, size_t len)
{
    machine *m = self;
    weir_in in = {bytes, len};
    weir_ws_event ev;
    int rv;
    while ((rv = weir_ws_next(&m->ws, &in, &ev)) > 0) {
        fuzz_bytes(&m->digest, ev.data.ptr, ev.data.len);
        m->total += ev.data.len;
        if (rv != WEIR_WS_DATA || (ev.flags & WEIR_WS_LAST) != 0)
            fuzz_number(&m->digest, (uint64_t)rv << 32 | (ev.flags & ~WEIR_WS_FIRST));
        weir_ws_out_ack(&m->ws, SIZE_MAX);
        if (m->total > 1 << 22)
            return false;
    }
    return rv == 0;
}

static uint64_t run(const uint8_t *data, size_t size, uint8_t options, uint32_t seed)
{
    uint64_t offset;
    machine *m = machine_new(options);
    fuzz_feed(data, size, seed, feed, m);
    fuzz_number(&m->digest, (uint64_t)(int64_t)weir_ws_error(&m->ws, &offset));
    if (m->total <= 1 << 22)
        fuzz_number(&m->digest, offset);
    uint64_t hash = m->total <= 1 << 22 ? m->digest.hash : 0;
    free(m);
    return hash;
}

/* The payload as one masked, compressed frame, so that the fuzzer need not find the header. */
static size_t frame(uint8_t *out, const uint8_t *data, size_t size)
{
    size_t n = 0;
    out[n++] = 0xC1;
    if (size < 126) {
        out[n++] = (uint8_t)(0x80 | size);
    } else {
        out[n++] = 0xFE;
        out[n++] = (uint8_t)(size >> 8);
        out[n++] = (uint8_t)size;
    }
    memset(out + n, 0, 4);
    memcpy(out + n + 4, data, size);
    return n + 4 + size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[4096];
    if (size < 3 || size > 3000)
        return 0;
    size_t len = size - 3;
    memcpy(bytes, data + 3, len);
    if ((data[2] & 1) != 0)
        len = frame(bytes, data + 3, size - 3);
    uint64_t whole = run(bytes, len, data[0], 0);
    FUZZ_REQUIRE(run(bytes, len, data[0], 1u + data[1]) == whole);
    return 0;
}
