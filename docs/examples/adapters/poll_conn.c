/* SPDX-License-Identifier: MIT */
/* poll_conn.c - what happens on a connection of poll.h: output, input, endings. */
#define _POSIX_C_SOURCE 200809L
#include "poll_inside.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SIGPIPE is ignored as well */
#endif
#ifndef PIPE_BUF
#define PIPE_BUF 512
#endif

enum { SINK_WRITES = 16 }; /* of PIPE_BUF bytes at most, in one turn */

static bool is_socket(const conn *c)
{
    return c->fd >= 0 && !c->source && !c->sink;
}

static void fail(conn *c, int error)
{
    if (c->error == 0)
        c->error = (uint16_t)error;
    conn_abort(c);
}

/* The socket takes nothing any more. What arrived before that is still read: perhaps it says why. */
static void lose(conn *c, int error)
{
    if (c->state != OPEN || c->eof || !is_socket(c)) {
        fail(c, error);
        return;
    }
    c->error = (uint16_t)error;
    c->lost = true;
    c->blocked = false;
    buffer_free(&c->out);
}

/* ---- Output ------------------------------------------------------------------------------------- */

size_t conn_queued(const conn *c)
{
    return buffer_size(c->out);
}

bool conn_is_full(const conn *c)
{
    return c->full;
}

bool conn_is_open(const conn *c)
{
    return c->state == OPEN;
}

const char *conn_fault(const conn *c)
{
    return c->error != 0 ? strerror(c->error) : poll_dial_fault(c);
}

/* While stopping, twice the mark: what a peer still sends should not turn our close into a reset. */
static size_t mark(const conn *c)
{
    return c->on->high != 0 ? c->on->high << (c->loop->stop_at != 0) : SIZE_MAX;
}

/* As write(2). A sink may block, but not when poll says that it will not, and for so few bytes. */
static ssize_t put(conn *c)
{
    size_t len = buffer_size(c->out);
    if (!c->sink)
        return send(c->fd, buffer_bytes(c->out), len, MSG_NOSIGNAL);
    struct pollfd ask = {c->fd, POLLOUT, 0};
    if (poll(&ask, 1, 0) == 0)
        errno = EAGAIN;
    return ask.revents != 0 ? write(c->fd, buffer_bytes(c->out), len < PIPE_BUF ? len : PIPE_BUF) : -1;
}

/* Sends what the socket takes; true if that was anything. */
static bool flush(conn *c)
{
    bool any = false;
    if (c->lost)
        buffer_free(&c->out);
    for (int i = 0; c->out != NULL && i < (c->sink ? SINK_WRITES : 1); i++) {
        ssize_t n = put(c);
        if (n < 0) {
            c->blocked = errno == EAGAIN || errno == EWOULDBLOCK;
            if (!c->blocked && errno != EINTR)
                lose(c, errno);
            return any;
        }
        buffer_take(&c->out, (size_t)n);
        any |= n > 0;
    }
    c->blocked = c->out != NULL;
    return any;
}

static bool over_limit(const conn *c, size_t need)
{
    size_t queued = conn_queued(c);
    return c->on->limit != 0 && (queued > c->on->limit || need > c->on->limit - queued);
}

/* A peer is dropped for what its socket does not take, not for what was not offered to it yet. */
weir_out conn_room(conn *c, size_t need)
{
    weir_out none = {NULL, 0};
    if (c->state == OPEN && !c->blocked && c->out != NULL && over_limit(c, need))
        flush(c);
    if (c->state != OPEN)
        return none;
    uint8_t *room = over_limit(c, need) ? NULL : buffer_room(&c->out, need);
    if (room == NULL) {
        fail(c, over_limit(c, need) ? ENOBUFS : ENOMEM);
        return none;
    }
    return (weir_out){room, need};
}

void conn_wrote(conn *c, weir_out out)
{
    if (c->out == NULL || out.ptr == NULL)
        return;
    c->out->len = (size_t)(out.ptr - c->out->bytes);
    if (buffer_size(c->out) == 0)
        buffer_free(&c->out);
    c->full |= conn_queued(c) > mark(c);
}

void conn_write(conn *c, const void *bytes, size_t len)
{
    weir_out out = conn_room(c, len);
    if (out.len >= len) {
        weir_out_put(&out, (weir_str){bytes, len});
        conn_wrote(c, out);
    }
}

void conn_give(conn *c, buffer **b)
{
    if (c->state == OPEN && c->out == NULL && c->on->limit == 0) {
        c->out = *b;
        *b = NULL;
        c->full |= conn_queued(c) > mark(c);
    } else {
        conn_write(c, buffer_bytes(*b), buffer_size(*b));
        buffer_free(b);
    }
}

/* The socket may take more than last time. Only what had to wait tells that the peer is alive. */
static void retry(conn *c)
{
    bool waited = c->blocked;
    if (!flush(c) || !waited)
        return;
    if (c->state == FLUSHING && !c->sink)
        c->deadline = c->loop->now + STALL_MS;
    else if (c->state == OPEN && c->on->progress != NULL)
        c->on->progress(c);
}

