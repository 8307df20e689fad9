/* SPDX-License-Identifier: MIT */
/*
 * epoll.c - the loop of poll.h waits with epoll(7), level-triggered.
 *
 * The kernel is told only of changes: a connection that reads a message and sends the answer in the same
 * turn makes none.
 */
#include "poll_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 256 }; /* in a turn; what does not fit comes in the next */

struct waiter {
    int fd;
    struct epoll_event events[EVENTS];
};

bool poll_waiter_new(loop *l)
{
    l->waiter = malloc(sizeof *l->waiter);
    if (l->waiter == NULL)
        return false;
    l->waiter->fd = epoll_create1(EPOLL_CLOEXEC);
    return l->waiter->fd >= 0;
}

void poll_waiter_free(loop *l)
{
    if (l->waiter != NULL && l->waiter->fd >= 0)
        close(l->waiter->fd);
    free(l->waiter);
}

/* Files are always ready: epoll does not take them. Of other faults reading and writing tell. */
void poll_watch(conn *c, unsigned wanted)
{
    if (wanted == c->asked)
        return;
    if (!c->always) {
        struct epoll_event event = {0};
        event.events =
            ((wanted & WATCH_READ) != 0 ? EPOLLIN : 0u) | ((wanted & WATCH_WRITE) != 0 ? EPOLLOUT : 0u);
        event.data.ptr = c;
        int op = c->asked == 0 ? EPOLL_CTL_ADD : wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
        c->always = epoll_ctl(c->loop->waiter->fd, op, c->fd, &event) != 0 && op == EPOLL_CTL_ADD;
    }
    c->asked = (uint8_t)wanted;
}

int poll_wait(loop *l, int timeout)
{
    struct epoll_event *events = l->waiter->events;
    int n = epoll_wait(l->waiter->fd, events, EVENTS, timeout);
    if (n < 0 && errno != EINTR)
        return -1;
    poll_clock(l);
    for (int i = 0; i < n; i++) {
        uint32_t what = events[i].events;
        unsigned got =
            ((what & EPOLLOUT) != 0 ? WATCH_WRITE : 0u) | ((what & EPOLLIN) != 0 ? WATCH_READ : 0u) |
            ((what & EPOLLERR) != 0 ? WATCH_FAULT : 0u) | ((what & EPOLLHUP) != 0 ? WATCH_HANGUP : 0u);
        poll_serve(events[i].data.ptr, got);
    }
    return 0;
}
