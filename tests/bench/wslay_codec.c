/* SPDX-License-Identifier: MIT */
/* wslay_codec.c - libwslay as a contestant, by its event interface and by its frame interface. */
#include "websocket.h"

#include <stdlib.h>
#include <wslay/wslay.h>

/* One for both interfaces. It reads straight into wslay's own buffer. */
typedef struct connection {
    wslay_event_context_ptr events;
    wslay_frame_context_ptr frames;
    bench_source *source;
    bench_sink *sink;
    bool fin;
    bool client;
    uint8_t *dst;
    size_t cap;
    size_t keys_left;
    uint8_t keys[256];
} connection;

static ssize_t take(connection *c, uint8_t *buf, size_t len)
{
    size_t n = bench_receive(c->source, buf, len);
    return n != 0 ? (ssize_t)n : -1;
}

static ssize_t give(connection *c, const uint8_t *data, size_t len)
{
    if (len > c->cap)
        bench_fail("wslay wrote more than there is room for");
    memcpy(c->dst, data, len);
    c->dst += len;
    c->cap -= len;
    return (ssize_t)len;
}

static int key(connection *c, uint8_t *buf, size_t len)
{
    if (c->keys_left < len) {
        if (bench_entropy(NULL, c->keys, sizeof c->keys) != 0)
            return -1;
        c->keys_left = sizeof c->keys;
    }
    c->keys_left -= len;
    memcpy(buf, c->keys + c->keys_left, len);
    return 0;
}

/* ---- Events -------------------------------------------------------------------------------------- */

static ssize_t event_recv(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags, void *user)
{
    (void)flags;
    ssize_t n = take(user, buf, len);
    if (n < 0)
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
    return n;
}

static ssize_t event_send(wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags, void *user)
{
    (void)ctx, (void)flags;
    return give(user, data, len);
}

static int event_key(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, void *user)
{
    (void)ctx;
    return key(user, buf, len);
}

static void event_start(wslay_event_context_ptr ctx, const struct wslay_event_on_frame_recv_start_arg *arg,
                        void *user)
{
    connection *c = user;
    (void)ctx;
    c->fin = arg->fin != 0;
}

static void event_chunk(wslay_event_context_ptr ctx, const struct wslay_event_on_frame_recv_chunk_arg *arg,
                        void *user)
{
    connection *c = user;
    (void)ctx;
    bench_deliver(c->sink, arg->data, arg->data_length);
}

static void event_end(wslay_event_context_ptr ctx, void *user)
{
    connection *c = user;
    (void)ctx;
    if (c->fin)
        bench_deliver_end(c->sink);
}

static void *event_open(bool client)
{
    static const struct wslay_event_callbacks callbacks = {event_recv,  event_send, event_key, event_start,
                                                           event_chunk, event_end,  NULL};
    connection *c = bench_alloc(sizeof *c);
    if ((client ? wslay_event_context_client_init : wslay_event_context_server_init)(&c->events, &callbacks,
                                                                                     c) != 0)
        bench_fail("wslay_event_context_init");
    wslay_event_config_set_no_buffering(c->events, 1);
    return c;
}

static void event_decode(void *connection_, bench_source *source, bench_sink *sink)
{
    connection *c = connection_;
    c->source = source;
    c->sink = sink;
    while (source->at != source->end)
        if (wslay_event_recv(c->events) != 0 || !wslay_event_get_read_enabled(c->events))
            bench_fail("wslay_event_recv");
}

static size_t event_encode(void *connection_, uint8_t *dst, size_t cap, bool text, weir_str payload)
{
    connection *c = connection_;
    struct wslay_event_msg message = {text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, payload.ptr, payload.len};
    c->dst = dst;
    c->cap = cap;
    if (wslay_event_queue_msg(c->events, &message) != 0 || wslay_event_send(c->events) != 0)
        bench_fail("wslay_event_send");
    return cap - c->cap;
}

static void event_close(void *connection_)
{
    connection *c = connection_;
    wslay_event_context_free(c->events);
    free(c);
}

/* ---- Frames -------------------------------------------------------------------------------------- */

static ssize_t frame_recv(uint8_t *buf, size_t len, int flags, void *user)
{
    (void)flags;
    return take(user, buf, len);
}

static ssize_t frame_send(const uint8_t *data, size_t len, int flags, void *user)
{
    (void)flags;
    return give(user, data, len);
}

static int frame_key(uint8_t *buf, size_t len, void *user)
{
    return key(user, buf, len);
}

static void *frame_open(bool client)
{
    static const struct wslay_frame_callbacks callbacks = {frame_send, frame_recv, frame_key};
    connection *c = bench_alloc(sizeof *c);
    c->client = client;
    if (wslay_frame_context_init(&c->frames, &callbacks, c) != 0)
        bench_fail("wslay_frame_context_init");
    return c;
}

static void frame_decode(void *connection_, bench_source *source, bench_sink *sink)
{
    connection *c = connection_;
    struct wslay_frame_iocb frame;
    uint64_t got = 0;
    c->source = source;
    for (;;) {
        memset(&frame, 0, sizeof frame);
        if (wslay_frame_recv(c->frames, &frame) < 0) {
            if (source->at == source->end)
                return;
            continue; /* a header is not whole yet */
        }
        bench_deliver(sink, frame.data, frame.data_length);
        got += frame.data_length;
        if (got == frame.payload_length) {
            got = 0;
            if (frame.fin != 0)
                bench_deliver_end(sink);
        }
    }
}

static size_t frame_encode(void *connection_, uint8_t *dst, size_t cap, bool text, weir_str payload)
{
    connection *c = connection_;
    struct wslay_frame_iocb frame = {0};
    frame.fin = 1;
    frame.opcode = text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME;
    frame.mask = c->client;
    frame.payload_length = payload.len;
    frame.data = payload.ptr;
    frame.data_length = payload.len;
    c->dst = dst;
    c->cap = cap;
    if (wslay_frame_send(c->frames, &frame) != (ssize_t)payload.len)
        bench_fail("wslay_frame_send");
    return cap - c->cap;
}

static void frame_close(void *connection_)
{
    connection *c = connection_;
    wslay_frame_context_free(c->frames);
    free(c);
}

const codec wslay_codec = {"wslay", event_open, event_decode, event_encode, event_close};
const codec wslay_frame_codec = {"wslay, frames", frame_open, frame_decode, frame_encode, frame_close};
