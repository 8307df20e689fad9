/* SPDX-License-Identifier: MIT */
/*
 * ws_echo_server.c - a WebSocket server that sends every message back.
 *
 * This is the program to copy from: it does all that a WebSocket server has to do, and nothing else.
 * Sockets, the event loop and output queues are the adapter's (adapters/poll.h); bytes become events and
 * answers become bytes in weir; what remains is what stands here:
 *
 *   greet    The opening handshake. `weir_http_next` finds the head of the request, `weir_ws_request_read`
 *            judges it, `weir_ws_accept_write` answers 101. What is wrong is answered by
 *            `weir_http_error_reply`. The storage for the head is given back at once.
 *   talk     `weir_ws_next` turns bytes into events. A message that came in one piece is sent from where
 *            it lies; the pieces of others are collected (common/message.c), so that memory grows only
 *            with bytes that have really come; the pieces of compressed ones go back as they come, since
 *            a few bytes can become very many. After each event `weir_ws_out` (Pongs, Close) moves into
 *            the same output, so that everything leaves in its order. All answers to one read are written
 *            into one room and leave in one write.
 *   rest     Most connections of a server are silent most of the time. While nothing is under way
 *            (`weir_ws_at_rest`) a connection has no weir_ws: one that all share serves it, and only what
 *            is cut in the middle gets a copy of its own until the rest has come.
 *   follow   How a connection ends is weir's knowledge: `weir_ws_transport` says what to do with TCP.
 *   due      Deadlines are one `weir_pulse`: Pings when the peer is silent, and an end when it stays so,
 *            then five seconds for its answer to our Close.
 *
 * With --deflate it accepts permessage-deflate (common/deflate.c), and answers compressed what came
 * compressed. Memory for that is taken only for connections that agreed on it.
 *
 * A peer that sends but does not read has at most HIGH_WATER and one message queued; then nothing more
 * is read from it, and TCP makes it wait.
 */
#include "adapters/poll.h"
#include "common/buffer.h"
#include "common/deflate.h"
#include "common/message.h"
#include "common/options.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    HEAD_ROOM = 16 * 1024, /* largest request head, while the handshake runs */
    HIGH_WATER = 4 * 1024 * 1024,
    OPEN_MS = 10000,
    CLOSE_MS = 5000,
    MS_MAX = 24 * 3600 * 1000
};

static struct {
    const char *host;
    uint64_t port;
    uint64_t deflate;
    uint64_t max_message;
    uint64_t max_ratio;
    uint64_t ping_ms;
    uint64_t idle_ms;
} settings = {"127.0.0.1", 9001, 0, 16 * 1024 * 1024, 0, 30000, 60000};

/* From the first byte to the end of the handshake. */
typedef struct opening {
    weir_http http;
    uint8_t storage[HEAD_ROOM];
} opening;

/* From then on. */
typedef struct peer {
    weir_pulse pulse;
    weir_ws *ws;           /* NULL while nothing is under way */
    weir_deflate *deflate; /* NULL: not agreed on */
    buffer *message;       /* what has come of a message in several pieces */
} peer;

static const conn_handler talking;

/* ---- At rest ------------------------------------------------------------------------------------ */

static weir_ws fresh;  /* as weir_ws_init makes it, without compression */
static weir_ws shared; /* serves whoever has none, for the length of a call */

static int prepare(weir_ws *ws, weir_deflate *deflate)
{
    weir_ws_cfg cfg;
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    cfg.max_message = cfg.max_frame = settings.max_message;
    cfg.deflate = deflate;
    return weir_ws_init(ws, &cfg);
}

static weir_ws *wake(peer *p)
{
    if (p->ws != NULL)
        return p->ws;
    shared = fresh;
    return &shared;
}

/* Keeps of `ws` what must be kept. A compressed connection always keeps its own. */
static void rest(conn *c, peer *p, const weir_ws *ws)
{
    if (p->deflate != NULL)
        return;
    if (weir_ws_at_rest(ws)) {
        free(p->ws);
        p->ws = NULL;
    } else if (p->ws == NULL) {
        p->ws = malloc(sizeof *p->ws);
        if (p->ws != NULL)
            *p->ws = *ws;
        else
            conn_abort(c);
    }
}

