/* SPDX-License-Identifier: MIT */
/* frames.c - a stream of WebSocket frames read by weir under cuts, and by a slow reference. */
#include "frames.h"

#include "ws_reference.h"

/* What was reported, and what was answered. */
typedef struct told {
    const weir_ws_cfg *cfg;
    bool closing; /* our Close was sent */
    fuzz_digest events;
    fuzz_digest replies;
} told;

typedef struct machine {
    weir_ws ws;
    weir_entropy entropy;
    uint32_t random;
    told told;
} machine;

/* Borders of pieces are left out. */
static void tell(told *t, const weir_ws_event *ev)
{
    if (ev->kind == WEIR_WS_DATA) {
        if ((ev->flags & WEIR_WS_FIRST) != 0)
            fuzz_number(&t->events, 0x100 + (ev->flags & WEIR_WS_TEXT));
        fuzz_bytes(&t->events, ev->data.ptr, ev->data.len);
        if ((ev->flags & WEIR_WS_LAST) != 0)
            fuzz_number(&t->events, 0x200 + (ev->flags & WEIR_WS_TEXT));
        return;
    }
    fuzz_number(&t->events, (uint64_t)ev->kind << 16 | ev->code);
    fuzz_str(&t->events, ev->data);
}

static void tell_reply(told *t, unsigned first, weir_str payload)
{
    fuzz_number(&t->replies, first);
    fuzz_str(&t->replies, payload);
}

/* ---- weir ------------------------------------------------------------------------------------------ */

/* Takes what waits to be written apart into frames, which are control frames of this role. */
static void drain(machine *m)
{
    uint8_t bytes[WEIR_WS_OUT_MAX];
    weir_out out = {bytes, sizeof bytes};
    bool masked = m->told.cfg->role == WEIR_WS_CLIENT;
    FUZZ_REQUIRE(weir_ws_out_put(&m->ws, &out) == 0);
    for (uint8_t *p = bytes; p < out.ptr;) {
        size_t len = p[1] & 0x7F;
        uint8_t *payload = p + (masked ? 6 : 2);
        FUZZ_REQUIRE(len <= 125 && (p[1] >> 7 != 0) == masked && payload + len <= out.ptr);
        for (size_t i = 0; masked && i < len; i++)
            payload[i] ^= p[2 + i % 4];
        tell_reply(&m->told, p[0], (weir_str){payload, len});
        p = payload + len;
    }
}

static bool feed(void *self, uint8_t *bytes, size_t len)
{
    machine *m = self;
    weir_in in = {bytes, len};
    weir_ws_event ev;
    int rv;
    while ((rv = weir_ws_next(&m->ws, &in, &ev)) > 0) {
        FUZZ_REQUIRE(rv == (int)ev.kind && in.ptr - bytes + (ptrdiff_t)in.len == (ptrdiff_t)len);
        if (rv == WEIR_WS_DATA) {
            FUZZ_REQUIRE(ev.data.len != 0 || (ev.flags & WEIR_WS_LAST) != 0);
            FUZZ_REQUIRE(ev.data.len == 0 || (ev.data.ptr >= bytes && ev.data.ptr + ev.data.len <= in.ptr));
        } else {
            FUZZ_REQUIRE(ev.data.len <= 125);
        }
        tell(&m->told, &ev);
        drain(m);
        memset(bytes, 0xDD, (size_t)(in.ptr - bytes));
    }
    FUZZ_REQUIRE(rv < 0 || in.len == 0);
    FUZZ_REQUIRE(rv == WEIR_OK || weir_err_lookup(rv)->close_code != 0);
    drain(m);
    return rv == 0;
}

