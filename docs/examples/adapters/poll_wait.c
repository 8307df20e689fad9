/* SPDX-License-Identifier: MIT */
/*
 * poll_wait.c - the loop of poll.h waits with poll(2), which is everywhere. Each turn looks at every
 * connection.
 */
#include "poll_inside.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

struct waiter {
    struct pollfd *fds;
    conn **conns; /* whose they are */
    size_t count;
    size_t cap;
};

bool poll_waiter_new(loop *l)
{
    l->waiter = calloc(1, sizeof *l->waiter);
    return l->waiter != NULL;
}

void poll_waiter_free(loop *l)
{
    if (l->waiter == NULL)
        return;
    free(l->waiter->fds);
    free(l->waiter->conns);
    free(l->waiter);
}

void poll_watch(conn *c, unsigned wanted)
{
    c->asked = (uint8_t)wanted;
}

static bool grow(struct waiter *w, size_t need)
{
    if (need <= w->cap)
        return true;
    struct pollfd *fds = realloc(w->fds, need * 2 * sizeof *fds);
    if (fds == NULL)
        return false;
    w->fds = fds;
    conn **conns = realloc(w->conns, need * 2 * sizeof *conns);
    if (conns == NULL)
        return false;
    w->conns = conns;
    w->cap = need * 2;
    return true;
}

/* Only what is asked for: poll refuses more entries than the process may have descriptors. */
static void add(struct waiter *w, conn *c)
{
    if (c->asked == 0)
        return;
    short events =
        (short)(((c->asked & WATCH_READ) != 0 ? POLLIN : 0) | ((c->asked & WATCH_WRITE) != 0 ? POLLOUT : 0));
    w->fds[w->count] = (struct pollfd){c->fd, events, 0};
    w->conns[w->count++] = c;
}

int poll_wait(loop *l, int timeout)
{
    struct waiter *w = l->waiter;
    if (!grow(w, 1 + LISTENERS_MAX + l->count))
        return -1;
    w->count = 0;
    for (size_t i = 0; i < l->count; i++)
        add(w, l->conns[i]);
    for (size_t i = 0; i < l->listener_count; i++)
        add(w, &l->listeners[i]);
    add(w, &l->signals);
    int n = poll(w->fds, (nfds_t)w->count, timeout);
    if (n < 0 && errno != EINTR && errno != EAGAIN)
        return -1;
    poll_clock(l);
    for (size_t i = 0; n > 0 && i < w->count; i++) {
        short what = w->fds[i].revents;
        unsigned got = ((what & POLLOUT) != 0 ? WATCH_WRITE : 0u) | ((what & POLLIN) != 0 ? WATCH_READ : 0u) |
                       ((what & (POLLERR | POLLNVAL)) != 0 ? WATCH_FAULT : 0u) |
                       ((what & POLLHUP) != 0 ? WATCH_HANGUP : 0u);
        if (got != 0)
            poll_serve(w->conns[i], got);
    }
    return 0;
}
