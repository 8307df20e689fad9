/* SPDX-License-Identifier: MIT */
/* ws_client.c - the client's side of ws_echo_server.c: greet, talk, follow, deadlines. */
#include "ws_client.h"

#include "deflate.h"
#include "entropy.h"
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD_ROOM = 16 * 1024,
    HOST_MAX = 256,
    MESSAGE_MAX = 64 * 1024 * 1024,
    HIGH_WATER = 1024 * 1024,
    OPEN_MS = 10000,
    BEAT_MS = 30000,
    GRACE_MS = 30000,
    CLOSE_MS = 5000,
    END_MS = 1000
};

/* Only until the handshake is done. */
typedef struct ws_client_opening {
    weir_http http;
    weir_ws_opening ws;
    weir_ws_offer offer;
    weir_deflate_policy policy;
    weir_http_uri uri;
    size_t uri_len;
    uint8_t storage[HEAD_ROOM];
} ws_client_opening;

static const conn_handler talking, talking_duplex;

static weir_entropy *entropy(void)
{
    static weir_entropy one;
    static bool ready;
    if (!ready)
        ready = weir_entropy_init(&one, entropy_fill, NULL) == 0;
    return &one;
}

void ws_client_blame(ws_client *w, const char *format, ...)
{
    va_list list;
    if (w->fault[0] != '\0')
        return;
    va_start(list, format);
    vsnprintf(w->fault, sizeof w->fault, format, list);
    va_end(list);
}

static void blame_error(ws_client *w, const char *who, int err)
{
    const weir_err_info *info = weir_err_lookup(err);
    bool named = info->section[0] != '\0';
    ws_client_blame(w, "%s%s%s%s%s", who, info->text, named ? " (" : "", info->section, named ? ")" : "");
}

/* ---- While open --------------------------------------------------------------------------------- */

/* Moves what weir itself has to say into the output; not when that is full: a server that asks and does
 * not read gets the answer to its last Ping then. */
static void put_control(ws_client *w)
{
    if (weir_ws_out(&w->ws).len == 0 || conn_is_full(w->c))
        return;
    weir_out out = conn_room(w->c, WEIR_WS_OUT_MAX);
    weir_ws_out_put(&w->ws, &out);
    conn_wrote(w->c, out);
}

/* The server now has CLOSE_MS to end this, more while it takes what it has not read yet. After both Closes
 * all that is missing is the end of TCP, which is the server's to begin. */
static void start_closing(ws_client *w)
{
    weir_ws_closing record;
    weir_ws_closing_read(&w->ws, &record);
    if (!w->closing || record.clean)
        conn_deadline(w->c, loop_now(w->c->loop) + (record.clean ? END_MS : CLOSE_MS));
    w->closing = true;
}

static void follow(ws_client *w)
{
    switch (weir_ws_transport(&w->ws)) {
    case WEIR_WS_CARRY_ON:
        if (!w->closing)
            conn_deadline(w->c, weir_pulse_deadline(&w->pulse));
        break;
    case WEIR_WS_WAIT_PEER:
        start_closing(w);
        break;
    case WEIR_WS_SHUTDOWN_WRITE:
    case WEIR_WS_CLOSE_NOW:
        conn_finish(w->c);
        break;
    }
}

/* An echo waits while its output is full; and the program may want a pause. */
static bool may_go_on(const ws_client *w)
{
    return !w->paused && (w->on->duplex || !conn_is_full(w->c));
}

static void talk_readable(conn *c, weir_in *in)
{
    ws_client *w = c->user;
    weir_ws_event ev;
    int rv = 1;
    weir_pulse_alive(&w->pulse, loop_now(c->loop));
    while (may_go_on(w) && (rv = weir_ws_next(&w->ws, in, &ev)) > 0) {
        if (ev.kind == WEIR_WS_DATA && w->on->data != NULL)
            w->on->data(w, &ev);
        put_control(w);
    }
    if (rv > 0)
        conn_later(c); /* stopped by our own wish */
    if (rv < 0)
        blame_error(w, "", rv);
    put_control(w);
    follow(w);
}

