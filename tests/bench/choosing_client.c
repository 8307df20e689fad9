/* SPDX-License-Identifier: MIT */
/*
 * choosing_client.c - the client: request heads as Chromium 156 sends them, and every message in turn.
 *
 * Nothing overlaps: the client waits until a message has arrived before it lets the next one be sent, so each
 * is a segment of its own, as over a network, where they are milliseconds apart.
 */
#include "choosing.h"

#include "weir/ws.h"
#ifdef BENCH_ZLIB
#include "weir/zlib.h"
#endif

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 8192, FIELDS = 20 };

struct conn {
    int fd;
    uint64_t bytes;
    uint8_t buf[ROOM];
    weir_in in; /* what is not yet taken of buf */
    uint8_t storage[ROOM];
    weir_http http;
    weir_http_body body;
    weir_ws ws;
    weir_deflate deflate;
    void *inflate_mem;
    void *deflate_mem;
};

static weir_entropy entropy;

static void check(int rv, const char *what)
{
    if (rv < 0) {
        fprintf(stderr, "%s: %s\n", what, weir_strerror(rv));
        bench_fail("the client gives up");
    }
}

/* ---- Connections --------------------------------------------------------------------------------- */

static conn *conn_open(int port)
{
    conn *c = bench_alloc(sizeof *c);
    c->fd = tcp_connect(port);
    check(weir_http_init(&c->http, WEIR_HTTP_RESPONSE, c->storage, sizeof c->storage, NULL), "parser");
    return c;
}

static void conn_say(conn *c, const uint8_t *room, size_t len)
{
    if (send(c->fd, room, len, MSG_NOSIGNAL) != (ssize_t)len)
        bench_fail("the client cannot write");
    c->bytes += len;
}

/* Waits for bytes. False at the end. */
static bool conn_read(conn *c)
{
    ssize_t n = recv(c->fd, c->buf, sizeof c->buf, 0);
    if (n < 0)
        bench_fail("the client cannot read");
    tcp_prompt_ack(c->fd);
    c->bytes += (size_t)n;
    c->in = (weir_in){c->buf, (size_t)n};
    return n > 0;
}

static void conn_close(conn **slot, wire *total)
{
    conn *c = *slot;
    if (c == NULL)
        return;
    *slot = NULL;
    shutdown(c->fd, SHUT_WR);
    while (conn_read(c))
        ;
    tcp_account(c->fd, c->bytes, total);
    free(c->inflate_mem);
    free(c->deflate_mem);
    free(c);
}

static void conn_head(conn *c, unsigned status, weir_http_head *head)
{
    int rv = 0;
    while (rv == 0) {
        if (c->in.len == 0 && !conn_read(c))
            bench_fail("no answer");
        rv = weir_http_next(&c->http, &c->in, head);
    }
    check(rv, "answer");
    if (head->status != status)
        bench_fail("unexpected status");
    weir_http_body_init(&c->body, head->framing, head->body_len);
}

/* ---- Requests as a browser makes them ------------------------------------------------------------ */

#define AGENT \
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 " \
    "Safari/537.36"

static size_t add(weir_http_field *fields, size_t count, const char *name, const char *value)
{
    fields[count] = (weir_http_field){weir_cstr(name), weir_cstr(value)};
    return count + 1;
}

static size_t browser_fields(weir_http_field *fields, bool post, bool stream, bool keep)
{
    size_t n = add(fields, 0, "Connection", keep ? "keep-alive" : "close");
    if (!post) {
        n = add(fields, n, "Pragma", "no-cache");
        n = add(fields, n, "Cache-Control", "no-cache");
    }
    n = add(fields, n, "sec-ch-ua-platform", "\"Linux\"");
    n = add(fields, n, "User-Agent", AGENT);
    if (post)
        n = add(fields, n, "Content-Type", "application/json");
    n = add(fields, n, "Accept", stream ? "text/event-stream" : "*/*");
    n = add(fields, n, "sec-ch-ua", "\"Not:A-Brand\";v=\"8\", \"Chromium\";v=\"156\"");
    n = add(fields, n, "sec-ch-ua-mobile", "?0");
    if (post)
        n = add(fields, n, "Origin", "http://live.example.org");
    n = add(fields, n, "Sec-Fetch-Site", "same-origin");
    n = add(fields, n, "Sec-Fetch-Mode", "cors");
    n = add(fields, n, "Sec-Fetch-Dest", "empty");
    n = add(fields, n, "Referer", "http://live.example.org/");
    n = add(fields, n, "Accept-Encoding", "gzip, deflate, br, zstd");
    n = add(fields, n, "Accept-Language", "en-US,en;q=0.9");
    return add(fields, n, "Cookie", "session=6f2d1c0a9b8e47d3a5f0c1b2d3e4f506");
}

