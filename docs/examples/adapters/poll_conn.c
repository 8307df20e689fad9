/* SPDX-License-Identifier: MIT */
/* poll_conn.c - what happens on a connection of poll.h: output, input, endings. */
#define _POSIX_C_SOURCE 200809L
#include "poll_inside.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
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

/* ---- Output ------------------------------------------------------------------------------------- */

/* Gives the output's block back, to whoever writes next. */
static void release(conn *c)
{
    loop *l = c->loop;
    if (c->out == NULL || l->spare != NULL || c->out->cap > SPARE_MAX) {
        buffer_free(&c->out);
        return;
    }
    l->spare = c->out;
    l->spare->pos = l->spare->len = 0;
    c->out = NULL;
}

/* What waits for a slow peer does not hold a block much larger than itself. */
static void fit(conn *c)
{
    buffer *own = NULL;
    size_t len = buffer_size(c->out);
    if (len < c->out->cap / 4 && buffer_put(&own, buffer_bytes(c->out), len)) {
        release(c);
        c->out = own;
    }
}

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

int conn_error(const conn *c)
{
    return c->error != 0 ? c->error : poll_dial_error(c);
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
    release(c);
    poll_touch(c);
}

/* Sends what the socket takes; true if that was anything. */
static bool flush(conn *c)
{
    bool any = false;
    if (c->lost)
        release(c);
    for (int i = 0; c->out != NULL && i < (c->sink ? SINK_WRITES : 1); i++) {
        ssize_t n = put(c);
        if (n < 0) {
            c->blocked = errno == EAGAIN || errno == EWOULDBLOCK;
            if (c->blocked)
                fit(c);
            else if (errno != EINTR)
                lose(c, errno);
            return any;
        }
        c->out->pos += (size_t)n;
        if (buffer_size(c->out) == 0)
            release(c);
        any |= n > 0;
    }
    c->blocked = c->out != NULL;
    if (c->blocked)
        fit(c);
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
    poll_touch(c);
    if (c->out == NULL) {
        c->out = c->loop->spare;
        c->loop->spare = NULL;
    }
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
        release(c);
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
        poll_touch(c);
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

void poll_relieve(conn *c)
{
    if (!c->full || conn_queued(c) > mark(c) / 4)
        return;
    c->full = false;
    if (c->state == OPEN && c->on->drained != NULL)
        c->on->drained(c);
}

/* ---- Endings ------------------------------------------------------------------------------------ */

void conn_deadline(conn *c, uint64_t when)
{
    if (c->state != OPEN && c->state != CONNECTING)
        return;
    c->deadline = when;
    poll_touch(c);
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
    poll_touch(c);
}

void conn_abort(conn *c)
{
    c->state = DEAD;
    poll_touch(c);
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
    poll_touch(c);
}

void conn_later(conn *c)
{
    c->later = true;
    poll_touch(c);
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
    if (c->always && (c->asked & (WATCH_READ | WATCH_WRITE)) != 0)
        return true;
    return c->later && c->state == OPEN && may_read(c);
}

unsigned poll_wanted(const conn *c)
{
    bool writing = conn_queued(c) != 0 || c->state == CONNECTING;
    bool reading = may_read(c) && !c->eof && !c->sink && !(c->later && c->state == OPEN);
    /* Of what is not to be read now, the other end's going would be reported again and again. */
    bool deaf = !writing && !reading && (c->source || c->paused || c->later);
    if (c->fd < 0 || deaf)
        return 0;
    return (reading ? WATCH_READ : 0u) | (writing ? WATCH_WRITE : 0u) | WATCH_FAULT;
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
static void lose_unread(conn *c)
{
    int error = EPIPE;
    socklen_t len = sizeof error;
    if (is_socket(c) && getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    lose(c, error);
}

static void serve_open(conn *c, unsigned got)
{
    poll_touch(c);
    if (c->state == CONNECTING) {
        poll_dial(c, got);
        got = 0;
    }
    if ((got & WATCH_WRITE) != 0 && c->out != NULL && c->state != DEAD)
        retry(c);
    if ((got & ~(unsigned)WATCH_WRITE) != 0 && c->state != DEAD) {
        if ((c->asked & WATCH_READ) != 0)
            receive(c);
        else if ((got & WATCH_FAULT) != 0 || c->out == NULL)
            lose_unread(c);
    } else if (c->later && c->state == OPEN && may_read(c)) {
        read_kept(c);
    }
    if (c->state != DEAD && c->out != NULL && !c->blocked)
        flush(c);
    if (c->state != DEAD && c->deadline <= c->loop->now)
        expire(c);
}

void poll_serve(conn *c, unsigned got)
{
    if (c->state == LISTENING)
        poll_accept(c);
    else if (c->state == SIGNALS)
        poll_stop(c->loop);
    else
        serve_open(c, got);
}