static void talk_ended(conn *c)
{
    ws_client *w = c->user;
    weir_ws_event ev;
    weir_ws_eof(&w->ws, &ev);
    follow(w);
}

/* A server that reads is alive. */
static void talk_progress(conn *c)
{
    ws_client *w = c->user;
    weir_pulse_alive(&w->pulse, loop_now(c->loop));
    if (w->closing)
        conn_deadline(c, loop_now(c->loop) + CLOSE_MS);
    else
        follow(w);
}

static void talk_drained(conn *c)
{
    ws_client *w = c->user;
    put_control(w);
    follow(w);
    if (w->on->drained != NULL)
        w->on->drained(w);
}

static void talk_stopping(conn *c)
{
    ws_client_close(c->user, 1001, "");
}

static void talk_due(conn *c)
{
    ws_client *w = c->user;
    uint64_t now = loop_now(c->loop);
    if (w->paused) { /* the silence is our own */
        weir_pulse_alive(&w->pulse, now);
        conn_deadline(c, now + CLOSE_MS);
        return;
    }
    weir_pulse_due what = weir_pulse_poll(&w->pulse, now);
    if (what == WEIR_PULSE_LOST && !w->closing)
        ws_client_blame(w, "the server has been silent for %d s", (BEAT_MS + GRACE_MS) / 1000);
    if (what == WEIR_PULSE_LOST || w->closing) {
        conn_abort(c);
        return;
    }
    if (what == WEIR_PULSE_BEAT)
        weir_ws_ping(&w->ws, (weir_str){NULL, 0});
    put_control(w);
    follow(w);
}

/* ---- The end ------------------------------------------------------------------------------------ */

/* The server's words, harmless in one line of a terminal. */
static void copy_reason(char *to, size_t cap, weir_str reason)
{
    size_t len = 0;
    for (size_t i = 0; i < reason.len && len < cap - 1; i++) {
        bool c1 = reason.ptr[i] == 0xC2 && i + 1 < reason.len && reason.ptr[i + 1] < 0xA0;
        if (c1)
            i++;
        to[len++] = c1 || reason.ptr[i] < ' ' || reason.ptr[i] == 0x7F ? '?' : (char)reason.ptr[i];
    }
    to[len] = '\0';
}

/* How the WebSocket ended. The code that counts is the server's; an answer without one agrees to ours. */
static void judge(ws_client *w)
{
    weir_ws_closing record;
    char reason[WEIR_WS_OUT_MAX];
    weir_ws_closing_read(&w->ws, &record);
    bool closed = record.received != 0 && record.received != 1006;
    unsigned code = record.received == 1005 && record.first == WEIR_WS_LOCAL ? record.sent : record.received;
    if (!closed && conn_fault(w->c) != NULL)
        ws_client_blame(w, "%s", conn_fault(w->c));
    else if (!closed && record.received == 0 && record.sent != 0)
        ws_client_blame(w, "the server did not answer our Close in time");
    else if (!closed)
        ws_client_blame(w, "the server ended the connection without a Close (1006)");
    else if (!w->on->any_code && code != 1000 && code != 1001) {
        copy_reason(reason, sizeof reason, record.received_reason);
        ws_client_blame(w, "the server closed with %u%s%s%s", code, code == 1005 ? " (no code)" : "",
                        reason[0] != '\0' ? ": " : "", reason);
    }
}

static void blame_connecting(ws_client *w, const char *fault)
{
    weir_str where = w->opening->uri.authority;
    ws_client_blame(w, "cannot connect to %.*s: %s", (int)where.len, (const char *)where.ptr, fault);
}

