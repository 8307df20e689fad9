/* SPDX-License-Identifier: MIT */
/*
 * ws_echo_server.c - a WebSocket server that sends every message back.
 *
 * This is the program to copy from: it does all that a WebSocket server has to do, and nothing else.
 * Sockets, the event loop and output queues are adapters/poll.c; bytes become events and answers become
 * bytes in weir; what remains is what stands here:
 *
 *   greet    The opening handshake. `weir_http_next` finds the head of the request, `weir_ws_request_read`
 *            judges it, `weir_ws_accept_write` answers 101. What is wrong is answered by
 *            `weir_http_error_reply`. The storage for the head is given back at once.
 *   talk     `weir_ws_next` turns bytes into events. A message that came in one piece is sent from where
 *            it lies; the pieces of others are collected, so that memory grows only with bytes that have
 *            really come. After each event `weir_ws_out` (Pongs, Close) moves into the same output, so
 *            that everything leaves in its order.
 *   follow   How a connection ends is weir's knowledge: `weir_ws_transport` says what to do with TCP.
 *   due      Deadlines are one `weir_pulse`: ten seconds for the handshake, then Pings when the peer is
 *            silent, and an end when it stays so, then five seconds for its answer to our Close.
 *
 * A peer that sends but does not read has at most HIGH_WATER and one message queued; then nothing more
 * is read from it, and TCP makes it wait.
 */
#include "adapters/poll.h"
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
    uint64_t max_message;
    uint64_t ping_ms;
    uint64_t idle_ms;
} settings = {"127.0.0.1", 9001, 16 * 1024 * 1024, 30000, 60000};

/* The parser and its storage: only until the handshake is done. */
typedef struct opening {
    weir_http http;
    uint8_t storage[HEAD_ROOM];
} opening;

typedef struct peer {
    weir_pulse pulse;
    weir_ws ws;
    opening *opening; /* from the first byte to the handshake's end */
    buffer *message;  /* what has come of a message in several pieces, behind room for its header */
} peer;

static const conn_handler talking;

/* ---- While open --------------------------------------------------------------------------------- */

/* Moves what weir itself has to say into the output. */
static void put_control(conn *c, peer *p)
{
    if (weir_ws_out(&p->ws).len == 0)
        return;
    weir_out out = conn_room(c, WEIR_WS_OUT_MAX);
    weir_ws_out_put(&p->ws, &out);
    conn_wrote(c, out);
}

/* Starts to collect: an empty header's room, so that the header can stand in front in the end. */
static bool collect(peer *p, weir_str piece)
{
    static const uint8_t header_room[WEIR_WS_HEADER_MAX];
    if (p->message == NULL && !buffer_put(&p->message, header_room, sizeof header_room))
        return false;
    return buffer_put(&p->message, piece.ptr, piece.len);
}

/* The collected message becomes one frame where it lies, and the output takes the block over. */
static void send_collected(conn *c, peer *p, uint32_t flags)
{
    uint8_t header[WEIR_WS_HEADER_MAX];
    size_t header_len;
    size_t len = buffer_size(p->message) - WEIR_WS_HEADER_MAX;
    weir_str payload = {buffer_bytes(p->message) + WEIR_WS_HEADER_MAX, len};
    if (weir_ws_begin(&p->ws, flags, len, header, &header_len) == 0) {
        weir_ws_payload(&p->ws, NULL, payload);
        buffer_take(&p->message, WEIR_WS_HEADER_MAX - header_len);
        uint8_t *frame = buffer_bytes(p->message);
        for (size_t i = 0; i < header_len; i++)
            frame[i] = header[i];
        conn_give(c, &p->message);
    }
    buffer_free(&p->message); /* after our Close nothing is sent any more */
}

static void echo(conn *c, peer *p, const weir_ws_event *ev)
{
    bool last = (ev->flags & WEIR_WS_LAST) != 0;
    if (p->message == NULL && (ev->flags & WEIR_WS_WHOLE) == WEIR_WS_WHOLE) {
        weir_out out = conn_room(c, weir_ws_send_size(&p->ws, ev->data.len));
        weir_ws_send(&p->ws, &out, ev->flags, ev->data);
        conn_wrote(c, out);
    } else if (!collect(p, ev->data)) {
        weir_ws_close(&p->ws, 1011, weir_cstr("out of memory"));
        buffer_free(&p->message);
    } else if (last) {
        send_collected(c, p, (ev->flags & WEIR_WS_TEXT) | WEIR_WS_WHOLE);
    }
}