static void request(conn *c, const char *uri_text, weir_str body, bool stream, bool keep)
{
    uint8_t room[ROOM];
    weir_out out = {room, sizeof room};
    weir_http_field fields[FIELDS];
    weir_http_uri uri;
    check(weir_http_uri_parse(weir_cstr(uri_text), &uri), "uri");
    bool post = body.ptr != NULL;
    weir_http_request r = {post ? "POST" : "GET", &uri, fields, browser_fields(fields, post, stream, keep),
                           body};
    check(weir_http_request_write(&out, &r), "request");
    conn_say(c, room, sizeof room - out.len);
}

/* ---- One step ------------------------------------------------------------------------------------ */

/* Lets the server send the next event. */
static void tick(visitor *v)
{
    if (write(v->set->ticks, "!", 1) != 1)
        bench_fail("the server is gone");
    v->next_down++;
}

/* The server has other things to do between a message and what comes of it: wait until it has read. */
static void wait_heard(visitor *v)
{
    v->next_up++;
    while (v->set->board->heard != v->next_up)
        sched_yield();
}

static void event_read(visitor *v, conn *c)
{
    char text[TEXT_MAX];
    weir_str expected = text_down(v->set->scene, v->next_down, text);
    uint8_t got[TEXT_MAX + 64];
    size_t len = 0;
    weir_str data;
    tick(v);
    while (len < 2 || memcmp(got + len - 2, "\n\n", 2) != 0) {
        int rv = weir_http_body_next(&c->body, &c->in, &data);
        check(rv, "stream");
        if (rv == WEIR_HTTP_BODY_END || (rv == 0 && !conn_read(c)) || data.len > sizeof got - len)
            bench_fail("the stream broke");
        if (rv == WEIR_HTTP_BODY_DATA)
            memcpy(got + len, data.ptr, data.len);
        len += data.len;
    }
    if (len < expected.len + 2 || memcmp(got + len - 2 - expected.len, expected.ptr, expected.len) != 0)
        bench_fail("another event than expected");
}

static void message_read(visitor *v)
{
    conn *c = v->stream;
    char text[TEXT_MAX];
    weir_str expected = text_down_numbered(v->set->scene, v->next_down, text);
    weir_ws_event ev = {0};
    size_t len = 0;
    tick(v);
    while ((ev.flags & WEIR_WS_LAST) == 0) {
        int rv = weir_ws_next(&c->ws, &c->in, &ev);
        check(rv, "frames");
        if (rv == 0) {
            if (!conn_read(c))
                bench_fail("the WebSocket broke");
            continue;
        }
        if (ev.data.len > expected.len - len || memcmp(expected.ptr + len, ev.data.ptr, ev.data.len) != 0)
            bench_fail("another message than expected");
        len += ev.data.len;
    }
    if (len != expected.len)
        bench_fail("half a message");
}

/* ---- A visit over HTTP --------------------------------------------------------------------------- */

static void http_begin(visitor *v)
{
    weir_http_head head;
    if (v->set->way == WAY_ANSWER)
        return;
    v->stream = conn_open(v->set->port);
    request(v->stream, "http://live.example.org/events", (weir_str){NULL, 0}, true, true);
    conn_head(v->stream, 200, &head);
}

static void post(visitor *v)
{
    char text[TEXT_MAX];
    weir_http_head head;
    bool answered = v->set->way == WAY_ANSWER;
    if (v->requests == NULL)
        v->requests = conn_open(v->set->port);
    request(v->requests, "http://live.example.org/say", text_up(v->set->scene, v->next_up, text), answered,
            v->set->way != WAY_CLOSE);
    conn_head(v->requests, answered ? 200 : 204, &head);
    wait_heard(v);
    if (v->set->way == WAY_CLOSE)
        conn_close(&v->requests, &v->total);
}

static void answer_end(conn *c)
{
    weir_str data;
    int rv;
    while ((rv = weir_http_body_next(&c->body, &c->in, &data)) != WEIR_HTTP_BODY_END)
        if (rv != 0 || !conn_read(c))
            bench_fail("the answer does not end");
}

static void http_exchange(visitor *v)
{
    if (v->set->scene->up)
        post(v);
    for (unsigned k = 0; k < v->set->scene->down; k++)
        event_read(v, v->set->way == WAY_ANSWER ? v->requests : v->stream);
    if (v->set->way == WAY_ANSWER)
        answer_end(v->requests);
}

/* ---- A visit over a WebSocket -------------------------------------------------------------------- */

