/* SPDX-License-Identifier: MIT */
/*
 * poll.c - the loop of poll.h.
 *
 * A turn is: prepare (send what is queued, drop what has ended, ask poll for what each connection
 * waits for), poll, then serve whoever has something. Connections sit in an array beside their pollfd
 * entries; they leave it only in `prepare`, so no handler can pull one away under another's feet.
 */
#define _POSIX_C_SOURCE 200809L
#include "poll_inside.h"

#include "../common/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

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

void poll_clock(loop *l)
{
    l->now = clock_ms();
}

/* ---- A turn ------------------------------------------------------------------------------------- */

/* Takes a connection out of the loop; the last one fills its place. */
static void drop(loop *l, size_t i)
{
    conn *c = l->conns[i];
    if (c->on->gone != NULL)
        c->on->gone(c);
    l->count--;
    l->conns[i] = l->conns[l->count];
    l->fds[l->first + i] = l->fds[l->first + l->count];
    poll_dial_drop(c);
    if (c->fd >= 0 && !c->source && !c->sink)
        close(c->fd);
    buffer_free(&c->out);
    buffer_free(&c->in);
    free(c);
    l->accept_at = 0;
}

/* Settles every connection and fills in what to poll for; returns the time of the next deadline. A
 * handler's `gone` or `drained` may write to others or end them: then once more. */
static uint64_t prepare(loop *l)
{
    bool again;
    uint64_t next;
    do {
        again = false;
        next = l->stop_at != 0 ? l->stop_at : poll_dial_deadline(l);
        for (size_t i = 0; i < l->count;) {
            conn *c = l->conns[i];
            poll_settle(c);
            again |= poll_relieve(c);
            if (c->state == DEAD) {
                drop(l, i);
                again = true;
                continue;
            }
            l->fds[l->first + i] = poll_wanted(c);
            uint64_t due = poll_ready(c) ? l->now : c->deadline;
            next = due < next ? due : next;
            i++;
        }
    } while (again);
    bool accepting = l->now >= l->accept_at;
    for (size_t i = 0; i < l->listener_count; i++)
        l->fds[1 + i].events = accepting ? POLLIN : 0;
    return !accepting && l->accept_at < next ? l->accept_at : next;
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
    for (size_t i = 0; i < l->count; i++) {
        conn *c = l->conns[i];
        if (c->state == OPEN && c->on->stopping != NULL)
            c->on->stopping(c);
        else
            conn_finish(c);
    }
}

/* Moves what has no descriptor (timers, attempts to connect) behind all others: poll refuses more entries
 * than the process may have descriptors, whatever is in them. Returns how many are to be polled. */
static size_t sort_out(loop *l)
{
    size_t count = 0;
    for (size_t i = 0; i < l->count; i++) {
        struct pollfd *a = &l->fds[l->first + i], *b = &l->fds[l->first + count];
        if (a->fd < 0)
            continue;
        struct pollfd entry = *a;
        conn *c = l->conns[i];
        *a = *b;
        l->conns[i] = l->conns[count];
        *b = entry;
        l->conns[count++] = c;
    }
    return count;
}

static int turn(loop *l)
{
    uint64_t next = prepare(l);
    size_t polled = sort_out(l);
    if (l->listener_count == 0 && l->count == 0)
        return 0;
    uint64_t wait = next > l->now ? next - l->now : 0;
    int timeout = next == WEIR_NEVER ? -1 : wait > INT_MAX ? INT_MAX : (int)wait;
    int n = poll(l->fds, (nfds_t)(l->first + polled), timeout);
    if (n < 0 && errno != EINTR && errno != EAGAIN)
        return -1;
    poll_clock(l);
    size_t count = n < 0 ? 0 : l->count; /* those that poll has looked at */
    for (size_t i = 0; i < count; i++)
        poll_serve(l->conns[i], l->fds[l->first + i].events, l->fds[l->first + i].revents);
    for (size_t i = 0; n > 0 && i < l->listener_count; i++)
        if (l->fds[1 + i].revents != 0)
            poll_accept(l, &l->listeners[i]);
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

/* A descriptor below 3 that is closed would become some socket's, and printf write to it. What stands
 * there now gives an error to who uses it. */
static void open_standard_fds(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            return;
}

static bool take_signals(loop *l)
{
    struct sigaction action = {0};
    if (pipe(l->pipe) != 0)
        return false;
    if (!poll_set_up_fd(l->pipe[0]) || !poll_set_up_fd(l->pipe[1]))
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
    poll_clock(l);
    open_standard_fds();
    if (!poll_grow(l) || !take_signals(l)) {
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
        poll_set_up_fd(fds[i]);
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

void loop_stop(loop *l)
{
    (void)l;
    on_signal(SIGTERM);
}

void loop_free(loop *l)
{
    if (l == NULL)
        return;
    l->stop_at = 1; /* `gone` makes no new ones */
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
