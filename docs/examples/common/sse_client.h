/* SPDX-License-Identifier: MIT */
/*
 * sse_client.h - a reader of event streams on the loop: what weir_sse_source leaves to you.
 *
 *     static void item(sse_client *s, const weir_sse_item *item) { ... }
 *     static void over(sse_client *s) { puts(s->fault); }
 *     static const sse_client_handler mine = {.item = item, .over = over};
 *
 *     weir_sse_source_cfg cfg;
 *     weir_sse_source_cfg_init(&cfg);
 *     cfg.url = weir_cstr("http://localhost:8080/events");
 *     sse_client s = {.on = &mine};
 *     if (sse_client_start(&s, l, &cfg, 65536) == 0) loop_run(l);
 *
 * It connects, follows redirects and comes back as the source says. There is no TLS in here, so that an https
 * URL, also one that a server redirects to, is the end.
 */
#ifndef EXAMPLE_SSE_CLIENT_H
#define EXAMPLE_SSE_CLIENT_H

#include "../adapters/poll.h"

typedef struct sse_client sse_client;

/* What a program does. Functions may be NULL, but for `item`. */
typedef struct sse_client_handler {
    void (*item)(sse_client *s, const weir_sse_item *item); /* as weir_sse_source_next reports them */
    void (*waiting)(sse_client *s, uint64_t ms);            /* no connection; the next attempt comes then */
    void (*over)(sse_client *s); /* the last, once: there is no next attempt. It may free the object */
} sse_client_handler;

/* One event source. A program sets the first three members, zeroes the rest, and reads the other three. */
struct sse_client {
    const sse_client_handler *on;
    void *user;
    size_t chunk; /* bytes handed to the source at a time, at most; 0: all that came */
    weir_sse_source source;
    bool opened;     /* the latest attempt has led to a stream */
    char fault[160]; /* why the latest attempt failed, for people; empty if it did not */
    loop *loop;
    conn *c; /* the connection or, while there is none, a timer */
    void *storage;
    bool timer;
    bool connected;
    bool paused;
};

/*
 * sse_client_start - begin. What cfg points to must stay until `over`.
 *
 * max_event  of the parser; cfg->parser.max_event is not looked at.
 *
 * Returns  0, or a weir_err of weir_sse_source_init, WEIR_ERR_SPACE without memory; `over` is not called.
 */
int sse_client_start(sse_client *s, loop *l, const weir_sse_source_cfg *cfg, size_t max_event);

/* Reports no items meanwhile and reads none; makes no attempts either. */
void sse_client_pause(sse_client *s, bool pause);

/* Closes the connection at once and gives everything back, without `over`. Nothing happens if it is over. Not
 * to be called from `item`: weir_sse_source_close(&s->source) is, and leads to `over`. */
void sse_client_stop(sse_client *s);

#endif
