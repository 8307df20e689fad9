/* SPDX-License-Identifier: MIT */
/*
 * ws_client.h - a WebSocket client on the loop: connecting, opening handshake, heartbeat, closing.
 *
 *     static void data(ws_client *w, const weir_ws_event *ev) { ... }
 *     static void over(ws_client *w) { if (w->fault[0] != '\0') puts(w->fault); }
 *     static const ws_client_handler mine = {.data = data, .over = over};
 *
 *     ws_client w = {.on = &mine};
 *     ws_client_start(&w, l, "ws://localhost:9001/", false);
 *     loop_run(l);
 *
 * The server has ten seconds for its answer to the handshake, is asked by a Ping after 30 s of silence
 * and lost after 60, and has five seconds for its answer to our Close.
 */
#ifndef EXAMPLE_WS_CLIENT_H
#define EXAMPLE_WS_CLIENT_H

#include "../adapters/poll.h"

typedef struct ws_client ws_client;

/* What a program does. Functions may be NULL. */
typedef struct ws_client_handler {
    bool duplex;   /* as in conn_handler: what is sent does not depend on what comes */
    bool any_code; /* every code in an orderly Close is a good end, not only 1000 and 1001 */
    void (*opened)(ws_client *w);
    void (*data)(ws_client *w, const weir_ws_event *ev); /* a piece of a message */
    void (*drained)(ws_client *w);                       /* was full, and is no more */
    void (*over)(ws_client *w);                          /* the last, once; `fault` says how it was */
} ws_client_handler;

/* One connection. A program sets `on` and `user`, zeroes the rest, and reads `ws` and `fault`. */
struct ws_client {
    const ws_client_handler *on;
    void *user;
    weir_ws ws;
    char fault[320]; /* one line for people, empty if all went well */
    conn *c;
    struct ws_client_opening *opening;
    weir_deflate *deflate;
    weir_pulse pulse;
    bool connected;
    bool open;    /* the handshake is done */
    bool closing; /* what remains is to wait for the server */
    bool paused;
};

/*
 * ws_client_start - connect to a ws:// URL, which must stay where it is until `opened` or `over`.
 *
 * deflate  offer permessage-deflate; deflate_require before.
 *
 * Returns  false, with w->fault set and `over` not called, if the URL is no good or there is no memory.
 */
bool ws_client_start(ws_client *w, loop *l, const char *url, bool deflate);

/* Sends a piece of a message or, with WEIR_WS_WHOLE in `flags`, all of one. */
void ws_client_send(ws_client *w, uint32_t flags, weir_str data);

/* Sends a message that was collected with message_add; compressed, if WEIR_WS_DEFLATE is in `flags` and was
 * agreed on. *message becomes NULL. */
void ws_client_give(ws_client *w, uint32_t flags, buffer **message);

/* Begins the closing handshake; nothing can be sent afterwards. What comes is still reported. */
void ws_client_close(ws_client *w, uint16_t code, const char *reason);

/* As conn_is_full: wait for `drained`. */
bool ws_client_is_full(const ws_client *w);

/* Reports no data meanwhile, and reads none. */
void ws_client_pause(ws_client *w, bool pause);

/* Says what was wrong; only the first such text counts. */
void ws_client_blame(ws_client *w, const char *format, ...);

#endif
