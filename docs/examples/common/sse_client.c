/* SPDX-License-Identifier: MIT */
/* sse_client.c - does what weir_sse_source_poll says, with sockets of the loop. */
#include "sse_client.h"

#include "entropy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_MAX = 255 };

static const conn_handler talking, waiting;

static weir_entropy *entropy(void)
{
    static weir_entropy one;
    static bool ready;
    if (!ready)
        ready = weir_entropy_init(&one, entropy_fill, NULL) == 0;
    return &one;
}

/* ---- The end ------------------------------------------------------------------------------------ */

/* Lets the connection go; what happens on it means nothing any more. */
static void detach(sse_client *s)
{
    if (s->c != NULL) {
        s->c->user = NULL;
        conn_abort(s->c);
    }
    s->c = NULL;
}

void sse_client_stop(sse_client *s)
{
    detach(s);
    free(s->storage);
    s->storage = NULL;
}

static void end(sse_client *s)
{
    sse_client_stop(s);
    if (s->on->over != NULL)
        s->on->over(s);
}

static void blame(sse_client *s, const char *text)
{
    snprintf(s->fault, sizeof s->fault, "%s", text);
}

/* ---- What the source asks for ------------------------------------------------------------------- */

static void connect_to(sse_client *s, const weir_http_uri *uri)
{
    char host[HOST_MAX + 1] = {0};
    detach(s);
    s->opened = s->connected = false;
    s->timer = false;
    s->fault[0] = '\0';
    if (uri->secure) {
        blame(s, "https is not possible: this program has no TLS");
    } else if (uri->host.len > HOST_MAX) {
        blame(s, "the host's name is too long");
    } else {
        memcpy(host, uri->host.ptr, uri->host.len);
        s->c = loop_connect(s->loop, host, uri->port, &talking, s);
        if (s->c == NULL)
            blame(s, "out of memory");
    }
}

/* Without a connection a timer is what waits for the next attempt. */
static bool wait_for_next(sse_client *s)
{
    if (s->c != NULL)
        return true;
    s->timer = true;
    s->c = loop_timer(s->loop, &waiting, s);
    uint64_t next = weir_sse_source_deadline(&s->source);
    uint64_t now = loop_now(s->loop);
    if (s->c != NULL && !s->paused && s->on->waiting != NULL)
        s->on->waiting(s, next > now ? next - now : 0);
    return s->c != NULL;
}

/* Does what is to be done now; false if that was the end. */
static bool step(sse_client *s)
{
    int err;
    switch (weir_sse_source_poll(&s->source, loop_now(s->loop))) {
    case WEIR_SSE_CONNECT:
        connect_to(s, weir_sse_source_uri(&s->source));
        return s->c != NULL;
    case WEIR_SSE_DISCONNECT:
        detach(s);
        return true;
    case WEIR_SSE_FINISHED:
        err = weir_sse_source_error(&s->source);
        if (err != 0 && s->fault[0] == '\0')
            blame(s, weir_strerror(err));
        return false;
    case WEIR_SSE_CARRY_ON:
        break;
    }
    return true;
}

/* The last call of everybody: the object may be gone after it. */
static void follow(sse_client *s)
{
    if ((s->paused || step(s)) && wait_for_next(s))
        conn_deadline(s->c, s->paused ? WEIR_NEVER : weir_sse_source_deadline(&s->source));
    else
        end(s);
}

/* ---- The connection ----------------------------------------------------------------------------- */

static void opened(conn *c)
{
    sse_client *s = c->user;
    s->connected = true;
    weir_out out = conn_room(c, weir_sse_source_request_size(&s->source));
    weir_sse_source_request(&s->source, &out);
    conn_wrote(c, out);
}

/* The head of a refusal is only there now. */
static void note_refusal(sse_client *s, int err)
{
    const weir_http_head *head = weir_sse_source_head(&s->source);
    weir_http_fields walk = head->fields;
    weir_str type;
    if (err == WEIR_ERR_SSE_STATUS)
        snprintf(s->fault, sizeof s->fault, "the server answered %u %s", head->status,
                 weir_http_reason(head->status));
    if (err != WEIR_ERR_SSE_MEDIA_TYPE || !weir_http_fields_find(&walk, "content-type", &type))
        return;
    for (size_t i = 0; i < type.len; i++)
        if (type.ptr[i] < ' ' || type.ptr[i] > '~')
            return;
    snprintf(s->fault, sizeof s->fault, "the response is %.*s, not text/event-stream",
             type.len < 60 ? (int)type.len : 60, (const char *)type.ptr);
}

