/* SPDX-License-Identifier: MIT */
/* sse_reference.h - a slow reader of event streams that is easy to believe, to compare weir's with. */
#ifndef WEIR_TEST_SSE_REFERENCE_H
#define WEIR_TEST_SSE_REFERENCE_H

#include "weir/sse.h"

/* What is told of each item, in order. Data that goes in parts is told byte by byte. The slices live until
 * the call ends. */
typedef struct sse_listener {
    void (*tell)(void *self, const weir_sse_item *item);
    void *self;
} sse_listener;

/* Reads a whole stream and its end as WHATWG HTML 9.2.6 says, line by line, and holds the limits as
 * weir/sse.h says. The limits are taken as they stand in cfg (0: none for max_line, else nothing fits).
 * Returns 0, or the error and in *offset where; without one *offset is len. */
int sse_reference(const weir_sse_parser_cfg *cfg, const uint8_t *stream, size_t len, sse_listener listener,
                  uint64_t *offset);

/* Decodes bytes as the Encoding Standard's "UTF-8 decode without BOM" does, and writes the text as UTF-8 to
 * dst, which has room for 3 * len bytes. Returns its length. */
size_t sse_reference_decode(uint8_t *dst, const uint8_t *bytes, size_t len);

#endif
