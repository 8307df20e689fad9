/* SPDX-License-Identifier: MIT */
/* echo_epoll.h - the loop of echo servers beside weir's: one read, one write for what it brought. */
#ifndef WEIR_BENCH_ECHO_EPOLL_H
#define WEIR_BENCH_ECHO_EPOLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is to be written. */
typedef struct queue {
    uint8_t *bytes;
    size_t begin, end, cap;
} queue;

void queue_put(queue *q, const void *bytes, size_t len);

/* What a server makes of bytes. `feed` returns false to end the connection. */
typedef struct echo_codec {
    void *(*open)(void);
    bool (*feed)(void *state, uint8_t *bytes, size_t len, queue *out);
    void (*close)(void *state);
} echo_codec;

/* Listens on a free port of 127.0.0.1, prints `listening on 127.0.0.1:PORT`, serves until it is killed. */
int echo_serve(const echo_codec *codec);

#endif
