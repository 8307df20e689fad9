/* SPDX-License-Identifier: MIT */
/* soak.h - what the files of the load share: peers of all manners on one epoll, and what they count. */
#ifndef WEIR_SOAK_H
#define WEIR_SOAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct peer peer;

/* A manner of behaving. Functions may be NULL but for `opened`. */
typedef struct manner {
    const char *name;
    const char *path;                                         /* NULL: no handshake */
    bool demo;                                                /* at demo_server, else at ws_echo_server */
    int rcvbuf;                                               /* of its socket, 0: the system's */
    void (*opened)(peer *p);                                  /* the handshake is done */
    void (*act)(peer *p);                                     /* p->act_at has come */
    void (*heard)(peer *p, const uint8_t *bytes, size_t len); /* bytes behind the handshake */
    void (*ended)(peer *p); /* the server ended the connection, or broke it */
} manner;

/* A frame that is being received. */
typedef struct frame_in {
    uint8_t head[10];
    unsigned have;
    bool payload; /* the header is whole */
    uint64_t len;
    uint64_t at;
} frame_in;

struct peer {
    const manner *is;
    unsigned id;
    int fd;
    bool open; /* the handshake is done */
    bool deaf; /* does not read */
    bool writing;
    uint64_t random;
    uint64_t act_at; /* us; UINT64_MAX: never */
    uint8_t *out;
    size_t out_at, out_len, out_cap;
    frame_in in;
    unsigned mode; /* the manner's own */
    uint32_t sent, got;
    uint64_t owed; /* bytes sent and not heard again */
    uint64_t sent_at[8];
    size_t line_len;
    char line[512]; /* the answer's head, a line of an event stream, a message of the room */
    uint32_t seen[64];
};

/* What is counted for a manner. */
enum { MANNERS = 10 };
extern struct counts {
    const manner *is;
    unsigned peers;
    uint64_t connections;
    uint64_t messages; /* or events, sent and come back as they must */
    uint64_t faults;
    uint64_t lost; /* connections of the good that ended by themselves */
} counts[MANNERS];

/* Times of the good, in us; a sample of them if there are very many. */
enum { TIMES_MAX = 1 << 20 };
typedef struct times {
    uint32_t us[TIMES_MAX];
    uint64_t count;
} times;
extern times echo_times, room_times;
void times_add(times *t, uint64_t us);

struct counts *counts_of(const peer *p);
void fault(peer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
uint64_t now_us(void);

/* ---- wire.c -------------------------------------------------------------------------------------- */

enum { NOISE = 1 << 17 };
extern uint8_t noise[NOISE]; /* any bytes, */
extern uint8_t words[NOISE]; /* and letters */

void wire_init(int ports[2]);
uint64_t draw(peer *p);
uint64_t draw_in(peer *p, uint64_t from, uint64_t to); /* both included */

void peer_connect(peer *p);
void peer_close(peer *p, bool reset);              /* and comes back at act_at */
void peer_leave(peer *p, bool reset, uint64_t us); /* ... so long from now */
void peer_listen(peer *p, bool listens);
void peer_put(peer *p, const void *bytes, size_t len);
void peer_frame(peer *p, uint8_t first, const uint8_t *payload, size_t len); /* masked */
void peer_read(peer *p, size_t max);
void peer_serve(peer *p, unsigned events);
void wire_wait(int ms);

/* Takes frames apart: calls `piece` with each piece of a payload, the last with at + len == in.len, an empty
 * payload once. Answers Pings; returns false when the server closed. */
typedef void frame_piece(peer *p, uint8_t opcode, const uint8_t *bytes, size_t len);
bool peer_frames(peer *p, const uint8_t *bytes, size_t len, frame_piece *piece);

/* ---- echo_peers.c, demo_peers.c ------------------------------------------------------------------ */

extern const manner good, slow, rude, wild;       /* ws_echo_server */
extern const manner member, loud, reader, drowsy; /* demo_server */

#endif
