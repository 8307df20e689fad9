/* SPDX-License-Identifier: MIT */
/*
 * poll_inside.h - what the three files of the adapter share: poll.c turns the loop, poll_open.c is how
 * connections come, poll_conn.c what happens on them.
 *
 *     CONNECTING --connected--> OPEN --conn_finish--> FLUSHING --all sent--> LINGERING --> DEAD
 *
 * LINGERING ends when the peer does, or after 2 s. From everywhere to DEAD: conn_abort, an error on the
 * socket. What is no socket does not linger.
 */
#ifndef EXAMPLE_POLL_INSIDE_H
#define EXAMPLE_POLL_INSIDE_H

#include "poll.h"

#include "../common/dial.h"

#include <poll.h>

enum { OPEN, CONNECTING, FLUSHING, LINGERING, DEAD };

enum {
    READ_SIZE = 65536,
    LISTENERS_MAX = 8,
    ACCEPT_BATCH = 64,   /* connections accepted in one turn: those that are there go on meanwhile */
    ACCEPT_PAUSE = 1000, /* ms until accept is tried again when descriptors ran out */
    ADDRESS_MS = 4000,   /* CONNECTING: for an address, when there is another to try */
    STALL_MS = 5000,     /* FLUSHING: without any progress */
    LINGER_MS = 2000,    /* LINGERING: altogether */
    STOP_MS = 1500       /* from the signal to the end */
};

typedef struct listener {
    int fd;
    const conn_handler *on;
} listener;

/* A connection under way, or one that failed and is not dropped yet. */
typedef struct outgoing {
    conn *c;
    dial *dial;
    uint64_t until; /* when the next address is tried */
    bool failed;
    struct outgoing *next;
} outgoing;

struct loop {
    uint64_t now;
    uint64_t stop_at;   /* 0 until a signal came */
    uint64_t accept_at; /* no accepting before */
    /* The signal pipe, the listeners, then from `first` on one for each of conns. No gaps: poll refuses
     * more entries than the process may have descriptors. */
    struct pollfd *fds;
    size_t first;
    conn **conns;
    size_t count;
    size_t cap;
    outgoing *outgoing;
    listener listeners[LISTENERS_MAX];
    size_t listener_count;
    int pipe[2];
    uint8_t bytes[READ_SIZE];
};

/* ---- poll.c ------------------------------------------------------------------------------------- */

void poll_clock(loop *l);

/* ---- poll_open.c -------------------------------------------------------------------------------- */

bool poll_set_up_fd(int fd);
bool poll_grow(loop *l);
void poll_accept(loop *l, const listener *from);

/* One step of a CONNECTING connection; `got` is what poll says of its socket. */
void poll_dial(conn *c, short got);
void poll_dial_drop(conn *c);
uint64_t poll_dial_deadline(const loop *l);
const char *poll_dial_fault(const conn *c);

/* ---- poll_conn.c -------------------------------------------------------------------------------- */

/* Sends what was written since the last turn; takes a finished connection one step on. */
void poll_settle(conn *c);

/* Tells a connection that it is full no more; false if there was nothing to tell. */
bool poll_relieve(conn *c);

/* What to ask poll for, and whether what was kept waits to be read. */
struct pollfd poll_wanted(const conn *c);
bool poll_ready(const conn *c);

/* What poll said, what was kept, what is due. */
void poll_serve(conn *c, short asked, short got);

#endif
