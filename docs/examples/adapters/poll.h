/* SPDX-License-Identifier: MIT */
/*
 * poll.h - sockets, an event loop, and output queues: the I/O that weir leaves to you.
 *
 * There is no protocol in here. A program gives a conn_handler, a const struct of functions; the loop
 * calls them with the bytes that arrived, and the program writes its answers into the connection's
 * output. What the loop takes care of:
 *
 *   Waiting.  With epoll(7) on Linux, elsewhere with poll(2): epoll.c and poll_wait.c, of which the
 *             Makefile takes one. A turn of the loop costs what happens in it, however many connections
 *             are idle (but poll(2) itself looks at each). Deadlines wait in a heap.
 *   Writing.  Output is sent when the handler has returned, all that it wrote in one piece; what it wrote
 *             to other connections at the end of the turn. One block of memory serves all of them. What
 *             a socket does not take stays queued, in a block that exists only while it is needed.
 *   Slow      Above `high` queued bytes a connection is full, until the peer has taken most of them. It
 *   peers.    is not read from meanwhile: who only asks is not answered without end. A program that
 *             makes output from elsewhere (a file, another connection) asks conn_is_full, stops, and
 *             goes on in `drained`. Above `limit` (for data that others cause, which nobody's waiting
 *             stops) the connection is dropped.
 *   Fairness. One read of at most 64 KiB per connection and turn, into one buffer for all.
 *   Endings.  conn_finish flushes, shuts down writing and reads on until the peer ends too: a close()
 *             with input unread makes TCP throw away replies that are still under way.
 *   Limits.   Without file descriptors the loop stops accepting until a connection closes.
 *   Signals.  SIGTERM and SIGINT close the listeners and call every handler's `stopping`; 1.5 s later
 *             at the latest all connections are closed. One that was ignored when the program began, as
 *             SIGINT behind a shell's `&`, stays ignored.
 *
 *     static void readable(conn *c, weir_in *in) { conn_write(c, in->ptr, in->len); }
 *     static const conn_handler echo = {.high = 65536, .readable = readable, .ended = conn_finish};
 *
 *     loop *l = loop_new();
 *     const char *fault = loop_listen(l, "127.0.0.1", 7, &echo, where, sizeof where);
 *     if (fault == NULL) loop_run(l);
 *     loop_free(l);
 *
 * A client that reconnects: `gone` makes a timer (loop_timer, conn_deadline), whose `due` calls
 * loop_connect again and ends the timer.
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
    size_t high;  /* queued bytes above which the connection is full; 0: never */
    size_t limit; /* queued bytes that are never exceeded, the connection is dropped instead; 0: none */
    bool duplex;  /* input is not answered with output: read from also when full. A client that stopped
                     reading while an echoing server does the same would wait for it for ever */
    void (*opened)(conn *c);                /* accepted, or connected */
    void (*readable)(conn *c, weir_in *in); /* bytes arrived; they are lost when it returns */
    void (*ended)(conn *c);                 /* the peer will send no more, but may still read */
    void (*progress)(conn *c);              /* the peer took output that had been waiting for it */
    void (*drained)(conn *c);               /* was full, and is no more */
    void (*due)(conn *c);                   /* conn_deadline has passed, and is WEIR_NEVER again */
    void (*stopping)(conn *c);              /* the program is to end: take leave; NULL: conn_finish */
    void (*gone)(conn *c);                  /* always the last: free what `user` points to */
} conn_handler;

/* A connection. A program uses the first three members, and may change two of them at any time. */
struct conn {
    const conn_handler *on; /* who handles it; another handler may take over */
    void *user;             /* the handler's */
    loop *loop;
    buffer *out;
    buffer *in; /* what conn_later keeps */
    uint64_t deadline;
    uint64_t wake; /* when the loop looks at it at the latest: never later than its deadline */
    uint32_t index;
    int fd; /* -1: none yet, or a timer */
    uint16_t error;
    uint8_t state;
    uint8_t asked;   /* what the loop waits for */
    bool always : 1; /* the system does not wait for it: a file */
    bool touched : 1;
    bool blocked : 1; /* the socket has taken what it can */
    bool full : 1;
    bool paused : 1;
    bool later : 1;
    bool lost : 1;   /* it takes no more, ever */
    bool eof : 1;    /* the peer sends no more */
    bool source : 1; /* loop_source, */
    bool sink : 1;   /* loop_sink: no socket */
};

/* ---- The loop ----------------------------------------------------------------------------------- */

/* Takes SIGTERM, SIGINT (unless ignored) and SIGPIPE over; one loop per program. NULL without memory. */
loop *loop_new(void);

/* Listens on every address of `host`; port 0 picks one. `where` becomes "host:port", IPv6 in brackets.
 * Returns NULL, or what is wrong. */
const char *loop_listen(loop *l, const char *host, unsigned port, const conn_handler *on, char *where,
                        size_t where_cap);

/*
 * Connects to one address of `host` after the other, with at most 4 s for each but the last; set a
 * deadline for the whole. Looking the name up is done at once, and the program waits for it.
 *
 * `opened` tells that it is connected. If that fails, `gone` comes instead, in a later turn, and conn_fault
 * says why. Returns NULL without memory, and when the program is to end.
 */
conn *loop_connect(loop *l, const char *host, unsigned port, const conn_handler *on, void *user);

/*
 * Reads from, or writes to, a descriptor that is not ours alone: a pipe, file or terminal, as stdin and
 * stdout. It is neither made non-blocking, which other processes would notice, nor closed. A source that
 * is no longer read by others ends with `ended`, a sink that nobody reads any more with `gone`.
 */
conn *loop_source(loop *l, int fd, const conn_handler *on, void *user);
conn *loop_sink(loop *l, int fd, const conn_handler *on, void *user);

/* A connection to nobody: it has a deadline, and an end. */
conn *loop_timer(loop *l, const conn_handler *on, void *user);

/* Runs until there are neither listeners nor connections (timers and the like included) any more, as when
 * a signal ended them. Returns 0, or -1 if waiting failed. */
int loop_run(loop *l);

/* Ends the program as SIGTERM does. */
void loop_stop(loop *l);
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
 * The room is empty (so that a weir call returns WEIR_ERR_SPACE) when the connection is not open, or is
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

/* Have more than `high` bytes been queued, and not yet all but a quarter of them been taken? Nothing is
 * lost if you go on, but who makes output without asking makes it without end. */
bool conn_is_full(const conn *c);

/* Does not read, or reads on. What was read already still comes. */
void conn_pause(conn *c, bool pause);

/* In `readable`: keeps what that leaves in `in`. `readable` gets it again, perhaps with nothing in it, in
 * the next turn that finds the connection neither full (unless duplex) nor paused. */
void conn_later(conn *c);

/* Connected, and neither finished nor aborted? */
bool conn_is_open(const conn *c);

/* Why it could not be made, or broke off: a number of errno.h, 0 if neither happened or there is none for
 * it (a host's name that is unknown); and for people, NULL if neither happened. The text may be gone with
 * the next one asked for, as strerror's. */
int conn_error(const conn *c);
const char *conn_fault(const conn *c);

/* Calls `due` at loop_now() >= when; WEIR_NEVER for no deadline. Belongs to the loop after conn_finish. To
 * move a deadline away again and again costs next to nothing. */
void conn_deadline(conn *c, uint64_t when);

/* No more input, and no output beyond what is queued: sends it while the peer takes some at least every
 * 5 s (a sink: for as long as it takes), then waits at most 2 s for the peer to end. */
void conn_finish(conn *c);

/* Closes at once; what is queued is lost. */
void conn_abort(conn *c);

#endif