static void websocket_set_up(conn *c, const weir_ws_choice *choice)
{
    weir_ws_cfg cfg;
    weir_ws_cfg_init(&cfg, WEIR_WS_CLIENT);
    cfg.entropy = &entropy;
#ifdef BENCH_ZLIB
    if (choice->deflated) {
        static uint8_t scratch[16384];
        weir_deflate_cfg dc = {.backend = &weir_zlib, .params = choice->deflate, .role = WEIR_WS_CLIENT};
        weir_deflate_memory(&dc, &dc.inflate_len, &dc.deflate_len);
        dc.inflate_mem = c->inflate_mem = bench_alloc(dc.inflate_len);
        dc.deflate_mem = c->deflate_mem = bench_alloc(dc.deflate_len);
        dc.scratch = scratch;
        dc.scratch_len = sizeof scratch;
        check(weir_deflate_init(&c->deflate, &dc), "deflate");
        cfg.deflate = &c->deflate;
    }
#endif
    (void)choice;
    check(weir_ws_init(&c->ws, &cfg), "websocket");
}

static void websocket_begin(visitor *v)
{
    static const weir_deflate_policy policy;
    uint8_t room[ROOM];
    weir_out out = {room, sizeof room};
    weir_ws_opening opening;
    weir_ws_choice choice;
    weir_http_field fields[FIELDS];
    weir_http_uri uri;
    weir_http_head head;
    conn *c = v->stream = conn_open(v->set->port);
    size_t n = add(fields, 0, "Pragma", "no-cache");
    n = add(fields, n, "Cache-Control", "no-cache");
    n = add(fields, n, "User-Agent", AGENT);
    n = add(fields, n, "Origin", "http://live.example.org");
    n = add(fields, n, "Accept-Encoding", "gzip, deflate, br, zstd");
    n = add(fields, n, "Accept-Language", "en-US,en;q=0.9");
    n = add(fields, n, "Cookie", "session=6f2d1c0a9b8e47d3a5f0c1b2d3e4f506");
    weir_ws_offer offer = {
        .fields = fields, .field_count = n, .deflate = v->set->way == WAY_PACKED ? &policy : NULL};
    check(weir_http_uri_parse(weir_cstr("ws://live.example.org/socket"), &uri), "uri");
    check(weir_ws_opening_write(&opening, &out, &uri, &offer, &entropy), "opening");
    conn_say(c, room, sizeof room - out.len);
    conn_head(c, 101, &head);
    check(weir_ws_opening_read(&opening, &head, &choice), "answer");
    if (choice.deflated != (v->set->way == WAY_PACKED))
        bench_fail("compression was not agreed on as it should");
    websocket_set_up(c, &choice);
}

static void websocket_exchange(visitor *v)
{
    uint8_t room[ROOM];
    char text[TEXT_MAX];
    weir_out out = {room, sizeof room};
    if (v->set->scene->up) {
        check(weir_ws_send(&v->stream->ws, &out, WEIR_WS_WHOLE | WEIR_WS_TEXT | WEIR_WS_DEFLATE,
                           text_up(v->set->scene, v->next_up, text)),
              "message");
        conn_say(v->stream, room, sizeof room - out.len);
        wait_heard(v);
    }
    for (unsigned k = 0; k < v->set->scene->down; k++)
        message_read(v);
}

static void websocket_end(conn *c)
{
    uint8_t room[WEIR_WS_OUT_MAX];
    weir_out out = {room, sizeof room};
    weir_ws_event ev;
    check(weir_ws_close(&c->ws, 1000, (weir_str){NULL, 0}), "close");
    check(weir_ws_out_put(&c->ws, &out), "close");
    conn_say(c, room, sizeof room - out.len);
    while (weir_ws_next(&c->ws, &c->in, &ev) == 0 && conn_read(c))
        ;
    if (ev.kind != WEIR_WS_CLOSE)
        bench_fail("no Close came");
}

/* ---- Both ---------------------------------------------------------------------------------------- */

static bool by_websocket(const visitor *v)
{
    return v->set->way == WAY_SOCKET || v->set->way == WAY_PACKED;
}

void visit_begin(visitor *v)
{
    static int source = -1;
    if (source < 0 && ((source = open("/dev/urandom", O_RDONLY | O_CLOEXEC)) < 0 ||
                       weir_entropy_init(&entropy, random_fill, &source) != 0))
        bench_fail("/dev/urandom");
    if (by_websocket(v))
        websocket_begin(v);
    else
        http_begin(v);
}

void visit_exchange(visitor *v)
{
    if (by_websocket(v))
        websocket_exchange(v);
    else
        http_exchange(v);
}

void visit_end(visitor *v)
{
    if (by_websocket(v))
        websocket_end(v->stream);
    conn_close(&v->requests, &v->total);
    conn_close(&v->stream, &v->total);
}
