/* SPDX-License-Identifier: MIT */
/*
 * poll.h - sockets, an event loop over poll(2), and output queues: the I/O that weir leaves to you.
 *
 * There is no protocol in here. A program gives a conn_handler, a const struct of functions; the loop
 * calls them with the bytes that arrived, and the program writes its answers into the connection's
 * output. What the loop takes care of:
 *
 *   Writing.  Output is sent once per turn of the loop, so that many small writes leave together. What
 *             the socket does not take stays queued, in a block that exists only while it is needed.
 *   Slow      Above `high` queued bytes a peer is not read from until it has taken most of them: who
 *   peers.    only asks is not answered without end. Above `limit` (for data that others cause, which
 *             not reading does not stop) the connection is dropped.
 *   Fairness. One read of at most 64 KiB per connection and turn, into one buffer for all.
 *   Endings.  conn_finish flushes, shuts down writing and reads on until the peer ends too: a close()
 *             with input unread makes TCP throw away replies that are still under way.
 *   Limits.   Without file descriptors the loop stops accepting until a connection closes.
 *   Signals.  SIGTERM and SIGINT close the listeners and call every handler's `stopping`; the loop ends
 *             when all connections are gone, 1.5 s later at the latest.
 *
 *     static void readable(conn *c, weir_in *in) { conn_write(c, in->ptr, in->len); }
 *     static void ended(conn *c) { conn_finish(c); }
 *     static const conn_handler echo = {.high = 65536, .readable = readable, .ended = ended};
 *
 *     loop *l = loop_new();
 *     const char *fault = loop_listen(l, "127.0.0.1", 7, &echo, where, sizeof where);
 *     if (fault == NULL) loop_run(l);
 *     loop_free(l);
 *
 * One thread, one loop. Handlers may call any conn_ function on any connection: none of them frees a
 * conn; that happens between the turns, announced by `gone`.
 */
#ifndef EXAMPLE_POLL_H
#define EXAMPLE_POLL_H

#include "../common/buffer.h"

#include <weir/weir.h>

typedef struct loop loop;
typedef struct conn conn;

/* What a program does on a connection. Functions may be NULL. */
typedef struct conn_handler {
    size_t high;  /* queued bytes above which the peer is not read from; 0: none */
    size_t limit; /* queued bytes that are never exceeded, the connection is dropped instead; 0: none */
    void (*opened)(conn *c);                /* accepted */
    void (*readable)(conn *c, weir_in *in); /* bytes arrived; they are lost when it returns */
    void (*ended)(conn *c);                 /* the peer will send no more, but may still read */
    void (*progress)(conn *c);              /* the peer took output that had been waiting for it */
    void (*due)(conn *c);                   /* conn_deadline has passed, and is WEIR_NEVER again */
    void (*stopping)(conn *c);              /* the program is to end: take leave */
    void (*gone)(conn *c);                  /* always the last: free what `user` points to */
} conn_handler;

/* A connection. A program uses the first two members, and may change them at any time. */
struct conn {
    const conn_handler *on; /* who handles it; another handler may take over */
    void *user;             /* the handler's */
    loop *loop;
    buffer *out;
    uint64_t deadline;
    int fd;
    uint8_t state;
    bool blocked; /* the socket has taken what it can */
    bool held;    /* not read from until output has drained */
    bool eof;     /* the peer sends no more */
};

/* ---- The loop ----------------------------------------------------------------------------------- */

/* Takes SIGTERM, SIGINT and SIGPIPE over; one loop per program. NULL without memory. */
loop *loop_new(void);

/* Listens on every address of `host`; port 0 picks one. `where` becomes "host:port", IPv6 in brackets.
 * Returns NULL, or what is wrong. */
const char *loop_listen(loop *l, const char *host, unsigned port, const conn_handler *on, char *where,
                        size_t where_cap);

/* Runs until a signal ends it. Returns 0, or -1 if poll failed. */
int loop_run(loop *l);
void loop_free(loop *l);

/* Milliseconds on a clock that never goes back; the same within a turn. */
uint64_t loop_now(const loop *l);

/* ---- A connection ------------------------------------------------------------------------------- */

/*
 * conn_room - room for `need` bytes at the end of the output, to write into directly.
 * conn_wrote - the cursor that conn_room gave, moved past what was written.
 *
 *     weir_out out = conn_room(c, data.len + WEIR_WS_HEADER_MAX);
 *     weir_ws_send(&ws, &out, flags, data);
 *     conn_wrote(c, out);
 *
 * The room is empty (so that a weir call returns WEIR_ERR_SPACE) when the connection has ended or is
 * ended by this: no memory, or over the handler's limit.
 */
weir_out conn_room(conn *c, size_t need);
void conn_wrote(conn *c, weir_out out);

/* Copies bytes to the output. */
void conn_write(conn *c, const void *bytes, size_t len);

/* Hands a whole buffer over to the output; copied only if other output waits. *b becomes NULL. */
void conn_give(conn *c, buffer **b);

/* Bytes that the socket has not taken yet. */
size_t conn_queued(const conn *c);

/* Is it neither finished nor aborted? */
bool conn_is_open(const conn *c);

/* Calls `due` at loop_now() >= when; WEIR_NEVER for no deadline. Belongs to the loop after conn_finish. */
void conn_deadline(conn *c, uint64_t when);

/* No more input, and no output beyond what is queued: sends it while the peer takes some at least every
 * 5 s, then waits at most 2 s for the peer to end. */
void conn_finish(conn *c);

/* Closes at once; what is queued is lost. */
void conn_abort(conn *c);

#endif
