/* SPDX-License-Identifier: MIT */
/*
 * prepared.h - a message for many WebSockets of a server, encoded once for each form that somebody needs:
 * plain, and compressed for each size of window.
 *
 *     prepared p = {.flags = WEIR_WS_TEXT, .data = text};
 *     for each connection: if (prepared_for(&p, &ws, bits, &bytes)) conn_write(c, bytes.ptr, bytes.len);
 *     prepared_free(&p);
 */
#ifndef EXAMPLE_PREPARED_H
#define EXAMPLE_PREPARED_H

#include "buffer.h"

#include <weir/weir.h>

typedef struct prepared {
    uint32_t flags;
    weir_str data;
    buffer *plain;
    buffer *packed[16]; /* by bits of the window */
} prepared;

/*
 * prepared_for - the bytes for one connection, to be sent before anything else.
 *
 * bits     its server_bits if it agreed on permessage-deflate, else 0.
 *
 * Returns  false if nothing can be sent to it (any more), or without memory.
 */
bool prepared_for(prepared *p, weir_ws *ws, unsigned bits, weir_str *bytes);

/* Frees the forms; data is the caller's. */
void prepared_free(prepared *p);

/* Frees the compressor that all share, until the next one needs it. */
void prepared_rest(void);

#endif
