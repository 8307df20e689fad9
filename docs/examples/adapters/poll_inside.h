/* SPDX-License-Identifier: MIT */
/*
 * poll_inside.h - what the files of the adapter share: poll.c turns the loop, poll_open.c is how
 * connections come, poll_conn.c what happens on them, epoll.c or poll_wait.c waits.
 *
 *     CONNECTING --connected--> OPEN --conn_finish--> FLUSHING --all sent--> LINGERING --> DEAD
 *
 * LINGERING ends when the peer does, or after 2 s. From everywhere to DEAD: conn_abort, an error on the
 * socket. What is no socket does not linger. The listeners and the pipe that signals write to are conns
 * as well, in states of their own and not among the loop's connections.
 */
#ifndef EXAMPLE_POLL_INSIDE_H
#define EXAMPLE_POLL_INSIDE_H

#include "poll.h"

#include "../common/dial.h"

enum { OPEN, CONNECTING, FLUSHING, LINGERING, DEAD, LISTENING, SIGNALS };

/* Bits of conn.asked, and of what came. The last two come unasked when any is asked for. */
enum { WATCH_READ = 1, WATCH_WRITE = 2, WATCH_FAULT = 4, WATCH_HANGUP = 8 };

enum {
    READ_SIZE = 65536,
    SPARE_MAX = 256 * 1024, /* an emptied block up to this size is kept for the next who writes */
    LISTENERS_MAX = 8,
    ACCEPT_BATCH = 64,   /* connections accepted in one turn: those that are there go on meanwhile */
    ACCEPT_PAUSE = 1000, /* ms until accept is tried again when descriptors ran out */
    ADDRESS_MS = 4000,   /* CONNECTING: for an address, when there is another to try */
    STALL_MS = 5000,     /* FLUSHING: without any progress */
    LINGER_MS = 2000,    /* LINGERING: altogether */
    STOP_MS = 1500       /* from the signal to the end */
};

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
    conn **conns;       /* a heap by `wake`: conns[i] does not wake before conns[(i - 1) / 2] */
    conn **touched;     /* those that something happened to since they were settled; room for all */
    size_t count;
    size_t touched_count;
    size_t cap;
    buffer *spare; /* an emptied block, for the next who writes; NULL while it is lent */
    outgoing *outgoing;
    struct waiter *waiter;
    conn listeners[LISTENERS_MAX];
    size_t listener_count;
    conn signals;
    int pipe[2]; /* from the signal handler */
    uint8_t bytes[READ_SIZE];
};

/* Something happened to the connection: it is settled before the loop waits again. */
static inline void poll_touch(conn *c)
{
    if (c->touched)
        return;
    c->touched = true;
    c->loop->touched[c->loop->touched_count++] = c;
}

/* ---- poll.c ------------------------------------------------------------------------------------- */

void poll_clock(loop *l);
void poll_stop(loop *l);

/* ---- poll_open.c -------------------------------------------------------------------------------- */

bool poll_set_up_fd(int fd);
bool poll_grow(loop *l);
void poll_accept(conn *listener);

/* One step of a CONNECTING connection; `got` is what came on its socket. */
void poll_dial(conn *c, unsigned got);
void poll_dial_drop(conn *c);
uint64_t poll_dial_until(const conn *c);
int poll_dial_error(const conn *c);
const char *poll_dial_fault(const conn *c);

/* ---- poll_conn.c -------------------------------------------------------------------------------- */

/* Sends what was written since the last turn; takes a finished connection one step on. */
void poll_settle(conn *c);

/* Tells a connection that it is full no more. */
void poll_relieve(conn *c);

/* What to wait for, and whether there is something to do without waiting. */
unsigned poll_wanted(const conn *c);
bool poll_ready(const conn *c);

/* What came on it, what was kept, what is due. */
void poll_serve(conn *c, unsigned got);

/* ---- epoll.c or poll_wait.c --------------------------------------------------------------------- */

bool poll_waiter_new(loop *l);
void poll_waiter_free(loop *l);

/* From now on waits for `wanted` on c->fd. Sets c->asked, and c->always if the system cannot wait for it.
 * A descriptor that is closed must be forgotten first. */
void poll_watch(conn *c, unsigned wanted);

/* Waits for up to `timeout` ms (-1: for ever), sets the clock, and serves each conn that something came
 * on. Returns 0, or -1 if waiting failed. */
int poll_wait(loop *l, int timeout);

#endif