static void judge_unopened(ws_client *w)
{
    const char *fault = conn_fault(w->c);
    if (fault != NULL && !w->connected)
        blame_connecting(w, fault);
    else
        ws_client_blame(w, "%s", fault != NULL ? fault : "ended before the WebSocket was open");
}

static void gone(conn *c)
{
    ws_client *w = c->user;
    if (w->open)
        judge(w);
    else
        judge_unopened(w);
    w->c = NULL;
    w->open = false;
    free(w->opening);
    w->opening = NULL;
    if (w->on->over != NULL)
        w->on->over(w);
    free(w->deflate);
    w->deflate = NULL;
}

/* ---- The opening handshake ---------------------------------------------------------------------- */

static void greet_opened(conn *c)
{
    ws_client *w = c->user;
    ws_client_opening *o = w->opening;
    w->connected = true;
    weir_out out = conn_room(c, o->uri_len + 384 + WEIR_DEFLATE_VALUE_MAX);
    int rv = weir_ws_opening_write(&o->ws, &out, &o->uri, &o->offer, entropy());
    conn_wrote(c, out);
    if (rv < 0) {
        blame_error(w, "", rv);
        conn_abort(c);
    }
}

/* From here on both sides speak frames. */
static int begin(ws_client *w, const weir_ws_choice *choice)
{
    weir_ws_cfg cfg;
    weir_ws_cfg_init(&cfg, WEIR_WS_CLIENT);
    cfg.max_message = cfg.max_frame = MESSAGE_MAX;
    cfg.entropy = entropy();
    if (choice->deflated) {
        cfg.deflate = w->deflate = deflate_new(&choice->deflate, WEIR_WS_CLIENT, true, 0);
        if (w->deflate == NULL)
            return WEIR_ERR_SPACE;
    }
    return weir_ws_init(&w->ws, &cfg);
}

/* Returns 1 when the WebSocket is open, 0 for more input. */
static int read_answer(ws_client *w, weir_in *in)
{
    weir_http_head head;
    weir_ws_choice choice;
    int rv;
    do {
        rv = weir_http_next(&w->opening->http, in, &head);
        if (rv < 0)
            blame_error(w, "the answer is not HTTP: ", rv);
        if (rv <= 0)
            return rv;
        rv = weir_ws_opening_read(&w->opening->ws, &head, &choice);
    } while (rv == 0);
    if (rv > 0)
        rv = begin(w, &choice);
    if (rv == WEIR_ERR_WS_STATUS)
        ws_client_blame(w, "the server answered %u %s", head.status, weir_http_reason(head.status));
    else if (rv < 0)
        blame_error(w, "", rv);
    return rv < 0 ? rv : 1;
}

static void greet_readable(conn *c, weir_in *in)
{
    ws_client *w = c->user;
    int rv = read_answer(w, in);
    if (rv == 0)
        return;
    free(w->opening);
    w->opening = NULL;
    if (rv < 0) {
        conn_abort(c);
        return;
    }
    c->on = w->on->duplex ? &talking_duplex : &talking;
    w->open = true;
    weir_pulse_opened(&w->pulse, loop_now(c->loop));
    if (w->on->opened != NULL)
        w->on->opened(w);
    talk_readable(c, in); /* frames may stand right behind the head */
}

static void greet_ended(conn *c)
{
    ws_client_blame(c->user, "the server ended the connection before it answered the handshake");
    conn_abort(c);
}

static void greet_due(conn *c)
{
    ws_client *w = c->user;
    if (!w->connected)
        blame_connecting(w, "no answer in time");
    ws_client_blame(w, "no answer to the handshake within %d s", OPEN_MS / 1000);
    conn_abort(c);
}

static const conn_handler greeting = {
    .opened = greet_opened,
    .readable = greet_readable,
    .ended = greet_ended,
    .due = greet_due,
    .stopping = conn_abort,
    .gone = gone,
};

