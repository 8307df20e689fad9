/* SPDX-License-Identifier: MIT */
/* dial.c - getaddrinfo and connect(2). */
#define _POSIX_C_SOURCE 200809L
#include "dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct dial {
    struct addrinfo *list;
    struct addrinfo *next;
    int error;      /* what went wrong last, of errno.h; */
    int unresolved; /* or else of getaddrinfo */
};

dial *dial_new(const char *host, unsigned port)
{
    char service[16];
    struct addrinfo hints = {0};
    dial *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    hints.ai_socktype = SOCK_STREAM;
    snprintf(service, sizeof service, "%u", port);
    int rv = getaddrinfo(host, service, &hints, &d->list);
    if (rv != 0) {
        d->error = rv == EAI_SYSTEM ? errno : 0;
        d->unresolved = rv;
        d->list = NULL;
    }
    d->next = d->list;
    return d;
}

/* Returns the descriptor, or -1 with errno set. */
static int begin(const struct addrinfo *at)
{
    int fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
    if (fd < 0)
        return -1;
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
        (connect(fd, at->ai_addr, at->ai_addrlen) == 0 || errno == EINPROGRESS || errno == EINTR))
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

int dial_next(dial *d)
{
    while (d->next != NULL) {
        const struct addrinfo *at = d->next;
        d->next = at->ai_next;
        int fd = begin(at);
        if (fd >= 0)
            return fd;
        d->error = errno;
    }
    return -1;
}

bool dial_has_more(const dial *d)
{
    return d->next != NULL;
}

bool dial_check(dial *d, int fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error != 0)
        d->error = error;
    return error == 0;
}

void dial_late(dial *d)
{
    d->error = ETIMEDOUT;
}

int dial_error(const dial *d)
{
    return d->error;
}

const char *dial_fault(const dial *d)
{
    if (d->error != 0)
        return strerror(d->error);
    return d->unresolved != 0 ? gai_strerror(d->unresolved) : "no address to connect to";
}

void dial_free(dial *d)
{
    if (d == NULL)
        return;
    if (d->list != NULL)
        freeaddrinfo(d->list);
    free(d);
}
