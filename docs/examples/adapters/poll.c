/* SPDX-License-Identifier: MIT */
/*
 * poll.c - the loop of poll.h.
 *
 * A turn is: settle what was touched (send what is queued, drop what has ended, tell the waiter what each
 * connection waits for), wait, serve those that something came on, then those whose time has come.
 * Connections are freed only while settling, so no handler can pull one away under another's feet.
 *
 * The heap is lazy: moving a deadline away leaves `wake` as it is. When that comes, there is nothing to do
 * yet, and the connection takes its new place. So a message costs nothing there.
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

/* ---- The heap of deadlines ---------------------------------------------------------------------- */

static void place(loop *l, size_t i, conn *c)
{
    l->conns[i] = c;
    c->index = (uint32_t)i;
}

static void rise(loop *l, conn *c)
{
    size_t i = c->index;
    for (; i > 0 && l->conns[(i - 1) / 2]->wake > c->wake; i = (i - 1) / 2)
        place(l, i, l->conns[(i - 1) / 2]);
    place(l, i, c);
}

static void sink(loop *l, conn *c)
{
    size_t i = c->index;
    for (size_t child; (child = 2 * i + 1) < l->count; i = child) {
        if (child + 1 < l->count && l->conns[child + 1]->wake < l->conns[child]->wake)
            child++;
        if (l->conns[child]->wake >= c->wake)
            break;
        place(l, i, l->conns[child]);
    }
    place(l, i, c);
}

/* Takes a connection out of the loop; the last one fills its place. */
static void drop(conn *c)
{
    loop *l = c->loop;
    c->touched = true; /* `gone` cannot bring it back */
    if (c->on->gone != NULL)
        c->on->gone(c);
    conn *last = l->conns[--l->count];
    if (last != c) {
        place(l, c->index, last);
        rise(l, last);
        sink(l, last);
    }
    poll_watch(c, 0);
    poll_dial_drop(c);
    if (c->fd >= 0 && !c->source && !c->sink)
        close(c->fd);
    buffer_free(&c->out);
    buffer_free(&c->in);
    free(c);
    l->accept_at = 0;
}

/* ---- A turn ------------------------------------------------------------------------------------- */

static uint64_t next_wake(const conn *c)
{
    if (poll_ready(c))
        return c->loop->now;
    uint64_t until = c->state == CONNECTING ? poll_dial_until(c) : WEIR_NEVER;
    return until < c->deadline ? until : c->deadline;
}

/* A handler's `gone` or `drained` may write to others or end them: these are touched, and have their turn. */
static void settle(loop *l)
{
    while (l->touched_count > 0) {
        conn *c = l->touched[--l->touched_count];
        c->touched = false;
        poll_settle(c);
        poll_relieve(c);
        if (c->touched)
            continue;
        if (c->state == DEAD) {
            drop(c);
            continue;
        }
        poll_watch(c, poll_wanted(c));
        uint64_t wake = next_wake(c);
        if (wake < c->wake) {
            c->wake = wake;
            rise(l, c);
        }
    }
}

static void watch_listeners(loop *l)
{
    for (size_t i = 0; i < l->listener_count; i++)
        poll_watch(&l->listeners[i], l->now >= l->accept_at ? WATCH_READ : 0);
}

/* Until when to wait, as a timeout. */
static int timeout(const loop *l)
{
    uint64_t next = l->stop_at != 0 ? l->stop_at : WEIR_NEVER;
    if (l->count > 0 && l->conns[0]->wake < next)
        next = l->conns[0]->wake;
    if (l->now < l->accept_at && l->accept_at < next)
        next = l->accept_at;
    if (next == WEIR_NEVER)
        return -1;
    uint64_t wait = next > l->now ? next - l->now : 0;
    return wait > INT_MAX ? INT_MAX : (int)wait;
}

/* Who was served has no `wake` until it is settled, so that each has one turn. */
static void serve_due(loop *l)
{
    while (l->count > 0 && l->conns[0]->wake <= l->now) {
        conn *c = l->conns[0];
        c->wake = WEIR_NEVER;
        sink(l, c);
        poll_serve(c, c->always ? c->asked & (WATCH_READ | WATCH_WRITE) : 0);
    }
}

void poll_stop(loop *l)
{
    unsigned char byte;
    while (read(l->pipe[0], &byte, 1) > 0)
        ;
    if (l->stop_at != 0)
        return;
    l->stop_at = l->now + STOP_MS;
    for (size_t i = 0; i < l->listener_count; i++) {
        poll_watch(&l->listeners[i], 0);
        close(l->listeners[i].fd);
        l->listeners[i].fd = -1;
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

static int turn(loop *l)
{
    settle(l);
    watch_listeners(l);
    if (l->listener_count == 0 && l->count == 0)
        return 0;
    if (poll_wait(l, timeout(l)) != 0)
        return -1;
    serve_due(l);
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

/* What whoever started us has ignored on our behalf is not for us: nohup, a shell's `&`. */
static void take_signal(int number, const struct sigaction *action)
{
    struct sigaction before = {0};
    sigaction(number, NULL, &before);
    if (before.sa_handler != SIG_IGN)
        sigaction(number, action, NULL);
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
    take_signal(SIGTERM, &action);
    take_signal(SIGINT, &action);
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
    if (!poll_grow(l) || !poll_waiter_new(l) || !take_signals(l)) {
        loop_free(l);
        return NULL;
    }
    l->signals = (conn){.loop = l, .fd = l->pipe[0], .state = SIGNALS};
    poll_watch(&l->signals, WATCH_READ);
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
        l->listeners[l->listener_count++] = (conn){.on = on, .loop = l, .fd = fds[i], .state = LISTENING};
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
        drop(l->conns[l->count - 1]);
    for (size_t i = 0; i < l->listener_count; i++)
        close(l->listeners[i].fd);
    for (int i = 0; i < 2; i++)
        if (l->pipe[i] >= 0)
            close(l->pipe[i]);
    poll_waiter_free(l);
    buffer_free(&l->spare);
    free(l->conns);
    free(l->touched);
    free(l);
}
