/* SPDX-License-Identifier: MIT */
/* messages.h - the messages and requests that WebSocket benchmarks are made of. */
#ifndef WEIR_BENCH_MESSAGES_H
#define WEIR_BENCH_MESSAGES_H

#include "bench.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum alphabet { BINARY, ASCII, CHINESE, EMOJI } alphabet;

/* What a message holds and how long it is, as in `ascii-64`. */
typedef struct sample {
    const char *name;
    alphabet kind;
    size_t len;
} sample;

extern const sample samples[];
extern const size_t sample_count;

/* The message of that name. */
const sample *sample_named(const char *name);
void sample_fill(const sample *m, uint8_t *dst);

/* A stream of messages of one kind, each in one frame. */
typedef struct wire {
    uint8_t *bytes;
    size_t len;
    size_t messages;
    size_t payload;
    size_t frame; /* bytes of each frame */
    uint64_t digest;
} wire;

enum { WIRE_ROOM = 512 * 1024 };

/* About `size` bytes, at least one message, written by hand so that nobody reads what it wrote itself. */
wire wire_new(const sample *m, bool by_client, size_t size);

/* A browser's opening handshake, and what a server answers at least. */
extern const char browser_request[];
extern const char browser_key[];
extern const char browser_accept[];

#ifdef __cplusplus
}
#endif

#endif
