/* SPDX-License-Identifier: MIT */
/* handshake.h - what has to be offered to be measured at opening handshakes. */
#ifndef WEIR_BENCH_HANDSHAKE_H
#define WEIR_BENCH_HANDSHAKE_H

#include "messages.h"

enum { HANDSHAKE_KEY = 24, HANDSHAKE_ACCEPT = 28 };

#ifdef __cplusplus
extern "C" {
#endif

/* Members may be NULL. `request` is a copy that may be changed. */
typedef struct handshaker {
    const char *name;
    /* Sec-WebSocket-Accept, 28 characters, for a key of 24. */
    void (*accept_key)(const char *key, char *accept);
    /* Parses and checks a request, and finds its key. */
    bool (*parse)(char *request, size_t len, char *key);
    /* All of it: the 101 in `answer`; returns its length, or 0. */
    size_t (*whole)(char *request, size_t len, char *answer, size_t cap);
} handshaker;

extern const handshaker weir_handshaker, beast_handshaker, websocketpp_handshaker;

#ifdef __cplusplus
}
#endif

#endif
