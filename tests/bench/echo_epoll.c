/* SPDX-License-Identifier: MIT */
/* echo_epoll.c - the loop of echo servers that are measured beside weir's. */
#define _GNU_SOURCE /* accept4 */
#include "echo_epoll.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_ROOM = 65536, EVENTS = 256 };

typedef struct peer {
    int fd;
    bool waits; /* for room to write */
    void *state;
    queue out;
} peer;

static uint8_t room[READ_ROOM];
static int poller;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

void queue_put(queue *q, const void *bytes, size_t len)
{
    if (q->cap - q->end < len) {
        q->cap = q->end + len < READ_ROOM ? READ_ROOM : 2 * (q->end + len);
        q->bytes = realloc(q->bytes, q->cap);
        if (q->bytes == NULL)
            die("echo");
    }
    memcpy(q->bytes + q->end, bytes, len);
    q->end += len;
}

/* Idle connections keep no buffer. */
static bool flush(peer *p)
{
    while (p->out.begin < p->out.end) {
        ssize_t n = send(p->fd, p->out.bytes + p->out.begin, p->out.end - p->out.begin, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN;
        p->out.begin += (size_t)n;
    }
    free(p->out.bytes);
    memset(&p->out, 0, sizeof p->out);
    return true;
}

static void listen_to(peer *p, bool writing)
{
    struct epoll_event ev = {.events = EPOLLIN | (writing ? (uint32_t)EPOLLOUT : 0), .data.ptr = p};
    p->waits = writing;
    epoll_ctl(poller, EPOLL_CTL_MOD, p->fd, &ev);
}

static void peer_new(const echo_codec *codec, int listener)
{
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    peer *p = calloc(1, sizeof *p);
    if (fd < 0 || p == NULL)
        die("accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    p->fd = fd;
    p->state = codec->open();
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = p};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &ev);
}

static bool serve(const echo_codec *codec, peer *p, uint32_t events)
{
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        ssize_t n = recv(p->fd, room, sizeof room, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return false;
        if (n > 0 && !codec->feed(p->state, room, (size_t)n, &p->out))
            return false;
    }
    if (!flush(p))
        return false;
    if (p->waits != (p->out.end != 0))
        listen_to(p, p->out.end != 0);
    return true;
}

int echo_serve(const echo_codec *codec)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    socklen_t len = sizeof addr;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (struct sockaddr *)&addr, sizeof addr) != 0 ||
        listen(listener, 1024) != 0 || getsockname(listener, (struct sockaddr *)&addr, &len) != 0)
        die("listen");
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
    if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &ev) != 0)
        die("epoll");
    printf("listening on 127.0.0.1:%d\n", ntohs(addr.sin_port));
    fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            peer *p = events[i].data.ptr;
            if (p == NULL) {
                peer_new(codec, listener);
            } else if (!serve(codec, p, events[i].events)) {
                close(p->fd);
                codec->close(p->state);
                free(p->out.bytes);
                free(p);
            }
        }
    }
}
