/* SPDX-License-Identifier: MIT */
/* poll_open.c - how connections come into the loop of poll.h: accepted, made, or around what is there. */
#define _POSIX_C_SOURCE 200809L
#include "poll_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

bool poll_set_up_fd(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

bool poll_grow(loop *l)
{
    if (l->count < l->cap)
        return true;
    size_t cap = l->cap * 2 + 16;
    conn **conns = realloc(l->conns, cap * sizeof *conns);
    if (conns == NULL)
        return false;
    l->conns = conns;
    conn **touched = realloc(l->touched, cap * sizeof *touched);
    if (touched == NULL)
        return false;
    l->touched = touched;
    l->cap = cap;
    return true;
}

static conn *add(loop *l, int fd, const conn_handler *on, void *user)
{
    conn *c = poll_grow(l) ? calloc(1, sizeof *c) : NULL;
    if (c == NULL)
        return NULL;
    c->on = on;
    c->user = user;
    c->loop = l;
    c->fd = fd;
    c->deadline = c->wake = WEIR_NEVER;
    c->index = (uint32_t)l->count;
    l->conns[l->count++] = c;
    poll_touch(c);
    return c;
}

/* Messages leave when they are written, not when the last one was acknowledged. */
static void send_at_once(int fd)
{
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

/* ---- Accepted ----------------------------------------------------------------------------------- */

static void adopt(loop *l, int fd, const conn_handler *on)
{
    conn *c = poll_set_up_fd(fd) ? add(l, fd, on, NULL) : NULL;
    if (c == NULL) {
        close(fd);
        return;
    }
    send_at_once(fd);
    if (on->opened != NULL)
        on->opened(c);
}

void poll_accept(conn *listener)
{
    loop *l = listener->loop;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        int fd = accept(listener->fd, NULL, NULL);
        if (fd >= 0) {
            adopt(l, fd, listener->on);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* poll would report the listener again and again: look away until one closes. */
            l->accept_at = l->now + ACCEPT_PAUSE;
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

/* ---- Made --------------------------------------------------------------------------------------- */

conn *loop_connect(loop *l, const char *host, unsigned port, const conn_handler *on, void *user)
{
    outgoing *o = l->stop_at == 0 ? calloc(1, sizeof *o) : NULL;
    if (o == NULL)
        return NULL;
    o->dial = dial_new(host, port);
    poll_clock(l); /* looking the name up may have taken long */
    o->c = o->dial != NULL ? add(l, -1, on, user) : NULL;
    if (o->c == NULL) {
        dial_free(o->dial);
        free(o);
        return NULL;
    }
    /* The first address is tried in the next turn, as the others are: a program whose `gone` connects
     * again cannot keep the loop from turning. */
    o->c->state = CONNECTING;
    o->until = l->now;
    o->next = l->outgoing;
    l->outgoing = o;
    return o->c;
}

static outgoing *outgoing_of(const conn *c)
{
    outgoing *o = c->loop->outgoing;
    while (o != NULL && o->c != c)
        o = o->next;
    return o;
}

void poll_dial_drop(conn *c)
{
    for (outgoing **at = &c->loop->outgoing; *at != NULL; at = &(*at)->next) {
        outgoing *o = *at;
        if (o->c == c) {
            *at = o->next;
            dial_free(o->dial);
            free(o);
            return;
        }
    }
}

uint64_t poll_dial_until(const conn *c)
{
    return outgoing_of(c)->until;
}

int poll_dial_error(const conn *c)
{
    const outgoing *o = outgoing_of(c);
    return o != NULL && o->failed ? dial_error(o->dial) : 0;
}

const char *poll_dial_fault(const conn *c)
{
    const outgoing *o = outgoing_of(c);
    return o != NULL && o->failed ? dial_fault(o->dial) : NULL;
}

static void try_next(conn *c, outgoing *o)
{
    poll_watch(c, 0);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = dial_next(o->dial);
    o->until = dial_has_more(o->dial) ? c->loop->now + ADDRESS_MS : WEIR_NEVER;
    o->failed = c->fd < 0;
    if (o->failed)
        conn_abort(c);
}

void poll_dial(conn *c, unsigned got)
{
    outgoing *o = outgoing_of(c);
    if (c->fd >= 0 && got != 0) {
        if (!dial_check(o->dial, c->fd)) {
            try_next(c, o);
            return;
        }
        poll_dial_drop(c);
        send_at_once(c->fd);
        c->state = OPEN;
        if (c->on->opened != NULL)
            c->on->opened(c);
    } else if (c->loop->now >= o->until) {
        if (c->fd >= 0)
            dial_late(o->dial);
        try_next(c, o);
    }
}

/* ---- Around what is there ----------------------------------------------------------------------- */

conn *loop_source(loop *l, int fd, const conn_handler *on, void *user)
{
    conn *c = l->stop_at == 0 ? add(l, fd, on, user) : NULL;
    if (c != NULL)
        c->source = true;
    return c;
}

conn *loop_sink(loop *l, int fd, const conn_handler *on, void *user)
{
    conn *c = l->stop_at == 0 ? add(l, fd, on, user) : NULL;
    if (c != NULL)
        c->sink = true;
    return c;
}

conn *loop_timer(loop *l, const conn_handler *on, void *user)
{
    return l->stop_at == 0 ? add(l, -1, on, user) : NULL;
}
