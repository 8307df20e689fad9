/* SPDX-License-Identifier: MIT */
/*
 * choosing_server.c - the server: event streams, requests and WebSockets over weir and poll(2).
 *
 * What goes down is decided elsewhere, as in real life: each byte in the pipe of ticks (the next token of a
 * model, another visitor's line, the clock of a game) is an event for whoever listens. There is never more
 * than one under way, so that no write meets a full socket.
 */
#include "choosing.h"

#include "weir/sse.h"
#include "weir/ws.h"
#ifdef BENCH_ZLIB
#include "weir/zlib.h"
#endif

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PEERS = 8, HEAD_ROOM = 4096, OUT_ROOM = 4096 };

typedef enum state { IN_HEAD, IN_BODY, STREAMING, OPEN, ENDING } state;

typedef struct peer {
    int fd;
    state state;
    bool keep;
    weir_http http;
    weir_http_body body;
    weir_sse_request stream;
    weir_ws ws;
    weir_deflate deflate;
    void *inflate_mem;
    void *deflate_mem;
    uint8_t storage[HEAD_ROOM];
} peer;

static const setting *set;
static peer *peers[PEERS];
static peer *listening; /* gets the events */
static unsigned said;   /* events so far */
static unsigned left;   /* events until the answer is complete, with WAY_ANSWER */

/* ---- Writing ------------------------------------------------------------------------------------- */

static void say(const peer *p, const uint8_t *room, size_t len)
{
    if (len != 0 && send(p->fd, room, len, MSG_NOSIGNAL) != (ssize_t)len)
        bench_fail("the server cannot write");
}

static void check(int rv, const char *what)
{
    if (rv < 0) {
        fprintf(stderr, "%s: %s\n", what, weir_strerror(rv));
        bench_fail("the server gives up");
    }
}

static void event_put(weir_out *out, const peer *p)
{
    char text[TEXT_MAX], id[16];
    uint8_t bytes[TEXT_MAX + 64];
    weir_out event = {bytes, sizeof bytes};
    weir_sse_event ev = {0};
    ev.data = text_down(set->scene, said, text);
    if (set->scene->numbered) {
        snprintf(id, sizeof id, "%u", said);
        ev.id = weir_cstr(id);
    }
    check(weir_sse_event_write(&event, &ev), "event");
    check(weir_sse_frame(out, &p->stream, (weir_str){bytes, sizeof bytes - event.len}), "chunk");
}

/* Something has happened that the listener must know. */
static void tick(void)
{
    uint8_t room[OUT_ROOM];
    char text[TEXT_MAX];
    weir_out out = {room, sizeof room};
    peer *p = listening;
    if (p == NULL)
        bench_fail("nobody listens");
    if (p->state == OPEN) {
        check(weir_ws_send(&p->ws, &out, WEIR_WS_WHOLE | WEIR_WS_TEXT | WEIR_WS_DEFLATE,
                           text_down_numbered(set->scene, said, text)),
              "message");
    } else {
        event_put(&out, p);
        if (set->way == WAY_ANSWER && --left == 0) {
            check(weir_sse_end(&out, &p->stream), "end");
            p->state = IN_HEAD;
            listening = NULL;
        }
    }
    said++;
    say(p, room, sizeof room - out.len);
}

/* ---- Requests ------------------------------------------------------------------------------------ */

static void stream_begin(peer *p, const weir_http_head *head)
{
    uint8_t room[OUT_ROOM];
    weir_out out = {room, sizeof room};
    check(weir_sse_request_read(head, WEIR_SSE_ALLOW_POST, &p->stream), "stream");
    check(weir_sse_reply_write(&out, &p->stream, NULL), "reply");
    listening = p;
    say(p, room, sizeof room - out.len);
}

#ifdef BENCH_ZLIB
static void compress(peer *p, const weir_http_head *head, weir_ws_accept *accept, weir_ws_cfg *cfg,
                     weir_deflate_params *params)
{
    static uint8_t scratch[16384];
    if (weir_deflate_negotiate(head->fields, NULL, params) != 1)
        return;
    weir_deflate_cfg dc = {.backend = &weir_zlib, .params = *params, .role = WEIR_WS_SERVER};
    weir_deflate_memory(&dc, &dc.inflate_len, &dc.deflate_len);
    dc.inflate_mem = p->inflate_mem = bench_alloc(dc.inflate_len);
    dc.deflate_mem = p->deflate_mem = bench_alloc(dc.deflate_len);
    dc.scratch = scratch;
    dc.scratch_len = sizeof scratch;
    check(weir_deflate_init(&p->deflate, &dc), "deflate");
    accept->deflate = params;
    cfg->deflate = &p->deflate;
}
#endif

static void websocket_begin(peer *p, const weir_http_head *head)
{
    uint8_t room[OUT_ROOM];
    weir_out out = {room, sizeof room};
    weir_ws_request req;
    weir_ws_accept accept = {0};
    weir_ws_cfg cfg;
    weir_deflate_params params;
    check(weir_ws_request_read(head, &req), "handshake");
    weir_ws_cfg_init(&cfg, WEIR_WS_SERVER);
    (void)params;
#ifdef BENCH_ZLIB
    if (set->way == WAY_PACKED)
        compress(p, head, &accept, &cfg, &params);
#endif
    check(weir_ws_init(&p->ws, &cfg), "websocket");
    check(weir_ws_accept_write(&out, &req, &accept), "accept");
    p->state = OPEN;
    listening = p;
    say(p, room, sizeof room - out.len);
}