static void report(sse_client *s, const weir_sse_item *item)
{
    if (item->kind == WEIR_SSE_OPEN)
        s->opened = true;
    else if (item->kind == WEIR_SSE_REFUSED)
        note_refusal(s, item->err);
    s->on->item(s, item);
}

static void readable(conn *c, weir_in *in)
{
    sse_client *s = c->user;
    weir_sse_item item;
    if (s == NULL)
        return;
    uint64_t now = loop_now(s->loop);
    do {
        size_t len = s->chunk != 0 && in->len > s->chunk ? s->chunk : in->len;
        weir_in piece = {in->ptr, len};
        while (!s->paused && weir_sse_source_next(&s->source, &piece, now, &item) > 0)
            report(s, &item);
        in->ptr += len - piece.len;
        in->len -= len - piece.len;
    } while (!s->paused && in->len > 0);
    if (s->paused)
        conn_later(c);
    follow(s);
}

/* The end of a connection: of one that was made, or of the attempt to. */
static void gone(conn *c)
{
    sse_client *s = c->user;
    weir_sse_item item;
    if (s == NULL)
        return;
    s->c = NULL;
    if (conn_fault(c) != NULL)
        snprintf(s->fault, sizeof s->fault, "%s: %s", s->connected ? "the connection broke" : "no connection",
                 conn_fault(c));
    while (weir_sse_source_eof(&s->source, loop_now(s->loop), &item) > 0)
        report(s, &item);
    follow(s);
}

static void due(conn *c)
{
    sse_client *s = c->user;
    if (s != NULL)
        follow(s);
}

/* SIGTERM: the program ends, and without a word. */
static void stopping(conn *c)
{
    sse_client *s = c->user;
    if (s != NULL)
        sse_client_stop(s);
}

static void timer_gone(conn *c)
{
    sse_client *s = c->user;
    if (s != NULL)
        s->c = NULL;
}

static const conn_handler talking = {
    .opened = opened,
    .readable = readable,
    .ended = conn_abort,
    .due = due,
    .stopping = stopping,
    .gone = gone,
};

static const conn_handler waiting = {.due = due, .stopping = stopping, .gone = timer_gone};

/* ---- Control ------------------------------------------------------------------------------------ */

int sse_client_start(sse_client *s, loop *l, const weir_sse_source_cfg *cfg, size_t max_event)
{
    weir_sse_source_cfg mine = *cfg;
    weir_sse_parser_cfg *p = &mine.parser;
    mine.entropy = cfg->entropy != NULL ? cfg->entropy : entropy();
    p->max_event = max_event;
    size_t id = p->max_id != 0 ? p->max_id : WEIR_SSE_LAST_ID_MAX;
    size_t type = p->max_type != 0 ? p->max_type : 256;
    size_t comment = p->max_comment != 0 ? p->max_comment : 1024;
    size_t scratch = id > type ? id : type;
    size_t size =
        2 * id + type + (scratch > comment ? scratch : comment) + max_event + 2 * (size_t)mine.max_url;
    s->storage = malloc(size);
    int rv = s->storage != NULL ? weir_sse_source_init(&s->source, s->storage, size, &mine) : WEIR_ERR_SPACE;
    if (rv == 0) {
        s->loop = l;
        s->timer = true;
        s->c = loop_timer(l, &waiting, s);
        rv = s->c != NULL ? 0 : WEIR_ERR_SPACE;
    }
    if (rv == 0)
        conn_deadline(s->c, loop_now(l));
    else
        sse_client_stop(s);
    return rv;
}

void sse_client_pause(sse_client *s, bool pause)
{
    if (s->c == NULL || s->paused == pause)
        return;
    s->paused = pause;
    weir_sse_source_alive(&s->source, loop_now(s->loop)); /* it is we who were silent */
    conn_pause(s->c, pause);
    /* What the source has to say meanwhile waits for us; in `due` nothing is under way. */
    conn_deadline(s->c, pause ? WEIR_NEVER : loop_now(s->loop));
}
