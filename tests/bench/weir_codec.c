/* SPDX-License-Identifier: MIT */
/* weir_codec.c - weir as a contestant: a read buffer of 64 KiB, events delivered from where they lie. */
#include "websocket.h"

#include "weir/ws.h"

#include <stdlib.h>
#include <sys/random.h>

enum { READ_ROOM = 65536 };

typedef struct connection {
    weir_ws ws;
    weir_entropy entropy;
    uint8_t buf[READ_ROOM];
} connection;

int bench_entropy(void *user, uint8_t *dst, size_t len)
{
    (void)user;
    return getrandom(dst, len, 0) == (ssize_t)len ? 0 : -1;
}

static void *weir_open(bool client)
{
    connection *c = bench_alloc(sizeof *c);
    weir_ws_cfg cfg;
    weir_ws_cfg_init(&cfg, client ? WEIR_WS_CLIENT : WEIR_WS_SERVER);
    cfg.entropy = &c->entropy;
    if (weir_entropy_init(&c->entropy, bench_entropy, NULL) != 0 || weir_ws_init(&c->ws, &cfg) != 0)
        bench_fail("weir_ws_init");
    return c;
}

static void weir_decode(void *connection_, bench_source *source, bench_sink *sink)
{
    connection *c = connection_;
    weir_ws_event ev;
    size_t n;
    while ((n = bench_receive(source, c->buf, sizeof c->buf)) != 0) {
        weir_in in = {c->buf, n};
        int rv;
        while ((rv = weir_ws_next(&c->ws, &in, &ev)) > 0) {
            bench_deliver(sink, ev.data.ptr, ev.data.len);
            if ((ev.flags & WEIR_WS_LAST) != 0)
                bench_deliver_end(sink);
        }
        if (rv < 0)
            bench_fail(weir_strerror(rv));
    }
}

static size_t weir_encode(void *connection_, uint8_t *dst, size_t cap, bool text, weir_str payload)
{
    connection *c = connection_;
    weir_out out = {dst, cap};
    if (weir_ws_send(&c->ws, &out, WEIR_WS_WHOLE | (text ? WEIR_WS_TEXT : 0), payload) != 0)
        bench_fail("weir_ws_send");
    return cap - out.len;
}

static size_t weir_encode_header(void *connection_, uint8_t *dst, size_t cap, bool text, weir_str payload)
{
    connection *c = connection_;
    size_t len;
    uint8_t header[WEIR_WS_HEADER_MAX];
    if (weir_ws_begin(&c->ws, WEIR_WS_WHOLE | (text ? WEIR_WS_TEXT : 0), payload.len, header, &len) != 0 ||
        weir_ws_payload(&c->ws, NULL, payload) != 0 || len > cap)
        bench_fail("weir_ws_begin");
    memcpy(dst, header, sizeof header);
    return len;
}

const codec weir_codec = {"weir", weir_open, weir_decode, weir_encode, free};
const codec weir_header_codec = {"weir, header only", weir_open, NULL, weir_encode_header, free};