/* ---- While open --------------------------------------------------------------------------------- */

/* Room for `need` more bytes. */
static void more_room(conn *c, weir_out *out, size_t need)
{
    if (out->len >= need)
        return;
    conn_wrote(c, *out);
    *out = conn_room(c, need);
}

/* Moves what weir itself has to say into the output. */
static void put_control(conn *c, weir_ws *ws, weir_out *out)
{
    if (weir_ws_out(ws).len == 0)
        return;
    more_room(c, out, WEIR_WS_OUT_MAX);
    weir_ws_out_put(ws, out);
}

/* One piece of a message, or all of it. */
static void send_piece(conn *c, weir_ws *ws, const weir_ws_event *ev, weir_out *out)
{
    more_room(c, out, weir_ws_send_size(ws, ev->data.len));
    weir_ws_send(ws, out, ev->flags, ev->data);
}

/* All of a message that came in several. */
static void send_message(conn *c, peer *p, weir_ws *ws, const weir_ws_event *ev, weir_out *out)
{
    if (message_frame(&p->message, ws, (ev->flags & WEIR_WS_TEXT) | WEIR_WS_WHOLE) == 0) {
        conn_wrote(c, *out);
        conn_give(c, &p->message);
        *out = (weir_out){NULL, 0};
    }
    buffer_free(&p->message); /* after our Close nothing is sent any more */
}

static void echo(conn *c, peer *p, weir_ws *ws, const weir_ws_event *ev, weir_out *out)
{
    bool whole = (ev->flags & WEIR_WS_WHOLE) == WEIR_WS_WHOLE;
    if (whole || (ev->flags & WEIR_WS_DEFLATE) != 0) {
        send_piece(c, ws, ev, out);
    } else if (!message_add(&p->message, ev->data)) {
        weir_ws_close(ws, 1011, weir_cstr("out of memory"));
        buffer_free(&p->message);
    } else if ((ev->flags & WEIR_WS_LAST) != 0) {
        send_message(c, p, ws, ev, out);
    }
}

/* What becomes of the transport, once all that is queued has been sent. */
static void follow(conn *c, peer *p, const weir_ws *ws)
{
    switch (weir_ws_transport(ws)) {
    case WEIR_WS_CARRY_ON:
        break;
    case WEIR_WS_WAIT_PEER:
        weir_pulse_closing(&p->pulse, loop_now(c->loop));
        break;
    case WEIR_WS_SHUTDOWN_WRITE:
    case WEIR_WS_CLOSE_NOW:
        conn_finish(c);
        break;
    }
    conn_deadline(c, weir_pulse_deadline(&p->pulse));
    rest(c, p, ws);
}

/* Answers are no longer than what they answer, but for compressed ones: room for all at once. */
static void talk_readable(conn *c, weir_in *in)
{
    peer *p = c->user;
    weir_ws *ws = wake(p);
    weir_ws_event ev;
    weir_out out = conn_room(c, in->len + WEIR_WS_OUT_MAX);
    weir_pulse_alive(&p->pulse, loop_now(c->loop));
    while (!conn_is_full(c) && weir_ws_next(ws, in, &ev) > 0) {
        if (ev.kind == WEIR_WS_DATA)
            echo(c, p, ws, &ev, &out);
        put_control(c, ws, &out);
    }
    if (conn_is_full(c))
        conn_later(c);        /* the rest, once the peer has taken what there is */
    put_control(c, ws, &out); /* after a violation: the Close that names it */
    conn_wrote(c, out);
    follow(c, p, ws);
}

/* The peer has shut down its writing, perhaps only that: it still gets what is queued. */
static void talk_ended(conn *c)
{
    peer *p = c->user;
    weir_ws *ws = wake(p);
    weir_ws_event ev;
    weir_ws_eof(ws, &ev);
    follow(c, p, ws);
}

/* Writes what weir itself has to say when it was not asked. */
static void say(conn *c, weir_ws *ws)
{
    weir_out out = {NULL, 0};
    put_control(c, ws, &out);
    conn_wrote(c, out);
}