/* What becomes of the transport, once all that is queued has been sent. */
static void follow(conn *c, peer *p)
{
    switch (weir_ws_transport(&p->ws)) {
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
}

static void talk_readable(conn *c, weir_in *in)
{
    peer *p = c->user;
    weir_ws_event ev;
    weir_pulse_alive(&p->pulse, loop_now(c->loop));
    while (weir_ws_next(&p->ws, in, &ev) > 0) {
        if (ev.kind == WEIR_WS_DATA)
            echo(c, p, &ev);
        put_control(c, p);
    }
    put_control(c, p); /* after a violation: the Close that names it */
    follow(c, p);
}

/* The peer has shut down its writing, perhaps only that: it still gets what is queued. */
static void talk_ended(conn *c)
{
    peer *p = c->user;
    weir_ws_event ev;
    weir_ws_eof(&p->ws, &ev);
    follow(c, p);
}

static void talk_stopping(conn *c)
{
    peer *p = c->user;
    weir_ws_close(&p->ws, 1001, weir_cstr("server is going away"));
    put_control(c, p);
    follow(c, p);
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

/* From here on both sides speak frames. */
static int accept_websocket(conn *c, peer *p, const weir_http_head *head)
{
    weir_ws_request request;
    weir_ws_cfg cfg;
    int rv = weir_ws_request_read(head, &request);
    if (rv < 0)
        return rv;
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    cfg.max_message = cfg.max_frame = settings.max_message;
    rv = weir_ws_init(&p->ws, &cfg);
    if (rv < 0)
        return rv;
    weir_out out = conn_room(c, WEIR_WS_ACCEPT_MAX);
    rv = weir_ws_accept_write(&out, &request, NULL);
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

static void greet_readable(conn *c, weir_in *in)
{
    peer *p = c->user;
    weir_http_head head;
    if (p->opening == NULL && (p->opening = opening_new()) == NULL) {
        conn_abort(c);
        return;
    }
    int rv = weir_http_next(&p->opening->http, in, &head);
    if (rv == 0)
        return; /* the head is not whole */
    if (rv > 0)
        rv = accept_websocket(c, p, &head);
    if (rv < 0)
        refuse(c, &head, rv);
    free(p->opening);
    p->opening = NULL;
    if (rv < 0)
        return;
    c->on = &talking;
    weir_pulse_opened(&p->pulse, loop_now(c->loop));
    talk_readable(c, in); /* frames may stand right behind the head */
}

/* ---- Both --------------------------------------------------------------------------------------- */

static void opened(conn *c)
{
    peer *p = c->user = calloc(1, sizeof *p);
    if (p == NULL) {
        conn_abort(c);
        return;
    }
    /* Silence up to ping_ms is asked about; silence up to idle_ms is the end. */
    uint64_t beat = settings.ping_ms;
    if (settings.idle_ms != 0 && (beat == 0 || beat > settings.idle_ms))
        beat = settings.idle_ms;
    uint64_t grace = settings.idle_ms > beat ? settings.idle_ms - beat : 1;
    weir_pulse_cfg cfg = {OPEN_MS, beat, settings.idle_ms != 0 ? grace : 0, CLOSE_MS};
    weir_pulse_init(&p->pulse, &cfg, loop_now(c->loop));
    conn_deadline(c, weir_pulse_deadline(&p->pulse));
}

static void due(conn *c)
{
    peer *p = c->user;
    switch (weir_pulse_poll(&p->pulse, loop_now(c->loop))) {
    case WEIR_PULSE_NONE:
        break;
    case WEIR_PULSE_BEAT:
        if (settings.ping_ms != 0)
            weir_ws_ping(&p->ws, (weir_str){NULL, 0});
        put_control(c, p);
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
static void progress(conn *c)
{
    peer *p = c->user;
    weir_pulse_alive(&p->pulse, loop_now(c->loop));
    conn_deadline(c, weir_pulse_deadline(&p->pulse));
}

static void gone(conn *c)
{
    peer *p = c->user;
    if (p == NULL)
        return;
    free(p->opening);
    buffer_free(&p->message);
    free(p);
}

static const conn_handler greeting = {
    .high = HIGH_WATER,
    .opened = opened,
    .readable = greet_readable,
    .ended = conn_finish,
    .due = due,
    .stopping = conn_abort,
    .gone = gone,
};

static const conn_handler talking = {
    .high = HIGH_WATER,
    .readable = talk_readable,
    .ended = talk_ended,
    .progress = progress,
    .due = due,
    .stopping = talk_stopping,
    .gone = gone,
};

static const option options[] = {
    {"--host", "H", "address or name to listen on", OPTION_TEXT, &settings.host, NULL, 0, 0},
    {"--port", "P", "port, 0 picks a free one", OPTION_NUMBER, NULL, &settings.port, 0, 65535},
    {"--max-message", "BYTES", "over it 1009", OPTION_NUMBER, NULL, &settings.max_message, 1, 1 << 30},
    {"--ping-interval", "MS", "Ping after this silence, 0 never", OPTION_NUMBER, NULL, &settings.ping_ms, 0,
     MS_MAX},
    {"--idle-timeout", "MS", "drop after this silence, 0 never", OPTION_NUMBER, NULL, &settings.idle_ms, 0,
     MS_MAX},
    {"--deflate", NULL, NULL, OPTION_NOT_YET, NULL, NULL, 0, 0},
};

int main(int argc, char **argv)
{
    char where[300];
    options_read("ws_echo_server", "A WebSocket server that sends every message back.", options,
                 sizeof options / sizeof *options, argc, argv);
    loop *l = loop_new();
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
        perror("ws_echo_server: poll");
    loop_free(l);
    return rv == 0 ? 0 : 1;
}