bool poll_relieve(conn *c)
{
    if (!c->full || conn_queued(c) > mark(c) / 4)
        return false;
    c->full = false;
    if (c->state != OPEN || c->on->drained == NULL)
        return false;
    c->on->drained(c);
    return true;
}

/* ---- Endings ------------------------------------------------------------------------------------ */

void conn_deadline(conn *c, uint64_t when)
{
    if (c->state == OPEN || c->state == CONNECTING)
        c->deadline = when;
}

void conn_finish(conn *c)
{
    if (c->state == CONNECTING)
        conn_abort(c);
    if (c->state != OPEN)
        return;
    c->state = FLUSHING;
    c->deadline = c->sink ? WEIR_NEVER : c->loop->now + STALL_MS;
    buffer_free(&c->in);
}

void conn_abort(conn *c)
{
    c->state = DEAD;
}

void poll_settle(conn *c)
{
    if (c->state != DEAD && c->out != NULL && !c->blocked)
        flush(c);
    if (c->state != FLUSHING || c->out != NULL)
        return;
    if (is_socket(c))
        shutdown(c->fd, SHUT_WR);
    c->state = c->eof || !is_socket(c) ? DEAD : LINGERING;
    c->deadline = c->loop->now + LINGER_MS;
}

/* ---- Input -------------------------------------------------------------------------------------- */

void conn_pause(conn *c, bool pause)
{
    c->paused = pause;
}

void conn_later(conn *c)
{
    c->later = true;
}

/* After conn_finish all is read, and dropped. */
static bool may_read(const conn *c)
{
    if (c->state == FLUSHING || c->state == LINGERING)
        return true;
    return c->state == OPEN && !c->paused && (!c->full || c->on->duplex);
}

bool poll_ready(const conn *c)
{
    return c->later && c->state == OPEN && may_read(c);
}

struct pollfd poll_wanted(const conn *c)
{
    bool writing = conn_queued(c) != 0 || c->state == CONNECTING;
    bool reading = may_read(c) && !c->eof && !c->sink && !(c->later && c->state == OPEN);
    short events = (short)((reading ? POLLIN : 0) | (writing ? POLLOUT : 0));
    /* Of what is not to be read now, poll would report the other end's going again and again. */
    bool deaf = events == 0 && (c->source || c->paused || c->later);
    return (struct pollfd){deaf ? -1 : c->fd, events, 0};
}

static void hand_over(conn *c, weir_in *in)
{
    c->later = false;
    if (c->state == OPEN && c->on->readable != NULL)
        c->on->readable(c, in);
    c->later = c->later && c->state == OPEN;
}

/* What was kept, in the same block: part of it may be unmasked already. */
static void read_kept(conn *c)
{
    buffer *kept = c->in;
    c->in = NULL;
    size_t len = buffer_size(kept);
    weir_in in = {buffer_bytes(kept), len};
    hand_over(c, &in);
    if (!c->later)
        buffer_free(&kept);
    buffer_take(&kept, len - in.len);
    c->in = kept;
}

static void receive(conn *c)
{
    loop *l = c->loop;
    ssize_t n = read(c->fd, l->bytes, sizeof l->bytes);
    if (n > 0) {
        weir_in in = {l->bytes, (size_t)n};
        hand_over(c, &in);
        if (c->later && !buffer_put(&c->in, in.ptr, in.len))
            fail(c, ENOMEM);
    } else if (n == 0) {
        c->eof = true;
        if (c->state == OPEN && c->on->ended != NULL)
            c->on->ended(c);
        else if (c->state == LINGERING)
            conn_abort(c);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        fail(c, errno);
    }
}

/* ---- A turn ------------------------------------------------------------------------------------- */

static void expire(conn *c)
{
    if (c->state != DEAD && c->blocked)
        retry(c); /* POLLOUT waits for much room; before a verdict any room counts */
    if (c->state == DEAD || c->deadline > c->loop->now)
        return;
    c->deadline = WEIR_NEVER;
    if (c->state != OPEN && c->state != CONNECTING)
        conn_abort(c);
    else if (c->on->due != NULL)
        c->on->due(c);
}

/* The other end is gone, and that while we were not reading. */
static void lose_unread(conn *c, short got)
{
    int error = EPIPE;
    socklen_t len = sizeof error;
    if ((got & POLLNVAL) != 0)
        error = EBADF;
    else if (is_socket(c) && getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    lose(c, error);
}

void poll_serve(conn *c, short asked, short got)
{
    if (c->state == CONNECTING) {
        poll_dial(c, got);
        got = 0;
    }
    if ((got & POLLOUT) != 0 && c->out != NULL && c->state != DEAD)
        retry(c);
    if ((got & ~POLLOUT) != 0 && c->state != DEAD) {
        if ((asked & POLLIN) != 0)
            receive(c);
        else if ((got & (POLLERR | POLLNVAL)) != 0 || c->out == NULL)
            lose_unread(c, got);
    } else if (poll_ready(c)) {
        read_kept(c);
    }
    if (c->state != DEAD && c->deadline <= c->loop->now)
        expire(c);
}
