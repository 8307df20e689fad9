/* SPDX-License-Identifier: MIT */
/* attack.h - a connection under attack: what comes in, what it costs, what goes out. */
#ifndef WEIR_TEST_ATTACK_H
#define WEIR_TEST_ATTACK_H

#include "weir/ws.h"

/* The connection and its input end where nothing is mapped: whoever writes behind the struct or reads
 * behind the bytes given falls down. The struct is all the memory that there is. */
typedef struct victim {
    weir_ws *ws;
    bool client;
    bool stalled; /* replies are not written */
    weir_entropy entropy;
    uint32_t keys;
    uint64_t fed;     /* bytes given */
    uint64_t calls;   /* of weir_ws_next */
    uint64_t events;  /* reported */
    uint64_t payload; /* bytes of messages reported */
    size_t most_out;  /* the most that ever waited to be written */
    uint8_t *arena;
} victim;

/* Most bytes that victim_hear takes at once. */
enum { VICTIM_ARENA = 1 << 18 };

/* A configuration with weir's defaults for this role, to be changed and given to victim_start. */
weir_ws_cfg victim_cfg(bool client);
void victim_start(victim *v, const weir_ws_cfg *cfg);
/* Both in one. */
void victim_init(victim *v, bool client);
void victim_free(victim *v);

/* Gives bytes to the connection until it has taken them or fails, and writes its replies behind each event
 * unless `stalled`. Fails the test when a call neither takes nor reports anything, or when more payload is
 * reported than was given. Returns what the last call said. */
int victim_hear(victim *v, const void *bytes, size_t len);
/* The same, one byte a call. */
int victim_hear_bytewise(victim *v, const void *bytes, size_t len);

/* The header of a frame as this victim's peer sends it, in the shortest form; masked with zeros. Returns its
 * size, at most WEIR_WS_HEADER_MAX. */
size_t victim_header(const victim *v, uint8_t *dst, uint8_t first, uint64_t len);
/* The same with a 64-bit length whatever it is. */
size_t victim_header64(const victim *v, uint8_t *dst, uint8_t first, uint64_t len);
/* Header and payload in one call. */
int victim_frame(victim *v, uint8_t first, const void *payload, size_t len);

/* The only thing that waits is a Close with this code. The victim must be stalled. */
void victim_expect_close(victim *v, unsigned code);

#endif
