/* SPDX-License-Identifier: MIT */
/* listen.h - sockets that listen on a host and port, IPv4 and IPv6. */
#ifndef EXAMPLE_LISTEN_H
#define EXAMPLE_LISTEN_H

#include <stddef.h>

/*
 * Listens on every address of `host`, with port 0 all on the same port that is free. Fills `count` of at
 * most `cap` descriptors. `where` becomes "host:port", an IPv6 address in brackets.
 *
 * Returns NULL if there is at least one, else what is wrong.
 */
const char *listen_at(const char *host, unsigned port, int *fds, size_t cap, size_t *count, char *where,
                      size_t where_cap);

#endif
