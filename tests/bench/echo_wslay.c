/* SPDX-License-Identifier: MIT */
/* echo_wslay.c - an echo server on libwslay's event interface; weir reads its opening handshake. */
#include "echo_epoll.h"

#include "weir/weir.h"

#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

typedef struct connection {
    wslay_event_context_ptr events; /* NULL: the handshake is not done */
    const uint8_t *at, *end;        /* what has been read */
    queue *out;
    uint8_t *storage;
    weir_http http;
} connection;

enum { HEAD_ROOM = 8192 };

static ssize_t take(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags, void *user)
{
    connection *c = user;
    size_t n = (size_t)(c->end - c->at) < len ? (size_t)(c->end - c->at) : len;
    (void)flags;
    if (n == 0) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(buf, c->at, n);
    c->at += n;
    return (ssize_t)n;
}

static ssize_t give(wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags, void *user)
{
    connection *c = user;
    (void)ctx, (void)flags;
    queue_put(c->out, data, len);
    return (ssize_t)len;
}

static void echo(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *arg, void *user)
{
    struct wslay_event_msg message = {arg->opcode, arg->msg, arg->msg_length};
    (void)user;
    if (!wslay_is_ctrl_frame(arg->opcode))
        wslay_event_queue_msg(ctx, &message);
}

static void *connection_open(void)
{
    connection *c = calloc(1, sizeof *c);
    c->storage = malloc(HEAD_ROOM);
    weir_http_init(&c->http, WEIR_HTTP_REQUEST, c->storage, HEAD_ROOM, NULL);
    return c;
}

static bool greet(connection *c, weir_in *in, queue *out)
{
    static const struct wslay_event_callbacks callbacks = {take, give, NULL, NULL, NULL, NULL, echo};
    weir_http_head head;
    weir_ws_request req;
    uint8_t answer[WEIR_WS_ACCEPT_MAX];
    weir_out room = {answer, sizeof answer};
    int rv = weir_http_next(&c->http, in, &head);
    if (rv == 0)
        return true;
    if (rv < 0 || weir_ws_request_read(&head, &req) != 0 || weir_ws_accept_write(&room, &req, NULL) != 0 ||
        wslay_event_context_server_init(&c->events, &callbacks, c) != 0)
        return false;
    free(c->storage);
    c->storage = NULL;
    queue_put(out, answer, sizeof answer - room.len);
    return true;
}

static bool connection_feed(void *state, uint8_t *bytes, size_t len, queue *out)
{
    connection *c = state;
    weir_in in = {bytes, len};
    if (c->events == NULL && !greet(c, &in, out))
        return false;
    if (c->events == NULL)
        return true;
    c->at = in.ptr;
    c->end = in.ptr + in.len;
    c->out = out;
    return wslay_event_recv(c->events) == 0 && wslay_event_send(c->events) == 0 &&
           wslay_event_get_read_enabled(c->events);
}

static void connection_close(void *state)
{
    connection *c = state;
    if (c->events != NULL)
        wslay_event_context_free(c->events);
    free(c->storage);
    free(c);
}

int main(void)
{
    static const echo_codec codec = {connection_open, connection_feed, connection_close};
    return echo_serve(&codec);
}
