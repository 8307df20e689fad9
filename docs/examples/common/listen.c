/* SPDX-License-Identifier: MIT */
/* listen.c - from a host's name to listening sockets. */
#define _POSIX_C_SOURCE 200809L
#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

static void port_set(struct sockaddr_storage *address, unsigned port)
{
    if (address->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)address)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)(void *)address)->sin_port = htons((uint16_t)port);
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)(void *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)(void *)&address)->sin_port);
}

/* One address. Returns the descriptor, or -1 with errno set. */
static int listen_one(const struct addrinfo *at, unsigned port)
{
    struct sockaddr_storage address;
    int yes = 1;
    int fd = socket(at->ai_family, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    memcpy(&address, at->ai_addr, at->ai_addrlen);
    port_set(&address, port);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    /* Else `::` takes IPv4 too, and its own address is then taken when its turn comes. */
    if (at->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

const char *listen_at(const char *host, unsigned port, int *fds, size_t cap, size_t *count, char *where,
                      size_t where_cap)
{
    const char *form = strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u";
    int error = 0;
    struct addrinfo hints = {0};
    struct addrinfo *list;
    *count = 0;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    snprintf(where, where_cap, form, host, port);
    int rv = getaddrinfo(host, "0", &hints, &list);
    if (rv != 0)
        return rv == EAI_SYSTEM ? strerror(errno) : gai_strerror(rv);
    for (struct addrinfo *at = list; at != NULL && *count < cap; at = at->ai_next) {
        if (at->ai_family != AF_INET && at->ai_family != AF_INET6)
            continue;
        int fd = listen_one(at, port);
        if (fd < 0) {
            error = errno;
            continue;
        }
        port = port_of(fd);
        fds[(*count)++] = fd;
    }
    freeaddrinfo(list);
    snprintf(where, where_cap, form, host, port);
    if (*count > 0)
        return NULL;
    return error != 0 ? strerror(error) : "no address to listen on";
}