static void route(peer *p, const weir_http_head *head)
{
    p->keep = head->keep_alive;
    if (weir_str_is(head->target, "/socket")) {
        websocket_begin(p, head);
    } else if (weir_str_is(head->method, "POST")) {
        p->state = IN_BODY;
        weir_http_body_init(&p->body, head->framing, head->body_len);
        if (set->way == WAY_ANSWER)
            check(weir_sse_request_read(head, WEIR_SSE_ALLOW_POST, &p->stream), "request");
    } else {
        p->state = STREAMING;
        stream_begin(p, head);
    }
}

/* A message has come up by a request; the answer says only that. */
static void request_end(peer *p)
{
    static const weir_http_field fields[] = {
        {{(const uint8_t *)"Date", 4}, {(const uint8_t *)"Thu, 09 Oct 2025 08:53:20 GMT", 29}},
        {{(const uint8_t *)"Cache-Control", 13}, {(const uint8_t *)"no-store", 8}},
    };
    uint8_t room[OUT_ROOM];
    weir_out out = {room, sizeof room};
    set->board->heard++;
    if (set->way == WAY_ANSWER) {
        check(weir_sse_reply_write(&out, &p->stream, NULL), "reply");
        p->state = STREAMING;
        listening = p;
        left = set->scene->down;
    } else {
        weir_http_reply reply = {204, p->keep ? 0 : WEIR_HTTP_CLOSE, fields, 2, {NULL, 0}};
        check(weir_http_reply_write(&out, &reply), "reply");
        p->state = IN_HEAD;
    }
    say(p, room, sizeof room - out.len);
    if (!p->keep) {
        shutdown(p->fd, SHUT_WR);
        p->state = ENDING;
    }
}

/* ---- Reading ------------------------------------------------------------------------------------- */

static void websocket_read(peer *p, weir_in *in)
{
    uint8_t room[WEIR_WS_OUT_MAX];
    weir_out out = {room, sizeof room};
    weir_ws_event ev;
    int rv;
    while ((rv = weir_ws_next(&p->ws, in, &ev)) > 0)
        if (rv == WEIR_WS_DATA && (ev.flags & WEIR_WS_LAST) != 0)
            set->board->heard++;
    check(rv, "frames");
    weir_ws_out_put(&p->ws, &out);
    say(p, room, sizeof room - out.len);
    if (weir_ws_transport(&p->ws) == WEIR_WS_SHUTDOWN_WRITE)
        shutdown(p->fd, SHUT_WR);
}

static void take(peer *p, weir_in *in)
{
    weir_http_head head;
    weir_str data;
    while (in->len != 0) {
        if (p->state == IN_HEAD) {
            int rv = weir_http_next(&p->http, in, &head);
            check(rv, "head");
            if (rv > 0)
                route(p, &head);
        } else if (p->state == IN_BODY) {
            int rv = weir_http_body_next(&p->body, in, &data);
            check(rv, "body");
            if (rv == WEIR_HTTP_BODY_END)
                request_end(p);
        } else if (p->state == OPEN) {
            websocket_read(p, in);
        } else {
            bench_fail("unexpected bytes");
        }
    }
    /* The end of a body is known without a further byte. */
    if (p->state == IN_BODY && weir_http_body_next(&p->body, in, &data) == WEIR_HTTP_BODY_END)
        request_end(p);
}

static void gone(peer **slot)
{
    peer *p = *slot;
    if (listening == p)
        listening = NULL;
    close(p->fd);
    free(p->inflate_mem);
    free(p->deflate_mem);
    free(p);
    *slot = NULL;
}

static void readable(peer **slot)
{
    uint8_t buf[8192];
    ssize_t n = recv((*slot)->fd, buf, sizeof buf, 0);
    if (n < 0)
        bench_fail("the server cannot read");
    if (n == 0) {
        gone(slot);
        return;
    }
    weir_in in = {buf, (size_t)n};
    take(*slot, &in);
}

static void arrive(void)
{
    peer *p = bench_alloc(sizeof *p);
    size_t i = 0;
    while (i < PEERS && peers[i] != NULL)
        i++;
    p->fd = accept(set->listener, NULL, NULL);
    if (p->fd < 0 || i == PEERS)
        bench_fail("accept");
    tcp_no_delay(p->fd);
    check(weir_http_init(&p->http, WEIR_HTTP_REQUEST, p->storage, sizeof p->storage, NULL), "parser");
    peers[i] = p;
}

/* ---- The loop ------------------------------------------------------------------------------------ */

static double cpu(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* One round of the loop. False once there is nothing more to wait for. */
static bool turn(bool *ticking)
{
    struct pollfd fds[2 + PEERS];
    char byte;
    size_t alive = 0;
    fds[0] = (struct pollfd){*ticking ? set->ticks : -1, POLLIN, 0};
    fds[1] = (struct pollfd){set->listener, POLLIN, 0};
    for (size_t i = 0; i < PEERS; i++) {
        fds[2 + i] = (struct pollfd){peers[i] != NULL ? peers[i]->fd : -1, POLLIN, 0};
        alive += peers[i] != NULL;
    }
    if (!*ticking && alive == 0)
        return false;
    if (poll(fds, 2 + PEERS, -1) < 0)
        bench_fail("poll");
    for (size_t i = 0; i < PEERS; i++)
        if (fds[2 + i].revents != 0)
            readable(&peers[i]);
    if (fds[1].revents != 0)
        arrive();
    if (fds[0].revents != 0) {
        *ticking = read(set->ticks, &byte, 1) == 1;
        if (*ticking)
            tick();
    }
    return true;
}

void serve(const setting *given)
{
    bool ticking = true;
    set = given;
    double before = cpu();
    while (turn(&ticking))
        ;
    set->board->cpu = cpu() - before;
}