static void finish(machine *m, bool closes)
{
    uint64_t offset;
    weir_ws_event ev;
    weir_ws_closing closing;
    int err = weir_ws_error(&m->ws, &offset);
    fuzz_error(&m->told.events, err);
    fuzz_number(&m->told.events, offset);
    weir_ws_closing_read(&m->ws, &closing);
    bool came = closing.received != 0;
    FUZZ_REQUIRE(closing.clean == (came && err == 0));
    FUZZ_REQUIRE(closing.first == (closes ? WEIR_WS_LOCAL : came ? WEIR_WS_PEER : closing.first));
    FUZZ_REQUIRE((closing.sent != 0) == (closes || came || err != 0));
    weir_ws_todo todo = weir_ws_transport(&m->ws);
    FUZZ_REQUIRE(err == 0 || todo == WEIR_WS_SHUTDOWN_WRITE);
    FUZZ_REQUIRE(err != 0 || came || todo == (closes ? WEIR_WS_WAIT_PEER : WEIR_WS_CARRY_ON));
    FUZZ_REQUIRE(weir_ws_eof(&m->ws, &ev) == WEIR_WS_END && ev.code == (came ? closing.received : 1006));
    FUZZ_REQUIRE(weir_ws_eof(&m->ws, &ev) == 0 && weir_ws_transport(&m->ws) == WEIR_WS_CLOSE_NOW);
}

static void run(const weir_ws_cfg *given, bool closes, weir_str stream, uint32_t cuts, machine *m)
{
    weir_ws_cfg cfg = *given;
    memset(m, 0, sizeof *m);
    FUZZ_REQUIRE(weir_entropy_init(&m->entropy, fuzz_fill, &m->random) == 0);
    cfg.entropy = cfg.role == WEIR_WS_CLIENT ? &m->entropy : NULL;
    m->told.cfg = given;
    FUZZ_REQUIRE(weir_ws_init(&m->ws, &cfg) == 0);
    if (closes)
        FUZZ_REQUIRE(weir_ws_close(&m->ws, 1000, weir_cstr("bye")) == 0);
    drain(m);
    fuzz_feed(stream.ptr, stream.len, cuts, feed, m);
    finish(m, closes);
}

/* ---- The reference --------------------------------------------------------------------------------- */

static void reply_close(told *t, unsigned code, const char *reason)
{
    uint8_t payload[125] = {(uint8_t)(code >> 8), (uint8_t)code};
    size_t len = code != 1005 ? 2 + strlen(reason) : 0;
    if (t->closing)
        return;
    t->closing = true;
    memcpy(payload + 2, reason, strlen(reason));
    tell_reply(t, 0x88, (weir_str){payload, len});
}

static void hear(void *self, const weir_ws_event *ev)
{
    told *t = self;
    tell(t, ev);
    if (ev->kind == WEIR_WS_PING && (t->cfg->flags & WEIR_WS_MANUAL_PONG) == 0)
        tell_reply(t, 0x8A, ev->data);
    if (ev->kind == WEIR_WS_CLOSE)
        reply_close(t, ev->code, "");
}

static told run_reference(const weir_ws_cfg *cfg, bool closes, weir_str stream)
{
    told t = {cfg, false, {0}, {0}};
    uint64_t offset;
    if (closes)
        reply_close(&t, 1000, "bye");
    int err = ws_reference(cfg, stream.ptr, stream.len, (ws_listener){hear, &t}, &offset);
    fuzz_error(&t.events, err);
    fuzz_number(&t.events, offset);
    if (err != 0)
        reply_close(&t, weir_err_lookup(err)->close_code, weir_strerror(err));
    return t;
}

void frames_try(weir_ws_role role, const uint8_t *data, size_t size)
{
    static machine m;
    fuzz_input input = {data, size};
    uint32_t cuts = fuzz_cuts(&input);
    uint8_t options = fuzz_byte(&input);
    weir_ws_cfg cfg;
    weir_ws_cfg_init(&cfg, role);
    cfg.flags = options & (WEIR_WS_MANUAL_PONG | WEIR_WS_NO_UTF8);
    cfg.max_frame = fuzz_limit(&input, cfg.max_frame);
    cfg.max_message = fuzz_limit(&input, cfg.max_message);
    cfg.max_fragments = (uint32_t)fuzz_limit(&input, cfg.max_fragments);
    cfg.max_controls = (uint32_t)fuzz_limit(&input, 0);
    bool closes = (options & 4) != 0;

    weir_str stream = {input.at, input.left};
    told wanted = run_reference(&cfg, closes, stream);
    for (unsigned i = 0; i < 2; i++) {
        run(&cfg, closes, stream, i == 0 ? 0 : cuts != 0 ? cuts : 1, &m);
        FUZZ_REQUIRE(m.told.events.hash == wanted.events.hash);
        FUZZ_REQUIRE(m.told.replies.hash == wanted.replies.hash);
    }
}
