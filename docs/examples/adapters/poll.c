/* SPDX-License-Identifier: MIT */
/*
 * poll.c - the loop of poll.h.
 *
 * A turn is: prepare (send what is queued, drop what has ended, ask poll for what each connection
 * waits for), poll, then serve whoever has something. Connections sit in an array beside their pollfd
 * entries; they leave it only in `prepare`, so no handler can pull one away under another's feet.
 *
 *     OPEN --conn_finish--> FLUSHING --all sent, shutdown--> LINGERING --peer ends, or 2 s--> DEAD
 *       \---conn_abort, error on the socket------------------------------------------------> DEAD
 */
#define _POSIX_C_SOURCE 200809L
#include "poll.h"

#include "../common/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SIGPIPE is ignored as well */
#endif

enum { OPEN, FLUSHING, LINGERING, DEAD };

enum {
    READ_SIZE = 65536,
    LISTENERS_MAX = 8,
    ACCEPT_BATCH = 64,   /* connections accepted in one turn: those that are there go on meanwhile */
    ACCEPT_PAUSE = 1000, /* ms until accept is tried again when descriptors ran out */
    STALL_MS = 5000,     /* FLUSHING: without any progress */
    LINGER_MS = 2000,    /* LINGERING: altogether */
    STOP_MS = 1500       /* from the signal to the end */
};

typedef struct listener {
    int fd;
    const conn_handler *on;
} listener;

struct loop {
    uint64_t now;
    uint64_t stop_at;   /* 0 until a signal came */
    uint64_t accept_at; /* no accepting before */
    /* The signal pipe, the listeners, then from `first` on one for each of conns. No gaps: poll refuses
     * more entries than the process may have descriptors. */
    struct pollfd *fds;
    size_t first;
    conn **conns;
    size_t count;
    size_t cap;
    listener listeners[LISTENERS_MAX];
    size_t listener_count;
    int pipe[2];
    uint8_t bytes[READ_SIZE];
};

static int signal_fd = -1;

static void on_signal(int number)
{
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    if (write(signal_fd, &byte, 1) < 0)
        byte = 0; /* the pipe is full of signals already */
    errno = saved;
}