#define TALKING \
    .high = HIGH_WATER, .readable = talk_readable, .ended = talk_ended, .progress = talk_progress, \
    .drained = talk_drained, .due = talk_due, .stopping = talk_stopping, .gone = gone
static const conn_handler talking = {TALKING};
static const conn_handler talking_duplex = {.duplex = true, TALKING};

/* ---- What programs call ------------------------------------------------------------------------- */

static bool url_read(ws_client *w, const char *url, weir_http_uri *uri)
{
    int rv = weir_http_uri_parse(weir_cstr(url), uri);
    if (rv < 0)
        ws_client_blame(w, "%s", "the URL is not of the form ws://host[:port]/path?query");
    else if (uri->secure)
        ws_client_blame(w, "%s", "wss:// and https:// need TLS, which the examples do not have");
    else if (uri->userinfo.ptr != NULL)
        ws_client_blame(w, "%s", "a user or password in the URL is not supported");
    else if (uri->host.len >= HOST_MAX)
        ws_client_blame(w, "%s", "the host's name is too long");
    return w->fault[0] == '\0';
}

bool ws_client_start(ws_client *w, loop *l, const char *url, bool deflate)
{
    static const weir_pulse_cfg spans = {.open_ms = OPEN_MS, .beat_ms = BEAT_MS, .grace_ms = GRACE_MS};
    char host[HOST_MAX];
    ws_client_opening *o = w->opening = calloc(1, sizeof *o);
    if (o != NULL && url_read(w, url, &o->uri)) {
        memcpy(host, o->uri.host.ptr, o->uri.host.len);
        host[o->uri.host.len] = '\0';
        o->uri_len = strlen(url);
        o->offer.deflate = deflate ? &o->policy : NULL;
        weir_http_init(&o->http, WEIR_HTTP_RESPONSE, o->storage, sizeof o->storage, NULL);
        w->c = loop_connect(l, host, o->uri.port, &greeting, w);
    }
    if (w->c == NULL) {
        ws_client_blame(w, "%s", "out of memory");
        free(o);
        w->opening = NULL;
        return false;
    }
    weir_pulse_init(&w->pulse, &spans, loop_now(l));
    conn_deadline(w->c, weir_pulse_deadline(&w->pulse));
    return true;
}

/* A key that is not to be had, or no memory, is the end; a send after the Close is not. */
static void sent(ws_client *w, int rv)
{
    if (rv == 0 || rv == WEIR_ERR_STATE || !conn_is_open(w->c))
        return;
    blame_error(w, "", rv);
    conn_abort(w->c);
}

void ws_client_send(ws_client *w, uint32_t flags, weir_str data)
{
    if (!w->open)
        return;
    weir_out out = conn_room(w->c, weir_ws_send_size(&w->ws, data.len));
    int rv = weir_ws_send(&w->ws, &out, flags, data);
    conn_wrote(w->c, out);
    sent(w, rv);
}

void ws_client_give(ws_client *w, uint32_t flags, buffer **message)
{
    if (w->open && w->deflate != NULL && (flags & WEIR_WS_DEFLATE) != 0) {
        ws_client_send(w, flags, message_payload(*message));
    } else if (w->open) {
        int rv = message_frame(message, &w->ws, flags & ~WEIR_WS_DEFLATE);
        if (rv == 0)
            conn_give(w->c, message);
        sent(w, rv);
    }
    buffer_free(message);
}

void ws_client_close(ws_client *w, uint16_t code, const char *reason)
{
    if (!w->open)
        return;
    sent(w, weir_ws_close(&w->ws, code, weir_cstr(reason)));
    start_closing(w);
    put_control(w);
    follow(w);
}

bool ws_client_is_full(const ws_client *w)
{
    return w->c != NULL && conn_is_full(w->c);
}

void ws_client_pause(ws_client *w, bool pause)
{
    w->paused = pause;
    if (w->c != NULL)
        conn_pause(w->c, pause);
}
