/* SPDX-License-Identifier: MIT */
/* choosing.h - one event stream and n requests against one WebSocket: what the program's parts share. */
#ifndef WEIR_BENCH_CHOOSING_H
#define WEIR_BENCH_CHOOSING_H

#include "bench.h"

/* ---- What is said -------------------------------------------------------------------------------- */

/* How a client and a server talk. */
typedef enum way {
    WAY_CLOSE,  /* one event stream; each message up is a request on a connection of its own */
    WAY_KEEP,   /* one event stream; all requests on one kept connection */
    WAY_ANSWER, /* each request is answered by an event stream of its own, all on one kept connection */
    WAY_SOCKET, /* one WebSocket */
    WAY_PACKED, /* one WebSocket with permessage-deflate */
    WAYS
} way;

/* What they talk about. An exchange is a message up, if the scene has any, and the events it brings down. */
typedef struct scene {
    const char *name;
    const char *what;
    bool up;
    bool answers;  /* WAY_ANSWER makes sense */
    bool numbered; /* events carry an id, so that a client can go on where it was cut off */
    unsigned down;
} scene;

enum { SCENES = 4, TEXT_MAX = 1024 };

extern const scene scenes[SCENES];
extern const char *const way_names[WAYS];

/* The text of message number k, as a client or a server says it; `room` holds TEXT_MAX bytes. */
weir_str text_up(const scene *s, unsigned k, char *room);
weir_str text_down(const scene *s, unsigned k, char *room);
/* The same as a WebSocket carries it: with the number inside, where an event stream has a field for it. */
weir_str text_down_numbered(const scene *s, unsigned k, char *room);

/* ---- What is counted ----------------------------------------------------------------------------- */

/* Summed over the connections of a client, both directions. */
typedef struct wire {
    uint64_t bytes;       /* that the programs handed to TCP */
    uint64_t segments;    /* that TCP made of it: data, acknowledgements, set-up, end */
    uint64_t headers;     /* bytes of IPv4 and TCP headers of all segments */
    uint64_t connections; /* how many */
    uint64_t resent;
} wire;

/* Seen by client and server. */
typedef struct board {
    volatile uint32_t heard; /* messages up that the server has taken */
    volatile double cpu;     /* nanoseconds of the server, at its end */
} board;

/* ---- Parts --------------------------------------------------------------------------------------- */

typedef struct setting {
    const scene *scene;
    way way;
    int listener;
    int port;
    int ticks; /* a pipe: each byte that the server reads there is an event that it has to send */
    board *board;
} setting;

typedef struct conn conn;

/* A client, from one visit to the next. Zero but for `set` in the beginning. */
typedef struct visitor {
    const setting *set;
    conn *stream;   /* the event stream or the WebSocket */
    conn *requests; /* for messages up beside an event stream */
    unsigned next_up;
    unsigned next_down;
    wire total;
} visitor;

void visit_begin(visitor *v);
void visit_exchange(visitor *v);
void visit_end(visitor *v);

/* Serves until `ticks` ends and all clients are gone. Runs in a process of its own. */
void serve(const setting *given);

int tcp_listen(int *port);
int tcp_connect(int port);
/* Ends a connection and adds what it cost. `bytes`: what the client sent and received on it. */
void tcp_account(int fd, uint64_t bytes, wire *total);
void tcp_prompt_ack(int fd);
void tcp_no_delay(int fd);
void one_processor(void);
int random_fill(void *user, uint8_t *dst, size_t len);

#endif