static uint64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool set_up_fd(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

/* ---- Output ------------------------------------------------------------------------------------- */

size_t conn_queued(const conn *c)
{
    return buffer_size(c->out);
}

bool conn_is_open(const conn *c)
{
    return c->state == OPEN;
}

/* Sends what the socket takes; true if that was anything. */
static bool flush(conn *c)
{
    ssize_t n = send(c->fd, buffer_bytes(c->out), buffer_size(c->out), MSG_NOSIGNAL);
    if (n < 0) {
        c->blocked = errno == EAGAIN || errno == EWOULDBLOCK;
        if (!c->blocked && errno != EINTR)
            conn_abort(c);
        return false;
    }
    buffer_take(&c->out, (size_t)n);
    c->blocked = c->out != NULL;
    return n > 0;
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
        conn_abort(c);
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
    if (c->state == FLUSHING)
        c->deadline = c->loop->now + STALL_MS;
    else if (c->state == OPEN && c->on->progress != NULL)
        c->on->progress(c);
}

/* ---- Endings ------------------------------------------------------------------------------------ */

void conn_deadline(conn *c, uint64_t when)
{
    if (c->state == OPEN)
        c->deadline = when;
}

void conn_finish(conn *c)
{
    if (c->state != OPEN)
        return;
    c->state = FLUSHING;
    c->deadline = c->loop->now + STALL_MS;
}

void conn_abort(conn *c)
{
    c->state = DEAD;
}

/* Sends what was written since the last turn; takes a finished connection one step on. */
static void settle(conn *c)
{
    if (c->state != DEAD && c->out != NULL && !c->blocked)
        flush(c);
    if (c->state != FLUSHING || c->out != NULL)
        return;
    shutdown(c->fd, SHUT_WR);
    c->state = c->eof ? DEAD : LINGERING;
    c->deadline = c->loop->now + LINGER_MS;
}

/* Takes a connection out of the loop; the last one fills its place. */
static void drop(loop *l, size_t i)
{
    conn *c = l->conns[i];
    if (c->on->gone != NULL)
        c->on->gone(c);
    l->count--;
    l->conns[i] = l->conns[l->count];
    l->fds[l->first + i] = l->fds[l->first + l->count];
    close(c->fd);
    buffer_free(&c->out);
    free(c);
    l->accept_at = 0;
}

/* ---- Connections come --------------------------------------------------------------------------- */

static bool grow(loop *l)
{
    if (l->count < l->cap)
        return true;
    size_t cap = l->cap * 2 + 16;
    struct pollfd *fds = realloc(l->fds, (1 + LISTENERS_MAX + cap) * sizeof *fds);
    if (fds == NULL)
        return false;
    l->fds = fds;
    conn **conns = realloc(l->conns, cap * sizeof *conns);
    if (conns == NULL)
        return false;
    l->conns = conns;
    l->cap = cap;
    return true;
}

/* Gives a connected socket to the loop, or closes it. */
static void adopt(loop *l, int fd, const conn_handler *on)
{
    int yes = 1;
    conn *c = set_up_fd(fd) && grow(l) ? calloc(1, sizeof *c) : NULL;
    if (c == NULL) {
        close(fd);
        return;
    }
    /* Messages leave when they are written, not when the last one was acknowledged. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    c->on = on;
    c->loop = l;
    c->fd = fd;
    c->deadline = WEIR_NEVER;
    l->fds[l->first + l->count] = (struct pollfd){fd, 0, 0};
    l->conns[l->count++] = c;
    if (on->opened != NULL)
        on->opened(c);
}

static void accept_some(loop *l, const listener *from)
{
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        int fd = accept(from->fd, NULL, NULL);
        if (fd >= 0) {
            adopt(l, fd, from->on);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* poll would report the listener again and again: look away until one closes. */
            l->accept_at = l->now + ACCEPT_PAUSE;
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

/* ---- A turn ------------------------------------------------------------------------------------- */

/* While stopping, twice the mark: what a peer still sends should not turn our close into a reset. */
static short wanted(conn *c)
{
    size_t queued = conn_queued(c);
    size_t high = c->on->high != 0 ? c->on->high << (c->loop->stop_at != 0) : SIZE_MAX;
    if (queued > high)
        c->held = true;
    else if (queued <= high / 4)
        c->held = false;
    bool reading = !c->eof && (!c->held || c->state != OPEN);
    return (short)((reading ? POLLIN : 0) | (queued != 0 ? POLLOUT : 0));
}

/* Settles every connection and fills in what to poll for; returns the time of the next deadline. A
 * handler's `gone` may write to others or end them: then once more. */
static uint64_t prepare(loop *l)
{
    bool again;
    uint64_t next;
    do {
        again = false;
        next = l->stop_at != 0 ? l->stop_at : WEIR_NEVER;
        for (size_t i = 0; i < l->count;) {
            conn *c = l->conns[i];
            settle(c);
            if (c->state == DEAD) {
                drop(l, i);
                again = true;
                continue;
            }
            l->fds[l->first + i].events = wanted(c);
            next = c->deadline < next ? c->deadline : next;
            i++;
        }
    } while (again);
    bool accepting = l->now >= l->accept_at;
    for (size_t i = 0; i < l->listener_count; i++)
        l->fds[1 + i].events = accepting ? POLLIN : 0;
    return !accepting && l->accept_at < next ? l->accept_at : next;
}

static void receive(conn *c)
{
    loop *l = c->loop;
    ssize_t n = recv(c->fd, l->bytes, sizeof l->bytes, 0);
    if (n > 0) {
        weir_in in = {l->bytes, (size_t)n};
        if (c->state == OPEN && c->on->readable != NULL)
            c->on->readable(c, &in);
    } else if (n == 0) {
        c->eof = true;
        if (c->state == OPEN && c->on->ended != NULL)
            c->on->ended(c);
        else if (c->state == LINGERING)
            conn_abort(c);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        conn_abort(c);
    }
}

static void expire(conn *c)
{
    if (c->state != DEAD && c->blocked)
        retry(c); /* POLLOUT waits for much room; before a verdict any room counts */
    if (c->state == DEAD || c->deadline > c->loop->now)
        return;
    c->deadline = WEIR_NEVER;
    if (c->state != OPEN)
        conn_abort(c);
    else if (c->on->due != NULL)
        c->on->due(c);
}

static void serve(conn *c, short asked, short got)
{
    if ((got & POLLOUT) != 0 && c->out != NULL && c->state != DEAD)
        retry(c);
    if ((got & ~POLLOUT) != 0 && c->state != DEAD) {
        if ((asked & POLLIN) != 0)
            receive(c);
        else if ((got & (POLLERR | POLLNVAL)) != 0 || c->out == NULL)
            conn_abort(c); /* reset while we were not reading */
    }
    if (c->state != DEAD && c->deadline <= c->loop->now)
        expire(c);
}

static void stop(loop *l)
{
    unsigned char byte;
    while (read(l->pipe[0], &byte, 1) > 0)
        ;
    if (l->stop_at != 0)
        return;
    l->stop_at = l->now + STOP_MS;
    for (size_t i = 0; i < l->listener_count; i++) {
        close(l->listeners[i].fd);
        l->fds[1 + i].fd = -1; /* poll passes over it */
    }
    l->listener_count = 0;
    for (size_t i = 0; i < l->count; i++)
        if (l->conns[i]->state == OPEN && l->conns[i]->on->stopping != NULL)
            l->conns[i]->on->stopping(l->conns[i]);
}

static int turn(loop *l)
{
    uint64_t next = prepare(l);
    if (l->stop_at != 0 && l->count == 0)
        return 0;
    uint64_t wait = next > l->now ? next - l->now : 0;
    int timeout = next == WEIR_NEVER ? -1 : wait > INT_MAX ? INT_MAX : (int)wait;
    int n = poll(l->fds, (nfds_t)(l->first + l->count), timeout);
    if (n < 0 && errno != EINTR && errno != EAGAIN)
        return -1;
    l->now = clock_ms();
    size_t count = n < 0 ? 0 : l->count; /* those that poll has looked at */
    for (size_t i = 0; i < count; i++)
        serve(l->conns[i], l->fds[l->first + i].events, l->fds[l->first + i].revents);
    for (size_t i = 0; n > 0 && i < l->listener_count; i++)
        if (l->fds[1 + i].revents != 0)
            accept_some(l, &l->listeners[i]);
    if (n > 0 && l->fds[0].revents != 0)
        stop(l);
    for (size_t i = 0; l->stop_at != 0 && l->now >= l->stop_at && i < l->count; i++)
        conn_abort(l->conns[i]);
    return 1;
}

/* ---- Set-up ------------------------------------------------------------------------------------- */

uint64_t loop_now(const loop *l)
{
    return l->now;
}

static bool take_signals(loop *l)
{
    struct sigaction action = {0};
    if (pipe(l->pipe) != 0)
        return false;
    if (!set_up_fd(l->pipe[0]) || !set_up_fd(l->pipe[1]))
        return false;
    signal_fd = l->pipe[1];
    sigemptyset(&action.sa_mask);
    action.sa_handler = on_signal;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    return true;
}

loop *loop_new(void)
{
    loop *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    l->pipe[0] = l->pipe[1] = -1;
    l->now = clock_ms();
    if (!grow(l) || !take_signals(l)) {
        loop_free(l);
        return NULL;
    }
    l->first = 1;
    l->fds[0] = (struct pollfd){l->pipe[0], POLLIN, 0};
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    return l;
}

const char *loop_listen(loop *l, const char *host, unsigned port, const conn_handler *on, char *where,
                        size_t where_cap)
{
    int fds[LISTENERS_MAX];
    size_t room = LISTENERS_MAX - l->listener_count;
    size_t count = 0;
    const char *fault = listen_at(host, port, fds, room, &count, where, where_cap);
    for (size_t i = 0; i < count; i++) {
        set_up_fd(fds[i]);
        l->fds[l->first++] = (struct pollfd){fds[i], 0, 0};
        l->listeners[l->listener_count++] = (listener){fds[i], on};
    }
    return fault;
}

int loop_run(loop *l)
{
    int rv;
    do
        rv = turn(l);
    while (rv > 0);
    return rv;
}

void loop_free(loop *l)
{
    if (l == NULL)
        return;
    while (l->count > 0)
        drop(l, l->count - 1);
    for (size_t i = 0; i < l->listener_count; i++)
        close(l->listeners[i].fd);
    for (int i = 0; i < 2; i++)
        if (l->pipe[i] >= 0)
            close(l->pipe[i]);
    free(l->fds);
    free(l->conns);
    free(l);
}