static void talk_stopping(conn *c)
{
    peer *p = c->user;
    weir_ws *ws = wake(p);
    weir_ws_close(ws, 1001, weir_cstr("server is going away"));
    say(c, ws);
    follow(c, p, ws);
}

/* ---- The opening handshake ---------------------------------------------------------------------- */

static void refuse(conn *c, const weir_http_head *head, int err)
{
    weir_http_reply more = {0};
    if (weir_str_is(head->method, "HEAD"))
        more.flags = WEIR_HTTP_HEAD_ONLY;
    weir_out out = conn_room(c, WEIR_HTTP_ERROR_REPLY_MAX);
    weir_http_error_reply(&out, err, &more);
    conn_wrote(c, out);
    conn_finish(c);
}

/* Silence up to ping_ms is asked about; silence up to idle_ms is the end. */
static void start_pulse(peer *p, uint64_t now)
{
    uint64_t beat = settings.ping_ms;
    if (settings.idle_ms != 0 && (beat == 0 || beat > settings.idle_ms))
        beat = settings.idle_ms;
    uint64_t grace = settings.idle_ms > beat ? settings.idle_ms - beat : 1;
    weir_pulse_cfg cfg = {
        .beat_ms = beat, .grace_ms = settings.idle_ms != 0 ? grace : 0, .close_ms = CLOSE_MS};
    weir_pulse_init(&p->pulse, &cfg, now);
    weir_pulse_opened(&p->pulse, now);
}

/* Agrees on compression, if it is wanted on both sides; without memory: without compression. */
static int accept_deflate(peer *p, const weir_http_head *head, weir_deflate_params *params)
{
    int rv = settings.deflate != 0 ? weir_deflate_negotiate(head->fields, &deflate_small, params) : 0;
    if (rv <= 0)
        return rv;
    p->ws = malloc(sizeof *p->ws);
    if (p->ws != NULL)
        p->deflate = deflate_new(params, WEIR_WS_SERVER, true, (uint32_t)settings.max_ratio);
    if (p->deflate != NULL)
        return prepare(p->ws, p->deflate);
    free(p->ws);
    p->ws = NULL;
    return 0;
}

/* From here on both sides speak frames. */
static int accept_websocket(conn *c, peer *p, const weir_http_head *head)
{
    weir_ws_request request;
    weir_deflate_params params;
    int rv = weir_ws_request_read(head, &request);
    if (rv == 0)
        rv = accept_deflate(p, head, &params);
    if (rv < 0)
        return rv;
    weir_ws_accept accept = {.deflate = p->deflate != NULL ? &params : NULL};
    weir_out out = conn_room(c, WEIR_WS_ACCEPT_MAX);
    rv = weir_ws_accept_write(&out, &request, &accept);
    conn_wrote(c, out);
    return rv;
}

static opening *opening_new(void)
{
    static const weir_http_cfg limits = {.max_fields = 100};
    opening *o = malloc(sizeof *o);
    if (o != NULL &&
        weir_http_init(&o->http, WEIR_HTTP_REQUEST, o->storage, sizeof o->storage, &limits) != 0) {
        free(o);
        o = NULL;
    }
    return o;
}

static void peer_free(peer *p)
{
    free(p->ws);
    free(p->deflate);
    buffer_free(&p->message);
    free(p);
}

static void greet_readable(conn *c, weir_in *in)
{
    opening *o = c->user != NULL ? c->user : opening_new();
    weir_http_head head;
    c->user = o;
    if (o == NULL) {
        conn_abort(c);
        return;
    }
    int rv = weir_http_next(&o->http, in, &head);
    if (rv == 0)
        return; /* the head is not whole */
    peer *p = calloc(1, sizeof *p);
    if (rv > 0)
        rv = p != NULL ? accept_websocket(c, p, &head) : WEIR_ERR_SPACE;
    if (rv < 0) {
        refuse(c, &head, rv);
        if (p != NULL)
            peer_free(p);
        return;
    }
    free(o);
    c->user = p;
    c->on = &talking;
    start_pulse(p, loop_now(c->loop));
    talk_readable(c, in); /* frames may stand right behind the head */
}

