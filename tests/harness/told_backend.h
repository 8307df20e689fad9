/* SPDX-License-Identifier: MIT */
/* told_backend.h - a deflate backend that does as it is told, and a connection over it. */
#ifndef WEIR_TEST_TOLD_BACKEND_H
#define WEIR_TEST_TOLD_BACKEND_H

#include "weir/ws.h"

/* It stores as store_backend does, but each byte inflates into `swell` ones, and `bad` is corrupt. */
extern struct told {
    size_t swell;
    uint8_t bad;
    bool fail_deflate;
    bool fail_init;
    size_t bound_factor, bound_more;
    size_t room; /* what it got to compress into, the last time */
    unsigned bits, mem_level;
    int level;
    unsigned deflate_resets, inflate_resets, ends;
} told;

/* Makes it tell nothing but to store. */
weir_deflate_backend told_backend(void);

enum { SCRATCH = 256 };

typedef struct end {
    weir_deflate_backend backend;
    weir_deflate_cfg cfg;
    weir_ws_cfg ws_cfg;
    weir_deflate deflate;
    weir_entropy entropy;
    bool broken; /* the entropy source fails */
    weir_ws ws;
    uint8_t memory[2][64];
    uint8_t scratch[SCRATCH];
    uint8_t wire[2048];
} end;

/* Fills what a connection needs; then it may be changed, before it starts. */
void end_prepare(end *e, weir_ws_role role);
void end_start(end *e);

/* So many bytes of one kind, until the next call. */
weir_str filled(uint8_t byte, size_t len);

/* A client hears a frame, in pieces of `step`. Returns what the last call said; what came is in *got, and how
 * much of it in *len. */
int end_hear(end *e, uint8_t first, weir_str payload, size_t step, uint8_t *got, size_t *len);

#endif
