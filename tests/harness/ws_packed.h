/* SPDX-License-Identifier: MIT */
/* ws_packed.h - a connection with compression, what it has received, and a backend that counts. */
#ifndef WEIR_TEST_WS_PACKED_H
#define WEIR_TEST_WS_PACKED_H

#include "weir/ws.h"

typedef struct packed_side {
    weir_ws ws;
    weir_deflate deflate;
    weir_entropy entropy;
    const weir_deflate_backend *backend;
    weir_deflate_params params;
    weir_ws_role role;
    uint64_t max_message;
    uint32_t max_fragments; /* 0: the default */
    uint32_t max_ratio;
    size_t threshold;
    unsigned mem_level;
    int level;
    bool count_only; /* the bytes of messages are counted, not kept */
    void *inflate_mem, *deflate_mem;
    size_t inflate_len, deflate_len;
    uint8_t *scratch; /* PACKED_SCRATCH bytes, flush against an unmapped page */
    uint8_t *got;     /* the last message */
    size_t got_len;
    uint32_t got_flags;
    unsigned messages;
    uint32_t random;
} packed_side;

enum { PACKED_SCRATCH = 1024 };

extern const weir_deflate_params packed_all_15;

packed_side *packed_new(const weir_deflate_backend *backend, weir_ws_role role, weir_deflate_params params,
                        uint64_t max_message);
/* Begins again, after limits and options were changed. */
void packed_start(packed_side *s);
void packed_delete(packed_side *s);

/* Takes the memory away: whoever touches it now falls down. */
void packed_unmap(packed_side *s);

/* Feeds bytes (a copy) in pieces of at most `step` until an error, and collects the last message. Returns
 * what the last call said. */
int packed_feed(packed_side *s, const uint8_t *bytes, size_t len, size_t step);

/* Feeds one frame whose payload is given, masked with zeros where this side's peer masks. */
int packed_frame(packed_side *s, uint8_t first, const void *payload, size_t len, size_t step);

/* ---- A backend that counts and fails ---------------------------------------------------------------- */

/* Calls and bytes of the backend that backend_counting returned; a call whose number is one of the fail_
 * fields fails. All of it may be set at any time. */
typedef struct backend_count {
    uint64_t inflates, inflated, ends, deflates;
    uint64_t fail_inflate, fail_end, fail_deflate;
} backend_count;

extern backend_count backend_counts;

const weir_deflate_backend *backend_counting(const weir_deflate_backend *of);

#endif