static void greet_opened(conn *c)
{
    conn_deadline(c, loop_now(c->loop) + OPEN_MS);
}

static void greet_gone(conn *c)
{
    free(c->user);
}

/* ---- Deadlines ---------------------------------------------------------------------------------- */

static void send_ping(conn *c, peer *p)
{
    weir_ws *ws = wake(p);
    weir_ws_ping(ws, (weir_str){NULL, 0});
    say(c, ws);
    rest(c, p, ws);
}

static void talk_due(conn *c)
{
    peer *p = c->user;
    switch (weir_pulse_poll(&p->pulse, loop_now(c->loop))) {
    case WEIR_PULSE_NONE:
        break;
    case WEIR_PULSE_BEAT:
        if (settings.ping_ms != 0)
            send_ping(c, p);
        break;
    case WEIR_PULSE_UNOPENED:
    case WEIR_PULSE_LOST:
    case WEIR_PULSE_UNCLOSED:
        conn_abort(c);
        return;
    }
    conn_deadline(c, weir_pulse_deadline(&p->pulse));
}

/* A peer that reads is alive, even when it sends nothing. */
static void talk_progress(conn *c)
{
    peer *p = c->user;
    weir_pulse_alive(&p->pulse, loop_now(c->loop));
    conn_deadline(c, weir_pulse_deadline(&p->pulse));
}

static void talk_gone(conn *c)
{
    peer_free(c->user);
}

/* ---- The program -------------------------------------------------------------------------------- */

static const conn_handler greeting = {
    .high = HIGH_WATER,
    .opened = greet_opened,
    .readable = greet_readable,
    .ended = conn_finish,
    .due = conn_abort,
    .stopping = conn_abort,
    .gone = greet_gone,
};

static const conn_handler talking = {
    .high = HIGH_WATER,
    .readable = talk_readable,
    .ended = talk_ended,
    .progress = talk_progress,
    .due = talk_due,
    .stopping = talk_stopping,
    .gone = talk_gone,
};

static const option options[] = {
    {"--host", "H", "address or name to listen on", OPTION_TEXT, &settings.host, NULL, 0, 0},
    {"--port", "P", "port, 0 picks a free one", OPTION_NUMBER, NULL, &settings.port, 0, 65535},
    {"--deflate", NULL, "accept permessage-deflate", OPTION_FLAG, NULL, &settings.deflate, 0, 0},
    {"--max-message", "BYTES", "over it 1009", OPTION_NUMBER, NULL, &settings.max_message, 1, 1 << 30},
    {"--max-ratio", "N", "inflated bytes for a byte received, over it 1009, 0 any", OPTION_NUMBER, NULL,
     &settings.max_ratio, 0, UINT32_MAX},
    {"--ping-interval", "MS", "Ping after this silence, 0 never", OPTION_NUMBER, NULL, &settings.ping_ms, 0,
     MS_MAX},
    {"--idle-timeout", "MS", "drop after this silence, 0 never", OPTION_NUMBER, NULL, &settings.idle_ms, 0,
     MS_MAX},
};

int main(int argc, char **argv)
{
    char where[300];
    options_read("ws_echo_server", "A WebSocket server that sends every message back.", options,
                 sizeof options / sizeof *options, argc, argv);
    buffer_return_large();
    if (settings.deflate != 0)
        deflate_require("ws_echo_server");
    loop *l = prepare(&fresh, NULL) == 0 ? loop_new() : NULL;
    if (l == NULL) {
        fputs("ws_echo_server: out of memory\n", stderr);
        return 1;
    }
    const char *fault =
        loop_listen(l, settings.host, (unsigned)settings.port, &greeting, where, sizeof where);
    if (fault != NULL) {
        fprintf(stderr, "ws_echo_server: cannot listen on %s: %s\n", where, fault);
        loop_free(l);
        return 1;
    }
    printf("listening on %s\n", where);
    fflush(stdout);
    int rv = loop_run(l);
    if (rv != 0)
        perror("ws_echo_server: waiting");
    loop_free(l);
    return rv == 0 ? 0 : 1;
}
