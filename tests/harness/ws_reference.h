/* SPDX-License-Identifier: MIT */
/* ws_reference.h - a slow reader of WebSocket frames that is easy to believe, to compare weir's with. */
#ifndef WEIR_TEST_WS_REFERENCE_H
#define WEIR_TEST_WS_REFERENCE_H

#include "weir/ws.h"

/* What is told of each event, in order. Data comes frame by frame. The slices live until the call ends. */
typedef struct ws_listener {
    void (*tell)(void *self, const weir_ws_event *ev);
    void *self;
} ws_listener;

/* Reads a whole stream of uncompressed frames as RFC 6455 5 and weir/ws.h say, frame by frame. Returns 0, or
 * the error and in *offset where; without one *offset is len. */
int ws_reference(const weir_ws_cfg *cfg, const uint8_t *stream, size_t len, ws_listener listener,
                 uint64_t *offset);

/* How many bytes of a text can be the beginning of a valid one (RFC 3629), by the values that characters
 * have; *cut says that the text ends inside one. */
size_t ws_reference_utf8(const uint8_t *text, size_t len, bool *cut);

#endif
